"""Registry: central's memory, and the one door through which it is read and written.

    with registry.write() as door:     # holds the lock of its city; commits when left without error
        door.audit("rina", "device.invite", ...)

A `Door` is an open transaction with all verbs of the register; they are sorted by noun into the
modules beside this one. Doors are not kept: what they gave is plain structs.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import select
from sqlmodel import Session

from models import audit
from models.problems import Problem
from server.database import migrations
from server.database.custody import Custody
from server.database.desk import Desk
from server.database.devices import Call, Device
from server.database.engine import Database
from server.database.journaled import Journaled
from server.database.lists import Confirmation, Counts, RequestLine, StoredEntry
from server.database.matching import Matching
from server.database.outreach import Outreach
from server.database.packages import Packages
from server.database.people import People, Person
from server.database.proof import Broken, Proof, Verified
from server.database.recoveries import Recoveries
from server.database.reports import Figures
from server.database.rosters import Rosters
from server.database.stock import Stock
from server.database.tables import AttemptRow, CounterRow
from server.database.targets import Targets
from server.database.work import table_of
from server.journal import Journal
from server.ledger import Scope, Standing
from sync.known import LogState
from sync.messages import LOCKS, Health

__all__ = [
    "Broken",
    "Call",
    "Confirmation",
    "Counts",
    "Device",
    "Door",
    "Person",
    "Registry",
    "RequestLine",
    "Scope",
    "Standing",
    "StoredEntry",
    "Verified",
    "open_registry",
]

_counters = table_of(CounterRow)
_attempts = table_of(AttemptRow)
_DAY_SECONDS = 86_400
REPAIRS_A_DAY = 20
"""Notes in the trail that one laptop's cells were read again."""


class Door(
    Recoveries,
    Proof,
    People,
    Custody,
    Journaled,
    Matching,
    Packages,
    Rosters,
    Targets,
    Desk,
    Stock,
    Figures,
    Outreach,
):
    """An open transaction of the register."""

    def is_founded(self) -> bool:
        """Has this city a register here?"""
        here = _counters.c.city == self.city
        return self.value(select(_counters.c.city).where(here)) is not None

    def found(self, log: LogState, opening: bytes, incarnation: bytes, at: int) -> None:
        """Begin the register of this city with central's own log."""
        head = server_opening(incarnation)
        row = {"incarnation": incarnation, "base": 0, "opening": head, "head": head}
        row |= {"server_seq": 0, "durable_seq": 0, "next_block": 1, "audit_n": 0}
        self.insert(_counters, [row | {"audit_head": audit.opening(self.city)}])
        self.add_log(log, opening, b"", 0, b"", at)

    def repairing(self, log: bytes, cells: Collection[str], at: int) -> None:
        """Note in the trail that a laptop reads these cells again, since it had something else."""
        state = self.log(log)
        assert state is not None
        detail = {"cells": sorted(cells), "log": log.hex()}
        if not self.too_often(state.device, "cell.repair", REPAIRS_A_DAY, at):
            self.audit("system", "cell.repair", state.device.hex(), detail, at)

    def too_often(self, device: bytes, action: str, most: int, at: int) -> int:
        """Seconds until a laptop did something less than so many times a day, as the trail has it;
        0 where it did."""
        done = self.trail_backwards(target=device.hex(), action=action, limit=most)
        return max(0, done[-1].at + _DAY_SECONDS - at) if len(done) == most else 0

    def heard(
        self,
        log: bytes,
        at: int,
        build: str,
        clock: int,
        cursor: int,
        health: Health | None = None,
    ) -> None:
        """Note that a laptop called. What it says of its lock stands in the trail."""
        super().heard(log, at, build, clock, cursor, health)
        state = self.log(log) if health is not None and health.lock in LOCKS else None
        if state is None or health is None:
            return
        action, target = f"device.{health.lock}", state.device.hex()
        if not self.trail_backwards(target=target, action=action, limit=1):
            self.audit("system", action, target, {}, at)

    def attempted(self, log: bytes, seq: int, scope: str) -> None:
        """An attempt ends with this transaction's commit; see `Registry.attempt`."""
        self.delete(_attempts, ["log", "seq", "scope"], [{"log": log, "seq": seq, "scope": scope}])

    def lock(self) -> None:
        """Wait until nobody else writes in this city. Locks nothing before it is founded."""
        self._standing = None
        self.rows(select(_counters).where(_counters.c.city == self.city).with_for_update())


