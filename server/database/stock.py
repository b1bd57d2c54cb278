"""Blank cards and manifests in the register."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import func, select

from server.database.lists import RequestLine, askable, elsewhere, inside
from server.database.stock_tables import BlankRow, ManifestItemRow, ManifestRow
from server.database.tables import RecordRow
from server.database.work import Work, table_of

_blanks = table_of(BlankRow)
_manifests = table_of(ManifestRow)
_items = table_of(ManifestItemRow)
_records = table_of(RecordRow)


class Blank(msgspec.Struct, frozen=True):
    """A numbered blank card; see BlankRow."""

    serial: str
    kind: str
    state: str
    record: bytes = b""
    reason: str = ""
    at: int = 0
    by: str = ""


class Manifest(msgspec.Struct, frozen=True):
    """Documents carried together; see ManifestRow."""

    number: int
    place: str
    carrier: str
    state: str
    sent_at: int = 0
    sent_by: str = ""
    received_at: int = 0
    received_by: str = ""


class Item(msgspec.Struct, frozen=True):
    """One document of a manifest; see ManifestItemRow."""

    number: int
    record: bytes
    state: str


class Stock(Work):
    """What leaves the office."""

    # -- blank cards

    def blank(self, serial: str) -> Blank | None:
        """The blank with this serial."""
        here = (_blanks.c.city == self.city) & (_blanks.c.serial == serial)
        row = self.one(select(_blanks).where(here))
        return msgspec.convert(row, Blank, from_attributes=True) if row is not None else None

    def blank_of(self, record: bytes) -> Blank | None:
        """The card that was used for a request and is not spoiled."""
        here = (_blanks.c.city == self.city) & (_blanks.c.record == record)
        row = self.one(select(_blanks).where(here, _blanks.c.state == "used"))
        return msgspec.convert(row, Blank, from_attributes=True) if row is not None else None

    def known_serials(self, serials: Collection[str]) -> set[str]:
        """Those of the serials that the book has already."""
        found = select(_blanks.c.serial).where(_blanks.c.city == self.city)
        return {row.serial for row in self.each(found, _blanks.c.serial, sorted(serials))}

    def blanks(self, kind: str, state: str, after: str, limit: int) -> list[Blank]:
        """Blanks by serial; kind, state: "" for any; after: the last one seen."""
        found = select(_blanks).where(_blanks.c.city == self.city, _blanks.c.serial > after)
        if kind:
            found = found.where(_blanks.c.kind == kind)
        if state:
            found = found.where(_blanks.c.state == state)
        rows = self.rows(found.order_by(_blanks.c.serial).limit(limit))
        return [msgspec.convert(row, Blank, from_attributes=True) for row in rows]

    def add_blanks(self, blanks: Sequence[Blank]) -> None:
        """New blanks."""
        self.insert(_blanks, [msgspec.structs.asdict(blank) for blank in blanks])

    def keep_blank(self, blank: Blank) -> None:
        """The blank stands so now."""
        self.update(_blanks, ["serial"], [msgspec.structs.asdict(blank)])

    def count_blanks(self) -> list[tuple[str, str, int]]:
        """(kind, state, how many)."""
        columns = (_blanks.c.kind, _blanks.c.state)
        found = select(*columns, func.count().label("n")).where(_blanks.c.city == self.city)
        rows = self.rows(found.group_by(*columns).order_by(*columns))
        return [(row.kind, row.state, row.n) for row in rows]

    # -- manifests

    def next_manifest(self) -> int:
        """Number of the next manifest."""
        newest = select(func.max(_manifests.c.number)).where(_manifests.c.city == self.city)
        return (self.value(newest) or 0) + 1

    def add_manifest(self, manifest: Manifest, items: Sequence[Item]) -> None:
        """A new manifest with what is on it."""
        self.insert(_manifests, [msgspec.structs.asdict(manifest)])
        self.insert(_items, [msgspec.structs.asdict(item) for item in items])

    def manifest(self, number: int) -> Manifest | None:
        """The manifest with this number."""
        here = (_manifests.c.city == self.city) & (_manifests.c.number == askable(number))
        row = self.one(select(_manifests).where(here))
        return msgspec.convert(row, Manifest, from_attributes=True) if row is not None else None

    def manifests(
        self, state: str, before: int, limit: int, *, areas: Collection[str] = ()
    ) -> list[Manifest]:
        """Manifests, newest first; before: number of the last one seen, 0 for the first page.
        areas: those alone whose documents are all of these."""
        found = select(_manifests).where(_manifests.c.city == self.city)
        if areas:
            on_it = (_items.c.city == self.city) & (_items.c.number == _manifests.c.number)
            found = found.where(~elsewhere(_items, on_it, areas))
        if state:
            found = found.where(_manifests.c.state == state)
        if before:
            found = found.where(_manifests.c.number < askable(before))
        rows = self.rows(found.order_by(_manifests.c.number.desc()).limit(limit))
        return [msgspec.convert(row, Manifest, from_attributes=True) for row in rows]

    def manifest_items(self, number: int) -> list[Item]:
        """What is on a manifest."""
        here = (_items.c.city == self.city) & (_items.c.number == number)
        rows = self.rows(select(_items).where(here).order_by(_items.c.record))
        return [msgspec.convert(row, Item, from_attributes=True) for row in rows]

    def keep_manifest(self, manifest: Manifest, items: Sequence[Item]) -> None:
        """The manifest stands so now."""
        self.update(_manifests, ["number"], [msgspec.structs.asdict(manifest)])
        self.update(_items, ["number", "record"], [msgspec.structs.asdict(i) for i in items])

    def manifest_of(self, record: bytes) -> int:
        """Number of the newest manifest that a request is on, 0 for none."""
        here = (_items.c.city == self.city) & (_items.c.record == record)
        return int(self.value(select(func.max(_items.c.number)).where(here)) or 0)

    def pile(self, status: str) -> list[tuple[str, int]]:
        """(village, how many requests stand so), by village; "" for those of no village here."""
        here = (_records.c.city == self.city) & (_records.c.status == status)
        found = select(_records.c.village, func.count().label("n")).where(here)
        rows = self.rows(found.group_by(_records.c.village).order_by(_records.c.village))
        return [(row.village, row.n) for row in rows]

    def uncollected(
        self, status: str, before: int, limit: int, *, areas: Collection[str] = ()
    ) -> list[RequestLine]:
        """Requests that have stood so since before that moment (Unix seconds), the oldest first.
        areas: of these alone."""
        here = (_records.c.city == self.city) & (_records.c.status == status)
        if areas:
            here &= inside(areas)
        found = select(_records).where(here, _records.c.changed_at < before)
        rows = self.rows(found.order_by(_records.c.created, _records.c.id).limit(limit))
        return [msgspec.convert(row, RequestLine, from_attributes=True) for row in rows]
