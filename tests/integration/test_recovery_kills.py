"""Processes killed in the middle of a journal's record, of a backup and of a restore."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models.people import Role
from server import backup as backups
from server import restoring
from server.blobs import Stray
from server.central import Central, found, open_central
from server.database.tables import AnnouncedRow
from server.database.work import table_of
from server.settings import Place, load
from server.tidying import AGE_SECONDS, Tidied
from sync.transfer import Part
from tests.architecture.source import ROOT
from tests.vaults import refused

AT = 1_795_000_000

CHILD = """
import os, secrets, signal, sys
from pathlib import Path
from server import backup, restoring
from server.central import open_central
from server.settings import load

what, data, target, last = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
real, count = os.fsync, 0

def fsync(descriptor):
    global count
    count += 1
    if count == last:
        os.kill(os.getpid(), signal.SIGKILL)
    real(descriptor)

os.fsync = fsync
place = load(data)
if what == "restore":
    restoring.restore(place, target, None, lambda: 1_800_000_000, secrets.token_bytes)
else:
    central = open_central(place)
    if what == "lay":
        with central.arrivals.lay([b"kertas" * 9000]):
            print("laid", flush=True)
            sys.stdin.read()
    if what == "backup":
        backup.make(place, central.registry, central.keys, target, 1_795_000_100 + last)
    for number in range(1, 10_000 if what == "write" else 1):
        with central.registry.write() as door:
            door.audit("rina", "kept", str(number), {}, number)
        print(number, flush=True)
"""
"""Does one thing, and dies before its n-th sync to the disk (0: not by itself)."""


def child(what: str, place: Place, target: Path, last: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", CHILD, what, str(place.folder), str(target), str(last)]
    pipe = subprocess.PIPE
    return subprocess.Popen(words, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)


def ran(what: str, place: Place, target: Path, last: int) -> tuple[bool, list[str]]:
    """Was it killed, and what it had said until then."""
    process = child(what, place, target, last)
    said, _ = process.communicate(timeout=120)
    return process.returncode == -signal.SIGKILL, said.split()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A founded central with a journal, and a few people in it."""
    settings = {"journal_folder": tmp_path / "jurnal", "backup_folder": tmp_path / "backups"}
    made = load(tmp_path / "pusat", {}, **{name: str(path) for name, path in settings.items()})
    found(made, tmp_path / "recovery-key.json", lambda: AT)
    with opened(made) as central:
        central.staff.add(None, "admin", "Ibu Admin", [Role.ADMIN], "kata-sandi-uji")
    return made


@contextmanager
def opened(place: Place) -> Iterator[Central]:
    """Central, open for a moment."""
    central = open_central(place, lambda: AT)
    try:
        yield central
    finally:
        central.close()


def kept(central: Central) -> list[int]:
    """The numbers that were written, in their order; every chain holds."""
    with central.registry.read() as door:
        assert door.verify().broken == ()
        return [int(e.target) for e in door.trail(limit=10_000) if e.action == "kept"]


def test_what_was_said_to_be_written_comes_back_from_the_journal(
    place: Place, tmp_path: Path
) -> None:
    """Killed by another after some lines, and before a record of the journal is synced."""
    with opened(place) as central:
        made = backups.make(place, central.registry, central.keys, tmp_path / "backups", AT)
    process = child("write", place, tmp_path, 0)
    assert process.stdout is not None
    said = [int(process.stdout.readline()) for _ in range(25)]
    process.kill()
    said += [int(line) for line in process.communicate(timeout=120)[0].split()]
    with opened(place) as central:
        first = kept(central)
    assert first[: len(said)] == said
    assert len(first) <= len(said) + 1
    killed, more = ran("write", place, tmp_path, 7)
    assert killed
    with opened(place) as central:
        both = kept(central)
        assert both == first + [int(line) for line in more]
        with central.registry.write() as door:
            door.audit("rina", "kept", "0", {}, 1)  # cuts off what was never committed
    again = load(tmp_path / "new", {})
    done = restoring.restore(
        again, made.folder, tmp_path / "recovery-key.json", lambda: AT, secrets.token_bytes,
        tmp_path / "jurnal",
    )  # fmt: skip
    assert done.journal.why == ""
    with opened(again) as central:
        assert kept(central) == [*both, 0]


