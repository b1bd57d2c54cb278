"""Backup: a second copy of everything central has, opened and checked before it counts as made.

A backup is a folder: the register copied in one moment while work goes on (from PostgreSQL row by
row into the same shape, so that one kind of backup is put back anywhere), central's keys sealed to
the office recovery key, and a list with sizes and hashes. Citizens' files lie beside the backups,
sealed as they are at central, once for all of them. A folder whose name does not end in `.part` is
whole.

What laptops may delete follows from backups alone: `durable_seq` is the number that stands inside a
finished, checked backup in the folder that was set up as another failure domain, on another disk.
The second journal (server.journal) does not count for that: it is not opened and checked as a
whole, and holds no citizens' files. A backup in that folder lets it go on in a new file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from sqlalchemy import insert, select

from models.problems import Problem
from server import VERSION
from server.blobs import FolderShelf
from server.database.engine import Database
from server.database.registry import Registry, open_registry
from server.database.tables import Table
from server.files import disk_problems, private_folder, sync_folder, write_new
from server.journal import Mark
from server.keys import Keys
from server.settings import Place
from sync import seal
from sync.identity import verifies
from sync.transfer import blob_name

FORMAT = 1
LIST_FILE, REGISTER_FILE, KEYS_FILE = "backup.json", "register.db", "keys.sealed"
FILES_FOLDER = "files"
LIST_BYTES_MAX = 64 * 1024
PART = ".part"
_PIECE = 1024 * 1024
_ROWS = 500


class Backup(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a backup says of itself; plain, without personal data. log: central's own. server_seq,
    head, incarnation: where it stood. sha256: of the register. at: Unix seconds. journal: name of
    the second journal, empty where none is kept; journal_n: its newest record that is in here.
    signature: central's, of all this, in hex; empty in a backup older than signing. What has its
    default is not written, so that a field of a later edition leaves older signatures true."""

    format: int
    version: str
    city: str
    log: str
    incarnation: str
    server_seq: int
    head: str
    sha256: str
    size: int
    at: int
    counts: dict[str, int]
    journal: str = ""
    journal_n: int = 0
    signature: str = ""


class Made(msgspec.Struct, frozen=True):
    """A finished backup. durable: it counts for what laptops may delete; why: if not, the reason
    ("unset", "elsewhere", "same_disk", "files"). copied: files that earlier backups lacked.
    missing: files that are not whole at central."""

    folder: Path
    backup: Backup
    durable: bool
    why: str
    copied: int
    missing: int


def make(place: Place, registry: Registry, keys: Keys, folder: Path, at: int) -> Made:
    """Copy everything into a new folder inside `folder`, check the copy by opening it, and only
    then let it count. Raises Problem backup.exists, backup.damaged, disk.full, disk.unwritable."""
    private_folder(folder)
    name = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    final, part = folder / name, folder / f"{name}{PART}"
    if final.exists():
        raise Problem("backup.exists", path=str(final))
    with disk_problems(part):
        shutil.rmtree(part, ignore_errors=True)
        private_folder(part)
        _copy(registry.database, part / REGISTER_FILE)
        _seal_keys(keys, part / KEYS_FILE)
        backup, copied, missing = _checked(place, keys, part, folder, at)
        proof = keys.identity.sign(_said(backup)).hex()
        backup = msgspec.structs.replace(backup, signature=proof)
        write_new(part / LIST_FILE, msgspec.json.format(msgspec.json.encode(backup)) + b"\n")
        sync_folder(part)
        part.rename(final)
        sync_folder(folder)
    why = _why_not(place, folder, missing)
    _counts(registry, backup, why)
    return Made(final, backup, not why, why, copied, missing)


def _counts(registry: Registry, backup: Backup, why: str) -> None:
    """A checked backup moves the mark of what may be deleted, if it is durable; and the journal
    goes on in a new file, if the backup lies where backups belong. Two backups' worth is kept."""
    if why in ("unset", "elsewhere"):
        return
    if not why:
        with registry.write() as door:
            door.durable(bytes.fromhex(backup.incarnation), backup.server_seq)
    copied = Mark(bytes.fromhex(backup.journal), n=backup.journal_n)
    with registry.write() as door:  # alone: a new file is begun only once this is committed
        before = door.backed_up(copied)
    if registry.journal is not None and before.name == copied.name:
        registry.journal.forget(before.name, before.backed)


def read(folder: Path) -> Backup:
    """The list of a finished backup, its register compared with it. Problems backup.none,
    backup.damaged."""
    path = folder / LIST_FILE
    if folder.name.endswith(PART) or not path.is_file():
        raise Problem("backup.none", path=str(folder))
    try:
        backup = msgspec.json.decode(path.read_bytes()[:LIST_BYTES_MAX], type=Backup)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Problem("backup.damaged", path=str(folder), why=LIST_FILE) from None
    register = folder / REGISTER_FILE
    if backup.format != FORMAT:
        raise Problem("backup.damaged", path=str(folder), why=f"format {backup.format}")
    if not register.is_file() or digest(register) != backup.sha256:
        raise Problem("backup.damaged", path=str(folder), why=REGISTER_FILE)
    return backup


