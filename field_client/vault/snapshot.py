"""What an exchange brought, written into the tables: proofs, outcomes, decisions, orders."""

# ruff: noqa: S608 - SQL is put together from our own column names only; values are always bound

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from field_client.vault.cells import (
    change_scope,
    drop,
    drop_strangers,
    fill,
    locate,
    placed,
)
from field_client.vault.engine import Connection
from field_client.vault.logs import read_cursor, remember
from field_client.vault.packages import further
from field_client.vault.picture import find_case, find_record
from field_client.vault.recents import index
from field_client.vault.requests import list_again
from field_client.vault.rewind import (
    differs,
    note_departed,
    note_proved,
    read_again,
    rewind,
)
from field_client.vault.sums import compare, even, weigh
from sync.exchange import (
    Absorbed,
    Acknowledged,
    Compared,
    Filled,
    Furthered,
    Indexed,
    Missing,
    Ordered,
    Rewound,
    Scoped,
    Settled,
    Step,
)
from sync.logs import opening_head
from sync.messages import Cursor
from sync.notices import Notice, notices
from sync.state import Case, Decision, Left, Outcome, Record, State


def apply(connection: Connection, log: bytes, step: Step) -> None:
    """Write one step of an exchange of `log`."""
    match step:
        case Acknowledged():
            _acknowledge(connection, step)
        case Settled():
            _settle(connection, log, step)
        case Absorbed():
            _absorb(connection, step)
        case Scoped():
            change_scope(connection, step.territory)
        case Filled():
            fill(connection, step)
        case Ordered():
            _order(connection, step)
        case Missing():
            _send_again(connection, log, step.first)
        case Rewound():
            rewind(connection, log, step)
        case Indexed():
            index(connection, step)
        case Furthered():
            further(connection, step)
        case Compared():
            compare(connection, step)


def _acknowledge(connection: Connection, step: Acknowledged) -> None:
    """Move the proved prefix on; keep the proof that first covers these entries."""
    checkpoint = step.checkpoint
    (sent,) = connection.execute(
        "select coalesce(sum(length(data)), 0) from entries where log = ? and seq <= ? and seq >"
        " (select stored from logs where id = ?)",
        (checkpoint.log, checkpoint.seq, checkpoint.log),
    ).fetchone()
    connection.execute(
        "update logs set stored = ?, stored_head = ?, unsent = unsent - ?, proof = ? where id = ?"
        " and stored <= ?",
        (checkpoint.seq, checkpoint.head, sent, step.proof, checkpoint.log, checkpoint.seq),
    )
    connection.execute(
        "insert or ignore into checkpoints (log, seq, at, proof) values (?, ?, ?, ?)",
        (checkpoint.log, checkpoint.seq, checkpoint.at, step.proof),
    )
    connection.execute(  # all that a later log did not make again is stored: nothing is left here
        "update logs set stored = seq, stored_head = head, unsent = 0 where id = ? and exists"
        " (select 1 from entries e where e.log = id and e.seq = stored + 1"
        " and e.state = 'replaced')",
        (checkpoint.log,),
    )
    if not read_cursor(connection).incarnation:
        remember(connection, Cursor(checkpoint.incarnation))
    remember(connection, checkpoint)
    note_proved(connection, checkpoint.log)


def _settle(connection: Connection, log: bytes, step: Settled) -> None:
    """Outcomes of own entries as central tells them now."""
    for told in step.outcomes:
        connection.execute(
            "update entries set state = ?, case_id = ?, problem = ?"
            " where log = ? and seq between ? and ?",
            (told.state, told.case, told.problem, log, told.first, told.last),
        )


def _send_again(connection: Connection, log: bytes, first: int) -> None:
    """Central lacks entries that it had proved before: they count as unsent once more."""
    row = connection.execute(
        "select stored from logs where id = ? and stored >= ?", (log, first)
    ).fetchone()
    if row is None:
        return
    before = connection.execute(
        "select head from entries where log = ? and seq = ?", (log, first - 1)
    ).fetchone()
    opening = connection.execute("select opening from logs where id = ?", (log,)).fetchone()
    head = before[0] if before is not None else opening_head(opening[0])
    connection.execute(
        "update logs set stored = ?, stored_head = ?, unsent = (select sum(length(data)) from"
        " entries where log = ? and seq >= ?) where id = ?",
        (first - 1, head, log, first, log),
    )


