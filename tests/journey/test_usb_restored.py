"""Central was put back from a backup, and a van that has only sticks finds its way into it."""

from __future__ import annotations

from server.central import open_central
from tests.journey.test_laptops import taken
from tests.journey.test_restored import copied, put_back
from tests.sticks import bring, bundles, export, give, read, stick
from tests.town import Laptop, Town
from tests.vaults import refused


def to_and_fro(town: Town, van: Laptop, name: str) -> str:
    """A stick to the office and one back; gives what became of the latter."""
    there, back = stick(town, f"{name} there"), stick(town, f"{name} back")
    export(van, there)
    bring(town, there)
    give(town, van, back)
    return read(van, back)[0].state


def test_a_van_with_nothing_but_sticks_feeds_a_restored_central(town: Town) -> None:
    van = town.laptop("sari", enrolled=False)
    (early,) = taken(town, van, "father")
    for name in ("zero", "one"):  # the second tells central that the first was read
        assert to_and_fro(town, van, name) == "fresh"
    night = copied(town)
    lost = taken(town, van, "mother", "old_man")
    town.send_back(early, "DOC_UNREADABLE", "Foto ulang KK")
    assert to_and_fro(town, van, "two") == "fresh"
    assert van.house.store.standing().unsent == 0
    assert van.status(early) == "needs_correction"
    before = town.stored() | {early.hex(): "received"}  # what the office alone decided is lost
    put_back(town, night)
    assert set(town.stored()) == {early.hex()}

    assert to_and_fro(town, van, "three") == "gap", "it has to read more again than central knows"
    assert van.house.store.standing().unsent > 0, "what central lost is in the queue again"
    for name in ("four", "five"):
        to_and_fro(town, van, name)
    assert town.stored() == before
    assert van.house.store.standing().unsent == 0
    assert [van.status(record) for record in (early, *lost)] == ["received"] * 3
    assert town.is_whole()


def test_a_stick_from_before_the_restore_takes_nobody_back(town: Town) -> None:
    van = town.laptop("sari")
    (early,) = taken(town, van, "father")
    van.sync()
    night = copied(town)
    (late,) = taken(town, van, "mother")
    van.sync()
    old = stick(town, "old")
    give(town, van, old)
    put_back(town, night)
    van.sync()
    van.sync()
    before = van.house.store.position(), van.house.store.standing()
    (done,) = read(van, old)
    assert (done.state, done.decisions) == ("known", 0)
    assert (van.house.store.position(), van.house.store.standing()) == before
    assert [van.status(record) for record in (early, late)] == ["received"] * 2


def test_a_stick_is_not_taken_while_intake_is_closed(town: Town) -> None:
    van = town.laptop("sari")
    night = copied(town)
    taken(town, van, "father")
    export(van, stick(town))
    put_back(town, night, confirmed=False)
    refused("office.unconfirmed", bring, town, stick(town))
    assert town.stored() == {}
    assert bundles(van).on_the_way()


def test_a_laptop_that_read_more_than_there_is_stops_the_stick(town: Town) -> None:
    """The database was put back without `restore`: numbers would be given twice."""
    van = town.laptop("sari")
    night = copied(town)
    taken(town, van, "father")
    van.sync()
    van.sync()
    place = town.central.place
    town.central.close()
    for file in place.folder.glob("central.db*"):
        file.unlink()
    (place.folder / "central.db").write_bytes(night.read_bytes())

    town.central = open_central(place, town.time)
    taken(town, van, "mother")
    export(van, stick(town))
    (came,) = bring(town, stick(town))
    assert came.refused == ("sync.future_cursor",)
    assert town.stored() == {}
