"""Blobs: where citizens' files lie at central. A folder today; anything that keeps bytes tomorrow.

What the rest of central may rely on is `Shelf`: a chunk given to `put` is on the disk, sealed, when
the call returns, whatever the order and however often it comes; `present` tells by opening every
chunk what is really there. Whoever replaces the folder by object storage keeps these promises.

`FolderShelf` keeps one file per blob (sync/atrest.py says how it looks) under a keyed name, so that
neither a listing nor the disk tells whose paper it is. Parts of incomplete chunks lie in a file
beside it until their chunk is whole.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from server.database.engine import IO_MESSAGE, end_process
from server.files import FULL, disk_problems, private_folder, sync_folder
from sync import atrest
from sync.atrest import HEADER_BYTES, SLOT_BYTES, Locker
from sync.transfer import Part, chunk_count

PARTS_FACTOR = 2
"""The side file of a blob is begun anew when it is so many times as large as the blob."""


class Shelf(Protocol):
    """Keeps the chunks of blobs. size: of the whole blob, in bytes."""

    def put(self, blob: bytes, size: int, chunks: Sequence[tuple[int, bytes]]) -> None:
        """Keep chunks that were proved to be the blob's. Durable when it returns."""

    def present(self, blob: bytes, size: int) -> set[int]:
        """Numbers of the chunks that are there and open; durable, too."""

    def read(self, blob: bytes, size: int) -> Iterator[bytes | None]:
        """Every chunk in order, None for one that is not there or does not open."""

    def put_parts(self, blob: bytes, size: int, parts: Sequence[Part]) -> None:
        """Keep parts of chunks, not proved yet. Durable when it returns."""

    def parts(self, blob: bytes, size: int) -> list[Part]:
        """Every part kept."""

    def drop_parts(self, blob: bytes) -> None:
        """Forget the parts of a blob."""

    def delete(self, blob: bytes) -> None:
        """Forget a blob; one that is not there is no error."""


class Stray(NamedTuple):
    """A file on the shelf that nothing names. at: when it was last written, Unix seconds."""

    path: Path
    size: int
    at: int


