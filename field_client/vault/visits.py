"""Visits as rows: days out, and the numbers people wait with. They never leave the laptop."""

from __future__ import annotations

import msgspec

from field_client.vault.engine import Engine


class KeptVisit(msgspec.Struct, frozen=True):
    """started, ended: Unix seconds, ended 0 while it is open. data: see field_client/visit.py."""

    number: int
    started: int
    ended: int
    data: bytes


class Ticket(msgspec.Struct, frozen=True):
    """A place in the queue. line: "A", or "P" for who goes first. state: "waiting", "called",
    "done" or "absent". called: Unix seconds of the last call, 0 before."""

    line: str
    n: int
    state: str
    at: int
    called: int

    @property
    def name(self) -> str:
        """`P-003`."""
        return f"{self.line}-{self.n:03d}"


_VISIT = "select number, started, ended, data from visits"
_TICKET = "select line, n, state, at, called from tickets"


class Visits:
    """One is open at a time; closed ones stay."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self, started: int, data: bytes) -> None:
        """Open one."""
        with self._engine.writing() as connection:
            connection.execute(
                "insert into visits (started, ended, data) values (?, 0, ?)", (started, data)
            )

    def open(self) -> KeptVisit | None:
        """The one that is open."""
        row = self._engine.one(f"{_VISIT} where ended = 0 order by number desc")
        return None if row is None else KeptVisit(*row)

    def newest(self, limit: int = 50) -> list[KeptVisit]:
        """Newest first."""
        rows = self._engine.read(f"{_VISIT} order by number desc limit ?", limit)
        return [KeptVisit(*row) for row in rows]

    def end(self, number: int, ended: int, data: bytes) -> None:
        """Close it, with what it came to."""
        with self._engine.writing() as connection:
            connection.execute(
                "update visits set ended = ?, data = ? where number = ?", (ended, data, number)
            )

    def give(self, visit: int, line: str, at: int) -> Ticket:
        """The next number of a line."""
        with self._engine.writing() as connection:
            (n,) = connection.execute(
                "select coalesce(max(n), 0) + 1 from tickets where visit = ? and line = ?",
                (visit, line),
            ).fetchone()
            connection.execute(
                "insert into tickets (visit, line, n, state, at) values (?, ?, ?, 'waiting', ?)",
                (visit, line, n, at),
            )
        return Ticket(line, n, "waiting", at, 0)

    def move(self, visit: int, line: str, n: int, state: str, called: int = 0) -> bool:
        """Another state; called: when, where it is a call. False where there is no such number."""
        with self._engine.writing() as connection:
            done = connection.execute(
                "update tickets set state = ?, called = max(called, ?)"
                " where visit = ? and line = ? and n = ?",
                (state, called, visit, line, n),
            )
        return bool(done.rowcount)

    def records(self, visit: int) -> list[bytes]:
        """The requests that were taken in during a visit."""
        rows = self._engine.read("select record from visited where visit = ?", visit)
        return [row[0] for row in rows]

    def of(self, record: bytes) -> KeptVisit | None:
        """The visit in which a request was taken in here."""
        noted = self._engine.one("select visit from visited where record = ?", record)
        row = None if noted is None else self._engine.one(f"{_VISIT} where number = ?", noted[0])
        return None if row is None else KeptVisit(*row)

    def tickets(self, visit: int) -> list[Ticket]:
        """All of a visit in the order in which they are to be called: the first line before."""
        rows = self._engine.read(
            f"{_TICKET} where visit = ? order by line = 'P' desc, n",
            visit,
        )
        return [Ticket(*row) for row in rows]
