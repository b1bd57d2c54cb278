"""A lost laptop locks itself by order of the office, which alone opens it then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from field_client.app import House
from field_client.vault.escrow import read_recovery
from field_client.vault.files import write_atomically
from field_client.vault.keys import Keys
from field_client.vault.store import Store
from models.roster.residents import Resident
from models.roster.source import RosterSource
from server.database.registry import Door
from tests.requests import row
from tests.sticks import bring, export, give, read, stick
from tests.town import PLACE, Laptop, Town
from tests.vaults import CHEAP, PASSPHRASE, refused

LIST = RosterSource(PLACE, "OpenSID", date(2026, 1, 5), "PKS 1", date(2026, 12, 31))
SECRET = "cengkeh dan pala"


@pytest.fixture
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """Central on SQLite, or where a test says so on PostgreSQL."""
    postgres = getattr(request, "param", "") == "postgresql"
    made = Town(tmp_path, request.getfixturevalue("postgres_url") if postgres else "")
    yield made
    made.close()


class Killed(BaseException):
    """The process ends here."""


def killed(*_: Any) -> None:
    raise Killed


def taken(town: Town, laptop: Laptop, part: str) -> bytes:
    asked = row(town.village, "village-domicile-letter", town.person(part), ref="x")
    return laptop.take(asked)[0].record


def lost(town: Town, van: Laptop) -> None:
    """Reported lost, and ordered to lock itself."""
    town.central.devices.lose(town.staff["ratna"], van.name, "Tertinggal di kapal")
    town.central.devices.shred(town.staff["ratna"], van.name, "Berisi data satu desa")


def alarms(town: Town, van: Laptop) -> tuple[str, ...]:
    """What the office is shown of the laptop."""
    found = town.central.fleet.overview(town.staff["ratna"])
    return next(one.alarms for one in found if one.device.name == van.name)


def trail(town: Town, van: Laptop) -> list[str]:
    """What was noted about the laptop."""
    device = van.house.desk.invitation().device
    with town.central.registry.read() as door:
        return [one.action for one in door.trail(target=device.hex(), limit=1000)]


def recovered(town: Town, van: Laptop) -> Store:
    """Opened at the office with its key; the laptop is then in the hands of the office."""
    van.house.close()
    office = read_recovery(town.folder / "recovery-key.json")
    _, unlocked = van.keys.recover(office, "kantor", SECRET, CHEAP)
    van.house = House(van.place, van.keys, unlocked, van.clock)
    return van.house.store


@pytest.mark.parametrize(
    "town", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_a_lost_laptop_delivers_and_then_opens_for_the_office_alone(town: Town) -> None:
    van, other = town.laptop("sari"), town.laptop("rusli")
    theirs = taken(town, other, "father")
    other.sync()
    first = taken(town, van, "mother")
    van.sync()
    store, devices = van.house.store, town.central.devices
    store.roster.take_in(LIST, [Resident(key="a" * 32, name="IMRAN WAHAB")])
    assert store.requests.line(theirs) is not None
    refused("device.no_such_move", devices.shred, town.staff["ratna"], van.name, "hilang?")
    last = taken(town, van, "old_man")
    lost(town, van)
    refused("auth.forbidden", devices.shred, town.staff["idham"], van.name, "hilang")
    refused("vault.shredded", van.sync)
    sheet = town.case(town.cases("after-lost")[0])
    assert {parked.record for parked in sheet.parked} == {last.hex()}, "delivered first"
    assert alarms(town, van) == ("shredded",), "its last word, with the keys still in memory"
    assert trail(town, van).count("device.shredded") == 1
    refused("vault.shredded", van.keys.unlock, "sari", PASSPHRASE, town.time.at)
    store = recovered(town, van)
    van.house.begin()
    assert {line.record for line in store.requests.newest()} == {first, last}
    assert (store.roster.lists(), store.requests.search("imran")) == ([], [])
    assert store.engine.one("select count(*) from recents") == (0,)
    assert store.broken_at(store.log().id) is None
    assert store.orders_due() == []
    van.sync()  # acted on once: the office may go on looking
    assert van.keys.names() == ["kantor"]
    assert alarms(town, van) == ("shredded",)
    assert [trail(town, van).count(f"device.{act}") for act in ("shred", "shredded")] == [1, 1]


def test_by_stick_what_waits_goes_out_before_the_laptop_locks(town: Town) -> None:
    van = town.laptop("sari")
    last = taken(town, van, "mother")
    lost(town, van)
    give(town, van, stick(town))
    read(van, stick(town))
    assert van.keys.names() == ["sari"], "it still holds what nobody else has"
    away = stick(town, "away")
    refused("vault.shredded", export, van, away)
    bring(town, away)
    sheet = town.case(town.cases("after-lost")[0])
    assert [parked.record for parked in sheet.parked] == [last.hex()]
    assert van.keys.is_shredded


def test_an_order_cut_off_anywhere_is_finished(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    van = town.laptop("sari")
    lost(town, van)
    with monkeypatch.context() as cut:
        cut.setattr(Keys, "shred", killed)
        with pytest.raises(Killed):
            van.sync()
    assert van.keys.names() == ["sari"]
    with monkeypatch.context() as cut:
        cut.setattr("field_client.vault.store.forget_others", killed)
        with pytest.raises(Killed):
            van.open()  # opening it is enough to go on, without any road
    assert van.keys.is_shredded, "no PIN opens it from the first step on"
    store = recovered(town, van)
    assert [order.kind for order in store.orders_due()] == ["shred"]
    refused("vault.shredded", van.house.begin)
    assert recovered(town, van).orders_due() == []
    van.house.begin()


@pytest.mark.parametrize("cut", [0, 1])
def test_a_key_file_half_written_says_truly_whether_a_pin_opens_it(
    town: Town, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    van, written = town.laptop("sari"), list[Path]()

    def dying(path: Path, data: bytes) -> None:
        if len(written) == cut:
            raise Killed
        written.append(path)
        write_atomically(path, data)

    monkeypatch.setattr("field_client.vault.keyfile.write_atomically", dying)
    with pytest.raises(Killed):
        van.keys.shred()
    assert van.keys.names() == ["sari"]
    van.keys.unlock("sari", PASSPHRASE, town.time.at)


def test_without_an_escrow_nothing_is_ordered(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    van = town.laptop("sari")
    monkeypatch.setattr(Door, "escrow", lambda door, log: b"")
    refused("device.no_escrow", lost, town, van)
    with town.central.registry.read() as door:
        assert door.orders(van.house.store.log().id) == []
    monkeypatch.undo()
    other = town.laptop("rusli")
    lost(town, other)
    other.keys._write(msgspec.structs.replace(other.keys._read(), escrow=None))
    refused("escrow.none", other.sync)
    assert alarms(town, other) == ("no_escrow",)
    assert other.keys.names() == ["rusli"]


def test_an_order_for_another_laptop_does_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    van, other = town.laptop("sari"), town.laptop("rusli")
    lost(town, other)
    reception = town.central.reception
    with town.central.registry.read() as door:
        theirs = door.log(other.house.store.log().id)
        assert theirs is not None
        token = reception._order(theirs, door.orders(theirs.id)[0])
    with town.central.registry.write() as door:
        door.order(van.house.store.log().id, "active", 0)
    monkeypatch.setattr(reception, "_order", lambda *_: token)
    refused("sync.forged_reply", van.sync)
    assert van.keys.names() == ["sari"]


def test_a_copy_of_its_disk_that_no_new_log_is_opened_for_locks_itself_too(town: Town) -> None:
    van = town.laptop("sari")
    copy = van.clone()
    taken(town, van, "father")
    van.sync()
    taken(town, copy, "mother")
    lost(town, van)
    refused("vault.shredded", copy.sync)
    assert copy.keys.is_shredded
    assert len(town.cases("fork")) == 1, "what it brought is kept"
