"""Central is put back from last night's backup, and its vans bring back what it lost."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from field_client.succession import after_copy
from field_client.vault.sums import territory
from server.central import open_central
from server.restoring import confirm, go_on
from tests.journey.test_laptops import taken
from tests.journey.test_villages import OTHER
from tests.town import Town
from tests.vaults import refused
from tests.village import PLACE


def copied(town: Town) -> Path:
    """The database as it stands, as last night's backup holds it."""
    path = town.folder / "night.db"
    source = sqlite3.connect(town.central.registry.database.url.database or "")
    target = sqlite3.connect(path)
    source.backup(target)
    target.close()
    source.close()
    return path


def put_back(town: Town, copy: Path, *, confirmed: bool = True, chance: bytes = b"\2") -> None:
    """The disk died; the office goes on from the copy. chance: says which block of numbers."""
    place = town.central.place
    town.central.close()
    for file in place.folder.glob("central.db*"):
        file.unlink()
    shutil.copy(copy, place.folder / "central.db")
    town.central = open_central(place, town.time)
    go_on(town.central.registry, town.central.keys.log, lambda n: chance * n, town.time())
    if confirmed:
        confirm(town.central.registry, town.staff["idham"], town.time())


def test_a_central_put_back_from_a_backup_is_fed_by_its_vans(town: Town) -> None:
    van, other = town.laptop("sari"), town.laptop("rusli")
    early = taken(town, van, "father")
    for laptop in (van, other):
        laptop.sync()
    night = copied(town)
    lost = [*taken(town, van, "mother", "old_man"), *taken(town, other, "son")]
    van.edit(early[0], applicant__phone="+6281200000001")
    for laptop in (van, other, van):
        laptop.sync()
    assert van.status(lost[2]) == "received"  # each has read what the other brought
    before = town.stored()
    put_back(town, night)
    assert set(town.stored()) == {early[0].hex()}
    unsent = taken(town, van, "old_woman")
    report = van.sync()
    assert report.pending == 0
    assert van.sync().pushed == 0
    other.sync()
    van.sync()
    records = [*early, *lost, *unsent]
    assert town.stored() == before | {unsent[0].hex(): "received"}
    assert [van.status(record) for record in records] == ["received"] * 5
    assert town.sheet(early[0]).answers["applicant.phone"] == "+6281200000001"
    assert van.answer(early[0], "applicant.phone") == "+6281200000001"
    assert van.notices("restored") == other.notices("restored") == []
    assert [line.kind for line in town.cases()] == ["restore"]
    assert town.is_whole()


def test_an_outcome_that_changed_is_told_to_its_author(town: Town) -> None:
    van, other = town.laptop("sari"), town.laptop("rusli")
    (record,) = taken(town, van, "father")
    for laptop in (van, other):
        laptop.sync()
    night = copied(town)
    van.edit(record, reason="Sesuai KK", applicant__name="Ahmad Satu")
    assert van.sync().outcomes == {"applied": 1}
    other.edit(record, reason="Sesuai KK", applicant__name="Ahmad Dua")
    assert other.sync().outcomes == {"held": 1}
    put_back(town, night)
    other.sync()  # comes first this time
    van.sync()
    assert {line.kind for line in town.cases()} == {"restore", "dispute"}
    assert [(n.mine, n.value) for n in van.notices("restored")] == [("applied", "held")]
    assert [(n.mine, n.value) for n in other.notices("restored")] == [("held", "applied")]
    assert town.sheet(record).answers["applicant.name"] == "Ahmad Dua"
    assert town.is_whole()


def test_nothing_is_taken_until_a_supervisor_looked_at_the_list_of_laptops(town: Town) -> None:
    van = town.laptop("sari")
    night = copied(town)
    taken(town, van, "father")
    van.sync()
    put_back(town, night, confirmed=False)
    refused("office.unconfirmed", van.sync)
    assert town.stored() == {}
    refused("auth.forbidden", confirm, town.central.registry, town.staff["nurlaila"], 1)
    assert "laptop sari" in confirm(town.central.registry, town.staff["idham"], town.time())
    van.sync()
    assert len(town.stored()) == 1


def test_a_laptop_enrolled_after_the_backup_is_certified_again(town: Town) -> None:
    van = town.laptop("sari", enrolled=False)
    night = copied(town)
    records = taken(town, van, "father")
    van.sync()
    put_back(town, night)
    van.sync()
    assert set(town.stored()) == {record.hex() for record in records}


