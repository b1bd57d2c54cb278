"""Deciding a case: what a person's choice does to the requests and to the changes that waited.

A choice is itself a change in central's own log. It is stale, and refused so that it is shown
again, when the case moved after what the person had on the screen. Where the disputed unit is
protected, a second person approves what the first proposed, or lets it drop.

A decided dispute that somebody wants undone is opened anew, with all that was offered and what
stood before: what was decided stays decided, and written, until people decide again.
"""

from __future__ import annotations

from typing import Any

import msgspec

from models import lifecycle
from models.changes import Change, Choice, decode
from sync.judge import Judge, Refusal, Wait, author_of, is_over, judge_change
from sync.known import LogState, Result, envelope
from sync.logs import Entry
from sync.merge import Author
from sync.state import STATUS_UNIT, Case, Closed, Held, Linked, Moved, Offer, Proposed, Write, Wrote

TAKES: dict[str, tuple[str, ...]] = {
    "dispute": ("current", "offer", "value"),
    "duplicate": ("link", "separate"),
    "after-lost": ("release", "discard"),
    "fork": ("noted",),
    "restore": ("noted",),
    "escalated": ("noted",),
    "identity": ("noted",),
    "hole": ("noted",),
    "refused": ("noted",),
    "code": ("noted",),
}
"""What may be chosen for each kind of case."""


def resolve(judge: Judge, change: Change, author: Author) -> None:
    """Add the effects of one `resolve` entry, or raise Refusal."""
    choice = _choice(change)
    case = judge.case(choice.case)
    if case is None:
        raise Refusal("case.unknown")
    if (case.state == "closed") != (choice.step == "reopen") or case.changed > author.seen:
        raise Refusal("case.stale")
    if choice.step == "reopen":
        case = _reopen(judge, case)
    elif choice.step == "decline":
        _decline(judge, case, choice)
    elif choice.step == "propose":
        _propose(judge, case, choice)
    else:
        _decide(judge, case, _approved(case, choice))
    judge.settle(author.log, author.seq, Result("applied", case.record, case.id))


def _choice(change: Change) -> Choice:
    try:
        choice = decode(change.body, Choice)
    except msgspec.DecodeError:
        raise Refusal("change.malformed") from None
    if not choice.reason.strip():
        raise Refusal("case.reason")
    return choice


def _propose(judge: Judge, case: Case, choice: Choice) -> None:
    _fits(case, choice.take)
    judge.say(
        Proposed(
            case.id, choice.take, choice.value, choice.log, choice.seq, choice.reason, choice.by
        )
    )


def _decline(judge: Judge, case: Case, choice: Choice) -> None:
    """The second person does not agree: the case is open as before, and says why."""
    if case.state != "proposed" or case.proposal is None:
        raise Refusal("case.not_waiting")
    if case.proposal.by == choice.by:
        raise Refusal("lifecycle.same_person")
    judge.say(Proposed(case.id, "", None, b"", 0, choice.reason, choice.by))


def _reopen(judge: Judge, case: Case) -> Case:
    """A new case about the same unit; gives it. What was decided stands, and against it stand what
    stood before and everything that was offered."""
    record = judge.record(case.record)
    if case.kind != "dispute" or case.unit == STATUS_UNIT or record is None or is_over(record):
        raise Refusal("case.cannot_undo")
    standing = record.units.get(case.unit)
    sides: list[Write | Offer] = [*case.offers]
    if case.current is not None:
        sides.insert(0, case.current)
    sides = [one for one in sides if standing is None or one.value != standing.value]
    if case.unit in record.disputes or not sides:
        raise Refusal("case.cannot_undo")
    about: dict[str, Any] = {"unit": case.unit, "current": standing, "protected": case.protected}
    name = judge.open("dispute", case.record, **about, note=case.id.hex())
    for one in sides:
        judge.say(Held(case.record, case.unit, one.value, name, (one.log, one.seq)))
    fresh = judge.case(name)
    assert fresh is not None
    return fresh


def _approved(case: Case, choice: Choice) -> Choice:
    """The choice that counts: the proposal when this is its approval by somebody else."""
    if choice.step == "approve":
        proposal = case.proposal
        if case.state != "proposed" or proposal is None:
            raise Refusal("case.not_waiting")
        if proposal.by == choice.by:
            raise Refusal("lifecycle.same_person")
        return Choice(
            case.id,
            proposal.take,
            f"{proposal.reason}\n{choice.reason}",
            "approve",
            proposal.value,
            proposal.log,
            proposal.seq,
            f"{proposal.by} + {choice.by}",
        )
    if case.protected:
        raise Refusal("case.needs_second")
    return choice


def _fits(case: Case, take: str) -> None:
    if take not in TAKES[case.kind]:
        raise Refusal("case.choice")


def _decide(judge: Judge, case: Case, choice: Choice) -> None:
    _fits(case, choice.take)
    if choice.take == "release" and choice.log:
        return _settle_parked(judge, case, release=True, only=(choice.log, choice.seq))
    value = _decide_dispute(judge, case, choice) if case.kind == "dispute" else None
    _close(judge, case, choice, value)
    if case.kind == "dispute":
        _settle_offers(judge, case, choice, value)
    elif case.kind == "duplicate" and choice.take == "link":
        _link(judge, case, choice.value)
    elif case.parked:
        _settle_parked(judge, case, release=choice.take == "release")
    return None


def _close(judge: Judge, case: Case, choice: Choice, value: Any) -> None:
    # What a supervisor answers a colleague is between the two, as the question was.
    reason = "" if case.kind == "escalated" else choice.reason
    why = (choice.take, value, reason, choice.by)
    judge.say(Closed(case.id, case.record, case.unit, *why, case.others))


# -- disputes


