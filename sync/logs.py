"""Logs: who wrote an entry, and the chain that shows that none is missing or altered.

A log is named by the thumbprint of its key (RFC 9679). Its opening is the value h_0; entry n adds
h_n = H("jb1" | log | h_{n-1} | length | bytes_n). Whoever knows one h_n knows every entry before it
has not been changed. All functions here are pure: no clock, no disk, no randomness.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from models.changes import Hole, LogId, decode, decode_change

HEAD_WIRE_BYTES = 8
"""A head travels as its first eight bytes; both ends hold the whole one. See docs/protocol.md."""


class Open(msgspec.Struct, frozen=True, array_like=True):
    """First entry of a log, before number 1.

    key, seal_key: raw Ed25519 and X25519 public keys, 32 bytes each. device: 16 bytes given by the
    invitation. parent, parent_seq, parent_head: the log it follows (empty and 0 for a first one).
    reason: "enrolled", "restored", "rotated" or "fork".
    """

    key: bytes
    seal_key: bytes
    device: bytes
    parent: bytes
    parent_seq: int
    parent_head: bytes
    reason: str


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One numbered entry with the chain value after it."""

    seq: int
    data: bytes
    head: bytes

    @property
    def digest(self) -> bytes:
        """Hash of the bytes alone: equal numbers with unequal digests are a fork."""
        return hashlib.sha256(self.data).digest()


def thumbprint(public_key: bytes) -> bytes:
    """SHA-256 thumbprint of an Ed25519 COSE key (RFC 9679: deterministic CBOR of kty, crv, x)."""
    return hashlib.sha256(b"\xa3\x01\x01\x20\x06\x21\x58\x20" + public_key).digest()


def log_id(public_key: bytes) -> LogId:
    """The name of the log whose entries are signed with this key."""
    return thumbprint(public_key)[:16]


def opening_head(opening: bytes) -> bytes:
    """h_0 of a log from the encoded `Open`."""
    return hashlib.sha256(b"jb1-open" + opening).digest()


def next_head(log: LogId, head: bytes, data: bytes) -> bytes:
    """h_n from h_{n-1} and the bytes of entry n."""
    size = len(data).to_bytes(4, "big")
    return hashlib.sha256(b"jb1" + log + head + size + data).digest()


def chain(log: LogId, first: int, head: bytes, entries: Iterable[bytes]) -> Iterator[Entry]:
    """Number and link `entries`, the first of which is number `first` after chain value `head`."""
    for seq, data in enumerate(entries, first):
        head = next_head(log, head, data)
        yield Entry(seq, data, head)


def broken_at(log: LogId, head: bytes, entries: Iterable[Entry]) -> int | None:
    """Number of the first entry that does not follow from `head`, or None when all do.

    A signed hole is the one entry that may jump: it carries the chain value it goes on from, also
    where it is the first of them. Some of what it declares lost may have been found since.
    """
    expected: int | None = None
    for entry in entries:
        if entry.seq != expected:
            hole = hole_in(entry.data)
            if expected is not None and (hole is None or not reaches(hole, expected, entry.seq)):
                return entry.seq
            if hole is not None and hole.last == entry.seq - 1:
                head = hole.head
        head = next_head(log, head, entry.data)
        if head != entry.head:
            return entry.seq
        expected = entry.seq + 1
    return None


def hole_in(data: bytes) -> Hole | None:
    """The hole that an entry declares, or None for every other entry."""
    try:
        change = decode_change(data)
        if change.kind == "hole":
            return decode(change.body, Hole)
    except msgspec.DecodeError:
        return None
    return None


def reaches(hole: Hole, expected: int, seq: int) -> bool:
    """Does a hole that stands at number `seq` reach over everything from `expected` on?"""
    return hole.first <= expected <= hole.last == seq - 1


def session_message(log: LogId, seq: int, head: bytes, operator: bytes) -> bytes:
    """What an operator signs to open a session as entry `seq` after chain value `head`."""
    return b"jb1-session" + log + seq.to_bytes(8, "big") + head + operator
