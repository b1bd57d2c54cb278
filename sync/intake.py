"""Intake: central takes verified entries of a log and decides each transaction whole.

Stored, decided and waiting are three separate facts. Stored is the gap-free prefix of a log.
Decided: the transaction has an outcome and effects. Waiting: it was passed over, because its form,
its kind or the request it speaks of is not here yet, or because judging it ended the process three
times; only what speaks of the same request waits with it.

`take` is pure: the same `Known` and the same entries give the same decisions. Signatures and chain
are checked before (sync.seal, `accept`); the caller holds the lock, commits, and only then speaks.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from models.changes import (
    KINDS,
    TRANSACTION_BYTES_MAX,
    TRANSACTION_CHANGES_MAX,
    Change,
    Hole,
    Incident,
    OperatorEntry,
    Session,
    decode,
    record_of,
)
from models.ids import ID_BYTES
from sync.cases import resolve
from sync.identity import verifies
from sync.judge import Judge, Refusal, Wait, author_of, escalate, judge_change, park, suspect
from sync.known import Known, LogState, Result, envelope
from sync.logs import Entry, chain, hole_in, reaches, session_message
from sync.state import Created, Decision, Opened

OPERATORS_MAX = 100
"""People of one laptop at a time. Who forgets a PIN comes back as somebody new, in their place."""

OPERATORS_EVER_MAX = 1000
"""The same, with those who were removed: they are loaded with every sync of the log."""

HOLES_OPEN_MAX = 20
"""Cases of holes that are open at a time about one log, whatever became of its laptop."""

STUCK = ""
"""In place of a problem's code: what depends on a request that was refused, and is decided."""

Transaction = list[tuple[Entry, Change | None]]


class Accepted(msgspec.Struct):
    """What a batch brings to a log.

    fresh: entries that continue the stored prefix. again: entries stored already, by number. late:
    entries that a hole declared lost, found after all; their chain holds from the left.
    ahead: entries beyond a gap. missing: the gap (first, last), or None. fork: entries from the
    first number whose bytes differ from what is stored. broken: the chain does not fit.
    """

    fresh: list[Entry] = []
    again: list[Entry] = []
    late: list[Entry] = []
    ahead: list[Entry] = []
    fork: list[Entry] = []
    missing: tuple[int, int] | None = None
    broken: bool = False


def accept(
    log: LogState, first: int, prev: bytes, entries: list[bytes], stored: dict[int, Entry]
) -> Accepted:
    """Sort the entries of one signed batch by what the log holds already.

    first: number of the first entry; prev: first bytes of the chain value before it. stored: the
    stored entries in the batch's range, and the one before it or before what it declares lost
    (number 0 stands for the opening).
    """
    result = Accepted()
    if first < 1:
        result.broken = True
        return result
    if first > log.seq + 1 and not _jumps(log, first, entries):
        result.ahead = anchored(first, prev, entries)
        result.missing = (log.seq + 1, first - 1)
        return result
    hole = hole_in(entries[0]) if entries and first > log.seq else None
    if hole is not None and not _goes_on(log, first, prev, hole, stored):
        result.fork = list(chain(log.id, first, hole.head, entries))
        return result
    head = _head_before(log, first, entries, stored)
    if head is None or (not head.startswith(prev) and hole_in(entries[0]) is None):
        result.broken = True
        return result
    for entry in chain(log.id, first, head, entries):
        known = stored.get(entry.seq)
        if result.fork or (known is not None and known.digest != entry.digest):
            result.fork.append(entry)
        elif known is not None:
            result.again.append(entry)
        elif entry.seq <= log.seq:
            result.late.append(entry)
        else:
            result.fresh.append(entry)
    return result


def anchored(first: int, prev: bytes, entries: list[bytes]) -> list[Entry]:
    """Entries beyond a gap. In place of its chain value, which nobody knows yet, each says what it
    follows: the first the chain value before it (its first bytes), others the entry before them."""
    found: list[Entry] = []
    for seq, data in enumerate(entries, first):
        found.append(Entry(seq, data, found[-1].digest if found else prev))
    return found


