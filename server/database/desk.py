"""The desk's memory: batches for SIAK, claims, and lists that people keep."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import func, select

from server.database.desk_tables import ClaimRow, SavedFilterRow, SiakBatchRow, SiakRowRow
from server.database.lists import RUNNING, askable, elsewhere, inside
from server.database.report_tables import MilestoneRow
from server.database.tables import RecordRow
from server.database.work import Work, table_of

_batches = table_of(SiakBatchRow)
_rows = table_of(SiakRowRow)
_claims = table_of(ClaimRow)
_filters = table_of(SavedFilterRow)
_records = table_of(RecordRow)
_milestones = table_of(MilestoneRow)


class Batch(msgspec.Struct, frozen=True):
    """A batch for SIAK; see SiakBatchRow."""

    id: bytes
    number: int
    state: str
    frozen_at: int
    frozen_by: str
    proposed_by: str = ""
    closed_at: int = 0
    closed_by: str = ""


class BatchRow(msgspec.Struct, frozen=True):
    """One request of a batch; see SiakRowRow."""

    batch: bytes
    n: int
    record: bytes
    seen: int
    data: bytes
    state: str
    reference: str = ""
    reason: str = ""
    by: str = ""


class Claim(msgspec.Struct, frozen=True):
    """Who has taken a request, and until when (Unix seconds)."""

    record: bytes
    login: str
    until: int


class Desk(Work):
    """What people at central keep beside the register."""

    # -- batches

    def batches(
        self, *, state: str = "", areas: Collection[str] = (), before: int = 0, limit: int = 50
    ) -> list[Batch]:
        """Batches, newest first; `before`: number of the last one seen. areas: those alone whose
        requests are all of these."""
        found = select(_batches).where(_batches.c.city == self.city)
        if areas:
            of_batch = (_rows.c.city == self.city) & (_rows.c.batch == _batches.c.id)
            found = found.where(~elsewhere(_rows, of_batch, areas))
        if state:
            found = found.where(_batches.c.state == state)
        if before:
            found = found.where(_batches.c.number < askable(before))
        rows = self.rows(found.order_by(_batches.c.number.desc()).limit(limit))
        return [msgspec.convert(row, Batch, from_attributes=True) for row in rows]

    def batch(self, number: int) -> Batch | None:
        """The batch with this number."""
        here = (_batches.c.city == self.city) & (_batches.c.number == askable(number))
        row = self.one(select(_batches).where(here))
        return msgspec.convert(row, Batch, from_attributes=True) if row is not None else None

    def next_batch(self) -> int:
        """Number of the next batch."""
        newest = select(func.max(_batches.c.number)).where(_batches.c.city == self.city)
        return (self.value(newest) or 0) + 1

    def add_batch(self, batch: Batch, rows: Sequence[BatchRow]) -> None:
        """A new batch with its requests."""
        self.insert(_batches, [msgspec.structs.asdict(batch)])
        self.insert(_rows, [msgspec.structs.asdict(row) for row in rows])

    def keep_batch(self, batch: Batch) -> None:
        """The batch stands so now."""
        self.update(_batches, ["id"], [msgspec.structs.asdict(batch)])

    def batch_rows(self, batch: bytes) -> list[BatchRow]:
        """The requests of a batch, in order."""
        here = (_rows.c.city == self.city) & (_rows.c.batch == batch)
        rows = self.rows(select(_rows).where(here).order_by(_rows.c.n))
        return [msgspec.convert(row, BatchRow, from_attributes=True) for row in rows]

    def batch_states(self, batches: Collection[bytes]) -> dict[bytes, dict[str, int]]:
        """How many requests of each batch stand how; without what was frozen of them."""
        c = _rows.c
        counted = select(c.batch, c.state, func.count().label("n")).where(c.city == self.city)
        found: dict[bytes, dict[str, int]] = {batch: {} for batch in batches}
        for row in self.each(counted.group_by(c.batch, c.state), c.batch, sorted(batches)):
            found[row.batch][row.state] = row.n
        return found

    def keep_batch_rows(self, rows: Sequence[BatchRow]) -> None:
        """These rows stand so now."""
        plain = [msgspec.structs.asdict(row) for row in rows]
        self.update(_rows, ["batch", "n"], plain)

    # -- claims

    def claim(self, record: bytes) -> Claim | None:
        """Who has taken it, even if that is over."""
        here = (_claims.c.city == self.city) & (_claims.c.record == record)
        row = self.one(select(_claims).where(here))
        return msgspec.convert(row, Claim, from_attributes=True) if row is not None else None

    def claims(self, records: Collection[bytes], at: int) -> dict[bytes, Claim]:
        """Those of the requests that somebody has."""
        found = select(_claims).where(_claims.c.city == self.city, _claims.c.until > at)
        rows = self.each(found, _claims.c.record, sorted(records))
        read = (msgspec.convert(row, Claim, from_attributes=True) for row in rows)
        return {claim.record: claim for claim in read}

    def claims_of(self, login: str, at: int) -> list[Claim]:
        """What somebody has, the longest first."""
        here = (_claims.c.city == self.city) & (_claims.c.login == login) & (_claims.c.until > at)
        rows = self.rows(select(_claims).where(here).order_by(_claims.c.until, _claims.c.record))
        return [msgspec.convert(row, Claim, from_attributes=True) for row in rows]

    def keep_claims(self, claims: Sequence[Claim]) -> None:
        """Taken, in the place of whoever had them."""
        self.drop_claims([claim.record for claim in claims])
        self.insert(_claims, [msgspec.structs.asdict(claim) for claim in claims])

    def drop_claims(self, records: Collection[bytes]) -> None:
        """Nobody has these any more."""
        self.delete(_claims, ["record"], [{"record": record} for record in records])

    def known_requests(self, records: Collection[bytes], areas: Collection[str] = ()) -> set[bytes]:
        """Those of the ids that are of requests. areas: of these alone."""
        found = select(_records.c.id).where(_records.c.city == self.city)
        if areas:
            found = found.where(inside(areas))
        return {row.id for row in self.each(found, _records.c.id, sorted(records))}

    def waiting_in(self, status: str, *, areas: Collection[str] = ()) -> tuple[int, int]:
        """How many requests stand so, and when the oldest of them arrived. areas: of these
        alone."""
        here = (_records.c.city == self.city) & (_records.c.status == status)
        if areas:
            here &= inside(areas)
        n = self.value(select(func.count()).select_from(_records).where(here)) or 0
        oldest = select(_records.c.created_at).where(here)
        order = (_records.c.created, _records.c.id)
        return n, self.value(oldest.order_by(*order).limit(1)) or 0

    def overdue(
        self, statuses: Collection[str], before: str, *, areas: Collection[str] = ()
    ) -> dict[str, int]:
        """Status -> how many of the requests that stand so have a clock that runs and was due
        before that moment (as milestones have it)."""
        m = _milestones.c
        late = (m.record == _records.c.id) & (m.figure == RUNNING) & (m.day < before)
        is_late = select(m.record).where(m.city == self.city, late).exists()
        found = select(_records.c.status, func.count().label("n"))
        found = found.where(_records.c.city == self.city, is_late)
        found = found.where(_records.c.status.in_(sorted(statuses)))
        if areas:
            found = found.where(inside(areas))
        return {row.status: row.n for row in self.rows(found.group_by(_records.c.status))}

    def next_unclaimed(
        self,
        statuses: Collection[str],
        at: int,
        *,
        service: str = "",
        village: str = "",
        areas: Collection[str] = (),
    ) -> bytes | None:
        """The oldest request of those that nobody has."""
        taken = select(_claims.c.record).where(
            _claims.c.city == self.city, _claims.c.record == _records.c.id, _claims.c.until > at
        )
        found = select(_records.c.id, _records.c.created).where(
            _records.c.city == self.city, ~taken.exists()
        )
        if service:
            found = found.where(_records.c.service == service)
        if village:
            found = found.where(inside([village]))
        if areas:
            found = found.where(inside(areas))
        firsts = []
        for status in sorted(statuses):  # one at a time: each is the start of an index
            one = found.where(_records.c.status == status)
            row = self.one(one.order_by(_records.c.created, _records.c.id).limit(1))
            if row is not None:
                firsts.append((row.created, row.id))
        return min(firsts)[1] if firsts else None

    # -- lists that people keep

    def saved_filters(self, login: str) -> list[tuple[str, bytes]]:
        """(name, data) of somebody's lists."""
        here = (_filters.c.city == self.city) & (_filters.c.login == login)
        rows = self.rows(select(_filters).where(here).order_by(_filters.c.name))
        return [(row.name, row.data) for row in rows]

    def keep_filter(self, login: str, name: str, data: bytes) -> None:
        """Keep a list under that name, in the place of another."""
        self.drop_filter(login, name)
        self.insert(_filters, [{"login": login, "name": name, "data": data}])

    def drop_filter(self, login: str, name: str) -> None:
        """Forget a list."""
        self.delete(_filters, ["login", "name"], [{"login": login, "name": name}])