def test_a_database_put_back_in_silence_takes_nothing_until_it_is_restored(town: Town) -> None:
    van = town.laptop("sari")
    night = copied(town)
    records = taken(town, van, "father")
    van.sync()
    place = town.central.place
    town.central.close()
    for file in place.folder.glob("central.db*"):
        file.unlink()
    shutil.copy(night, place.folder / "central.db")
    town.central = open_central(place, town.time)
    records += taken(town, van, "mother")
    refused("sync.future_cursor", van.sync)
    assert town.stored() == {}
    go_on(town.central.registry, town.central.keys.log, lambda n: b"\3" * n, town.time())
    confirm(town.central.registry, town.staff["idham"], town.time())
    van.sync()
    assert set(town.stored()) == {record.hex() for record in records}
    assert town.is_whole()


def test_a_new_log_whose_parent_the_backup_does_not_know_is_let_in_with_it(town: Town) -> None:
    van = town.laptop("sari")
    records = taken(town, van, "father")
    van.sync()
    night = copied(town)
    after_copy(van.house.desk)
    van.sync()
    put_back(town, night)
    after_copy(van.house.desk)
    records += taken(town, van, "mother")
    assert van.sync().pending == 0
    assert set(town.stored()) == {record.hex() for record in records}
    assert len(van.house.store.logs()) == 3


def test_one_put_back_in_silence_that_has_caught_up_is_noticed_too(town: Town) -> None:
    """It gave the numbers that the van had read once more, to something else."""
    van, other = town.laptop("sari"), town.laptop("rusli")
    van.sync()
    night = copied(town)
    records = taken(town, van, "father")
    van.sync()
    place = town.central.place
    town.central.close()
    for file in place.folder.glob("central.db*"):
        file.unlink()
    shutil.copy(night, place.folder / "central.db")
    town.central = open_central(place, town.time)
    records += taken(town, other, "mother", "son")
    other.sync()
    with town.central.registry.read() as door:
        assert door.standing().server_seq >= van.house.store.position().cursor.server_seq
    records += taken(town, van, "old_man")
    refused("sync.future_cursor", van.sync)
    put_back(town, night)
    for laptop in (van, other, van):
        laptop.sync()
    assert set(town.stored()) == {record.hex() for record in records}
    assert town.is_whole()


def test_a_decision_of_the_office_that_was_lost_is_taken_back_with_a_word(town: Town) -> None:
    """The entry itself is in the backup, so it is not sent again."""
    van, other = town.laptop("sari"), town.laptop("rusli")
    (record,) = taken(town, van, "father")
    for laptop in (van, other):
        laptop.sync()
    van.edit(record, reason="Sesuai KK", applicant__name="Ahmad Satu")
    van.sync()
    other.edit(record, reason="Sesuai KK", applicant__name="Ahmad Dua")
    assert other.sync().outcomes == {"held": 1}
    night = copied(town)
    (line,) = town.cases("dispute")
    town.resolve(line, "current", "KK dilihat")
    town.approve(line, "KK dilihat")
    other.sync()
    assert [n.value for n in other.notices("restored")] == []
    put_back(town, night)
    other.sync()
    assert [(n.mine, n.value) for n in other.notices("restored")] == [("rejected", "held")]
    (line,) = town.cases("dispute")
    town.resolve(line, "current", "KK dilihat")
    town.approve(line, "KK dilihat")
    assert other.sync().pending == 0
    assert len(other.notices("restored")) == 1
    assert town.is_whole()


def test_a_copy_of_the_laptop_that_reaches_a_restored_central_first_stops_nobody(
    town: Town,
) -> None:
    """It writes other work under the numbers that the van had proved to be stored."""
    van = town.laptop("sari")
    van.sync()
    night = copied(town)
    copy = van.clone()
    mine = taken(town, van, "father", "mother")
    van.sync()
    put_back(town, night)
    theirs = taken(town, copy, "old_man", "son", "old_woman")
    copy.sync()
    mine += taken(town, van, "neighbour")
    van.sync()
    assert set(town.stored()) == {record.hex() for record in (*mine, *theirs)}
    assert {line.kind for line in town.cases()} == {"restore", "fork"}
    copy.sync()
    assert [van.status(record) for record in mine] == ["received"] * 3
    assert [copy.status(record) for record in theirs] == ["received"] * 3
    assert town.is_whole()