def _decide_dispute(judge: Judge, case: Case, choice: Choice) -> Any:
    """Write the decided value, also when it is the one that stands: it is now a person's."""
    record = judge.record(case.record)
    assert record is not None
    standing = record.units.get(case.unit)
    if choice.take == "current":
        value = standing.value if standing is not None else None
    elif choice.take == "value":
        value = choice.value
    else:
        value = _offered(case, choice)
    if case.unit == STATUS_UNIT:
        return _decide_status(judge, case, choice, value)
    lost = standing if standing is not None and standing.value != value else None
    if value is not None:
        judge.say(Wrote(case.record, case.unit, value, lost))
    return value


def _offered(case: Case, choice: Choice) -> Any:
    for offer in case.offers:
        if (offer.log, offer.seq) == (choice.log, choice.seq):
            return offer.value
    raise Refusal("case.choice")


def _decide_status(judge: Judge, case: Case, choice: Choice, value: Any) -> Any:
    """An offered step is taken from where the request now is; keeping the status writes nothing."""
    record = judge.record(case.record)
    assert record is not None
    if choice.take == "current":
        return record.status
    try:
        action, target = value["action"], value["to"]
    except (TypeError, KeyError):
        raise Refusal("case.choice") from None
    if not lifecycle.known_status(target):
        raise Refusal("case.choice")
    judge.say(Moved(case.record, action, record.status, target, choice.reason))
    return target


def _settle_offers(judge: Judge, case: Case, choice: Choice, value: Any) -> None:
    record = judge.record(case.record)
    assert record is not None
    open_cases = [judge.case(c) for c in record.disputes.values()]
    for offer in case.offers:
        state = _state_of(case, choice, offer.value, value, (offer.log, offer.seq))
        before = judge.result((offer.log, offer.seq))
        if before is not None and before.state in ("applied", "merged"):
            continue  # it stood before a decision was undone; its entry never waited
        if before is not None and before.part and before.part != state:
            state = "amended"
        still = [
            c
            for c in open_cases
            if c and any((o.log, o.seq) == (offer.log, offer.seq) for o in c.offers)
        ]
        if still:
            result = Result("held", case.record, still[0].id, part=state)
        else:
            result = Result(state, case.record, case.id)
        judge.settle(offer.log, offer.seq, result)


def _state_of(case: Case, choice: Choice, offered: Any, value: Any, key: tuple[bytes, int]) -> str:
    if case.unit == STATUS_UNIT:
        return (
            "accepted" if choice.take == "offer" and (choice.log, choice.seq) == key else "rejected"
        )
    if offered == value:
        return "accepted"
    return "amended" if choice.take == "value" else "rejected"


# -- duplicates, and changes that waited as a whole


def _link(judge: Judge, case: Case, wanted: Any) -> None:
    """One request is kept, the earliest unless the person says which (its id in hexadecimal); the
    others are joined to it, reversibly."""
    names = sorted((case.record, *case.others), key=lambda n: _arrived(judge, n))
    chosen = [name for name in names if name.hex() == wanted]
    if wanted is not None and not chosen:
        raise Refusal("case.choice")
    kept = _root(judge, chosen[0] if chosen else names[0])
    for name in (n for n in names if n != kept):
        record = judge.record(name)
        if record is None or is_over(record):
            continue
        judge.say(Linked(name, kept))
        judge.say(Moved(name, "join", record.status, "merged", case.id.hex()))


def _root(judge: Judge, name: bytes) -> bytes:
    """The request that stands for this one: what was joined to another is not joined to again."""
    passed: set[bytes] = set()
    record = judge.record(name)
    while record is not None and record.kept and name not in passed:
        passed.add(name)
        name = record.kept
        record = judge.record(name)
    return name


def _arrived(judge: Judge, name: bytes) -> tuple[int, bytes]:
    record = judge.record(name)
    return (record.created if record is not None else 1 << 62, name)


def still_parked(case: Case, result: Result | None) -> bool:
    """Does an entry parked under this case wait for its decision yet? Each transaction may be
    released by itself before the case is closed."""
    return result is None or (result.state, result.case) == ("held", case.id)


def _settle_parked(
    judge: Judge, case: Case, *, release: bool, only: tuple[bytes, int] | None = None
) -> None:
    """Whoever made them has seen nothing that was decided after the case was opened, whatever the
    entries say: a number that was still to come then may have been given meanwhile. only: of one
    transaction, by its log and its first number; the case stays open then."""
    for log, seq, record in case.parked:
        entry = judge.known.entries.get((log, seq))
        change = envelope(entry) if entry is not None else None
        if not still_parked(case, judge.result((log, seq))):
            continue
        if only is not None and (change is None or (log, seq - change.i) != only):
            continue
        owner = judge.known.logs.get(log)
        if not release or entry is None or change is None or owner is None:
            judge.settle(log, seq, Result("rejected", record, case.id))
            continue
        if (log, seq) in judge.known.poisoned:
            raise Refusal("case.set_aside")
        _release(judge, case, entry, change, owner, record)


def _release(
    judge: Judge, case: Case, entry: Entry, change: Change, owner: LogState, record: bytes
) -> None:
    """Judge one parked entry as its own log's."""
    seq = entry.seq
    mine, judge.log = judge.log, owner
    try:
        author = author_of(judge.known, owner, seq, seq, change, case.opened - 1)
        judge_change(judge, entry, change, author)
    except (Refusal, Wait) as stop:
        code = getattr(stop, "code", "change.waiting")
        judge.settle(owner.id, seq, Result("rejected", record, case.id, code))
    finally:
        judge.log = mine
    done = judge.result((owner.id, seq))
    if done is not None and done.state in ("applied", "merged"):
        judge.settle(owner.id, seq, Result("accepted", done.record, case.id))
