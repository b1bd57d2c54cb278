"""Batches: what is typed into SIAK together, from the verified request to SIAK's own number.

SIAK takes nothing from other programs, so people type. A batch is frozen: what is exported and
typed is what was verified, even if a laptop sends something later. Of each row is noted what SIAK
answered, or why it failed. Closing needs a second person; then what was entered goes on, and what
failed is a verified request again, to be put into the next batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from models import lifecycle
from models.changes import encode
from models.ids import Code
from models.pages.answers import answer_words
from models.people import Act, Label, Role, require, second_person
from models.problems import Problem
from server.auth import areas, require_request, require_requests, roles, who
from server.casework import REASON_MAX, Casework
from server.database.desk import Batch, BatchRow
from server.database.people import Person
from server.database.registry import Door, Registry
from server.database.registry import RequestLine as Row
from server.finding import find_record
from server.keys import Entropy
from server.sheets import RequestLine, form_named, form_of, line, open_matters
from server.spreadsheets import csv_file, xlsx_file
from sync.known import facts
from sync.state import Moved, Record, values

ROWS_MAX = 200
"""Requests of one batch: what one person types in a day. Nothing of a batch goes on before all of
it is typed, and freezing it holds the lock for one to two seconds; more work is more batches."""
AT_ONCE_MAX = 1000
"""Requests that one order may put into batches, the busiest day of the whole city."""
REFERENCE_MAX = 60
LIST_MAX = 200
FORMATS = ("xlsx", "csv")
CAPITALS = ("name", "str", "text", "address", "person", "people")
"""Kinds of answers that SIAK holds in capitals."""
HEADS = ("No.", "Nomor bukti", "Layanan", "NIK", "No. KK", "Nama")


CHANGED = {
    "data": Label("datanya berubah", "its data changed"),
    "case": Label("ada perkara yang belum diputus", "a case about it is open"),
    "more": Label("ada kiriman baru untuk berkas ini", "something new came for it"),
    "gone": Label("berkasnya tidak lagi di batch", "it is in the batch no more"),
}
"""What may happen to a request since it was frozen, in words."""


class Frozen(msgspec.Struct, frozen=True):
    """A request as it goes into SIAK. cells: (key, label, value) in the order of the form. passed:
    why it was accepted although rules found errors, "" where they found none."""

    code: str
    service: str
    title: str
    name: str
    nik: str
    kk: str
    cells: list[tuple[str, str, str]]
    passed: str = ""


class BatchLine(msgspec.Struct, frozen=True):
    """A batch in a list. rows: how many requests stand how."""

    number: int
    state: str
    frozen_at: int
    frozen_by: str
    proposed_by: str
    closed_at: int
    closed_by: str
    rows: dict[str, int]


class RowSheet(msgspec.Struct, frozen=True):
    """One request of an opened batch. changed: what happened to it since it was frozen: "data" is
    another now, a "case" is open, "more" came (a scan, an answer), it is "gone" from the batch."""

    n: int
    request: str
    state: str
    reference: str
    reason: str
    by: str
    changed: list[str]
    frozen: Frozen


class BatchSheet(msgspec.Struct, frozen=True):
    """An opened batch."""

    batch: BatchLine
    rows: list[RowSheet]


class Batches:
    """The verbs of the SIAK desk."""

    def __init__(
        self, registry: Registry, casework: Casework, clock: Callable[[], int], entropy: Entropy
    ) -> None:
        self.registry = registry
        self.casework = casework
        self.clock = clock
        self.entropy = entropy

    # -- looking

    def eligible(
        self, me: Person, *, service: str = "", village: str = "", after: str = "", limit: int = 50
    ) -> list[RequestLine]:
        """Verified requests that go into SIAK and about which nothing is open, by arrival."""
        require(roles(me), Act.BATCH)
        with self.registry.read() as door:
            start, most = find_after(after), max(1, min(limit, LIST_MAX))
            return [line(row) for row in _eligible(door, me, service, village, start, most)]

    def batches(
        self, me: Person, *, state: str = "", before: int = 0, limit: int = 50
    ) -> list[BatchLine]:
        """Batches, newest first: of somebody's area those that hold no other request."""
        require(roles(me), Act.CLOSE_BATCH)
        most = max(1, min(limit, LIST_MAX))
        with self.registry.read() as door:
            found = door.batches(state=state, areas=areas(me), before=before, limit=most)
            counts = door.batch_states([one.id for one in found])
            return [_line(one, counts[one.id]) for one in found]

    def show(self, me: Person, number: int) -> BatchSheet:
        """One batch, opened."""
        require(roles(me), Act.CLOSE_BATCH)
        with self.registry.write() as door:
            batch = _batch(door, me, number)
            self._note(door, me, "batch.read", batch, {})
            return _sheet(door, batch)

    def export(self, me: Person, number: int, kind: str) -> bytes:
        """The batch as a file for a spreadsheet: "xlsx" (a sheet for each service) or "csv"."""
        require(roles(me), Act.BATCH)
        if kind not in FORMATS:
            raise Problem("batch.format", formats=list(FORMATS))
        with self.registry.write() as door:
            batch = _batch(door, me, number)
            rows = door.batch_rows(batch.id)
            self._note(door, me, "batch.export", batch, {"kind": kind, "n": len(rows)})
        frozen = [_read(row) for row in rows]
        if kind == "csv":
            return csv_file(*_table(frozen))
        titles = list(dict.fromkeys(one.title for one in frozen))
        return xlsx_file([(t, *_table([f for f in frozen if f.title == t])) for t in titles])

    def row(self, me: Person, number: int, n: int) -> tuple[BatchLine, RowSheet, int]:
        """One request of a batch with every cell, and the next row that waits (0 for none)."""
        require(roles(me), Act.CLOSE_BATCH)
        with self.registry.write() as door:
            batch = _batch(door, me, number)
            rows = door.batch_rows(batch.id)
            found = [row for row in rows if row.n == n]
            if not found:
                raise Problem("batch.row", n=n)
            details = {"row": n, "request": found[0].record.hex()}
            self._note(door, me, "batch.read", batch, details)
            line_ = _line(batch, _counted(rows))
            return line_, _row_sheet(door, batch, found[0]), _next(rows, n)

    # -- doing

    def freeze_oldest(
        self, me: Person, n: int, *, service: str = "", village: str = ""
    ) -> list[int]:
        """Put the n oldest eligible requests into batches of `ROWS_MAX` at most; gives their
        numbers. Each batch is made by itself, so that others get their turn in between. Problem
        batch.size where nothing is eligible."""
        if not 1 <= n <= AT_ONCE_MAX:
            raise Problem("batch.size", limit=AT_ONCE_MAX, n=n)
        require(roles(me), Act.BATCH)
        numbers: list[int] = []
        while n > 0:
            with self.registry.write() as door:
                found = _eligible(door, me, service, village, None, min(n, ROWS_MAX))
                if not found:
                    break
                batch = self._freeze(door, me, [row.id.hex() for row in found])
                numbers.append(batch.number)
            n -= len(found)
        if not numbers:
            raise Problem("batch.size", limit=ROWS_MAX, n=0)
        return numbers

    def freeze(self, me: Person, names: Sequence[str]) -> BatchSheet:
        """Put these requests into a new batch, as they stand. All of them or none."""
        require(roles(me), Act.BATCH)
        wanted = list(dict.fromkeys(names))
        if not 1 <= len(wanted) <= ROWS_MAX:
            raise Problem("batch.size", limit=ROWS_MAX, n=len(wanted))
        with self.registry.write() as door:
            return _sheet(door, self._freeze(door, me, wanted))

    def _freeze(self, door: Door, me: Person, names: Sequence[str]) -> Batch:
        at, name = self.clock(), self.entropy(16)
        rows = [self._frozen(door, me, name, n, text) for n, text in enumerate(names, 1)]
        if len({row.record for row in rows}) < len(rows):
            raise Problem("batch.twice")
        batch = Batch(name, door.next_batch(), "frozen", at, who(me))
        door.add_batch(batch, rows)
        self._note(door, me, "batch.freeze", batch, {"n": len(rows)})
        return batch

    def entered(self, me: Person, number: int, row: int, reference: str) -> BatchSheet:
        """SIAK took the row; reference: what it answered with."""
        reference = reference.strip()
        if not 0 < len(reference) <= REFERENCE_MAX:
            raise Problem("batch.reference", limit=REFERENCE_MAX)
        return self._mark(me, number, row, state="entered", reference=reference, reason="")

    def failed(self, me: Person, number: int, row: int, reason: str) -> BatchSheet:
        """SIAK did not take the row; it is a verified request again once the batch is closed."""
        reason = reason.strip()
        if not reason:
            raise Problem("reason.required")
        if len(reason) > REASON_MAX:
            raise Problem("reason.too_long", limit=REASON_MAX, n=len(reason))
        return self._mark(me, number, row, state="failed", reference="", reason=reason)

    def propose(self, me: Person, number: int) -> BatchSheet:
        """Everything is typed: a second person may close the batch."""
        require(roles(me), Act.BATCH)
        with self.registry.write() as door:
            batch = _in_state(_batch(door, me, number), "frozen")
            waiting = [row for row in door.batch_rows(batch.id) if row.state == "waiting"]
            if waiting:
                raise Problem("batch.unfinished", n=len(waiting))
            batch = msgspec.structs.replace(batch, state="proposed", proposed_by=who(me))
            door.keep_batch(batch)
            self._note(door, me, "batch.propose", batch, {})
            return _sheet(door, batch)

    def close(self, me: Person, number: int, *, agree: bool = True) -> BatchSheet:
        """The second person closes the batch, or gives it back. What was entered is in SIAK, what
        failed is verified again."""
        require(roles(me), Act.CLOSE_BATCH)
        with self.registry.write() as door:
            batch = _in_state(_batch(door, me, number), "proposed")
            refused = second_person(who(me), batch.proposed_by)
            if refused is not None:
                raise refused
            if not agree:
                batch = msgspec.structs.replace(batch, state="frozen", proposed_by="")
            else:
                for row in door.batch_rows(batch.id):
                    self._settle(door, me, batch, row)
                at = self.clock()
                batch = msgspec.structs.replace(
                    batch, state="closed", closed_at=at, closed_by=who(me)
                )
            door.keep_batch(batch)
            self._note(door, me, "batch.close" if agree else "batch.decline", batch, {})
            return _sheet(door, batch)

    # -- pieces

    def _frozen(self, door: Door, me: Person, batch: bytes, n: int, name: str) -> BatchRow:
        record = find_record(door, name)
        require_request(door, me, record.id)
        if open_matters(record):
            raise Problem("request.case_open", n=open_matters(record))
        seen = door.standing().server_seq
        self.casework.step_within(door, me, record, "add_to_batch", "", seen)
        seen = door.standing().server_seq
        one = msgspec.structs.replace(frozen(record), passed=_passed(door, record))
        return BatchRow(batch, n, record.id, seen, encode(one), "waiting")

    def _mark(self, me: Person, number: int, row: int, **facts_: Any) -> BatchSheet:
        require(roles(me), Act.BATCH)
        with self.registry.write() as door:
            batch = _in_state(_batch(door, me, number), "frozen")
            found = [one for one in door.batch_rows(batch.id) if one.n == row]
            if not found:
                raise Problem("batch.row", n=row)
            marked = msgspec.structs.replace(found[0], by=who(me), **facts_)
            if marked.state == "entered":
                _still_frozen(door, marked)
            door.keep_batch_rows([marked])
            details = {"row": row, "state": marked.state, "request": marked.record.hex()}
            self._note(door, me, "batch.row", batch, details)
            return _sheet(door, batch)

    def _settle(self, door: Door, me: Person, batch: Batch, row: BatchRow) -> None:
        """One row of a batch that is being closed."""
        record = door.record(row.record)
        if record is None or record.status != lifecycle.Status.IN_BATCH:
            return  # it was withdrawn or taken out meanwhile
        entered = row.state == "entered"
        if entered:
            _still_frozen(door, row)
        action, reason = ("close_batch", row.reference) if entered else ("drop", row.reason)
        seen = door.standing().server_seq
        self.casework.step_within(door, me, record, action, reason, seen, batch.proposed_by)

    def _note(
        self, door: Door, me: Person, act: str, batch: Batch, details: dict[str, Any]
    ) -> None:
        door.audit(me.login, act, batch.id.hex(), {"batch": batch.number, **details}, self.clock())


