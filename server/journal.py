"""The second journal: everything written at central since the last backup, in a file of its own.

A restore is a backup and this journal: each transaction of the register is appended here, sealed,
chained and synced, before it is committed there. So what laptops were promised survives the disk of
the register, and what staff decided after last night's backup comes back too.

    <name>-<number>.jbj   header, then records: length (4) | nonce (12) | sealed | chain value (32)

`name` is drawn when a journal is begun; `number` is that of the record before the first one in the
file. h_n = SHA-256("jb1-journal" | h_{n-1} | length | nonce | sealed). Where the journal stands (a
`Mark`) is written into the register in the same transaction that it tells of. Therefore at most one
record can be beyond the mark: that of a transaction that was never committed. The next writer cuts
it off. More than one means that somebody put an older database back.

The journal says nothing about what laptops may delete: only a checked backup does (server.backup).
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from models.problems import Problem
from server.database.engine import end_process
from server.files import FULL, private_folder, sync_folder
from server.keys import Entropy
from sync.atrest import NONCE_BYTES, house_key

FORMAT = 1
MAGIC = b"JBJ1"
SUFFIX = ".jbj"
NAME_BYTES = 8
HEAD_BYTES = 32
HEADER_BYTES_MAX = 4096
_FIRST_BYTES = len(MAGIC) + 4

IO_MESSAGE = (
    "Jurnal kedua gagal ditulis ke medianya; pusat dihentikan. Periksa media itu sebelum "
    "menjalankan lagi; yang sudah dikonfirmasi kepada laptop tetap aman."
)

log_lines = structlog.get_logger(__name__)


class Mark(msgspec.Struct, frozen=True):
    """Where the journal stands.

    name: of the journal, empty where none is kept. segment: number before the first record of its
    newest file, of which `size` bytes count; 0 while that file is not begun. n, head: number and
    chain value of the newest record. backed: number that the newest checked backup holds, -1 where
    there is none of this journal. follows: name of the one that ended where this one begins, for
    want of its medium or of the setting; something may have been written in between.
    """

    name: bytes = b""
    segment: int = 0
    size: int = 0
    n: int = 0
    head: bytes = bytes(HEAD_BYTES)
    backed: int = -1
    follows: bytes = b""

    def ended(self) -> Mark:
        """No journal is kept from here on; the next one says that it follows this one."""
        return Mark(n=self.n, follows=self.name or self.follows)


class Header(msgspec.Struct, frozen=True, array_like=True):
    """First thing in a file: plain, without personal data. log: central's own. n, head: of the
    record before the first one. at: Unix seconds. follows: see `Mark`."""

    format: int
    city: str
    log: bytes
    name: bytes
    n: int
    head: bytes
    at: int
    follows: bytes = b""


class Written(msgspec.Struct, frozen=True, array_like=True):
    """One transaction. at: central's clock. revision: of the tables it was written to. steps: see
    `server.database.journaled`."""

    n: int
    at: int
    revision: str
    steps: list[Any]


class Journal:
    """Writes one city's journal into a folder. Whoever appends holds the register's lock."""

    def __init__(
        self,
        folder: Path,
        city: str,
        log: bytes,
        secret: bytes,
        revision: str,
        entropy: Entropy,
        clock: Callable[[], int],
        end: Callable[[str], Any] = end_process,
    ) -> None:
        self.folder = folder
        self.city = city
        self.log = log
        self.revision = revision
        self.entropy = entropy
        self.clock = clock
        self.end = end
        self._key = key_of(secret)

    def append(self, mark: Mark, steps: list[Any]) -> Mark:
        """Write a transaction behind `mark`, durable when this returns; gives the new mark, to be
        committed with it. One without a name begins a new journal. Problems: journal.ahead,
        journal.full, journal.unwritable; nothing may be committed then."""
        mark = mark if mark.name else self._begun(mark)
        if any(number > mark.segment for number, _ in segments(self.folder, mark.name)):
            raise Problem("journal.ahead", path=str(self.folder))
        at = self.clock()
        plain = msgspec.msgpack.encode(Written(mark.n + 1, at, self.revision, steps))
        nonce = self.entropy(NONCE_BYTES)
        sealed = nonce + self._key.encrypt(nonce, plain, _about(mark.name, mark.n + 1))
        size = len(sealed).to_bytes(4, "big")
        head = _link(mark.head, size, sealed)
        try:
            return self._write(mark, size + sealed + head, head, at)
        except OSError as error:
            code = "journal.full" if error.errno in FULL else "journal.unwritable"
            raise Problem(code, path=str(self.folder)) from error

    def is_here(self, mark: Mark) -> bool:
        """Is all that `mark` counts on the medium? A file that is not begun yet is. Problem
        journal.absent without the medium."""
        if not self.folder.is_dir():
            raise Problem("journal.absent", path=str(self.folder))
        if not mark.size:
            return True
        path = path_of(self.folder, mark)
        there = path.stat().st_size if path.exists() else -1
        if there < mark.size:
            log_lines.error("journal_lost", path=str(path), bytes=max(there, 0), of=mark.size)
        return there >= mark.size

    def forget(self, name: bytes, upto: int) -> None:
        """Remove files of which every record is in two checked backups: up to number `upto`."""
        files = segments(self.folder, name)
        for (_, path), (following, _) in itertools.pairwise(files):
            if following <= upto:
                path.unlink(missing_ok=True)

    def _begun(self, mark: Mark) -> Mark:
        """A new journal goes on from here; it lacks what was written before."""
        private_folder(self.folder)
        name, head = self.entropy(NAME_BYTES), self.entropy(HEAD_BYTES)
        return Mark(name, mark.n, 0, mark.n, head, follows=mark.follows)

    def _write(self, mark: Mark, record: bytes, head: bytes, at: int) -> Mark:
        path, start = path_of(self.folder, mark), mark.size
        if not start:
            header = Header(
                FORMAT, self.city, self.log, mark.name, mark.n, mark.head, at, mark.follows
            )
            record = _first(header) + record
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            self._cut(file, mark)
            file.seek(start)
            file.write(record)
            file.flush()
            try:
                os.fsync(file.fileno())
            except OSError:
                self.end(IO_MESSAGE)
                raise
        if not start:
            sync_folder(self.folder)
        return msgspec.structs.replace(mark, size=start + len(record), n=mark.n + 1, head=head)

    def _cut(self, file: BinaryIO, mark: Mark) -> None:
        """Cut off the record of a transaction that was never committed, if there is one. Problem
        journal.ahead where more than that follows."""
        if file.seek(0, os.SEEK_END) <= mark.size:
            return
        file.seek(mark.size)
        beyond = file.read()
        start = 0 if mark.size else _after_header(beyond)
        end = start + 4 + int.from_bytes(beyond[start : start + 4], "big")
        link = _link(mark.head, beyond[start : start + 4], beyond[start + 4 : end])
        after = end + HEAD_BYTES
        if link == beyond[end:after] and len(beyond) > after:
            raise Problem("journal.ahead", path=str(self.folder))
        file.truncate(mark.size)


# -- reading


class Replayed(msgspec.Struct, frozen=True):
    """What a restore took from the journal: records first..last (0 for none), the newest of them
    written `at`. why: empty when it was whole; "off" (none was kept when the backup was made),
    "absent" (its files are not in that folder), "behind" (it ends before the backup), "gap" (it
    ended, and another one was begun later), "torn" (the last record was cut short: `cut` bytes) or
    "damaged" (a record in the middle cannot be read: those after it, `cut` bytes, are lost)."""

    why: str = ""
    first: int = 0
    last: int = 0
    at: int = 0
    cut: int = 0


class Reader:
    """Reads the records after a mark, in order, until nothing follows; then `found` says why."""

    def __init__(self, folder: Path | None, mark: Mark, secret: bytes) -> None:
        self.folder = folder
        self.mark = mark
        self.found = Replayed()
        self._key = key_of(secret)

    def __iter__(self) -> Iterator[Written]:
        if not self.mark.name:
            self.found = Replayed("off")
            return
        files = segments(self.folder, self.mark.name) if self.folder is not None else []
        here, numbers = self.mark, {number for number, _ in files}
        if here.segment not in numbers and here.n in numbers:  # its file held nothing after it
            here = msgspec.structs.replace(here, segment=here.n, size=0)
        if here.segment not in numbers:
            # After a rotation the file of the mark is only begun by the next transaction.
            begun = files and not here.size
            self.found = Replayed("" if begun else "absent")
            if begun:
                self._look_for_next()
            return
        files = [file for file in files if file[0] >= here.segment]
        for place, (number, path) in enumerate(files):
            data = path.read_bytes()
            size = here.size if place == 0 and here.size else _after_header(data)
            here = msgspec.structs.replace(here, size=size)
            if number > here.n or not 0 < size <= len(data):
                self._stop("behind" if place == 0 else "damaged", len(data))
                return
            for written, after in self._records(data, here):
                here = after
                self.found = Replayed("", self.found.first or here.n, here.n, written.at)
                yield written
            if here.size < len(data):
                torn = place == len(files) - 1 and _is_torn(data, here.size)
                self._stop("torn" if torn else "damaged", len(data) - here.size)
                return
        self._look_for_next()

    def _look_for_next(self) -> None:
        """Was another journal begun after this one? What was written in between is in neither."""
        assert self.folder is not None
        for path in self.folder.glob(f"*{SUFFIX}"):
            header = header_of(path)
            if header is not None and header.follows == self.mark.name:
                self._stop("gap", 0)

    def refuse(self) -> None:
        """The record that was just read cannot be carried out: it and those after it are lost."""
        last = self.found.last - 1
        first = self.found.first if last >= self.found.first else 0
        self.found = Replayed("damaged", first, last if first else 0, self.found.at)

    def _stop(self, why: str, cut: int) -> None:
        self.found = msgspec.structs.replace(self.found, why=why, cut=cut)

    def _records(self, data: bytes, here: Mark) -> Iterator[tuple[Written, Mark]]:
        """Records from a place in a file on, each with the place after it."""
        while True:
            at, n = here.size, here.n + 1
            end = at + 4 + int.from_bytes(data[at : at + 4], "big")
            if at + 4 + NONCE_BYTES > end or end + HEAD_BYTES > len(data):
                return
            size, sealed = data[at : at + 4], data[at + 4 : end]
            head = _link(here.head, size, sealed)
            if head != data[end : end + HEAD_BYTES]:
                return
            try:
                nonce, about = sealed[:NONCE_BYTES], _about(self.mark.name, n)
                plain = self._key.decrypt(nonce, sealed[NONCE_BYTES:], about)
                written = msgspec.msgpack.decode(plain, type=Written)
            except (InvalidTag, msgspec.DecodeError):
                return
            here = msgspec.structs.replace(here, n=n, head=head, size=end + HEAD_BYTES)
            yield written, here


def segments(folder: Path, name: bytes) -> list[tuple[int, Path]]:
    """Files of the journal of that name, each with the number before its first record, in order."""
    found = folder.glob(f"{name.hex()}-*{SUFFIX}") if folder.is_dir() else []
    numbered = ((path.stem.partition("-")[2], path) for path in found)
    return sorted((int(number), path) for number, path in numbered if number.isdigit())


def path_of(folder: Path, mark: Mark) -> Path:
    """The newest file of a journal."""
    return folder / f"{mark.name.hex()}-{mark.segment:016d}{SUFFIX}"


def header_of(path: Path) -> Header | None:
    """What a file says of itself; None where that is not whole."""
    with path.open("rb") as file:
        data = file.read(HEADER_BYTES_MAX)
    end = _after_header(data)
    if not end:
        return None
    try:
        return msgspec.msgpack.decode(data[_FIRST_BYTES : end - HEAD_BYTES], type=Header)
    except msgspec.DecodeError:
        return None


def key_of(secret: bytes) -> AESGCM:
    """The key of the journal, from central's own sealing key."""
    return AESGCM(house_key(secret, b"journal"))


def _is_torn(data: bytes, at: int) -> bool:
    """Is there nothing after a record that does not fit? A power cut may leave zeros, too."""
    end = at + 4 + int.from_bytes(data[at : at + 4], "big") + HEAD_BYTES
    return end >= len(data) or not any(data[at:])


def _first(header: Header) -> bytes:
    packed = msgspec.msgpack.encode(header)
    return MAGIC + len(packed).to_bytes(4, "big") + packed + hashlib.sha256(packed).digest()


def _after_header(data: bytes) -> int:
    """Where the records of a file begin; 0 where its header is not whole."""
    end = _FIRST_BYTES + int.from_bytes(data[len(MAGIC) : _FIRST_BYTES], "big")
    packed = data[_FIRST_BYTES:end]
    whole = data[end : end + HEAD_BYTES] == hashlib.sha256(packed).digest()
    return end + HEAD_BYTES if data.startswith(MAGIC) and whole else 0


def _link(head: bytes, size: bytes, sealed: bytes) -> bytes:
    return hashlib.sha256(b"jb1-journal" + head + size + sealed).digest()


def _about(name: bytes, n: int) -> bytes:
    return b"jb1-journal" + name + n.to_bytes(8, "big")
