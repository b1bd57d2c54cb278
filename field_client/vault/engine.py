"""The encrypted database: opened, locked, written and diagnosed in one place.

SQLCipher (AES-256-CBC with HMAC-SHA-512 per page) with a raw 256-bit key, so opening costs under a
millisecond and the PIN's cost stands in `keys.py` alone. WAL with synchronous=FULL: when a commit
returns, it survives a power cut. Temporary tables stay in memory: SQLCipher is compiled that way,
and a test looks for plaintext in every file.

This is the only module that imports sqlcipher3 or sets the `pysqlite3` alias, by which sqlite-utils
takes its exception classes from SQLCipher's driver instead of the standard library's.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlcipher3
import sqlcipher3.dbapi2 as driver

from field_client.vault.files import FileLock, disk_problems, private_folder
from models.problems import Problem

if TYPE_CHECKING:  # the driver has the standard library's interface and no types of its own
    from sqlite3 import Connection as Connection
    from sqlite3 import DatabaseError, Error

    from sqlite_utils import Database
else:
    Connection, DatabaseError, Error = driver.Connection, driver.DatabaseError, driver.Error

sys.modules.setdefault("pysqlite3", sqlcipher3)  # before anybody imports sqlite_utils
sys.modules.setdefault("pysqlite3.dbapi2", driver)

Row = tuple[Any, ...]

CACHE_KIB = 4096
WAIT_SECONDS = 10.0
"""How long a writer waits for another process before the Problem `vault.busy`."""

_PLAIN_HEADER = b"SQLite format 3\x00"


class Engine:
    """One encrypted database file: a connection per thread, one writer at a time.

    database_key: 32 bytes; vault: 16 bytes, used as SQLCipher's salt, so that the file begins with
    them and a file of another vault is told from a damaged one.
    """

    def __init__(
        self, path: Path, database_key: bytes, vault: bytes, wait: float = WAIT_SECONDS
    ) -> None:
        if (len(database_key), len(vault)) != (32, 16):
            raise ValueError("database_key is 32 bytes and vault 16")
        self.path = path
        self._key = f"x'{database_key.hex()}{vault.hex()}'"
        self.vault = vault
        self._wait = wait
        self._local = threading.local()
        self._connections: list[Connection] = []
        self._guard = threading.Lock()
        self._writer = threading.RLock()
        private_folder(path.parent)
        self._lock = FileLock(path.with_name(f"{path.name}.lock"), wait)
        self.connection()

    def connection(self) -> Connection:
        """This thread's connection, opened on first use."""
        found: Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = self._open()
            with self._guard:
                self._connections.append(found)
        return found

    def database(self) -> Database:
        """This thread's connection as a sqlite-utils Database, for migrations."""
        from sqlite_utils import Database  # 0.3 s and 24 MB: only when there is something to do

        return Database(self.connection(), recursive_triggers=False)

    def read(self, sql: str, *values: Any) -> list[Row]:
        """All rows of a question."""
        with self._problems():
            return self.connection().execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> Row | None:
        """The first row, or None."""
        with self._problems():
            row: Row | None = self.connection().execute(sql, values).fetchone()
            return row

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Several questions answered from one snapshot."""
        connection = self.connection()
        with self._problems():
            if connection.in_transaction:
                yield connection
                return
            connection.execute("begin")
            try:
                yield connection
            finally:
                connection.rollback()

    @contextlib.contextmanager
    def writing(self, committed: Callable[[], None] | None = None) -> Iterator[Connection]:
        """One transaction, committed and durable when the block ends, else rolled back.

        Threads queue here, processes at the lock file, so that what is read inside the block (the
        head of the log, the next number) cannot be outrun before it is written. committed: called
        after the commit, still under the lock.
        """
        with self.alone():
            connection = self.connection()
            connection.execute("begin immediate")
            try:
                yield connection
                connection.commit()
            except BaseException:
                with contextlib.suppress(Error):
                    connection.rollback()
                raise
            if committed is not None:
                committed()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """No other thread and no other process writes inside the block."""
        with self._writer, self._lock, self._problems():
            yield

    def check(self, quick: bool = False) -> list[str]:
        """What is wrong with the file, in SQLite's own words; empty when it is whole.

        Every page's HMAC is checked, then (unless quick) the structure of tables and indexes.
        """
        checks = ["cipher_integrity_check", "integrity_check"][: 1 if quick else 2]
        found: list[str] = []
        try:
            for check in checks:
                if not found:
                    rows = self.connection().execute(f"pragma {check}").fetchall()
                    found = [str(row[0]) for row in rows if row[0] != "ok"]
        except DatabaseError as error:
            return [str(error)]
        return found

    def checkpoint(self) -> None:
        """Move the write-ahead log into the database and empty it (after a purge, at closing)."""
        with self._problems():
            self.connection().execute("pragma wal_checkpoint(truncate)").fetchall()

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy of everything committed, under the same key, as one file that
        must not exist yet. Others may go on writing meanwhile."""
        with self._problems():
            self.connection().execute("vacuum into ?", (str(path),))

    @contextlib.contextmanager
    def opened_copy(self, path: Path) -> Iterator[Connection]:
        """A copy opened with this vault's key, for reading only: nothing is written beside it."""
        with self._problems():
            address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
            connection: Connection = driver.connect(address, uri=True, isolation_level=None)
            try:
                self._give_key(connection)
                yield connection
            finally:
                connection.close()

    def size(self) -> int:
        """Bytes of the database with its write-ahead log."""
        files = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._guard:
            for connection in self._connections:
                with contextlib.suppress(Error):
                    connection.close()
            self._connections.clear()
        self._local = threading.local()

    def _open(self) -> Connection:
        with disk_problems(self.path):
            self.path.touch(mode=0o600)
        with self._problems():
            connection: Connection = driver.connect(
                str(self.path),
                timeout=self._wait,
                isolation_level=None,  # we say `begin` ourselves
                check_same_thread=False,  # only so that close() may close every thread's
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            return connection

    def _give_key(self, connection: Connection) -> None:
        connection.execute("pragma cipher_log_level = none")  # else it writes to stderr by itself
        connection.execute(f'pragma key = "{self._key}"')

    def _prepare(self, connection: Connection) -> None:
        self._give_key(connection)
        connection.execute("select count(*) from sqlite_master").fetchone()  # the key is tried here
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("pragma temp_store = memory")
        connection.execute("pragma secure_delete = on")  # an expired roster is overwritten
        connection.execute("pragma trusted_schema = off")
        connection.execute(f"pragma cache_size = -{CACHE_KIB}")

    @contextlib.contextmanager
    def _problems(self) -> Iterator[None]:
        """Turn the driver's errors into Problems. The words of an error may quote data: dropped."""
        try:
            yield
        except Error as error:
            name = str(getattr(error, "sqlite_errorname", ""))
            raise self._problem(name, error) from error

    def _problem(self, name: str, error: Error) -> Exception:
        for start, code in _CODES.items():
            if name.startswith(start):
                return Problem(code, path=str(self.path), error=name)
        if name.startswith("SQLITE_NOTADB"):
            return Problem(self._foreign(), path=str(self.path))
        return error  # a mistake of ours (SQL, constraint): let it be seen as one

    def _foreign(self) -> str:
        """Why the file cannot be read with this key."""
        with self.path.open("rb") as file:
            head = file.read(16)
        if head == self.vault:
            return "vault.corrupt"
        if head == _PLAIN_HEADER or len(head) < 16:
            return "vault.not_a_vault"
        return "vault.other_key"


_CODES = {
    "SQLITE_FULL": "disk.full",
    "SQLITE_BUSY": "vault.busy",
    "SQLITE_LOCKED": "vault.busy",
    "SQLITE_CORRUPT": "vault.corrupt",
    "SQLITE_READONLY": "disk.unwritable",
    "SQLITE_PERM": "disk.unwritable",
    "SQLITE_CANTOPEN": "disk.unwritable",
    "SQLITE_IOERR": "disk.error",
    "SQLITE_NOMEM": "vault.memory",
}