def find_after(text: str) -> bytes | None:
    """The id of the last line of the page before."""
    try:
        return bytes.fromhex(text) or None
    except ValueError:
        raise Problem("id.malformed", what="id", digits=32) from None


def _eligible(
    door: Door, me: Person, service: str, village: str, after: bytes | None, most: int
) -> list[Row]:
    """The next requests of somebody's area that can be put into a batch, by arrival: as many pages
    of verified ones as it takes, since letters and cards without entry stand among them."""
    found: list[Row] = []
    while len(found) < most:
        page = door.requests(
            status=lifecycle.Status.VERIFIED,
            service=service,
            village=village,
            with_cases=False,
            areas=areas(me),
            after=after,
            limit=LIST_MAX,
        )
        found += [row for row in page if _goes_into_siak(row)]
        if len(page) < LIST_MAX:
            break
        after = page[-1].id
    return found[:most]


def frozen(record: Record) -> Frozen:
    """A request as it goes into SIAK."""
    form = form_of(record)
    if form is None:
        raise Problem("service.edition", service=record.service, edition=record.edition)
    answers, documents = form.answers(values(record))
    cells = []
    for key, value in form.shown(answers, documents).items():
        label, text = answer_words(form, key, value, "id")
        slot = form.plan.slot(key)
        kind = slot[0].field.kind if slot is not None else ""
        typed = text.replace("-", "") if kind == "phone" else text
        cells.append((key, label, typed.upper() if kind in CAPITALS else typed))
    about, subject = facts(record), form.subject(answers)
    code = _code(record)
    return Frozen(
        code, record.service, form.title.say("id"), about.name, about.nik, subject.kk or "", cells
    )


