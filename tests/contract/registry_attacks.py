"""More of what a register withstands from a laptop whose key is good and whose program is not:
files, names and numbers that no form has. Run like registry_contract."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest

from models.changes import (
    Attached,
    Body,
    Hole,
    OperatorEntry,
    decode_body,
    decode_change,
    encode,
    raw,
    record_of,
)
from sync.intake import may_announce
from sync.state import Opened
from tests.contract.registry_home import (
    CENTRAL,
    FREE,
    NOW,
    Home,
    create,
    created,
    edit,
)
from tests.contract.registry_hostile import clone_of, put, replaced, said

HUGE = (1 << 64) - 1
LONG = "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(250))
NAME = hashlib.shake_256(b"name").digest(20_000)
"""Long, and no database makes them shorter."""


def stands(home: Home, van: Any) -> None:
    """Whatever the laptop sent is stored, and it goes on working."""
    assert home.send(van).log.seq == van.last
    record = create(van, 4711)
    assert home.send(van).log.seq == van.last
    assert home.record(record) is not None


@pytest.mark.parametrize(
    "file",
    [
        Attached("documents", b"b" * 32, HUGE),
        Attached("documents", b"b" * 32, -(1 << 63)),
        Attached("documents", b"b" * 32, 100, page=HUGE, pages=HUGE),
        Attached("documents", b"", 100),
        Attached("documents", NAME, 100, preview=NAME[1:]),
        Attached("a\0b", b"b" * 32, 100, kind="\0"),
        Attached(LONG, b"b" * 32, 100, kind=LONG),
    ],
    ids=["huge", "negative", "page", "nameless", "long-name", "nul", "long-unit"],
)
def test_a_file_that_cannot_be_stops_nothing(home: Home, file: Attached) -> None:
    van = home.laptop()
    record = create(van)
    van.append([van.change("edit", Body(attach=[file]), record)])
    stands(home, van)


@pytest.mark.parametrize("name", ["\0", LONG, "a\0" + LONG], ids=["nul", "long", "both"])
def test_a_name_that_no_form_has_stops_nothing(home: Home, name: str) -> None:
    van, village = home.laptop(), home.laptop()
    record = create(van)
    home.send(van)
    for laptop, value in ((van, "satu"), (village, "dua")):
        edit(laptop, record, 0, {name: value, FREE: value})
        laptop.append([laptop.change("edit", Body(add={"documents": [name]}), record)])
        laptop.append([laptop.change("edit", Body(reasons={name: name}, reason=name), record)])
        laptop.append(
            [laptop.change("edit", Body(action=name, move=(name, name), reason=name), record)]
        )
        stands(home, laptop)


@pytest.mark.parametrize("name", ["edition", "i", "n"])
@pytest.mark.parametrize("number", [-(1 << 63), HUGE])
def test_numbers_of_the_envelope_of_any_size_are_judged(home: Home, name: str, number: int) -> None:
    van = home.laptop()
    put(van, encode(replaced(created(van), **{name: number})))
    stands(home, van)


@pytest.mark.parametrize("origin", [(b"", HUGE, b""), (b"l" * 16, -1, b"h" * 9), (NAME, 0, b"")])
def test_an_origin_that_cannot_be_stops_nothing(
    home: Home, origin: tuple[bytes, int, bytes]
) -> None:
    van = home.laptop()
    put(van, encode(replaced(created(van), record=b"R" * 16, origin=origin)))
    stands(home, van)


@pytest.mark.parametrize("block", [HUGE, 1 << 31, -1])
def test_a_block_of_codes_that_cannot_be_stops_nothing(home: Home, block: int) -> None:
    """It is looked up in the register before anything is judged."""
    van = home.laptop()
    change = created(van)
    body = msgspec.structs.replace(decode_body(change.body), block=block)
    origin = (b"l" * 16, 3, b"h" * 8)
    put(van, encode(replaced(change, record=b"R" * 16, origin=origin, body=raw(body))))
    stands(home, van)
    found = home.record(b"R" * 16)
    assert found is not None
    assert found.code is None


@pytest.mark.parametrize(
    "hole",
    [
        Hole(-(1 << 63), HUGE, b"h" * 32, "a\0b"),
        Hole(HUGE, HUGE, b"", LONG),
        Hole(1, 1, NAME, "\0"),
    ],
    ids=["wide", "far", "head"],
)
def test_a_hole_that_cannot_be_stops_nothing(home: Home, hole: Hole) -> None:
    van = home.laptop()
    put(van, encode(van.change("hole", hole)))
    stands(home, van)


@pytest.mark.parametrize(
    "person",
    [
        OperatorEntry(b"", "", b"k" * 32),
        OperatorEntry(NAME, "Sari", b"k" * 32),
        OperatorEntry(b"o" * 16, "a\0" + LONG, b"k" * 32, "\0"),
        OperatorEntry(b"o" * 16, "Sari", NAME),
    ],
    ids=["nobody", "long-id", "words", "long-key"],
)
def test_an_operator_that_cannot_be_is_refused(home: Home, person: OperatorEntry) -> None:
    """Their names and keys are loaded with every sync of the log: they cannot be of any length."""
    van = home.laptop()
    van.append([van.change("operator", person)])
    seq = van.last
    stands(home, van)
    assert said(home, van, seq) == ("refused", "change.malformed")
    with home.registry.read() as door:
        log = door.log(van.log)
    assert log is not None
    assert set(log.operators) == {van.operator}


def test_a_log_has_no_more_operators_than_an_office_has_people(home: Home) -> None:
    """Who was removed takes up no place: a forgotten PIN makes somebody new of a colleague."""
    van = home.laptop()

    def announce(n: int, key: bytes) -> None:
        van.append([van.change("operator", OperatorEntry(n.to_bytes(16, "big"), "A", key))])

    for n in range(120):
        announce(n, b"k" * 32)
    for gone, come in ((0, 200), (1, 201)):
        announce(gone, b"")
        announce(come, b"k" * 32)
    stands(home, van)
    with home.registry.read() as door:
        log = door.log(van.log)
    assert log is not None
    assert len([key for key in log.operators.values() if key]) == 100
    assert log.operators[(201).to_bytes(16, "big")]
    ever = {n.to_bytes(16, "big"): b"" for n in range(1000)}
    assert not may_announce(ever, OperatorEntry(b"o" * 16, "A", b"k" * 32))


def test_a_key_twice_in_a_body_is_one_value_everywhere(home: Home) -> None:
    """Msgpack allows it. All that judge read the same one, and it is the one that is shown."""
    van = home.laptop()
    record = create(van)
    home.send(van)
    pair = encode(FREE) + encode("+628111") + encode(FREE) + encode("+628222")
    body = b"\x81" + encode("set") + b"\x82" + pair
    change = van.change("edit", Body(), record)
    put(van, encode(replaced(change, body=msgspec.Raw(body), seen=home.seq)))
    stands(home, van)
    found = home.record(record)
    assert found is not None
    assert found.units[FREE].value == "+628222"


def test_a_flood_of_branches_is_a_few_orders_and_cases(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.ledger.FORKS_MAX", 3)
    van = home.laptop()
    create(van, 1)
    home.send(van)
    upto = van.last
    for number in range(2, 8):
        twin = clone_of(van, upto)
        create(twin, number)
        home.ledger.store(van.log, home.batch(twin, upto + 1), NOW)
    with home.registry.read() as door:
        assert len(door.forks(van.log)) == 5, "the first of them was the log itself"
        assert door.orders(van.log) == [(1, "rotate", 3), (2, "rotate", 3), (3, "rotate", 0)]
        assert len(door.results(CENTRAL, 1, 99)) == 3


def test_a_flood_of_holes_is_a_few_cases_until_somebody_closes_one(home: Home) -> None:
    """Also of a laptop that was reported lost: whatever it brings is taken in."""
    van = home.laptop()
    home.send(van)

    def flood(count: int) -> int:
        """Declare so many; gives how many cases came of it."""
        before, first = home.seq, van.last + 1
        for _ in range(count):
            van.append([van.change("hole", Hole(1, 1, b"h" * 32, "hujan"))])
        home.send(van, first)
        effects = [e for decision in home.pulled(van, before) for e in decision.effects]
        return len([e for e in effects if isinstance(e, Opened)])

    assert flood(30) == 20
    assert flood(3) == 0


def test_what_depends_on_a_refusal_that_was_closed_is_one_case(home: Home) -> None:
    van = home.laptop()
    van.append([msgspec.structs.replace(created(van), session=1)])
    change = decode_change(van.entries[-1].data)
    record = record_of(van.log, van.last, change, van.entries[-1].data)
    home.send(van)

    def flood(count: int) -> set[bytes]:
        """Write to that request so many times; gives the cases that this came under."""
        first = van.last + 1
        for _ in range(count):
            edit(van, record, units={FREE: "+628120000"})
        home.send(van, first)
        with home.registry.read() as door:
            return {result.case for _, result in door.results(van.log, first, van.last)}

    (case,) = flood(2)
    home.resolve(case, "noted")
    (after,) = flood(3) | flood(2)
    assert after != case
    assert len(home.case(after).parked) == 5


def test_a_flood_of_refused_changes_is_one_case_until_somebody_closes_it(home: Home) -> None:
    van = home.laptop()
    home.send(van)

    def flood(count: int) -> set[bytes]:
        """Send so many that are malformed; gives the cases that they came under."""
        first = van.last + 1
        for _ in range(count):
            van.append([van.change("edit", 5, b"r" * 16)])
        home.send(van, first)
        with home.registry.read() as door:
            found = [result for _, result in door.results(van.log, first, van.last)]
        assert {result.problem for result in found} == {"change.malformed"}
        return {result.case for result in found}

    (case,) = flood(5) | flood(3)
    other = msgspec.structs.replace(created(van), session=1)
    van.append([other])
    home.send(van, van.last)
    with home.registry.read() as door:
        ((_, result),) = door.results(van.log, van.last, van.last)
    assert (result.problem, result.case == case) == ("session.unknown", False)
    home.resolve(case, "noted")
    (again,) = flood(2)
    assert again != case