def follows(entry: Entry, before: Entry) -> bool:
    """Does an entry that was kept beyond a gap go on after this stored one? Of two laptops that
    wrote on one log, each has its own."""
    return entry.head == before.digest or before.head.startswith(entry.head)


def _jumps(log: LogState, first: int, entries: list[bytes]) -> bool:
    """Does the batch begin with a signed hole that reaches over the gap, and no further? Central
    may hold more than the laptop knew when it declared it."""
    hole = hole_in(entries[0]) if entries else None
    return hole is not None and reaches(hole, log.seq + 1, first)


def _goes_on(log: LogState, first: int, prev: bytes, hole: Hole, stored: dict[int, Entry]) -> bool:
    """Does a hole at entry `first` go on from what is stored? A copy of the laptop may have written
    that, also in the place of what the hole declares lost."""
    if first == log.seq + 1:
        return hole.last != log.seq or hole.head == log.head
    if hole.first == log.seq + 1:
        return log.head.startswith(prev)
    before = stored.get(hole.first - 1)
    return before is None or before.head.startswith(prev)


def _head_before(
    log: LogState, first: int, entries: list[bytes], stored: dict[int, Entry]
) -> bytes | None:
    """Chain value before entry `first`. A hole says it itself where it reaches over the gap, or did
    so before: its number is stored, or was declared lost by a later hole."""
    if first == log.seq + 1:
        return log.head
    if first - 1 in stored:
        return stored[first - 1].head
    hole = hole_in(entries[0]) if entries else None
    return hole.head if hole is not None and hole.last == first - 1 else None


def whole(entries: list[Entry]) -> list[Transaction]:
    """Group entries into transactions; an unfinished one at the end is left out.

    An entry whose place does not fit, or that no transaction can have, stands alone (and is
    refused), so that no log ever stops.
    """
    groups: list[Transaction] = []
    current: Transaction = []
    for entry in entries:
        change = envelope(entry)
        place = (change.i, change.n) if change is not None else (0, 1)
        if current and place != (len(current), _length(current)):
            groups += [[pair] for pair in current]
            current = []
        if not current and (place[0] != 0 or place[1] > TRANSACTION_CHANGES_MAX):
            groups.append([(entry, change)])
            continue
        current.append((entry, change))
        if len(current) >= _length(current):
            groups.append(current)
            current = []
    return groups


def _length(transaction: Transaction) -> int:
    change = transaction[0][1]
    return change.n if change is not None else 1


def take(
    known: Known,
    log: LogState,
    entries: list[Entry],
    at: int,
    actor: str = "",
    wakes: bool = True,
) -> list[Decision]:
    """Decide every whole transaction in `entries` (fresh, chained, in order) and store the prefix.

    `known` and `log` are folded on; `known.results` tells the outcome of every entry. at: central's
    clock in Unix seconds, a label only. wakes: judge also what waited for what they created.
    """
    decisions: list[Decision] = []
    for transaction in whole(entries):
        last = transaction[-1][0]
        decision = _take_one(known, log, transaction, at, actor)
        log.seq, log.head = last.seq, last.head
        if decision is not None:
            decisions.append(decision)
            decisions += wake(known, decision, at) if wakes else []
    return decisions


def _take_one(
    known: Known, log: LogState, transaction: Transaction, at: int, actor: str
) -> Decision | None:
    first = transaction[0][0].seq
    judge = Judge(known, log, first, len(transaction), at, actor)
    try:
        _judge(judge, transaction)
    except Wait as wait:
        _let_wait(known, log, transaction, wait.record)
        return None
    except Refusal as refusal:
        judge = Judge(known, log, first, len(transaction), at, actor)
        _refuse(judge, transaction, refusal.code)
    decision = judge.finish()
    _remember(known, log, judge, transaction)
    return decision


