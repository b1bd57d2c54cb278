"""Restoring: central goes on from a backup, and nobody is told that nothing happened.

What was decided after the backup comes back from the second journal, as far as that reaches; the
rest is void. Laptops bring their work again; central gets a new name and fresh numbers, so that
nothing of the two histories is ever mixed up (sync/lineage.py). An open
case says what happened, and intake stays closed until a supervisor looked at the list of laptops: a
laptop that was reported lost after the backup would be trusted again otherwise.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec

from models.changes import Change, Incident, raw
from models.people import Act, require
from models.problems import Problem
from server import backup as backups
from server import keys as keys_file
from server import recovery
from server import settings as settings_file
from server.auth import roles
from server.backup import KEYS_FILE, REGISTER_FILE, Backup
from server.blobs import FolderShelf
from server.database.journaled import mark_of, replay
from server.database.people import Person
from server.database.recoveries import Facts
from server.database.registry import Registry, open_registry
from server.files import disk_problems, private_folder, sync_folder
from server.journal import Mark, Reader, Replayed
from server.keys import Entropy, Keys, Recovery
from server.ledger import Ledger
from server.settings import DATABASE_FILE, Place
from sync import seal
from sync.identity import Identity
from sync.lineage import fresh_base
from sync.logs import HEAD_WIRE_BYTES
from sync.messages import Branch

INCARNATION_BYTES = 16
BLOCKS_SKIPPED = 256
"""Blocks of tracking codes that may have been given out after the backup."""

ORDERS_SKIPPED = 1000
"""Orders a log may have been given after the backup; a number is acted on once."""


class Intake:
    """Is work taken in? Asked before every request; once open it stays open for this process."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._open = False

    def check(self) -> None:
        """Problem office.unconfirmed after a restore that nobody confirmed."""
        if self._open:
            return
        with self.registry.read() as door:
            if door.unconfirmed() is not None:
                raise Problem("office.unconfirmed")
        self._open = True


def go_on(
    registry: Registry, central: bytes, entropy: Entropy, at: int, durable: int | None = None,
    given: int = 0,
) -> Branch:  # fmt: skip
    """Make a register that was put back into the next history of central, in one commit. central:
    id of its own log. durable: number that the backup held, by default all of it. given: highest
    number that is known to have been given beyond it."""
    with registry.write() as door:
        before = door.standing()
        base = fresh_base(max(before.server_seq, given), entropy(1)[0])
        name, head = entropy(INCARNATION_BYTES), before.head[:HEAD_WIRE_BYTES]
        branch = Branch(name, before.incarnation, before.server_seq, head, base)
        kept = before.server_seq if durable is None else durable
        door.restored(branch, before.head, at, kept)
        door.jump(BLOCKS_SKIPPED, ORDERS_SKIPPED)
        door.keep_journal(Mark())  # the next one begins anew, under another name
        door.lock()
        note = f"{before.incarnation.hex()} {before.server_seq} -> {name.hex()} {base}"
        door.await_logs(name, {})
        incident = Change(
            "incident", b"", 0, 1, "", 0, 0, at, at, 0, 0, 0, None, raw(Incident("restore", note))
        )
        result, _ = Ledger(registry, central).write_in(door, incident, at, "system")
        facts = Facts(before.server_seq, base, before.incarnation, at)
        door.keep_recovery(name, result.case, facts)
        door.audit("restore", "office.restored", name.hex(), {"from": before.server_seq}, at)
    return branch


def confirm(registry: Registry, me: Person, at: int) -> list[str]:
    """A supervisor has looked at the list of laptops: open intake. Gives their names; Problem
    restore.none where nothing waits for that."""
    require(roles(me), Act.CONFIRM_RESTORE)
    with registry.write() as door:
        branch = door.unconfirmed()
        if branch is None:
            raise Problem("restore.none")
        names = [device.name for device in door.devices()]
        door.confirm(branch.incarnation, me.login)
        target = branch.incarnation.hex()
        door.audit(me.login, Act.CONFIRM_RESTORE, target, {"n": len(names)}, at)
    return names


class Restored(msgspec.Struct, frozen=True):
    """What was put back. aside: where the register that was here lies now; None if none was.
    journal: what came from the second journal."""

    backup: Backup
    branch: Branch
    files: int
    aside: Path | None
    journal: Replayed = Replayed("off")


def restore(
    place: Place, folder: Path, recovery_file: Path | None, clock: Callable[[], int],
    entropy: Entropy, journal_folder: Path | None = None, unsigned: bool = False,
) -> Restored:  # fmt: skip
    """Put central back from the backup in `folder`, and what came after it from the second journal
    (by default the one of the settings). The register that is here is moved aside, never
    deleted; a crash leaves that one or the new one. unsigned: somebody says that this backup is
    older than signing and was never out of the office's hands. Problems backup.none,
    backup.damaged, backup.unsigned, backup.keys, backup.running, office.exists (PostgreSQL that is
    not empty)."""
    backup, at = backups.read(folder), clock()
    keys = _keys(place, folder, backup, recovery_file)
    if not backup.signature and not unsigned:
        raise Problem("backup.unsigned", path=str(folder))
    if backup.signature and not backups.is_signed(backup, keys):
        raise Problem("backup.damaged", path=str(folder), why="signature")
    private_folder(place.folder)
    copy = place.folder / f"{DATABASE_FILE}.restoring"
    with disk_problems(copy):
        for half in place.folder.glob(f"{copy.name}*"):
            half.unlink()
        shutil.copyfile(folder / REGISTER_FILE, copy)
        copy.chmod(0o600)
        if backups.digest(copy) != backup.sha256:  # the medium gave something else this time
            raise Problem("backup.damaged", path=str(folder), why=REGISTER_FILE)
        files = _files_back(place, folder)
        shelf = FolderShelf(place.files_folder, [keys.files_key])
        found = _replayed(place, journal_folder, copy, backup, keys)
        given = recovery.given(place)
        branch = _renewed(copy, backup, keys, shelf, entropy, at, given)
        facts = Facts(
            branch.number, branch.base, branch.parent, at, folder.name, backup.at,
            backup.server_seq, journal=found,
        )  # fmt: skip
        recovery.note(copy, place, branch, facts)
        if not place.keys_file.exists():
            keys_file.save(keys, place.keys_file)
            settings_file.save(place)
        aside = _put(place, copy, at)
    return Restored(backup, branch, files, aside, found)


