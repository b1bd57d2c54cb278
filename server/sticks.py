"""Sticks at central: bundles are read from files, and written whole, read back, before they go."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from models.problems import Problem
from models.words import size as in_words
from server.files import write_atomically
from sync.bundle import SUFFIX, VOLUME_BYTES_MAX

SLACK_BYTES = 64 * 1024
FILES_MAX = 5000
_LOCKED = (errno.EROFS, errno.EACCES, errno.EPERM)


def volumes_in(places: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every volume in these files and folders, by name. A file that is too large
    is cut just beyond the limit, so that it is refused without being held in memory."""
    for place in places:
        with stick_problems(place):
            files = _volumes_of(place) if place.is_dir() else [place]
        if not files:
            raise Problem("bundle.none", folder=str(place))
        for file in files:
            with stick_problems(file):
                if not file.is_file():
                    raise Problem("file.unreadable", file=file.name)
                with file.open("rb") as opened:
                    yield file.name, opened.read(VOLUME_BYTES_MAX + 1)


def _volumes_of(folder: Path) -> list[Path]:
    """By name. What only bears such a name (a folder, a link to nothing) hides no other."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if path.is_file())[:FILES_MAX]


def write_set(folder: Path, files: Sequence[tuple[str, bytes]]) -> None:
    """Write files that belong together, all or none, and read them back from the medium. When this
    returns the stick may be pulled out. Problems: usb.*, file.exists."""
    need = sum(len(data) for _, data in files)
    with stick_problems(folder):
        if not folder.is_dir():
            raise Problem("usb.absent", folder=str(folder))
        free = shutil.disk_usage(folder).free
    if free < need + SLACK_BYTES:
        raise Problem("usb.full", need=in_words(need), free=in_words(free))
    for name, _ in files:
        if (folder / name).exists():
            raise Problem("file.exists", path=name)
    try:
        for name, data in files:
            _write(folder / name, data, need)
        for name, data in files:
            with stick_problems(folder):
                if _digest(folder / name) != hashlib.sha256(data).digest():
                    raise Problem("usb.verify", file=name)
    except BaseException:
        for name, _ in files:
            with contextlib.suppress(OSError):
                (folder / name).unlink(missing_ok=True)
        raise


def _write(path: Path, data: bytes, need: int) -> None:
    try:
        write_atomically(path, data)
    except Problem as problem:
        if problem.code == "disk.full":
            free = in_words(_free(path.parent))
            raise Problem("usb.full", need=in_words(need), free=free) from problem
        cause = problem.__cause__
        locked = isinstance(cause, OSError) and cause.errno in _LOCKED
        raise _locked_or_gone(path.parent, locked) from problem
    except OSError as error:
        raise Problem("usb.gone") from error


def _digest(path: Path) -> bytes:
    """SHA-256 of a file as it lies on the medium, not as the system remembers it."""
    with path.open("rb") as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return hashlib.file_digest(file, "sha256").digest()


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def _locked_or_gone(place: Path, locked: bool) -> Problem:
    return Problem("usb.readonly", folder=str(place)) if locked else Problem("usb.gone")


@contextlib.contextmanager
def stick_problems(place: Path) -> Iterator[None]:
    """The system's refusals in the words of somebody who holds a stick."""
    try:
        yield
    except OSError as error:
        raise _locked_or_gone(place, error.errno in _LOCKED) from error
