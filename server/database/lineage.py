"""Lineage: the restores of central, and whether the newest one was confirmed by a supervisor."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from server.database.tables import CounterRow, IncarnationRow, LogRow
from server.database.work import Work, table_of
from sync.lineage import branch_head
from sync.logs import HEAD_WIRE_BYTES
from sync.messages import Branch

_incarnations = table_of(IncarnationRow)
_counters = table_of(CounterRow)
_logs = table_of(LogRow)


class Lineages(Work):
    """What is known of central's own past."""

    _lineage: tuple[Branch, ...] | None = None

    def lineage(self) -> tuple[Branch, ...]:
        """Every restore, oldest first."""
        if self._lineage is None:
            found = select(_incarnations).where(_incarnations.c.city == self.city)
            rows = self.rows(found.order_by(_incarnations.c.base))
            self._lineage = tuple(_read(row) for row in rows)
        return self._lineage

    def restored(self, branch: Branch, head: bytes, at: int, durable: int) -> None:
        """Go on under the new incarnation of `branch`. head: whole chain value at its branch
        point. durable: number that a checked backup holds. Intake stays closed until `confirm`."""
        row = {"incarnation": branch.incarnation, "parent": branch.parent, "base": branch.base}
        row |= {"number": branch.number, "head": head, "at": at, "confirmed_by": ""}
        self.insert(_incarnations, [row])
        chained = branch_head(head, branch.incarnation)
        counter = {"incarnation": branch.incarnation, "server_seq": branch.base, "head": chained}
        self.update(_counters, [], [counter | {"durable_seq": durable}])
        self._lineage = None

    def jump(self, blocks: int, orders: int) -> None:
        """Pass over numbers that may have been given out after the backup."""
        mine = _counters.c.city == self.city
        self.run(update(_counters).where(mine).values(next_block=_counters.c.next_block + blocks))
        logs = update(_logs).where(_logs.c.city == self.city)
        self.run(logs.values(orders_given=_logs.c.orders_given + orders))

    def durable(self, incarnation: bytes, number: int) -> None:
        """A checked backup elsewhere holds everything up to `number`. It never goes back."""
        here = (_counters.c.city == self.city) & (_counters.c.incarnation == incarnation)
        newer = update(_counters).where(here, _counters.c.durable_seq < number)
        self.run(newer.values(durable_seq=number))

    def unconfirmed(self) -> Branch | None:
        """The restore after which nobody confirmed the list of laptops yet."""
        here = select(_incarnations).where(_incarnations.c.city == self.city)
        row = self.one(here.where(_incarnations.c.confirmed_by == ""))
        return _read(row) if row is not None else None

    def confirm(self, incarnation: bytes, by: str) -> None:
        """A supervisor looked at the list of laptops: intake may open."""
        row = {"incarnation": incarnation, "confirmed_by": by}
        self.update(_incarnations, ["incarnation"], [row])


def _read(row: Any) -> Branch:
    head = row.head[:HEAD_WIRE_BYTES]
    return Branch(row.incarnation, row.parent, row.number, head, row.base)
