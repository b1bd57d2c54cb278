"""Digests of cells: equal for equal states in any order, different for whatever differs."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from models.changes import Choice
from sync.digest import face, total, weight
from sync.known import LogState
from sync.logs import opening_head
from sync.state import Created, Decision, Held, Moved, State, Wrote
from tests.contract.registry_home import (
    CENTRAL,
    CENTRAL_OPENING,
    FREE,
    PROTECTED,
    Home,
    create,
    edit,
)
from tests.simulation.memory import MemoryRegistry

CELL = b"82.72.03.2001"


@cache
def told() -> tuple[Decision, ...]:
    """A day of two laptops in one village, with a dispute, an agreement and a decision."""
    registry = MemoryRegistry()
    registry.add_log(LogState(CENTRAL, bytes(16), 0, opening_head(CENTRAL_OPENING), central=True))
    home = Home(registry, lambda log, _, villages: registry.add_log(log, villages))
    van, clerk = home.laptop(), home.laptop()
    names = [create(van, n, f"82720320099000{n:02}") for n in range(1, 5)]
    home.send(van)
    first = clerk.last
    for name in names[:2]:
        edit(clerk, name, home.seq, {FREE: "+6281200000001"})
        edit(van, name, 0, {PROTECTED: {"name": "LAIN"}})
        edit(clerk, name, 0, {PROTECTED: {"name": "BEDA"}})
    home.send(clerk)
    home.send(van, 7)
    assert first < clerk.last
    (case,) = home.record(names[0]).disputes.values()  # type: ignore[union-attr]
    home.resolve(case, "current", step="propose")
    home.write("resolve", b"", Choice(case, "", "benar", "approve", by="idham"))
    return tuple(home.told(van))


def summed(decisions: list[Decision]) -> tuple[bytes, State]:
    state = State()
    for decision in decisions:
        state.fold(decision)
    faces = (face(record, state.cases) for record in state.records.values())
    return total(weight(CELL, one) for one in faces), state


rows = st.integers(0, len(told()) - 1)


def differ(here: State, there: State) -> bool:
    """In what a laptop may see of requests as they stand now."""
    return here.records != there.records or open_offers(here) != open_offers(there)


def open_offers(state: State) -> dict[bytes, list[Any]]:
    """Of a closed case nothing is left in any request."""
    names = {n for r in state.records.values() for n in (*r.disputes.values(), *r.cases)}
    return {name: case.offers for name, case in state.cases.items() if name in names}


@given(row=rows)
def test_a_row_that_was_dropped_is_found(row: int) -> None:
    whole = list(told())
    (mine, here), (central, there) = summed(whole[:row] + whole[row + 1 :]), summed(whole)
    assert (mine != central) == differ(here, there)
    if any(isinstance(effect, Created) for effect in whole[row].effects):
        assert mine != central


@given(row=rows)
def test_a_row_told_twice_is_found_where_it_changes_anything(row: int) -> None:
    whole = list(told())
    (mine, here), (central, there) = summed([*whole[: row + 1], *whole[row:]]), summed(whole)
    assert (mine != central) == differ(here, there)


@given(row=rows, place=st.integers(0, 200), data=st.data())
def test_an_altered_row_is_found(row: int, place: int, data: st.DataObject) -> None:
    whole = list(told())
    old = whole[row]
    which = [i for i, e in enumerate(old.effects) if isinstance(e, Wrote | Held | Moved)]
    if not which:
        return
    i = which[place % len(which)]
    effect = old.effects[i]
    if isinstance(effect, Moved):
        changed: Any = msgspec.structs.replace(effect, target="issued")
    else:
        changed = msgspec.structs.replace(effect, value=data.draw(st.text(min_size=1, max_size=9)))
    effects = (*old.effects[:i], changed, *old.effects[i + 1 :])
    whole[row] = msgspec.structs.replace(old, effects=effects)
    (mine, here), (central, there) = summed(whole), summed(list(told()))
    assert (mine != central) == differ(here, there)


@given(order=st.permutations(range(4)))
def test_sums_know_no_order(order: list[int]) -> None:
    state = summed(list(told()))[1]
    faces = [face(record, state.cases) for record in state.records.values()]
    assert total(weight(CELL, faces[i]) for i in order) == total(weight(CELL, f) for f in faces)


def test_a_request_weighs_something_else_in_another_cell() -> None:
    """So one that is believed to be in the wrong village is found by the total as well."""
    state = summed(list(told()))[1]
    one = face(next(iter(state.records.values())), state.cases)
    assert weight(CELL, one) != weight(b"82.72.03.2002", one)
    assert weight(b"ab", b"c" * 32) != weight(b"a", b"bc" * 16)
