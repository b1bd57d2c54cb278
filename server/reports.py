"""Reports: the figures of the office, and the requests behind each of them.

The figures follow the decisions by a mark of their own, a chunk at a time (`server.jobs`), so that
neither intake nor staff wait for them; a page says up to which moment it counts. Everything can be
counted afresh (`rebuild`) and is then the same. A chunk counts only if the mark is still where it
was, so several processes may follow at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

import msgspec

from models.calendar import Calendar
from models.people import Act, require
from models.problems import Problem
from models.regions import villages, villages_of
from server.auth import areas, require_case, roles, sees
from server.database.people import Person
from server.database.registry import Door, Registry
from server.database.reports import ALWAYS, BACKLOG, Chosen, Place, ReportMark
from server.figures import HIDDEN, Follower, Journey, Tally, difference, touched
from server.sheets import RequestLine, line

CHUNK = 500
"""Decisions that are counted in one go."""
PAGE_MAX = 200
COUNTED_MAX = 10_000
"""As far as the members of a number are counted to say how many they are."""
ELSEWHERE = "elsewhere"
"""Place of those who live outside the city."""
CASES = frozenset({"case_opened", "case_closed", "case_open"})
TARGETS = "targets"
"""Requests of people on a target list; `value` is the digest of the list, hex."""
FIGURES = frozenset(
    {"captured", "arrived", "accepted", "returned", "issued", "handed_over", "closed"}
    | {"road", "open", "served", "running", "paused", "uncollected", BACKLOG}
    | HIDDEN
    | {TARGETS}
)
"""Those that count requests."""


class Counted(msgspec.Struct, frozen=True):
    """What a run of counting did. upto: number of the newest decision counted; done: there was
    nothing more."""

    decisions: int
    upto: int
    done: bool


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose records are listed: those that `figure` counts. place: a village or district, empty for
    the city, ELSEWHERE for those who live outside it. first, last: days, ISO; of `running`,
    moments."""

    figure: str
    place: str = ""
    service: str = ""
    value: str | None = None
    first: str = ""
    last: str = ALWAYS


class Member(msgspec.Struct, frozen=True):
    """A request that a number counts, and since which day."""

    request: RequestLine
    day: str


class Members(msgspec.Struct, frozen=True):
    """One page of them. n: of all, counted up to COUNTED_MAX + 1. after: where the next page
    begins, empty at the end."""

    lines: list[Member]
    n: int
    after: str = ""


class CaseMember(msgspec.Struct, frozen=True):
    """A case that a number counts, and since which day. request: what it is about, where that is a
    request of the reader's area. opens: the reader may open it."""

    id: str
    kind: str
    state: str
    day: str
    request: RequestLine | None
    opens: bool


class CaseMembers(msgspec.Struct, frozen=True):
    """One page of them, as `Members`."""

    lines: list[CaseMember]
    n: int
    after: str = ""


class Served(msgspec.Struct, frozen=True):
    """A village, and how many of its people were served within the days that were asked for, by
    kind of office; last: the newest such day, ISO, empty for none."""

    village: str
    by: dict[str, int]
    last: str


class Reports:
    """Counts, and lists what was counted. secret: of the hashes of telephone numbers and people."""

    def __init__(
        self, registry: Registry, clock: Callable[[], int], calendar: Calendar, secret: bytes
    ) -> None:
        self.registry = registry
        self.clock = clock
        self.calendar = calendar
        self.secret = secret

    # -- counting

    def follow(self, chunks: int = 1) -> Counted:
        """Count what is new, so many chunks of decisions at most."""
        total = Counted(0, 0, False)
        for _ in range(chunks):
            one = self._chunk()
            total = Counted(total.decisions + one.decisions, one.upto, one.done)
            if one.done:
                break
        return total

    def rebuild(self, me: Person) -> Counted:
        """Count everything afresh; what is shown meanwhile is what was counted again so far. For
        who publishes the calendars that make it necessary."""
        require(roles(me), Act.PUBLISH)
        with self.registry.write() as door:
            door.forget_figures()
            door.audit(me.login, "report.rebuild", "", {}, self.clock())
        total = Counted(0, 0, False)
        while not total.done:
            one = self._chunk()
            total = Counted(total.decisions + one.decisions, one.upto, one.done)
        return total

    def _chunk(self) -> Counted:
        with self.registry.read() as door:
            mark = door.report_mark()
            decisions = door.decisions_after(mark.upto, CHUNK)
            if not decisions:
                return Counted(0, mark.upto, True)
            before = door.journeys(touched(decisions))
            origins = door.origins(decisions)
        now = {name: msgspec.structs.replace(one) for name, one in before.items()}
        follower = Follower(now, origins, self.calendar, self.secret)
        for decision in decisions:
            follower.take(decision)
        upto = ReportMark(decisions[-1].server_seq, decisions[-1].at)
        with self.registry.write() as door:
            if door.report_mark() != mark:  # somebody else counted them meanwhile
                return Counted(0, upto.upto, False)
            _keep(door, before, now)
            door.keep_report_mark(upto)
        return Counted(len(decisions), upto.upto, len(decisions) < CHUNK)

    # -- the records behind a number

    def members(self, me: Person, asked: Asked, *, after: str = "", limit: int = 50) -> Members:
        """Requests that a number counts, by day, of somebody's area alone. Problem report.unknown,
        auth.area where nothing of the place is."""
        require(roles(me), Act.LIST_REQUESTS)
        if asked.figure not in FIGURES:
            raise Problem("report.unknown", figure=asked.figure[:40])
        if asked.figure in HIDDEN:
            require(roles(me), Act.APPROVE_CASE)
        chosen = _chosen(me, asked)
        limit = max(1, min(limit, PAGE_MAX))
        with self.registry.write() as door:
            found, n = _found(door, chosen, _place(after), limit + 1)
            rows = door.request_lines([record for record, _, _ in found[:limit]])
            self._note(door, me, str(Act.LIST_REQUESTS), asked, len(found[:limit]))
        lines = [
            Member(line(rows[record]), day)
            for record, day, _ in found[:limit]
            if record in rows and sees(me, rows[record].village)  # it may have moved since
        ]
        return Members(lines, n, _following(found, limit))

    def cases(self, me: Person, asked: Asked, *, after: str = "", limit: int = 50) -> CaseMembers:
        """Cases that a number counts, by day, of the places and with the problems of `members`."""
        require(roles(me), Act.READ_CASE)
        if asked.figure not in CASES:
            raise Problem("report.unknown", figure=asked.figure[:40])
        chosen = _chosen(me, asked)
        limit = max(1, min(limit, PAGE_MAX))
        with self.registry.write() as door:
            found, n = _found(door, chosen, _place(after), limit + 1)
            self._note(door, me, "case.list", asked, len(found[:limit]))
            lines = [_case(door, me, name, day, kind) for name, day, kind in found[:limit]]
        return CaseMembers(lines, n, _following(found, limit))

    def served(self, me: Person, place: str, first: str, last: str) -> list[Served]:
        """Every village of a place that is somebody's to look at, those where most people were
        served first. first, last: days, ISO. Problems as `members`."""
        require(roles(me), Act.READ_REPORTS)
        codes = villages_within(me, place) or [one.code for one in villages()]
        by: dict[str, Counter[str]] = {code: Counter() for code in codes}
        newest: dict[str, str] = {}
        with self.registry.read() as door:
            for _, row in door.tallies(("captured",), villages=codes, first=first, last=last):
                by[row.village][row.value] += row.n
                newest[row.village] = max(newest.get(row.village, ""), row.period)
        order = sorted(codes, key=lambda code: (-by[code].total(), code))
        return [Served(code, dict(by[code]), newest.get(code, "")) for code in order]

    def _note(self, door: Door, me: Person, act: str, asked: Asked, n: int) -> None:
        details: dict[str, object] = {"figure": asked.figure, "place": asked.place, "n": n}
        door.audit(me.login, act, "", details, self.clock())


