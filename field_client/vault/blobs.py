"""Files beside the database, each under its own key: written whole and durable, or not at all.

The key comes from the database key, so whoever can open the one can open the other, and shredding
the operators' wraps closes both. The file's name on the disk is keyed too. Nothing is ever written
unsealed, not even for a moment.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from field_client.vault.files import disk_problems, private_folder, write_atomically
from models.problems import Problem
from sync import atrest
from sync.atrest import HEADER_BYTES, Locker
from sync.transfer import CHUNK_BYTES, chunk_count, manifest_of

FOLDER = "attachments"
HALF = ".tmp"
"""What `write_atomically` writes before it renames."""

STRAY_SECONDS = 30 * 86_400


class Blobs:
    """The folder of sealed files."""

    def __init__(self, folder: Path, database_key: bytes) -> None:
        """folder: of the vault."""
        self.folder = folder / FOLDER
        self._key = atrest.house_key(database_key, b"vault")

    def path(self, blob: bytes) -> Path:
        """Where a file lies, whether it is there or not."""
        return self.folder / atrest.file_name(self._key, blob)

    def put(self, data: bytes) -> bytes:
        """Keep a file, durable when this returns; gives its name. Again it changes nothing."""
        blob = manifest_of(data).blob
        private_folder(self.folder)
        write_atomically(self.path(blob), Locker(self._key, blob, len(data)).whole(data))
        return blob

    def read(self, blob: bytes, size: int, start: int, end: int) -> bytes:
        """Bytes [start, end) of a file. Problem blob.damaged when they cannot be had."""
        locker = Locker(self._key, blob, size)
        first = start // CHUNK_BYTES
        found = b""
        try:
            with self.path(blob).open("rb") as file:
                intact = file.read(HEADER_BYTES) == locker.header
                for index in range(first, chunk_count(end)):
                    place, length = locker.place(index)
                    file.seek(place)
                    chunk = locker.open(index, file.read(length)) if intact else None
                    if chunk is None:
                        raise Problem("blob.damaged", blob=blob.hex()[:8])
                    found += chunk
        except OSError as error:
            raise Problem("blob.damaged", blob=blob.hex()[:8]) from error
        skip = first * CHUNK_BYTES
        return found[start - skip : end - skip]

    def whole(self, blob: bytes, size: int) -> bytes:
        """A whole file, checked against its name. Problem blob.damaged."""
        data = self.read(blob, size, 0, size)
        if manifest_of(data).blob != blob:
            raise Problem("blob.damaged", blob=blob.hex()[:8])
        return data

    def is_whole(self, blob: bytes, size: int) -> bool:
        """Can all of a file be read, and is it the file of that name?"""
        try:
            return len(self.whole(blob, size)) == size
        except Problem:
            return False

    def drop(self, blob: bytes) -> None:
        """Remove a file; one that is gone already is no error."""
        with disk_problems(self.path(blob)), contextlib.suppress(FileNotFoundError):
            self.path(blob).unlink()

    def tidy(self, kept: Iterable[bytes], at: int) -> int:
        """Remove what a kill left behind: half-written files at once, and files that no request
        knows after a month, because a database put back from an older copy does not know its newest
        files. Nobody may be writing meanwhile. at: now, Unix seconds. Gives how many."""
        if not self.folder.is_dir():
            return 0
        names = {self.path(blob).name for blob in kept}
        gone = 0
        for path in self.folder.iterdir():
            half = path.suffix == HALF
            if path.name not in names and (half or path.stat().st_mtime < at - STRAY_SECONDS):
                path.unlink(missing_ok=True)
                gone += 1
        return gone

    def size(self) -> int:
        """Bytes on the disk."""
        if not self.folder.is_dir():
            return 0
        return sum(path.stat().st_size for path in self.folder.iterdir())
