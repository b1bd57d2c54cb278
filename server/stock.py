"""Stock: the book of numbered blank cards, and what is carried to villages.

A blank is received with its lot, used for one request when the card is printed, or spoiled with a
reason. A serial is used once: a second use is refused, for it means that one of two cards is not
what it says. Documents go to villages on a manifest that the carrier takes along and the receiver
counts against.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from models import lifecycle
from models.people import Act, require
from models.problems import Problem
from server.auth import areas, of_area, require_request, require_requests, roles, sees, who
from server.batches import find_after
from server.casework import REASON_MAX, Casework, Done
from server.database.people import Person
from server.database.registry import Door, Registry
from server.database.stock import Blank, Item, Manifest
from server.finding import find_record
from server.sheets import RequestLine, code_of, form_named, line
from server.spreadsheets import csv_file
from sync.known import facts

KINDS = ("ktp", "kia")
LOT_MAX = 5000
SERIAL_MAX = 32
ITEMS_MAX = 200
TEXT_MAX = 100
LIST_MAX = 200
DAY_SECONDS = 86400
PILES = ("print_ready", "printed", "ready_for_handover")
"""Where a document lies: to be printed, to be sent, to be collected."""


class Count(msgspec.Struct, frozen=True):
    """How many blanks of a kind stand so."""

    kind: str
    state: str
    n: int


class ItemSheet(msgspec.Struct, frozen=True):
    """One document of a manifest, as the carrier's list has it."""

    request: str
    code: str
    name: str
    service: str
    serial: str
    state: str


class BlankSheet(msgspec.Struct, frozen=True):
    """A blank of the book. code: of the request whose card it became, "" for none and for one of
    an area that is not the reader's."""

    blank: Blank
    code: str


class ToPrint(msgspec.Struct, frozen=True):
    """A document that is ready to print. card: the kind of blank it needs, "" for plain paper."""

    request: RequestLine
    card: str


class Pile(msgspec.Struct, frozen=True):
    """How many documents of a village stand so. village: its code, "" for none."""

    village: str
    n: int


class ManifestSheet(msgspec.Struct, frozen=True):
    """A manifest, opened. qr: what its code says: the number, and a digest of what is on it, by
    which a receiver sees that the list was not changed on the way."""

    manifest: Manifest
    items: list[ItemSheet]
    qr: str