def _replayed(
    place: Place, folder: Path | None, copy: Path, backup: Backup, keys: Keys
) -> Replayed:
    """Write into the copy what the second journal has after it."""
    if folder is None and place.settings.journal_folder:
        folder = Path(place.settings.journal_folder)
    with backups.opened(copy, backup.city) as registry:
        mark = mark_of(registry.database, backup.city)
        return replay(registry.database, Reader(folder, mark, keys.seal))


def _keys(place: Place, folder: Path, backup: Backup, recovery_file: Path | None) -> Keys:
    """Central's keys: those that are here, else those in the backup. They are the ones of the log
    in the backup, or nothing is done."""
    if place.keys_file.exists():
        keys = keys_file.load(place.keys_file)
    elif recovery_file is None:
        raise Problem("backup.keys")
    else:
        with disk_problems(recovery_file):
            plain = recovery_file.read_bytes()
        try:
            private = bytes.fromhex(msgspec.json.decode(plain, type=Recovery).private_key)
            sealed = (folder / KEYS_FILE).read_bytes()
            opened = seal.unseal(sealed, Identity(private, private), "escrow")
            keys = Keys(*msgspec.msgpack.decode(opened, type=tuple[bytes, bytes, bytes]))
        except (msgspec.DecodeError, ValueError, OSError, Problem):
            raise Problem("backup.keys") from None
    if keys.log.hex() != backup.log:
        raise Problem("backup.keys")
    return keys


def _renewed(
    copy: Path, backup: Backup, keys: Keys, shelf: FolderShelf, entropy: Entropy, at: int,
    given: int,
) -> Branch:  # fmt: skip
    """Bring the copy to this version, check it, and give central its new name in it. A file that
    is not whole here counts as not whole, so that laptops are asked for it again."""
    with backups.opened(copy, backup.city) as registry:
        registry.migrate()
        with registry.read() as door:
            found = door.verify()
        if found.broken:
            raise Problem("backup.damaged", path=str(copy), why=found.broken[0].chain)
        branch = go_on(registry, keys.log, entropy, at, backup.server_seq, given)
        with registry.write() as door:
            for person in door.people():  # who was signed in then may not work here any more
                door.drop_sessions_of(person.login)
            for blob in door.whole_blobs():
                if not backups.is_whole(shelf, blob.id, blob.size):
                    door.blob_torn(blob.id)
    with contextlib.closing(sqlite3.connect(copy)) as last:
        last.execute("pragma journal_mode = delete")
    backups.synced(copy)
    return branch


def _files_back(place: Place, folder: Path) -> int:
    """Citizens' files that are not here come back, sealed as they are; gives how many."""
    source, count = folder.parent / backups.FILES_FOLDER, 0
    for path in sorted(source.glob("*/*")):
        target = place.files_folder / path.relative_to(source)
        if path.suffix or target.exists() or not path.is_file():  # a device would never end
            continue
        private_folder(target.parent)
        half = target.with_suffix(".half")
        shutil.copyfile(path, half)
        half.chmod(0o600)
        backups.synced(half)
        half.replace(target)
        sync_folder(target.parent)
        count += 1
    return count


def _put(place: Place, copy: Path, at: int) -> Path | None:
    """The copy takes the register's place."""
    registry = open_registry(place.database_url, place.settings.city)
    try:
        if not registry.database.sqlite:
            registry.migrate()
            with registry.read() as door:
                if door.is_founded():
                    raise Problem("office.exists")
            with backups.opened(copy, place.settings.city) as source:
                backups.copy_rows(source.database, registry.database)
            copy.unlink()
            return None
        live = Path(registry.database.url.database or "")
    finally:
        registry.close()
    aside = None
    if live.exists():
        _alone(live)
        aside = live.with_name(f"{live.name}.before-{at}")
        try:
            os.link(live, aside)  # so that there is a register at any moment
        except OSError:  # this disk knows no links
            live.rename(aside)
    copy.replace(live)
    sync_folder(live.parent)
    return aside


def _alone(path: Path) -> None:
    """Nobody else has the database open, and all of it stands in its one file; else Problem
    backup.running. SQLite leaves its write-ahead log only when no other connection is there."""
    with contextlib.closing(sqlite3.connect(path, timeout=1)) as last:
        try:
            mode = last.execute("pragma journal_mode = delete").fetchone()[0]
        except sqlite3.OperationalError:
            raise Problem("backup.running") from None
        except sqlite3.DatabaseError:
            return  # what broke is moved aside as it is
    if mode != "delete":
        raise Problem("backup.running")
