"""Law 6: however a log is split into batches and volumes, in whatever order and however often they
come, what is decided is the same."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from models.changes import Body
from server.ledger import Ledger
from sync.messages import Batch
from sync.state import Created, Decision, Wrote
from tests.office import FREE, GROUP, NOW, PROTECTED, Office


def written() -> Office:
    """An office with a laptop whose work nobody has seen: its session, requests, edits of them."""
    office = Office(laptops=1)
    (laptop,) = office.laptops
    records = [office.create(laptop, number) for number in (1, 2, 3)]
    for i, record in enumerate((*records, *records)):
        office.edit(laptop, record, Body(set={FREE: f"+62812000000{i:02}"}))
    return office


WHOLE = written()
ENTRIES = WHOLE.laptops[0].entries
LAST = len(ENTRIES)


def batch(first: int, last: int) -> Batch:
    laptop = WHOLE.laptops[0]
    prev = laptop.head_at(first - 1) or b""
    data = [entry.data for entry in ENTRIES[first - 1 : last]]
    return Batch(first, prev[:8], ENTRIES[last - 1].head[:8], data)


def decided(office: Office) -> list[Decision]:
    """Everything central decided, in order, without the hour."""
    rows = office.registry.tables["decisions"]
    found = [msgspec.msgpack.decode(rows[number][0], type=Decision) for number in sorted(rows)]
    return [msgspec.structs.replace(decision, at=0) for decision in found]


def after(batches: list[tuple[int, int]]) -> Office:
    """A fresh office that these batches of the log came to."""
    office = written()
    ledger: Ledger = office.ledger
    for i, (first, last) in enumerate(batches):
        ledger.store(office.laptops[0].log, batch(first, last), NOW + i)
    return office


@st.composite
def deliveries(draw: st.DrawFn) -> list[tuple[int, int]]:
    """The log cut into pieces, on one or two roads that cut otherwise, shuffled, some twice."""
    pieces: list[tuple[int, int]] = []
    for _ in range(draw(st.integers(1, 2))):
        ends = sorted(draw(st.sets(st.integers(1, LAST - 1)))) + [LAST]
        pieces += list(zip([1, *(end + 1 for end in ends)], ends, strict=False))
    again = draw(st.lists(st.sampled_from(pieces), max_size=4))
    return draw(st.permutations([*pieces, *again]))


EXPECTED = decided(after([(1, LAST)]))


@settings(max_examples=150, deadline=None)
@given(deliveries())
def test_any_split_in_any_order_decides_the_same(pieces: list[tuple[int, int]]) -> None:
    office = after(pieces)
    assert decided(office) == EXPECTED
    with office.registry.read() as door:
        log = door.log(office.laptops[0].log)
        assert log is not None
        assert (log.seq, log.head) == (LAST, ENTRIES[-1].head)
        assert [result.state for _, result in door.results(log.id, 1, LAST)] == ["applied"] * LAST


def test_there_is_something_to_decide() -> None:
    effects = [effect for decision in EXPECTED for effect in decision.effects]
    assert len(EXPECTED) == LAST == 11
    assert sum(isinstance(effect, Created) for effect in effects) == 3
    assert {e.unit for e in effects if isinstance(e, Wrote)} >= {FREE, GROUP, PROTECTED}
