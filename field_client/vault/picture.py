"""A request as this laptop knows it: snapshot, own entries, and both laid together."""

from __future__ import annotations

import msgspec

from field_client.vault.engine import Connection, Row
from models.changes import Body, Change, RecordId, decode_body, decode_change
from sync.state import Case, Record
from sync.view import Own, View, reasons_of, view

UNDECIDED = ("", "waiting")
"""Outcomes under which a change has not reached the snapshot. ("replaced" is ours: the entry was
made again in a later log, and has its outcome there.)"""


class OwnEntry(msgspec.Struct, frozen=True):
    """One entry of this laptop's logs about a request. block: of its tracking code. state:
    outcome as central last told it; folded: as of the cursor; case, problem: of the outcome. sent:
    a checkpoint proves that central holds it."""

    block: int
    log: bytes
    seq: int
    data: bytes
    state: str
    folded: str
    case: bytes
    problem: str
    sent: bool

    @property
    def change(self) -> Change:
        """The envelope."""
        return decode_change(self.data)

    @property
    def body(self) -> Body | None:
        """What it asks for; None for kinds of entries (or editions) without such a body."""
        try:
            return decode_body(self.change.body) if self.change.kind in ("create", "edit") else None
        except msgspec.DecodeError:
            return None


class Picture(msgspec.Struct, frozen=True):
    """One request.

    view: as it is to be shown. snapshot: what central decided so far, None before its first word.
    own: every own entry about it, oldest first. code: (block, number) of the tracking code.
    reasons: field key -> why a warning was passed. cases: open cases it is part of.
    """

    id: RecordId
    view: View
    snapshot: Record | None
    own: tuple[OwnEntry, ...]
    code: tuple[int, int] | None
    reasons: dict[str, str]
    cases: tuple[bytes, ...]


def find_record(connection: Connection, record: RecordId) -> Record | None:
    """The snapshot of a request."""
    row = connection.execute("select data from records where id = ?", (record,)).fetchone()
    return None if row is None else msgspec.msgpack.decode(row[0], type=Record)


def find_case(connection: Connection, case: bytes) -> Case | None:
    """The snapshot of a case."""
    row = connection.execute("select data from cases where id = ?", (case,)).fetchone()
    return None if row is None else msgspec.msgpack.decode(row[0], type=Case)


def own_entries(connection: Connection, record: RecordId) -> list[OwnEntry]:
    """This laptop's entries about a request, in the order they were made."""
    rows = connection.execute(
        "select l.block, e.log, e.seq, e.data, e.state, e.folded, e.case_id, e.problem,"
        " e.seq <= l.stored and e.state != 'replaced' from entries e join logs l on l.id = e.log"
        " and e.seq > 0"
        " where e.record = ? and e.record != x'' order by l.number, e.seq",
        (record,),
    )
    return [_own_entry(row) for row in rows]


def find_picture(connection: Connection, record: RecordId) -> Picture | None:
    """Everything known of a request, or None for an unknown one."""
    snapshot = find_record(connection, record)
    own = own_entries(connection, record)
    if snapshot is None and not (own and own[0].change.kind == "create"):
        return None
    names = {entry.case for entry in own} - {b""}
    if snapshot is not None:
        names |= {*snapshot.disputes.values(), *snapshot.cases}
    found = {name: find_case(connection, name) for name in names}
    cases = {name: case for name, case in found.items() if case is not None}
    over = [_over(e) for e in own if snapshot is None or _not_in_snapshot(e, cases)]
    laid = [entry for entry in over if entry is not None]
    logs = {row[0] for row in connection.execute("select id from logs").fetchall()}
    shown = view(snapshot, cases, laid, logs)
    if shown is None:
        return None
    open_cases = sorted(name for name, case in cases.items() if case.state != "closed")
    return Picture(
        record, shown, snapshot, tuple(own), _code(snapshot, own), reasons_of(snapshot, laid),
        tuple(open_cases),
    )  # fmt: skip


def _not_in_snapshot(entry: OwnEntry, cases: dict[bytes, Case]) -> bool:
    """No decision has answered it yet, or it waits for a person as a whole, nothing written."""
    if entry.folded in UNDECIDED:
        return True
    case = cases.get(entry.case)
    return entry.folded == "held" and case is not None and any(
        (log, seq) == (entry.log, entry.seq) for log, seq, _ in case.parked
    )  # fmt: skip


def _over(entry: OwnEntry) -> Own | None:
    body = entry.body
    return None if body is None else Own(entry.log, entry.seq, entry.change, body)


def _code(snapshot: Record | None, own: list[OwnEntry]) -> tuple[int, int] | None:
    """Central's word on the tracking code, else what the own creation gave it."""
    if snapshot is not None:
        return snapshot.code
    body = own[0].body
    return (body.block or own[0].block, body.number) if body is not None else None


def _own_entry(row: Row) -> OwnEntry:
    block, log, seq, data, state, folded, case, problem, sent = row
    return OwnEntry(block, log, seq, data, state, folded, case, problem, bool(sent))
