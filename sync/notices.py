"""Notices: what an author is told when something became of their work.

Every change that was held, overridden, decided or refused yields one (law: visibility). They are
derived from the decisions a laptop absorbs, so they arrive by every road and never twice.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

import msgspec

from models.questions import ASK
from sync.state import (
    REASON_PREFIX,
    Agreed,
    Closed,
    Created,
    Decision,
    Effect,
    Held,
    Moved,
    Opened,
    Outcome,
    Parked,
    State,
    Wrote,
    author,
)

BY_ITSELF = ("submit", "receive")
"""Steps that a request takes by arriving; nobody is told of them."""

Kind = Literal[
    "held",  # your value waits for a person at central
    "disputed",  # somebody offers another value for what you wrote; a person decides
    "overridden",  # a newer value replaced yours
    "replaced",  # yours replaced a value you had not seen
    "decided",  # a person decided a case you are part of
    "duplicate",  # the same matter was taken in elsewhere
    "status",  # central moved the request on, or returned it
    "refused",  # the change could not be valid; somebody at central looks at it
    "parked",  # the change waits for a person as a whole
    "restored",  # central was put back from a backup, and your change came out differently
    "asked",  # central asks something about your request; value: the question
]


class Notice(msgspec.Struct, frozen=True, array_like=True):
    """One message to an author. mine, value: own value and the one that stands or was decided.

    take: what was chosen (decided) or the lifecycle action (status). server_seq, at: of the
    decision, central's number and clock.
    """

    kind: Kind
    record: bytes
    unit: str
    mine: Any
    value: Any
    take: str
    reason: str
    by: str
    case: bytes
    server_seq: int
    at: int


def notices(decision: Decision, own_logs: Collection[bytes], state: State) -> list[Notice]:
    """What the authors behind `own_logs` are told of `decision`.

    state: after the decision was folded, so that closed cases still show their offers.
    """
    told = [e for e in decision.effects if not _is_silent(e)]
    found = (_notice(e, decision, own_logs, state) for e in told)
    return [notice for notice in found if notice is not None]


def _is_silent(e: Effect) -> bool:
    """Most effects, of which nobody is told anything: a quick look before `_notice`."""
    match e:
        case Wrote(lost=None, unit=unit):
            return not asks(unit)
        case Outcome(state=state):
            return state != "refused"
    return isinstance(e, Created | Agreed)


def _notice(e: Effect, d: Decision, own: Collection[bytes], state: State) -> Notice | None:
    def say(kind: Kind, mine: Any = None, value: Any = None, **more: Any) -> Notice:
        record = getattr(e, "record", b"")
        case = getattr(e, "case", b"")
        unit = getattr(e, "unit", "")
        facts = {"take": "", "reason": "", "by": "", **more}
        return Notice(
            kind, record, unit, mine, value, case=case, server_seq=d.server_seq, at=d.at, **facts
        )

    match e:
        case Held() if author(e, d)[0] in own:
            return say("held", e.value, _standing(state, e.record, e.unit))
        case Opened(kind="dispute", current=current) if current and current.log in own:
            return say("disputed", current.value) if d.log not in own else None
        case Opened(kind="duplicate"):
            return say("duplicate")
        case Wrote(unit=unit, value=text) if d.log not in own and asks(unit):
            asked = bool(text) and _ours(e, own, state)
            return say("asked", None, text, by=d.actor) if asked else None
        case Wrote(lost=lost) if lost is not None:
            if author(e, d)[0] in own:
                return say("replaced", e.value, lost.value)
            return say("overridden", lost.value, e.value) if _plain(d, lost.log, own) else None
        case Closed():
            return _closed(e, own, state, say)
        case Moved() if d.log not in own and e.action not in BY_ITSELF and _ours(e, own, state):
            return say("status", e.source, e.target, take=e.action, reason=e.reason, by=d.actor)
        case Outcome(state="refused") if e.log in own:
            return say("refused", reason=e.problem)
        case Parked() if e.log in own:
            return say("parked")
    return None


def _ours(e: Moved | Wrote, own: Collection[bytes], state: State) -> bool:
    """Did one of these logs take the request in, or write something that stands in it?"""
    record = state.records.get(e.record)
    if record is None:
        return False
    return record.log in own or any(write.log in own for write in record.units.values())


def _plain(d: Decision, log: bytes, own: Collection[bytes]) -> bool:
    """A value of ours replaced by merging; one replaced by deciding a case is told as decided."""
    return log in own and not any(isinstance(e, Closed) for e in d.effects)


def _standing(state: State, record: bytes, unit: str) -> Any:
    found = state.records.get(record)
    write = found.units.get(unit) if found is not None else None
    return write.value if write is not None else None


def asks(unit: str) -> bool:
    """Is this the unit of a question of central's? See `models.questions`."""
    return unit.startswith(REASON_PREFIX + ASK)


def _closed(e: Closed, own: Collection[bytes], state: State, say: Any) -> Notice | None:
    case = state.cases.get(e.case)
    if case is not None and case.kind == "escalated":
        return None  # between people at central
    mine = None
    if case is not None:
        offered = [o.value for o in case.offers if o.log in own]
        if case.current is not None and case.current.log in own:
            offered.append(case.current.value)
        mine = offered[0] if offered else None
    notice: Notice = say("decided", mine, e.value, take=e.take, reason=e.reason, by=e.by)
    return notice
