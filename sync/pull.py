"""Pull: what of central's decisions one laptop is told.

A laptop's scope is its own requests and its villages. Of a decision it gets the effects on those
requests, and the outcomes of its own entries wherever they were; nothing else leaves central.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import msgspec

from sync.known import Result
from sync.messages import Told
from sync.state import Decision, Effect, Opened, Outcome, Parked, Proposed

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
        case Opened(others=others) if others:
            mine = tuple(o for o in others if visible(o))
            if not visible(effect.record) and not mine:
                return None
            return msgspec.structs.replace(effect, others=mine)
    return effect if effect.record and visible(effect.record) else None


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
