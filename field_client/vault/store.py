"""Store: everything a laptop knows, in one encrypted file and behind one object.

    store.saving()           what a person did: entries of the log, one durable commit
    store.pending(…)         what central has not proved to hold yet
    store.apply(*steps)      what an exchange brought back, one durable commit
    store.requests           the lists and the search of the desk
    store.roster, .drafts, .notices, .reveals, .custody

Entries are the truth; every other table is told from them and from central's decisions. The outbox
is not a table: an entry beyond the newest proved checkpoint is still to be sent.
"""

# ruff: noqa: S608 - SQL is put together from our own column names only; values are always bound

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from typing import TypeVar

import msgspec

from field_client.vault.attached import Attached
from field_client.vault.cells import sight
from field_client.vault.contacts import Contacts
from field_client.vault.custody import Custody
from field_client.vault.draft_files import DraftFiles
from field_client.vault.drafts import Drafts
from field_client.vault.engine import Connection, Engine
from field_client.vault.forgetting import forget_others
from field_client.vault.logs import COLUMNS, OwnLog, find, find_log, read_cursor, remember
from field_client.vault.mark import MarkFile
from field_client.vault.notices import Notices
from field_client.vault.packages import list_unread, package_of
from field_client.vault.recents import Recently, find_recent
from field_client.vault.requests import Requests
from field_client.vault.reveals import Reveals
from field_client.vault.rewind import Lineage, is_doubtful
from field_client.vault.roster import Rosters
from field_client.vault.saving import Saving
from field_client.vault.snapshot import apply
from field_client.vault.sums import is_right
from field_client.vault.upgrade import upgrade
from field_client.vault.visits import Visits
from models.problems import Problem
from sync.exchange import Position, Step
from sync.identity import Identity
from sync.logs import Entry, broken_at, hole_in, log_id, opening_head
from sync.messages import Cursor, Order, Sight
from sync.reference import Package

Kept = TypeVar("Kept", bound=msgspec.Struct)

PENDING_BYTES = 256 * 1024


class Shown(msgspec.Struct, frozen=True):
    """What was known when a page or a draft was first drawn: goes into the change as it is. own:
    newest entry of `log`, by default of the one that is written on."""

    seen: int
    own: int
    log: bytes = b""


class Standing(msgspec.Struct, frozen=True):
    """How things stand, told without reading any table that grows.

    entries: outcome -> own entries ("" no outcome yet). requests: status -> requests. unsent,
    unsent_bytes: entries central has not proved to hold. oldest_unsent: Unix seconds, None if all
    is sent. unread: notices. drafts: operator -> drafts. residents: people in the roster.
    """

    entries: dict[str, int]
    requests: dict[str, int]
    unsent: int
    unsent_bytes: int
    oldest_unsent: int | None
    unread: int
    drafts: dict[str, int]
    residents: int
    cursor: Cursor