def test_a_backup_that_is_killed_counts_for_nothing_and_the_next_one_is_whole(
    place: Place, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    for last in (3, 6):
        assert ran("backup", place, folder, last)[0]
        for path in folder.glob("*.part"):
            refused("backup.none", backups.read, path)
    finished = [path for path in folder.iterdir() if path.name[0] == "2" and not path.suffix]
    for path in finished:
        backups.read(path)  # the name came last: what has it is whole
    assert len(finished) < 3
    with opened(place) as central:
        assert kept(central) == []
        backups.make(place, central.registry, central.keys, folder, AT)


def test_a_restore_that_is_killed_leaves_the_old_register_or_the_new_one(
    place: Place, tmp_path: Path
) -> None:
    with opened(place) as central:
        made = backups.make(place, central.registry, central.keys, tmp_path / "backups", AT)
        with central.registry.write() as door:
            door.audit("rina", "kept", "1", {}, 1)
        before = central.status().incarnation
    names = {before}
    for last in (1, 2):  # before the copy is synced; once it is in its place
        assert ran("restore", place, made.folder, last)[0]
        with opened(place) as central:
            assert kept(central) == [1]
            names.add(central.status().incarnation)
    assert not ran("restore", place, made.folder, 0)[0]
    with opened(place) as central:
        assert kept(central) == [1]
        assert central.status().incarnation not in names
        refused("office.unconfirmed", central.intake.check)


def test_what_an_upload_laid_down_before_it_died_goes_once_it_is_old(
    place: Place, tmp_path: Path
) -> None:
    process = child("lay", place, tmp_path, 0)
    assert process.stdout is not None
    assert process.stdout.readline() == "laid\n"
    process.kill()
    process.communicate(timeout=120)
    (stray,) = place.files_folder.glob("??/*")
    kept = b"lain" * 9000
    with opened(place) as central:
        arrivals, tidying = central.arrivals, central.tidying
        with arrivals.lay([kept]) as laid, central.registry.write() as door:
            arrivals.arrived(door, laid, AT)
        with central.registry.write() as door:
            row = {"log": central.keys.log, "blob": b"a" * 32, "record": b"r" * 16}
            door.insert(table_of(AnnouncedRow), [row | {"size": 9000, "preview": False}])
        tidying.shelf.put_parts(b"a" * 32, 9000, [Part(0, 0, b"sebagian")])
        named = set(place.files_folder.glob("??/*")) - {stray}
        assert len(named) == 2
        for path in [stray, *named]:
            os.utime(path, (AT - AGE_SECONDS - 1, AT - AGE_SECONDS - 1))
        assert tidying.run() == Tidied(1, stray.stat().st_size, 0), "counted before it goes"
        seen = Stray(stray, stray.stat().st_size, AT)
        assert not tidying.shelf.remove(seen), "somebody wrote it meanwhile"
        os.utime(stray, (AT, AT))
        assert tidying.run().removed == 0, "too young"
        os.utime(stray, (AT - AGE_SECONDS - 1, AT - AGE_SECONDS - 1))
        assert tidying.run().removed == 1
        assert set(place.files_folder.glob("??/*")) == named
        assert tidying.run() == Tidied(0, 0, 0)
        assert arrivals.read(laid[0].id) == kept
        with central.registry.read() as door:
            told = [one.detail for one in door.trail(limit=1000) if one.action == "files.tidy"]
        assert len(told) == 2


def test_nothing_goes_that_was_laid_down_before_a_restore(place: Place) -> None:
    """Laptops may bring again what speaks of it."""
    with opened(place) as central:
        central.tidying.shelf.put(b"x" * 32, 6, [(0, b"kertas")])
        (stray,) = place.files_folder.glob("??/*")
        old = AT - AGE_SECONDS - 1
        os.utime(stray, (old, old))
        restoring.go_on(central.registry, central.keys.log, secrets.token_bytes, old + 1)
        assert [central.tidying.run().removed for _ in range(3)] == [0, 0, 0]
        assert stray.exists()
