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
from server.auth import areas, roles, sees
from server.database.people import Person
from server.database.registry import Door, Registry
from server.database.reports import ALWAYS, Place, ReportMark
from server.figures import HIDDEN, Follower, Journey, Tally, difference, touched
from server.sheets import RequestLine, line

CHUNK = 500
"""Decisions that are counted in one go."""
PAGE_MAX = 200
CASES = frozenset({"case_opened", "case_closed", "case_open"})
TARGETS = "targets"
"""Requests of people on a target list; `value` is the digest of the list, hex."""
FIGURES = frozenset(
    {"captured", "arrived", "accepted", "returned", "issued", "handed_over", "closed"}
    | {"open", "running", "uncollected"}
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
    the city. first, last: days, ISO."""

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
    """One page of them. after: where the next one begins, empty at the end."""

    lines: list[Member]
    after: str = ""


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
        limit = max(1, min(limit, PAGE_MAX))
        within = villages_within(me, asked.place)
        with self.registry.write() as door:
            found = _found(door, asked, within, _place(after), limit + 1)
            more, found = len(found) > limit, found[:limit]
            rows = door.request_lines([record for record, _, _ in found])
            details = {"figure": asked.figure, "place": asked.place, "n": len(found)}
            door.audit(me.login, str(Act.LIST_REQUESTS), "", details, self.clock())
        lines = [
            Member(line(rows[record]), day)
            for record, day, _ in found
            if record in rows and sees(me, rows[record].village)  # it may have moved since
        ]
        last = f"{found[-1][1]}.{found[-1][0].hex()}" if more else ""
        return Members(lines, last)


def _found(
    door: Door, asked: Asked, within: list[str], after: Place | None, limit: int
) -> list[tuple[bytes, str, str]]:
    """(id, day, value) of what is listed."""
    if asked.figure == TARGETS:
        lists = {one.digest.hex(): one.digest for one in door.target_lists(within or None)}
        if asked.value not in lists:
            raise Problem("report.unknown", figure=asked.figure)
        start = after or Place()
        return door.target_requests(
            lists[asked.value], after=(start.day, start.record), limit=limit
        )
    return door.members(
        asked.figure,
        villages=within,
        service=asked.service,
        value=asked.value,
        first=asked.first,
        last=asked.last,
        after=after,
        limit=limit,
    )


def villages_within(me: Person, place: str) -> list[str]:
    """Codes of the villages of a place that are somebody's to look at; none for the whole city.
    Problem report.unknown, auth.area where nothing of the place is."""
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
    """Where a page begins: `day.id`."""
    if not text:
        return None
    day, _, record = text.partition(".")
    try:
        return Place(day, bytes.fromhex(record))
    except ValueError:
        raise Problem("id.malformed", what="after", digits=32) from None
