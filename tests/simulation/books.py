"""What a simulated laptop keeps: its logs, and what was on its screen."""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any

import msgspec

from models.changes import Body, Change, decode_body, decode_change, record_of
from sync.identity import Identity
from sync.logs import Entry, log_id, opening_head
from sync.messages import Checkpoint

REMEMBERED = 4096
"""Entries of which is remembered what they say."""


class Screen(msgspec.Struct):
    """A request as it was drawn for the author: `seen` and `own` stay what they were then."""

    record: bytes
    seen: int
    own: int
    units: dict[str, Any]
    status: str
    incarnation: bytes = b""
    log: bytes = b""


class Book:
    """One log of a laptop. closed: number after which another log made everything again. gone:
    numbers that a hole of it declares lost; what was whole of them was made again behind it."""

    def __init__(self, identity: Identity, opening: bytes, block: int) -> None:
        self.identity = identity
        self.id = log_id(identity.sign_key)
        self.opening = opening
        self.block = block
        self.entries: list[Entry] = []
        self.stored, self.stored_head = 0, opening_head(opening)
        self.requests = 0
        self.acted = 0
        self.closed: int | None = None
        self.gone: set[int] = set()
        self.proofs: list[Checkpoint] = []

    @property
    def seq(self) -> int:
        return self.entries[-1].seq if self.entries else 0

    @property
    def head(self) -> bytes:
        return self.entries[-1].head if self.entries else opening_head(self.opening)

    @property
    def to_send(self) -> int:
        """Newest entry that is central's to have from this log."""
        return self.seq if self.closed is None else self.closed

    def head_at(self, seq: int) -> bytes | None:
        if seq == 0:
            return opening_head(self.opening)
        here = seq <= self.seq and seq not in self.gone
        return self.entries[seq - 1].head if here else None

    def rows(self, after: int = 0, upto: int | None = None) -> list[Entry]:
        """Entries after one number up to another, without those that a hole took out."""
        return [entry for entry in self.entries[after:upto] if entry.seq not in self.gone]

    def twin(self) -> Book:
        """A copy as a disk image has it."""
        other = copy.copy(self)
        other.entries, other.proofs = list(self.entries), list(self.proofs)
        other.gone = set(self.gone)
        return other


@lru_cache(maxsize=REMEMBERED)
def change_of(data: bytes) -> Change:
    """The change in an entry's bytes; raises msgspec.DecodeError. Laptops and laws
    look at the same few hundred entries all the time, and nobody changes what is in one."""
    return decode_change(data)


@lru_cache(maxsize=REMEMBERED)
def _body(data: bytes) -> Body | None:
    try:
        change = change_of(data)
        return decode_body(change.body) if change.kind in ("create", "edit") else None
    except msgspec.DecodeError:
        return None


def body_of(entry: Entry) -> Body | None:
    """The body of a create or edit, None otherwise."""
    return _body(entry.data)


@lru_cache(maxsize=REMEMBERED)
def name_in(log: bytes, seq: int, data: bytes) -> bytes:
    """The request that an own entry speaks of."""
    return record_of(log, seq, change_of(data), data)
