"""The high-water mark: how far the log had come, written outside the database file.

A laptop whose database was put back from a copy would go on numbering from the copy's last entry
and so use numbers twice. The mark shows it: a log that is behind its mark (or has another entry at
that number) was restored, and a new log is opened before the next change (protocol, §2). A copy of
the whole folder brings its old mark along; that case is found by central, as a fork.

Two slots are written in turn, each with a checksum: a torn write spoils one, the other still holds
the mark before it. The mark is written before a save returns, so a killed program leaves it right;
it is synced to the disk by a thread of its own just behind, so that a save waits for one sync and
not for two; many saves in a row share one. A power cut in between leaves a mark that is a little
behind, which only means that a copy would have to be younger than that to pass for the original.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from pathlib import Path

import msgspec

from field_client.vault.files import disk_problems, write_all

_SLOT = 128
_REST_SECONDS = 0.5
"""Between two syncs; while the thread rests, saves need not start another."""

_BINARY = getattr(os, "O_BINARY", 0)


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
        self._guard = threading.Lock()
        self._syncing: threading.Thread | None = None
        self._unsynced = False
        self._hurry = threading.Event()

    def read(self) -> Mark | None:
        """The newest whole mark, or None where there is none."""
        try:
            return _newest(self.path.read_bytes())
        except FileNotFoundError:
            return None

    def write(self, log: bytes, seq: int, head: bytes) -> None:
        """Remember that `log` has come to `seq` with chain value `head`."""
        with disk_problems(self.path):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | _BINARY, 0o600)
            try:
                there = os.read(descriptor, 2 * _SLOT)
                before = _newest(there)
                mark = Mark(before.count + 1 if before else 1, log, seq, head)
                if len(there) < 2 * _SLOT:
                    write_all(descriptor, bytes(2 * _SLOT - len(there)))
                os.lseek(descriptor, (mark.count % 2) * _SLOT, os.SEEK_SET)
                write_all(descriptor, _encode(mark))
            finally:
                os.close(descriptor)
        self._sync_behind()

    def flush(self) -> None:
        """Wait until what was written is on the disk; before the database is closed."""
        with self._guard:
            thread = self._syncing
            self._hurry.set()
        if thread is not None:
            thread.join()

    def _sync_behind(self) -> None:
        """Sync in a thread; one at a time, and once more if something was written meanwhile."""
        with self._guard:
            self._unsynced = True
            if self._syncing is None:
                self._hurry.clear()
                self._syncing = threading.Thread(target=self._sync, name="mark")
                self._syncing.start()

    def _sync(self) -> None:
        while True:
            with self._guard:
                if not self._unsynced:
                    self._syncing = None
                    return
                self._unsynced = False
            with contextlib.suppress(OSError):  # the next write tries again, and says so if need be
                descriptor = os.open(self.path, os.O_RDWR | _BINARY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
            self._hurry.wait(_REST_SECONDS)


def _newest(data: bytes) -> Mark | None:
    marks = [_decode(data[start : start + _SLOT]) for start in (0, _SLOT)]
    return max((mark for mark in marks if mark is not None), default=None)


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