def is_signed(backup: Backup, keys: Keys) -> bool:
    """Is it as central made it? Whoever keeps the medium could change the register and its list,
    and be somebody at the office once it is put back."""
    try:
        proof = bytes.fromhex(backup.signature)
    except ValueError:
        return False
    return verifies(keys.identity.sign_key, _said(backup), proof)


def _said(backup: Backup) -> bytes:
    """What is signed."""
    return b"jb1-backup" + msgspec.json.encode(msgspec.structs.replace(backup, signature=""))


@contextlib.contextmanager
def opened(path: Path, city: str) -> Iterator[Registry]:
    """A register in a file."""
    registry = open_registry(f"sqlite:///{path.as_posix()}", city)
    try:
        yield registry
    finally:
        registry.close()


def copy_rows(source: Database, target: Database) -> None:
    """All rows of one database into another, empty one of the same shape, in one transaction."""
    with source.reading() as reading, target.writing() as writing:
        for table in Table.metadata.sorted_tables:
            for rows in reading.execute(select(table)).mappings().partitions(_ROWS):
                writing.execute(insert(table), [dict(row) for row in rows])


def synced(path: Path) -> None:
    """Make what stands in a file durable."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


# -- making


def _copy(source: Database, path: Path) -> None:
    """One moment of the register, as one file."""
    if source.sqlite:
        with (
            contextlib.closing(sqlite3.connect(source.url.database or "")) as here,
            contextlib.closing(sqlite3.connect(path)) as there,
        ):
            here.backup(there)
    else:
        with opened(path, "") as target:
            target.migrate()
            copy_rows(source, target.database)
    path.chmod(0o600)


def _seal_keys(keys: Keys, path: Path) -> None:
    """Central's keys, for whoever has the office recovery key."""
    plain = msgspec.msgpack.encode([keys.sign, keys.seal, keys.recovery_key])
    write_new(path, seal.seal(plain, keys.recovery_key, "escrow"))


def _checked(
    place: Place, keys: Keys, part: Path, folder: Path, at: int
) -> tuple[Backup, int, int]:
    """Open the copy: its chains hold, it is this central's, and its files are beside it."""
    register = part / REGISTER_FILE
    with opened(register, place.settings.city) as copy:
        copy.check()
        with copy.read() as door:
            found, standing = door.verify(), door.standing()
            blobs, own, mark = door.whole_blobs(), door.log(keys.log), door.journal()
        if found.broken or own is None:
            chain = found.broken[0].chain if found.broken else "log"
            raise Problem("backup.damaged", path=str(part), why=chain)
    with contextlib.closing(sqlite3.connect(register)) as last:
        last.execute("pragma journal_mode = delete")  # one file, nothing beside it
    synced(register)
    copied, missing = _files(place, keys, folder, [(blob.id, blob.size) for blob in blobs])
    counts = {"decisions": found.decisions, "logs": found.logs, "entries": found.entries}
    counts |= {"requests": found.requests, "cases": found.cases, "files": len(blobs)}
    backup = Backup(
        FORMAT, VERSION, place.settings.city, keys.log.hex(), standing.incarnation.hex(),
        standing.server_seq, standing.head.hex(), digest(register), register.stat().st_size, at,
        counts, mark.name.hex(), mark.n,
    )  # fmt: skip
    return backup, copied, missing


def _files(
    place: Place, keys: Keys, folder: Path, blobs: list[tuple[bytes, int]]
) -> tuple[int, int]:
    """Copy the files that earlier backups lack and open each copy; gives how many were copied and
    how many are not whole."""
    here = FolderShelf(place.files_folder, [keys.files_key])
    there = FolderShelf(folder / FILES_FOLDER, [keys.files_key])
    copied = missing = 0
    for blob, size in blobs:
        source, target = here.path(blob), there.path(blob)
        sizes = {path.stat().st_size for path in (source, target) if path.exists()}
        if target.exists() and source.exists() and len(sizes) == 1:
            continue
        if source.exists():
            private_folder(target.parent)
            half = target.with_suffix(".half")
            shutil.copyfile(source, half)
            half.chmod(0o600)
            synced(half)
            half.replace(target)
            sync_folder(target.parent)
            copied += 1
        missing += not is_whole(there, blob, size)
    return copied, missing


def is_whole(shelf: FolderShelf, blob: bytes, size: int) -> bool:
    """Is all of a file there, and does it hash to its name?"""
    chunks = list(shelf.read(blob, size))
    if any(chunk is None for chunk in chunks):
        return False
    hashes = b"".join(hashlib.sha256(chunk or b"").digest() for chunk in chunks)
    return blob_name(size, hashes) == blob


def _why_not(place: Place, folder: Path, missing: int) -> str:
    """Why this backup does not say what laptops may delete; empty if it does."""
    if not place.settings.backup_folder:
        return "unset"
    if folder.resolve() != Path(place.settings.backup_folder).resolve():
        return "elsewhere"
    if folder.stat().st_dev in {place.folder.stat().st_dev, *_devices(place)}:
        return "same_disk"
    return "files" if missing else ""


def _devices(place: Place) -> set[int]:
    """Disks on which central itself lies, as far as it can be seen from here."""
    found = [place.files_folder]
    if place.database_url.startswith("sqlite:///"):
        found.append(Path(place.database_url.removeprefix("sqlite:///")).parent)
    return {path.stat().st_dev for path in found if path.exists()}


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            whole.update(piece)
    return whole.hexdigest()
