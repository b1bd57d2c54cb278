"""Ledger: the one door through which anything is written at central.

Intake from a laptop and decisions of staff go the same way: lock the counter, load what the entries
touch, judge, write, take numbers, commit. A batch is one database transaction; when it fails it is
done again transaction by transaction, so that the failing one gets its own outcome. An attempt is
counted before it is made: what ended the process three times is set aside for an engineer. What
waited for a request is judged with it; where that failed, in a step with attempts of its own, since
who brings the request does not answer for it.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec
import structlog

from models.changes import Change, Incident, encode, raw
from models.problems import Problem
from server.branches import (
    fit,
    going_on,
    of_a_branch,
    remade,
    stored_near,
    strays_of,
    whole_prefix,
)
from sync.intake import (
    Accepted,
    accept,
    anchored,
    forged_sessions,
    retry,
    take,
    whole,
)
from sync.known import Known, LogState, Needs, Result, key_needs, needs
from sync.logs import HEAD_WIRE_BYTES, Entry, hole_in, next_head
from sync.messages import BATCH_ENTRIES_MAX, Batch, Branch, Health
from sync.state import Created, Decision, Whole

ATTEMPTS_MAX = 3
FORKS_MAX = 30
"""Branches of one log that are told of by an order and a case. More come of a program that makes
them; they are kept."""
BATCH_BYTES_MAX = 16 * 1024 * 1024
NUMBER_MAX = 1 << 53
"""Of an entry: what every database and every JSON reader can hold."""

log_lines = structlog.get_logger(__name__)


class Scope(msgspec.Struct, frozen=True):
    """What a laptop may see: its device and its villages. logs: all logs of the device. number:
    grows with each change of the villages."""

    device: bytes
    villages: tuple[str, ...]
    logs: tuple[bytes, ...]
    number: int = 1


class Standing(msgspec.Struct, frozen=True):
    """Where central stands: number and chain value of its newest decision, its incarnation, and
    the number up to which a checked backup elsewhere holds everything."""

    server_seq: int
    head: bytes
    incarnation: bytes
    durable_seq: int


class RecentTrace(msgspec.Struct, frozen=True):
    """By what a request may be known again, where it was taken in, and when (Unix seconds)."""

    trace: str
    office: str
    at: int


class Door(Protocol):
    """An open transaction of the register. `Registry.write` gives one that holds the lock."""

    def standing(self) -> Standing: ...

    def lineage(self) -> tuple[Branch, ...]:
        """Every restore of central, oldest first."""

    def log(self, name: bytes) -> LogState | None: ...

    def entries(self, log: bytes, first: int, last: int) -> dict[int, Entry]:
        """Stored entries by number; number 0 is the opening, with h_0 as its head."""

    def results(self, log: bytes, first: int, last: int) -> list[tuple[int, Result]]: ...

    def load(self, want: Needs) -> Known:
        """Everything in `want`; with each record its open cases, with each case its other records
        and the entries parked under it; the entries that wait for a wanted record; the cases of
        wanted records that were never created (`stuck`)."""

    def load_keys(self, known: Known, keys: Iterable[str]) -> None:
        """Add the open requests that hold these duplicate keys, with their open cases."""

    def save(
        self, known: Known, log: LogState, fresh: list[Entry], decisions: list[Decision], at: int
    ) -> None:
        """Write entries with their outcomes, decisions with their chain, and every projection.
        at: central's clock when the entries came, Unix seconds."""

    def remade(
        self, log: LogState, entries: list[Entry], *, late: bool
    ) -> set[tuple[bytes, int, bytes] | None]:
        """What logs of the same laptop made again of the requests that these new entries of `log`
        speak of, as origins; without what waits or was refused. late: a hole of the log declared
        the entries lost, so that it made them again itself."""

    def ahead(self, log: bytes) -> list[Entry]:
        """Entries kept beyond a gap, by number, their heads unknown."""

    def keep_ahead(self, log: bytes, entries: list[Entry]) -> None: ...

    def drop_ahead(self, log: bytes, last: int) -> None: ...

    def keep_fork(self, log: bytes, entries: list[Entry]) -> bool:
        """Keep the other branch; False when it was kept already."""

    def forks(self, log: bytes) -> list[Entry]:
        """Every kept entry of other branches."""

    def order(self, log: bytes, kind: str, argument: int) -> None:
        """Give the log a new numbered order."""

    def orders(self, log: bytes) -> list[tuple[int, str, int]]: ...

    def waiting(self) -> list[tuple[bytes, bytes, int]]:
        """(record, log, seq) of what waits to be judged."""

    def let_lie(self, log: bytes, seq: int) -> None:
        """This entry, which waits or is parked, is not judged any more before an engineer lets it
        be tried again."""

    def let_try(self, log: bytes, seq: int) -> None:
        """It may be judged again."""

    def scope(self, device: bytes, at: int = 0) -> Scope:
        """at: central's clock, Unix seconds: villages lent until then are not in it any more."""

    def pull(
        self, scope: Scope, after: int, budget: int
    ) -> tuple[list[Decision], int, bytes, bool]:
        """Decisions touching the scope after a number, cut to size at whole decisions; the number
        and chain value up to which they are complete; whether more remain."""

    def head_at(self, number: int) -> bytes | None:
        """Chain value after a decision; None where there is none of that number."""

    def visible(self, scope: Scope, records: Iterable[bytes]) -> set[bytes]: ...

    def whole_before(self, record: bytes, number: int) -> Whole | None:
        """A request as it stood before decision `number`, with all of its open cases."""

    def fill(
        self, village: str, mark: int, budget: int, device: bytes = b""
    ) -> tuple[list[Whole], int, bool]:
        """Requests of a village as they stand, those created by decisions after `mark`, in that
        order, about `budget` bytes but at least one decision's; the new mark; whether these are
        the last. device: those it took in instead, wherever they are."""

    def sums(self, cells: Collection[bytes], at: int) -> dict[bytes, int | None]:
        """What these villages (in UTF-8) and devices add up to (sync.digest) as of decision `at`;
        None where that is not kept for this number."""

    def recents(
        self, device: bytes, after: int, since: int, limit: int
    ) -> tuple[list[RecentTrace], int, bool]:
        """Traces of requests that other laptops took in after the time `since`, said by decisions
        after number `after`, about `limit` of them but whole decisions; the number they reach to;
        whether these are all."""

    def package(self) -> tuple[int, bytes]:
        """Number and signed bytes of the newest package of reference data; 0 for none."""

    def repairing(self, log: bytes, cells: Collection[str], at: int) -> None:
        """Note for people that a laptop reads these cells again, since it had something else."""

    def attempted(self, log: bytes, seq: int, scope: str) -> None:
        """An attempt (see `Registry.attempt`) ends with this transaction's commit."""

    def heard(
        self,
        log: bytes,
        at: int,
        build: str,
        clock: int,
        cursor: int,
        health: Health | None = None,
    ) -> None:
        """Note that a laptop called, for the list of devices."""


