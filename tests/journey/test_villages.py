"""A laptop's villages change, and so does a request's: with real vaults and a real central."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from field_client.vault.store import Store
from models.words import WIT
from sync.state import Case
from tests.requests import row
from tests.town import Laptop, Town
from tests.vaults import refused
from tests.village import PLACE

OTHER = "82.72.03.2001"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


def enrolment(town: Town, laptop: Laptop, ref: str, **more: Any) -> bytes:
    asked = row(town.village, "ktp-new-enrolment", town.person("first_timer"), ref=ref)
    (taken,) = laptop.take(asked)
    if more:
        laptop.edit(taken.record, **more)
    return taken.record


def scope(town: Town, laptop: Laptop, *villages: str, until: int | None = None) -> None:
    town.central.devices.scope(town.staff["ratna"], laptop.name, villages, until)


def listed(laptop: Laptop) -> set[bytes]:
    return {line.record for line in laptop.house.store.requests.newest()}


def remembered(store: Store, record: bytes) -> list[str]:
    """Tables in which something central told of this request is left."""
    tables = {"records": "id", "places": "record", "requests": "record", "drafts": "record"}
    found = [
        table for table, column in tables.items()
        if store.engine.one(f"select 1 from {table} where {column} = ?", record)
    ]  # fmt: skip
    read = store.engine.read("select data from cases")
    cases = [msgspec.msgpack.decode(data, type=Case) for (data,) in read]
    here = {line.record for line in store.requests.newest()}
    return found + ["cases" for c in cases if {c.record, *c.others} <= {record, b""} - here]


def test_a_lent_village_comes_whole_and_goes_on_its_day(town: Town) -> None:
    van, far = town.laptop("sari"), town.laptop("rusli", villages=(OTHER,))
    there = enrolment(town, far, "a", address__village=OTHER)
    mine = enrolment(town, van, "b")
    far.sync()
    van.sync()
    assert listed(van) == {mine}
    day = datetime.fromtimestamp(town.time.at, WIT).date() + timedelta(days=2)
    end = int(datetime.combine(day, time(), WIT).timestamp())
    scope(town, van, OTHER, until=end)
    van.sync()
    assert listed(van) == {mine, there}
    assert van.answer(there, "address.village") == OTHER
    assert van.house.store.sight().fills == []
    van.edit(there, applicant__phone="+6281200000002")  # still offline when the loan ends
    town.time.at = end
    van.sync()
    assert listed(van) == {mine}
    assert remembered(van.house.store, there) == []
    assert town.sheet(there).answers["applicant.phone"] == "+6281200000002"
    assert van.house.store.standing().entries.get("", 0) == 0
    assert van.sync().round_trips == 1
    assert town.is_whole()


def test_a_request_that_moves_away_leaves_the_old_village_alone(town: Town) -> None:
    van, old = town.laptop("sari"), town.laptop("rusli")
    new = town.laptop("sari", "laptop baru", villages=(OTHER,))
    record = enrolment(town, van, "a")
    for laptop in (van, old, new):
        laptop.sync()
    assert (listed(old), listed(new)) == ({record}, set())
    van.edit(record, address__village=OTHER)
    for laptop in (van, old, new):
        laptop.sync()
    assert remembered(old.house.store, record) == []
    assert listed(van) == {record}, "own requests stay"
    mine, theirs = (one.house.store.requests.picture(record) for one in (van, new))
    assert mine is not None
    assert theirs is not None
    assert theirs.snapshot == mine.snapshot
    new.edit(record, applicant__phone="+6281200000007")
    assert new.sync().outcomes == {"applied": 1}
    assert town.is_whole()


def test_only_a_keeper_gives_villages_and_only_such_as_exist(town: Town) -> None:
    van = town.laptop("sari")
    devices = town.central.devices
    refused("auth.forbidden", devices.scope, town.staff["nurlaila"], van.name, [OTHER])
    refused("region.unknown", devices.scope, town.staff["ratna"], van.name, ["82.72.99.9999"])
    refused("device.until", devices.scope, town.staff["ratna"], van.name, [OTHER], 5)
    refused("device.unknown", devices.scope, town.staff["ratna"], "van 99", [OTHER])
    scope(town, van, PLACE, OTHER)
    scope(town, van, PLACE)
    van.sync()
    assert van.house.store.sight().scope == 3
