"""Changes: what one person did to one request, as it is signed, travels and is kept for ever.

A laptop appends changes to its own log; central appends its staff's decisions to its own. The
envelope (`Change`) never changes its edition, so that central can follow what belongs together
even in a change it does not understand yet. The `Body` is carried as raw msgpack: nothing unknown
is lost, and the bytes that were hashed and signed stay the bytes that are stored.
"""

from __future__ import annotations

import hashlib
import math
from typing import Annotated, Any, TypeVar

import msgspec

LogId = bytes
"""First 16 bytes of the RFC 9679 thumbprint of the log's Ed25519 key."""

RecordId = bytes
"""16 bytes naming one request for ever; see `created_id`."""

TRANSACTION_CHANGES_MAX = 64
TRANSACTION_BYTES_MAX = 64 * 1024
"""A transaction is decided whole; these bounds keep one decision small (protocol: 64, 64 KiB)."""

KINDS = ("create", "edit", "session", "operator", "hole", "resolve", "incident")
"""Kinds this edition understands. Any other kind waits at central and is never refused."""


class Attached(msgspec.Struct, frozen=True, array_like=True):
    """A file put to a set unit. It travels apart from the log, in chunks, under its own name.

    blob: its name, 32 bytes (see sync.transfer). size: bytes. kind: "page" or "portrait". preview:
    name of the small picture of it, empty if there is none. page of pages: its place in what was
    taken in as one file, from 1.
    """

    unit: str
    blob: bytes
    size: int
    kind: str = "page"
    preview: bytes = b""
    page: int = 1
    pages: int = 1


PREVIEW_BYTES_MAX = 12 * 1024
"""Of the small picture of a file."""


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a `create` or an `edit` asks for.

    number: random part of the tracking code (create only).
    set: unit -> value; a group is always written whole.
    add, remove: set unit -> elements. attach: files, each an element of its unit by its name.
    action, move: lifecycle action with (from, to) as the author saw them.
    reason: why (moves that need one); reasons: field key -> why a warning may pass.
    block: of the tracking code, where it is not the log's own: a request made again that was first
    given its code under another invitation.
    """

    number: int = 0
    set: dict[str, Any] = {}
    add: dict[str, list[str]] = {}
    remove: dict[str, list[str]] = {}
    action: str = ""
    move: tuple[str, str] | None = None
    reason: str = ""
    reasons: dict[str, str] = {}
    attach: list[Attached] = []
    block: int = 0


class Session(msgspec.Struct, frozen=True):
    """A PIN opened the laptop: `operator` signed `session_message` with their own Ed25519 key."""

    operator: bytes
    signature: bytes


class OperatorEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person who may open sessions in this log. `key` is empty when the person is removed. What
    is longer than these cannot be read: central loads them with every sync of the log."""

    operator: Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
    name: Annotated[str, msgspec.Meta(max_length=200)]
    key: Annotated[bytes, msgspec.Meta(max_length=32)] = b""
    role: Annotated[str, msgspec.Meta(max_length=40)] = "operator"


class Hole(msgspec.Struct, frozen=True):
    """Entries `first`..`last` are gone from the laptop; `head` is the chain value at `last`."""

    first: int
    last: int
    head: bytes
    reason: str


