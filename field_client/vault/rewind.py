"""Rewinding: central was put back from a backup, and part of what this laptop read of it is void.

Nothing of the log is touched. What the lost decisions made of requests and cases is forgotten, back
to the beginning of each one they touched, and read again; entries that central no longer holds
count as unsent. The outcomes they had are remembered, so that one that comes out differently is
told to its author.
"""

from __future__ import annotations

import msgspec

from field_client.vault.engine import Connection
from field_client.vault.logs import find, read_cursor, remember
from field_client.vault.requests import list_again, unlist
from field_client.vault.sums import recount
from models.changes import decode_change
from sync.exchange import Rewound
from sync.lineage import clamp
from sync.logs import Entry
from sync.messages import Branch, Checkpoint, Cursor, Territory
from sync.notices import Notice
from sync.state import Case, Decision, Outcome, Record

PENDING = ("", "waiting", "replaced")
"""States that promise nothing, so nothing can be taken back."""


VOID = -1
"""Number of a scope that another history of central gave: whatever it is told next is newer."""


class Lineage(msgspec.Struct, frozen=True):
    """Central's restores as it last told them."""

    branches: tuple[Branch, ...] = ()


DEPARTED_MAX = 500
"""Moves to other villages that are remembered, the newest; of older ones the sums show it."""


class Departed(msgspec.Struct, frozen=True):
    """Requests that moved out of this laptop's villages: (number of the decision that moved it,
    number of the one that created it), oldest first. Nothing else is kept of them."""

    moves: tuple[tuple[int, int], ...] = ()


class Asked(msgspec.Struct, frozen=True):
    """Own logs of which the restored central said what it holds."""

    incarnation: bytes = b""
    logs: tuple[bytes, ...] = ()


class Voided(msgspec.Struct, frozen=True):
    """Own entries (log, number) with the outcome they had before the restore."""

    outcomes: tuple[tuple[bytes, int, str], ...] = ()


def is_doubtful(connection: Connection, log: bytes) -> bool:
    """Was central restored since it proved what it holds of this log?"""
    asked = find(connection, Asked)
    return asked is not None and log not in asked.logs


def note_proved(connection: Connection, log: bytes) -> None:
    """The restored central proved what it holds of this log."""
    asked = find(connection, Asked)
    if asked is not None and log not in asked.logs:
        remember(connection, Asked(asked.incarnation, (*asked.logs, log)))


def note_departed(connection: Connection, moves: list[tuple[int, int]]) -> None:
    """Requests went out of this laptop's villages; see `Departed`."""
    if moves:
        before = find(connection, Departed) or Departed()
        remember(connection, Departed((*before.moves, *moves)[-DEPARTED_MAX:]))


def rewind(connection: Connection, log: bytes, step: Rewound) -> None:
    """Write the step, as a part of the commit that is open."""
    cursor = read_cursor(connection)
    asked = find(connection, Asked)
    upto = cursor.server_seq
    touched: set[bytes] = set()
    first = min(step.upto + 1, _answered_from(connection, log, step))
    if upto >= first:
        upto = _beginning(connection, first) - 1
        touched |= _forget(connection, upto)
    same = asked is not None and asked.incarnation == step.incarnation
    logs = asked.logs if same and asked is not None else ()
    scope = find(connection, Territory)
    if scope is not None and scope.number and not same:
        remember(connection, msgspec.structs.replace(scope, number=VOID))
    remember(connection, Cursor(step.incarnation, upto, b""))
    remember(connection, Lineage(step.lineage))
    remember(connection, Asked(step.incarnation, (*logs, log)))
    _forget_outcomes(connection)
    touched |= _void(connection, log, step)
    recount(connection)
    for record in touched:
        if not _known(connection, record):
            unlist(connection, record)
        list_again(connection, record)