class Registry:
    """Central's memory of one city in one database."""

    def __init__(self, database: Database, city: str) -> None:
        self.database = database
        self.city = city
        self.journal: Journal | None = None
        self._mine = threading.local()

    @contextmanager
    def read(self) -> Iterator[Door]:
        """A door that sees one moment. Inside a `write` of the same thread it is that door."""
        outer: Door | None = getattr(self._mine, "door", None)
        if outer is not None:
            yield outer
            return
        with self.database.reading() as session:
            yield Door(session, self.city)

    @contextmanager
    def write(self) -> Iterator[Door]:
        """A door that holds the lock; commits when it is left without an error. Inside another
        `write` of the same thread it is a part of that one: an error undoes it alone."""
        outer: Door | None = getattr(self._mine, "door", None)
        if outer is not None:
            try:
                with outer.part():
                    yield outer
            except BaseException:
                outer.lock()  # what the door remembered may be undone
                raise
            return
        with self.database.writing() as session:
            door = Door(session, self.city)
            door.lock()
            door.written = [] if self.journal is not None else None
            self._mine.door = door
            try:
                yield door
                self._to_journal(door)
            finally:
                del self._mine.door

    def _to_journal(self, door: Door) -> None:
        """Before the commit: what was written is in the journal, or nothing is committed."""
        if self.journal is None or not door.written:
            return
        mark = door.journal()
        if mark.name and not self.journal.is_here(mark):  # its medium was emptied, or is another
            name, at = mark.name.hex(), self.journal.clock()
            door.audit("journal", "journal.lost", name, {"n": mark.n}, at)
            mark = mark.ended()
        door.keep_journal(self.journal.append(mark, door.written))

    # -- attempts: counted apart from what is attempted, so that they outlive a killed process

    def _alone(self) -> AbstractContextManager[Session]:
        assert getattr(self._mine, "door", None) is None, "attempts are counted outside of a write"
        return self.database.writing()

    def attempt(self, log: bytes, seq: int, scope: str) -> int:
        """Count, durably, an attempt at judging ("batch" or "transaction"); gives how many were
        begun before and never ended."""
        keys = ["city", "log", "seq", "scope"]
        more = self.database.upsert(AttemptRow, keys, lambda t, _: {"begun": t.begun + 1})
        more = more.returning(_attempts.c.begun)
        row = {"city": self.city, "log": log, "seq": seq, "scope": scope, "begun": 1}
        with self._alone() as session:
            begun: int = session.execute(more, row).scalar_one()
        return begun - 1

    def attempted(self, log: bytes, seq: int, scope: str) -> None:
        """The attempt ended; forget it."""
        with self._alone() as session:
            Door(session, self.city).attempted(log, seq, scope)

    # -- the database as a whole

    def migrate(self) -> None:
        """Bring the tables to this version, from whatever they were."""
        migrations.migrate(self.database)

    def check(self) -> None:
        """Is everything ready to work? Raises Problem database.schema, database.not_durable,
        database.unreachable or office.empty."""
        migrations.check(self.database)
        with self.read() as door:
            if not door.is_founded():
                raise Problem("office.empty")

    def close(self) -> None:
        """Close every connection."""
        self.database.close()


def open_registry(url: str, city: str) -> Registry:
    """The register of a city at that address. Nothing is read or made yet."""
    return Registry(Database(url), city)


def server_opening(incarnation: bytes) -> bytes:
    """Chain value before central's first decision."""
    return hashlib.sha256(b"jb1-central-open" + incarnation).digest()
