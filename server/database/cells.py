"""Cells: by which villages, devices and requests a decision is found, and what each adds up to.

With the newest decision of every village and device stands the sum of what its requests weighed
then (sync.digest), so that a laptop can be compared as of where it last read. Decisions that were
saved together share one sum, on the last of them that concerns the cell; those before it have none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec
from sqlalchemy import ColumnElement, select, union_all

from server.database.files import Files
from server.database.loading import Loaded
from server.database.tables import CaseRow, DecisionCellRow, RecordRow
from server.database.work import pieces, table_of
from sync.digest import MODULUS, face, packed, unpacked, weight
from sync.lineage import NUMBERS_END
from sync.pull import village_of
from sync.state import Case, Created, Decision, Effect, Outcome, Parked, Placed, Record, Wrote

_cells = table_of(DecisionCellRow)
_records = table_of(RecordRow)
_cases = table_of(CaseRow)
_read_record = msgspec.msgpack.Decoder(Record)
_read_case = msgspec.msgpack.Decoder(Case)

AT_ONCE = 50
"""Cells asked for in one statement."""


class Cells(Files):
    """Where decisions are found, and sums of cells."""

    cells_table = _cells

    def sums(self, cells: Collection[bytes], at: int) -> dict[bytes, int | None]:
        """Sum of each of these villages and devices as of decision `at`; None where it is not kept
        for that very number. One nobody decided anything in is 0."""
        found: dict[bytes, int | None] = dict.fromkeys(cells, 0)
        for cell, data in self._newest(cells, at):
            found[cell] = unpacked(data) if data is not None else None
        return found

    def _newest(self, cells: Collection[bytes], at: int) -> Iterable[tuple[bytes, bytes | None]]:
        for piece in pieces(sorted(cells), AT_ONCE):
            parts = (
                select(_cells.c.cell, _cells.c.total)
                .where(_cells.c.city == self.city, _cells.c.cell == cell)
                .where(_cells.c.server_seq <= at)
                .order_by(_cells.c.server_seq.desc())
                .limit(1)
                .subquery()
                for cell in piece
            )
            yield from self.rows(union_all(*(select(part) for part in parts)))

    def save_cells(self, known: Loaded, decisions: list[Decision], places: Places) -> None:
        """Note where these decisions are found, and what the cells add up to after them. Comes
        before requests and cases are written: it takes away what they weighed before."""
        last: dict[bytes, int] = {}
        found: set[tuple[bytes, int]] = set()
        touched: set[bytes] = set()
        for decision in decisions:
            for effect in decision.effects:
                touched |= places.records(effect)
                for cell in places.of(effect):
                    found.add((cell, decision.server_seq))
                    last[cell] = decision.server_seq
        totals = self._totals(known, places, touched, last.keys() - touched)
        known.villages.update(places.villages)
        rows = []
        for cell, number in sorted(found):
            here = cell in totals and last[cell] == number
            rows.append(
                {"cell": cell, "server_seq": number, "total": totals[cell] if here else None}
            )
        self.insert(_cells, rows)

    def _totals(
        self, known: Loaded, places: Places, touched: set[bytes], cells: Collection[bytes]
    ) -> dict[bytes, bytes]:
        """Sum of each of these cells, by what the touched requests weighed before and weigh now."""
        sums = self.sums(cells, NUMBERS_END)
        moved = {cell: self.recounted(cell) if n is None else n for cell, n in sums.items()}
        for name in touched:
            for cell, change in _moved(known, places, name):
                if cell in moved:
                    moved[cell] += change
        return {cell: packed(number) for cell, number in moved.items()}

    def recounted(self, cell: bytes) -> int:
        """What a cell adds up to by its stored requests: reckoned once for each that has decisions
        from before sums were kept, and to see whether they are right."""
        return sum(weight(cell, face(r, cases)) for r, cases in self._stored_in(cell)) % MODULUS

    def _stored_in(self, cell: bytes) -> Iterable[tuple[Record, dict[bytes, Case]]]:
        inside = select(_records.c.data).where(_records.c.city == self.city, self._inside(cell))
        for row in self.rows(inside):
            record = _read_record.decode(row.data)
            names = {*record.disputes.values(), *record.cases}
            here = select(_cases.c.id, _cases.c.data).where(_cases.c.city == self.city)
            found = self.each(here, _cases.c.id, sorted(names)) if names else ()
            yield record, {case.id: _read_case.decode(case.data) for case in found}

    def _inside(self, cell: bytes) -> ColumnElement[bool]:
        """Requests of that village, or that this device took in."""
        mine = _records.c.device == cell
        name = cell.decode(errors="replace")
        return mine if not name.isprintable() else mine | (_records.c.village == name)


def _moved(known: Loaded, places: Places, name: bytes) -> Iterable[tuple[bytes, int]]:
    """What a request adds to cells, or takes away."""
    before = known.records.get(name)
    if before is not None:
        was = _read_record.decode(before)
        names = {*was.disputes.values(), *was.cases}
        cases = {c: _read_case.decode(known.cases[c]) for c in names if c in known.cases}
        face_of = face(was, cases)
        for cell in {was.device, places.before.get(name, "").encode()}:
            yield cell, -weight(cell, face_of)
    now = known.state.records.get(name)
    if now is not None:
        face_of = face(now, known.state.cases)
        for cell in {now.device, places.villages.get(name, "").encode()}:
            yield cell, weight(cell, face_of)


class Places:
    """Which villages, devices and requests an effect concerns: the cells it is found by. To be
    asked of each effect once, in order: requests move from village to village. before: where they
    were in front of all these decisions."""

    def __init__(self, door: Files, known: Loaded, decisions: list[Decision]) -> None:
        self.known = known
        self.villages = {e.record: village_of(e, d) for e, d in _creations(decisions)}
        self.villages = known.villages | self.villages
        for effect in (e for d in reversed(decisions) for e in reversed(d.effects)):
            if isinstance(effect, Placed):  # as it was before the first of them
                self.villages[effect.record] = effect.before
        self.before = dict(self.villages)
        self.devices = {log.id: b"" if log.central else log.device for log in known.logs.values()}
        effects = [e for d in decisions for e in d.effects]
        told = {e.log for e in effects if isinstance(e, Outcome | Parked)}
        told |= {e.lost.log for e in effects if isinstance(e, Wrote) and e.lost is not None}
        self.devices |= door.devices_of(told - self.devices.keys())

    def of(self, effect: Effect) -> set[bytes]:
        """Cells of one effect."""
        found: set[bytes] = set()
        if isinstance(effect, Outcome | Parked):
            found.add(self.devices.get(effect.log, b""))
        if isinstance(effect, Wrote) and effect.lost is not None:  # whoever lost hears of it
            found.add(self.devices.get(effect.lost.log, b""))
        if isinstance(effect, Placed):  # those who lose it are told as well as those who get it
            found.add(effect.before.encode())
            self.villages[effect.record] = effect.village
        for name in self.records(effect):
            found.add(name)
            record = self.known.state.records.get(name)
            if record is not None:
                found |= {record.device, self.villages.get(name, "").encode()}
        return found - {b""}

    def records(self, effect: Effect) -> set[bytes]:
        """Requests it concerns, also by a case."""
        names = {getattr(effect, "record", b""), getattr(effect, "kept", b"")}
        names |= {*getattr(effect, "others", ())}
        case = self.known.state.cases.get(getattr(effect, "case", b""))
        if case is not None:
            names |= {case.record, *case.others}
        return names - {b""}


def _creations(decisions: Iterable[Decision]) -> Iterable[tuple[Created, Decision]]:
    return ((e, d) for d in decisions for e in d.effects if isinstance(e, Created))
