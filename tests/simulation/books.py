"""What a simulated laptop keeps: its logs, and what was on its screen."""

from __future__ import annotations

import copy
from typing import Any

import msgspec

from sync.identity import Identity
from sync.logs import Entry, log_id, opening_head
from sync.messages import Checkpoint


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
    """One log of a laptop. closed: number after which another log made everything again."""

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
        return self.entries[seq - 1].head if seq <= self.seq else None

    def twin(self) -> Book:
        """A copy as a disk image has it."""
        other = copy.copy(self)
        other.entries, other.proofs = list(self.entries), list(self.proofs)
        return other
