"""What central has to know to judge some entries, and how to find out what that is.

Reception loads a `Known` under the lock (many rows in few statements), the judge folds its
decisions into it, and what changed is written back. Nothing here reads anything by itself.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

import msgspec

from models.changes import (
    Body,
    Change,
    Choice,
    Incident,
    decode,
    decode_body,
    decode_change,
    encode,
    record_of,
)
from models.ids import BLOCKS, NUMBERS
from models.problems import Problem
from models.services import catalogue
from sync.logs import Entry
from sync.messages import Branch
from sync.state import Record, State, values

WORDS_MAX = 200
"""Letters of a fact that is searched by: no index takes any length, and a laptop may send it."""


class LogState(msgspec.Struct):
    """A log as central sees it.

    seq, head: the stored, gap-free prefix. state: of its device ("active", "suspended", "lost",
    "retired"). limit: entries beyond this number are not judged without a person (lost or
    suspended from a checkpoint), None for no limit. block: of its tracking codes. grant: newest
    authority it was given. operators: id -> Ed25519 key (empty: removed). sessions: entry number
    -> operator id, removed: operator id -> entry number.
    case: open after-lost case, empty if none. refused: code of a problem -> newest case about what
    was refused for it; so are holes, by a number of their own. key, seal_key: its raw Ed25519 and
    X25519 public keys. central: central's own log. villages: that its device has or had;
    None for everywhere. before: logs that this one follows, nearest first, each with the number up
    to which it goes on from them; only those of which central holds that very branch.
    """

    id: bytes
    device: bytes
    seq: int
    head: bytes
    key: bytes = b""
    seal_key: bytes = b""
    state: str = "active"
    limit: int | None = None
    block: int = 0
    grant: int = 1
    operators: dict[bytes, bytes] = {}
    sessions: dict[int, bytes] = {}
    removed: dict[bytes, int] = {}
    case: bytes = b""
    central: bool = False
    villages: tuple[str, ...] | None = None
    before: tuple[tuple[bytes, int], ...] = ()
    refused: dict[str, bytes] = {}


class Result(msgspec.Struct, frozen=True, array_like=True):
    """What became of one stored entry: state (see OUTCOMES), its record, case and problem.

    part: result of those of its disputed units that are decided while others are still open.
    """

    state: str
    record: bytes = b""
    case: bytes = b""
    problem: str = ""
    part: str = ""


class Known(msgspec.Struct):
    """The part of the register that the entries at hand can touch.

    results: (log, seq) -> Result, for entries that others point to. keys: duplicate key -> records
    that are not over. codes: tracking code -> record. waiting: record -> entries that wait for it.
    entries: stored bytes of waiting and parked entries. poisoned: entries that may not be judged.
    forged: session entries whose operator's signature is false.
    stuck: requests that do not exist because their creation was refused or parked -> its case.
    branches: central's restores, oldest first.
    remade: entries that were made again elsewhere before they, or another copy of them, came; named
    as origins are.
    villages: record -> village it belongs to.
    made: origins (see `Change`) of which central has decided the very entry: they never count
    twice.
    """

    server_seq: int
    head: bytes
    logs: dict[bytes, LogState] = {}
    state: State = msgspec.field(default_factory=State)
    results: dict[tuple[bytes, int], Result] = {}
    keys: dict[str, list[bytes]] = {}
    codes: dict[tuple[int, int], bytes] = {}
    waiting: dict[bytes, list[tuple[bytes, int]]] = {}
    entries: dict[tuple[bytes, int], Entry] = {}
    poisoned: set[tuple[bytes, int]] = set()
    forged: set[tuple[bytes, int]] = set()
    stuck: dict[bytes, bytes] = {}
    branches: tuple[Branch, ...] = ()
    made: set[tuple[bytes, int, bytes] | None] = set()
    remade: set[tuple[bytes, int, bytes] | None] = set()
    villages: dict[bytes, str] = {}


class Needs(msgspec.Struct):
    """What a batch can touch: to be loaded before judging."""

    records: set[bytes] = set()
    cases: set[bytes] = set()
    logs: set[bytes] = set()
    results: set[tuple[bytes, int]] = set()
    codes: set[tuple[int, int]] = set()
    origins: set[tuple[bytes, int, bytes]] = set()


def needs(log: LogState, entries: list[Entry]) -> Needs:
    """First round: everything named in the entries themselves. The cases and links of the loaded
    records, and parked entries of loaded cases, follow from those."""
    want = Needs(logs={log.id})
    for entry in entries:
        change = envelope(entry)
        if change is None:
            continue
        want.records.add(record_of(log.id, entry.seq, change, entry.data))
        if change.origin is not None:
            want.logs.add(change.origin[0])
            want.origins.add(change.origin)
        if change.kind == "resolve":
            want.cases.add(_case_of(change))
        if change.kind == "incident":
            want.records.update(_suspects(change))
        body = body_of(change)
        if change.kind == "create" and body is not None:
            want.codes.update(filter(is_code, [code_of(log, change, body)]))
    want.records.discard(b"")
    return want


def code_of(log: LogState, change: Change, body: Body) -> tuple[int, int]:
    """The tracking code a creation asks for: in the block of its log, which all logs of a laptop
    share; what was made again, in the block it was first given in."""
    again = change.origin is not None and body.block
    return (body.block if again else log.block, body.number)


def is_code(code: tuple[int, int]) -> bool:
    """Are there such a block and such a number?"""
    return code[0] in range(BLOCKS) and code[1] in range(NUMBERS)


def key_needs(known: Known, entries: list[Entry]) -> set[str]:
    """Second round, with records loaded: duplicate keys the entries may give their requests."""
    found: set[str] = set()
    for entry in entries:
        change = envelope(entry)
        body = body_of(change) if change is not None else None
        if change is None or body is None:
            continue
        record = known.state.records.get(change.record)
        if change.kind == "create":
            found.update(facts_of(change.service, change.edition, _first_values(body)).keys)
        elif record is not None and body.set:
            merged = values(record) | body.set
            found.update(facts_of(record.service, record.edition, merged).keys)
    return found


class Facts(msgspec.Struct, frozen=True):
    """What the form makes of a request's values. keys: duplicate keys. name, nik: of the subject.
    village: code of the village it is about. traces: by what it may be known again (sync.recent).
    All empty for a form that cannot be read here."""

    keys: tuple[str, ...] = ()
    name: str = ""
    nik: str = ""
    village: str = ""
    traces: tuple[str, ...] = ()


def facts_of(service: str, edition: int, units: dict[str, Any]) -> Facts:
    """Facts of a request with these unit values."""
    return _facts(service, edition, encode(units))


@lru_cache(maxsize=4096)
def _facts(service: str, edition: int, packed: bytes) -> Facts:
    """Asked for the same values several times on the way through intake, and worked out once."""
    try:
        form = catalogue().service(service, edition)
        answers, _ = form.answers(msgspec.msgpack.decode(packed))
        subjects = form.subjects(answers)
        village, first = form.village(answers) or "", subjects[0]
        keys = tuple(key for key in form.keys_of(subjects) if len(key) <= WORDS_MAX)
        name, nik = first.name or "", first.nik or ""
        traces = tuple(trace for trace in form.traces(subjects) if len(trace) <= WORDS_MAX)
        return Facts(keys, name[:WORDS_MAX], nik[:WORDS_MAX], village[:WORDS_MAX], traces)
    except (Problem, TypeError, ValueError, AttributeError, KeyError):
        return Facts()


def forget_facts() -> None:
    """Other forms hold from now on: what could not be read before may be readable."""
    _facts.cache_clear()


def facts(record: Record) -> Facts:
    """Facts of a request as it stands."""
    return facts_of(record.service, record.edition, values(record))


def record_keys(record: Record) -> tuple[str, ...]:
    """Duplicate keys of a request as it stands."""
    return facts(record).keys


def _first_values(body: Body) -> dict[str, Any]:
    """The values a new request will have, in the shape of `values`."""
    return body.set | {unit: sorted(elements) for unit, elements in body.add.items()}


def envelope(entry: Entry) -> Change | None:
    """The change in an entry, or None when its bytes are no envelope."""
    try:
        return decode_change(entry.data)
    except msgspec.DecodeError:
        return None


def body_of(change: Change) -> Body | None:
    """The body of a create or edit, or None for other kinds and malformed bodies."""
    if change.kind not in ("create", "edit"):
        return None
    try:
        return decode_body(change.body)
    except msgspec.DecodeError:
        return None


def _suspects(change: Change) -> tuple[bytes, ...]:
    try:
        return decode(change.body, Incident).records
    except msgspec.DecodeError:
        return ()


def _case_of(change: Change) -> bytes:
    try:
        return decode(change.body, Choice).case
    except msgspec.DecodeError:
        return b""


def next_server_head(head: bytes, decision: bytes) -> bytes:
    """Chain value of central's own log after an encoded `Decision`."""
    size = len(decision).to_bytes(4, "big")
    return hashlib.sha256(b"jb1-central" + head + size + decision).digest()
