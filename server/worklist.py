"""Worklist: what is waiting, who has taken what, and the lists that people keep.

A claim is soft: it says to colleagues that somebody is at it, and ends by itself. It decides
nothing; two people who decide the same request all the same are told apart by what each had seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from models import clock, lifecycle
from models.clock import Clock
from models.ids import Code
from models.people import Act, Role, may, require
from models.problems import Problem
from server.auth import areas, of_area, require_request, roles, sees
from server.casework import Casework
from server.clocks import clocks, turns
from server.database.desk import Claim
from server.database.lists import RequestLine as Row
from server.database.people import Person
from server.database.registry import Door, Registry
from server.database.reports import ReportMark
from server.figures import moment_of
from server.finding import find_record
from server.sheets import RequestLine, RequestSheet, line
from server.turns import promised

CLAIM_SECONDS = 600
ASSIGNED_SECONDS = 8 * 3600
ASSIGN_MAX = 5000
FILTERS_MAX = 30
NAME_MAX = 60
PAGE_MAX = 200
EXPORT_MAX = 20_000
FOUND_MAX = 20
SEARCH_MAX = 80
LISTED_AT_ONCE = 500
_S = lifecycle.Status
QUEUES: dict[Role, tuple[lifecycle.Status, ...]] = {
    Role.VERIFIER: (_S.RECEIVED, _S.IN_VERIFICATION),
    Role.SUPERVISOR: (_S.RECEIVED, _S.IN_VERIFICATION),
    Role.SIAK_OPERATOR: (_S.VERIFIED, _S.IN_BATCH, _S.WAITING_CENTRE),
    Role.REGISTRAR: (_S.IN_SIAK,),
    Role.PRINTER: (_S.PRINT_READY,),
    Role.COURIER: (_S.PRINTED,),
    Role.OPERATOR: (_S.NEEDS_CORRECTION, _S.READY_FOR_HANDOVER),
}
"""What waits for whom."""


class Queue(msgspec.Struct, frozen=True):
    """What waits in one status. oldest_at: when the oldest arrived, Unix seconds, 0 for none. late:
    for how many the promised time is over, by the clock that each request shows."""

    status: str
    n: int
    oldest_at: int
    late: int = 0


class Held(msgspec.Struct, frozen=True):
    """Who has a request, by name, and until when (Unix seconds). mine: the one who asks."""

    who: str
    until: int
    mine: bool


class WorkLine(msgspec.Struct, frozen=True):
    """A request in a list, who has it, and how it stands to its promise (where that was asked)."""

    request: RequestLine
    held: Held | None
    clock: Clock | None = None


class Colleague(msgspec.Struct, frozen=True):
    """Somebody who can be given requests."""

    login: str
    name: str


class Taken(msgspec.Struct, frozen=True):
    """The next request, opened, and until when it is mine. request: None when nothing waits."""

    request: RequestSheet | None
    until: int = 0


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a list shows; empty for everything. village: of a village or district. cases: "with" or
    "without" open cases. held: "mine", "taken" by anybody, "free". age: "late" for what is over its
    promise, in the order in which it became so. order: "newest" first."""

    status: str = ""
    service: str = ""
    village: str = ""
    cases: str = ""
    held: str = ""
    age: str = ""
    order: str = ""


class SavedFilter(msgspec.Struct, frozen=True):
    """A list under the name somebody gave it."""

    name: str
    filter: Filter