class FolderShelf:
    """A shelf in a folder. keys: newest first; older ones still open what they sealed.

    end: called when a sync of the disk failed. What was written then may be lost although it can
    still be read, so nothing more may be said about it; it must not return.
    """

    def __init__(
        self,
        folder: Path,
        keys: Sequence[bytes],
        nonce: Callable[[int], bytes] = os.urandom,
        end: Callable[[str], object] | None = None,
    ) -> None:
        self.folder = folder
        self._keys = tuple(keys)
        self._nonce = nonce
        self._end = end or end_process

    def put(self, blob: bytes, size: int, chunks: Sequence[tuple[int, bytes]]) -> None:
        """See `Shelf`."""
        path, key = self._place(blob)
        locker = Locker(key, blob, size)
        with disk_problems(path), self._opened(path) as file:
            file.write(locker.header)
            for index, chunk in chunks:
                file.seek(locker.place(index)[0])
                file.write(locker.seal(index, chunk))
            self._sync(file)

    def present(self, blob: bytes, size: int) -> set[int]:
        """See `Shelf`."""
        path, _ = self._place(blob)
        if not path.exists():
            return set()
        with disk_problems(path), path.open("r+b") as file:
            self._sync(file)  # a process before this one may have been killed between both
        return {n for n, chunk in enumerate(self.read(blob, size)) if chunk is not None}

    def read(self, blob: bytes, size: int) -> Iterator[bytes | None]:
        """See `Shelf`."""
        path, key = self._place(blob)
        locker = Locker(key, blob, size)
        data = b""
        if path.exists():
            with disk_problems(path), path.open("rb") as file:
                data = file.read(HEADER_BYTES + chunk_count(size) * SLOT_BYTES)
        intact = data.startswith(locker.header)
        for index in range(chunk_count(size)):
            start, length = locker.place(index)
            yield locker.open(index, data[start : start + length]) if intact else None

    def put_parts(self, blob: bytes, size: int, parts: Sequence[Part]) -> None:
        """See `Shelf`."""
        path, key = self._place(blob)
        path = path.with_suffix(".part")
        locker = Locker(key, blob, size)
        data = b"".join(locker.seal_part(part, self._nonce(atrest.NONCE_BYTES)) for part in parts)
        with disk_problems(path), self._opened(path) as file:
            end = file.seek(0, os.SEEK_END)
            if end + len(data) > PARTS_FACTOR * size + SLOT_BYTES:
                file.seek(0)
                file.truncate()
            file.write(data)
            self._sync(file)

    def parts(self, blob: bytes, size: int) -> list[Part]:
        """See `Shelf`."""
        path, key = self._place(blob)
        path = path.with_suffix(".part")
        if not path.exists():
            return []
        with disk_problems(path):
            return list(Locker(key, blob, size).open_parts(path.read_bytes()))

    def drop_parts(self, blob: bytes) -> None:
        """See `Shelf`."""
        path, _ = self._place(blob)
        with disk_problems(path), contextlib.suppress(FileNotFoundError):
            path.with_suffix(".part").unlink()

    def delete(self, blob: bytes) -> None:
        """See `Shelf`."""
        path, _ = self._place(blob)
        self.drop_parts(blob)
        with disk_problems(path), contextlib.suppress(FileNotFoundError):
            path.unlink()

    def path(self, blob: bytes) -> Path:
        """Where a blob lies, or would."""
        return self._place(blob)[0]

    # -- what lies here

    def files(self) -> list[Path]:
        """Everything that lies in the folders of the shelf."""
        return sorted(self.folder.glob("??/*"))

    def strays(self, lying: Iterable[Path], named: Iterable[bytes]) -> list[Stray]:
        """Those of these files that are neither a named blob's nor its parts'."""
        known = {atrest.file_name(key, blob) for blob in named for key in self._keys}
        found: list[Stray] = []
        for path in lying:
            if path.stem not in known:
                with contextlib.suppress(FileNotFoundError):
                    about = path.stat()
                    found.append(Stray(path, about.st_size, int(about.st_mtime)))
        return found

    def remove(self, stray: Stray) -> bool:
        """Remove it if nobody has written it since. It is moved aside before that is looked at:
        who writes it at this very moment does not find it again, and says so."""
        aside = stray.path.with_suffix(".stray")
        stray.path.replace(aside)
        if int(aside.stat().st_mtime) != stray.at and not stray.path.exists():
            aside.replace(stray.path)
            return False
        aside.unlink()
        return True

    def _place(self, blob: bytes) -> tuple[Path, bytes]:
        """Path and key of a blob: those it was written with, else of the newest key."""
        places: Iterable[tuple[Path, bytes]] = ((self._path(key, blob), key) for key in self._keys)
        if len(self._keys) > 1:
            places = sorted(places, key=lambda place: not place[0].exists())
        return next(iter(places))

    def _path(self, key: bytes, blob: bytes) -> Path:
        name = atrest.file_name(key, blob)
        return self.folder / name[:2] / name

    @contextlib.contextmanager
    def _opened(self, path: Path) -> Iterator[BinaryIO]:
        """The file to be written into, at its beginning; made, with its folders, where needed."""
        fresh = not path.exists()
        if fresh:
            self._make(self.folder)
            self._make(path.parent)
            path.touch(mode=0o600)
        with path.open("r+b") as file:
            yield file
        if fresh:
            self._synced(lambda: sync_folder(path.parent))

    def _make(self, folder: Path) -> None:
        if not folder.exists():
            private_folder(folder)
            self._synced(lambda: sync_folder(folder.parent))

    def _sync(self, file: BinaryIO) -> None:
        file.flush()
        self._synced(lambda: os.fsync(file.fileno()))

    def _synced(self, sync: Callable[[], None]) -> None:
        """Sync; a medium that fails ends the process, one that is full does not."""
        try:
            sync()
        except OSError as error:
            if error.errno not in FULL:
                self._end(IO_MESSAGE)
            raise