def test_restored_twice_from_the_same_night(town: Town) -> None:
    van = town.laptop("sari")
    (first,) = taken(town, van, "father")
    van.sync()
    night = copied(town)
    records = [first, *taken(town, van, "mother")]
    van.sync()
    put_back(town, night)
    van.sync()
    records += taken(town, van, "son")
    van.sync()
    again = town.folder / "again.db"
    shutil.copy(night, again)
    place = town.central.place
    town.central.close()
    for file in place.folder.glob("central.db*"):
        file.unlink()
    shutil.copy(again, place.folder / "central.db")
    town.central = open_central(place, town.time)
    go_on(town.central.registry, town.central.keys.log, lambda n: b"\7" * n, town.time())
    confirm(town.central.registry, town.staff["idham"], town.time())
    van.sync()
    van.sync()
    assert set(town.stored()) == {record.hex() for record in records}
    assert [van.status(record) for record in records] == ["received"] * 3
    assert town.is_whole()


def test_villages_and_orders_of_a_second_restore_from_one_backup_are_heard(town: Town) -> None:
    """The second restore knows nothing of the first, and drew lower numbers."""
    van = town.laptop("sari")
    van.sync()
    night = copied(town)
    orders = []
    for chance, villages in ((b"\7", [PLACE]), (b"\1", [PLACE, OTHER])):
        town.time.goes_on(10)
        put_back(town, night, chance=chance)
        van.sync()
        town.central.devices.scope(town.staff["ratna"], van.name, villages)
        with town.central.registry.write() as door:
            door.order(van.house.store.log().id, "active", 0)
        van.sync()
        with van.house.store.engine.reading() as connection:
            assert territory(connection).villages == villages
        orders.append(van.house.store.position().order)
    assert 0 < orders[0] < orders[1]


def test_a_laptop_invited_after_the_backup_is_let_in_and_its_work_waits(town: Town) -> None:
    night = copied(town)
    van = town.laptop("sari")
    records = taken(town, van, "father", "mother")
    van.sync()
    put_back(town, night)
    report = van.sync()
    assert report.pending == 0
    assert report.outcomes == {"applied": 2, "held": 2}  # its operator and session, its requests
    ((device, _),) = town.central.devices.list(town.staff["idham"])
    assert (device.state, device.invited_by) == ("suspended", "restore")
    town.central.devices.resume(town.staff["idham"], device.name, "Laptop kami, diperiksa")
    (line,) = town.cases("after-lost")
    town.resolve(line, "release", "Laptop kami", by="idham")
    van.sync()
    assert town.stored() == {record.hex(): "received" for record in records}
    assert [van.status(record) for record in records] == ["received"] * 2
    assert len(van.notices("restored")) == 2


def test_what_a_laptop_read_of_the_lost_history_is_forgotten(town: Town) -> None:
    van, other = town.laptop("sari"), town.laptop("rusli")
    (record,) = taken(town, van, "father")
    van.sync()
    night = copied(town)
    assert town.accept(record).status == "verified"
    (theirs,) = taken(town, other, "mother")
    for laptop in (other, van):
        laptop.sync()
    assert (van.status(record), van.status(theirs)) == ("verified", "received")
    put_back(town, night)
    van.sync()
    assert van.status(record) == "received"
    assert {line.record for line in van.house.store.requests.newest()} == {record}
    other.sync()
    van.sync()
    assert {line.record for line in van.house.store.requests.newest()} == {record, theirs}
    assert town.accept(record).status == "verified"
    van.sync()
    assert van.status(record) == "verified"
    assert town.is_whole()


def test_a_request_that_left_in_the_lost_history_is_read_again_without_its_village(
    town: Town,
) -> None:
    """Of a request that moved away nothing stays here but when that was and when it was made."""
    van, other = town.laptop("sari"), town.laptop("rusli")
    (record,) = taken(town, van, "father")
    for laptop in (van, other):
        laptop.sync()
    night = copied(town)
    van.edit(record, address__village=OTHER)
    for laptop in (van, other):
        laptop.sync()
    assert other.house.store.requests.newest() == []
    put_back(town, night)
    other.sync()
    assert {line.record for line in other.house.store.requests.newest()} == {record}
    assert other.answer(record, "address.village") == PLACE
    with town.central.registry.read() as door:
        assert [one for one in door.trail(limit=1000) if one.action == "cell.repair"] == []
    van.sync()  # it brings the move again
    other.sync()
    assert other.house.store.requests.newest() == []
    assert town.is_whole()
