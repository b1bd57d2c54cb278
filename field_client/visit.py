"""Visit: a day out, from choosing the village to the signed recap.

    start(desk, Plan(...))       one visit is open at a time
    take_number(desk, first)     a place in the queue; who is old, pregnant or disabled goes first
    call_next(desk), settle(…)   who is called, and whether they came
    close(desk)                  counts, kept with the visit

A visit is the laptop's own: what was taken in meanwhile travels as requests, as ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec

from field_client import stock
from field_client.desk import Desk
from field_client.printing.lists import Recap, day_of, recap_of
from field_client.rosters import targets
from field_client.vault.requests import LIST_MAX, Line
from field_client.vault.store import Store
from field_client.vault.visits import Ticket
from models import regions
from models.changes import RecordId
from models.printing import document as doc
from models.problems import Problem
from models.words import number, say

KINDS = ("mobile", "village_office", "school", "home", "other")
ORDINARY, FIRST = "A", "P"
CALLED, DONE, ABSENT = "called", "done", "absent"
TEXT_MAX, TEAM_MAX, TARGET_MAX = 100, 20, 10_000
RETURNED = "needs_correction"


class Counts(msgspec.Struct, frozen=True):
    """What a visit came to. given: numbers handed out; first: of these, who went first."""

    requests: int = 0
    given: int = 0
    first: int = 0
    done: int = 0
    absent: int = 0
    waiting: int = 0
    drafts: int = 0
    unsent: int = 0
    returned: int = 0


class Plan(msgspec.Struct, frozen=True):
    """Where, who and what for. village: region code. target: requests hoped for, 0 for none.
    counts: once it is closed."""

    village: str
    kind: str = KINDS[0]
    venue: str = ""
    team: tuple[str, ...] = ()
    target: int = 0
    operator: str = ""
    counts: Counts | None = None


class Visit(msgspec.Struct, frozen=True):
    """A visit with its number here. ended: 0 while it is open."""

    number: int
    started: int
    ended: int
    plan: Plan


# -- open and closed


def start(desk: Desk, plan: Plan) -> Visit:
    """Begin. Problems visit.open, visit.village, visit.kind, visit.target."""
    if current(desk.store) is not None:
        raise Problem("visit.open")
    place = regions.region(plan.village)
    if place is None or not place.is_village:
        raise Problem("visit.village", village=plan.village[:40])
    if plan.kind not in KINDS:
        raise Problem("visit.kind", kinds=", ".join(KINDS))
    if not 0 <= plan.target <= TARGET_MAX:
        raise Problem("visit.target", limit=TARGET_MAX)
    team = tuple(name.strip()[:TEXT_MAX] for name in plan.team if name.strip())[:TEAM_MAX]
    kept = Plan(place.code, plan.kind, plan.venue.strip()[:TEXT_MAX], team, plan.target,
                desk.operator.name)  # fmt: skip
    desk.store.visits.begin(desk.facts().at, msgspec.msgpack.encode(kept))
    return opened(desk.store)


def current(store: Store) -> Visit | None:
    """The visit that is open."""
    kept = store.visits.open()
    return None if kept is None else Visit(kept.number, kept.started, 0, _plan(kept.data))


def opened(store: Store) -> Visit:
    """The same. Problem visit.none."""
    found = current(store)
    if found is None:
        raise Problem("visit.none")
    return found


def before(store: Store, limit: int = 20) -> list[Visit]:
    """Those that were closed, newest first."""
    kept = store.visits.newest(limit)
    return [Visit(one.number, one.started, one.ended, _plan(one.data)) for one in kept if one.ended]


def close(desk: Desk) -> Visit:
    """End the day; what waits stays stated. Problem visit.none."""
    now = opened(desk.store)
    plan = msgspec.structs.replace(now.plan, counts=counts(desk, now))
    ended = max(desk.facts().at, now.started + 1)
    desk.store.visits.end(now.number, ended, msgspec.msgpack.encode(plan))
    return Visit(now.number, now.started, ended, plan)


def _plan(data: bytes) -> Plan:
    return msgspec.msgpack.decode(data, type=Plan)


# -- the queue


def take_number(desk: Desk, *, first: bool = False) -> Ticket:
    """A number for somebody who came. Problem visit.none."""
    now = opened(desk.store)
    return desk.store.visits.give(now.number, FIRST if first else ORDINARY, desk.facts().at)


def call_next(desk: Desk) -> Ticket:
    """Call who is next: who goes first, then in order. Problems visit.none, visit.nobody."""
    now = opened(desk.store)
    waiting = [one for one in desk.store.visits.tickets(now.number) if one.state == "waiting"]
    if not waiting:
        raise Problem("visit.nobody")
    return settle(desk, waiting[0].name, CALLED)


def settle(desk: Desk, name: str, state: str) -> Ticket:
    """They came (done), did not (absent), or are called again. Problems visit.none,
    visit.ticket."""
    now = opened(desk.store)
    line, _, digits = name.strip().upper().partition("-")
    known = state in (CALLED, DONE, ABSENT) and digits.isdecimal() and len(digits) < 6
    at = desk.facts().at if state == CALLED else 0
    if not known or not desk.store.visits.move(now.number, line, int(digits), state, at):
        raise Problem("visit.ticket", number=name[:20])
    found = desk.store.visits.tickets(now.number)
    return next(one for one in found if (one.line, one.n) == (line, int(digits)))


def ticket_paper(ticket: Ticket, lang: str = "id") -> doc.Document:
    """The number to hold in the hand."""
    name = say("NOMOR ANTREAN", lang)
    free = say("Pengurusan dan penerbitan dokumen kependudukan GRATIS.", lang)
    blocks = (doc.Title(name), doc.Large(ticket.name), doc.Words(free, centre=True))
    return doc.Document(f"{name} {ticket.name}", blocks, lang=lang)


# -- how far


def taken_in(desk: Desk, visit: Visit) -> Iterator[Line]:
    """Requests taken in during a visit, newest first: those that were noted with it, whatever the
    clock said. Of a visit before that was noted, by the time."""
    noted = [desk.store.requests.line(one) for one in desk.store.visits.records(visit.number)]
    if noted:
        yield from sorted((line for line in noted if line), key=lambda line: -line.number)
        return
    end, place = visit.ended or 1 << 62, 0
    while page := desk.store.requests.newest(own=True, before=place):
        yield from (line for line in page if visit.started <= line.at <= end)
        place = page[-1].number
        if len(page) < LIST_MAX or page[-1].at < visit.started:
            return


def of_request(store: Store, record: RecordId) -> Visit | None:
    """The visit in which a request was taken in on this laptop."""
    kept = store.visits.of(record)
    return None if kept is None else Visit(kept.number, kept.started, kept.ended, _plan(kept.data))


def counts(desk: Desk, visit: Visit) -> Counts:
    """How it stands."""
    tickets, standing = desk.store.visits.tickets(visit.number), desk.store.standing()
    states = [one.state for one in tickets]
    return Counts(
        requests=sum(1 for _ in taken_in(desk, visit)),
        given=len(tickets),
        first=sum(one.line == FIRST for one in tickets),
        done=states.count(DONE),
        absent=states.count(ABSENT),
        waiting=states.count("waiting") + states.count(CALLED),
        drafts=sum(standing.drafts.values()),
        unsent=standing.unsent,
        returned=standing.requests.get(RETURNED, 0),
    )


class Target(msgspec.Struct, frozen=True):
    """Who should be recorded, by the village's list. served: NIK of those with a request since."""

    names: tuple[tuple[str, str], ...]
    enrolled: int
    unknown: int
    listed: date
    served: frozenset[str]