class Store:
    """One laptop's memory. Thread-safe; several processes may share it (one writes at a time)."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.mark = MarkFile(engine.path.with_name("log.mark"))
        upgrade(engine)
        self.requests = Requests(engine)
        self.drafts = Drafts(engine)
        self.draft_files = DraftFiles(engine)
        self.notices = Notices(engine)
        self.reveals = Reveals(engine)
        self.attached = Attached(engine)
        self.custody = Custody(engine)
        self.contacts = Contacts(engine)
        self.visits = Visits(engine)
        self.restored = self._is_restored()

    @cached_property
    def roster(self) -> Rosters:
        """The villages' own lists of residents."""
        return Rosters(self.engine)

    def close(self) -> None:
        """Close every connection, with the mark safely on the disk."""
        self.mark.flush()
        self.engine.close()

    # --- what the program keeps about itself --------------------------------------------------

    def remember(self, *values: msgspec.Struct) -> None:
        """Keep structs (certificate, scope, settings, …), one of each kind, in one commit."""
        with self.engine.writing() as connection:
            for value in values:
                remember(connection, value)

    def recall(self, kind: type[Kept]) -> Kept | None:
        """The struct of that kind, or None."""
        row = self.engine.one("select value from settings where name = ?", kind.__name__)
        return None if row is None else msgspec.msgpack.decode(row[0], type=kind)

    # --- logs ---------------------------------------------------------------------------------

    def open_log(self, sign_seed: bytes, seal_seed: bytes, opening: bytes, block: int) -> OwnLog:
        """Go on in a new log: at enrolment, after a restore, by order of central.

        sign_seed, seal_seed: 32 random bytes each. opening: the encoded `sync.logs.Open`.
        """
        identity = Identity(sign_seed, seal_seed)
        log, head = log_id(identity.sign_key), opening_head(opening)
        with self.engine.writing() as connection:
            connection.execute(
                "insert into logs (id, sign_seed, seal_seed, opening, block, seq, head, stored,"
                " stored_head) values (?, ?, ?, ?, ?, 0, ?, 0, ?)",
                (log, sign_seed, seal_seed, opening, block, head, head),
            )
        self.mark.write(log, 0, head)
        self.restored = False
        return self.log(log)

    def log(self, log: bytes = b"") -> OwnLog:
        """The log that is written on, or a named older one. Problem `vault.absent` before
        enrolment."""
        found = find_log(self.engine.connection(), log)
        if found is None:
            raise Problem("vault.absent", path=str(self.engine.path))
        return found

    def logs(self) -> list[OwnLog]:
        """All logs this laptop has written, oldest first."""
        rows = self.engine.read(f"select {COLUMNS} from logs order by number")
        return [OwnLog(*row) for row in rows]

    def close_log(self, log: bytes, after: int) -> None:
        """Another log goes on for this one, by order of central: entries beyond `after` were made
        again there, so nothing of it is to be sent any more."""
        with self.engine.writing() as connection:
            connection.execute(
                "update entries set state = 'replaced', folded = 'replaced'"
                " where log = ? and seq > ?",
                (log, after),
            )
            connection.execute(
                "update logs set stored = seq, stored_head = head, unsent = 0 where id = ?", (log,)
            )

    def shown(self) -> Shown:
        """The numbers to note when a page or draft is first drawn."""
        with self.engine.reading() as connection:
            log = find_log(connection)
            cursor = read_cursor(connection)
        own = (log.seq, log.id) if log is not None else (0, b"")
        return Shown(cursor.server_seq, *own)

    def broken_at(self, log: bytes) -> int | None:
        """Verify a whole chain: number of the first entry that does not fit, or None."""
        own, entries = self.log(log), self.entries(log)
        wrong = broken_at(log, opening_head(own.opening), entries)
        last = (entries[-1].seq, entries[-1].head) if entries else (0, opening_head(own.opening))
        return own.seq if wrong is None and last != (own.seq, own.head) else wrong

    def entries(self, log: bytes) -> list[Entry]:
        """Every entry of a log that is in its row."""
        rows = self.engine.read(
            "select seq, data, head from entries where log = ? and seq > 0 order by seq", log
        )
        return [Entry(*row) for row in rows]

    def numbers(self, log: bytes) -> list[int]:
        """Numbers that a log should have, without those that a hole declared lost."""
        gone: set[int] = set()
        for entry in self.entries(log):
            hole = hole_in(entry.data)
            if hole is not None:
                gone.update(range(hole.first, hole.last + 1))
        return [seq for seq in range(1, self.log(log).seq + 1) if seq not in gone]

    def in_state(self, log: bytes, state: str) -> list[tuple[int, int]]:
        """Runs (first, last) of own entries of which central told this outcome."""
        runs: list[tuple[int, int]] = []
        for (seq,) in self.engine.read(
            "select seq from entries where log = ? and state = ? and seq > 0 order by seq",
            log, state,
        ):  # fmt: skip
            if runs and seq == runs[-1][1] + 1:
                runs[-1] = (runs[-1][0], seq)
            else:
                runs.append((seq, seq))
        return runs

    def _is_restored(self) -> bool:
        """Is the log behind its mark, or another one? Then the file came back from a copy."""
        mark = self.mark.read()
        if mark is None:
            return False
        if mark.seq == 0:
            return self.engine.one("select 1 from logs where id = ?", mark.log) is None
        row = self.engine.one(
            "select head from entries where log = ? and seq = ?", mark.log, mark.seq
        )
        return row is None or row[0] != mark.head

    # --- what a person did --------------------------------------------------------------------

    @contextlib.contextmanager
    def saving(self) -> Iterator[Saving]:
        """Append to the log: one commit, durable when the block ends, nothing if it raises.

        Problem `vault.restored` while a database from a copy waits for its new log.
        """
        if self.restored and self._is_restored():
            raise Problem("vault.restored")
        made: list[Saving] = []
        with self.engine.writing(committed=lambda: self._marked(*made)) as connection:
            own = find_log(connection)
            if own is None:
                raise Problem("vault.absent", path=str(self.engine.path))
            made.append(Saving(connection, own, read_cursor(connection)))
            yield made[0]
            made[0].finish()

    def _marked(self, saving: Saving) -> None:
        """Move the mark on. A full disk may not unsay a commit: the next opening moves it then."""
        if saving.seq > saving.own.seq:
            with contextlib.suppress(Problem):
                self.mark.write(saving.own.id, saving.seq, saving.head)

    # --- the road -----------------------------------------------------------------------------

    def position(self, log: bytes = b"") -> Position:
        """Where a log stands, for `Exchange`."""
        with self.engine.reading() as connection:
            own = find_log(connection, log)
            if own is None:
                raise Problem("vault.absent", path=str(self.engine.path))
            lineage = find(connection, Lineage) or Lineage()
            newest = find_log(connection)
            closed = newest is not None and newest.id != own.id and own.stored == own.seq
            return Position(
                own.id, own.stored, own.stored_head, _last_to_send(connection, own),
                read_cursor(connection), own.request, own.acted, lineage.branches,
                is_doubtful(connection, own.id), closed,
            )  # fmt: skip

    def head_at(self, seq: int, log: bytes = b"") -> bytes | None:
        """Chain value of a log after entry `seq` (h_0 for 0), None where it has no such entry."""
        own = self.log(log)
        if seq == 0:
            return opening_head(own.opening)
        row = self.engine.one("select head from entries where log = ? and seq = ?", own.id, seq)
        return None if row is None else bytes(row[0])

    def pending(
        self, after: int, budget_bytes: int = PENDING_BYTES, log: bytes = b""
    ) -> list[Entry]:
        """Entries from `after` + 1 on, whole transactions, as many as fit the budget (at least
        one, so that sync always gets on)."""
        entries: list[Entry] = []
        whole = size = 0
        with self.engine.reading() as connection:
            own = find_log(connection, log)
            if own is None:
                return []
            rows = connection.execute(
                "select seq, data, head, i, n from entries where log = ? and seq > ?"
                " and state != 'replaced' order by seq",
                (own.id, after),
            )
            for seq, data, head, i, n in rows:
                size += len(data)
                jumps = bool(entries) and seq != entries[-1].seq + 1  # over a hole
                if (size > budget_bytes and whole) or jumps:
                    break
                entries.append(Entry(seq, data, head))
                if i == n - 1:
                    whole = len(entries)
        return entries[:whole]

    def sight(self) -> Sight:
        """What is known of this laptop's scope, for `Exchange`."""
        with self.engine.reading() as connection:
            return sight(connection)

    def sums_are_right(self) -> bool:
        """Do the requests that are here add up to what was kept of them?"""
        with self.engine.reading() as connection:
            return is_right(connection)

    def package(self) -> Package | None:
        """The newest package of reference data that is here."""
        with self.engine.reading() as connection:
            return package_of(connection)

    def list_unread(self, *values: msgspec.Struct) -> None:
        """List again what could not be read before, and keep structs, in one commit."""
        with self.engine.writing() as connection:
            list_unread(connection)
            for value in values:
                remember(connection, value)

    def find_recent(self, traces: Collection[str]) -> Recently | None:
        """The newest request of another laptop that is known by one of these, in the index."""
        with self.engine.reading() as connection:
            return find_recent(connection, traces)

    def requested(self, number: int, log: bytes = b"") -> None:
        """Note that request `number` was made, before it is sent: none is ever made twice."""
        with self.engine.writing() as connection:
            own = find_log(connection, log)
            if own is not None:
                connection.execute("update logs set request = ? where id = ?", (number, own.id))

    def apply(self, *steps: Step, log: bytes = b"") -> None:
        """Write what a reply means, all of it in one commit. log: the one that was exchanged."""
        with self.engine.writing() as connection:
            own = find_log(connection, log)
            if own is None:
                raise Problem("vault.absent", path=str(self.engine.path))
            for step in steps:
                apply(connection, own.id, step)

    def orders_due(self) -> list[Order]:
        """Orders met and not yet carried out, oldest first."""
        rows = self.engine.read(
            "select log, number, kind, argument from orders where done = 0 and number > 0"
            " order by number"
        )
        return [Order(*row) for row in rows]

    def order_done(self, order: Order) -> None:
        """The courier carried it out; it never acts again."""
        with self.engine.writing() as connection:
            connection.execute(
                "update orders set done = 1 where log = ? and number = ?", (order.log, order.number)
            )

    def forget_others(self, orders: Iterable[Order]) -> None:
        """Erase what is here about people of other laptops and of the villages' lists, and note
        these orders as done, in one commit. The own log, drafts of it and files stay."""
        with self.engine.writing() as connection:
            forget_others(connection)
            connection.executemany(
                "update orders set done = 1 where log = ? and number = ?",
                [(order.log, order.number) for order in orders],
            )
        self.engine.checkpoint()

    def proof(self, seq: int, log: bytes = b"") -> bytes | None:
        """The oldest signed checkpoint that covers entry `seq`, or None while there is none."""
        row = self.engine.one(
            "select proof from checkpoints where log = ? and seq >= ? order by seq limit 1",
            log or self.log().id, seq,
        )  # fmt: skip
        return None if row is None else bytes(row[0])

    # --- how things stand ---------------------------------------------------------------------

    def standing(self) -> Standing:
        """Counts for the status line."""
        with self.engine.reading() as connection:
            counts = dict(connection.execute("select name, n from counts where n > 0").fetchall())
            logs = connection.execute(
                "select id, stored, seq - stored, unsent from logs where seq > stored"
            ).fetchall()
            oldest = [
                connection.execute(
                    "select at from entries where log = ? and seq > ? order by seq limit 1",
                    (log, stored),
                ).fetchone()
                for log, stored, _, _ in logs
            ]
            people = connection.execute("select coalesce(sum(people), 0) from rosters").fetchone()
            cursor = read_cursor(connection)
        return Standing(
            entries=_group(counts, "entry"),
            requests=_group(counts, "request"),
            unsent=sum(log[2] for log in logs),
            unsent_bytes=sum(log[3] for log in logs),
            oldest_unsent=min((row[0] for row in oldest if row is not None), default=None),
            unread=counts.get("notice:1", 0),
            drafts=_group(counts, "draft"),
            residents=people[0],
            cursor=cursor,
        )


def _last_to_send(connection: Connection, own: OwnLog) -> int:
    """Newest entry that is central's to have; those after it were made again in a later log."""
    if own.stored == own.seq and not is_doubtful(connection, own.id):
        return own.seq
    (first,) = connection.execute(
        "select min(seq) from entries where log = ? and seq > 0 and state = 'replaced'", (own.id,)
    ).fetchone()
    return own.seq if first is None else int(first) - 1


def _group(counts: dict[str, int], name: str) -> dict[str, int]:
    """`name:value` counts, by value."""
    start = f"{name}:"
    return {key.removeprefix(start): n for key, n in counts.items() if key.startswith(start)}
