"""A laptop that does not have what central told it finds out, and reads that village again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from field_client.doctor import examine
from field_client.vault.sums import REPAIRS_IN_A_ROW, Repairs, weigh
from server.database.registry import Door
from sync.messages import OWN
from sync.state import Record
from tests.requests import row
from tests.town import Laptop, Town
from tests.village import PLACE

OTHER = "82.72.03.2001"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


def letter(town: Town, laptop: Laptop, part: str, village: str) -> bytes:
    """A request of somebody of the story, sent."""
    asked = row(town.village, "village-domicile-letter", town.person(part), ref=part)
    asked["answers"]["address"]["village"] = village
    (taken,) = laptop.take(asked)
    laptop.sync()
    return taken.record


def lose(laptop: Laptop, record: bytes, *, alter: bool = False) -> None:
    """As if a page had not been written, or other bytes than central sent."""
    with laptop.house.store.engine.writing() as connection:
        if alter:
            found = laptop.house.store.requests.picture(record)
            assert found is not None
            assert found.snapshot is not None
            phone = found.snapshot.units["applicant.phone"]
            wrong = msgspec.structs.replace(phone, value="+6281299999999")
            found.snapshot.units["applicant.phone"] = wrong
            data = msgspec.msgpack.encode(found.snapshot)
            connection.execute("update records set data = ? where id = ?", (data, record))
        else:
            connection.execute("delete from records where id = ?", (record,))
        weigh(connection, [record])


def snapshots(laptop: Laptop) -> dict[bytes, Record]:
    found = laptop.house.store.engine.read("select data from records")
    records = [msgspec.msgpack.decode(data, type=Record) for (data,) in found]
    return {record.id: record for record in records}


def repaired(town: Town) -> list[list[str]]:
    with town.central.registry.read() as door:
        assert isinstance(door, Door)
        trail = door.trail(limit=1000)
    return [
        msgspec.json.decode(one.detail)["cells"] for one in trail if one.action == "cell.repair"
    ]


def checked(laptop: Laptop) -> bool:
    """What doctor says of the cells."""
    return next(check.ok for check in examine(laptop.house) if check.name == "cells")


def test_what_was_lost_or_altered_is_read_again_and_nothing_else(town: Town) -> None:
    van = town.laptop("sari", villages=(PLACE, OTHER))
    here, there = (town.laptop("rusli", f"laptop {v}", (v,)) for v in (PLACE, OTHER))
    mine = letter(town, van, "father", PLACE)
    one, two = letter(town, here, "mother", PLACE), letter(town, here, "son", PLACE)
    other = letter(town, there, "old_man", OTHER)
    van.sync()
    before = snapshots(van)
    assert set(before) == {mine, one, two, other}
    assert van.sync().round_trips == 1
    assert repaired(town) == []

    lose(van, one)
    lose(van, two, alter=True)
    assert checked(van)  # by itself it cannot know
    report = van.sync()
    assert snapshots(van) == before
    assert report.round_trips == 2
    assert repaired(town) == [[PLACE]]
    assert van.sync().round_trips == 1
    told = van.house.store.recall(Repairs)
    assert told is not None
    assert [repair.cell for repair in told.done] == [PLACE]

    lose(van, mine)
    lose(van, other, alter=True)
    van.sync()
    assert snapshots(van) == before
    assert {cell for cells in repaired(town)[1:] for cell in cells} >= {OWN, OTHER}
    assert van.sync().round_trips == 1
    assert checked(van)
    assert town.is_whole()


def test_what_central_never_told_is_taken_out(town: Town) -> None:
    """A row too many: a request of another village that stayed behind under this one."""
    van, there = town.laptop("sari"), town.laptop("rusli", villages=(OTHER,))
    mine, other = letter(town, van, "father", PLACE), letter(town, there, "old_man", OTHER)
    van.sync()
    stray = msgspec.msgpack.encode(snapshots(there)[other])
    with van.house.store.engine.writing() as connection:
        connection.execute("insert into records (id, data) values (?, ?)", (other, stray))
        connection.execute("insert into places (record, cell) values (?, ?)", (other, PLACE))
        weigh(connection, [other])
    van.sync()
    assert set(snapshots(van)) == {mine}
    assert repaired(town) == [[PLACE]]
    assert van.sync().round_trips == 1


def test_a_village_that_repairs_do_not_mend_is_left_to_people(town: Town) -> None:
    """A program that reckons otherwise than central's would read it again for ever."""
    van = town.laptop("sari")
    letter(town, van, "father", PLACE)
    for _ in range(REPAIRS_IN_A_ROW + 2):
        with van.house.store.engine.writing() as connection:
            connection.execute("update sums set total = ? where cell = ?", (b"x" * 16, PLACE))
        assert van.sync().round_trips <= 3
    assert repaired(town) == [[PLACE]] * REPAIRS_IN_A_ROW
    assert not checked(van)
