"""The audit trail: who did and looked at what, one chained entry each (models.audit)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import func, select

from models import audit
from models.audit import AuditEntry
from server.database.lists import Lists
from server.database.tables import AuditRow, CounterRow
from server.database.work import table_of

_audit = table_of(AuditRow)
_counters = table_of(CounterRow)
STEP = 1000
"""Rows read at a time."""


class Audit(Lists):
    """Writing and reading the trail."""

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
        return [read_audit(row) for row in self.rows(found.order_by(_audit.c.n).limit(limit))]

    def trail_backwards(
        self,
        *,
        target: str = "",
        actor: str = "",
        action: str = "",
        numbers: tuple[int, int] | None = None,
        before: int = 0,
        limit: int = 50,
    ) -> list[AuditEntry]:
        """Entries, the newest first; `before`: number of the last one seen. numbers: first and last
        that count."""
        found = select(_audit).where(_audit.c.city == self.city)
        wanted = {"target": target, "actor": actor, "action": action}
        for name, text in wanted.items():
            if text:
                found = found.where(_audit.c[name] == text)
        if numbers is not None:
            found = found.where(_audit.c.n.between(*numbers))
        if before:
            found = found.where(_audit.c.n < before)
        rows = self.rows(found.order_by(_audit.c.n.desc()).limit(limit))
        return [read_audit(row) for row in rows]

    def trail_numbers(self, first: int, last: int) -> tuple[int, int]:
        """Numbers of the entries written from one moment to another (Unix seconds, both included);
        (1, 0) where there are none. Entries are in the order of their times but for a few that
        waited for each other, so both ends of the index tell it, and not every entry between."""
        c = _audit.c
        here = select(c.n).where(c.city == self.city, c.at.between(first, last)).limit(STEP)
        start = self.value(select(func.min(here.order_by(c.at, c.n).subquery().c.n)))
        end = self.value(select(func.max(here.order_by(c.at.desc(), c.n.desc()).subquery().c.n)))
        return (start, end) if start is not None else (1, 0)

    def trail_links(self, first: int, last: int) -> Iterator[tuple[AuditEntry, bytes]]:
        """Entries from one number to another with the links stored beside them, in order."""
        here = select(_audit).where(_audit.c.city == self.city).order_by(_audit.c.n).limit(STEP)
        while first <= last:
            rows = self.rows(here.where(_audit.c.n.between(first, last)))
            if not rows:
                return
            for row in rows:
                yield read_audit(row), row.link
            first = rows[-1].n + 1

    def trail_end(self) -> tuple[int, bytes]:
        """(number, link) of the newest entry."""
        row = self.one(select(_counters).where(_counters.c.city == self.city))
        assert row is not None
        return row.audit_n, row.audit_head


def read_audit(row: Any) -> AuditEntry:
    """The entry in a row of the trail."""
    return AuditEntry(row.n, row.at, row.actor, row.action, row.target, row.detail)