def target(desk: Desk, visit: Visit) -> Target | None:
    """The roster's target list of the village; None where no list is here."""
    found = next(targets(desk, visit.plan.village), None)
    if found is None:
        return None
    kept, groups = found
    return Target(
        tuple((one.nik or "", one.name) for one in groups.not_enrolled),
        len(groups.enrolled),
        len(groups.unknown),
        kept.source.list_date,
        frozenset(line.nik for line in taken_in(desk, visit) if line.nik),
    )


def recap(desk: Desk, visit: Visit, lang: str = "id") -> Recap:
    """The recap of its day, with what only a visit knows."""
    made = recap_of(desk, day_of(visit.started), stock.balances(desk.store))
    plan, told = visit.plan, visit.plan.counts or counts(desk, visit)
    where = (kind_words(plan.kind, lang), plan.venue)
    more = (
        (say("Desa/kelurahan", lang), regions.full_name(plan.village)),
        (say("Kegiatan", lang), " · ".join(part for part in where if part)),
        (say("Tim", lang), ", ".join(plan.team)),
        (say("Nomor antrean diberikan", lang), number(told.given, lang)),
        (say("Didahulukan", lang), number(told.first, lang)),
        (say("Tidak hadir", lang), number(told.absent, lang)),
    )  # fmt: skip
    lines = tuple(reversed(list(taken_in(desk, visit))))
    return msgspec.structs.replace(made, lines=lines, more=tuple(p for p in more if p[1]))


def kind_words(kind: str, lang: str = "id") -> str:
    """A kind of visit as people read it."""
    return {
        "mobile": say("Jemput bola keliling", lang),
        "village_office": say("Kantor desa/kelurahan", lang),
        "school": say("Sekolah", lang),
        "home": say("Rumah warga", lang),
        "other": say("Lainnya", lang),
    }.get(kind, kind)
