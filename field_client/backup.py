"""Backup and restore: the whole vault, still encrypted, on a second medium.

A backup is a folder: the database copied in one moment, the keys that PINs open, the encrypted
files of requests, what is carried for others, and a list of all that with sizes and hashes. It is
opened and counted before it counts as made. Nobody can read it without a PIN of the laptop, or the
office's recovery key.

A laptop that was put back must not go on numbering where the copy ended, since the lost laptop may
have written more: it opens a new log before its next change (`succession.after_copy`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from field_client.app import DATABASE_FILE
from field_client.bundles import CARRIED_FOLDER
from field_client.inbox import INBOX_FOLDER
from field_client.settings import SETTINGS_FILE
from field_client.transports.usb import (
    FULL,
    Progress,
    check_room,
    digest_of,
    stick_problems,
    unwatched,
)
from field_client.vault.files import disk_problems, private_folder, sync_folder
from field_client.vault.mark import MarkFile
from field_client.vault.store import Store
from models.problems import Problem

FORMAT = 1
LIST_FILE = "backup.json"
LIST_BYTES_MAX = 64 * 1024 * 1024
MARK_FILE = "log.mark"
KEY_FILES = ("keys.json", "keys.copy.json")
FOLDERS = ("attachments", INBOX_FOLDER, CARRIED_FOLDER)
"""What lies beside the database and belongs to it."""

_UNDER_WAY = "restore.part"
_PIECE = 1024 * 1024
_COUNTS = {"entries": "entries", "requests": "requests", "logs": "logs", "residents": "residents"}
"""Name in the list -> table."""


class Listed(msgspec.Struct, frozen=True):
    """A file of a backup. sha256: in hex."""

    name: str
    size: int
    sha256: str


class Backup(msgspec.Struct, frozen=True):
    """The list of a backup: plain, without personal data. log, seq, head: where its newest log
    stood. at: Unix seconds. counts: rows that were read when it was verified."""

    format: int
    vault: str
    log: str
    seq: int
    at: int
    counts: dict[str, int]
    files: list[Listed]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


class BackedUp(msgspec.Struct, frozen=True):
    """That there is a copy on a second medium. at: Unix seconds of the newest."""

    at: int


# -- making


def back_up(
    store: Store, folder: Path, target: Path, at: int, progress: Progress = unwatched
) -> tuple[Path, Backup]:
    """Copy the vault in `folder` to a new folder inside `target`; gives that folder and its list.

    It gets its name only when everything was written, read back, opened and counted. Problems:
    usb.absent, usb.full, usb.readonly, usb.gone, usb.verify; nothing is left there then.
    """
    beside = list(_beside(folder))
    check_room(target, store.engine.size() + sum(path.stat().st_size for path in beside))
    vault = store.log()
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y%m%d-%H%M%S")
    final = target / f"jemput-backup-{vault.id.hex()[:8]}-{moment}"
    if final.exists():
        raise Problem("file.exists", path=final.name)
    temporary = target / f".{final.name}.tmp"
    try:
        with stick_problems(target, store.engine.size()):
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(mode=0o700)
            made = _make(store, folder, temporary, beside, at, progress)
            temporary.replace(final)
            sync_folder(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    store.remember(BackedUp(at))
    return final, made


def _beside(folder: Path) -> Iterator[Path]:
    """Files of the vault besides the database."""
    for name in (*KEY_FILES, SETTINGS_FILE):
        if (folder / name).is_file():
            yield folder / name
    for name in FOLDERS:
        if (folder / name).is_dir():
            yield from sorted(path for path in (folder / name).iterdir() if path.is_file())


def _make(
    store: Store, folder: Path, made: Path, beside: list[Path], at: int, progress: Progress
) -> Backup:
    database = made / DATABASE_FILE
    _copy_database(store, database)
    files = [Listed(DATABASE_FILE, database.stat().st_size, digest_of(database))]
    total = files[0].size + sum(path.stat().st_size for path in beside)
    done = files[0].size
    progress("write", done, total)
    for path in beside:
        name = path.relative_to(folder).as_posix()
        (made / name).parent.mkdir(mode=0o700, exist_ok=True)
        size, digest = _copy(path, made / name)
        files.append(Listed(name, size, digest))
        done += size
        progress("write", done, total)
    counts, log, seq = _look_inside(store, database)
    listed = Backup(FORMAT, store.engine.vault.hex(), log.hex(), seq, at, counts, files)
    _write(made / LIST_FILE, msgspec.json.format(msgspec.json.encode(listed)))
    _check(made, listed, "usb.verify", progress)
    for name in FOLDERS:
        if (made / name).is_dir():
            sync_folder(made / name)
    sync_folder(made)
    return listed


def _copy_database(store: Store, path: Path) -> None:
    try:
        store.engine.copy_to(path)
    except Problem as problem:
        raise _of_the_stick(problem, path.parent) from problem
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _of_the_stick(problem: Problem, folder: Path) -> Problem:
    """What the database says of a full or pulled medium, in the words of the stick's holder."""
    if problem.code == "disk.full":
        try:
            check_room(folder, 1 << 62)
        except Problem as full:
            return full
    if problem.code == "disk.unwritable":
        return Problem("usb.readonly", folder=str(folder))
    return Problem("usb.gone") if problem.code == "disk.error" else problem


