"""Files of requests as rows: which there are, how far each is on its way, which may go.

The bytes lie beside the database (vault/blobs.py). A file leaves the laptop only when central
proved to have all of it, a checked backup elsewhere was made after that, the days are over (or
somebody asked for room on the disk), every change that speaks of it was decided, and no case about
its request is open.
"""

# ruff: noqa: S608 - SQL is put together from our own column names only; values are always bound

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from field_client.vault.engine import Connection, Engine, Row
from models.changes import Change, decode_body
from sync.messages import BlobState, Checkpoint, Manifest
from sync.transfer import Parcel, Range, amount, sane

DAY_SECONDS = 86_400
ASKED_MAX = 64
"""Files whose state is asked for in one request: 32 bytes each on the way up."""

PARCELS_MAX = 500


class StoredFile(msgspec.Struct, frozen=True):
    """How far a file is. state: "waiting", "verified" or "gone". missing: byte ranges central
    lacks. verified_at: Unix seconds of central's clock, 0 before. problem: why it takes no more
    for now."""

    blob: bytes
    size: int
    lane: int
    state: str
    missing: tuple[Range, ...]
    verified_at: int
    problem: str

    @property
    def percent(self) -> int:
        """How much central has, 0-100; 100 only when it proved to have all."""
        if self.state != "waiting":
            return 100
        return min(99, 100 * (self.size - amount(self.missing)) // self.size)


class Left(msgspec.Struct, frozen=True):
    """What central lacks: files and their bytes, and in how many of them it takes no more now."""

    files: int
    bytes: int
    stopped: int


_SPOKEN = "announced a join entries e on e.log = a.log and e.seq = a.seq and e.state != 'replaced'"
"""An entry that was made again in a later log speaks for nobody here any more."""

_STORED = "blob, size, lane, state, missing, verified_at, problem"


class Attached:
    """Questions about files, and what an exchange brings."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, blobs: Iterable[bytes]) -> dict[bytes, StoredFile]:
        """Those of the named files that this laptop has or had."""
        found = {}
        for blob in blobs:
            row = self._engine.one(f"select {_STORED} from files where blob = ?", blob)
            if row is not None:
                found[blob] = _stored(row)
        return found

    def manifest(self, blob: bytes) -> Manifest | None:
        """What a file consists of."""
        row = self._engine.one("select size, hashes from files where blob = ?", blob)
        return None if row is None else Manifest(blob, *row)

    def kept(self) -> list[bytes]:
        """Every file that has to lie beside the database."""
        return [row[0] for row in self._engine.read("select blob from files where state != 'gone'")]

    def left(self) -> Left:
        """What is still to be sent."""
        rows = self._engine.read(f"select {_STORED} from files where state = 'waiting'")
        found = [_stored(row) for row in rows]
        size = sum(amount(file.missing) for file in found)
        return Left(len(found), size, sum(bool(file.problem) for file in found))

    def logs_waiting(self) -> set[bytes]:
        """Logs that have spoken of files which are still to be sent."""
        rows = self._engine.read(
            f"select distinct a.log from files f, {_SPOKEN}"
            " where a.blob = f.blob and f.state = 'waiting'"
        )
        return {row[0] for row in rows}

    def left_by_request(self) -> dict[bytes, tuple[int, int]]:
        """Request -> how many of its files are still to be sent, and their bytes."""
        rows = self._engine.read(
            f"select record, {_STORED} from files where state = 'waiting' order by record"
        )
        found: dict[bytes, tuple[int, int]] = {}
        for record, *row in rows:
            file, (n, size) = _stored(tuple(row)), found.get(record, (0, 0))
            found[record] = n + 1, size + amount(file.missing)
        return found

    def put_first(self, record: bytes) -> int:
        """Send the files of this request before others of their lane; gives how many wait."""
        with self._engine.writing() as connection:
            return connection.execute(
                "update files set due = '0000-00-00' where record = ? and state = 'waiting'",
                (record,),
            ).rowcount

    # -- on the way

    def begin(self, incarnation: bytes) -> None:
        """A sync begins: what another central (before it was put back from a backup) proved counts
        as unproved again, and what it refused for a day may be offered again."""
        with self._engine.writing() as connection:
            connection.execute(
                "update files set state = 'waiting', tried = 1, known = 0, missing = ?"
                " where state = 'verified' and incarnation != ? and ? != x''",
                (_NOTHING, incarnation, incarnation),
            )
            connection.execute("update files set problem = '' where problem != ''")

    def doubtful(self) -> list[bytes]:
        """Files of which pieces were sent, most urgent first: nobody knows for sure what came."""
        rows = self._engine.read(
            "select blob from files where state = 'waiting' and tried = 1 order by lane, number"
            " limit ?", ASKED_MAX,
        )  # fmt: skip
        return [row[0] for row in rows]

    def parcels(self, log: bytes, upto: int, limit: int = PARCELS_MAX) -> list[Parcel]:
        """Files to send that entries of `log` up to number `upto` speak of; those that central
        refuses for now are left out."""
        rows = self._engine.read(
            "select f.blob, f.lane, f.due, f.record, f.number, f.size, f.missing, f.known,"
            " exists (select 1 from files o where o.record = f.record and o.lane = f.lane"
            " and o.state != 'waiting') from files f where f.state = 'waiting' and f.problem = ''"
            f" and exists (select 1 from {_SPOKEN} where a.blob = f.blob and a.log = ?"
            " and a.seq <= ?) order by f.lane, f.number limit ?",
            log, upto, limit,
        )  # fmt: skip
        return [_parcel(row) for row in rows]

    def sending(self, blobs: Iterable[bytes]) -> None:
        """Pieces of these files go out now: after a break nobody knows what arrived."""
        with self._engine.writing() as connection:
            connection.executemany(
                "update files set tried = 1 where blob = ? and tried = 0", [(b,) for b in blobs]
            )

    def hear(self, states: Sequence[BlobState], checkpoint: Checkpoint) -> list[bytes]:
        """Central's signed word on files. Gives those that it proved to have, new ones only."""
        proved = []
        with self._engine.writing() as connection:
            for state in states:
                if _hear(connection, state, checkpoint):
                    proved.append(state.blob)
        return proved

    # -- leaving the laptop

    def may_go(self, checkpoint: Checkpoint, days: int) -> list[bytes]:
        """Files that need not be here any longer. Only central's own clock counts the days."""
        rows = self._engine.read(
            "select f.blob from files f where f.state = 'verified' and f.incarnation = ?"
            " and f.covered < ? and f.verified_at <= ?"
            " and f.blob not in (select blob from draft_files union all"
            "  select preview from draft_files)"
            " and not exists (select 1 from announced a"
            "  join entries e on e.log = a.log and e.seq = a.seq"
            "  left join requests r on r.record = a.record"
            "  where a.blob = f.blob and (e.folded in ('', 'waiting', 'held')"
            "  or coalesce(r.cases, 0) > 0))"
            " order by f.number",
            checkpoint.incarnation, checkpoint.durable_seq,
            checkpoint.at - days * DAY_SECONDS,
        )  # fmt: skip
        return [row[0] for row in rows]

    def gone(self, blobs: Iterable[bytes]) -> None:
        """These files leave; noted before they are deleted, so that a kill between leaves a stray
        file and never a promise without one."""
        with self._engine.writing() as connection:
            connection.executemany(
                "update files set state = 'gone' where blob = ? and state = 'verified'",
                [(blob,) for blob in blobs],
            )


# -- inside a save


def announce(connection: Connection, log: bytes, seq: int, record: bytes, change: Change) -> None:
    """Note the files that an entry speaks of, so that they are sent once it is at central."""
    if change.kind not in ("create", "edit"):
        return
    try:
        files = decode_body(change.body).attach
    except msgspec.DecodeError:
        return
    names = {name for file in files for name in (file.blob, file.preview) if name}
    connection.executemany(
        "insert or ignore into announced (blob, log, seq, record) values (?, ?, ?, ?)",
        [(name, log, seq, record) for name in names],
    )


def add_file(
    connection: Connection, manifest: Manifest, lane: int, record: bytes, due: str
) -> None:
    """A new file is to be sent. One that was here before and went is verified, and here again."""
    connection.execute(
        "insert into files (blob, size, hashes, lane, record, due, state, missing)"
        " values (?, ?, ?, ?, ?, ?, 'waiting', ?)"
        " on conflict (blob) do update set state = 'verified' where state = 'gone'",
        (manifest.blob, manifest.size, manifest.hashes, lane, record, due, _NOTHING),
    )


def hand_files(connection: Connection, blobs: Iterable[bytes], record: bytes, due: str) -> None:
    """They are sent with the files of another request; those this laptop never had are left out."""
    connection.executemany(
        "update files set record = ?, due = ? where blob = ?",
        [(record, due, blob) for blob in blobs],
    )


# -- rows

_NOTHING = msgspec.msgpack.encode(None)
"""Ranges of a file of which central has nothing: all of it is missing."""


def _ranges(packed: bytes, size: int = 0) -> tuple[Range, ...]:
    found = msgspec.msgpack.decode(packed, type=tuple[tuple[int, int], ...] | None)
    return ((0, size),) if found is None else found


def _stored(row: Row) -> StoredFile:
    blob, size, lane, state, missing, verified_at, problem = row
    return StoredFile(blob, size, lane, state, _ranges(missing, size), verified_at, problem)


def _parcel(row: Row) -> Parcel:
    blob, lane, due, record, number, size, missing, known, follows = row
    ranges = _ranges(missing, size)
    return Parcel(blob, lane, due, record, number, size, ranges, bool(known), bool(follows))


def _hear(connection: Connection, state: BlobState, checkpoint: Checkpoint) -> bool:
    row = connection.execute(
        "select size, state from files where blob = ?", (state.blob,)
    ).fetchone()
    if row is None or not sane(state, row[0]) or row[1] == "gone":
        return False
    if state.verified:
        connection.execute(
            "update files set state = 'verified', verified_at = ?, covered = ?, incarnation = ?,"
            " problem = '' where blob = ? and state = 'waiting'",
            (checkpoint.at, state.at, checkpoint.incarnation, state.blob),
        )
        return str(row[1]) == "waiting"
    missing = msgspec.msgpack.encode(state.missing) if state.known else _NOTHING
    connection.execute(
        "update files set state = 'waiting', known = ?, missing = ?, problem = ? where blob = ?",
        (state.known, missing, state.problem, state.blob),
    )
    return False
