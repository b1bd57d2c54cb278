"""Leading: of several processes on one PostgreSQL, the one whose jobs run.

It holds a session advisory lock, which lives and dies with its connection: a process that is killed
or cut off leads no more, and the next one that asks takes over. On SQLite there is nothing to lead:
whoever has the file runs its jobs, and they change nothing a second time.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from server.database.engine import Database

_TAKE = text("select pg_try_advisory_lock(:key)")
_GIVE = text("select pg_advisory_unlock(:key)")
_STILL = text("select 1")


class Leader:
    """One process's part in it, for one city."""

    def __init__(self, database: Database, city: str) -> None:
        self._database = database
        digest = hashlib.sha256(f"jb1-jobs\0{city}".encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)
        self._held: Connection | None = None
        self._turn = threading.Lock()

    def leads(self) -> bool:
        """Is it this process? Tries to become it where nobody is. An unreachable database is led by
        nobody."""
        if self._database.sqlite:
            return True
        with self._turn:
            return self._still() or self._take()

    def resign(self) -> None:
        """Lead no more, so that another process may at once."""
        with self._turn:
            if self._held is not None and self._still():
                with contextlib.suppress(DBAPIError):
                    self._held.execute(_GIVE, {"key": self._key})
            self._drop()

    def _still(self) -> bool:
        if self._held is None:
            return False
        try:
            self._held.execute(_STILL)
        except DBAPIError:
            self._drop()
            return False
        return True

    def _take(self) -> bool:
        try:
            found = self._database.engine.connect()
            self._held = found.execution_options(isolation_level="AUTOCOMMIT")
            if self._held.execute(_TAKE, {"key": self._key}).scalar():
                return True
        except DBAPIError:
            pass
        self._drop()
        return False

    def _drop(self) -> None:
        """Close the connection itself: one that went back to the pool would keep the lock."""
        held, self._held = self._held, None
        if held is not None:
            with contextlib.suppress(DBAPIError):
                held.invalidate()
                held.close()