def _remember(known: Known, log: LogState, judge: Judge, transaction: Transaction) -> None:
    """Facts for the next transactions: cases about the log, requests that never came,
    what was made again (another copy of it may have waited for the same request)."""
    for effect in judge.effects:
        if isinstance(effect, Opened) and effect.kind == "after-lost":
            log.case = effect.case
        if isinstance(effect, Opened) and effect.kind == "refused":
            log.refused = log.refused | {effect.note: effect.case}
    for entry, change in transaction:
        result = judge.results[log.id, entry.seq]
        origin = change.origin if change is not None else None
        if origin is not None and origin not in known.made and result.state != "refused":
            known.remade.add(origin)
        if change is None or change.kind != "create" or result.record in known.state.records:
            continue
        if result.state in ("refused", "held"):
            known.stuck[result.record] = result.case


def _let_wait(known: Known, log: LogState, transaction: Transaction, record: bytes) -> None:
    """Pass a transaction over. Everything that speaks of its requests will wait behind it."""
    for entry, change in transaction:
        name = record_of(log.id, entry.seq, change, entry.data) if change is not None else b""
        key = (log.id, entry.seq)
        known.results[key] = Result("waiting", name or record)
        known.entries[key] = entry
        # Of no request, as far as this central can tell: it waits for the next one, by its log.
        for waited in {name, record} - {b""} or {log.id}:
            queue = known.waiting.setdefault(waited, [])
            if key not in queue:
                queue.append(key)


def _refuse(judge: Judge, transaction: Transaction, code: str) -> None:
    """Refused whole. At a laptop's change a case makes sure that somebody looks at it: one for all
    of the log that is refused for the same until somebody closes it."""
    case = b""
    if not judge.log.central:
        case = _still_open(judge, judge.log.refused.get(code, b""))
        case = case or judge.open("refused", note=code)
    for entry, change in transaction:
        name = b""
        if change is not None:
            name = record_of(judge.log.id, entry.seq, change, entry.data)
        judge.settle(judge.log.id, entry.seq, Result("refused", name, case, code))


def _judge(judge: Judge, transaction: Transaction) -> None:
    known, log = judge.known, judge.log
    if len(transaction) > TRANSACTION_CHANGES_MAX:
        raise Refusal("change.too_large")
    if sum(len(entry.data) for entry, _ in transaction) > TRANSACTION_BYTES_MAX:
        raise Refusal("change.too_large")
    bad = [pair for pair in transaction if (log.id, pair[0].seq) in known.poisoned]
    if bad and not all(c is not None and _again(judge, entry, c) for entry, c in transaction):
        raise Wait
    first = transaction[0][0].seq
    parked = b""
    for entry, change in transaction:
        if change is None or (change.i, change.n) != (entry.seq - first, len(transaction)):
            raise Refusal("change.malformed")
        if change.kind not in KINDS:
            raise Wait(change.record)
        parked = _judge_entry(judge, entry, change, first, parked)


def _judge_entry(judge: Judge, entry: Entry, change: Change, first: int, parked: bytes) -> bytes:
    """Judge one entry; gives the case under which the transaction is parked, or empty."""
    log = judge.log
    author = author_of(judge.known, log, first, entry.seq, change)
    name = record_of(log.id, entry.seq, change, entry.data)
    match change.kind:
        case "operator" | "session" | "hole":
            _judge_own(judge, entry, change)
            return parked
        case "resolve" | "incident":
            if not log.central:
                raise Refusal("change.unauthorised")
            if change.kind == "resolve":
                resolve(judge, change, author)
            else:
                _incident(judge, entry, change)
            return parked
    _authorise(judge, entry.seq, change)
    if len(name) != ID_BYTES:
        raise Refusal("change.malformed")
    if _again(judge, entry, change):
        judge.settle(log.id, entry.seq, Result("merged", name))
        return parked
    if _waits(judge, log, name, first):
        raise Wait(name)
    if log.limit is not None and entry.seq > log.limit:
        case = parked or _still_open(judge, log.case)
        return park(judge, "after-lost", case, entry, name, str(log.limit))
    stuck = None if change.kind == "create" else _stuck(judge, name)
    if parked or stuck is not None:
        case = parked or stuck or _still_open(judge, log.refused.get(STUCK, b""))
        return park(judge, "refused", case, entry, name, STUCK)
    judge_change(judge, entry, change, author)
    return b""


