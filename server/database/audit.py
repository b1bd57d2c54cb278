"""The audit trail: who did and looked at what, one chained entry each (models.audit)."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select

from models import audit
from models.audit import AuditEntry
from server.database.lists import Lists
from server.database.tables import AuditRow, CounterRow
from server.database.work import table_of

_audit = table_of(AuditRow)
_counters = table_of(CounterRow)


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


def read_audit(row: Any) -> AuditEntry:
    """The entry in a row of the trail."""
    return AuditEntry(row.n, row.at, row.actor, row.action, row.target, row.detail)