class Incident(msgspec.Struct, frozen=True, omit_defaults=True):
    """Central noticed something; kind: of the case to open ("fork", "duplicate"). records: the
    requests that look like one person's (duplicate), or speak of two people by one NIK or paper
    (identity), two or more; the one that somebody asks a supervisor about (escalated), whose
    `note` stays in this entry and is told to no laptop."""

    kind: str
    note: str
    records: tuple[bytes, ...] = ()


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person's decision of one case.

    take: "current", "offer" (of `log`, `seq`), "value" (typed anew), "release", "discard",
    "link" or "separate"; which of them fit is decided by the kind of the case. "release" with `log`
    and `seq` is of one parked transaction, by its first entry, and leaves the case open.
    step: "propose" (a second person must approve), "approve" or "decline" what was proposed,
    "decide", or "reopen" (a decided dispute is to be decided anew).
    """

    case: bytes
    take: str
    reason: str
    step: str = "decide"
    value: Any = None
    log: bytes = b""
    seq: int = 0
    by: str = ""


class Change(msgspec.Struct, frozen=True, array_like=True):
    """The envelope of one entry of a log.

    kind: see `KINDS`. record: 16 bytes, empty where the change itself creates the record.
    i, n: place in its transaction (0-based) and the transaction's length; a transaction is
    consecutive entries of one log. service, edition: the form used, empty and 0 unless `create`.
    session: seq of the session entry it was made in (0 before the first one).
    at: wall clock, Unix seconds; booted: wall clock minus uptime, which stays the same between two
    entries unless the clock was moved; boot: random number of this start of the machine.
    grant: number of the authority it was made under. seen: server_seq of the snapshot that was
    shown to the author. own: newest own entry that was shown (None: the one before this; below 0:
    none of this log, and up to entry -own - 1 of the log that it follows).
    origin: (log, seq, first 8 bytes of the entry's hash) this change was first made as, when a log
    was replaced by another.
    """

    kind: str
    record: bytes
    i: int
    n: int
    service: str
    edition: int
    session: int
    at: int
    booted: int
    boot: int
    grant: int
    seen: int
    own: int | None
    body: msgspec.Raw
    origin: tuple[bytes, int, bytes] | None = None


VALUE_DEPTH_MAX = 6
"""Lists and dicts inside one another in a value; the deepest of any form has three."""

_INTEGERS = range(-(1 << 63), 1 << 63)
_Kind = TypeVar("_Kind")
_encoder = msgspec.msgpack.Encoder()
_decoders: dict[Any, Any] = {}


def encode(value: Any) -> bytes:
    """Msgpack bytes of any of the structs here (and of plain values)."""
    return _encoder.encode(value)


def decode(data: msgspec.Raw | bytes, kind: type[_Kind]) -> _Kind:
    """What is in `data`; raises msgspec.DecodeError for whatever else it may be: words that are no
    UTF-8, thousandfold nesting and more bytes than a transaction may have too, since a laptop may
    send anything."""
    if len(data) > TRANSACTION_BYTES_MAX:
        raise msgspec.DecodeError("longer than any transaction")
    if kind not in _decoders:
        _decoders[kind] = msgspec.msgpack.Decoder(kind)
    try:
        found: _Kind = _decoders[kind].decode(data)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(type(error).__name__) from None
    return found


def decode_change(data: bytes) -> Change:
    """The envelope in `data`; raises msgspec.ValidationError or DecodeError for anything else."""
    return decode(data, Change)


def decode_body(raw: msgspec.Raw | bytes) -> Body:
    """The body of a create or edit; raises msgspec.DecodeError for another shape, and for values
    that no form holds."""
    body = decode(raw, Body)
    if not all(map(_is_plain, body.set.values())):
        raise msgspec.ValidationError("a value that no form holds")
    return body


def _is_plain(value: Any, depth: int = VALUE_DEPTH_MAX) -> bool:
    """Is it what JSON can say too, no deeper than `depth`?"""
    match value:  # the most frequent kinds first, and no generators: every answer passes here
        case str():
            return "\0" not in value  # no database takes it
        case dict():
            for key, one in value.items():
                named = isinstance(key, str) and "\0" not in key
                if not named or depth <= 0 or not _is_plain(one, depth - 1):
                    return False
            return depth > 0
        case None | bool():
            return True
        case int():
            return value in _INTEGERS
        case float():
            return math.isfinite(value)
        case list():
            return depth > 0 and all(_is_plain(one, depth - 1) for one in value)
    return False


def raw(value: Any) -> msgspec.Raw:
    """`value` encoded once, to stand inside an envelope."""
    return msgspec.Raw(_encoder.encode(value))


def created_id(log: LogId, seq: int, data: bytes) -> RecordId:
    """Id of the record that entry `seq` with bytes `data` creates.

    It costs no bytes on the wire. The entry's own bytes go in, so that two clones of one laptop
    that both write entry `seq` still make two different records.
    """
    head = b"jb1-record" + log + seq.to_bytes(8, "big")
    return hashlib.sha256(head + hashlib.sha256(data).digest()).digest()[:16]


def record_of(log: LogId, seq: int, change: Change, data: bytes) -> RecordId:
    """The record a change speaks of, empty for entries that speak of none."""
    if change.record or change.kind != "create":
        return change.record
    return created_id(log, seq, data)


def own_of(seq: int, change: Change) -> int:
    """Newest own entry the author had on the screen."""
    return seq - 1 if change.own is None else min(change.own, seq - 1)
