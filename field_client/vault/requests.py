"""Requests as the desk asks for them: one, a list, a search. Each list line is told from the
snapshot and the own changes, and told again whenever either moves."""

from __future__ import annotations

import msgspec

from field_client.vault.engine import Connection, Engine, Row
from field_client.vault.listing import listing, search_query
from field_client.vault.picture import Picture, find_case, find_picture
from field_client.vault.refs import Ref, find_ref
from models.changes import RecordId
from sync.state import Case

LIST_MAX = 200


class Line(msgspec.Struct, frozen=True):
    """One request in a list.

    number: local, grows with time; pass the last one as `before` for the next page. own: made on
    this laptop. code: (block, number) of its tracking code. undecided: central has not answered all
    own changes; proposed: own values wait in a case. cases: open ones it is part of. unsent: part
    of it is on this laptop alone. outcome: of the newest own entry. at: when it was taken in here,
    Unix seconds (0 for one that came from central).
    """

    number: int
    record: bytes
    own: bool
    service: str
    status: str
    name: str
    nik: str
    kk: str
    village: str
    code: tuple[int, int] | None
    undecided: bool
    proposed: bool
    cases: int
    unsent: bool
    outcome: str
    at: int


_LINES = (
    "select r.number, r.record, r.own, r.service, r.status, r.name, r.nik, r.kk, r.village,"
    " r.block, r.code, r.undecided, r.proposed, r.cases, r.last > coalesce(l.stored, r.last),"
    " coalesce(e.state, ''), r.at from requests r left join logs l on l.id = r.log"
    " left join entries e on e.log = r.log and e.seq = r.last"
)


class Requests:
    """Questions about requests; nothing here writes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def picture(self, record: RecordId) -> Picture | None:
        """All that is known of one request, or None where it is not known here."""
        with self._engine.reading() as connection:
            return find_picture(connection, record)

    def line(self, record: RecordId) -> Line | None:
        """Its line in a list."""
        found = self._lines("where r.record = ?", record)
        return found[0] if found else None

    def newest(
        self,
        status: str = "",
        service: str = "",
        own: bool | None = None,
        before: int = 0,
        limit: int = LIST_MAX,
    ) -> list[Line]:
        """Newest first. At most one of `status` and `service` uses an index; the page is bounded
        anyway. before: `number` of the last line of the page before; 0 for the first page."""
        where: list[str] = ["r.number < ?"]
        values: list[object] = [before or 1 << 62]
        for column, value in (("status", status), ("service", service)):
            if value:
                where.append(f"r.{column} = ?")
                values.append(value)
        if own is not None:
            where.append("r.own = ?")
            values.append(int(own))
        values.append(max(1, min(limit, LIST_MAX)))
        return self._lines(f"where {' and '.join(where)} order by r.number desc limit ?", *values)

    def search(self, text: str, limit: int = 50) -> list[Line]:
        """By names: every word typed, the beginning of each is enough. Best matches first."""
        query = search_query(text)
        if not query:
            return []
        return self._lines(
            "join request_words w on w.rowid = r.number where request_words match ?"
            " order by w.rank limit ?",
            query, max(1, min(limit, LIST_MAX)),
        )  # fmt: skip

    def by_number(self, digits: str, limit: int = 50) -> list[Line]:
        """Requests in which this NIK or family-card number stands anywhere."""
        return self._lines(
            "join numbers n on n.request = r.number where n.digits = ?"
            " order by n.request desc limit ?",
            digits, limit,
        )  # fmt: skip

    def by_code(self, block: int, number: int) -> list[Line]:
        """Requests with this tracking code; more than one is a collision for the office."""
        return self._lines("where r.code = ? and r.block = ?", number, block)

    def by_ref(self, ref: str) -> Ref | None:
        """What a queued row was answered, or None if it was never taken."""
        with self._engine.reading() as connection:
            return find_ref(connection, ref)

    def case(self, case: bytes) -> Case | None:
        """A case as far as it is visible here."""
        with self._engine.reading() as connection:
            return find_case(connection, case)

    def _lines(self, rest: str, *values: object) -> list[Line]:
        return [_line(row) for row in self._engine.read(f"{_LINES} {rest}", *values)]


def _line(row: Row) -> Line:
    number, record, own, service, status, name, nik, kk, village, *rest = row
    block, code, undecided, proposed, cases, unsent, outcome, at = rest
    return Line(
        number=number,
        record=record,
        own=bool(own),
        service=service,
        status=status,
        name=name,
        nik=nik,
        kk=kk,
        village=village,
        code=None if code is None else (block, code),
        undecided=bool(undecided),
        proposed=bool(proposed),
        cases=cases,
        unsent=bool(unsent),
        outcome=outcome,
        at=at,
    )


def unlist(connection: Connection, record: bytes) -> None:
    """Take a request off the lists: it left, or is read again."""
    row = connection.execute("select number from requests where record = ?", (record,)).fetchone()
    if row is not None:
        connection.execute("delete from numbers where request = ?", row)
        connection.execute("delete from request_words where rowid = ?", row)
        connection.execute("delete from requests where number = ?", row)


def list_again(connection: Connection, record: RecordId) -> None:
    """Write the list line, the numbers and the search words of a request as it now stands."""
    picture = find_picture(connection, record)
    if picture is None:
        return
    seen, line = picture.view, listing(picture.view)
    block, code = picture.code or (None, None)
    first, last = (picture.own[0], picture.own[-1]) if picture.own else (None, None)
    (number,) = connection.execute(
        "insert into requests (record, own, service, status, name, nik, kk, village, block, code,"
        " log, last, undecided, proposed, cases, at)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " on conflict (record) do update set status = excluded.status, name = excluded.name,"
        " nik = excluded.nik, kk = excluded.kk, village = excluded.village, block = excluded.block,"
        " code = excluded.code, log = excluded.log, last = excluded.last,"
        " undecided = excluded.undecided, proposed = excluded.proposed, cases = excluded.cases"
        " returning number",
        (
            record,
            first is not None and first.change.kind == "create",
            seen.service,
            seen.status,
            line.name,
            line.nik,
            line.kk,
            line.village,
            block,
            code,
            last.log if last else b"",
            last.seq if last else 0,
            bool(seen.unsent),
            bool(seen.proposed),
            len(picture.cases),
            first.change.at if first is not None else 0,
        ),
    ).fetchone()
    _write_words(connection, number, line.words, line.numbers)


def _write_words(connection: Connection, number: int, words: str, numbers: tuple[str, ...]) -> None:
    connection.execute("delete from numbers where request = ?", (number,))
    connection.executemany(
        "insert into numbers (digits, request) values (?, ?)", [(one, number) for one in numbers]
    )
    connection.execute(
        "insert or replace into request_words (rowid, words) values (?, ?)", (number, words)
    )
