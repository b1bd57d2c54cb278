"""Worklist: what is waiting, who has taken what, and the lists that people keep.

A claim is soft: it says to colleagues that somebody is at it, and ends by itself. It decides
nothing; two people who decide the same request all the same are told apart by what each had seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from models import lifecycle
from models.people import Act, Role, require
from models.problems import Problem
from server.auth import roles
from server.casework import Casework, find_record
from server.database.desk import Claim
from server.database.people import Person
from server.database.registry import Door, Registry
from server.sheets import RequestLine, RequestSheet, line

CLAIM_SECONDS = 600
ASSIGNED_SECONDS = 8 * 3600
ASSIGN_MAX = 5000
FILTERS_MAX = 30
NAME_MAX = 60
PAGE_MAX = 200
_S = lifecycle.Status
QUEUES: dict[Role, tuple[lifecycle.Status, ...]] = {
    Role.VERIFIER: (_S.RECEIVED, _S.IN_VERIFICATION),
    Role.SUPERVISOR: (_S.RECEIVED, _S.IN_VERIFICATION),
    Role.SIAK_OPERATOR: (_S.VERIFIED, _S.IN_BATCH, _S.WAITING_CENTRE),
    Role.REGISTRAR: (_S.IN_SIAK,),
    Role.PRINTER: (_S.PRINT_READY,),
    Role.COURIER: (_S.PRINTED,),
}
"""What waits for whom."""


class Queue(msgspec.Struct, frozen=True):
    """What waits in one status. oldest_at: when the oldest arrived, Unix seconds, 0 for none."""

    status: str
    n: int
    oldest_at: int


class Held(msgspec.Struct, frozen=True):
    """Who has a request, by name, and until when (Unix seconds). mine: the one who asks."""

    who: str
    until: int
    mine: bool


class WorkLine(msgspec.Struct, frozen=True):
    """A request in a list, and who has it."""

    request: RequestLine
    held: Held | None


class Taken(msgspec.Struct, frozen=True):
    """The next request, opened, and until when it is mine. request: None when nothing waits."""

    request: RequestSheet | None
    until: int = 0


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a list shows; empty for everything. cases: "with" or "without" open cases."""

    status: str = ""
    service: str = ""
    village: str = ""
    cases: str = ""


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
        with self.registry.read() as door:
            return [Queue(str(status), *door.waiting_in(str(status))) for status in wanted]

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
            person = door.person(login)
            if person is None or not person.active:
                raise Problem("person.unknown", login=login)
            known = door.known_requests(records)
            missing = [record for record in records if record not in known]
            if missing:
                raise Problem("request.unknown", code=missing[0].hex()[:8])
            until = self.clock() + ASSIGNED_SECONDS
            door.keep_claims([Claim(record, login, until) for record in records])
            self._note(door, me, "claim.assign", login, n=len(records))
        return len(records)

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
        self, me: Person, wanted: Filter, *, after: str = "", limit: int = 50
    ) -> list[WorkLine]:
        """Requests by arrival, with who has them; `after`: id of the last line of the page before.
        A page costs the same at the end of the list as at its beginning."""
        require(roles(me), Act.LIST_REQUESTS)
        start = _id(after) if after else None
        with self.registry.write() as door:
            found = door.requests(
                status=wanted.status,
                service=wanted.service,
                village=wanted.village,
                with_cases={"with": True, "without": False}.get(wanted.cases),
                after=start,
                limit=max(1, min(limit, PAGE_MAX)),
            )
            held = self._held(door, me, [row.id for row in found])
            self._note(door, me, str(Act.LIST_REQUESTS), "", n=len(found))
        return [WorkLine(line(row), held.get(row.id)) for row in found]

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


def _id(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if not found:
        raise Problem("id.malformed", what="id", digits=32)
    return found
