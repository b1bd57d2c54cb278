"""What a restore lost, and how the laptops come back after it, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import select

from server.database.loading import Loading
from server.database.recovery_tables import LostRow, RecoveryRow, ReturnedRow
from server.database.tables import LogRow
from server.database.work import table_of
from server.journal import Replayed
from sync.lineage import BLOCK_BITS
from sync.messages import Health

_recoveries = table_of(RecoveryRow)
_returned = table_of(ReturnedRow)
_lost = table_of(LostRow)
_logs = table_of(LogRow)


class Facts(msgspec.Struct, frozen=True):
    """A restore. backup, backup_at, backup_seq: name of the backup, when it was made, and its
    newest decision. number: newest decision that is here again, with the journal. reached: newest
    one of the register that was put aside, 0 where that could not be read. at: Unix seconds."""

    number: int
    base: int
    parent: bytes
    at: int
    backup: str = ""
    backup_at: int = 0
    backup_seq: int = 0
    reached: int = 0
    journal: Replayed = Replayed("off")


class Returned(msgspec.Struct, frozen=True):
    """A log since the restore. stored: its newest entry that was here then. had: that the register
    had which was put aside, 0 where nobody knows. read: newest lost decision that its laptop had
    read, 0 for none. at: when it first called, 0 where it has not."""

    log: bytes
    stored: int
    had: int = 0
    read: int = 0
    at: int = 0


class Lost(msgspec.Struct, frozen=True):
    """A decision of central itself that was lost. number: it had. record: empty for one about no
    request. actor: who decided. action: what. at: when, Unix seconds."""

    number: int
    record: bytes
    actor: str
    action: str
    at: int


class Recoveries(Loading):
    """Restores and what is known of each."""

    def keep_recovery(self, incarnation: bytes, case: bytes, facts: Facts) -> None:
        """A restore happened, or more is known of it."""
        row = {"incarnation": incarnation, "case_id": case, "data": msgspec.msgpack.encode(facts)}
        if self.recovery(incarnation) is None:
            self.insert(_recoveries, [row])
        else:
            self.update(_recoveries, ["incarnation"], [row])

    def recovery(self, incarnation: bytes) -> tuple[bytes, Facts] | None:
        """The case about a restore, and its facts."""
        here = _recoveries.c.city == self.city
        found = select(_recoveries).where(here, _recoveries.c.incarnation == incarnation)
        row = self.one(found)
        if row is None:
            return None
        return row.case_id, msgspec.msgpack.decode(row.data, type=Facts)

    def await_logs(self, incarnation: bytes, had: dict[bytes, int]) -> None:
        """Every laptop's log is expected to call. had: of those it is known, how many entries the
        lost register had."""
        here = (_logs.c.city == self.city) & ~_logs.c.central
        rows = self.rows(select(_logs.c.id, _logs.c.seq).where(here))
        self.delete(_returned, ["incarnation"], [{"incarnation": incarnation}])
        self.insert(
            _returned,
            [
                {"incarnation": incarnation, "log": row.id, "stored": row.seq,
                 "had": had.get(row.id, 0), "read": 0, "at": 0}
                for row in rows
            ],
        )  # fmt: skip

    def returned(self, incarnation: bytes) -> list[Returned]:
        """Every log since that restore."""
        here = (_returned.c.city == self.city) & (_returned.c.incarnation == incarnation)
        rows = self.rows(select(_returned).where(here).order_by(_returned.c.log))
        return [msgspec.convert(row, Returned, from_attributes=True) for row in rows]

    def heard(
        self,
        log: bytes,
        at: int,
        build: str,
        clock: int,
        cursor: int,
        health: Health | None = None,
    ) -> None:
        """Note that a laptop called; for the first time after a restore, what it had read."""
        super().heard(log, at, build, clock, cursor, health)
        if self.standing().server_seq >> BLOCK_BITS:
            self._came_back(log, cursor, at)

    def _came_back(self, log: bytes, cursor: int, at: int) -> None:
        branch = self.lineage()[-1]
        here = (_returned.c.city == self.city) & (_returned.c.log == log)
        mine = here & (_returned.c.incarnation == branch.incarnation)
        row = self.one(select(_returned).where(mine))
        if row is not None and row.at:
            return
        read = cursor if branch.number < cursor <= branch.base else 0
        fresh = {"incarnation": branch.incarnation, "log": log, "read": read, "at": at}
        if row is not None:
            self.update(_returned, ["incarnation", "log"], [fresh])
        elif read:  # central did not know it when it was put back
            self.insert(_returned, [fresh | {"stored": 0, "had": 0}])

    def keep_lost(self, incarnation: bytes, found: Iterable[Lost]) -> None:
        """Decisions that somebody still knows of."""
        rows = [msgspec.structs.asdict(one) | {"incarnation": incarnation} for one in found]
        self.insert(_lost, rows)

    def lost(self, incarnation: bytes) -> Sequence[Lost]:
        """Decisions of central itself that a restore lost, in their order."""
        here = (_lost.c.city == self.city) & (_lost.c.incarnation == incarnation)
        rows = self.rows(select(_lost).where(here).order_by(_lost.c.number, _lost.c.record))
        return [msgspec.convert(row, Lost, from_attributes=True) for row in rows]