class Registry(Protocol):
    """Central's memory."""

    def read(self) -> AbstractContextManager[Door]: ...

    def write(self) -> AbstractContextManager[Door]:
        """A transaction that first locks the counter row; commits when left without an error."""

    def attempt(self, log: bytes, seq: int, scope: str) -> int:
        """Count, durably, an attempt at judging ("batch" or "transaction"); gives how many were
        begun before and never ended."""

    def attempted(self, log: bytes, seq: int, scope: str) -> None:
        """The attempt ended; forget it."""


class Stored(msgspec.Struct, frozen=True):
    """What became of a batch. log: after it; results: of every entry it brought that is stored;
    created: requests that came of it, for which something may have waited."""

    log: LogState
    results: list[tuple[int, Result]]
    missing: tuple[int, int] | None = None
    created: list[bytes] = []


_Given = TypeVar("_Given")

Also = Callable[[Door], None]
"""What else is to be written in the same commit."""


def _nothing(_: Door) -> None:
    """Nothing else."""


class Ledger:
    """Writes entries of any log into the register."""

    def __init__(self, registry: Registry, central: bytes) -> None:
        self.registry = registry
        self.central = central

    # -- what a laptop brings

    def store(self, name: bytes, batch: Batch, at: int, also: Also = _nothing) -> Stored:
        """Take a verified batch of log `name`. Raises Problem for one that is too large or whose
        chain does not fit; nothing of it is stored then. also: what else to write with it."""
        if not 1 <= batch.first <= NUMBER_MAX or len(batch.prev) != HEAD_WIRE_BYTES:
            raise Problem("sync.malformed")
        size = sum(map(len, batch.entries))
        if len(batch.entries) > BATCH_ENTRIES_MAX or size > BATCH_BYTES_MAX:
            raise Problem("sync.too_large", limit=BATCH_BYTES_MAX)
        died = self.registry.attempt(name, batch.first, "batch")
        stored = None if died else self._at_once(name, batch, at, also)
        if stored is not None:
            return stored
        try:
            return self._one_by_one(name, batch, at, also)
        finally:
            self.registry.attempted(name, batch.first, "batch")

    def _at_once(self, name: bytes, batch: Batch, at: int, also: Also) -> Stored | None:
        """All of it in one commit, or None when something nobody foresaw prevents that."""
        try:
            return self._apply(name, batch, at, "batch", also)
        except Problem:
            self.registry.attempted(name, batch.first, "batch")
            raise
        except Exception as error:
            log_lines.error("batch_failed", log=name.hex(), first=batch.first, at=places(error))
            return None

    def _one_by_one(self, name: bytes, batch: Batch, at: int, also: Also) -> Stored:
        """The same batch in as many steps as it has transactions; `also` once."""
        plain = anchored(batch.first, batch.prev, batch.entries)
        stored: Stored | None = None
        results: list[tuple[int, Result]] = []
        for group in whole(plain):
            first = group[0][0]
            # Beyond a gap it says what it follows; else that is what the log holds before it.
            here = stored is not None and stored.log.seq >= first.seq - 1
            before = b"" if here else first.head
            part = Batch(first.seq, before, b"", [entry.data for entry, _ in group])
            stored = self._one(name, part, at, also)
            also = _nothing  # it stands with the first
            results += stored.results
        if stored is None:
            return self._apply(name, batch, at, "batch", also)
        log = self._following(name, at) or stored.log
        return msgspec.structs.replace(stored, log=log, results=results)

    def _following(self, name: bytes, at: int) -> LogState | None:
        """Judge what was kept beyond a gap that is closed now, each transaction with attempts of
        its own: what closed the gap does not answer for it. Gives the log after it."""
        with self.registry.read() as door:
            log = door.log(name)
            assert log is not None
            last = door.entries(name, log.seq, log.seq)[log.seq]
            groups = whole(going_on(door, log, last))
        log = None
        for group in groups:
            part = Batch(group[0][0].seq, b"", b"", [entry.data for entry, _ in group])
            log = self._one(name, part, at, _nothing).log
        return log

    def _one(self, name: bytes, part: Batch, at: int, also: Also) -> Stored:
        for _ in range(ATTEMPTS_MAX + 1):
            died = self.registry.attempt(name, part.first, "transaction")
            poisoned = died >= ATTEMPTS_MAX
            try:
                stored = self._apply(name, part, at, "transaction", also, poisoned=poisoned)
            except Problem:
                self.registry.attempted(name, part.first, "transaction")
                raise
            except Exception as error:
                where = places(error)
                log_lines.error("transaction_failed", log=name.hex(), first=part.first, at=where)
                continue
            self._step_by_step(self._waiting_for(stored.created), at)
            return stored
        raise Problem("internal")

    def _apply(
        self,
        name: bytes,
        batch: Batch,
        at: int,
        scope: str,
        also: Also,
        *,
        poisoned: bool = False,
    ) -> Stored:
        """One commit: the entries, what was decided, the end of the attempt, and `also`. What
        waits for them is judged in it only where it is the batch as a whole."""
        last = batch.first + len(batch.entries) - 1
        decisions: list[Decision] = []
        with self.registry.write() as door:
            log = door.log(name)
            if log is None:
                raise Problem("sync.unknown_device")
            known = stored_near(door, name, batch, last)
            sorted_ = accept(log, batch.first, batch.prev, batch.entries, known)
            branch = of_a_branch(door, log, batch) if sorted_.ahead or sorted_.broken else []
            if branch:  # of a fork that has its order and its case
                door.keep_fork(name, branch)
                sorted_ = Accepted()
            fit(sorted_, batch)
            if sorted_.ahead:
                door.keep_ahead(name, sorted_.ahead)
            late = whole_prefix(sorted_.late)
            if sorted_.fork:  # with the half of a transaction that it goes on from
                branch = sorted_.late[len(late) :] + sorted_.fork
                agreed = branch[0].seq - 1
                known_till = agreed <= log.seq and hole_in(branch[0].data) is None
                self._fork(door, log, branch, at, agreed if known_till else 0)
            if late:
                decisions += self._take_late(door, log, late, at, poisoned, scope == "batch")
            fresh = whole_prefix(sorted_.fresh)
            if fresh:
                if scope == "batch":  # one by one, what follows has a step of its own
                    fresh += going_on(door, log, fresh[-1])
                strays = strays_of(door, log, fresh)
                decisions += self._take(door, log, fresh, at, poisoned, scope == "batch")
                if strays:
                    self._fork(door, log, strays, at, 0)
            door.attempted(name, batch.first, scope)
            also(door)
            found = door.results(name, batch.first, last)
            return Stored(log, found, sorted_.missing, _created(decisions))

    def _take(
        self,
        door: Door,
        log: LogState,
        fresh: list[Entry],
        at: int,
        poisoned: bool,
        wakes: bool,
        actor: str = "",
        end: tuple[int, bytes] | None = None,
    ) -> list[Decision]:
        """Judge and save. wakes: with what waited for it; end: where the log stands afterwards, for
        entries from before that."""
        known = door.load(needs(log, fresh))
        door.load_keys(known, key_needs(known, [*fresh, *known.entries.values()]))
        known.logs[log.id] = log
        known.forged |= forged_sessions(log, fresh)
        known.remade = door.remade(log, fresh, late=end is not None) | remade(door, known)
        if poisoned:
            known.poisoned.update((log.id, entry.seq) for entry in fresh)
        decisions = take(known, log, fresh, at, actor, wakes)
        if end is not None:
            log.seq, log.head = end
        door.save(known, log, fresh, decisions, at)
        door.drop_ahead(log.id, log.seq)
        return decisions

    def _take_late(
        self, door: Door, log: LogState, late: list[Entry], at: int, poisoned: bool, wakes: bool
    ) -> list[Decision]:
        """Entries that a hole of their log declared lost were found. They are judged like any
        other, but for those that their author has made again meanwhile; the log stays where it is.
        Where they are not what the hole goes on from, they are another branch."""
        first, last = late[0].seq, late[-1].seq
        around = door.entries(log.id, first - 1, last + 1)
        following = around.get(last + 1)
        if following is not None:
            goes_on = next_head(log.id, late[-1].head, following.data)
            if goes_on != following.head:
                self._fork(door, log, late, at, first - 1)
                return []
        end = (log.seq, log.head)
        hole = hole_in(late[0].data)  # it goes on over entries that are not here
        before = around[first - 1].head if first - 1 in around else hole.head if hole else b""
        log.seq, log.head = first - 1, before
        return self._take(door, log, late, at, poisoned, wakes, end=end)

    def _fork(self, door: Door, log: LogState, branch: list[Entry], at: int, agreed: int) -> None:
        """Two laptops wrote on one log: keep both branches, order new logs, open one case. agreed:
        number up to which both are the same for certain; what is made again and is here already
        is known by its origin."""
        told = sum(kind == "rotate" for _, kind, _ in door.orders(log.id)) + 1
        if not door.keep_fork(log.id, branch) or told > FORKS_MAX:
            return
        # The last order holds for branches after it too: what is not proved is made again.
        door.order(log.id, "rotate", agreed if told < FORKS_MAX else 0)
        note = f"log {log.id.hex()} entry {branch[0].seq}"
        incident = Change(
            "incident", b"", 0, 1, "", 0, 0, at, at, 0, 0, 0, None, raw(Incident("fork", note))
        )
        self.write_in(door, incident, at, "system")

    # -- what waits

    def retry(self, at: int) -> int:
        """Judge again what waits, at once; where that ended the process, step by step. Gives how
        many transactions got their outcome."""
        died = self.registry.attempt(self.central, 0, "batch")
        try:
            if not died:
                try:
                    with self.registry.write() as door:
                        return self.retry_in(door, at)
                except Problem:
                    raise
                except Exception as error:
                    log_lines.error("retry_failed", at=places(error))
            with self.registry.read() as door:
                waiting = door.waiting()
            return self._step_by_step(waiting, at)
        finally:
            self.registry.attempted(self.central, 0, "batch")

    def retry_in(self, door: Door, at: int) -> int:
        """The same inside a transaction that is open already, so that it is undone with it."""
        return len(self.judge_again(door, door.waiting(), at, wakes=True))

    def _waiting_for(self, records: Collection[bytes]) -> list[tuple[bytes, bytes, int]]:
        """(record, log, seq) of what waited for these requests."""
        if not records:
            return []
        with self.registry.read() as door:
            known = door.load(Needs(records=set(records)))
        return [(name, *key) for name in records for key in known.waiting.get(name, ())]

    def _step_by_step(self, waiting: list[tuple[bytes, bytes, int]], at: int) -> int:
        """Judge what waits, and what that wakes, each in a commit and with attempts of its own."""
        done = 0
        while waiting:
            decisions: list[Decision] = []
            for one in sorted(waiting, key=lambda row: row[1:]):
                decisions += self._once_more(one, at)
            done += len(decisions)
            waiting = self._waiting_for(_created(decisions))
        return done

    def _once_more(self, waiting: tuple[bytes, bytes, int], at: int) -> list[Decision]:
        """Judge one of what waits; what ended the process too often is set aside."""
        _, log, seq = waiting

        def set_aside(door: Door) -> list[Decision]:
            door.let_lie(log, seq)
            return []

        return self.counted(
            (log, seq, "transaction"),
            lambda door: self.judge_again(door, [waiting], at, wakes=False),
            set_aside,
        )

    def counted(
        self,
        key: tuple[bytes, int, str],
        act: Callable[[Door], _Given],
        give_up: Callable[[Door], _Given],
    ) -> _Given:
        """Do something in a commit of its own, each attempt counted before it is made: what failed
        or ended the process too often is given up, in a commit too. key: as `Registry.attempt`."""
        for _ in range(ATTEMPTS_MAX + 1):
            died = self.registry.attempt(*key)
            try:
                with self.registry.write() as door:
                    door.attempted(*key)
                    return give_up(door) if died >= ATTEMPTS_MAX else act(door)
            except Problem:
                self.registry.attempted(*key)
                raise
            except Exception as error:
                log_lines.error("attempt_failed", log=key[0].hex(), seq=key[1], at=places(error))
        raise Problem("internal")

    def judge_again(
        self, door: Door, waiting: list[tuple[bytes, bytes, int]], at: int, *, wakes: bool
    ) -> list[Decision]:
        """Judge these (record, log, seq) of what waits, and save what came of it."""
        records = {record for record, _, _ in waiting}
        known = door.load(Needs(records=records, logs={log for _, log, _ in waiting}))
        door.load_keys(known, key_needs(known, list(known.entries.values())))
        known.remade = remade(door, known)
        keys = {(log, seq) for _, log, seq in waiting}
        decisions = retry(known, keys, at, wakes)
        if decisions:
            door.save(known, known.logs[decisions[0].log], [], decisions, at)
        return decisions

    # -- what central itself writes

    def write(self, change: Change, at: int, actor: str) -> tuple[Result, list[Decision]]:
        """Append a change to central's own log and judge it. A refused one is not written at all:
        it raises Problem with the refusal's code, to be shown to the person."""
        with self.registry.write() as door:
            return self.write_in(door, change, at, actor)

    def write_in(
        self, door: Door, change: Change, at: int, actor: str
    ) -> tuple[Result, list[Decision]]:
        """`write` inside a transaction that is open already, so that what belongs to the decision
        (its entry in the audit trail) is committed with it or not at all."""
        written, decisions = self.write_together(door, [change], at, actor)
        return written[0][1], decisions

    def write_together(
        self, door: Door, changes: Sequence[Change], at: int, actor: str
    ) -> tuple[list[tuple[Entry, Result]], list[Decision]]:
        """Append the changes of one transaction, which is decided whole. Gives each entry with what
        became of it. Problem where it is refused; the caller's commit must not happen then."""
        log = door.log(self.central)
        assert log is not None
        entries: list[Entry] = []
        head = log.head
        for seq, change in enumerate(changes, log.seq + 1):
            data = encode(change)
            head = next_head(log.id, head, data)
            entries.append(Entry(seq, data, head))
        # What waits for it comes with the next `retry`: here nobody counts how often it ends us.
        decisions = self._take(door, log, entries, at, False, False, actor)
        results = dict(door.results(log.id, entries[0].seq, entries[-1].seq))
        for result in results.values():
            if result.state in ("refused", "waiting"):
                raise Problem(result.problem or "request.unknown")
        return [(entry, results[entry.seq]) for entry in entries], decisions


def _created(decisions: Iterable[Decision]) -> list[bytes]:
    """Requests that these decisions created."""
    return [e.record for d in decisions for e in d.effects if isinstance(e, Created)]


def places(error: BaseException) -> list[str]:
    """Kind of an error and where it passed, for the log: no message and no values, which may hold
    personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames]
    return [type(error).__name__, *lines]
