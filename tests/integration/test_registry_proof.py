"""A register that was altered behind its back says so, and says where."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from server.database.proof import Broken, Verified
from server.database.registry import Registry
from tests.blank import lay
from tests.contract.registry_home import (
    NOW,
    OTHER_VILLAGE,
    PROTECTED,
    Home,
    create,
    database_home,
    edit,
)
from tests.simulation.laptop import Laptop

NIK = "8272032009900001"


class Story:
    """A register with something of everything: requests, a dispute, a duplicate, a trail."""

    def __init__(self, url: str) -> None:
        self.home: Home = database_home(url)
        assert isinstance(self.home.registry, Registry)
        self.registry: Registry = self.home.registry
        van, village = self.home.laptop(), self.home.laptop()
        self.van: Laptop = van
        self.one, self.two = create(van, 1, NIK), create(village, 1, NIK)
        self.home.send(van)
        self.home.send(village)
        seen = self.home.seq
        edit(van, self.one, seen, {PROTECTED: {"name": "SATU"}})
        edit(village, self.one, seen, {PROTECTED: {"name": "DUA"}})
        self.home.send(van)
        self.home.send(village)
        with self.registry.write() as door:
            for n in range(5):
                door.audit("nur", "request.read", self.one.hex(), {"n": n}, NOW + n)

    def alter(self, statement: str, **values: Any) -> None:
        """Somebody with the keys to the database."""
        with self.registry.database.writing() as session:
            done = session.connection().execute(text(statement), values)
            assert done.rowcount == 1

    def verify(self) -> Verified:
        with self.registry.read() as door:
            return door.verify()


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    made = Story(f"sqlite:///{lay(tmp_path).as_posix()}")
    yield made
    made.registry.close()


def test_what_was_not_altered_holds(story: Story) -> None:
    found = story.verify()
    assert found.broken == ()
    assert (found.audit, found.logs, found.requests, found.cases) == (5, 3, 2, 2)
    assert (found.decisions, found.entries) == (8, 8)


@pytest.mark.postgres
def test_what_was_not_altered_holds_on_postgresql(postgres_url: str) -> None:
    story = Story(postgres_url)
    assert story.verify().broken == ()
    story.alter("update audit set actor = 'ida' where n = 3")
    assert story.verify().broken == (Broken("audit", 3),)
    story.registry.close()


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("update audit set detail = '{}' where n = 3", 3),
        ("update audit set at = at + 1 where n = 1", 1),
        ("update audit set target = '' where n = 5", 5),
        ("delete from audit where n = 2", 2),
        ("delete from audit where n = 5", 5),
        ("update audit set link = zeroblob(32) where n = 4", 4),
        ("update counters set audit_n = 4", 5),
    ],
)
def test_an_altered_trail_is_found(story: Story, statement: str, number: int) -> None:
    story.alter(statement)
    assert story.verify().broken == (Broken("audit", number),)


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("update decisions set head = zeroblob(32) where server_seq = 4", 4),
        ("update decisions set actor = 'ida' where server_seq = 4", 4),
        ("update decisions set at = 1 where server_seq = 2", 2),
        ("delete from decisions where server_seq = 3", 3),
        ("delete from decisions where server_seq = 8", 8),
        ("update counters set server_seq = 9", 9),
    ],
)
def test_an_altered_decision_is_found(story: Story, statement: str, number: int) -> None:
    story.alter(statement)
    assert story.verify().broken == (Broken("decisions", number),)


def test_one_changed_byte_of_a_decision_is_found(story: Story) -> None:
    with story.registry.database.engine.connect() as connection:
        whole = connection.execute(
            text("select data from decisions where server_seq = 6")
        ).scalar_one()
    for place in range(0, len(whole), 151):
        changed = bytearray(whole)
        changed[place] ^= 1
        story.alter("update decisions set data = :d where server_seq = 6", d=bytes(changed))
        assert story.verify().broken == (Broken("decisions", 6),)


def test_an_altered_entry_is_found_in_its_log(story: Story) -> None:
    log = story.van.log
    for number in (1, 3):
        data = bytearray(story.van.entries[number - 1].data)
        data[-1] ^= 1
        story.alter(
            "update entries set data = :d where log = :l and seq = :s",
            d=bytes(data), l=log, s=number,
        )  # fmt: skip
        assert story.verify().broken == (Broken("log", number, log),)
        data[-1] ^= 1
        story.alter(
            "update entries set data = :d where log = :l and seq = :s",
            d=bytes(data), l=log, s=number,
        )  # fmt: skip
    story.alter("delete from entries where log = :l and seq = 4", l=log)
    assert story.verify().broken == (Broken("log", 4, log),)


def test_an_altered_opening_is_found(story: Story) -> None:
    log = story.van.log
    story.alter("update logs set key = zeroblob(32) where id = :l", l=log)
    assert story.verify().broken == (Broken("log", 0, log),)


def test_an_altered_request_is_found(story: Story) -> None:
    with story.registry.read() as door:
        line = door.request_line(story.two)
        record = door.record(story.two)
    assert line is not None
    assert record is not None
    where = f"where id = x'{story.two.hex()}'"
    expected = (Broken("request", line.created, story.two),)
    for change, undo in (
        ("status = 'completed'", "status = 'received'"),
        (f"village = '{OTHER_VILLAGE}'", f"village = '{line.village}'"),
        ("nik = ''", f"nik = '{line.nik}'"),
    ):
        story.alter(f"update records set {change} {where}")
        assert story.verify().broken == expected, change
        story.alter(f"update records set {undo} {where}")
    record.units[PROTECTED] = msgspec.structs.replace(
        record.units[PROTECTED], value={"name": "ORANG LAIN"}
    )
    data = msgspec.msgpack.encode(record)
    story.alter(f"update records set data = :d {where}", d=data)
    assert story.verify().broken == expected
    story.alter(f"update records set data = x'00' {where}")
    assert story.verify().broken == expected
    story.alter(f"delete from records {where}")
    assert story.verify().broken == (Broken("request", 0),)


def test_an_altered_or_missing_case_is_found(story: Story) -> None:
    with story.registry.read() as door:
        case = door.cases(kind="dispute")[0]
    where = f"where id = x'{case.id.hex()}'"
    expected = (Broken("case", case.opened, case.id),)
    story.alter(f"update cases set state = 'closed' {where}")
    assert story.verify().broken == expected
    story.alter(f"delete from cases {where}")
    assert story.verify().broken == expected


def test_cities_do_not_see_each_other(story: Story, tmp_path: Path) -> None:
    url = f"sqlite:///{lay(tmp_path).as_posix()}"
    neighbour = database_home(url, "82.71")
    van = neighbour.laptop()
    record = create(van, 1, NIK)
    neighbour.send(van)
    assert neighbour.seq == 3
    assert neighbour.record(record) is not None
    assert neighbour.record(story.two) is None
    registry = neighbour.registry
    assert isinstance(registry, Registry)
    with registry.read() as door:
        found = door.verify()
        assert [(line.id, line.cases) for line in door.requests(text=NIK)] == [(record, 0)]
    assert (found.decisions, found.requests, found.broken) == (3, 1, ())
    assert story.verify().broken == ()
    registry.close()
