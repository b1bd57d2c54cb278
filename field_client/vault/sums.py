"""Sums: what this laptop's cells add up to, kept beside the requests they are made of.

After anything central told changed a request, `weigh` takes away what it weighed before and adds
what it weighs now (sync.digest), in the same commit. Where central's sums differ, the cell that is
wrong is read again from its beginning, and no other; what the laptop wrote itself is never touched.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from field_client.vault.engine import Connection
from field_client.vault.logs import find, read_cursor, remember
from sync.digest import face, packed, total, unpacked, weight
from sync.exchange import Compared
from sync.messages import OWN, Checkpoint, Cursor, Invitation, Territory
from sync.state import Case, Record

REPAIRS_KEPT = 20
REPAIRS_IN_A_ROW = 3
"""A cell that differs again after so many repairs is left to people: another one would not help."""


class Even(msgspec.Struct, frozen=True):
    """The newest cursor at which everything was read that central had then. In between, what was
    told of a request may be ahead of the others."""

    cursor: Cursor = Cursor()


class Repair(msgspec.Struct, frozen=True):
    """A cell was read again. at: central's clock, Unix seconds; number: the cursor then."""

    cell: str
    number: int
    at: int


class Repairs(msgspec.Struct, frozen=True):
    """The newest of them; in_a_row: cell -> how many without a day on which it was right."""

    done: tuple[Repair, ...] = ()
    in_a_row: dict[str, int] = {}


def territory(connection: Connection) -> Territory:
    """The laptop's villages as they were last told; number 0 before that."""
    return find(connection, Territory) or Territory(0, [])


def weigh(connection: Connection, records: Iterable[bytes]) -> None:
    """These requests changed, came or went: bring the sums to how they stand now."""
    invitation = find(connection, Invitation)
    device = invitation.device if invitation is not None else b""
    for name in records:
        before = connection.execute(
            "select cell, own, face from weights where record = ?", (name,)
        ).fetchone()
        now = _weighed(connection, name, device)
        if before == now:
            continue
        if before is not None:
            _add(connection, before, device, -1)
        if now is None:
            connection.execute("delete from weights where record = ?", (name,))
            continue
        _add(connection, now, device, 1)
        connection.execute(
            "insert or replace into weights (record, cell, own, face) values (?, ?, ?, ?)",
            (name, *now),
        )


def _weighed(connection: Connection, name: bytes, device: bytes) -> tuple[str, int, bytes] | None:
    """Village, whether it is an own request, and its face; None for one that is not here."""
    row = connection.execute(
        "select r.data, coalesce(p.cell, '') from records r left join places p on p.record = r.id"
        " where r.id = ?",
        (name,),
    ).fetchone()
    if row is None:
        return None
    record = msgspec.msgpack.decode(row[0], type=Record)
    cases = {}
    for case in {*record.disputes.values(), *record.cases}:
        found = connection.execute("select data from cases where id = ?", (case,)).fetchone()
        if found is not None:
            cases[case] = msgspec.msgpack.decode(found[0], type=Case)
    return row[1], int(record.device == device), face(record, cases)


def _add(connection: Connection, weighed: tuple[str, int, bytes], device: bytes, sign: int) -> None:
    village, own, face_of = weighed
    cells = [(village, village.encode())] if village else []
    cells += [(OWN, device)] if own else []
    for name, cell in cells:
        number = _sum(connection, name) + sign * weight(cell, face_of)
        connection.execute(
            "insert or replace into sums (cell, total) values (?, ?)", (name, packed(number))
        )


def _sum(connection: Connection, cell: str) -> int:
    row = connection.execute("select total from sums where cell = ?", (cell,)).fetchone()
    return unpacked(row[0]) if row is not None else 0


def recount(connection: Connection) -> None:
    """Reckon everything anew: after a step of the tables, or a return to an earlier state."""
    connection.execute("delete from weights")
    connection.execute("delete from sums")
    names = [row[0] for row in connection.execute("select id from records").fetchall()]
    weigh(connection, names)


def is_right(connection: Connection) -> bool:
    """Are the sums those of the requests that are here? For `jemput doctor`; changes nothing."""
    invitation = find(connection, Invitation)
    device = invitation.device if invitation is not None else b""
    sums: dict[str, int] = {}
    for (name,) in connection.execute("select id from records").fetchall():
        weighed = _weighed(connection, name, device)
        assert weighed is not None
        village, own, face_of = weighed
        if village:
            sums[village] = sums.get(village, 0) + weight(village.encode(), face_of)
        if own:
            sums[OWN] = sums.get(OWN, 0) + weight(device, face_of)
    rows = connection.execute("select cell, total from sums").fetchall()
    kept = {cell: data for cell, data in rows if data != packed(0)}
    return kept == {cell: packed(number) for cell, number in sums.items()}


# -- comparing


def even(connection: Connection, cursor: Cursor) -> bool:
    """Note a cursor that is as far as central was when it answered; False for any other."""
    checkpoint = find(connection, Checkpoint)
    if checkpoint is None or checkpoint.server_seq != cursor.server_seq:
        return False
    remember(connection, Even(cursor))
    return True


def total_of(connection: Connection) -> bytes:
    """What the cells that are whole here add up to, as it is told to central; empty where that is
    not what central can have."""
    noted = find(connection, Even)
    if noted is None or noted.cursor != read_cursor(connection) or not noted.cursor.incarnation:
        return b""
    filling = {row[0] for row in connection.execute("select village from cells where filled = 0")}
    cells = {OWN, *territory(connection).villages} - filling
    return total(_sum(connection, cell) for cell in cells)


def compare(connection: Connection, step: Compared) -> None:
    """Begin to read again the cells that add up to something else at central."""
    if read_cursor(connection) != step.cursor:
        return
    repairs = find(connection, Repairs) or Repairs()
    in_a_row = dict(repairs.in_a_row)
    done = list(repairs.done)
    checkpoint = find(connection, Checkpoint)
    at = checkpoint.at if checkpoint is not None else 0
    for cell, data in step.sums:
        if unpacked(data) == _sum(connection, cell):
            in_a_row.pop(cell, None)
            continue
        in_a_row[cell] = in_a_row.get(cell, 0) + 1
        if in_a_row[cell] <= REPAIRS_IN_A_ROW:
            done.append(Repair(cell, step.cursor.server_seq, at))
            connection.execute(
                "insert or replace into cells (village, mark, filled, repair) values (?, 0, 0, 1)",
                (cell,),
            )
    remember(connection, Repairs(tuple(done[-REPAIRS_KEPT:]), in_a_row))


def hopeless(repairs: Repairs) -> list[str]:
    """Cells that reading again did not mend."""
    return [cell for cell, n in repairs.in_a_row.items() if n > REPAIRS_IN_A_ROW]
