"""Cells: which village each request is here for, and how far a new village is filled.

A village that is new to this laptop is filled from the oldest request on, as they stand at the
cursor; its mark says how far. One that is not this laptop's any more is dropped: of its requests
nothing stays but what this laptop wrote itself. Own requests are never dropped.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from field_client.vault.engine import Connection
from field_client.vault.logs import read_cursor, remember
from field_client.vault.requests import list_again
from sync.exchange import Filled
from sync.known import facts
from sync.messages import Invitation, Sight, Territory
from sync.notices import Notice
from sync.state import Case, Created, Decision, Placed, Record, State, Whole


def sight(connection: Connection) -> Sight:
    """What is known of this laptop's scope."""
    rows = connection.execute("select village, mark from cells where filled = 0 order by village")
    return Sight(_territory(connection).number, [(village, mark) for village, mark in rows])


def _territory(connection: Connection) -> Territory:
    row = connection.execute("select value from settings where name = 'Territory'").fetchone()
    found = msgspec.msgpack.decode(row[0], type=Territory) if row is not None else None
    return found or Territory(0, [])


def placed(state: State, decision: Decision) -> dict[bytes, str]:
    """record -> its village, of those that `decision` (folded into `state`) gives one."""
    found: dict[bytes, str] = {}
    for effect in decision.effects:
        match effect:
            case Created(record=record) if record in state.records:
                found[record] = facts(state.records[record]).village
            case Whole():
                found[effect.state.id] = effect.cell
            case Placed():
                found[effect.record] = effect.village
    return found


def locate(connection: Connection, record: bytes, village: str) -> None:
    """The request belongs to that village."""
    connection.execute(
        "insert or replace into places (record, cell) values (?, ?)", (record, village)
    )


def change_scope(connection: Connection, territory: Territory) -> None:
    """Take up the laptop's villages: drop what is only here for others, begin to fill new ones."""
    before = _territory(connection)
    if territory.number <= before.number:
        return
    remember(connection, territory)
    known = before.villages if before.number else _first_villages(connection, territory)
    villages = set(territory.villages)
    for village in sorted(villages - set(known)):
        connection.execute(
            "insert or replace into cells (village, mark, filled) values (?, 0, 0)", (village,)
        )
    for (village,) in connection.execute("select village from cells").fetchall():
        if village not in villages:
            connection.execute("delete from cells where village = ?", (village,))
    rows = connection.execute(
        "select r.id, p.cell from records r left join places p on p.record = r.id"
    ).fetchall()
    drop(connection, {record for record, cell in rows if cell not in villages})


def _first_villages(connection: Connection, territory: Territory) -> list[str]:
    """The villages whose decisions were read from the beginning, before any scope had a number."""
    if read_cursor(connection).server_seq == 0:
        return territory.villages
    invitation = _invitation(connection)
    return invitation.villages if invitation is not None else territory.villages


def _invitation(connection: Connection) -> Invitation | None:
    row = connection.execute("select value from settings where name = 'Invitation'").fetchone()
    return msgspec.msgpack.decode(row[0], type=Invitation) if row is not None else None


def fill(connection: Connection, step: Filled) -> None:
    """Write a page of a village that is being filled; one that does not go on where this laptop
    stands is passed over, and asked for again."""
    row = connection.execute(
        "select mark from cells where village = ? and filled = 0", (step.cell,)
    ).fetchone()
    if row is None or step.mark < row[0]:
        return
    for whole in step.wholes:
        _put_whole(connection, whole)
    connection.execute(
        "update cells set mark = ?, filled = ? where village = ?",
        (step.mark, step.done, step.cell),
    )


def _put_whole(connection: Connection, whole: Whole) -> None:
    connection.execute(
        "insert or replace into records (id, data) values (?, ?)",
        (whole.state.id, msgspec.msgpack.encode(whole.state)),
    )
    locate(connection, whole.state.id, whole.cell)
    for case in whole.cases:
        connection.execute(
            "insert or replace into cases (id, data) values (?, ?)",
            (case.id, msgspec.msgpack.encode(case)),
        )
    list_again(connection, whole.state.id)


# -- leaving


def drop(connection: Connection, records: Collection[bytes]) -> None:
    """Forget what central told of these requests, own ones excepted. The entries this laptop wrote
    about them stay in its log, and their outcomes are still told."""
    gone = {record for record in records if not _is_own(connection, record)}
    if not gone:
        return
    for record in gone:
        connection.execute("delete from records where id = ?", (record,))
        connection.execute("delete from places where record = ?", (record,))
        connection.execute("delete from drafts where record = ?", (record,))
        _unlist(connection, record)
        _empty_notices(connection, record)
    for (data,) in connection.execute("select data from cases").fetchall():
        case = msgspec.msgpack.decode(data, type=Case)
        names = {case.record, *case.others}
        if names & gone and not any(_is_here(connection, name) for name in names - gone):
            connection.execute("delete from cases where id = ?", (case.id,))


def _is_here(connection: Connection, record: bytes) -> bool:
    found = connection.execute("select 1 from records where id = ?", (record,)).fetchone()
    return found is not None


def _is_own(connection: Connection, record: bytes) -> bool:
    """Was the request taken in on this laptop, by this log or an earlier one?"""
    row = connection.execute("select data from records where id = ?", (record,)).fetchone()
    if row is None:
        return False
    found = msgspec.msgpack.decode(row[0], type=Record)
    invitation = _invitation(connection)
    if invitation is not None and found.device == invitation.device:
        return True
    mine = connection.execute("select 1 from logs where id = ?", (found.log,)).fetchone()
    return mine is not None


def _unlist(connection: Connection, record: bytes) -> None:
    row = connection.execute("select number from requests where record = ?", (record,)).fetchone()
    if row is not None:
        connection.execute("delete from numbers where request = ?", row)
        connection.execute("delete from request_words where rowid = ?", row)
        connection.execute("delete from requests where number = ?", row)


def _empty_notices(connection: Connection, record: bytes) -> None:
    """What an author is told of a request out of reach: the own value, outcome and reason."""
    rows = connection.execute("select number, data from notices where record = ?", (record,))
    for number, data in rows.fetchall():
        notice = msgspec.msgpack.decode(data, type=Notice)
        left = msgspec.structs.replace(notice, value=None)
        connection.execute(
            "update notices set data = ? where number = ?", (msgspec.msgpack.encode(left), number)
        )
