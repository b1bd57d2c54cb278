"""The high-water mark: how far the log had come, written outside the database file.

A laptop whose database was put back from a copy would go on numbering from the copy's last entry
and so use numbers twice. The mark shows it: a log that is behind its mark (or has another entry at
that number) was restored, and a new log is opened before the next change (protocol, §2). A copy of
the whole folder brings its old mark along; that case is found by central, as a fork.

Two slots are written in turn, each with a checksum, and fsynced: a torn write spoils one, and the
other still holds the mark before it. Writing in place costs one fsync, a rename would cost two.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from field_client.vault.files import disk_problems, write_all

_SLOT = 128
_BINARY = getattr(os, "O_BINARY", 0)
_sync_data = getattr(os, "fdatasync", os.fsync)
"""Enough once the file has its size: only its content changes then."""


class Mark(msgspec.Struct, frozen=True, array_like=True, order=True):
    """How far: count (grows by one with every write), log (16 bytes), seq, head (32 bytes)."""

    count: int
    log: bytes
    seq: int
    head: bytes


class MarkFile:
    """`log.mark` beside the database. No personal data: numbers and hashes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Mark | None:
        """The newest whole mark, or None where there is none."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None
        marks = [_decode(data[start : start + _SLOT]) for start in (0, _SLOT)]
        return max((mark for mark in marks if mark is not None), default=None)

    def write(self, log: bytes, seq: int, head: bytes) -> None:
        """Remember durably that `log` has come to `seq` with chain value `head`."""
        before = self.read()
        mark = Mark(before.count + 1 if before else 1, log, seq, head)
        with disk_problems(self.path):
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | _BINARY, 0o600)
            try:
                grown = os.fstat(descriptor).st_size == 2 * _SLOT
                if not grown:
                    write_all(descriptor, bytes(2 * _SLOT))
                os.lseek(descriptor, (mark.count % 2) * _SLOT, os.SEEK_SET)
                write_all(descriptor, _encode(mark))
                (_sync_data if grown else os.fsync)(descriptor)
            finally:
                os.close(descriptor)


def _encode(mark: Mark) -> bytes:
    body = msgspec.msgpack.encode(mark)
    slot = hashlib.sha256(body).digest()[:16] + bytes([len(body)]) + body
    return slot.ljust(_SLOT, b"\0")


def _decode(slot: bytes) -> Mark | None:
    if len(slot) < _SLOT:
        return None
    digest, size, body = slot[:16], slot[16], slot[17:]
    if hashlib.sha256(body[:size]).digest()[:16] != digest:
        return None
    return msgspec.msgpack.decode(body[:size], type=Mark)
