"""Files beside the database: written whole or not at all, locked across processes.

Windows and POSIX differ in two places only, and both stand here: how a directory is made durable
(Windows has no such call) and how a file is locked (msvcrt there, fcntl here). Windows: not tried.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from models.problems import Problem

if sys.platform == "win32":  # pragma: no cover - written from the manual, not tried
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


_BINARY = getattr(os, "O_BINARY", 0)
_FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}


def private_folder(path: Path) -> Path:
    """Make `path` (and its parents) readable by its owner only; returns it."""
    with disk_problems(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data`: after a crash the old or the new content is there, never a mixture.

    The temporary file has mode 0600 from its first moment and is removed when anything fails.
    """
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    with disk_problems(path):
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
            try:
                write_all(descriptor, data)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def write_all(descriptor: int, data: bytes) -> None:
    """os.write until every byte is taken."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` durable, where the system knows such a thing."""
    if sys.platform == "win32":  # pragma: no cover
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def disk_problems(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals into Problems that name the file and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Problem("disk.full", path=str(path)) from error
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            raise Problem("disk.unwritable", path=str(path)) from error
        if isinstance(error, FileNotFoundError):
            raise Problem("vault.absent", path=str(path)) from error
        raise Problem("disk.error", path=str(path), error=error.strerror or "") from error


class FileLock:
    """One process at a time inside `with lock:`. The operating system frees it when we are killed.

    Not for threads of one process: those have their own lock in the engine.
    """

    def __init__(self, path: Path, wait: float = 10.0) -> None:
        """wait: seconds to wait for another process before the Problem `vault.busy`."""
        self.path = path
        self.wait = wait
        self._descriptor: int | None = None

    def __enter__(self) -> FileLock:
        with disk_problems(self.path):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | _BINARY, 0o600)
        try:
            self._acquire(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return self

    def _acquire(self, descriptor: int) -> None:
        deadline = time.monotonic() + self.wait
        while True:
            try:
                return _try_lock(descriptor)
            except OSError as error:
                if time.monotonic() >= deadline:
                    raise Problem("vault.busy") from error
                time.sleep(0.02)

    def __exit__(self, *_: object) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            _unlock(descriptor)
            os.close(descriptor)
