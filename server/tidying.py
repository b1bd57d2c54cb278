"""Tidying: sealed copies on the shelf that nothing names go, long after anybody could need them.

An upload lays its files on the disk before the transaction that speaks of them; a process killed
between the two leaves copies of citizens' papers that no row names. They are found by what the
register knows: every file that has a row, that a log has announced, or of which a piece waits in a
volume laid aside is somebody's. What is left is only counted when it is first seen, and removed by
a later run; what was written last less than a week ago, or before the newest restore (the laptops
may bring the changes that speak of it again), stays. Each run that finds something is in the trail.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from server.arrivals import Arrivals
from server.blobs import FolderShelf, Stray
from server.cargo import Cargo
from server.database.registry import Registry

AGE_SECONDS = 7 * 86_400
"""Since its last write. An upload and the transaction that speaks of it last minutes."""

log_lines = structlog.get_logger(__name__)


class Tidied(msgspec.Struct, frozen=True):
    """What a run found, in files and bytes, and how many of them it removed."""

    found: int
    bytes: int
    removed: int


class Tidying:
    """clock: Unix seconds. One of several processes runs it (server.jobs)."""

    def __init__(
        self,
        registry: Registry,
        arrivals: Arrivals,
        shelf: FolderShelf,
        cargo: Cargo,
        clock: Callable[[], int],
    ) -> None:
        self.registry = registry
        self.arrivals = arrivals
        self.shelf = shelf
        self.cargo = cargo
        self.clock = clock
        self._seen: set[Path] = set()

    def run(self) -> Tidied:
        """Count what nothing names, and remove of it what the run before has seen too."""
        lying = self.shelf.files()  # first: what comes while the register is asked has a young file
        named = self.cargo.named()
        with self.registry.read() as door:
            named |= door.named_blobs()
            restored = door.restored_at()
        strays = self.shelf.strays(lying, named)
        upto = self.clock() - AGE_SECONDS
        old = [one for one in strays if one.path in self._seen and restored < one.at <= upto]
        removed = [one for one in old if self._removed(one)]
        fresh = {stray.path for stray in strays} - self._seen
        self._seen = {stray.path for stray in strays} - {stray.path for stray in removed}
        done = Tidied(len(strays), sum(stray.size for stray in strays), len(removed))
        if fresh or removed:
            log_lines.info("files_tidied", found=done.found, removed=done.removed)
            with self.registry.write() as door:
                door.audit("system", "files.tidy", "", msgspec.structs.asdict(done), self.clock())
        return done

    def _removed(self, stray: Stray) -> bool:
        """Take it off the shelf, unless somebody has just written it again."""
        with self.arrivals.quiet(), contextlib.suppress(OSError):
            return self.shelf.remove(stray)
        return False
