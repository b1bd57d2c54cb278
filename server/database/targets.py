"""How far target lists are served: whom a village wants recorded, and who has asked since."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec
from sqlalchemy import delete, select, tuple_

from models.lifecycle import Status
from server.database.report_tables import TargetListRow, TargetRequestRow
from server.database.tables import RecordRow, RosterRow
from server.database.work import Work, table_of

_lists = table_of(TargetListRow)
_requests = table_of(TargetRequestRow)
_rosters = table_of(RosterRow)
_records = table_of(RecordRow)
IN_VAIN = (Status.CANCELLED, Status.REJECTED, Status.EXPIRED, Status.MERGED)


class TargetList(msgspec.Struct, frozen=True):
    """digest: of the list's file. listed: its day, ISO. wanted: people who are not recorded yet, -1
    where the list cannot be read; unnamed: those of them without a NIK, who cannot be found again.
    asked: those with a request since that day. at: when that was counted, Unix seconds."""

    digest: bytes
    village: str
    listed: str
    wanted: int
    unnamed: int
    asked: int
    at: int


class Targets(Work):
    """Keeping and reading the counts."""

    def target_lists(self, villages: Collection[str] | None = None) -> list[TargetList]:
        """All that were counted, or those of some villages."""
        here = _lists.c.city == self.city
        if villages is not None:
            here &= _lists.c.village.in_(sorted(villages))
        rows = self.rows(select(_lists).where(here).order_by(_lists.c.village, _lists.c.digest))
        return [msgspec.convert(row, TargetList, from_attributes=True) for row in rows]

    def keep_target_list(self, one: TargetList, requests: Iterable[tuple[bytes, str]]) -> None:
        """It stands so now. requests: id and day of arrival, one of each person."""
        self.forget_target_lists([one.digest])
        self.insert(_lists, [msgspec.structs.asdict(one)])
        rows = [{"digest": one.digest, "record": name, "day": day} for name, day in requests]
        self.insert(_requests, rows)

    def forget_target_lists(self, digests: Collection[bytes]) -> None:
        """Nothing is known of how far these are served."""
        for table in (_lists, _requests):
            here = table.c.city == self.city
            self.run(delete(table).where(here, table.c.digest.in_(sorted(digests))))

    def unkept_target_lists(self) -> list[bytes]:
        """Digests of counted lists that are kept no longer."""
        kept = select(_rosters.c.digest).where(_rosters.c.city == self.city)
        here = (_lists.c.city == self.city) & _lists.c.digest.not_in(kept)
        return [row.digest for row in self.rows(select(_lists.c.digest).where(here))]

    def asked_since(
        self, niks: Collection[str], services: Collection[str], village: str, since: int
    ) -> dict[str, tuple[bytes, int]]:
        """NIK -> the newest request of that person for one of these services in the village, and
        when it came (Unix seconds); those that came to nothing are left out."""
        c = _records.c
        here = select(c.nik, c.id, c.created_at).where(c.city == self.city, c.village == village)
        here = here.where(c.service.in_(sorted(services)), c.created_at >= since)
        here = here.where(c.status.not_in([str(status) for status in IN_VAIN]))
        rows = sorted(self.each(here, c.nik, sorted(niks)), key=lambda row: row.created_at)
        return {row.nik: (row.id, row.created_at) for row in rows}

    def target_requests(
        self, digest: bytes, *, after: tuple[str, bytes] = ("", b""), limit: int = 50
    ) -> list[tuple[bytes, str, str]]:
        """(id, day, "") of the requests that `asked` counts, by day."""
        c = _requests.c
        found = select(c.record, c.day).where(c.city == self.city, c.digest == digest)
        if after[1]:
            found = found.where(tuple_(c.day, c.record) > after)
        rows = self.rows(found.order_by(c.day, c.record).limit(limit))
        return [(row.record, row.day, "") for row in rows]
