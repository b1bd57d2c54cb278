"""Pull: what of central's decisions one laptop is told.

A laptop's scope is its own requests and its villages. Of a decision it gets the effects on those
requests, and the outcomes of its own entries wherever they were; nothing else leaves central. Of a
request that left its villages an author hears that the own value waits or was replaced.

The requests of one village are a **cell**. A request that comes into a cell of the laptop is told
whole at the place where it came; of one that leaves, only that it left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import msgspec

from sync.known import Result, facts
from sync.messages import Told
from sync.state import (
    Agreed,
    Case,
    Closed,
    Created,
    Decision,
    Effect,
    Held,
    Ignored,
    Left,
    Linked,
    Moved,
    Opened,
    Outcome,
    Parked,
    Placed,
    Proposed,
    Record,
    State,
    Whole,
    Wrote,
    author,
)

Visible = Callable[[bytes], bool]
"""Is this record in the laptop's scope?"""

Before = Callable[[bytes, int], Whole | None]
"""A request as it stood before the decision with that number."""


def for_laptop(
    decision: Decision,
    visible: Visible,
    own_logs: Collection[bytes],
    villages: Collection[str] = (),
    before: Before | None = None,
    whole: Collection[str] | None = None,
) -> Decision | None:
    """The part of `decision` that the laptop with these logs and villages may see, or None for
    nothing. before: gives the requests that come into its villages by this decision. whole: those
    of its villages that are filled; by default all."""
    placed = arrivals(decision, visible, villages, whole) if before is not None else []
    arrived = [before(e.record, decision.server_seq) for e in placed] if before is not None else []
    seen: list[Effect | None] = [whole_for(w, visible, own_logs) for w in arrived if w is not None]
    seen += [_effect(e, decision, visible, own_logs, villages) for e in decision.effects]
    effects = tuple(e for e in seen if e is not None)
    return msgspec.structs.replace(decision, effects=effects) if effects else None


def arrivals(
    decision: Decision,
    visible: Visible,
    villages: Collection[str],
    whole: Collection[str] | None = None,
) -> list[Placed]:
    """Moves of requests from elsewhere into these villages. One that was in a village which is not
    whole on the laptop yet may come from elsewhere as well: no fill will bring it any more."""
    whole = villages if whole is None else whole
    placed = [e for e in decision.effects if type(e) is Placed]
    return [
        e for e in placed
        if e.village in villages and e.before not in whole and visible(e.record)
    ]  # fmt: skip


def whole_for(whole: Whole, visible: Visible, own_logs: Collection[bytes]) -> Whole:
    """What a laptop may see of a whole request: of its cases nothing about other requests, nobody
    else's parked work, and no proposal that nobody approved yet."""
    cases = (_case_for(case, visible, own_logs) for case in whole.cases)
    return msgspec.structs.replace(whole, cases=tuple(cases))


def _case_for(case: Case, visible: Visible, own_logs: Collection[bytes]) -> Case:
    return msgspec.structs.replace(
        case,
        others=tuple(name for name in case.others if visible(name)),
        parked=[one for one in case.parked if one[0] in own_logs],
        proposal=None,
        state="open",
    )


def whole_of(state: State, record: Record, village: str) -> Whole:
    """A request of `state` with its open cases."""
    names = sorted({*record.disputes.values(), *record.cases})
    return Whole(record, tuple(state.cases[name] for name in names if name in state.cases), village)


def whole_before(record: bytes, decisions: Iterable[Decision]) -> Whole | None:
    """A request as the fold of the decisions that concern it, which are given in order."""
    state, village = State(), ""
    for decision in decisions:
        state.fold(decision)
        for effect in decision.effects:
            if isinstance(effect, Created) and effect.record == record:
                village = village_of(effect, decision)
            elif isinstance(effect, Placed) and effect.record == record:
                village = effect.village
    found = state.records.get(record)
    return whole_of(state, found, village) if found is not None else None


def _effect(
    effect: Effect,
    decision: Decision,
    visible: Visible,
    own_logs: Collection[bytes],
    villages: Collection[str],
) -> Effect | None:
    match effect:
        case Outcome(log=log) | Parked(log=log):  # the most frequent kinds are asked for first
            return effect if log in own_logs else None
        case Created() | Moved() | Agreed() | Ignored() | Wrote(lost=None):
            pass
        case Placed(record=record, village=village, before=before) if not visible(record):
            touched = village in villages or before in villages
            return Left(record) if touched else None
        case Whole() | Left():
            return None
        case Proposed():
            return None
        case Held(record=record) if not visible(record):
            return effect if author(effect, decision)[0] in own_logs else None
        case Wrote(record=record, lost=lost) if lost is not None and not visible(record):
            # Its author hears that it was replaced, not by what.
            ours = lost.log in own_logs
            return msgspec.structs.replace(effect, value=None) if ours else None
        case Linked(kept=kept) if visible(kept):
            return effect
        case Opened(others=others) | Closed(others=others) if others:
            mine = tuple(o for o in others if visible(o))
            if not visible(effect.record):
                # The request it was opened at is not named; one of the laptop's own stands for it.
                if not mine:
                    return None
                return msgspec.structs.replace(effect, record=mine[0], others=mine[1:])
            return msgspec.structs.replace(effect, others=mine)
    return effect if effect.record and visible(effect.record) else None


def village_of(created: Created, decision: Decision) -> str:
    """Code of the village a new request belongs to, by the answers it was created with, until it is
    `Placed` elsewhere. Empty for people of elsewhere and for forms that cannot be read here."""
    state = State()
    for effect in decision.effects:
        if isinstance(effect, Created | Wrote) and effect.record == created.record:
            state.apply(effect, decision)
    return facts(state.records[created.record]).village


def runs(results: Iterable[tuple[int, Result]]) -> list[Told]:
    """Outcomes of consecutive entries, equal neighbours told once."""
    told: list[Told] = []
    for seq, result in results:
        problem = result.problem or result.part
        new = Told(seq, seq, result.state, result.case, problem)
        last = told[-1] if told else None
        if last is not None and last.last == seq - 1 and _same(last, new):
            told[-1] = msgspec.structs.replace(last, last=seq)
        else:
            told.append(new)
    return told


def _same(a: Told, b: Told) -> bool:
    return (a.state, a.case, a.problem) == (b.state, b.case, b.problem)
