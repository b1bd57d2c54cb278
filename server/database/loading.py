"""Loading: everything the judge can touch when it judges some entries, in few statements.

What the entries name themselves leads to more: a request to its open cases, a case to its other
requests, a request to what waits for it, and what waits to the requests it speaks of. Each round
asks for what the round before discovered, until nothing new turns up; usually the second is empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from sqlalchemy import func, select

from models.changes import decode_change, record_of
from server.database.devices import Devices, write_log
from server.database.lineage import Lineages
from server.database.tables import (
    CaseRow,
    CounterRow,
    EntryRow,
    LogRow,
    RecordKeyRow,
    RecordRow,
    WaitingRow,
)
from server.database.work import table_of
from server.ledger import NUMBER_MAX, Standing
from sync.known import Known, LogState, Needs, Result, envelope, needs
from sync.lineage import BLOCK_BITS
from sync.logs import Entry, Open, opening_head
from sync.state import Case, Record

GENERATIONS_MAX = 8
SET_ASIDE_MAX = 1000
"""Logs of a laptop that one remembers to go on from."""

POISONED, FORGED = 1, 2
"""Marks of an entry: it may not be judged; its operator's signature is false."""

_counters = table_of(CounterRow)
_entries = table_of(EntryRow)
_logs = table_of(LogRow)
_records = table_of(RecordRow)
_keys = table_of(RecordKeyRow)
_cases = table_of(CaseRow)
_waiting = table_of(WaitingRow)
_read_record = msgspec.msgpack.Decoder(Record)
_read_case = msgspec.msgpack.Decoder(Case)

RESULT = (
    _entries.c.log,
    _entries.c.seq,
    _entries.c.state,
    _entries.c.record,
    _entries.c.case_id,
    _entries.c.problem,
    _entries.c.part,
)


class Loaded(Known):
    """What was loaded, with how it stood then, so that only what changed is written.

    records, cases: their stored bytes. outcomes: stored results. queue:
    stored rows of waiting. books: what judging may change of the logs.
    """

    records: dict[bytes, bytes] = msgspec.field(default_factory=dict)
    cases: dict[bytes, bytes] = msgspec.field(default_factory=dict)
    books: dict[bytes, dict[str, Any]] = msgspec.field(default_factory=dict)
    outcomes: dict[tuple[bytes, int], Result] = msgspec.field(default_factory=dict)
    queue: set[tuple[bytes, bytes, int]] = msgspec.field(default_factory=set)


