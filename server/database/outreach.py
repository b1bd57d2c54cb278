"""Voyages of the vans, forms begun at the counter, and what was taken in where and when."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import msgspec
from sqlalchemy import delete, func, or_, select, union

from server.database.outreach_tables import CounterDraftRow, VoyageRow
from server.database.tables import (
    AnnouncedRow,
    BlobRow,
    BundleRow,
    DecisionRow,
    EntryRow,
    LogRow,
    RecordRow,
)
from server.database.work import Work, table_of
from sync.bundle import WORK

_voyages = table_of(VoyageRow)
_drafts = table_of(CounterDraftRow)
_records = table_of(RecordRow)
_entries = table_of(EntryRow)
_logs = table_of(LogRow)
_announced = table_of(AnnouncedRow)
_blobs = table_of(BlobRow)
_bundles = table_of(BundleRow)
_decisions = table_of(DecisionRow)

ID_BYTES = 16


class KeptVoyage(msgspec.Struct, frozen=True):
    """A voyage as it is kept, see `VoyageRow`."""

    id: bytes
    first: str
    last: str
    device: bytes
    state: str
    at: int
    by: str
    data: bytes


class KeptDraft(msgspec.Struct, frozen=True):
    """Forms begun at the counter, see `CounterDraftRow`."""

    id: bytes
    login: str
    at: int
    version: int
    data: bytes
    became: bytes = b""

    @property
    def records(self) -> list[bytes]:
        """The requests they became."""
        return [self.became[i : i + ID_BYTES] for i in range(0, len(self.became), ID_BYTES)]


class LateFile(msgspec.Struct, frozen=True):
    """A file of a request that was announced and is not whole here. known: its manifest is here."""

    record: bytes
    blob: bytes
    size: int
    known: bool


class Outreach(Work):
    """Planning and looking back."""

    # -- voyages

    def voyages(self, first: str, last: str) -> list[KeptVoyage]:
        """Those that touch these days (ISO), by day."""
        here = (_voyages.c.city == self.city) & (_voyages.c.first <= last)
        found = select(_voyages).where(here, _voyages.c.last >= first)
        return [_voyage(r) for r in self.rows(found.order_by(_voyages.c.first, _voyages.c.id))]

    def voyage(self, name: bytes) -> KeptVoyage | None:
        """The voyage with that id."""
        here = (_voyages.c.city == self.city) & (_voyages.c.id == name)
        row = self.one(select(_voyages).where(here))
        return _voyage(row) if row is not None else None

    def keep_voyage(self, voyage: KeptVoyage) -> None:
        """Add a voyage, or change the one with this id."""
        row = msgspec.structs.asdict(voyage)
        if self.voyage(voyage.id) is None:
            self.insert(_voyages, [row])
        else:
            self.update(_voyages, ["id"], [row])

    # -- the counter

    def counter_drafts(self, login: str) -> list[KeptDraft]:
        """What somebody began and did not submit, newest first."""
        here = (_drafts.c.city == self.city) & (_drafts.c.login == login)
        found = select(_drafts).where(here, _drafts.c.became == b"")
        return [_draft(row) for row in self.rows(found.order_by(_drafts.c.at.desc(), _drafts.c.id))]

    def counter_draft(self, name: bytes) -> KeptDraft | None:
        """The draft with that id, also one that became requests."""
        here = (_drafts.c.city == self.city) & (_drafts.c.id == name)
        row = self.one(select(_drafts).where(here))
        return _draft(row) if row is not None else None

    def keep_counter_draft(self, draft: KeptDraft) -> None:
        """Add a draft, or change the one with this id."""
        row = msgspec.structs.asdict(draft)
        if self.counter_draft(draft.id) is None:
            self.insert(_drafts, [row])
        else:
            self.update(_drafts, ["id"], [row])

    def drop_counter_draft(self, name: bytes) -> None:
        """Forget a draft."""
        self.delete(_drafts, ["id"], [{"id": name}])

    def forget_counter_drafts(self, before: int) -> int:
        """Drop those that nobody has touched since that time; gives how many."""
        old = (_drafts.c.city == self.city) & (_drafts.c.at < before)
        return self.run(delete(_drafts).where(old))

    # -- what was taken in

    def taken_by_village(self, since: int) -> dict[str, tuple[int, int]]:
        """village -> how many requests came since that time (Unix seconds), and when the newest of
        all came. Asked of an index alone: the rows of requests are wide."""
        c = _records.c
        newest = select(c.village, func.max(c.created)).where(c.city == self.city)
        last = {row[0]: row[1] for row in self.rows(newest.group_by(c.village))}
        after = self._number_before(since)
        counted = select(c.village, func.count()).where(c.city == self.city, c.created > after)
        n = {row[0]: row[1] for row in self.rows(counted.group_by(c.village))}
        decided = select(_decisions.c.server_seq, _decisions.c.at)
        here = decided.where(_decisions.c.city == self.city)
        rows = self.each(here, _decisions.c.server_seq, set(last.values()))
        times = {row.server_seq: row.at for row in rows}
        return {
            village: (n.get(village, 0), times.get(number, 0)) for village, number in last.items()
        }

    def _number_before(self, at: int) -> int:
        """Number of a decision before which everything came before that time; the clock goes
        forward, so halving finds it."""
        c = _decisions.c
        here = select(c.server_seq, c.at).where(c.city == self.city)
        newest = self.one(here.order_by(c.server_seq.desc()).limit(1))
        low, high = 0, newest.server_seq if newest is not None else 0
        while low < high:
            middle = (low + high + 1) // 2
            found = self.one(
                here.where(c.server_seq <= middle).order_by(c.server_seq.desc()).limit(1)
            )
            if found is None or found.at < at:
                low = middle
            else:
                high = found.server_seq - 1
        return low

    def created_entries(self, device: bytes, since: int) -> Iterator[tuple[bytes, str]]:
        """Bytes of the entries of a laptop that made requests and came since that time, each with
        the village its request belongs to now. One that was made again in a later log of the laptop
        is told once, as it came first."""
        mine = (_logs.c.city == self.city) & (_logs.c.device == device)
        logs = [row.id for row in self.rows(select(_logs.c.id).where(mine))]
        both = (_records.c.city == _entries.c.city) & (_records.c.id == _entries.c.record)
        found = (
            select(_entries.c.record, _entries.c.data, _records.c.village)
            .select_from(_entries.join(_records, both))
            .where(_entries.c.city == self.city, _entries.c.kind == "create")
            .where(_entries.c.received_at >= since)
            .order_by(_entries.c.received_at, _entries.c.seq)
        )
        told: set[bytes] = set()
        for row in self.each(found, _entries.c.log, logs):
            if row.record not in told:
                told.add(row.record)
                yield row.data, row.village

    # -- what a laptop holds, and what it has not brought

    def held(
        self, device: bytes, villages: Collection[str], after: tuple[int, bytes], limit: int
    ) -> list[Any]:
        """Requests that a laptop holds a copy of: its own and those of its villages, by arrival,
        after (number of the decision, id). Rows without the request's data. Each part is read off
        its own index."""
        c = _records.c
        later = or_(c.created > after[0], (c.created == after[0]) & (c.id > after[1]))
        columns = (
            c.id, c.block, c.number, c.service, c.name, c.village, c.status, c.created,
            c.created_at, c.device,
        )  # fmt: skip
        found: dict[bytes, Any] = {}
        for part in (c.device == device, *(c.village == village for village in villages)):
            here = select(*columns).where(c.city == self.city, c.created >= after[0], part, later)
            for row in self.rows(here.order_by(c.created, c.id).limit(limit)):
                found[row.id] = row
        return sorted(found.values(), key=lambda row: (row.created, row.id))[:limit]

    def held_count(self, device: bytes, villages: Collection[str]) -> int:
        """How many that are."""
        c = _records.c
        here = select(c.id).where(c.city == self.city)
        either = union(
            here.where(c.device == device), here.where(c.village.in_(sorted(villages)))
        ).subquery()
        return int(self.value(select(func.count()).select_from(either)) or 0)

    def arrivals(self, logs: Collection[bytes], limit: int) -> list[Any]:
        """What came of these logs and when, newest first: rows with log, at, first, last."""
        c = _entries.c
        found = (
            select(
                c.log, c.received_at.label("at"), func.min(c.seq).label("first"),
                func.max(c.seq).label("last"),
            )
            .where(c.city == self.city)
            .group_by(c.log, c.received_at)
            .order_by(c.received_at.desc(), c.log)
            .limit(limit)
        )  # fmt: skip
        rows = list(self.each(found, c.log, logs))
        return sorted(rows, key=lambda row: (-row.at, -row.last))[:limit]

    def bundles_given(self, device: bytes) -> int:
        """How many bundles of central were made for a laptop, to be carried to it."""
        here = (_bundles.c.city == self.city) & (_bundles.c.device == device)
        found = select(func.count()).select_from(_bundles).where(here)
        return int(self.value(found.where(_bundles.c.purpose != WORK)) or 0)

    def late_files(self, device: bytes, limit: int) -> list[LateFile]:
        """Files that a laptop has announced and that are not whole here, by request; small pictures
        are not counted."""
        mine = (_logs.c.city == self.city) & (_logs.c.device == device)
        logs = [row.id for row in self.rows(select(_logs.c.id).where(mine))]
        both = (_blobs.c.city == _announced.c.city) & (_blobs.c.id == _announced.c.blob)
        found = (
            select(
                _announced.c.record,
                _announced.c.blob,
                _announced.c.size,
                _blobs.c.id.label("there"),
            )
            .select_from(_announced.outerjoin(_blobs, both))
            .where(_announced.c.city == self.city, _announced.c.preview.is_(False))
            .where(_blobs.c.covered.is_(None))
            .order_by(_announced.c.record, _announced.c.blob)
            .limit(limit)
        )
        rows = {(r.record, r.blob): r for r in self.each(found, _announced.c.log, logs)}
        late = [LateFile(r.record, r.blob, r.size, r.there is not None) for r in rows.values()]
        return late[:limit]


def _voyage(row: Any) -> KeptVoyage:
    return KeptVoyage(
        row.id, row.first, row.last, row.device, row.state, row.at, row.by, row.data
    )  # fmt: skip


def _draft(row: Any) -> KeptDraft:
    return KeptDraft(row.id, row.login, row.at, row.version, row.data, row.became)
