"""Files beside the database: written whole or not at all, readable by their owner only.

Windows: not tried. There, the folder's own access rights have to keep others out.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

from models.problems import Problem

_BINARY = getattr(os, "O_BINARY", 0)
FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
"""Errors of a medium that has no room left."""


def private_folder(path: Path) -> Path:
    """Make `path` (and its parents), mode 0700; returns it."""
    with disk_problems(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist yet. A crash leaves the whole file or none."""
    if path.exists():
        raise Problem("file.exists", path=str(path))
    write_atomically(path, data)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data` (mode 0600 from its first moment), durable when this returns."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    with disk_problems(path):
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
            with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was made or renamed inside `folder` durable."""
    if sys.platform == "win32":  # pragma: no cover - Windows has no such call
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def disk_problems(path: Path) -> Iterator[None]:
    """The operating system's refusals as Problems that name the file."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise Problem("disk.full", path=str(path)) from error
        raise Problem("disk.unwritable", path=str(path)) from error
