"""Pull: what of central's decisions one laptop is told.

A laptop's scope is its own requests and its villages. Of a decision it gets the effects on those
requests, and the outcomes of its own entries wherever they were; nothing else leaves central.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import msgspec

from sync.known import Result, facts
from sync.messages import Told
from sync.state import (
    Closed,
    Created,
    Decision,
    Effect,
    Linked,
    Opened,
    Outcome,
    Parked,
    Proposed,
    State,
    Wrote,
)

Visible = Callable[[bytes], bool]
"""Is this record in the laptop's scope?"""


def for_laptop(
    decision: Decision, visible: Visible, own_logs: Collection[bytes]
) -> Decision | None:
    """The part of `decision` that the laptop with these logs may see, or None for nothing."""
    seen = (_effect(e, visible, own_logs) for e in decision.effects)
    effects = tuple(e for e in seen if e is not None)
    return msgspec.structs.replace(decision, effects=effects) if effects else None


def _effect(effect: Effect, visible: Visible, own_logs: Collection[bytes]) -> Effect | None:
    match effect:
        case Outcome(log=log):
            return effect if log in own_logs else None
        case Parked(log=log):
            return effect if log in own_logs else None
        case Proposed():
            return None
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
    """Code of the village a new request belongs to for ever, by the answers it was created with,
    so that it never leaves a laptop's scope by an edit. Empty for people of elsewhere and for forms
    that cannot be read here."""
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