class Stock:
    """The verbs of the printing and dispatching desk."""

    def __init__(self, registry: Registry, casework: Casework, clock: Callable[[], int]) -> None:
        self.registry = registry
        self.casework = casework
        self.clock = clock

    # -- blank cards

    def receive(self, me: Person, kind: str, first: str, last: str) -> int:
        """A lot of blanks came, serials first..last; how many. All or none."""
        require(roles(me), Act.STOCK)
        if kind not in KINDS:
            raise Problem("blank.kind", kinds=list(KINDS))
        serials = lot(first, last)
        with self.registry.write() as door:
            known = door.known_serials(serials)
            if known:
                raise Problem("blank.known", serial=min(known))
            at, by = self.clock(), who(me)
            door.add_blanks([Blank(serial, kind, "stock", at=at, by=by) for serial in serials])
            details = {"kind": kind, "first": serials[0], "last": serials[-1], "n": len(serials)}
            self._note(door, me, "blank.receive", serials[0], details)
        return len(serials)

    def counts(self, me: Person) -> list[Count]:
        """The book in numbers."""
        require(roles(me), Act.READ_STOCK)
        with self.registry.read() as door:
            return [Count(*row) for row in door.count_blanks()]

    def book(
        self, me: Person, *, kind: str = "", state: str = "", after: str = "", limit: int = 50
    ) -> list[BlankSheet]:
        """The book line by line, by serial; after: the last one seen."""
        require(roles(me), Act.READ_STOCK)
        with self.registry.read() as door:
            found = door.blanks(kind, state, after.strip().upper(), max(1, min(limit, LIST_MAX)))
            mine = set(of_area(door, me, (one.record for one in found if one.record)))
            codes = {name: _code_of(door, name) for name in mine}
            return [BlankSheet(one, codes.get(one.record, "")) for one in found]

    def find(self, me: Person, serial: str) -> BlankSheet:
        """What became of one blank. Problem blank.unknown."""
        require(roles(me), Act.READ_STOCK)
        with self.registry.read() as door:
            found = _blank(door, serial)
            mine = of_area(door, me, [found.record] if found.record else [])
            return BlankSheet(found, _code_of(door, found.record) if mine else "")

    # -- printing

    def pile(self, me: Person, status: str) -> list[Pile]:
        """Documents that are ready to print, printed, or wait for their owners, by village."""
        require(roles(me), Act.READ_WAITING if status == PILES[2] else Act.READ_STOCK)
        with self.registry.read() as door:
            return [Pile(*row) for row in door.pile(status) if sees(me, row[0])]

    def waiting(
        self, me: Person, status: str, *, village: str = "", after: str = "", limit: int = 50
    ) -> list[RequestLine]:
        """The requests of such a pile, by arrival; after: id of the last one seen."""
        require(roles(me), Act.READ_STOCK)
        if status not in PILES:
            raise Problem("api.malformed", why="status")
        with self.registry.write() as door:
            start, most = find_after(after), max(1, min(limit, LIST_MAX))
            found = door.requests(
                status=status, village=village, areas=areas(me), after=start, limit=most
            )
            self._note(door, me, str(Act.LIST_REQUESTS), "", {"status": status, "n": len(found)})
        return [line(row) for row in found]

    def to_print(
        self, me: Person, *, village: str = "", after: str = "", limit: int = 50
    ) -> list[ToPrint]:
        """What is ready to print, by arrival, with the blank that each needs."""
        lines = self.waiting(me, PILES[0], village=village, after=after, limit=limit)
        with self.registry.read() as door:
            rows = [door.request_line(bytes.fromhex(line.id)) for line in lines]
        return [
            ToPrint(line, card_of(row.service, row.edition) if row is not None else "")
            for line, row in zip(lines, rows, strict=True)
        ]

    def seen(self) -> int:
        """Number of the register that is shown now."""
        with self.registry.read() as door:
            return door.standing().server_seq

    def print(self, me: Person, name: str, serial: str, seen: int) -> Done:
        """The document of a request was printed: a card on the blank with that serial, anything
        else on plain paper, without one."""
        require(roles(me), Act.STOCK)
        with self.registry.write() as door:
            record = find_record(door, name)
            require_request(door, me, record.id)
            if record.changed > seen or seen > door.standing().server_seq:
                raise Problem("request.changed", code=name)
            kind = card_of(record.service, record.edition)
            if not serial.strip() and not kind:
                return self.casework.step_within(door, me, record, "print", "", seen)
            blank = _blank(door, serial)
            if blank.state != "stock":
                raise Problem("blank.not_stock", serial=blank.serial, state=blank.state)
            if kind and blank.kind != kind:
                raise Problem("blank.other_kind", serial=blank.serial, kind=blank.kind, needs=kind)
            done = self.casework.step_within(door, me, record, "print", blank.serial, seen)
            self._keep(door, me, blank, state="used", record=record.id)
            return done

    def spoil(self, me: Person, serial: str, reason: str) -> None:
        """The blank is spoiled, before it was used or after; its request is printed again."""
        require(roles(me), Act.STOCK)
        reason = reason.strip()
        if not reason:
            raise Problem("reason.required")
        if len(reason) > REASON_MAX:
            raise Problem("reason.too_long", limit=REASON_MAX, n=len(reason))
        with self.registry.write() as door:
            blank = _blank(door, serial)
            if blank.state == "spoiled":
                raise Problem("blank.not_stock", serial=blank.serial, state=blank.state)
            record = door.record(blank.record) if blank.record else None
            if record is not None:
                seen = door.standing().server_seq
                self.casework.step_within(door, me, record, "spoil", reason, seen)
            self._keep(door, me, blank, state="spoiled", reason=reason)

    def _keep(self, door: Door, me: Person, blank: Blank, **facts_: Any) -> None:
        kept = msgspec.structs.replace(blank, at=self.clock(), by=who(me), **facts_)
        door.keep_blank(kept)
        details = {"request": kept.record.hex(), "reason": kept.reason}
        self._note(door, me, f"blank.{kept.state}", kept.serial, details)

    # -- manifests

    def send(self, me: Person, names: Sequence[str], place: str, carrier: str) -> ManifestSheet:
        """These printed documents go to a place with somebody. All of them or none."""
        require(roles(me), Act.DISPATCH)
        place, carrier = place.strip(), carrier.strip()
        if not 0 < len(place) <= TEXT_MAX or not 0 < len(carrier) <= TEXT_MAX:
            raise Problem("manifest.facts", limit=TEXT_MAX)
        wanted = list(dict.fromkeys(names))
        if not 1 <= len(wanted) <= ITEMS_MAX:
            raise Problem("manifest.size", limit=ITEMS_MAX, n=len(wanted))
        with self.registry.write() as door:
            number = door.next_manifest()
            items = [self._sent(door, me, number, name) for name in wanted]
            at = self.clock()
            manifest = Manifest(number, place, carrier, "sent", at, who(me))
            door.add_manifest(manifest, items)
            self._note(door, me, "manifest.send", str(number), {"n": len(items)})
            return _sheet(door, manifest)

    def _sent(self, door: Door, me: Person, number: int, name: str) -> Item:
        record = find_record(door, name)
        require_request(door, me, record.id)
        seen = door.standing().server_seq
        self.casework.step_within(door, me, record, "dispatch", "", seen)
        return Item(number, record.id, "sent")

    def arrived(
        self, me: Person, number: int, missing: Sequence[str], receiver: str = ""
    ) -> ManifestSheet:
        """The receiver counted: all is there but `missing` (ids or numbers), which is back on the
        pile of printed documents until it is found. receiver: who signed for it there."""
        require(roles(me), Act.DISPATCH)
        receiver = receiver.strip()
        if len(receiver) > TEXT_MAX:
            raise Problem("manifest.facts", limit=TEXT_MAX)
        with self.registry.write() as door:
            manifest = _manifest(door, me, number)
            if manifest.state != "sent":
                raise Problem("manifest.state", n=number)
            items = door.manifest_items(number)
            lost = {find_record(door, name).id for name in missing}
            strange = lost - {item.record for item in items}
            if strange:
                raise Problem("manifest.not_on", code=min(strange).hex()[:8])
            kept = []
            for item in items:
                state = "missing" if item.record in lost else "received"
                kept.append(msgspec.structs.replace(item, state=state))
                if state == "missing":
                    self._back(door, me, item)
            manifest = msgspec.structs.replace(
                manifest,
                state="received",
                received_at=self.clock(),
                received_by=f"{receiver}; {who(me)}" if receiver else who(me),
            )
            door.keep_manifest(manifest, kept)
            details = {"n": len(kept), "missing": len(lost)}
            self._note(door, me, "manifest.arrived", str(number), details)
            return _sheet(door, manifest)

    def _back(self, door: Door, me: Person, item: Item) -> None:
        record = door.record(item.record)
        if record is None or record.status != lifecycle.Status.READY_FOR_HANDOVER:
            return  # it was handed over all the same
        seen = door.standing().server_seq
        reason = f"manifest {item.number}"
        self.casework.step_within(door, me, record, "return", reason, seen)

    def show(self, me: Person, number: int) -> ManifestSheet:
        """One manifest, opened."""
        require(roles(me), Act.READ_STOCK)
        with self.registry.write() as door:
            manifest = _manifest(door, me, number)
            self._note(door, me, "manifest.read", str(number), {})
            return _sheet(door, manifest)

    def manifests(
        self, me: Person, *, state: str = "", before: int = 0, limit: int = 50
    ) -> list[Manifest]:
        """Manifests, newest first: of somebody's area those that carry nothing else."""
        require(roles(me), Act.READ_STOCK)
        most = max(1, min(limit, LIST_MAX))
        with self.registry.read() as door:
            return door.manifests(state, before, most, areas=areas(me))

    def export(self, me: Person, number: int) -> bytes:
        """The carrier's list as CSV."""
        sheet = self.show(me, number)
        heads = ["No.", "Nomor bukti", "Nama", "Layanan", "Nomor blangko", "Keadaan"]
        rows = [
            [str(n), one.code, one.name, one.service, one.serial, one.state]
            for n, one in enumerate(sheet.items, 1)
        ]
        return csv_file(heads, rows)

    def uncollected(self, me: Person, days: int = 30, limit: int = 50) -> list[RequestLine]:
        """Documents that have waited for their owners for so many days, the oldest first."""
        require(roles(me), Act.READ_WAITING)
        before = self.clock() - max(0, days) * DAY_SECONDS
        status = str(lifecycle.Status.READY_FOR_HANDOVER)
        most = max(1, min(limit, LIST_MAX))
        with self.registry.write() as door:
            found = door.uncollected(status, before, most, areas=areas(me))
            self._note(door, me, str(Act.LIST_REQUESTS), "", {"status": status, "n": len(found)})
        return [line(row) for row in found]

    def _note(self, door: Door, me: Person, act: str, target: str, details: dict[str, Any]) -> None:
        door.audit(me.login, act, target, details, self.clock())


