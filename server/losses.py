"""Losses: files that were whole here and are no longer, and how they come back.

A disk loses a sector, somebody deletes a folder. Whoever looks at the file finds out. It is taken
from the backup folder where it lies there; otherwise the register no longer calls it whole, and the
laptops of whoever attached it are told so with the next answer, asked or not: one that still holds
it sends what is missing.
"""

from __future__ import annotations

import threading
from collections.abc import Collection

import structlog

from models.problems import Problem
from server.blobs import Shelf
from server.database.files import Blob
from server.database.registry import Door, Registry
from sync.known import LogState
from sync.messages import Manifest
from sync.transfer import is_whole

TOLD_MAX = 16
"""Lost files that one answer names; the next one goes on with others."""

LOOK_SECONDS = 15 * 60
"""After so long the register is read anew: another process may have found or mended something."""

log_lines = structlog.get_logger(__name__)


class Losses:
    """spare: copies of files that a backup made; None where none is set."""

    def __init__(self, registry: Registry, shelf: Shelf, spare: Shelf | None) -> None:
        self.registry = registry
        self.shelf = shelf
        self.spare = spare
        self._lock = threading.Lock()
        self._noting = threading.Lock()
        self._noted: set[bytes] = set()
        self._looked = -LOOK_SECONDS
        self._fresh: set[bytes] = set()
        self._turn = 0

    def found(self, blob: Blob) -> bytes:
        """Somebody asked for a whole file and it is not: its bytes, if the backup has them. Problem
        blob.lost; then it is noted with the next answer to a laptop."""
        short, manifest = blob.id.hex()[:8], Manifest(blob.id, blob.size, blob.hashes)
        log_lines.error("blob_lost", blob=short)
        chunks = self._spared(blob)
        if not is_whole(manifest, chunks):
            with self._lock:
                self._fresh.add(blob.id)
            raise Problem("blob.lost", blob=short)
        whole = [chunk for chunk in chunks if chunk is not None]
        self.shelf.put(blob.id, blob.size, list(enumerate(whole)))
        log_lines.warning("blob_from_backup", blob=short)
        return b"".join(whole)

    def _spared(self, blob: Blob) -> list[bytes | None]:
        if self.spare is None:
            return []
        try:
            return list(self.spare.read(blob.id, blob.size))
        except Problem:  # the medium of the backups is not there
            return []

    def any(self, at: int) -> bool:
        """Is anything lost? Notes what was found since, and looks now and then at what other
        processes noted. at: central's clock, Unix seconds. Not inside a transaction: whoever holds
        one may be waiting for what is remembered here, so that is never held while the register
        is asked."""
        if self._noting.acquire(blocking=False):  # another is at it: the next answer tells
            try:
                self._note(at)
            finally:
                self._noting.release()
        with self._lock:
            return bool(self._noted)

    def _note(self, at: int) -> None:
        with self._lock:
            fresh, self._fresh = self._fresh, set()
            due = not 0 <= at - self._looked < LOOK_SECONDS
        if not (fresh or due):
            return
        try:
            if fresh:
                with self.registry.write() as door:
                    for name in fresh:
                        door.blob_torn(name)
            with self.registry.read() as door:
                noted = set(door.lost_blobs())
        except BaseException:
            with self._lock:
                self._fresh |= fresh  # the register calls them whole still
            raise
        with self._lock:
            self._noted, self._looked = noted, at

    def of(self, door: Door, log: LogState) -> set[bytes]:
        """Lost files that the logs of a laptop spoke of, some of them at a time."""
        spoken: set[bytes] = set()
        with self._lock:
            lost, self._turn = set(self._noted), self._turn + TOLD_MAX
        if lost:
            for mine in door.logs(log.device):
                spoken |= set(door.announced(mine.id, lost))
        names = sorted(spoken)
        start = self._turn % len(names) if names else 0
        return set((names[start:] + names[:start])[:TOLD_MAX])

    def mended(self, names: Collection[bytes]) -> None:
        """These are whole again, and committed."""
        with self._lock:
            self._noted -= set(names)
            self._fresh -= set(names)