def _again(judge: Judge, entry: Entry, change: Change) -> bool:
    """Is the same change decided here already, as another entry?"""
    mine = (judge.log.id, entry.seq, entry.digest[:8])
    known = judge.known
    return change.origin in known.made or bool({mine, change.origin} & known.remade)


def _waits(judge: Judge, log: LogState, name: bytes, first: int) -> bool:
    """Does an entry from before `first` about the same request wait? Then this one waits behind."""
    queue = judge.known.waiting.get(name, [])
    return any(by == log.id and seq < first for by, seq in queue)


def _stuck(judge: Judge, name: bytes) -> bytes | None:
    """None for a request that exists or may still come. For one whose creation was refused or
    parked: the open case to join, or empty when that case is closed by now."""
    if judge.record(name) is not None or name not in judge.known.stuck:
        return None
    case = judge.case(judge.known.stuck[name])
    return case.id if case is not None and case.state != "closed" else b""


def _still_open(judge: Judge, name: bytes) -> bytes:
    """The case if somebody still has to decide it: what comes later is not decided with it."""
    case = judge.case(name)
    return name if case is not None and case.state != "closed" else b""


def _authorise(judge: Judge, seq: int, change: Change) -> None:
    """A laptop's change needs a session that an operator of this log opened, and a grant it has.
    Nobody works on in a session from before they were removed; what they did until then stands."""
    log = judge.log
    if log.central:
        return
    if change.session not in log.sessions:
        raise Refusal("session.unknown")
    if seq > log.removed.get(log.sessions[change.session], seq):
        raise Refusal("session.removed")
    if change.grant > log.grant:
        raise Refusal("change.unauthorised")


def _judge_own(judge: Judge, entry: Entry, change: Change) -> None:
    """Entries about the log itself: its operators, its sessions, its holes. Each stands alone, so
    that nothing of it stays when a transaction is refused."""
    log = judge.log
    if change.n != 1:
        raise Refusal("change.malformed")
    try:
        match change.kind:
            case "operator":
                person = decode(change.body, OperatorEntry)
                if not may_announce(log.operators, person):
                    raise Refusal("change.unauthorised")
                log.operators = log.operators | {person.operator: person.key}
                if not person.key:
                    log.removed = {person.operator: entry.seq} | log.removed
            case "session":
                session = decode(change.body, Session)
                if not log.operators.get(session.operator):
                    raise Refusal("session.unknown")
                if (log.id, entry.seq) in judge.known.forged:
                    raise Refusal("session.signature")
                log.sessions = log.sessions | {entry.seq: session.operator}
            case _:
                hole = decode(change.body, Hole)
                lost = f"log {log.id.hex()} entries {hole.first}-{hole.last}: {hole.reason}"
                _open_hole(judge, lost[:500])
    except msgspec.DecodeError:
        raise Refusal("change.malformed") from None
    judge.settle(log.id, entry.seq, Result("applied"))


def _open_hole(judge: Judge, note: str) -> None:
    """A case of its own. Where so many about this log wait for people already, they are enough: a
    laptop could declare thousands, also one that was reported lost."""
    log = judge.log
    for place in (f"hole {n}" for n in range(HOLES_OPEN_MAX)):
        if not _still_open(judge, log.refused.get(place, b"")):
            log.refused = log.refused | {place: judge.open("hole", note=note)}
            return