def lot(first: str, last: str) -> list[str]:
    """The serials of a lot: the same letters in front, then a number of the same length."""
    first, last = first.strip().upper(), (last.strip() or first.strip()).upper()
    digits = len(first) - len(first.rstrip("0123456789"))
    prefix = first[: len(first) - digits]
    fits = 0 < len(first) == len(last) <= SERIAL_MAX and digits and last.startswith(prefix)
    if not fits or not first.isascii() or not last[len(prefix) :].isdigit():
        raise Problem("blank.serial", limit=SERIAL_MAX)
    low, high = int(first[len(prefix) :]), int(last[len(prefix) :])
    if not low <= high < low + LOT_MAX:
        raise Problem("blank.lot", limit=LOT_MAX)
    return [f"{prefix}{number:0{digits}}" for number in range(low, high + 1)]


def card_of(service: str, edition: int) -> str:
    """The kind of blank a document needs: "kia" or "ktp" for a card, "" for plain paper or where a
    card only may follow."""
    form = form_named(service, edition)
    return form.group if form is not None and form.group in lifecycle.CARDS else ""


def _code_of(door: Door, name: bytes) -> str:
    record = door.record(name)
    return (code_of(record) or record.id.hex()[:8]) if record is not None else ""


def _blank(door: Door, serial: str) -> Blank:
    blank = door.blank(serial.strip().upper())
    if blank is None:
        raise Problem("blank.unknown", serial=serial[:SERIAL_MAX])
    return blank


def _manifest(door: Door, me: Person, number: int) -> Manifest:
    """The manifest, if all of it is of somebody's area: it is carried and counted as one."""
    manifest = door.manifest(number)
    if manifest is None:
        raise Problem("manifest.unknown", n=number)
    if areas(me):
        require_requests(door, me, (item.record for item in door.manifest_items(number)))
    return manifest


def _sheet(door: Door, manifest: Manifest) -> ManifestSheet:
    items = door.manifest_items(manifest.number)
    digest = hashlib.sha256(b"".join(item.record for item in items)).hexdigest()[:16]
    sheets = [_item_sheet(door, item) for item in items]
    return ManifestSheet(manifest, sheets, f"JBM1 {manifest.number} {len(items)} {digest}")


def _item_sheet(door: Door, item: Item) -> ItemSheet:
    record = door.record(item.record)
    assert record is not None
    blank, code = door.blank_of(item.record), _code_of(door, item.record)
    serial = blank.serial if blank is not None else ""
    return ItemSheet(
        item.record.hex(), code, facts(record).name, record.service, serial, item.state
    )
