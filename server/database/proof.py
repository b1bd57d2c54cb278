"""Proof that nothing in the register was altered behind its back.

Three kinds of chain hold the past still: the trail of who did and looked at what, central's
decisions, and every laptop's log. Each chain value covers the one before it, and the newest values
stand apart from the rows; a changed, missing or added row shows at its number.

What people are shown, requests and cases, is made from the decisions. It is made again here, a page
of requests at a time, and compared, so that a request cannot be altered in its own row either.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import select

from models import audit
from server.database.audit import Audit, read_audit
from server.database.saving import promoted
from server.database.tables import (
    AuditRow,
    CaseRow,
    CounterRow,
    DecisionCellRow,
    DecisionRow,
    EntryRow,
    LogRow,
    RecordRow,
)
from server.database.work import table_of
from sync.known import facts, next_server_head
from sync.lineage import branch_head
from sync.logs import Entry, Open, broken_at, log_id, opening_head
from sync.pull import village_of
from sync.state import (
    Case,
    Closed,
    Created,
    Decision,
    Held,
    Opened,
    Parked,
    Placed,
    Proposed,
    Record,
    State,
)

STEP = 500
"""Rows read at a time."""

_audit = table_of(AuditRow)
_counters = table_of(CounterRow)
_decisions = table_of(DecisionRow)
_cells = table_of(DecisionCellRow)
_entries = table_of(EntryRow)
_logs = table_of(LogRow)
_records = table_of(RecordRow)
_cases = table_of(CaseRow)
_read_decision = msgspec.msgpack.Decoder(Decision)
_read_record = msgspec.msgpack.Decoder(Record)
_read_case = msgspec.msgpack.Decoder(Case)
_OF_CASES = (Opened, Held, Parked, Proposed, Closed)


class Broken(msgspec.Struct, frozen=True):
    """Where something does not hold. chain: "audit", "decisions", "log" (then `log` is its id), or
    what is made from the decisions: "request", "case" (then `log` is the id of that).

    number: of the first entry that does not fit, one after the last where the end is missing; for a
    request or case the number of the decision that made it, 0 where a row is missing.
    """

    chain: str
    number: int
    log: bytes = b""


class Verified(msgspec.Struct, frozen=True):
    """What was verified: how many of each, and where they do not hold."""

    audit: int
    decisions: int
    logs: int
    entries: int
    broken: tuple[Broken, ...]
    requests: int = 0
    cases: int = 0


class Proof(Audit):
    """Verifying."""

    def verify(self) -> Verified:
        """Check every chain from its beginning to its end, and what is made from the decisions."""
        counter = self.one(select(_counters).where(_counters.c.city == self.city))
        assert counter is not None
        logs = self.rows(select(_logs).where(_logs.c.city == self.city).order_by(_logs.c.id))
        fold = _Fold()
        decided = self._verify_decisions(counter, fold)
        broken = [self._verify_audit(counter), decided, *map(self._verify_log, logs)]
        if decided is None:  # else there is nothing to compare with
            broken += [*self._verify_cases(fold), *self._verify_requests(fold)]
        return Verified(
            counter.audit_n,
            fold.decisions,
            len(logs),
            sum(log.seq for log in logs),
            tuple(found for found in broken if found is not None),
            fold.created,
            len(fold.state.cases),
        )

    # -- chains

    def _verify_audit(self, counter: Any) -> Broken | None:
        trail = ((read_audit(row), row.link) for row in self._rows_from(_audit, _audit.c.n))
        start = audit.opening(self.city)
        fault = audit.verify(trail, start, counter.audit_n, counter.audit_head)
        return Broken("audit", fault.n) if fault is not None else None

    def _verify_decisions(self, counter: Any, fold: _Fold) -> Broken | None:
        head, number = self._branched(counter.opening, counter.base)
        for row in self._rows_from(_decisions, _decisions.c.server_seq):
            number += 1
            head = next_server_head(head, row.data)
            if (row.server_seq, row.head) != (number, head):
                return Broken("decisions", number)
            decision = _read_decision.decode(row.data)
            facts = (decision.server_seq, decision.at, decision.log, decision.first, decision.actor)
            if facts != (number, row.at, row.log, row.first, row.actor):
                return Broken("decisions", number)
            fold.take(decision)
            head, number = self._branched(head, number)
        whole = (number, head) == (counter.server_seq, counter.head)
        return None if whole else Broken("decisions", number + 1)

    def _branched(self, head: bytes, number: int) -> tuple[bytes, int]:
        """Where the chain goes on after `number`: elsewhere, if central was restored there."""
        for branch in self.lineage():
            if branch.number == number and head.startswith(branch.head):
                head, number = branch_head(head, branch.incarnation), branch.base
        return head, number

    def _verify_log(self, log: Any) -> Broken | None:
        head = opening_head(log.opening)
        if not _opens(log):
            return Broken("log", 0, log.id)
        last = Entry(0, log.opening, head)

        def read() -> Iterator[Entry]:
            nonlocal last
            for row in self._rows_from(_entries, _entries.c.seq, _entries.c.log == log.id):
                last = Entry(row.seq, row.data, row.head)
                yield last

        number = broken_at(log.id, head, read())
        if number is None and (last.seq, last.head) != (log.seq, log.head):
            number = last.seq + 1
        return None if number is None else Broken("log", number, log.id)

    # -- what is made from the decisions

    def _verify_cases(self, fold: _Fold) -> Iterator[Broken]:
        missing = set(fold.state.cases)
        for row in self._rows_from(_cases, _cases.c.id):
            missing.discard(row.id)
            case = fold.state.cases.get(row.id)
            if case is None or _read(_read_case, row.data) != case:
                yield Broken("case", row.opened, row.id)
            elif (row.kind, row.state, row.opened) != (case.kind, case.state, case.opened):
                yield Broken("case", case.opened, row.id)
        yield from (Broken("case", fold.state.cases[name].opened, name) for name in sorted(missing))

    def _verify_requests(self, fold: _Fold) -> Iterator[Broken]:
        found = 0
        page: list[Any] = []
        for row in self._rows_from(_records, _records.c.id):
            found += 1
            page.append(row)
            if len(page) == STEP:
                yield from self._verify_page(page)
                page = []
        yield from self._verify_page(page)
        if found != fold.created:
            yield Broken("request", 0)

    def _verify_page(self, page: list[Any]) -> Iterator[Broken]:
        """Make these requests again from their decisions, and compare row by row."""
        state, villages = State(), {}
        for decision in self._decisions_of([row.id for row in page]):
            for effect in decision.effects:
                state.apply(effect, decision)
                if isinstance(effect, Created):
                    villages[effect.record] = village_of(effect, decision)
                elif isinstance(effect, Placed):
                    villages[effect.record] = effect.village
        for row in page:
            record = state.records.get(row.id)
            if record is None or _read(_read_record, row.data) != record:
                yield Broken("request", row.created, row.id)
                continue
            columns = promoted(record, facts(record)) | {
                "village": villages[row.id],
                "device": record.device,
            }
            columns["created"] = record.created
            if any(getattr(row, name) != value for name, value in columns.items()):
                yield Broken("request", record.created, row.id)

    def _decisions_of(self, records: list[bytes]) -> Iterator[Decision]:
        if not records:
            return
        here = select(_cells.c.server_seq).where(_cells.c.city == self.city)
        numbers = {row.server_seq for row in self.each(here, _cells.c.cell, records)}
        found = select(_decisions.c.data).where(_decisions.c.city == self.city)
        found = found.order_by(_decisions.c.server_seq)
        for row in self.each(found, _decisions.c.server_seq, sorted(numbers)):
            yield _read_decision.decode(row.data)

    def _rows_from(self, table: Any, column: Any, *where: Any) -> Iterator[Any]:
        """Rows in the order of a column, a step at a time."""
        here = select(table).where(table.c.city == self.city, *where).order_by(column).limit(STEP)
        step = self.rows(here)
        while step:
            yield from step
            step = self.rows(here.where(column > getattr(step[-1], column.key)))


class _Fold:
    """What all decisions add up to, as far as it is small: the cases, and how many requests."""

    def __init__(self) -> None:
        self.state = State()
        self.created = 0
        self.decisions = 0

    def take(self, decision: Decision) -> None:
        self.decisions += 1
        for effect in decision.effects:
            self.created += isinstance(effect, Created)
            if isinstance(effect, _OF_CASES):
                self.state.apply(effect, decision)


def _opens(log: Any) -> bool:
    """Do the log's name and key stand in its opening?"""
    opening = _read(msgspec.msgpack.Decoder(Open), log.opening)
    return opening is not None and (log_id(opening.key), opening.key) == (log.id, log.key)


def _read(decoder: Any, data: bytes) -> Any:
    """What `data` says, None for bytes that say nothing."""
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
