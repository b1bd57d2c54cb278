"""The USB road: files on a stick, there whole or not at all, and read back before it is let go.

Everything is first written under temporary names and forced to the medium, then renamed, then the
folder is forced out too, and then each file is read again from the medium and compared. A stick
that is full, pulled out, locked or bad leaves nothing behind that could be taken for a bundle.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from field_client.vault.files import sync_folder, write_all
from models.problems import Problem
from models.words import size as in_words
from sync.bundle import SUFFIX, VOLUME_BYTES_MAX

SLACK_BYTES = 64 * 1024
"""Room that a stick's own bookkeeping may need."""

FILES_MAX = 5000
_PIECE = 1024 * 1024
_BINARY = getattr(os, "O_BINARY", 0)
FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""Errors of a medium that has no room left."""

_LOCKED = {errno.EROFS, errno.EACCES, errno.EPERM}


class Piece(msgspec.Struct, frozen=True):
    """A file to be written. size: its bytes, at most; make: gives them, when its turn has come."""

    name: str
    size: int
    make: Callable[[], bytes]


Progress = Callable[[str, int, int], None]
"""phase ("write" or "verify"), bytes done, bytes in all; must be quick."""


def unwatched(phase: str, done: int, total: int) -> None:
    """Nobody watches."""


Written = tuple[int, str]
"""Bytes of a file, and their SHA-256 in hex."""


def write_set(
    folder: Path, pieces: Sequence[Piece], progress: Progress = unwatched
) -> list[Written]:
    """Write files that belong together: all of them or none. Gives what each holds.

    When this returns the stick may be pulled out. Problems: usb.absent, usb.full, usb.readonly,
    usb.gone, usb.verify, file.exists; nothing of the set is left there then.
    """
    check_room(folder, sum(piece.size for piece in pieces))
    _clear_remains(folder)
    for piece in pieces:
        if (folder / piece.name).exists():
            raise Problem("file.exists", path=piece.name)
    written: list[Path] = []
    try:
        with stick_problems(folder, sum(piece.size for piece in pieces)):
            made = _write(folder, pieces, written, progress)
            _verify(folder, pieces, made, progress)
    except BaseException:
        for path in written:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        raise
    return made


def check_room(folder: Path, need: int) -> None:
    """Is the folder there, and is there room for `need` bytes?"""
    with stick_problems(folder):
        if not folder.is_dir():
            raise Problem("usb.absent", folder=str(folder))
        free = shutil.disk_usage(folder).free
    if free < need + SLACK_BYTES:
        raise Problem("usb.full", need=in_words(need), free=in_words(free))


def room(folder: Path) -> int:
    """Bytes that can be written there; 0 where there is nothing."""
    with stick_problems(folder):
        if not folder.is_dir():
            raise Problem("usb.absent", folder=str(folder))
        return max(0, shutil.disk_usage(folder).free - SLACK_BYTES)


def _write(
    folder: Path, pieces: Sequence[Piece], written: list[Path], progress: Progress
) -> list[Written]:
    total = sum(piece.size for piece in pieces)
    made: list[Written] = []
    done = 0
    for piece in pieces:
        data = piece.make()
        path = folder / f"{piece.name}.tmp"
        written.append(path)
        _write_out(path, data)
        made.append((len(data), hashlib.sha256(data).hexdigest()))
        done += piece.size
        progress("write", done, total)
    for piece in pieces:
        written.append(folder / piece.name)
        (folder / f"{piece.name}.tmp").replace(folder / piece.name)
    sync_folder(folder)
    return made


def _write_out(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _verify(
    folder: Path, pieces: Sequence[Piece], made: Sequence[Written], progress: Progress
) -> None:
    total = sum(piece.size for piece in pieces)
    done = 0
    for piece, (_, digest) in zip(pieces, made, strict=True):
        if digest_of(folder / piece.name) != digest:
            raise Problem("usb.verify", file=piece.name)
        done += piece.size
        progress("verify", done, total)


def digest_of(path: Path) -> str:
    """SHA-256 of a file as it lies on the medium: what the system remembers of it is dropped
    first, where the system can be told to."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while piece := file.read(_PIECE):
            whole.update(piece)
    return whole.hexdigest()


def _clear_remains(folder: Path) -> None:
    """Take away what an earlier, broken off writing left; it was never a bundle."""
    with stick_problems(folder):
        for path in folder.glob(f"*{SUFFIX}.tmp"):
            path.unlink(missing_ok=True)


def volumes_in(places: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every volume in these files and folders, by name. A file that is too large
    is cut just beyond the limit, so that it is refused without being held in memory.

    Problems: bundle.none for a folder without any, file.unreadable, usb.gone.
    """
    for place in places:
        with stick_problems(place):
            files = _volumes_of(place) if place.is_dir() else [place]
        if not files:
            raise Problem("bundle.none", folder=str(place))
        for file in files:
            yield file.name, read_volume(file)


def _volumes_of(folder: Path) -> list[Path]:
    """By name. What only bears such a name (a folder, a link to nothing) hides no other."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if path.is_file())[:FILES_MAX]


def read_volume(file: Path) -> bytes:
    """The bytes of one volume, at most one more than a volume may have."""
    with stick_problems(file):
        if not file.is_file():
            raise Problem("file.unreadable", file=file.name)
        with file.open("rb") as opened:
            return opened.read(VOLUME_BYTES_MAX + 1)


@contextlib.contextmanager
def stick_problems(place: Path, need: int = 0) -> Iterator[None]:
    """The system's refusals in the words of somebody who holds a stick. need: bytes to be written,
    for the words."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            need_words, free = in_words(need), in_words(_free(place))
            raise Problem("usb.full", need=need_words, free=free) from error
        if error.errno in _LOCKED:
            raise Problem("usb.readonly", folder=str(place)) from error
        raise Problem("usb.gone") from error


def _free(place: Path) -> int:
    try:
        return shutil.disk_usage(place if place.is_dir() else place.parent).free
    except OSError:
        return 0
