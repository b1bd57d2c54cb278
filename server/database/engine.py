"""How the database is opened, locked and committed; the only place that knows which one it is.

SQLite: write-ahead log, every commit synced, one writer at a time in this process by a lock
(waiting inside SQLite is polling, and unfair) and among processes by `begin immediate`. PostgreSQL:
whoever writes locks the counter row of the city first (server.database.registry); a reader sees one
snapshot.

"Stored" is a promise that was signed. Therefore a database that does not sync its commits is not
worked on, and when a sync fails nobody can say what is on the disk: the process ends at once, and
what was being written counts as not stored.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlmodel import Session

from models.problems import Problem
from server.database.work import insert_for, table_of

WAIT_SECONDS = 30
"""How long a writer waits for another before it gives up with Problem("database.busy")."""

POOL_CONNECTIONS = 16
EXIT_IO = 74
"""Exit status after a failed sync (EX_IOERR)."""

IO_MESSAGE = (
    "Basis data gagal menulis ke media penyimpanan; pusat dihentikan. Periksa media dan ruangnya "
    "sebelum menjalankan lagi; yang sudah dikonfirmasi kepada laptop tetap aman."
)

_WRITES = "jemput_bola_writes"
_SQLITE_BUSY, _SQLITE_IOERR, _SQLITE_FULL, _SQLITE_CANTOPEN = 5, 10, 13, 14


class Database:
    """One database. url: as SQLAlchemy spells it (`sqlite:///file`, `postgresql+psycopg://…`).

    end: called when the disk failed; it must not return to what was being done.
    """

    def __init__(self, url: str, end: Callable[[str], Any] | None = None) -> None:
        self.url = _address(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.end = end or end_process
        self.engine = _sqlite(self.url) if self.sqlite else _postgresql(self.url)
        # Values stay out of the words of an error, which a failing command says to its terminal.
        self.engine.hide_parameters = True
        self._writers = self.engine.execution_options(**{_WRITES: True})
        self._readers = self.engine
        if not self.sqlite:
            self._readers = self.engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        self._writing = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees one moment and changes nothing."""
        with self._told(), Session(self._readers, autoflush=False) as session:
            yield session
            session.rollback()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is committed, synced to disk, when it is left without an error."""
        with self._alone(), self._told(), Session(self._writers, expire_on_commit=False) as session:
            yield session
            session.commit()

    def upsert(self, row: Any, keys: list[str], changes: Callable[[Any, Any], Any]) -> Any:
        """An `insert` of one row that changes the row with the same `keys` if there is one.

        changes: gives {column: new value} from (the row there, the row that was offered)."""
        table = table_of(row)
        statement = insert_for(self.engine.dialect.name, table)
        there = changes(table.c, statement.excluded)
        return statement.on_conflict_do_update(index_elements=keys, set_=there)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self.sqlite:
            yield
            return
        if not self._writing.acquire(timeout=WAIT_SECONDS):
            raise Problem("database.busy")
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what a person can act upon into a Problem; end the process when the disk failed."""
        try:
            yield
        except DBAPIError as error:
            code = _code(error)
            if code == "io":
                self.end(IO_MESSAGE)
            if code and code != "io":
                raise Problem(code) from error
            raise


def _code(error: DBAPIError) -> str:
    """What the error means here: a problem's code, "io", or empty for a mistake of our own."""
    if error.connection_invalidated:
        return "database.unreachable"
    number = getattr(error.orig, "sqlite_errorcode", None)
    if number is not None:
        meant = {
            _SQLITE_BUSY: "database.busy",
            _SQLITE_IOERR: "io",
            _SQLITE_FULL: "disk.full",
            _SQLITE_CANTOPEN: "database.unreachable",
        }
        return meant.get(number & 0xFF, "")
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        broken = type(error.orig).__name__ in ("OperationalError", "ConnectionTimeout")
        return "database.unreachable" if broken else ""
    if state in ("55P03", "40001", "40P01"):  # lock not available, serialization, deadlock
        return "database.busy"
    if state == "53100":
        return "disk.full"
    if state.startswith("58"):  # the system under PostgreSQL failed
        return "io"
    if state.startswith(("08", "57P", "28", "3D", "53")):
        return "database.unreachable"
    return ""


def end_process(message: str) -> None:
    """End the process without tidying: nothing more may be written or promised."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()
    os._exit(EXIT_IO)


def _address(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise Problem("settings.invalid", faults="database_url") from None
    if parsed.drivername in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise Problem("settings.invalid", faults="database_url")
    return parsed


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": WAIT_SECONDS}, pool_size=POOL_CONNECTIONS)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = on"):
            connection.execute(f"pragma {pragma}")
        mode = connection.execute("pragma journal_mode").fetchone()[0]
        if mode != "wal":
            raise Problem("database.not_durable")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = bool(connection.get_execution_options().get(_WRITES))
        connection.exec_driver_sql(f"pragma query_only = {not writes}")
        connection.exec_driver_sql("begin immediate" if writes else "begin")

    return engine


def _postgresql(url: URL) -> Engine:
    engine = create_engine(url, pool_size=POOL_CONNECTIONS, pool_pre_ping=True)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: Any) -> None:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"set lock_timeout = '{WAIT_SECONDS}s'")
            cursor.execute(
                "select current_setting('fsync'), current_setting('full_page_writes'),"
                " current_setting('synchronous_commit')"
            )
            fsync, pages, commit = cursor.fetchone()
        connection.autocommit = False
        if fsync != "on" or pages != "on" or commit == "off":
            raise Problem("database.not_durable")

    return engine