def _code(record: Record) -> str:
    return str(Code(*record.code)) if record.code is not None else record.id.hex()[:8]


def _goes_into_siak(row: Row) -> bool:
    form = form_named(row.service, row.edition)
    group = form.group if form is not None else None
    step = lifecycle.step(
        lifecycle.Status.VERIFIED, "add_to_batch", Role.SIAK_OPERATOR, "office", group
    )
    return not isinstance(step, Problem)


def _batch(door: Door, me: Person, number: int) -> Batch:
    """The batch, if all of it is of somebody's area: it is typed and closed as one."""
    batch = door.batch(number)
    if batch is None:
        raise Problem("batch.unknown", n=number)
    if areas(me):
        require_requests(door, me, (row.record for row in door.batch_rows(batch.id)))
    return batch


def _in_state(batch: Batch, state: str) -> Batch:
    if batch.state != state:
        raise Problem("batch.state", n=batch.number, state=batch.state)
    return batch


def _passed(door: Door, record: Record) -> str:
    """With what reason it was approved last."""
    effects = (effect for decision in door.history(record.id) for effect in decision.effects)
    moves = [e for e in effects if isinstance(e, Moved) and e.record == record.id]
    return next((e.reason for e in reversed(moves) if e.action == "approve"), "")


def _changed(door: Door, row: BatchRow) -> list[str]:
    """What happened since it was frozen; empty where the row may be entered. See `RowSheet`."""
    record = door.record(row.record)
    if record is None or record.status != lifecycle.Status.IN_BATCH:
        return ["gone"]
    n = open_matters(record)
    if record.changed <= row.seen and not n:
        return []
    before = msgspec.structs.replace(_read(row), passed="")
    found = (["data"] if frozen(record) != before else []) + (["case"] if n else [])
    return found or ["more"]


