"""Lists and look-ups for people: requests, cases, histories, and single entries as evidence.

Lists are in the order of arrival and paged by key: `after` is the id of the last line seen, so that
a page costs the same however long the list is, and nothing is shown twice while new things arrive.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    exists,
    false,
    func,
    select,
    tuple_,
    union_all,
)

from models import names
from models.regions import villages_of
from server.database.desk_tables import ClaimRow
from server.database.loading import read_result
from server.database.matching import COMPARING
from server.database.pulling import Pulling
from server.database.report_tables import MilestoneRow
from server.database.tables import (
    CaseRecordRow,
    CaseRow,
    ConfirmationRow,
    DecisionCellRow,
    DecisionRow,
    EntryRow,
    RecordNameRow,
    RecordRow,
    WaitingRow,
)
from server.database.work import table_of
from sync.known import Result
from sync.state import Case, Decision, Record

PAGE_MAX = 500
HISTORY_MAX = 10_000
NIK_DIGITS = 16
BEGINNING_LEAST = 3
WORDS_MAX = 50
"""Different words that are looked up for one beginning; of more, all who bear them are sorted."""
RUNNING = "running"
"""Figure of the clocks that run (server.figures)."""
NUMBER_MAX = 1 << 62
"""Of a number that is asked for: SQLite cannot even be asked for one of more than 64 bits."""
LAST = b"\xff"
"""Behind every byte of UTF-8."""

_records = table_of(RecordRow)
_names = table_of(RecordNameRow)
_claims = table_of(ClaimRow)
_cases = table_of(CaseRow)
_case_records = table_of(CaseRecordRow)
_confirmations = table_of(ConfirmationRow)
_decisions = table_of(DecisionRow)
_cells = table_of(DecisionCellRow)
_entries = table_of(EntryRow)
_waiting = table_of(WaitingRow)
_milestones = table_of(MilestoneRow)
_read_record = msgspec.msgpack.Decoder(Record)
_read_case = msgspec.msgpack.Decoder(Case)
_read_decision = msgspec.msgpack.Decoder(Decision)


def askable(number: int) -> int:
    """A number as it may stand in a statement: nothing has one that is larger than the most."""
    return max(-1, min(number, NUMBER_MAX))


class RequestLine(msgspec.Struct, frozen=True):
    """A request in a list. block, number: its tracking code, None after a collision. kept: the
    request it was joined to. cases: how many are open. created, changed: numbers of decisions."""

    id: bytes
    service: str
    edition: int
    status: str
    village: str
    device: bytes
    block: int | None
    number: int | None
    name: str
    nik: str
    kept: bytes
    cases: int
    created: int
    created_at: int
    changed: int
    changed_at: int


class Confirmation(msgspec.Struct, frozen=True):
    """A step of the lifecycle that waits for its second person. source: the status it leads from;
    by: who asked for it; at: Unix seconds."""

    action: str
    source: str
    reason: str
    by: str
    at: int


class StoredEntry(msgspec.Struct, frozen=True):
    """One entry of a log as evidence: its signed bytes, its chain value, when central received it,
    and its outcome with the number of the decision (0 while it waits)."""

    log: bytes
    seq: int
    data: bytes
    head: bytes
    received_at: int
    result: Result
    decided: int


class Counts(msgspec.Struct, frozen=True):
    """How much there is: requests by status, open cases by kind, entries that wait."""

    requests: dict[str, int]
    cases: dict[str, int]
    waiting: int


class Lists(Pulling):
    """What people at central look at."""

    # -- requests

    def requests(
        self,
        *,
        status: str | Collection[str] = (),
        service: str = "",
        village: str = "",
        text: str = "",
        with_cases: bool | None = None,
        areas: Collection[str] = (),
        due_before: str = "",
        due_after: tuple[str, bytes] | None = None,
        claimed: bool | None = None,
        by: str = "",
        at: int = 0,
        newest: bool = False,
        after: bytes | None = None,
        limit: int = 50,
    ) -> list[RequestLine]:
        """Requests in the order they arrived, or the newest first. text: 16 digits look for a NIK
        of the subject, anything else for words that words of the subject's name begin with.
        with_cases: with open cases, or without. village: of one, or of a district; areas: of any of
        these. claimed: by somebody (`by`: by whom) at the time `at`, or by nobody. due_before: only
        those whose clocks run and are due before that moment (as milestones have it), by when they
        are due; due_after: (moment, id) of the last line seen, instead of `after`."""
        found = select(_records).where(_records.c.city == self.city)
        if status:
            wanted = [status] if isinstance(status, str) else sorted(status)
            found = found.where(_records.c.status.in_(wanted))
        if service:
            found = found.where(_records.c.service == service)
        if village:
            found = found.where(inside([village]))
        if areas:
            found = found.where(inside(areas))
        if claimed:
            found = found.where(_records.c.id.in_(_claimed(self.city, at, by)))
        elif claimed is not None:
            here = _claimed(self.city, at).where(_claims.c.record == _records.c.id)
            found = found.where(~here.exists())
        if with_cases is not None:
            found = found.where(_records.c.cases > 0 if with_cases else _records.c.cases == 0)
        if len(text) == NIK_DIGITS and text.isdigit():
            found = found.where(_records.c.nik == text)
        elif text:
            asked = (status, service, village, areas, due_before, after)
            alone = newest and claimed is None and with_cases is None and not any(asked)
            words = sorted(names.search_words(text), key=len, reverse=True) or [""]
            named = self._newest_named(words, limit) if alone else None
            if named is None:
                named = _named(self.city, _begins(_names, words[0]), words[1:])
            found = found.where(_records.c.id.in_(named))
        if due_before:
            found = _due(found, self.city, due_before, due_after, newest=newest)
            places: tuple[Collection[str], ...] = ([village] if village else (), areas)
            for codes in filter(None, places):
                found = found.where(_milestones.c.village.in_(_villages(codes)))
            if service:
                found = found.where(_milestones.c.service == service)
            return [_line(row) for row in self.rows(found.limit(max(1, min(limit, PAGE_MAX))))]
        # Few are asked for by name or claim: to look those up and sort them is quicker than to walk
        # all requests in their order, which is what SQLite would take a plain column for.
        few = bool(text or claimed)
        order = _records.c.created + 0 if few else _records.c.created
        found = self._paged(found, _records, order, after, limit, newest=newest)
        return [_line(row) for row in self.rows(found)]

    def _newest_named(self, words: Sequence[str], limit: int) -> Select[Any] | None:
        """The newest of `_named`, read word by word from the end of the index: as quick however
        many bear a name. None where names have too many words that begin so."""
        whole = self._words_from(words[0])
        if not 0 < len(whole) <= WORDS_MAX:
            return None
        last = (_names.c.created.desc(), _names.c.record.desc())
        named = (_named(self.city, _names.c.word == word, words[1:]) for word in whole)
        each = (one.add_columns(_names.c.created).order_by(*last).limit(limit) for one in named)
        found = union_all(*(select(one.subquery()) for one in each)).subquery()
        last = (found.c.created.desc(), found.c.record.desc())
        distinct = select(found.c.record).group_by(found.c.record, found.c.created)
        return distinct.order_by(*last).limit(limit)

    def _words_from(self, beginning: str) -> list[bytes]:
        """Different words of names that begin so, one more than WORDS_MAX at most: each is looked
        up behind the one before, past all who bear it. By the index's order, not as a minimum:
        PostgreSQL knows none of bytes before 18."""
        here = _names.alias()
        begins = (here.c.city == self.city) & _begins(here, beginning)
        words_on = select(here.c.word).where(begins).order_by(here.c.word).limit(1)
        first = select(words_on.scalar_subquery().label("word")).cte(recursive=True)
        following = words_on.where(here.c.word > first.c.word).scalar_subquery()
        words = first.union_all(select(following).where(first.c.word.is_not(None)))
        found = select(words.c.word).where(words.c.word.is_not(None)).limit(WORDS_MAX + 1)
        return [row.word for row in self.rows(found)]

    def request_line(self, record: bytes) -> RequestLine | None:
        """The line of one request."""
        here = (_records.c.city == self.city) & (_records.c.id == record)
        row = self.one(select(_records).where(here))
        return _line(row) if row is not None else None

    def request_lines(self, records: Collection[bytes]) -> dict[bytes, RequestLine]:
        """Lines of several requests."""
        found = select(_records).where(_records.c.city == self.city)
        rows = self.each(found, _records.c.id, sorted(records))
        return {row.id: _line(row) for row in rows}

    def record_by_code(self, block: int, number: int) -> bytes | None:
        """Id of the request with this tracking code."""
        here = (_records.c.city == self.city) & (_records.c.block == block)
        found: bytes | None = self.value(
            select(_records.c.id).where(here, _records.c.number == number)
        )
        return found

    def record_ids(self, beginning: str) -> list[bytes]:
        """Ids of requests that begin with these hexadecimal digits, two at most."""
        return self._ids(_records, beginning)

    def case_ids(self, beginning: str) -> list[bytes]:
        """Ids of cases that begin with these hexadecimal digits, two at most."""
        return self._ids(_cases, beginning)

    def _ids(self, table: Table, beginning: str) -> list[bytes]:
        first, last = (bytes.fromhex(beginning.ljust(32, digit)) for digit in "0f")
        here = (table.c.city == self.city) & table.c.id.between(first, last)
        return [row.id for row in self.rows(select(table.c.id).where(here).limit(2))]

    def record(self, record: bytes) -> Record | None:
        """A request as it stands."""
        here = (_records.c.city == self.city) & (_records.c.id == record)
        data = self.value(select(_records.c.data).where(here))
        return _read_record.decode(data) if data is not None else None

    def history(self, record: bytes) -> list[Decision]:
        """Every decision that concerns a request, oldest first."""
        here = (_cells.c.city == self.city) & (_cells.c.cell == record)
        numbers = select(_cells.c.server_seq).where(here)
        found = select(_decisions.c.data).where(
            _decisions.c.city == self.city, _decisions.c.server_seq.in_(numbers)
        )
        rows = self.rows(found.order_by(_decisions.c.server_seq).limit(HISTORY_MAX))
        return [_read_decision.decode(row.data) for row in rows]

    def histories(self, records: Collection[bytes]) -> dict[bytes, list[Decision]]:
        """`history` of several requests, for what a page of a list says of each."""
        here = (_cells.c.city == self.city) & (_decisions.c.city == self.city)
        joined = _cells.join(_decisions, _cells.c.server_seq == _decisions.c.server_seq)
        found = select(_cells.c.cell, _cells.c.server_seq, _decisions.c.data)
        rows = self.each(found.select_from(joined).where(here), _cells.c.cell, sorted(records))
        read: dict[int, Decision] = {}
        by_record: dict[bytes, list[Decision]] = {record: [] for record in records}
        for row in sorted(rows, key=lambda row: row.server_seq):
            if row.server_seq not in read:
                read[row.server_seq] = _read_decision.decode(row.data)
            by_record[row.cell].append(read[row.server_seq])
        return by_record

    # -- four eyes

    def confirmation(self, record: bytes) -> Confirmation | None:
        """The step of a request that waits for its second person."""
        here = (_confirmations.c.city == self.city) & (_confirmations.c.record == record)
        row = self.one(select(_confirmations).where(here))
        return _confirmation(row) if row is not None else None

    def confirmations(
        self, limit: int = PAGE_MAX, *, areas: Collection[str] = ()
    ) -> dict[bytes, Confirmation]:
        """Steps of requests that wait for their second person, the longest first. areas: of
        requests of these alone."""
        here = select(_confirmations).where(_confirmations.c.city == self.city)
        if areas:
            here = here.where(_village(_confirmations).in_(_villages(areas)))
        order = (_confirmations.c.at, _confirmations.c.record)
        rows = self.rows(here.order_by(*order).limit(limit))
        return {row.record: _confirmation(row) for row in rows}

    def keep_confirmation(self, record: bytes, step: Confirmation) -> None:
        """A step waits from now on; it takes the place of another one."""
        self.drop_confirmation(record)
        self.insert(_confirmations, [msgspec.structs.asdict(step) | {"record": record}])

    def drop_confirmation(self, record: bytes) -> None:
        """Nothing waits any more."""
        self.delete(_confirmations, ["record"], [{"record": record}])

    # -- cases

    def cases(
        self,
        *,
        state: str | None = "open",
        kind: str | None = None,
        areas: Collection[str] = (),
        after: bytes | None = None,
        limit: int = 50,
    ) -> list[Case]:
        """Cases in the order they were opened. state: open, proposed, closed, or None for all.
        areas: about a request of one of these; of those that put requests side by side, such that
        are about nothing else."""
        found = select(_cases).where(_cases.c.city == self.city)
        if state:
            found = found.where(_cases.c.state == state)
        if kind:
            found = found.where(_cases.c.kind == kind)
        found = self._paged(self._near(found, areas), _cases, _cases.c.opened, after, limit)
        return [_read_case.decode(row.data) for row in self.rows(found)]

    def case_counts(self, *, areas: Collection[str] = ()) -> dict[tuple[str, str], int]:
        """How many cases wait, by (kind, state). areas: as of `cases`."""
        here = (_cases.c.city == self.city) & _cases.c.state.in_(("open", "proposed"))
        columns = (_cases.c.kind, _cases.c.state)
        found = self._near(select(*columns, func.count()).where(here), areas)
        return {(row[0], row[1]): row[2] for row in self.rows(found.group_by(*columns))}

    def _near(self, found: Select[Any], areas: Collection[str]) -> Select[Any]:
        """Those about a request of these areas; see `cases`."""
        if not areas:
            return found
        about = (_case_records.c.city == self.city) & (_case_records.c.case_id == _cases.c.id)
        within = _village(_case_records).in_(_villages(areas))
        alone = ~elsewhere(_case_records, about, areas)
        found = found.where(_any(_case_records, about, within))
        return found.where(_cases.c.kind.not_in(COMPARING) | alone)

    def case(self, case: bytes) -> Case | None:
        """A case as it stands."""
        here = (_cases.c.city == self.city) & (_cases.c.id == case)
        data = self.value(select(_cases.c.data).where(here))
        return _read_case.decode(data) if data is not None else None

    # -- evidence

    def entry(self, log: bytes, seq: int) -> StoredEntry | None:
        """One stored entry."""
        here = (_entries.c.city == self.city) & (_entries.c.log == log)
        row = self.one(select(_entries).where(here, _entries.c.seq == seq))
        return _stored(row) if row is not None else None

    def decision(self, server_seq: int) -> Decision | None:
        """The decision with this number."""
        here = (_decisions.c.city == self.city) & (_decisions.c.server_seq == server_seq)
        data = self.value(select(_decisions.c.data).where(here))
        return _read_decision.decode(data) if data is not None else None

    def moment(self, server_seq: int) -> int | None:
        """When the newest decision up to this number was made: a lower bound for the time of a
        change that had seen it. None before the first decision."""
        here = (_decisions.c.city == self.city) & (_decisions.c.server_seq <= server_seq)
        newest = select(_decisions.c.at).where(here)
        at: int | None = self.value(newest.order_by(_decisions.c.server_seq.desc()).limit(1))
        return at

    def waiting(self, limit: int = HISTORY_MAX) -> list[tuple[bytes, bytes, int]]:
        """(record, log, seq) of what waits, to be judged again after an upgrade."""
        here = select(_waiting).where(_waiting.c.city == self.city)
        order = (_waiting.c.log, _waiting.c.seq, _waiting.c.record)
        return [(r.record, r.log, r.seq) for r in self.rows(here.order_by(*order).limit(limit))]

    def counts(self) -> Counts:
        """How much there is."""
        requests = self._count(_records, _records.c.status, _records.c.city == self.city)
        is_open = (_cases.c.city == self.city) & (_cases.c.state != "closed")
        here = _waiting.c.city == self.city
        entries = select(_waiting.c.log, _waiting.c.seq).where(here).distinct().subquery()
        waiting = self.value(select(func.count()).select_from(entries))
        return Counts(requests, self._count(_cases, _cases.c.kind, is_open), waiting)

    def _paged(
        self,
        found: Select[Any],
        table: Table,
        order: Any,
        after: bytes | None,
        limit: int,
        *,
        newest: bool = False,
    ) -> Select[Any]:
        """In order, from behind the row with the id `after` on."""
        if after is not None:
            here = (table.c.city == self.city) & (table.c.id == after)
            place = self.value(select(order).where(here))
            last = tuple_(order, table.c.id)
            start = (place if place is not None else 0, after)
            found = found.where(last < start if newest else last > start)
        keys = (order.desc(), table.c.id.desc()) if newest else (order, table.c.id)
        return found.order_by(*keys).limit(max(1, min(limit, PAGE_MAX)))

    def _count(self, table: Table, column: Any, here: Any) -> dict[str, int]:
        rows = self.rows(
            select(column, func.count()).select_from(table).where(here).group_by(column)
        )
        return {row[0]: row[1] for row in rows}


def inside(areas: Collection[str]) -> ColumnElement[bool]:
    """Requests of these villages, and of the villages of these districts."""
    return _records.c.village.in_(_villages(areas))


def elsewhere(
    members: Table, here: ColumnElement[bool], areas: Collection[str]
) -> ColumnElement[bool]:
    """Whether one of these rows of `members` is about a request of none of these villages and
    districts. members: a table with `city` and `record`."""
    return _any(members, here, _village(members).not_in(_villages(areas)))


def _any(members: Table, *these: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists(select(members.c.record).where(*these))


def _village(members: Table) -> ColumnElement[str]:
    """Of the request of a row. Looked up, not joined: SQLite would begin with every request of the
    villages, once for each case."""
    same = (_records.c.city == members.c.city) & (_records.c.id == members.c.record)
    return select(_records.c.village).where(same).scalar_subquery()


def _villages(areas: Collection[str]) -> list[str]:
    return sorted({*areas, *(one.code for area in areas for one in villages_of(area))})


def _named(city: str, first: ColumnElement[bool], others: Sequence[str]) -> Select[Any]:
    """Requests with such a word in the name, of whom each of the others begins a word too: `first`
    is looked up, the others among what it finds."""
    found = select(_names.c.record).where(_names.c.city == city, first)
    for one in others:
        more = _names.alias()
        same = (more.c.city == city) & (more.c.record == _names.c.record)
        found = found.where(select(more.c.record).where(same, _begins(more, one)).exists())
    return found


def _begins(table: Any, word: str) -> ColumnElement[bool]:
    """Words of names that begin so; a short one has to be the whole word, none is in no name."""
    start = word.encode()
    if len(word) < BEGINNING_LEAST:
        return table.c.word == start if word else false()
    return and_(table.c.word >= start, table.c.word < start + LAST)


def _due(
    found: Select[Any], city: str, before: str, after: tuple[str, bytes] | None, *, newest: bool
) -> Select[Any]:
    """Those of the requests whose clocks run and are due before that moment, by when they are."""
    m = _milestones.c  # whoever asks for a place or service asks it of these too: few are looked up
    found = found.join(_milestones, (m.city == _records.c.city) & (m.record == _records.c.id))
    found = found.where(m.city == city, m.figure == RUNNING, m.day < before)
    place = tuple_(m.day, m.record)
    if after is not None:
        found = found.where(place < after if newest else place > after)
    keys = (m.day.desc(), m.record.desc()) if newest else (m.day, m.record)
    return found.order_by(*keys)


def _claimed(city: str, at: int, by: str = "") -> Select[Any]:
    """Requests that somebody has at that time; by: this one, else whoever it is."""
    taken = select(_claims.c.record).where(_claims.c.city == city, _claims.c.until > at)
    return taken.where(_claims.c.login == by) if by else taken


def _line(row: Any) -> RequestLine:
    return msgspec.convert(row, RequestLine, from_attributes=True)


def _confirmation(row: Any) -> Confirmation:
    return msgspec.convert(row, Confirmation, from_attributes=True)


def _stored(row: Any) -> StoredEntry:
    return StoredEntry(
        row.log, row.seq, row.data, row.head, row.received_at, read_result(row), row.decided
    )
