"""The encrypted file itself: keys, damage, a full disk, two processes, the mark beside it."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from field_client.vault.engine import Engine
from field_client.vault.files import FileLock, write_atomically
from field_client.vault.mark import Mark, MarkFile
from models.problems import Problem
from tests.disks import fill, small_disk
from tests.vaults import refused

KEY, VAULT = secrets.token_bytes(32), secrets.token_bytes(16)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(tmp_path / "vault.db", KEY, VAULT, wait=0.3)
    with made.writing() as connection:
        connection.execute("create table notes (id integer primary key, words text) strict")
        connection.executemany(
            "insert into notes (words) values (?)", [(f"catatan {n} " * 20,) for n in range(2000)]
        )
    yield made
    made.close()


def test_a_commit_is_there_for_the_next_reader(engine: Engine) -> None:
    again = Engine(engine.path, KEY, VAULT)
    assert again.one("select count(*) from notes") == (2000,)
    assert again.one("pragma journal_mode") == ("wal",)
    assert again.one("pragma synchronous") == (2,)
    assert again.check() == []
    again.close()


def test_what_fails_inside_a_write_leaves_nothing(engine: Engine) -> None:
    def fail() -> None:
        with engine.writing() as connection:
            connection.execute("delete from notes")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert engine.one("select count(*) from notes") == (2000,)


def test_the_file_is_noise_without_its_key(engine: Engine) -> None:
    engine.checkpoint()
    assert engine.path.read_bytes()[:16] == VAULT
    for file in engine.path.parent.iterdir():
        assert b"catatan" not in file.read_bytes()
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(engine.path).execute("select * from sqlite_master").fetchall()


def test_a_key_of_another_laptop_is_told_from_damage(engine: Engine, tmp_path: Path) -> None:
    engine.close()
    other = secrets.token_bytes(16)
    refused("vault.other_key", Engine, engine.path, secrets.token_bytes(32), other)
    refused("vault.corrupt", Engine, engine.path, secrets.token_bytes(32), VAULT)
    plain = tmp_path / "plain.db"
    with sqlite3.connect(plain) as connection:
        connection.execute("create table a (b)")
    connection.close()
    refused("vault.not_a_vault", Engine, plain, KEY, VAULT)
    note = tmp_path / "note.db"
    note.write_bytes(b"hello")
    refused("vault.not_a_vault", Engine, note, KEY, VAULT)


def test_a_flipped_bit_is_found_and_never_read_as_data(engine: Engine) -> None:
    engine.checkpoint()
    engine.close()
    whole = engine.path.read_bytes()
    for place in (5000, len(whole) // 2, len(whole) - 100):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0x10
        engine.path.write_bytes(spoilt)
        again = Engine(engine.path, KEY, VAULT)
        assert again.check(quick=True)
        refused("vault.corrupt", again.read, "select sum(length(words)) from notes")
        again.close()
    engine.path.write_bytes(whole)
    assert Engine(engine.path, KEY, VAULT).check() == []


def test_a_torn_off_end_is_a_clear_problem(engine: Engine) -> None:
    engine.checkpoint()
    engine.close()
    whole = engine.path.read_bytes()
    engine.path.write_bytes(whole[: len(whole) // 2 + 100])
    refused("vault.corrupt", Engine, engine.path, KEY, VAULT)


def test_threads_take_turns(engine: Engine) -> None:
    def add() -> None:
        for _ in range(50):
            with engine.writing() as connection:
                (most,) = connection.execute("select max(id) from notes").fetchone()
                connection.execute("insert into notes values (?, 'x')", (most + 1,))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert engine.one("select count(*) from notes") == (2200,)


def _hold(path: Path, held: object, release: object) -> None:
    with FileLock(path):
        held.set()  # type: ignore[attr-defined]
        release.wait(300)  # type: ignore[attr-defined]


def test_another_process_that_writes_is_a_clear_problem(engine: Engine) -> None:
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(Path(f"{engine.path}.lock"), held, release))
    other.start()
    assert held.wait(120)

    def write() -> None:
        with engine.writing() as connection:
            connection.execute("delete from notes")

    refused("vault.busy", write)
    assert engine.one("select count(*) from notes") == (2000,)
    os.kill(other.pid or 0, 9)  # the system frees the lock of the dead
    other.join()
    write()
    assert engine.one("select count(*) from notes") == (0,)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    yield from small_disk(tmp_path / "small", 3)


def test_a_full_disk_is_said_and_harms_nothing(disk: Path) -> None:
    engine = Engine(disk / "vault.db", KEY, VAULT)
    with engine.writing() as connection:
        connection.execute("create table notes (words text) strict")
        connection.execute("insert into notes values ('dulu')")
    ballast = fill(disk, leave=100_000)

    def write() -> None:
        for _ in range(100):
            with engine.writing() as connection:
                connection.execute("insert into notes values (?)", ("x" * 20_000,))

    refused("disk.full", write)
    refused("disk.full", write_atomically, disk / "keys.json", bytes(200_000))
    assert not list(disk.glob("*.tmp"))
    count = engine.one("select count(*) from notes")
    engine.close()
    ballast.unlink()
    again = Engine(disk / "vault.db", KEY, VAULT)
    assert again.check() == []
    assert again.one("select count(*) from notes") == count
    with again.writing() as connection:
        connection.execute("insert into notes values ('lagi')")
    again.close()


def test_a_write_protected_folder_is_a_clear_problem(tmp_path: Path) -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a read-only mount needs root on Linux")
    place = tmp_path / "stick"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(place)], check=True)
    try:
        refused("disk.unwritable", Engine, place / "vault.db", KEY, VAULT)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_the_mark_survives_a_torn_write(tmp_path: Path) -> None:
    marks = MarkFile(tmp_path / "log.mark")
    assert marks.read() is None
    for seq in range(1, 6):
        marks.write(b"L" * 16, seq, bytes([seq]) * 32)
    assert marks.read() == Mark(5, b"L" * 16, 5, b"\x05" * 32)
    whole = marks.path.read_bytes()
    for place in range(len(whole)):  # whichever slot is torn, the other one still speaks
        spoilt = bytearray(whole)
        spoilt[place] ^= 1
        marks.path.write_bytes(spoilt)
        mark = marks.read()
        assert mark is not None
        assert mark.seq in (4, 5)
    marks.path.write_bytes(b"")
    assert marks.read() is None


def test_a_lock_waits_for_its_turn(tmp_path: Path) -> None:
    started = time.monotonic()
    with FileLock(tmp_path / "a.lock"), pytest.raises(Problem, match=r"vault\.busy"):
        FileLock(tmp_path / "a.lock", wait=0.2).__enter__()
    assert time.monotonic() - started >= 0.2
    with FileLock(tmp_path / "a.lock", wait=0):
        pass