def _answered_from(connection: Connection, log: bytes, step: Rewound) -> int:
    """Number from which the requests were created whose entries count as unsent though the decision
    about them may still hold: where a copy of this laptop reached central first, nobody here knows
    which do, so they are read again. So is the outcome of what is about a request that is not here:
    it came after what its author had seen."""
    rows = connection.execute(
        "select r.data, e.data from entries e left join records r on e.record = r.id"
        " where (e.log = ? and e.seq > ? or r.id is null) and e.kind in ('create', 'edit')"
        " and e.folded not in ('', 'waiting', 'replaced')",
        (log, step.stored),
    )
    found = [
        msgspec.msgpack.decode(record, type=Record).created
        if record
        else clamp(decode_change(data).seen, step.lineage) + 1
        for record, data in rows
    ]
    return min(found, default=step.upto + 1)


def _beginning(connection: Connection, first: int) -> int:
    """Number from which decisions have to be read again, so that everything touched from `first` on
    is made anew from its beginning and nothing is folded twice."""
    spans = []
    for (data,) in connection.execute("select data from records"):
        record = msgspec.msgpack.decode(data, type=Record)
        spans.append((record.changed, record.created))
    for (data,) in connection.execute("select data from cases"):
        case = msgspec.msgpack.decode(data, type=Case)
        spans.append((max(case.changed, case.opened), case.opened))
    spans += (find(connection, Departed) or Departed()).moves
    for changed, began in sorted(spans, reverse=True):
        if changed >= first:
            first = min(first, began)
    return max(1, first)


def _forget(connection: Connection, upto: int) -> set[bytes]:
    """Drop requests and cases that changed after `upto`; gives the requests."""
    gone: set[bytes] = set()
    for name, data in connection.execute("select id, data from records").fetchall():
        if msgspec.msgpack.decode(data, type=Record).changed > upto:
            gone.add(name)
    for name, data in connection.execute("select id, data from cases").fetchall():
        case = msgspec.msgpack.decode(data, type=Case)
        if max(case.changed, case.opened) > upto:
            connection.execute("delete from cases where id = ?", (name,))
    for name in gone:
        connection.execute("delete from records where id = ?", (name,))
    departed = find(connection, Departed) or Departed()
    if departed.moves:
        left = tuple(move for move in departed.moves if move[0] <= upto)
        remember(connection, Departed(left))
    return gone


def _forget_outcomes(connection: Connection) -> None:
    """Of what a request says that is not here any more, and of what was told but read in no page,
    nobody here knows whether it still holds. What it was is remembered."""
    lost = connection.execute(
        "select log, seq, state from entries where kind in ('create', 'edit')"
        " and state not in ('', 'waiting', 'replaced')"
        " and (folded in ('', 'waiting') or record not in (select id from records))"
    )
    _remember_lost(connection, lost.fetchall())
    connection.execute(
        "update entries set state = '', folded = '' where kind in ('create', 'edit')"
        " and state != 'replaced'"
        " and (folded in ('', 'waiting') or record not in (select id from records))"
    )


def _remember_lost(connection: Connection, lost: list[tuple[bytes, int, str]]) -> None:
    """Outcomes from before the restore; of several restores the first told them."""
    before = find(connection, Voided) or Voided()
    known = {one[:2] for one in before.outcomes}
    fresh = tuple(one for one in lost if one[:2] not in known)
    remember(connection, Voided((*before.outcomes, *fresh)))


def _void(connection: Connection, log: bytes, step: Rewound) -> set[bytes]:
    """Entries beyond what central holds are unsent once more; gives their requests."""
    beyond = (log, step.stored)
    rows = connection.execute(
        "select seq, state, record from entries where log = ? and seq > ? and state != 'replaced'"
        " and kind in ('create', 'edit')",
        beyond,
    ).fetchall()
    lost = [(log, seq, state) for seq, state, _ in rows if state not in PENDING]
    _remember_lost(connection, lost)
    connection.execute(
        "update entries set state = '', folded = '', case_id = x'', problem = ''"
        " where log = ? and seq > ? and state != 'replaced' and kind in ('create', 'edit')",
        beyond,
    )
    connection.execute("delete from checkpoints where log = ? and seq > ?", beyond)
    connection.execute(
        "update logs set stored = ?, stored_head = ?, proof = null, unsent = (select"
        " coalesce(sum(length(data)), 0) from entries where log = ? and seq > ?"
        " and state != 'replaced') where id = ?",
        (step.stored, step.head, *beyond, log),
    )
    return {record for _, _, record in rows if record}


