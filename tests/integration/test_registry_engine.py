"""Durable or not at all: what the databases are asked for, and what their failures mean."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import InternalError, OperationalError

from models.problems import Problem
from server.database import engine as engine_module
from server.database.engine import EXIT_IO, Database
from server.database.registry import Registry, open_registry
from tests.architecture.source import ROOT
from tests.contract.registry_home import CITY, NOW, create, database_home


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{(tmp_path / 'central.db').as_posix()}"


@pytest.fixture
def registry(sqlite_url: str) -> Iterator[Registry]:
    made = database_home(sqlite_url).registry
    assert isinstance(made, Registry)
    yield made
    made.close()


def test_every_connection_to_sqlite_syncs_its_commits(registry: Registry) -> None:
    pragmas = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    for opened in (registry.database.reading, registry.database.writing):
        with opened() as session:
            connection = session.connection()
            found = {
                name: connection.exec_driver_sql(f"pragma {name}").scalar() for name in pragmas
            }
        assert found == pragmas


def test_an_error_does_not_repeat_what_was_to_be_written(registry: Registry) -> None:
    with pytest.raises(OperationalError) as failed, registry.write() as door:
        door.run(text("insert into nowhere values (:name)").bindparams(name="SALMA KADER"))
    assert "nowhere" in str(failed.value)
    assert "SALMA" not in str(failed.value)


def test_a_reader_sees_one_moment_and_writes_nothing(registry: Registry) -> None:
    with registry.read() as door:
        before = door.trail()
        thread = threading.Thread(target=write_one, args=(registry,))
        thread.start()
        thread.join(30)
        assert door.trail() == before
    with registry.read() as door:
        assert [entry.target for entry in door.trail()] == ["by another"]
        with pytest.raises(OperationalError, match="readonly"):
            door.audit("nur", "request.read", "by a reader", {}, NOW)


def write_one(registry: Registry) -> None:
    with registry.write() as door:
        door.audit("nur", "request.read", "by another", {}, NOW)


@pytest.mark.postgres
def test_a_reader_on_postgresql_sees_one_moment_and_may_not_write(postgres_url: str) -> None:
    registry = database_home(postgres_url).registry
    assert isinstance(registry, Registry)
    with registry.read() as door:
        before = door.trail()
        write_one(registry)
        assert door.trail() == before
    with registry.read() as door:
        assert [entry.target for entry in door.trail()] == ["by another"]
        with pytest.raises(InternalError, match="read-only"):
            door.audit("nur", "request.read", "by a reader", {}, NOW)
    registry.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "postgresql+asyncpg://x/y", "nothing at all", ""])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(Problem, match=r"settings\.invalid"):
        Database(url)


@pytest.mark.parametrize(
    "url",
    ["sqlite:////nowhere/at/all/central.db", "postgresql://u@127.0.0.1:1/none?connect_timeout=2"],
)
def test_a_database_that_cannot_be_reached_says_so(url: str) -> None:
    registry = open_registry(url, CITY)
    with pytest.raises(Problem, match=r"database\.unreachable"):
        registry.check()
    with pytest.raises(Problem, match=r"database\.unreachable"), registry.read() as door:
        door.standing()
    with pytest.raises(Problem, match=r"database\.unreachable"), registry.write():
        pytest.fail("opened")
    registry.close()


@pytest.mark.postgres
@pytest.mark.parametrize("setting", ["synchronous_commit", "fsync", "full_page_writes"])
def test_a_postgresql_that_does_not_sync_is_not_worked_on(postgres_url: str, setting: str) -> None:
    database_home(postgres_url).registry.close()  # type: ignore[attr-defined]
    address = postgres_url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute(f"alter system set {setting} = off")
        admin.execute("select pg_reload_conf(), pg_sleep(0.3)")
        try:
            registry = open_registry(postgres_url, CITY)
            with pytest.raises(Problem, match=r"database\.not_durable"):
                registry.check()
            registry.close()
        finally:
            admin.execute(f"alter system reset {setting}")
            admin.execute("select pg_reload_conf(), pg_sleep(0.3)")
    registry = open_registry(postgres_url, CITY)
    registry.check()
    registry.close()


def test_a_full_disk_is_told_and_leaves_nothing_behind(sqlite_url: str) -> None:
    home = database_home(sqlite_url)
    van = home.laptop()
    create(van)
    home.send(van)
    registry = home.registry
    assert isinstance(registry, Registry)
    with registry.read() as door:
        before = door.verify()
    event.listen(registry.database.engine, "checkout", _little_room)
    with pytest.raises(Problem, match=r"disk\.full"), registry.write() as door:
        door.audit("nur", "request.read", "", {"much": "x" * 4_000_000}, NOW)
    with registry.read() as door:
        assert door.verify() == before
    create(van, 2, "8272032009900002")
    with registry.write() as door:
        door.audit("nur", "request.read", "", {}, NOW)
    registry.close()


def _little_room(connection: object, *_: object) -> None:
    pages = connection.execute("pragma page_count").fetchone()[0]  # type: ignore[attr-defined]
    connection.execute(f"pragma max_page_count = {pages + 20}")  # type: ignore[attr-defined]


FAILING_DISK = """
import resource, signal, sys
from server.database.registry import open_registry
registry = open_registry(sys.argv[1], sys.argv[2])
with registry.write() as door:
    door.audit("nur", "x", "first", {}, 1)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    with registry.write() as door:
        door.audit("nur", "x", "second", {"much": "x" * 900_000}, 2)
except BaseException as error:
    print("went on after", type(error))
print("went on")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file size are a matter of POSIX")
def test_a_disk_that_fails_while_writing_ends_the_process(
    registry: Registry, sqlite_url: str
) -> None:
    """A real error of the operating system: a file may not grow any more."""
    done = subprocess.run(
        [sys.executable, "-c", FAILING_DISK, sqlite_url, CITY],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (EXIT_IO, "")
    assert "media penyimpanan" in done.stderr
    with registry.read() as door:
        assert [entry.target for entry in door.trail()] == ["first"]
        assert door.verify().broken == ()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_writer_that_waits_too_long_gives_up_in_words(
    request: pytest.FixtureRequest, sqlite_url: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = request.getfixturevalue("postgres_url") if kind == "postgresql" else sqlite_url
    monkeypatch.setattr(engine_module, "WAIT_SECONDS", 1)
    first = database_home(url).registry
    assert isinstance(first, Registry)
    second = open_registry(url, CITY)  # as another process would
    with first.write() as door:
        door.audit("nur", "x", "first", {}, NOW)
        with pytest.raises(Problem, match=r"database\.busy"), second.write():
            pytest.fail("two writers at once")
        waited: list[str] = []
        thread = threading.Thread(target=lambda: waited.append(_refused(first)))
        thread.start()
        thread.join(30)
    assert waited == ["database.busy"]
    with second.write() as door:
        assert [entry.target for entry in door.trail()] == ["first"]
    first.close()
    second.close()


def _refused(registry: Registry) -> str:
    try:
        with registry.write():
            return "written"
    except Problem as problem:
        return problem.code


def test_attempts_are_not_counted_inside_a_write(registry: Registry) -> None:
    with registry.write(), pytest.raises(AssertionError):
        registry.attempt(b"l" * 16, 1, "batch")