def _look_inside(store: Store, path: Path) -> tuple[dict[str, int], bytes, int]:
    """Open the copy with the vault's key, check every page, and count. Problem usb.verify."""
    try:
        with store.engine.opened_copy(path) as copy:
            faults = copy.execute("pragma cipher_integrity_check").fetchall()
            faults += [r for r in copy.execute("pragma quick_check").fetchall() if r[0] != "ok"]
            counts = {
                name: int(copy.execute(f"select count(*) from {table}").fetchone()[0])  # noqa: S608
                for name, table in _COUNTS.items()
            }
            newest = "select id, seq from logs order by number desc limit 1"
            log, seq = copy.execute(newest).fetchone()
    except Problem as problem:
        raise Problem("usb.verify", file=path.name) from problem
    if faults:
        raise Problem("usb.verify", file=path.name)
    return counts, bytes(log), int(seq)


# -- putting back


def read_list(source: Path) -> Backup:
    """The list of a backup. Problems: backup.absent, backup.altered, backup.version."""
    path = source / LIST_FILE
    with stick_problems(source):
        if not path.is_file():
            raise Problem("backup.absent", folder=str(source))
        with path.open("rb") as file:
            data = file.read(LIST_BYTES_MAX)
    try:
        said = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        number = msgspec.json.decode(said["format"], type=int)
        if number > FORMAT:
            raise Problem("backup.version", version=number)
        return msgspec.json.decode(data, type=Backup)
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError):
        raise Problem("backup.altered", folder=str(source), file=LIST_FILE) from None


def put_back(source: Path, folder: Path, progress: Progress = unwatched) -> Backup:
    """Make `folder`, where no vault is yet, the vault of a backup. Everything is checked before the
    first byte is written. The keys come last: until then one that was cut short is simply done
    again, from then on the vault is whole.

    Problems: backup.*, vault.exists, disk.*, usb.gone.
    """
    listed = read_list(source)
    under_way = folder / _UNDER_WAY
    keys = any((folder / name).exists() for name in KEY_FILES)
    if keys or ((folder / DATABASE_FILE).exists() and not under_way.exists()):
        raise Problem("vault.exists", path=str(folder))
    for file in listed.files:
        if not _is_ours(file.name):
            raise Problem("backup.altered", folder=str(source), file=LIST_FILE)
    _check(source, listed, "backup.altered", unwatched)
    private_folder(folder)
    if shutil.disk_usage(folder).free < listed.size:
        raise Problem("disk.full", path=str(folder))
    with disk_problems(folder):
        _write(under_way, b"")
        (folder / MARK_FILE).unlink(missing_ok=True)
        # A mark that fits no log: the database is from a copy, whatever log it ends with.
        MarkFile(folder / MARK_FILE).write(bytes(16), 0, bytes(32))
        done = 0
        for file in sorted(listed.files, key=_keys_last):
            private_folder((folder / file.name).parent)
            _place(source / file.name, folder / file.name, file)
            done += file.size
            progress("write", done, listed.size)
        under_way.unlink()
        sync_folder(folder)
    return listed


def _is_ours(name: str) -> bool:
    """Whether a vault has a file of that name. A list from a stick may name any; what the program
    reads for other ends (compiled pages, which are code) is not put there by it."""
    if name in (DATABASE_FILE, SETTINGS_FILE, *KEY_FILES):
        return True
    folder, _, plain = name.partition("/")
    return folder in FOLDERS and plain not in ("", ".", "..") and not {"/", "\\"} & {*plain}


def _keys_last(file: Listed) -> tuple[bool, bool, str]:
    return file.name in KEY_FILES, file.name == KEY_FILES[-1], file.name


def _place(source: Path, target: Path, file: Listed) -> None:
    temporary = target.with_name(f"{target.name}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        found = _copy(source, temporary)
    except OSError as error:
        if error.errno in FULL:
            raise Problem("disk.full", path=str(target)) from error
        raise Problem("usb.gone") from error
    if found != (file.size, file.sha256):
        temporary.unlink()
        raise Problem("backup.altered", folder=str(source.parent), file=file.name)
    temporary.replace(target)
    sync_folder(target.parent)


def _check(folder: Path, listed: Backup, code: str, progress: Progress) -> None:
    """Read every file of the list and compare."""
    done = 0
    for file in listed.files:
        path = folder / file.name
        with stick_problems(folder):
            inside = path.resolve().is_relative_to(folder.resolve())
            same = inside and path.is_file() and path.stat().st_size == file.size
            if not same or digest_of(path) != file.sha256:
                raise Problem(code, folder=str(folder), file=file.name)
        done += file.size
        progress("verify", done, listed.size)


def _copy(source: Path, target: Path) -> tuple[int, str]:
    """Copy a file durably; gives its size and SHA-256 in hex."""
    whole, size = hashlib.sha256(), 0
    with source.open("rb") as read, target.open("xb") as written:
        target.chmod(0o600)
        while piece := read.read(_PIECE):
            whole.update(piece)
            size += len(piece)
            written.write(piece)
        written.flush()
        os.fsync(written.fileno())
    return size, whole.hexdigest()


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        path.chmod(0o600)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
