"""The audit trail, and the proof that nothing in the register was altered afterwards.

Three kinds of chain hold the past still: the trail of who did and looked at what, central's
decisions, and every laptop's log. Each chain value covers the one before it, and the newest values
stand apart from the rows; a changed, missing or added row shows at its number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import select

from models import audit
from models.audit import AuditEntry
from server.database.lists import Lists
from server.database.tables import AuditRow, CounterRow, DecisionRow, EntryRow, LogRow
from server.database.work import table_of
from sync.known import next_server_head
from sync.logs import Entry, Open, broken_at, log_id, opening_head

STEP = 1000
"""Rows read at a time while verifying."""

_audit = table_of(AuditRow)
_counters = table_of(CounterRow)
_decisions = table_of(DecisionRow)
_entries = table_of(EntryRow)
_logs = table_of(LogRow)


class Broken(msgspec.Struct, frozen=True):
    """Where a chain does not hold. chain: "audit", "decisions" or "log" (then `log` is its id).
    number: of the first entry that does not fit; one after the last where the end is missing."""

    chain: str
    number: int
    log: bytes = b""


class Verified(msgspec.Struct, frozen=True):
    """What was verified: how many of each, and where they do not hold."""

    audit: int
    decisions: int
    logs: int
    entries: int
    broken: tuple[Broken, ...]


class Audit(Lists):
    """Writing and proving the trail."""

    def audit(self, actor: str, action: str, target: str, detail: dict[str, Any], at: int) -> int:
        """Add an entry; gives its number. It is kept only if this transaction is."""
        here = select(_counters.c.audit_n, _counters.c.audit_head)
        row = self.one(here.where(_counters.c.city == self.city))
        assert row is not None
        text = msgspec.json.encode(detail, order="sorted").decode()
        entry = AuditEntry(row.audit_n + 1, at, actor, action, target, text)
        head = audit.link(row.audit_head, entry.encoded())
        self.insert(_audit, [msgspec.structs.asdict(entry) | {"link": head}])
        self.update(_counters, [], [{"audit_n": entry.n, "audit_head": head}])
        return entry.n

    def trail(self, *, target: str = "", after: int = 0, limit: int = 100) -> list[AuditEntry]:
        """Entries after a number, all or those about `target`."""
        found = select(_audit).where(_audit.c.city == self.city, _audit.c.n > after)
        if target:
            found = found.where(_audit.c.target == target)
        return [_read(row) for row in self.rows(found.order_by(_audit.c.n).limit(limit))]

    # -- proving

    def verify(self) -> Verified:
        """Check every chain from its beginning to its end, and say where one does not hold."""
        counter = self.one(select(_counters).where(_counters.c.city == self.city))
        assert counter is not None
        broken = [self._verify_audit(counter), self._verify_decisions(counter)]
        logs = self.rows(select(_logs).where(_logs.c.city == self.city).order_by(_logs.c.id))
        broken += [self._verify_log(log) for log in logs]
        return Verified(
            counter.audit_n,
            counter.server_seq - counter.base,
            len(logs),
            sum(log.seq for log in logs),
            tuple(found for found in broken if found is not None),
        )

    def _verify_audit(self, counter: Any) -> Broken | None:
        trail = ((_read(row), row.link) for row in self._rows_from(_audit, _audit.c.n))
        start = audit.opening(self.city)
        fault = audit.verify(trail, start, counter.audit_n, counter.audit_head)
        return Broken("audit", fault.n) if fault is not None else None

    def _verify_decisions(self, counter: Any) -> Broken | None:
        head, number = counter.opening, counter.base
        for row in self._rows_from(_decisions, _decisions.c.server_seq):
            number += 1
            head = next_server_head(head, row.data)
            if (row.server_seq, row.head) != (number, head):
                return Broken("decisions", number)
        whole = (number, head) == (counter.server_seq, counter.head)
        return None if whole else Broken("decisions", number + 1)

    def _verify_log(self, log: Any) -> Broken | None:
        head = opening_head(log.opening)
        opening = msgspec.msgpack.decode(log.opening, type=Open)
        if (log_id(opening.key), opening.key) != (log.id, log.key):
            return Broken("log", 0, log.id)
        last = Entry(0, log.opening, head)
        entries = self._rows_from(_entries, _entries.c.seq, _entries.c.log == log.id)

        def read() -> Iterator[Entry]:
            nonlocal last
            for row in entries:
                last = Entry(row.seq, row.data, row.head)
                yield last

        number = broken_at(log.id, head, read())
        if number is None and (last.seq, last.head) != (log.seq, log.head):
            number = last.seq + 1
        return None if number is None else Broken("log", number, log.id)

    def _rows_from(self, table: Any, column: Any, *where: Any) -> Iterator[Any]:
        """Rows in the order of their number, a step at a time."""
        after = -1
        while True:
            here = select(table).where(table.c.city == self.city, column > after, *where)
            step = self.rows(here.order_by(column).limit(STEP))
            yield from step
            if len(step) < STEP:
                return
            after = getattr(step[-1], column.key)


def _read(row: Any) -> AuditEntry:
    return AuditEntry(row.n, row.at, row.actor, row.action, row.target, row.detail)