class Worklist:
    """The desk of somebody at central."""

    def __init__(self, registry: Registry, casework: Casework, clock: Callable[[], int]) -> None:
        self.registry = registry
        self.casework = casework
        self.clock = clock

    # -- queues

    def queues(self, me: Person) -> list[Queue]:
        """What waits for this person's roles."""
        require(roles(me), Act.LIST_REQUESTS)
        wanted = dict.fromkeys(
            status for role in roles(me) for status in QUEUES.get(Role(role), ())
        )
        mine, statuses = areas(me), [str(status) for status in wanted]
        found = []
        with self.registry.read() as door:
            late = door.overdue(statuses, self._due_before(), areas=mine)
            for status in statuses:
                n, oldest = door.waiting_in(status, areas=mine)
                found.append(Queue(status, n, oldest, late.get(status, 0)))
        return found

    def behind(self) -> ReportMark | None:
        """Up to which decision it is known what is late; None where that is the newest."""
        with self.registry.read() as door:
            mark, upto = door.report_mark(), door.standing().server_seq
        return mark if mark.upto < upto else None

    def _due_before(self) -> str:
        """What is due before this moment is late."""
        return moment_of(clock.left_at(self.casework.calendar, self.clock(), 0))

    def _was_due(self, door: Door, record: bytes) -> tuple[str, bytes]:
        """Where a request stands among what is late, even if it has left it since."""
        row = door.request_line(record)
        seconds = promised(row.service, row.edition) if row is not None else 0
        due = clock.due_of(turns(door.history(record), record), seconds, self.casework.calendar)
        return moment_of(due), record

    def next(self, me: Person, *, service: str = "", village: str = "", lang: str = "id") -> Taken:
        """The next request to verify: what is mine already, else the oldest that nobody has. It is
        mine for ten minutes from now on."""
        require(roles(me), Act.RESOLVE_CASE)
        with self.registry.write() as door:
            found = self._mine(door, me, service, village) or door.next_unclaimed(
                [str(status) for status in QUEUES[Role.VERIFIER]],
                self.clock(),
                service=service,
                village=village,
                areas=areas(me),
            )
            if found is None:
                return Taken(None)
            until = self._take(door, me, found, CLAIM_SECONDS)
            return Taken(self.casework.request(me, found.hex(), lang), until)

    def _mine(self, door: Door, me: Person, service: str, village: str) -> bytes | None:
        for claim in door.claims_of(me.login, self.clock()):
            row = door.request_line(claim.record)
            if row is None or row.status not in QUEUES[Role.VERIFIER]:
                continue
            if not sees(me, row.village):
                continue  # it moved away, or I did: it is no longer mine to open
            if service in ("", row.service) and village in ("", row.village):
                return claim.record
        return None

    # -- claims

    def claim(self, me: Person, name: str, *, take_over: bool = False) -> Held:
        """This request is mine for ten minutes. Problem claim.taken while somebody else has it;
        take_over takes it from them, which the trail says."""
        require(roles(me), Act.READ_REQUEST)
        with self.registry.write() as door:
            record = find_record(door, name)
            require_request(door, me, record.id)
            held = self._held(door, me, [record.id]).get(record.id)
            if held is not None and not held.mine:
                if not take_over:
                    raise Problem("claim.taken", who=held.who)
                self._note(door, me, "claim.take_over", record.id.hex())
            until = self._take(door, me, record.id, CLAIM_SECONDS)
            return Held(me.name, until, True)

    def release(self, me: Person, name: str) -> None:
        """It is mine no more. What is somebody else's stays so."""
        require(roles(me), Act.READ_REQUEST)
        with self.registry.write() as door:
            record = find_record(door, name)
            claim = door.claim(record.id)
            if claim is not None and claim.login == me.login:
                door.drop_claims([record.id])

    def assign(self, me: Person, names: Sequence[str], login: str) -> int:
        """These requests (by id) are that colleague's for the working day: all or none."""
        require(roles(me), Act.APPROVE_CASE)
        if not 1 <= len(names) <= ASSIGN_MAX:
            raise Problem("work.too_many", limit=ASSIGN_MAX, n=len(names))
        records = [_id(name) for name in dict.fromkeys(names)]
        with self.registry.write() as door:
            known = door.known_requests(records, areas(me))
            missing = [record for record in records if record not in known]
            if missing:
                raise Problem("request.unknown", code=missing[0].hex()[:8])
            self._give(door, me, records, login)
        return len(records)

    def assign_all(self, me: Person, wanted: Filter, login: str) -> int:
        """Everything that a list shows is that colleague's for the working day, 5,000 at most: all
        of it or nothing."""
        require(roles(me), Act.APPROVE_CASE)
        with self.registry.write() as door:
            records: list[bytes] = []
            for row in self._each(door, me, wanted):
                records.append(row.id)
                if len(records) > ASSIGN_MAX:
                    raise Problem("work.too_many", limit=ASSIGN_MAX, n=len(records))
            if records:
                self._give(door, me, records, login)
        return len(records)

    def colleagues(self, me: Person) -> list[Colleague]:
        """Whom requests can be given to, by name."""
        require(roles(me), Act.APPROVE_CASE)
        with self.registry.read() as door:
            fit = [p for p in door.people() if p.active and may(roles(p), Act.RESOLVE_CASE)]
        return sorted((Colleague(p.login, p.name) for p in fit), key=lambda one: one.name)

    def _give(self, door: Door, me: Person, records: Sequence[bytes], login: str) -> None:
        """Problems person.unknown, and claim.not_theirs for who could not work on all of them: what
        they hold nobody else is handed."""
        person = door.person(login)
        if person is None or not person.active:
            raise Problem("person.unknown", login=login)
        if not may(roles(person), Act.RESOLVE_CASE):
            raise Problem("claim.not_theirs", who=person.name)
        if len(of_area(door, person, records)) < len(set(records)):
            raise Problem("claim.not_theirs", who=person.name)
        until = self.clock() + ASSIGNED_SECONDS
        door.keep_claims([Claim(record, login, until) for record in records])
        self._note(door, me, "claim.assign", login, n=len(records))

    def _take(self, door: Door, me: Person, record: bytes, seconds: int) -> int:
        before = door.claim(record)
        until = self.clock() + seconds
        if before is not None and before.login == me.login:
            until = max(until, before.until)
        door.keep_claims([Claim(record, me.login, until)])
        return until

    def _held(self, door: Door, me: Person, records: Sequence[bytes]) -> dict[bytes, Held]:
        claims = door.claims(records, self.clock())
        people = {person.login: person.name for person in door.people()} if claims else {}
        return {
            record: Held(people.get(c.login, c.login), c.until, c.login == me.login)
            for record, c in claims.items()
        }

    # -- lists

    def lines(
        self, me: Person, wanted: Filter, *, after: str = "", limit: int = 50, clocked: bool = False
    ) -> list[WorkLine]:
        """Requests by arrival, what is late by when it was due, with who has them; `after`: id of
        the last line of the page before. A page costs the same at the end of the list as at its
        beginning. clocked: with how each stands to its promise."""
        require(roles(me), Act.LIST_REQUESTS)
        start = _id(after) if after else None
        with self.registry.write() as door:
            found = self._rows(door, me, wanted, start, max(1, min(limit, PAGE_MAX)))
            self._note(door, me, str(Act.LIST_REQUESTS), "", n=len(found))
            return self._lines(door, me, found, clocked=clocked)

    def mine(self, me: Person) -> list[WorkLine]:
        """What I have taken or was given, the one that ends first first."""
        require(roles(me), Act.LIST_REQUESTS)
        with self.registry.read() as door:
            claims = door.claims_of(me.login, self.clock())
            names = of_area(door, me, (one.record for one in claims))[:PAGE_MAX]
            known = door.request_lines(names)
            rows = [known[name] for name in names if name in known]
            lines = self._lines(door, me, rows, clocked=True)
        if lines:
            with self.registry.write() as door:
                self._note(door, me, str(Act.LIST_REQUESTS), "", n=len(lines))
        return lines

    def search(self, me: Person, text: str) -> list[WorkLine]:
        """Requests of somebody who is on the telephone: by tracking code, NIK or name. What was
        asked for may name a citizen, so the trail says only that something was."""
        require(roles(me), Act.LIST_REQUESTS)
        text = text.strip()
        if not 2 <= len(text) <= SEARCH_MAX:
            raise Problem("work.search", limit=SEARCH_MAX)
        with self.registry.write() as door:
            found = _by_code(door, text)
            if not found:
                digits = "".join(text.split())
                asked = digits if digits.isdigit() else text
                found = door.requests(text=asked, areas=areas(me), newest=True, limit=FOUND_MAX)
            found = [row for row in found if sees(me, row.village)]
            self._note(door, me, "request.search", "", n=len(found))
            return self._lines(door, me, found, clocked=True)

    def export(self, me: Person, wanted: Filter) -> list[RequestLine]:
        """A whole list to keep, 20,000 lines at most; Problem work.too_many for a longer one."""
        require(roles(me), Act.LIST_REQUESTS)
        found: list[RequestLine] = []
        with self.registry.read() as door:
            for row in self._each(door, me, wanted):
                found.append(line(row))
                if len(found) > EXPORT_MAX:
                    raise Problem("work.too_many", limit=EXPORT_MAX, n=len(found))
        with self.registry.write() as door:  # before it is given; nobody waits for the reading
            self._note(door, me, "request.export", "", n=len(found))
        return found

    def _each(self, door: Door, me: Person, wanted: Filter) -> Iterator[Row]:
        """Every request of a list, page by page."""
        start: bytes | None = None
        while page := self._rows(door, me, wanted, start, LISTED_AT_ONCE):
            yield from page
            start = page[-1].id

    def _rows(
        self, door: Door, me: Person, wanted: Filter, start: bytes | None, limit: int
    ) -> list[Row]:
        late = wanted.age == "late"
        return door.requests(
            status=wanted.status,
            service=wanted.service,
            village=wanted.village,
            with_cases={"with": True, "without": False}.get(wanted.cases),
            areas=areas(me),
            due_before=self._due_before() if late else "",
            due_after=self._was_due(door, start) if late and start is not None else None,
            claimed={"mine": True, "taken": True, "free": False}.get(wanted.held),
            by=me.login if wanted.held == "mine" else "",
            at=self.clock(),
            newest=wanted.order == "newest",
            after=start,
            limit=limit,
        )

    def _lines(
        self, door: Door, me: Person, rows: Sequence[Row], *, clocked: bool
    ) -> list[WorkLine]:
        names = [row.id for row in rows]
        held = self._held(door, me, names)
        calendar, now = self.casework.calendar, self.clock()
        told = clocks(door, rows, calendar, now) if clocked else {}
        return [WorkLine(line(row), held.get(row.id), told.get(row.id)) for row in rows]

    def filters(self, me: Person) -> list[SavedFilter]:
        """The lists this person keeps, by name."""
        with self.registry.read() as door:
            rows = door.saved_filters(me.login)
        return [SavedFilter(name, msgspec.msgpack.decode(d, type=Filter)) for name, d in rows]

    def keep(self, me: Person, name: str, wanted: Filter) -> list[SavedFilter]:
        """Keep a list under a name, in the place of one of that name."""
        require(roles(me), Act.LIST_REQUESTS)
        name = name.strip()
        if not 0 < len(name) <= NAME_MAX:
            raise Problem("work.filter_name", limit=NAME_MAX)
        with self.registry.write() as door:
            kept = {one for one, _ in door.saved_filters(me.login)}
            if len(kept | {name}) > FILTERS_MAX:
                raise Problem("work.too_many", limit=FILTERS_MAX, n=len(kept) + 1)
            door.keep_filter(me.login, name, msgspec.msgpack.encode(wanted))
        return self.filters(me)

    def forget(self, me: Person, name: str) -> list[SavedFilter]:
        """Keep a list no longer."""
        with self.registry.write() as door:
            door.drop_filter(me.login, name)
        return self.filters(me)

    def _note(self, door: Door, me: Person, act: str, target: str, **details: int) -> None:
        door.audit(me.login, act, target, details, self.clock())


def _by_code(door: Door, text: str) -> list[Row]:
    """The request with this tracking code, if it is one and there is one."""
    try:
        code = Code.parse(text)
    except Problem:
        return []
    named = door.record_by_code(code.block, code.number)
    row = door.request_line(named) if named is not None else None
    return [row] if row is not None else []


def _id(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if not found:
        raise Problem("id.malformed", what="id", digits=32)
    return found
