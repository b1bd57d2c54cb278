"""Effects, and the state that is their fold.

Central writes the effects of each decision beside it; what a request *is*, at central and on every
laptop, is nothing but these effects applied in the order of `server_seq`. There is one fold, used
by both houses, so they cannot come to different ends.

A set unit is kept element by element under `unit+element`, true while the element is in the set.
For a file the element is its name and the value says what it is, see sync.files.

Nothing here can hold itself, so the collector of cycles need not look (`gc=False`): where many
laptops are told of many decisions, looking took a tenth of the time.
"""

from __future__ import annotations

from typing import Any

import msgspec

OUTCOMES = (
    "waiting",
    "applied",
    "merged",
    "held",
    "refused",
    "accepted",
    "amended",
    "rejected",
)
"""What became of a change: waiting -> applied | merged | held | refused; held -> the last three."""

STATUS_UNIT = "status"
ELEMENT = "+"
REASON_PREFIX = "reason:"


class Write(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A value with its author: the log and number of the change, and when central decided it.

    also: (log, seq) of others who brought the same value later.
    """

    value: Any
    log: bytes
    seq: int
    server_seq: int = 0
    also: tuple[tuple[bytes, int], ...] = ()


class Created(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A request exists. code: (block, number) of its tracking code, or None after a collision.

    author: here and below the (log, seq) whose work this is, when a person at central let it
    through; None for the transaction of the decision itself.
    """

    record: bytes
    service: str
    edition: int
    device: bytes
    code: tuple[int, int] | None
    author: tuple[bytes, int] | None = None


class Wrote(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A unit has a new value. lost: what it replaced although its author had not seen it."""

    record: bytes
    unit: str
    value: Any
    lost: Write | None = None
    author: tuple[bytes, int] | None = None


class Moved(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A request went from one status to another by `action`."""

    record: bytes
    action: str
    source: str
    target: str
    reason: str = ""
    author: tuple[bytes, int] | None = None


class Held(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A value was offered for a unit and waits in `case`; nothing was written."""

    record: bytes
    unit: str
    value: Any
    case: bytes
    author: tuple[bytes, int] | None = None


class Agreed(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Another author brought the value that stands already: it is corroborated."""

    record: bytes
    unit: str
    author: tuple[bytes, int] | None = None


class Ignored(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A unit that a laptop may not set, or an element already gone: noted, nothing refused."""

    record: bytes
    unit: str
    why: str


class Opened(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A case for a person. unit is empty where the case is about whole requests or a laptop.

    current: the write that stands (dispute). others: the other records concerned (duplicate).
    """

    case: bytes
    kind: str
    record: bytes
    unit: str = ""
    current: Write | None = None
    others: tuple[bytes, ...] = ()
    protected: bool = False
    note: str = ""


class Parked(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A whole change waits under `case` (after-lost, or it depends on one that was refused)."""

    case: bytes
    log: bytes
    seq: int
    record: bytes


class Proposed(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """One person proposes how to close the case; a second one has to approve. Without a `take` the
    second person let the proposal drop, for this reason."""

    case: bytes
    take: str
    value: Any
    log: bytes
    seq: int
    reason: str
    by: str


class Closed(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """The case is decided: what was taken, the value, why and by whom. others: as in `Opened`."""

    case: bytes
    record: bytes
    unit: str
    take: str
    value: Any
    reason: str
    by: str
    others: tuple[bytes, ...] = ()


class Outcome(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """The outcome of entry (log, seq) is now `state`."""

    log: bytes
    seq: int
    state: str
    case: bytes = b""
    problem: str = ""


class Linked(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """`record` is the same matter as `kept`; reversible, both tracking codes stay valid."""

    record: bytes
    kept: bytes
    linked: bool = True


class Placed(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """The request belongs to another village from now on: its address changed. Empty for people of
    elsewhere. Laptops of the new village get it whole, those of the old one drop it."""

    record: bytes
    village: str
    before: str


class Whole(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A request as it stands before the effects that follow, told to a laptop that did not have it
    so far; never a part of what central stores. cell: its village. cases: its open ones."""

    state: Record
    cases: tuple[Case, ...]
    cell: str


class Left(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """A request is not this laptop's to see any more; told to laptops only."""

    record: bytes


Effect = (
    Created
    | Wrote
    | Moved
    | Held
    | Agreed
    | Ignored
    | Opened
    | Parked
    | Proposed
    | Closed
    | Outcome
    | Linked
    | Placed
    | Whole
    | Left
)


class Decision(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One decided transaction: entries first..first+n-1 of `log`, at central's `server_seq`.

    at: central's clock, Unix seconds. rules: edition of the rules that judged. actor: who, empty
    for a laptop's own change judged by the rules alone.
    """

    server_seq: int
    log: bytes
    first: int
    n: int
    at: int
    rules: int
    actor: str
    effects: tuple[Effect, ...]


class Record(msgspec.Struct, gc=False):
    """A request as the fold of its effects. verified: server_seq of its verification, 0 before.

    disputes: unit -> open case. cases: open cases about the whole request.
    """

    id: bytes
    service: str
    edition: int
    device: bytes
    log: bytes
    seq: int
    code: tuple[int, int] | None
    created: int
    status: str = "submitted"
    changed: int = 0
    verified: int = 0
    units: dict[str, Write] = {}
    disputes: dict[str, bytes] = {}
    cases: list[bytes] = []
    links: list[bytes] = []
    kept: bytes = b""


class Offer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one change would put into a disputed unit."""

    value: Any
    log: bytes
    seq: int
    server_seq: int


class Case(msgspec.Struct, gc=False):
    """A matter for a person, as the fold of its effects. state: "open", "proposed" or "closed"."""

    id: bytes
    kind: str
    record: bytes
    unit: str
    current: Write | None
    others: tuple[bytes, ...]
    protected: bool
    note: str
    opened: int
    state: str = "open"
    offers: list[Offer] = []
    parked: list[tuple[bytes, int, bytes]] = []
    proposal: Proposed | None = None
    closing: Closed | None = None
    changed: int = 0


class State(msgspec.Struct):
    """Records and cases by id: all, or just those somebody needs now."""

    records: dict[bytes, Record] = {}
    cases: dict[bytes, Case] = {}

    def fold(self, decision: Decision) -> None:
        """Apply every effect of one decision, in order. Effects on unknown records are skipped:
        a laptop holds only the records of its scope."""
        for effect in decision.effects:
            self.apply(effect, decision)

    def apply(self, effect: Effect, decision: Decision) -> None:
        """Apply one effect of `decision`."""
        _FOLDS[type(effect)](self, effect, decision)


def _created(state: State, e: Created, d: Decision) -> None:
    log, seq = author(e, d)
    state.records[e.record] = Record(
        e.record, e.service, e.edition, e.device, log, seq, e.code, d.server_seq
    )


def _wrote(state: State, e: Wrote, d: Decision) -> None:
    record = state.records.get(e.record)
    if record is not None:
        log, seq = author(e, d)
        record.units[e.unit] = Write(e.value, log, seq, d.server_seq)
        record.changed = d.server_seq


def author(e: Created | Wrote | Moved | Held | Agreed, d: Decision) -> tuple[bytes, int]:
    """The entry that did it: named in the effect, or the only one of the decision."""
    return e.author or (d.log, d.first)


def _moved(state: State, e: Moved, d: Decision) -> None:
    record = state.records.get(e.record)
    if record is None:
        return
    record.status = e.target
    record.changed = d.server_seq
    log, seq = author(e, d)
    record.units[STATUS_UNIT] = Write(e.target, log, seq, d.server_seq)
    if e.target == "verified":
        record.verified = d.server_seq
    elif e.action == "reopen":
        record.verified = 0


def _held(state: State, e: Held, d: Decision) -> None:
    case = state.cases.get(e.case)
    if case is not None:
        log, seq = author(e, d)
        case.offers = [*case.offers, Offer(e.value, log, seq, d.server_seq)]
        case.changed = d.server_seq


def _agreed(state: State, e: Agreed, d: Decision) -> None:
    record = state.records.get(e.record)
    write = record.units.get(e.unit) if record is not None else None
    if record is not None and write is not None:
        record.units[e.unit] = msgspec.structs.replace(write, also=(*write.also, author(e, d)))


def _opened(state: State, e: Opened, d: Decision) -> None:
    state.cases[e.case] = Case(
        e.case,
        e.kind,
        e.record,
        e.unit,
        e.current,
        e.others,
        e.protected,
        e.note,
        d.server_seq,
        changed=d.server_seq,
    )
    for name in (e.record, *e.others):
        record = state.records.get(name)
        if record is None:
            continue
        record.changed = d.server_seq
        if e.unit:
            record.disputes = {**record.disputes, e.unit: e.case}
        else:
            record.cases = [*(c for c in record.cases if c != e.case), e.case]


def _parked(state: State, e: Parked, d: Decision) -> None:
    case = state.cases.get(e.case)
    if case is not None:
        case.parked = [*case.parked, (e.log, e.seq, e.record)]
        case.changed = d.server_seq


def _proposed(state: State, e: Proposed, d: Decision) -> None:
    case = state.cases.get(e.case)
    if case is not None:
        case.state = "proposed" if e.take else "open"
        case.proposal, case.changed = e, d.server_seq


def _closed(state: State, e: Closed, d: Decision) -> None:
    case = state.cases.get(e.case)
    if case is not None:
        case.state, case.closing, case.changed = "closed", e, d.server_seq
    names = (e.record, *(case.others if case is not None else ()))
    for name in names:
        record = state.records.get(name)
        if record is None:
            continue
        record.changed = d.server_seq
        record.disputes = {u: c for u, c in record.disputes.items() if c != e.case}
        record.cases = [c for c in record.cases if c != e.case]


def _linked(state: State, e: Linked, d: Decision) -> None:
    record = state.records.get(e.record)
    if record is not None:
        record.kept = e.kept if e.linked else b""
        record.changed = d.server_seq
    kept = state.records.get(e.kept)
    if kept is not None:
        others = [x for x in kept.links if x != e.record]
        kept.links = [*others, e.record] if e.linked else others
        kept.changed = d.server_seq


def _whole(state: State, e: Whole, _: Decision) -> None:
    state.records[e.state.id] = copy_record(e.state)
    for case in e.cases:
        state.cases[case.id] = msgspec.structs.replace(case)


def _left(state: State, e: Left, _: Decision) -> None:
    state.records.pop(e.record, None)


def _nothing(state: State, e: Effect, d: Decision) -> None:
    """Outcomes and notes change no record; they are read from the decision itself."""


_FOLDS: dict[type, Any] = {
    Created: _created,
    Wrote: _wrote,
    Moved: _moved,
    Held: _held,
    Agreed: _agreed,
    Ignored: _nothing,
    Opened: _opened,
    Parked: _parked,
    Proposed: _proposed,
    Closed: _closed,
    Outcome: _nothing,
    Linked: _linked,
    Placed: _nothing,
    Whole: _whole,
    Left: _left,
}


def copy_record(record: Record) -> Record:
    """A copy that may be folded further without changing `record`."""
    twin = msgspec.structs.replace(record)
    twin.units = dict(record.units)
    return twin


def values(record: Record) -> dict[str, Any]:
    """unit -> value for the form: set elements gathered into sorted lists; status and the reasons
    for warnings are left out."""
    plain: dict[str, Any] = {}
    sets: dict[str, list[str]] = {}
    for unit, write in record.units.items():
        if unit == STATUS_UNIT or unit.startswith(REASON_PREFIX):
            continue
        if ELEMENT not in unit:
            plain[unit] = write.value
        elif write.value:
            name, _, element = unit.partition(ELEMENT)
            sets.setdefault(name, []).append(element)
    return plain | {name: sorted(elements) for name, elements in sets.items()}


def reasons(record: Record) -> dict[str, str]:
    """Field key -> why a warning on it may pass."""
    prefix = len(REASON_PREFIX)
    found = record.units.items()
    return {u[prefix:]: w.value for u, w in found if u.startswith(REASON_PREFIX)}