def _known(connection: Connection, record: bytes) -> bool:
    """Is anything left of a request: a snapshot, or own entries?"""
    row = connection.execute(
        "select 1 from records where id = ? union all select 1 from entries where record = ?"
        " limit 1",
        (record, record),
    ).fetchone()
    return row is not None


def differs(connection: Connection, effect: Outcome, decision: Decision) -> Notice | None:
    """The notice for an own entry whose outcome is not the one it had before the restore."""
    voided = find(connection, Voided)
    if voided is None:
        return None
    place = (effect.log, effect.seq)
    mine = [one for one in voided.outcomes if one[:2] == place]
    mine = mine or _made_again(connection, voided, place, effect.state)
    if not mine or effect.state == "waiting" or _holds(connection, decision.server_seq):
        return None
    left = tuple(one for one in voided.outcomes if one not in mine)
    remember(connection, Voided(left))
    if mine[0][2] == effect.state:
        return None
    record = _record_of(connection, *place)
    about = (effect.state, "", "", "", effect.case, decision.server_seq, decision.at)
    return Notice("restored", record, "", mine[0][2], *about)


def _holds(connection: Connection, number: int) -> bool:
    """Is it a decision from before the newest restore, which is read again? Others about the same
    entry may follow it, so nothing is said of it yet."""
    lineage = find(connection, Lineage) or Lineage()
    return bool(lineage.branches) and number <= lineage.branches[-1].base


def read_again(connection: Connection, cursor: Cursor) -> None:
    """All that holds from before a restore was read again: which outcomes are others now, though
    the entries are stored? What is sent and decided anew is compared when it is decided."""
    voided = find(connection, Voided)
    if voided is None or not voided.outcomes or _holds(connection, cursor.server_seq + 1):
        return
    proof = find(connection, Checkpoint)
    at = proof.at if proof is not None else 0
    left = []
    for place, one in enumerate(voided.outcomes):
        row = connection.execute(
            "select folded, record, case_id from entries where log = ? and seq = ?", one[:2]
        ).fetchone()
        if row is None or row[0] in PENDING:
            left.append(one)
        elif row[0] != one[2]:
            about = (row[0], "", "", "", row[2], cursor.server_seq, at)
            told = Notice("restored", row[1], "", one[2], *about)
            connection.execute(
                "insert or ignore into notices (server_seq, place, record, kind, data)"
                " values (?, ?, ?, ?, ?)",
                (cursor.server_seq, -1 - place, row[1], told.kind, msgspec.msgpack.encode(told)),
            )
    remember(connection, Voided(tuple(left)))


def _record_of(connection: Connection, log: bytes, seq: int) -> bytes:
    row = connection.execute(
        "select record from entries where log = ? and seq = ?", (log, seq)
    ).fetchone()
    return row[0] if row is not None else b""


def _made_again(
    connection: Connection, voided: Voided, place: tuple[bytes, int], state: str
) -> list[tuple[bytes, int, str]]:
    """The outcome before the restore of what this entry made again in a later log. One that only
    repeats what central has (`merged`) answers for nothing: the other one does."""
    made = _first_made(connection, *place)
    if state == "merged" or made is None or made[:2] == place:
        return []
    return [
        one
        for one in voided.outcomes
        if _first_made(connection, *one[:2], state="replaced") == made
    ][:1]


def _first_made(
    connection: Connection, log: bytes, seq: int, *, state: str = ""
) -> tuple[bytes, int, bytes] | None:
    """Where an own entry was made first, as origins name it; None for one that is not here (in
    this state)."""
    row = connection.execute(  # what a hole took out stands under negative numbers
        "select data, head from entries where log = ? and seq in (?, ?) and state = coalesce("
        " nullif(?, ''), state)",
        (log, seq, -seq, state),
    ).fetchone()
    if row is None:
        return None
    entry = Entry(seq, *row)
    return decode_change(entry.data).origin or (log, seq, entry.digest[:8])