class Loading(Devices, Lineages):
    """The reading half of the ledger's door."""

    _standing: Standing | None = None

    def standing(self) -> Standing:
        """Where central stands."""
        if self._standing is None:
            row = self.one(select(_counters).where(_counters.c.city == self.city))
            assert row is not None, f"{self.city} was not founded"
            self._standing = Standing(row.server_seq, row.head, row.incarnation, row.durable_seq)
        return self._standing

    def entries(self, log: bytes, first: int, last: int) -> dict[int, Entry]:
        """Stored entries by number; number 0 is the opening, with h_0 as its head."""
        found: dict[int, Entry] = {}
        opening = self.opening(log) if first <= 0 else None
        if opening is not None:
            found[0] = Entry(0, opening, opening_head(opening))
        here = (_entries.c.city == self.city) & (_entries.c.log == log)
        between = _entries.c.seq.between(first, last)
        for row in self.rows(select(_entries).where(here, between).order_by(_entries.c.seq)):
            found[row.seq] = Entry(row.seq, row.data, row.head)
        return found

    def results(self, log: bytes, first: int, last: int) -> list[tuple[int, Result]]:
        """What became of the stored entries first..last."""
        here = (_entries.c.city == self.city) & (_entries.c.log == log)
        between = _entries.c.seq.between(first, last)
        rows = self.rows(select(*RESULT).where(here, between).order_by(_entries.c.seq))
        return [(row.seq, read_result(row)) for row in rows]

    def load(self, want: Needs) -> Known:
        """Everything in `want` and what follows from it."""
        standing = self.standing()
        known = Loaded(standing.server_seq, standing.head)
        if standing.server_seq >> BLOCK_BITS:
            known.branches = self.lineage()
        asked = Needs()
        codes = set(want.codes)
        deciding = frozenset(want.cases)
        while True:
            fresh = _not_in(want, asked)
            if not (fresh.records or fresh.cases or fresh.logs or fresh.results or fresh.origins):
                break
            _note(asked, fresh)
            follow = Needs()
            self._load_logs(known, fresh.logs, follow)
            self._load_records(known, fresh.records, follow)
            self._load_waiting(known, fresh.records, follow)
            self._load_cases(known, fresh.cases, deciding, follow)
            self._load_results(known, fresh.results)
            codes |= follow.codes
            want = follow
        self._load_codes(known, codes)
        self._load_made(known, asked.origins)
        return known

    def set_aside(self, device: bytes) -> list[tuple[bytes, int]]:
        """(log, number) of a laptop's entries that are not judged any more, because judging them
        ended the process."""
        logs = select(_logs.c.id).where(_logs.c.city == self.city, _logs.c.device == device)
        here = select(_entries.c.log, _entries.c.seq).where(
            _entries.c.city == self.city,
            _entries.c.log.in_(logs),
            _entries.c.mark.bitwise_and(POISONED) != 0,
        )
        found = self.rows(here.order_by(_entries.c.log, _entries.c.seq).limit(SET_ASIDE_MAX))
        return [(row.log, row.seq) for row in found]

    def refused_under(self, case: bytes, log: bytes) -> int:
        """How many entries of a log were refused under this case."""
        here = (_entries.c.city == self.city) & (_entries.c.log == log)
        mine = here & (_entries.c.case_id == case) & (_entries.c.state == "refused")
        found: int = self.value(select(func.count()).select_from(_entries).where(mine)) or 0
        return found

    def let_lie(self, log: bytes, seq: int) -> None:
        """Judging this entry, waiting or parked, ended the process: it is not tried again."""
        self._mark(log, seq, self._mark_of(log, seq) | POISONED)

    def let_try(self, log: bytes, seq: int) -> None:
        """An engineer found why judging this entry ended the process: it may be tried again."""
        self._mark(log, seq, self._mark_of(log, seq) & ~POISONED)

    def _mark_of(self, log: bytes, seq: int) -> int:
        here = (_entries.c.city == self.city) & (_entries.c.log == log) & (_entries.c.seq == seq)
        return self.value(select(_entries.c.mark).where(here)) or 0

    def _mark(self, log: bytes, seq: int, mark: int) -> None:
        self.update(_entries, ["log", "seq"], [{"log": log, "seq": seq, "mark": mark}])

    def load_keys(self, known: Known, keys: Iterable[str]) -> None:
        """Add the open requests that hold these duplicate keys, with their open cases."""
        assert isinstance(known, Loaded)
        here = select(_keys.c.key, _keys.c.record).where(_keys.c.city == self.city)
        found: set[bytes] = set()
        for row in self.each(here, _keys.c.key, sorted(keys)):
            known.keys.setdefault(row.key, []).append(row.record)
            found.add(row.record)
        follow = Needs()
        self._load_records(known, found - known.state.records.keys(), follow)
        self._load_cases(known, follow.cases - known.state.cases.keys(), (), Needs())

    # -- one kind at a time

    def _load_logs(self, known: Loaded, names: set[bytes], follow: Needs) -> None:
        found = self.find_logs(sorted(names - known.logs.keys()))
        known.logs.update(found)
        known.books.update((name, write_log(log)) for name, log in found.items())
        cases = {case for log in found.values() for case in (log.case, *log.refused.values())}
        follow.cases |= cases - {b""}

    def find_logs(self, names: Collection[bytes]) -> dict[bytes, LogState]:
        """Those of the named logs that are known, each with the logs that it follows."""
        found = super().find_logs(names)
        for log in found.values():
            if log.before:
                log.before = self._before(log.id)
        return found

    def _before(self, name: bytes) -> tuple[tuple[bytes, int], ...]:
        """The logs that this one follows, as far as their entries here are the ones it names."""
        found: list[tuple[bytes, int]] = []
        while len(found) < GENERATIONS_MAX:
            data = self.opening(name)
            opening = msgspec.msgpack.decode(data, type=Open) if data is not None else None
            if opening is None or not opening.parent:
                break
            upto = opening.parent_seq
            there = self.entries(opening.parent, upto, upto).get(upto)
            if there is None or there.head != opening.parent_head:
                break
            found.append((opening.parent, upto))
            name = opening.parent
        return tuple(found)

    def _load_records(self, known: Loaded, names: Collection[bytes], follow: Needs) -> None:
        columns = (_records.c.id, _records.c.data, _records.c.village)
        here = select(*columns).where(_records.c.city == self.city)
        for row in self.each(here, _records.c.id, sorted(names)):
            record = _read_record.decode(row.data)
            known.state.records[record.id] = record
            known.records[record.id] = row.data
            known.villages[record.id] = row.village
            follow.cases |= {*record.disputes.values(), *record.cases}
            follow.records |= {record.kept} - {b""}  # it may be parted from that one
        self._load_stuck(known, set(names) - known.state.records.keys(), follow)

    def _load_stuck(self, known: Loaded, names: Collection[bytes], follow: Needs) -> None:
        """Requests whose creation was refused or parked, so that they do not exist."""
        made = _entries.c.kind == "create"
        over = _entries.c.state.in_(("refused", "held", "rejected"))
        here = select(_entries.c.record, _entries.c.case_id).where(
            _entries.c.city == self.city, made, over
        )
        here = here.order_by(_entries.c.decided, _entries.c.log, _entries.c.seq)
        for row in self.each(here, _entries.c.record, sorted(names)):
            known.stuck[row.record] = row.case_id
            follow.cases |= {row.case_id} - {b""}

    def _load_waiting(self, known: Loaded, names: Collection[bytes], follow: Needs) -> None:
        """What waits for these requests, as whole transactions, and what those speak of."""
        here = select(_waiting).where(_waiting.c.city == self.city)
        by_log: dict[bytes, set[int]] = {}
        for row in self.each(here, _waiting.c.record, sorted(names)):
            known.waiting.setdefault(row.record, []).append((row.log, row.seq))
            known.queue.add((row.record, row.log, row.seq))
            by_log.setdefault(row.log, set()).add(row.seq)
        self._load_entries(known, by_log, follow)

    def _load_entries(self, known: Loaded, by_log: dict[bytes, set[int]], follow: Needs) -> None:
        """Entries that may be judged now, with the rest of their transactions."""
        self._load_logs(known, set(by_log), follow)
        for name, numbers in by_log.items():
            found = self._entries_at(known, name, numbers)
            others = {n for entry in found for n in _transaction(entry)}
            found += self._entries_at(known, name, others - numbers)
            also = needs(known.logs[name], found)
            _note(follow, also)
            follow.results |= {(name, entry.seq) for entry in found}

    def _entries_at(self, known: Loaded, log: bytes, numbers: Collection[int]) -> list[Entry]:
        numbers = [n for n in sorted(numbers) if (log, n) not in known.entries]
        here = select(_entries).where(_entries.c.city == self.city, _entries.c.log == log)
        found = []
        for row in self.each(here, _entries.c.seq, numbers):
            entry = Entry(row.seq, row.data, row.head)
            known.entries[log, row.seq] = entry
            if row.mark & POISONED:
                known.poisoned.add((log, row.seq))
            if row.mark & FORGED:
                known.forged.add((log, row.seq))
            found.append(entry)
        return found

    def _load_cases(
        self, known: Loaded, names: Collection[bytes], deciding: Collection[bytes], follow: Needs
    ) -> None:
        """Cases, what they offer, and the requests they are about; of those in `deciding` also the
        entries that wait under them."""
        here = select(_cases.c.id, _cases.c.data).where(_cases.c.city == self.city)
        parked: dict[bytes, set[int]] = {}
        for row in self.each(here, _cases.c.id, sorted(names)):
            case = _read_case.decode(row.data)
            known.state.cases[case.id] = case
            known.cases[case.id] = row.data
            follow.records |= {case.record, *case.others} - {b""}
            follow.results |= {(offer.log, offer.seq) for offer in case.offers}
            if case.id in deciding:
                for log, seq, _ in case.parked:
                    parked.setdefault(log, set()).add(seq)
        self._load_entries(known, parked, follow)

    def _load_results(self, known: Loaded, wanted: Collection[tuple[bytes, int]]) -> None:
        by_log: dict[bytes, list[int]] = {}
        for log, seq in sorted(wanted):
            by_log.setdefault(log, []).append(seq)
        for log, numbers in by_log.items():
            here = select(*RESULT).where(_entries.c.city == self.city, _entries.c.log == log)
            for row in self.each(here, _entries.c.seq, numbers):
                known.outcomes[log, row.seq] = known.results[log, row.seq] = read_result(row)

    def _load_made(self, known: Loaded, origins: Collection[tuple[bytes, int, bytes]]) -> None:
        """Which of these origins are decided here, by the number and the hash they name. One that
        waits does not count yet: whichever is decided first does."""
        by_log: dict[bytes, set[int]] = {}
        for log, seq, _ in origins:
            if 0 < seq <= NUMBER_MAX:
                by_log.setdefault(log, set()).add(seq)
        for log, numbers in by_log.items():
            here = select(_entries).where(_entries.c.city == self.city, _entries.c.log == log)
            here = here.where(_entries.c.state != "waiting")
            for row in self.each(here, _entries.c.seq, sorted(numbers)):
                entry = Entry(row.seq, row.data, row.head)
                known.made |= {
                    origin
                    for origin in origins
                    if origin[:2] == (log, entry.seq) and origin[2] == entry.digest[:8]
                }

    def remade(
        self, log: LogState, entries: list[Entry], *, late: bool
    ) -> set[tuple[bytes, int, bytes] | None]:
        """What was made again of the requests that these entries speak of. A laptop that writes its
        first log has made nothing again, unless a hole is in it: late entries, or such as name an
        origin."""
        if log.central:
            return set()
        mine = (_logs.c.city == self.city) & (_logs.c.device == log.device)
        names = [row.id for row in self.rows(select(_logs.c.id).where(mine))]
        speaking = [(entry, envelope(entry)) for entry in entries]
        again = late or any(c is not None and c.origin is not None for _, c in speaking)
        if len(names) < 2 and not again:
            return set()
        records = {record_of(log.id, e.seq, c, e.data) for e, c in speaking if c is not None}
        found = select(_entries.c.data).where(
            _entries.c.city == self.city,
            _entries.c.log.in_(names),
            _entries.c.kind.in_(("create", "edit")),
            _entries.c.state.not_in(("waiting", "refused")),
        )
        rows = self.each(found, _entries.c.record, sorted(records - {b""}))
        return {decode_change(row.data).origin for row in rows} - {None}

    def _load_codes(self, known: Loaded, codes: Iterable[tuple[int, int]]) -> None:
        """Who has these tracking codes. A request sent again from another log keeps the block of
        its first one, therefore every block at hand is asked for."""
        blocks = {block for block, _ in codes} | {log.block for log in known.logs.values()}
        here = select(_records.c.id, _records.c.block, _records.c.number).where(
            _records.c.city == self.city, _records.c.block.in_(sorted(blocks))
        )
        for row in self.each(here, _records.c.number, sorted({number for _, number in codes})):
            known.codes[row.block, row.number] = row.id


def read_result(row: Any) -> Result:
    """The outcome in a row with the columns of RESULT."""
    return Result(row.state, row.record, row.case_id, row.problem, row.part)


def _transaction(entry: Entry) -> range:
    """Numbers of the entries in the transaction that `entry` says it belongs to."""
    change = envelope(entry)
    if change is None or not 0 <= change.i < change.n <= 64:
        return range(entry.seq, entry.seq + 1)
    return range(entry.seq - change.i, entry.seq - change.i + change.n)


def _not_in(want: Needs, asked: Needs) -> Needs:
    return Needs(
        want.records - asked.records,
        want.cases - asked.cases,
        want.logs - asked.logs,
        want.results - asked.results,
        origins=want.origins - asked.origins,
    )


def _note(total: Needs, more: Needs) -> None:
    total.records |= more.records
    total.cases |= more.cases
    total.logs |= more.logs
    total.results |= more.results
    total.codes |= more.codes
    total.origins |= more.origins