def _still_frozen(door: Door, row: BatchRow) -> None:
    """Raise batch.row_changed where something happened to the request since it was frozen."""
    found = _changed(door, row)
    if found:
        raise Problem("batch.row_changed", n=row.n, what=CHANGED[found[0]].both())


def _read(row: BatchRow) -> Frozen:
    return msgspec.msgpack.decode(row.data, type=Frozen)


def _counted(rows: Sequence[BatchRow]) -> dict[str, int]:
    return dict(Counter(row.state for row in rows))


def _line(batch: Batch, counts: dict[str, int]) -> BatchLine:
    return BatchLine(
        batch.number,
        batch.state,
        batch.frozen_at,
        batch.frozen_by,
        batch.proposed_by,
        batch.closed_at,
        batch.closed_by,
        counts,
    )


def _sheet(door: Door, batch: Batch) -> BatchSheet:
    rows = door.batch_rows(batch.id)
    sheets = [_row_sheet(door, batch, row) for row in rows]
    return BatchSheet(_line(batch, _counted(rows)), sheets)


def _row_sheet(door: Door, batch: Batch, row: BatchRow) -> RowSheet:
    return RowSheet(
        row.n,
        row.record.hex(),
        row.state,
        row.reference,
        row.reason,
        row.by,
        _changed(door, row) if batch.state != "closed" else [],
        _read(row),
    )


def _next(rows: Sequence[BatchRow], n: int) -> int:
    """The next row after n that waits, from the beginning again after the last; 0 for none."""
    waiting = [row.n for row in rows if row.state == "waiting" and row.n != n]
    return next((k for k in waiting if k > n), waiting[0] if waiting else 0)


def _table(frozen_: Sequence[Frozen]) -> tuple[list[str], list[list[str]]]:
    """Heads and rows: what all have, then every question that one of them answers."""
    labels = {key: label for one in frozen_ for key, label, _ in one.cells}
    rows = []
    for n, one in enumerate(frozen_, 1):
        said = {key: value for key, _, value in one.cells}
        first = [str(n), one.code, one.title, one.nik, one.kk, one.name]
        rows.append([*first, *(said.get(key, "") for key in labels)])
    return [*HEADS, *labels.values()], rows
