"""Recent requests by who they are about: what the index of laptops is made of (server.recents)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import delete, select

from server.database.cells import Cells
from server.database.tables import DeviceRow, RecentRow
from server.database.work import table_of
from server.ledger import RecentTrace
from sync.state import Record

OFFICE = "Dukcapil"
"""Where a request was taken in that no laptop brought: the counter of the office."""

_recents = table_of(RecentRow)
_devices = table_of(DeviceRow)


class Recents(Cells):
    """Traces of requests."""

    def save_traces(
        self,
        traces: Mapping[bytes, tuple[str, ...]],
        records: Mapping[bytes, Record],
        known: Collection[bytes],
        times: Mapping[int, int],
    ) -> None:
        """Keep what requests are known by, each from the decision on that said so. known: those
        that were here before, with the time of their creation by number in none of `times`."""
        here = select(_recents.c.record, _recents.c.trace, _recents.c.at)
        stored: dict[bytes, dict[str, int]] = {}
        for row in self.each(
            here.where(_recents.c.city == self.city), _recents.c.record, sorted(known)
        ):
            stored.setdefault(row.record, {})[row.trace] = row.at
        rows = []
        for name, found in traces.items():
            record, before = records[name], stored.get(name, {})
            number = max(record.changed, record.created)
            at = times.get(record.created) or next(iter(before.values()), 0)
            for trace in sorted(set(found) - before.keys()):
                rows.append(
                    {"record": name, "trace": trace, "number": number, "device": record.device}
                    | {"at": at or times.get(number, 0)}
                )
        self.insert(_recents, rows)

    def recents(
        self, device: bytes, after: int, since: int, limit: int
    ) -> tuple[list[RecentTrace], int, bool]:
        """Traces of requests that other laptops took in after the time `since`, said by decisions
        after number `after`, about `limit` of them but whole decisions; the number they reach to;
        whether these are all."""
        here = (_recents.c.city == self.city) & (_recents.c.number > after)
        others = here & (_recents.c.at >= since) & (_recents.c.device != device)
        office = (_devices.c.city == self.city) & (_devices.c.id == _recents.c.device)
        found = (
            select(_recents.c.number, _recents.c.trace, _recents.c.at, _devices.c.office_name)
            .select_from(_recents.outerjoin(_devices, office))
            .where(others)
            .order_by(_recents.c.number)
            .limit(limit + 1)
        )
        rows = self.rows(found)
        done = len(rows) <= limit
        if not done:  # what the last decision said may go on behind the limit
            whole = [row for row in rows if row.number != rows[-1].number]
            rows = whole or self.rows(found.limit(None).where(_recents.c.number == rows[0].number))
        number = max([after, *(row.number for row in rows)])
        if done:
            number = self.standing().server_seq
        traces = [RecentTrace(row.trace, row.office_name or OFFICE, row.at) for row in rows]
        return traces, number, done

    def forget_recents(self, before: int) -> int:
        """Drop traces of requests from before that time; gives how many."""
        old = (_recents.c.city == self.city) & (_recents.c.at < before)
        return self.run(delete(_recents).where(old))
