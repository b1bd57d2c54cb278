"""Cells: which village each request is here for, and how far a new village is filled.

A village that is new to this laptop is filled from the oldest request on, as they stand at the
cursor; its mark says how far. One that is not this laptop's any more is dropped: of its requests
nothing stays but what this laptop wrote itself. Own requests are never dropped.
"""

# ruff: noqa: S608 - SQL is put together from our own words only; values are always bound

from __future__ import annotations

from collections.abc import Collection

import msgspec

from field_client.vault.engine import Connection
from field_client.vault.logs import find, read_cursor, remember
from field_client.vault.packages import held
from field_client.vault.recents import heard
from field_client.vault.requests import list_again, unlist
from field_client.vault.sums import territory, total_of, weigh
from sync.exchange import Filled
from sync.known import facts
from sync.messages import OWN, Invitation, Sight, Territory
from sync.notices import Notice
from sync.state import Case, Created, Decision, Placed, Record, State, Whole


def sight(connection: Connection) -> Sight:
    """What is known of this laptop's scope."""
    rows = connection.execute(
        "select village, mark, repair from cells where filled = 0 order by village"
    ).fetchall()
    fills = [(village, mark) for village, mark, _ in rows]
    repairs = [village for village, _, repair in rows if repair]
    number, total = territory(connection).number, total_of(connection)
    return Sight(number, fills, total, repairs, heard(connection), held(connection))


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


def change_scope(connection: Connection, told: Territory) -> None:
    """Take up the laptop's villages: drop what is only here for others, begin to fill new ones."""
    before = territory(connection)
    if told.number <= before.number:
        return
    remember(connection, told)
    known = before.villages if before.number else _first_villages(connection, told)
    villages = set(told.villages)
    for village in sorted(villages - set(known)):
        connection.execute(
            "insert or replace into cells (village, mark, filled) values (?, 0, 0)", (village,)
        )
    for (village,) in connection.execute("select village from cells").fetchall():
        if village not in villages and village != OWN:
            connection.execute("delete from cells where village = ?", (village,))
    rows = connection.execute(
        "select r.id, p.cell from records r left join places p on p.record = r.id"
    ).fetchall()
    drop(connection, {record for record, cell in rows if cell not in villages})


def _first_villages(connection: Connection, told: Territory) -> list[str]:
    """The villages whose decisions were read from the beginning, before any scope had a number."""
    if read_cursor(connection).server_seq == 0:
        return told.villages
    invitation = find(connection, Invitation)
    return invitation.villages if invitation is not None else told.villages


def fill(connection: Connection, step: Filled) -> None:
    """Write a page of a village that is being filled; one that does not go on where this laptop
    stands is passed over, and asked for again."""
    row = connection.execute(
        "select mark, repair from cells where village = ? and filled = 0", (step.cell,)
    ).fetchone()
    if row is None or step.mark < row[0]:
        return
    if row[1]:
        _take_out(connection, step, row[0])
    for whole in step.wholes:
        _put_whole(connection, whole)
    weigh(connection, (whole.state.id for whole in step.wholes))
    connection.execute(
        "update cells set mark = ?, filled = ? where village = ?",
        (step.mark, step.done, step.cell),
    )


def _take_out(connection: Connection, step: Filled, mark: int) -> None:
    """What is here, of the part of a cell that this page tells anew, and is not in the page."""
    mine = step.cell == OWN
    here = "w.own = 1" if mine else "w.cell = ?"
    rows = connection.execute(
        f"select r.id, r.data from records r join weights w on w.record = r.id where {here}",
        () if mine else (step.cell,),
    ).fetchall()
    told = {whole.state.id for whole in step.wholes}
    gone = {
        name
        for name, data in rows
        if name not in told
        and mark < msgspec.msgpack.decode(data, type=Record).created
        and (step.done or msgspec.msgpack.decode(data, type=Record).created <= step.mark)
    }
    drop(connection, gone)
    for name in gone:  # own ones are still here
        if mine:
            connection.execute("delete from records where id = ?", (name,))
        connection.execute("update places set cell = '' where record = ?", (name,))
        list_again(connection, name)
    weigh(connection, gone)


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
        unlist(connection, record)
        _empty_notices(connection, record)
    weigh(connection, gone)
    for (data,) in connection.execute("select data from cases").fetchall():
        case = msgspec.msgpack.decode(data, type=Case)
        names = {case.record, *case.others}
        if names & gone and not any(_is_here(connection, name) for name in names - gone):
            connection.execute("delete from cases where id = ?", (case.id,))


def drop_strangers(connection: Connection) -> None:
    """Of the villages that are not this laptop's nothing is left, once all was read: a bundle from
    before a change of scope may have told of them after it. What has no place yet stays: its form
    is not here, and says later where it belongs."""
    here = territory(connection)
    if here.number <= 0:
        return
    marks = ", ".join("?" * (1 + len(here.villages)))
    rows = connection.execute(
        f"select record from weights where own = 0 and cell not in ({marks})",
        ("", *here.villages),
    )
    drop(connection, {record for (record,) in rows.fetchall()})


def _is_here(connection: Connection, record: bytes) -> bool:
    found = connection.execute("select 1 from records where id = ?", (record,)).fetchone()
    return found is not None


def _is_own(connection: Connection, record: bytes) -> bool:
    """Was the request taken in on this laptop, by this log or an earlier one?"""
    row = connection.execute("select data from records where id = ?", (record,)).fetchone()
    if row is None:
        return False
    found = msgspec.msgpack.decode(row[0], type=Record)
    invitation = find(connection, Invitation)
    if invitation is not None and found.device == invitation.device:
        return True
    mine = connection.execute("select 1 from logs where id = ?", (found.log,)).fetchone()
    return mine is not None


def _empty_notices(connection: Connection, record: bytes) -> None:
    """What an author is told of a request out of reach: the own value, outcome and reason."""
    rows = connection.execute("select number, data from notices where record = ?", (record,))
    for number, data in rows.fetchall():
        notice = msgspec.msgpack.decode(data, type=Notice)
        left = msgspec.structs.replace(notice, value=None)
        connection.execute(
            "update notices set data = ? where number = ?", (msgspec.msgpack.encode(left), number)
        )