def _chosen(me: Person, asked: Asked) -> Chosen:
    """What is asked for, within somebody's area."""
    within = villages_within(me, asked.place)
    return Chosen(asked.figure, within, asked.service, asked.value, asked.first, asked.last)


_Found = list[tuple[bytes, str, str]]


def _found(door: Door, chosen: Chosen, after: Place | None, limit: int) -> tuple[_Found, int]:
    """(id, day, value) of what is listed on this page, and how many there are."""
    if chosen.figure != TARGETS:
        page = door.members(chosen, after=after, limit=limit)
        return page, door.how_many(chosen, COUNTED_MAX + 1)
    lists = {one.digest.hex(): one for one in door.target_lists(chosen.villages or None)}
    if chosen.value not in lists:
        raise Problem("report.unknown", figure=chosen.figure)
    start, one = after or Place(), lists[chosen.value]
    return door.target_requests(one.digest, after=(start.day, start.record), limit=limit), one.asked


def _following(found: _Found, limit: int) -> str:
    """Where the page after this one begins; one more than `limit` was looked for."""
    if len(found) <= limit:
        return ""
    record, day, value = found[limit - 1]
    return f"{day}.{record.hex()}.{value}"


def _case(door: Door, me: Person, name: bytes, day: str, kind: str) -> CaseMember:
    case = door.case(name)
    if case is None:
        return CaseMember(name.hex(), kind, "", day, None, opens=False)
    row = door.request_line(case.record) if case.record else None
    mine = row is not None and sees(me, row.village)
    try:
        require_case(door, me, case)
        opens = True
    except Problem:
        opens = False
    request = line(row) if row is not None and mine else None
    return CaseMember(name.hex(), kind, str(case.state), day, request, opens)


def villages_within(me: Person, place: str) -> list[str]:
    """Codes of the villages of a place that are somebody's to look at; none for the whole city, ""
    for outside it. Problem report.unknown, auth.area where nothing of the place is."""
    if place == ELSEWHERE:
        if areas(me):
            raise Problem("auth.area")
        return [""]
    found = villages_of(place) if place else ()
    if place and not found:
        raise Problem("report.unknown", figure=place[:40])
    if not areas(me):
        return [one.code for one in found]
    mine = [one.code for one in found or villages() if sees(me, one.code)]
    if not mine:
        raise Problem("auth.area")
    return mine


def _keep(door: Door, before: dict[bytes, Journey], now: dict[bytes, Journey]) -> None:
    """Write what changed, and by how much the counts change."""
    changed = [one for name, one in now.items() if before.get(name) != one]
    more: Counter[Tally] = Counter()
    for one in changed:
        more.update(difference(before.get(one.id), one))
    door.keep_journeys(changed, _known(changed, before))
    door.add_tallies({key: n for key, n in more.items() if n})


def _known(changed: Collection[Journey], before: dict[bytes, Journey]) -> set[bytes]:
    """Those of the changed journeys that were met before."""
    return {one.id for one in changed} & before.keys()


def _place(text: str) -> Place | None:
    """Where a page begins: `day.id.value`."""
    if not text:
        return None
    day, _, rest = text.partition(".")
    record, _, value = rest.partition(".")
    try:
        return Place(day, bytes.fromhex(record), value)
    except ValueError:
        raise Problem("id.malformed", what="after", digits=32) from None
