"""Effort: statements do not multiply with the work, and none reads a whole table that grows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from models.changes import Body
from server.database.people import Session
from server.database.registry import Registry
from server.database.tables import Table
from tests.contract.registry_home import (
    FREE,
    NOW,
    PROTECTED,
    VILLAGE,
    Home,
    create,
    database_home,
    edit,
)

SMALL = {"counters", "devices", "people"}
"""A row a city, a laptop, a person: read whole without harm."""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = database_home(f"sqlite:///{(tmp_path / 'central.db').as_posix()}")
    yield made
    registry_of(made).close()


def registry_of(home: Home) -> Registry:
    assert isinstance(home.registry, Registry)
    return home.registry


@contextmanager
def overheard(registry: Registry) -> Iterator[list[tuple[str, Any]]]:
    """Every statement with its parameters (the first ones where there are many)."""
    heard: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, ___: Any, many: bool) -> None:
        heard.append((statement, parameters[0] if many else parameters))

    event.listen(registry.database.engine, "before_cursor_execute", note)
    yield heard
    event.remove(registry.database.engine, "before_cursor_execute", note)


def nik(laptop: int, n: int) -> str:
    return f"827203{1 + n % 28:02}01{50 + laptop:02}{1 + n:04}"


def statements_for(home: Home, requests: int) -> int:
    van = home.laptop()
    for n in range(requests):
        create(van, n + 1, nik(van.number, n))
    home.send(van, 1, 2)
    with overheard(registry_of(home)) as heard:
        stored = home.send(van, 3)
    assert [result.state for _, result in stored.results] == ["applied"] * requests
    return len(heard)


def test_a_day_of_work_takes_as_many_statements_as_one_request(home: Home) -> None:
    few, many = statements_for(home, 1), statements_for(home, 120)
    assert many <= few + 2
    assert many <= 40


def test_a_second_day_takes_no_more_than_the_first(home: Home) -> None:
    assert statements_for(home, 60) == statements_for(home, 60)


def test_edits_of_many_requests_take_few_statements(home: Home) -> None:
    van = home.laptop()
    records = [create(van, n + 1, nik(1, n)) for n in range(100)]
    home.send(van)
    for record in records:
        edit(van, record, home.seq, {FREE: "+6281299900001"})
    with overheard(registry_of(home)) as heard:
        home.send(van, 103)
    assert set(home.states(van)) == {"applied"}
    assert len(heard) <= 40


def test_nothing_new_costs_the_same_after_any_history(home: Home) -> None:
    van, neighbour = home.laptop(), home.laptop()
    create(van)
    home.send(van)
    counts = []
    for _ in range(2):
        with overheard(registry_of(home)) as heard, home.registry.read() as door:
            scope = door.scope(van.device)
            assert door.pull(scope, home_seq(door), 1 << 20)[0] == []
        counts.append(len(heard))
        for n in range(100):
            create(neighbour, n + 2, nik(9, n))
        home.send(neighbour)
    assert counts[0] == counts[1] <= 8


def home_seq(door: Any) -> int:
    found: int = door.standing().server_seq
    return found


def test_no_statement_reads_a_table_that_grows_from_end_to_end(home: Home) -> None:
    """Everything that happens daily, explained by SQLite itself."""
    registry = registry_of(home)
    with overheard(registry) as heard:
        van, village = home.laptop(), home.laptop()
        one, two = create(van, 1, nik(1, 1)), create(village, 1, nik(1, 1))
        edit(village, b"?" * 16, units={FREE: "+6281299900001"})
        for laptop in (van, village):
            home.send(laptop)
        seen = home.seq
        edit(van, one, seen, {PROTECTED: {"name": "SATU"}})
        edit(village, one, seen, {PROTECTED: {"name": "DUA"}})
        create(van, 2, nik(1, 3))
        home.send(van, 5)
        home.send(van, 4, 4)
        home.send(village)
        home.resolve(cases(home, "duplicate"), "separate")
        home.write("edit", two, Body(action="take", move=("received", "in_verification")))
        look(home, van.device, van.log, one)
    plans = {statement: plan_of(registry, *asked) for asked in heard for statement in asked[:1]}
    assert len(plans) > 60
    slow = [s for s, lines in plans.items() if any(map(reads_everything, lines))]
    # The one list without any filter goes along its index and ends where its page ends.
    page = re.compile(r"FROM records WHERE records\.city = \? ORDER BY .* LIMIT \? OFFSET \?$")
    assert [s for s in slow if not page.search(" ".join(s.split()))] == []


def test_lost_files_are_found_without_reading_the_others(home: Home) -> None:
    registry = registry_of(home)
    with overheard(registry) as heard, registry.read() as door:
        assert door.lost_blobs() == []
    plans = [line for asked in heard for line in plan_of(registry, *asked)]
    assert any("ix_blobs_lost" in line for line in plans), plans


def reads_everything(line: str) -> bool:
    """Does this line of a plan read a growing table whole, or all of a city's rows in it?"""
    words = line.split()
    growing = len(words) > 1 and words[1] in set(Table.metadata.tables) - SMALL
    return growing and (words[0] == "SCAN" or line.endswith("(city=?)"))


def cases(home: Home, kind: str) -> bytes:
    with registry_of(home).read() as door:
        (case,) = door.cases(kind=kind)
    return case.id


def look(home: Home, device: bytes, log: bytes, record: bytes) -> None:
    """What is asked at the office's screens and at a sync."""
    registry = registry_of(home)
    with registry.write() as door:
        door.audit("nur", "request.read", record.hex(), {}, NOW)
        door.heard(log, NOW, "x", NOW, 0)
        door.keep_session(Session(b"t" * 32, "nur", NOW)) if door.person("nur") else None
        door.drop_session(b"t" * 32)
        door.drop_old_sessions(NOW)
        door.drop_confirmation(record)
    with registry.read() as door:
        first = door.requests(limit=1)[0]
        for more in ({}, {"status": "received"}, {"service": "birth"}, {"village": VILLAGE}):
            door.requests(**more)  # type: ignore[arg-type]
            door.requests(**more, after=first.id)  # type: ignore[arg-type]
        door.requests(text=nik(1, 1))
        door.requests(status=("received", "verified"), after=first.id)
        case = door.cases()[0]
        door.cases(kind="dispute", after=case.id)
        door.case_ids(case.id.hex()[:8])
        door.record_ids(record.hex()[:8])
        door.record_by_code(1, 1)
        door.request_line(record)
        door.record(record)
        door.history(record)
        door.entry(log, 1)
        door.moment(3)
        door.operators(log)
        door.logs(device)
        door.pull(door.scope(device), 0, 1 << 20)
        door.trail(target=record.hex())
        door.confirmation(record)
        door.session(b"t" * 32)


def plan_of(registry: Registry, statement: str, parameters: Any) -> list[str]:
    """How SQLite goes about a statement."""
    if not statement.lower().startswith(("select", "update", "delete", "insert")):
        return []
    with registry.database.reading() as session:
        rows = session.connection().exec_driver_sql(f"explain query plan {statement}", parameters)
        return [row[3] for row in rows]