def may_announce(operators: dict[bytes, bytes], person: OperatorEntry) -> bool:
    """An operator keeps the key they came with, and once removed stays so: who signed a session is
    not changed by a later entry. A log has so many and no more."""
    if person.operator not in operators:
        there = sum(bool(key) for key in operators.values())
        if there >= OPERATORS_MAX or len(operators) >= OPERATORS_EVER_MAX:
            return False
    return not person.key or operators.get(person.operator, person.key) == person.key


def _incident(judge: Judge, entry: Entry, change: Change) -> None:
    """Central itself noticed something (a fork, two requests of one person): a case for people."""
    try:
        incident = decode(change.body, Incident)
    except msgspec.DecodeError:
        raise Refusal("change.malformed") from None
    if incident.kind in ("duplicate", "identity"):
        case = suspect(judge, incident.records, incident.note, incident.kind)
    elif incident.kind == "escalated":
        case = escalate(judge, incident.records)
    else:
        case = judge.open(incident.kind, note=incident.note)
    judge.settle(judge.log.id, entry.seq, Result("applied", case=case))


def forged_sessions(log: LogState, entries: list[Entry]) -> set[tuple[bytes, int]]:
    """Session entries among `entries` (fresh, in order) that no operator of the log signed."""
    operators = dict(log.operators)
    forged: set[tuple[bytes, int]] = set()
    head = log.head
    for entry in entries:
        change = envelope(entry)
        try:
            if change is not None and change.kind == "operator":
                person = decode(change.body, OperatorEntry)
                if change.n == 1 and may_announce(operators, person):
                    operators[person.operator] = person.key
            elif change is not None and change.kind == "session":
                session = decode(change.body, Session)
                message = session_message(log.id, entry.seq, head, session.operator)
                if not verifies(operators.get(session.operator, b""), message, session.signature):
                    forged.add((log.id, entry.seq))
        except msgspec.DecodeError:
            forged.add((log.id, entry.seq))
        head = entry.head
    return forged


# -- what waits


def wake(known: Known, decision: Decision, at: int) -> list[Decision]:
    """Judge again what waited for a request that `decision` created."""
    done: list[Decision] = []
    for effect in decision.effects:
        if isinstance(effect, Created):
            done += retry(known, known.waiting.get(effect.record, []), at)
    return done


def retry(
    known: Known, keys: Iterable[tuple[bytes, int]], at: int, wakes: bool = True
) -> list[Decision]:
    """Judge waiting entries again, in the order of each log; what still waits, waits on. wakes:
    with what waited for what they create."""
    done: list[Decision] = []
    for log_name, seq in sorted(keys):
        log = known.logs.get(log_name)
        entry = known.entries.get((log_name, seq))
        result = known.results.get((log_name, seq))
        if log is None or entry is None or result is None or result.state != "waiting":
            continue
        transaction = _transaction_at(known, log_name, seq)
        if not transaction:
            continue
        _forget(known, log_name, transaction)
        decision = _take_one(known, log, transaction, at, "")
        if decision is not None:
            done.append(decision)
            known.made.update((log.id, entry.seq, entry.digest[:8]) for entry, _ in transaction)
            done += wake(known, decision, at) if wakes else []
    return done


def _transaction_at(known: Known, log: bytes, seq: int) -> Transaction:
    """The whole waiting transaction that entry `seq` belongs to."""
    change = envelope(known.entries[log, seq])
    if change is None or not 0 <= change.i < change.n <= TRANSACTION_CHANGES_MAX:
        return []
    numbers = range(seq - change.i, seq - change.i + change.n)
    entries = [known.entries.get((log, number)) for number in numbers]
    return [(e, envelope(e)) for e in entries if e is not None] if all(entries) else []


def _forget(known: Known, log: bytes, transaction: Transaction) -> None:
    keys = {(log, entry.seq) for entry, _ in transaction}
    for name, queue in list(known.waiting.items()):
        left = [key for key in queue if key not in keys]
        if left:
            known.waiting[name] = left
        else:
            del known.waiting[name]
