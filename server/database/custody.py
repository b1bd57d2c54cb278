"""Custody: bundles by USB stick that came here or were made here, volume by volume."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy import func, select

from server.database.tables import (
    AheadRow,
    AnnouncedRow,
    BlobRow,
    BundleRow,
    BundleVolumeRow,
    LogRow,
)
from server.database.work import Work, table_of
from sync.bundle import WORK
from sync.messages import Sight, Span

BUNDLES_LISTED = 200
FILES_TOLD = 2000

_bundles = table_of(BundleRow)
_volumes = table_of(BundleVolumeRow)
_ahead = table_of(AheadRow)
_logs = table_of(LogRow)
_announced = table_of(AnnouncedRow)
_blobs = table_of(BlobRow)
_read_spans = msgspec.msgpack.Decoder(list[list[Span]])
_read_sight = msgspec.msgpack.Decoder(Sight | None)


class Bundle(msgspec.Struct, frozen=True):
    """See `BundleRow`. spans: entries in volume 1, 2, … of a laptop's bundle. sight: what it then
    knew of its scope."""

    name: bytes
    purpose: str
    log: bytes
    device: bytes
    n: int
    number: int = 0
    start: int = 0
    upper: int = 0
    spans: list[list[Span]] = []
    sight: Sight | None = None
    at: int = 0
    by: str = ""


class VolumeHere(msgspec.Struct, frozen=True):
    """A volume that was here. at: Unix seconds; by: who brought or took it."""

    k: int
    digest: bytes
    size: int
    at: int
    by: str


class Custody(Work):
    """What may be asked and noted about bundles."""

    def bundle(self, name: bytes) -> Bundle | None:
        """The bundle with that name."""
        here = (_bundles.c.city == self.city) & (_bundles.c.name == name)
        row = self.one(select(_bundles).where(here))
        return _read(row) if row is not None else None

    def bundles(self, purpose: str, limit: int = BUNDLES_LISTED) -> list[Bundle]:
        """The newest bundles of a purpose, newest first."""
        here = (_bundles.c.city == self.city) & (_bundles.c.purpose == purpose)
        newest = select(_bundles).where(here).order_by(_bundles.c.at.desc(), _bundles.c.name)
        return [_read(row) for row in self.rows(newest.limit(limit))]

    def keep_bundle(self, bundle: Bundle) -> None:
        """Note a bundle; the first note of a name stands."""
        if self.bundle(bundle.name) is None:
            row = msgspec.structs.asdict(bundle)
            row["spans"] = msgspec.msgpack.encode(bundle.spans)
            row["sight"] = msgspec.msgpack.encode(bundle.sight)
            self.insert(_bundles, [row])

    def volumes(self, name: bytes) -> dict[int, VolumeHere]:
        """Volumes of a bundle that were here, by number."""
        return self.volumes_of([name])[name]

    def volumes_of(self, names: Collection[bytes]) -> dict[bytes, dict[int, VolumeHere]]:
        """The same of several bundles."""
        here = select(_volumes).where(_volumes.c.city == self.city).order_by(_volumes.c.k)
        found: dict[bytes, dict[int, VolumeHere]] = {name: {} for name in names}
        for row in self.each(here, _volumes.c.name, sorted(names)):
            volume = VolumeHere(row.k, row.digest, row.size, row.at, row.by)
            found[row.name][row.k] = volume
        return found

    def keep_volume(self, name: bytes, volume: VolumeHere) -> bool:
        """Note a volume; False when it was noted before."""
        if volume.k in self.volumes(name):
            return False
        self.insert(_volumes, [{"name": name, **msgspec.structs.asdict(volume)}])
        return True

    def newest_return(self, log: bytes) -> Bundle | None:
        """The last bundle that was made for a log."""
        here = (_bundles.c.city == self.city) & (_bundles.c.log == log)
        made = select(_bundles).where(here, _bundles.c.purpose != WORK)
        row = self.one(made.order_by(_bundles.c.number.desc()).limit(1))
        return _read(row) if row is not None else None

    def newest_sight(self, log: bytes) -> Sight | None:
        """What the laptop with this log last said by stick that it knows of its scope."""
        here = (_bundles.c.city == self.city) & (_bundles.c.log == log)
        came = select(_bundles).where(here, _bundles.c.purpose == WORK)
        row = self.one(came.order_by(_bundles.c.number.desc()).limit(1))
        return _read(row).sight if row is not None else None

    def newest_number(self, purpose: str, log: bytes) -> int:
        """The highest number of a log's bundles of a purpose."""
        here = (_bundles.c.city == self.city) & (_bundles.c.log == log)
        highest = select(func.max(_bundles.c.number)).where(here, _bundles.c.purpose == purpose)
        return int(self.value(highest) or 0)

    def gaps(self) -> dict[bytes, int]:
        """Logs of which something came ahead -> number of the first entry that came."""
        found = select(_ahead.c.log, func.min(_ahead.c.seq).label("first"))
        rows = self.rows(found.where(_ahead.c.city == self.city).group_by(_ahead.c.log))
        return {row.log: row.first for row in rows}

    def news_of_files(self, log: bytes, since: int) -> list[bytes]:
        """Files of a log that became whole when decision `since` or a later one was the newest, or
        are on their way."""
        here = (_announced.c.city == self.city) & (_announced.c.log == log)
        same = (_blobs.c.city == _announced.c.city) & (_blobs.c.id == _announced.c.blob)
        news = _blobs.c.covered.is_(None) | (_blobs.c.covered >= since)
        found = select(_blobs.c.id).join_from(_announced, _blobs, same).where(here, news)
        return [row.id for row in self.rows(found.order_by(_blobs.c.id).limit(FILES_TOLD))]

    def heard_cursor(self, log: bytes) -> int:
        """How far the laptop with this log had read when it was last heard."""
        here = (_logs.c.city == self.city) & (_logs.c.id == log)
        cursor: int = self.value(select(_logs.c.heard_cursor).where(here)) or 0
        return cursor


def _read(row: object) -> Bundle:
    plain = {name: getattr(row, name) for name in Bundle.__struct_fields__}
    plain["spans"] = _read_spans.decode(plain["spans"])
    plain["sight"] = _read_sight.decode(plain["sight"])
    return Bundle(**plain)
