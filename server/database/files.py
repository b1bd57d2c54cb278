"""Files of requests, as the register knows them: which log spoke of which, and what arrived.

The bytes lie on the shelf (server.blobs). A log is told only of files that it has announced itself,
in a change that is stored here, whatever became of that change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec
from sqlalchemy import func, literal_column, select

from models.changes import (
    PREVIEW_BYTES_MAX,
    Attached,
    decode_body,
    decode_change,
    record_of,
)
from server.database.loading import Loading
from server.database.tables import AnnouncedRow, BlobDayRow, BlobRow
from server.database.work import table_of
from sync.logs import Entry
from sync.transfer import BLOB_BYTES_MAX, HASH_BYTES

_announced = table_of(AnnouncedRow)
_blobs = table_of(BlobRow)
_days = table_of(BlobDayRow)

_ATTACH = b"attach"
"""Stands in the bytes of every change that has files: a look without decoding."""


class Announced(msgspec.Struct, frozen=True):
    """A file that a log has spoken of. size: exactly, or at most for a preview."""

    blob: bytes
    record: bytes
    size: int
    preview: bool


class Blob(msgspec.Struct, frozen=True):
    """What is known of a file. size: 0 and hashes: empty before its manifest came. covered: number
    of the newest decision when all of it was here and verified; None before. at: Unix seconds; 0
    where it was whole once and is not any more."""

    id: bytes
    size: int
    hashes: bytes
    covered: int | None
    at: int


def announcements(log: bytes, entries: Iterable[Entry]) -> list[Announced]:
    """The files that stored entries of a log speak of, their previews too."""
    found: dict[bytes, Announced] = {}
    for entry in entries:
        if _ATTACH not in entry.data:
            continue
        try:
            change = decode_change(entry.data)
            files = decode_body(change.body).attach
        except msgspec.DecodeError:
            continue
        record = record_of(log, entry.seq, change, entry.data)
        for file in filter(_can_be, files):
            found[file.blob] = Announced(file.blob, record, file.size, preview=False)
            if file.preview:
                small = Announced(file.preview, record, PREVIEW_BYTES_MAX, preview=True)
                found[file.preview] = small
    return list(found.values())


def _can_be(file: Attached) -> bool:
    """Is it named and sized as files are? Of others nothing is ever taken in, nor noted: a number
    or a name of any length is no reason to stop a log."""
    named = len(file.blob) == HASH_BYTES and len(file.preview) in (0, HASH_BYTES)
    return named and 0 < file.size <= BLOB_BYTES_MAX


class Files(Loading):
    """What may be asked and noted about files."""

    def announce(self, log: bytes, entries: Iterable[Entry]) -> None:
        """Note the files that fresh entries speak of. One that was moved is the last request's."""
        named = announcements(log, entries)
        if not named:
            return
        there = self.announced(log, [one.blob for one in named])
        rows = [
            {"log": log, **msgspec.structs.asdict(one)} for one in named if one.blob not in there
        ]
        self.insert(_announced, rows)
        moved = [one for one in named if there.get(one.blob, one).record != one.record]
        rows = [{"log": log, "blob": one.blob, "record": one.record} for one in moved]
        self.update(_announced, ["log", "blob"], rows)

    def announced(self, log: bytes, blobs: Collection[bytes]) -> dict[bytes, Announced]:
        """Those of the named files that the log has spoken of."""
        here = select(_announced).where(_announced.c.city == self.city, _announced.c.log == log)
        rows = self.each(here, _announced.c.blob, sorted(blobs))
        return {row.blob: Announced(row.blob, row.record, row.size, row.preview) for row in rows}

    def blobs(self, names: Collection[bytes]) -> dict[bytes, Blob]:
        """What is known of the named files."""
        rows = self.each(
            select(_blobs).where(_blobs.c.city == self.city), _blobs.c.id, sorted(names)
        )
        return {r.id: Blob(r.id, r.size, r.hashes, r.covered, r.at) for r in rows}

    def keep_manifests(self, blobs: Sequence[Blob]) -> None:
        """Note what files consist of; those known already are left as they are."""
        there = self.blobs([blob.id for blob in blobs])
        fresh = {blob.id: blob for blob in blobs if blob.id not in there}
        self.insert(_blobs, [msgspec.structs.asdict(blob) for blob in fresh.values()])

    def blobs_whole(self, names: Collection[bytes], at: int) -> int:
        """All of these files is on the disk and hashes to its name; gives the number of the newest
        decision, which every backup that holds more than it was made after."""
        covered = self.standing().server_seq
        rows = [{"id": name, "covered": covered, "at": at} for name in sorted(names)]
        self.update(_blobs, ["id"], rows)
        return covered

    def blob_torn(self, name: bytes) -> None:
        """A file that was whole is no longer: it is wanted once more."""
        self.update(_blobs, ["id"], [{"id": name, "covered": None, "at": 0}])

    def lost_blobs(self) -> list[bytes]:
        """Every file that was whole and is wanted once more."""
        # Spelled out, not a parameter: SQLite looks for the words of the partial index.
        lost = _blobs.c.covered.is_(None) & (_blobs.c.at == literal_column("0"))
        here = (_blobs.c.city == self.city) & lost
        return [row.id for row in self.rows(select(_blobs.c.id).where(here).order_by(_blobs.c.id))]

    def blobs_of(self, record: bytes) -> dict[bytes, Blob]:
        """What is known of every file that was announced for a request."""
        here = (_announced.c.city == self.city) & (_announced.c.record == record)
        names = {row.blob for row in self.rows(select(_announced.c.blob).where(here))}
        return self.blobs(names)

    def named_blobs(self) -> set[bytes]:
        """Every file that is known here or that a log has spoken of."""
        known = select(_blobs.c.id).where(_blobs.c.city == self.city)
        spoken = select(_announced.c.blob).where(_announced.c.city == self.city)
        return {row[0] for part in (known, spoken) for row in self.rows(part)}

    def whole_blobs(self) -> list[Blob]:
        """Every file that is whole here, for backups and checks."""
        here = (_blobs.c.city == self.city) & _blobs.c.covered.is_not(None)
        rows = self.rows(select(_blobs).where(here).order_by(_blobs.c.id))
        return [Blob(r.id, r.size, r.hashes, r.covered, r.at) for r in rows]

    # -- how much a laptop brings

    def brought(self, device: bytes, day: int) -> int:
        """Bytes of files that a laptop has brought on a day (days since 1970, central's clock)."""
        here = (_days.c.city == self.city) & (_days.c.device == device) & (_days.c.day == day)
        found: int | None = self.value(select(func.sum(_days.c.amount)).where(here))
        return found or 0

    def add_brought(self, device: bytes, day: int, amount: int) -> None:
        """Count some more."""
        before = self.brought(device, day)
        row = {"device": device, "day": day, "amount": before + amount}
        if before:
            self.update(_days, ["device", "day"], [row])
        else:
            self.delete(_days, ["device"], [{"device": device}])  # yesterday does not matter
            self.insert(_days, [row])