def _order(connection: Connection, step: Ordered) -> None:
    order = step.order
    connection.execute(
        "insert or ignore into orders (log, number, kind, argument) values (?, ?, ?, ?)",
        (order.log, order.number, order.kind, order.argument),
    )
    connection.execute(
        "update logs set acted = max(acted, ?) where id = ?", (order.number, order.log)
    )


def _absorb(connection: Connection, step: Absorbed) -> None:
    """Fold decisions into the snapshot and move the cursor, all at once. What was read before is
    passed over, so a page that comes twice, or late, changes nothing."""
    cursor = read_cursor(connection)
    again = cursor.server_seq if cursor.incarnation == step.cursor.incarnation else 0
    if step.cursor.server_seq < again:
        return
    fresh = [d for d in step.decisions if d.server_seq > again]
    own = {row[0] for row in connection.execute("select id from logs").fetchall()}
    touched: set[bytes] = set()
    for decision in fresh:
        touched |= _fold(connection, decision, own)
    remember(connection, step.cursor)
    read_again(connection, step.cursor)
    weigh(connection, touched)
    if even(connection, step.cursor):
        drop_strangers(connection)
    for record in touched:
        list_again(connection, record)


def _fold(connection: Connection, decision: Decision, own: set[bytes]) -> set[bytes]:
    """One decision: state, own outcomes, notices. Gives the records it touched."""
    state = _load(connection, decision)
    state.fold(decision)
    places = placed(state, decision)
    for record in state.records.values():
        _put(connection, "records", record)
        if record.id in places:
            locate(connection, record.id, places[record.id])
    for case in state.cases.values():
        _put(connection, "cases", case)
    left = {e.record for e in decision.effects if isinstance(e, Left)}
    gone = [found.created for name in left if (found := find_record(connection, name)) is not None]
    note_departed(connection, [(decision.server_seq, created) for created in gone])
    drop(connection, left)
    touched = set(state.records)
    told: list[Notice] = []
    for effect in decision.effects:
        if isinstance(effect, Outcome) and effect.log in own:
            changed = differs(connection, effect, decision)
            told += [changed] if changed is not None else []
            touched |= _outcome(connection, effect)
    for place, notice in enumerate([*notices(decision, own, state), *told]):
        connection.execute(
            "insert or ignore into notices (server_seq, place, record, kind, data)"
            " values (?, ?, ?, ?, ?)",
            (
                decision.server_seq,
                place,
                notice.record,
                notice.kind,
                msgspec.msgpack.encode(notice),
            ),
        )
    return touched


def _outcome(connection: Connection, effect: Outcome) -> set[bytes]:
    connection.execute(
        "update entries set state = ?, folded = ?, case_id = ?, problem = ?"
        " where log = ? and seq = ?",
        (effect.state, effect.state, effect.case, effect.problem, effect.log, effect.seq),
    )
    row = connection.execute(
        "select record from entries where log = ? and seq = ?", (effect.log, effect.seq)
    ).fetchone()
    return {row[0]} - {b""} if row is not None else set()


def _load(connection: Connection, decision: Decision) -> State:
    """The records and cases the effects speak of, as far as they are known here."""
    state = State()
    for effect in decision.effects:
        for name in _cases(effect):
            case = find_case(connection, name)
            if case is not None:
                state.cases[name] = case
                _load_records(connection, state, (case.record, *case.others))
        _load_records(connection, state, _records(effect))
    return state


def _load_records(connection: Connection, state: State, names: Iterable[bytes]) -> None:
    for name in names:
        record = find_record(connection, name) if name not in state.records else None
        if record is not None:
            state.records[name] = record


def _records(effect: object) -> Iterable[bytes]:
    found = [getattr(effect, "record", b""), getattr(effect, "kept", b"")]
    return [name for name in (*found, *getattr(effect, "others", ())) if name]


def _cases(effect: object) -> Iterable[bytes]:
    name = getattr(effect, "case", b"")
    return [name] if name else []


def _put(connection: Connection, table: str, value: Record | Case) -> None:
    connection.execute(
        f"insert into {table} (id, data) values (?, ?)"
        " on conflict (id) do update set data = excluded.data",
        (value.id, msgspec.msgpack.encode(value)),
    )
