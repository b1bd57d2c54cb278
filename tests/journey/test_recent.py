"""Somebody asks in the van for what was asked in the village last week; there is no signal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from field_client.queue import Queue
from sync.recent import DAY_SECONDS, EPOCH_SECONDS
from tests.requests import row
from tests.town import Laptop, Town

OTHER = "82.72.03.2001"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


def letter(town: Town, part: str, **more: Any) -> dict[str, Any]:
    return row(town.village, "village-domicile-letter", town.person(part), ref=part) | more


def said(laptop: Laptop, asked: dict[str, Any]) -> list[tuple[str, str]]:
    """What the desk remarks on a form, without taking it in."""
    form = laptop.prepare(asked)
    assert form.ok, "a warning of this kind stops nobody"
    return [(one.code, one.words("id")) for one in form.checked.problems if not one.quiet]


def entries(laptop: Laptop) -> int:
    return int(laptop.house.store.engine.read("select count(*) from recents")[0][0])


def test_the_desk_hears_offline_that_the_same_was_asked_elsewhere(town: Town) -> None:
    van, there = town.laptop("sari", villages=(OTHER,)), town.laptop("rusli")
    (taken,) = there.take(letter(town, "father"))
    there.sync()
    van.sync()
    (warning,) = said(van, letter(town, "father"))
    assert warning[0] == "request.recent"
    assert "21-11-2026" in warning[1]
    assert "domisili" in warning[1].lower()
    office = there.house.desk.invitation().office_name
    assert office in warning[1]
    assert str(taken.code) not in warning[1]
    assert town.person("father").name not in warning[1]
    assert said(van, letter(town, "mother")) == []
    assert said(there, letter(town, "mother")) == [], "a laptop has its own requests themselves"
    assert entries(there) == 0
    other = row(town.village, "kk-reissue", town.person("father"), ref="kk")
    assert said(van, other) == [], "another service is another matter"

    line = msgspec.json.encode({k: v for k, v in letter(town, "father").items() if v is not None})
    (answer,) = Queue(van.house.desk).answers([line])
    assert answer.outcome == "queued"
    assert [(one.code, one.severity) for one in answer.problems] == [("request.recent", "passed")]
    assert van.sync().round_trips == 1
    assert entries(van) == 1, "the own one is not told"
    assert van.sync().round_trips == 1


def test_nothing_of_the_person_lies_on_the_other_laptop(town: Town) -> None:
    van, there = town.laptop("sari", villages=(OTHER,)), town.laptop("rusli")
    there.take(letter(town, "father"))
    there.sync()
    van.sync()
    assert entries(van) > 0
    person = town.person("father")
    engine = van.house.store.engine
    tables = [
        name for (name,) in engine.read("select name from sqlite_master where sql like '%TABLE%'")
    ]
    dump = b"".join(repr(engine.read(f"select * from {name}")).encode() for name in tables)
    assert b"laptop rusli" in dump
    assert len(tables) > 15
    assert person.nik.encode() not in dump
    assert person.name.encode().upper() not in dump.upper()


def test_it_forgets_after_its_days_and_has_a_new_key_each_month(town: Town) -> None:
    van, there = town.laptop("sari", villages=(OTHER,)), town.laptop("rusli")
    there.take(letter(town, "father"))
    there.sync()
    van.sync()
    before = {m for (m,) in van.house.store.engine.read("select mark from recents")}
    town.time.at += EPOCH_SECONDS
    van.sync()
    after = {m for (m,) in van.house.store.engine.read("select mark from recents")}
    assert len(after) == len(before) > 0
    assert not before & after
    assert [code for code, _ in said(van, letter(town, "father"))] == ["request.recent"]
    town.time.at += town.central.settings.recent_days * DAY_SECONDS
    van.sync()
    assert entries(van) == 0
    assert said(van, letter(town, "father")) == []
    with town.central.registry.write() as door:
        assert door.forget_recents(town.time.at) > 0


def test_a_lost_laptop_hears_nothing_more(town: Town) -> None:
    van, there = town.laptop("sari", villages=(OTHER,)), town.laptop("rusli")
    town.central.devices.lose(town.staff["ratna"], van.name, "hilang")
    there.take(letter(town, "father"))
    there.sync()
    van.sync()
    assert entries(van) == 0
