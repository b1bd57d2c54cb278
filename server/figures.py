"""Figures: what a request or a case adds to the numbers of the office, by the decisions about it.

    decisions -> Journey (one for each request and case) -> milestones -> counts

A *milestone* says that a request is one of those a figure counts, and on which day; so the members
of every number can be listed. *Counts* are milestones added up by day, month, village and service.
Both are plain functions of the journey: to change a journey is to take away what it counted before
and to add what it counts now, and to count everything afresh gives the same numbers.

Days are those of the office's wall (WIT). The office's own clock says when something happened; when
a citizen was at the van is said by the laptop, and believed within the bounds that are known for
sure: not before what its operator had on the screen was decided, not after it arrived.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from hashlib import blake2b

import msgspec

from models import clock, lifecycle
from models.calendar import Calendar
from models.words import WIT
from server.turns import Turns, promised
from sync.pull import village_of
from sync.state import (
    REASON_PREFIX,
    Closed,
    Created,
    Decision,
    Moved,
    Opened,
    Placed,
    Wrote,
)

ALL = "*"
"""Village or service of a count: all of them together."""
HOUR = 3600
OLDEST = 400 * 24 * HOUR
"""A laptop that says more than this before arrival has lost its clock: the time is not known."""
ISSUED = frozenset({"signed", "printed", "ready_for_handover", "handed_over", "completed"})
"""Standings in which the document (or what was asked for) has been made."""
PHONE, IDENTITY, RELATION = "applicant.phone", "applicant.identity", "applicant.relation"
BRINGER = "proxy"

Tally = tuple[str, str, str, str, str]
"""(figure, village, service, period, value); period: a day as ISO, a month as YYYY-MM, a week as
`week_of` says, an hour as YYYY-MM-DDTHH."""


class Returned(msgspec.Struct, frozen=True, array_like=True):
    """Sent back for correction at that time, for a reason of the list."""

    at: int
    reason: str


class Journey(msgspec.Struct, array_like=True):
    """What one request, or one case, went through. Times are Unix seconds, 0 for not (any more).

    kind: "" for a request, else of the case. channel: kind of the office that took it in. clock: of
    what the office promised, with `promised` working seconds (models.clock); due: where it runs,
    the last moment. kept: it was issued within the promise. ready: when it came to where it is
    fetched. phone, bringer: keyed hashes of the number that was given and of who came for somebody
    else; family: of the applicant's family card.
    """

    id: bytes
    kind: str = ""
    service: str = ""
    village: str = ""
    channel: str = ""
    status: str = ""
    captured: int = 0
    arrived: int = 0
    accepted: int = 0
    issued: int = 0
    kept: bool = False
    ready: int = 0
    handed: int = 0
    ended: int = 0
    returns: tuple[Returned, ...] = ()
    phone: str = ""
    bringer: str = ""
    family: str = ""
    relation: str = ""
    promised: int = 0
    clock: Turns = Turns()
    due: int = 0


class Milestone(msgspec.Struct, frozen=True, array_like=True):
    """It is one of those that `figure` counts on that day, by `value`. since: of what is over, the
    day it arrived."""

    figure: str
    day: str
    value: str = ""
    since: str = ""


DAILY = frozenset({"captured", "arrived", "accepted", "issued", "handed_over", "closed"})
"""Counted by day and by month."""
WEEKLY = frozenset({"captured"})
"""Counted by week as well: asked of all villages beside each other."""
STANDING = frozenset({"open", "served", "running", "paused", "uncollected"})
"""What stands so now, by the day since when: what is open, since it arrived and since the citizen
was served; what the promise runs for, by the moment it is due, and what it stands still for."""
KEPT, LATE = "kept", "late"
"""What is issued within its promise, and what is not."""
UNKNOWN = "unknown"
"""Of `served`: nobody knows when the citizen was; then it is counted by its arrival."""
HIDDEN = frozenset({"phone", "bringer"})
"""Counted for the whole city only: to see what comes too often."""
LEGS = ("road", "desk", "handover")
"""Ways that are timed: captured -> arrived -> issued -> handed over, in whole hours. Those of the
last two are what is issued and what is handed over."""
HOUR_LETTERS = len("2026-11-21T10")


# -- following the decisions


class Origin(msgspec.Struct, frozen=True):
    """What a decision does not say of a creation. channel: kind of office; captured: Unix seconds,
    0 if it is not known."""

    channel: str = ""
    captured: int = 0


class Follower:
    """Takes decisions in their order into journeys. origins: of the requests they create. secret:
    of the hashes by which telephone numbers and people are counted without being told."""

    def __init__(
        self,
        journeys: dict[bytes, Journey],
        origins: Mapping[bytes, Origin],
        calendar: Calendar,
        secret: bytes,
    ) -> None:
        self.journeys = journeys
        self.origins = origins
        self.calendar = calendar
        self.secret = secret

    def take(self, decision: Decision) -> None:
        """Everything one decision changes."""
        for effect in decision.effects:
            if isinstance(effect, Created):
                self._created(effect, decision)
            elif isinstance(effect, Moved):
                self._moved(effect, decision)
            elif isinstance(effect, Wrote):
                self._wrote(effect, decision.at)
            elif isinstance(effect, Placed):
                if (journey := self.journeys.get(effect.record)) is not None:
                    journey.village = effect.village
            elif isinstance(effect, Opened):
                self._opened(effect, decision)
            elif isinstance(effect, Closed):
                self._closed(effect, decision)

    def _created(self, effect: Created, decision: Decision) -> None:
        origin = self.origins.get(effect.record, Origin())
        self.journeys[effect.record] = Journey(
            effect.record,
            service=effect.service,
            village=village_of(effect, decision),
            channel=origin.channel,
            status="submitted",
            captured=origin.captured,
            arrived=decision.at,
            promised=promised(effect.service, effect.edition),
        )

    def _moved(self, effect: Moved, decision: Decision) -> None:
        journey = self.journeys.get(effect.record)
        if journey is None:
            return
        at, target = decision.at, effect.target
        journey.status = target
        self._tick(journey, effect, at)
        if target == "verified":
            journey.accepted = at
        if target == "needs_correction":
            code = effect.reason.partition(":")[0].strip()
            journey.returns = (*journey.returns, Returned(at, code or "OTHER"))
        if target not in ISSUED:
            journey.issued = 0
        elif not journey.issued:
            journey.issued = at
            journey.kept = self._used(journey, at) <= journey.promised
        journey.ready = (journey.ready or at) if target == "ready_for_handover" else 0
        journey.handed = at if target == "handed_over" else 0
        journey.ended = at if lifecycle.ended(target) else 0

    def _tick(self, journey: Journey, effect: Moved | Wrote, at: int) -> None:
        before, journey.clock = journey.clock, journey.clock.after(effect, at)
        if before.turns == journey.clock.turns:
            return
        turns = journey.clock.turns
        runs = turns[-1].state == "runs"
        journey.due = clock.due_of(turns, journey.promised, self.calendar) if runs else 0

    def _used(self, journey: Journey, at: int) -> int:
        """Working seconds that the office had it by then."""
        return clock.read(journey.clock.turns, journey.promised, self.calendar, at).used

    def _wrote(self, effect: Wrote, at: int) -> None:
        journey = self.journeys.get(effect.record)
        if journey is None:
            return
        if effect.unit.startswith(REASON_PREFIX):
            self._tick(journey, effect, at)
        elif effect.unit == PHONE:
            journey.phone = self._hash(effect.value)
        elif effect.unit == RELATION:
            journey.relation = effect.value if isinstance(effect.value, str) else ""
        elif effect.unit == IDENTITY and isinstance(effect.value, dict):
            journey.bringer = self._hash(effect.value.get("nik"))
            journey.family = self._hash(effect.value.get("kk"))

    def _hash(self, value: object) -> str:
        if not isinstance(value, str) or not value:
            return ""
        return blake2b(value.encode(), key=self.secret, digest_size=8).hexdigest()

    def _opened(self, effect: Opened, decision: Decision) -> None:
        about = self.journeys.get(effect.record)
        self.journeys[effect.case] = Journey(
            effect.case,
            effect.kind,
            service=about.service if about is not None else "",
            village=about.village if about is not None else "",
            status="open",
            arrived=decision.at,
        )

    def _closed(self, effect: Closed, decision: Decision) -> None:
        journey = self.journeys.get(effect.case)
        if journey is not None:
            journey.status, journey.ended = "closed", decision.at


def touched(decisions: Collection[Decision]) -> set[bytes]:
    """Requests and cases whose journeys these decisions go on."""
    found: set[bytes] = set()
    for decision in decisions:
        for effect in decision.effects:
            if isinstance(effect, Created | Moved | Wrote | Placed):
                found.add(effect.record)
            elif isinstance(effect, Opened | Closed):
                found |= {effect.case, effect.record}
    return found - {b""}


def captured_at(said: int, earliest: int, arrived: int) -> int:
    """When a citizen was served, of what the laptop says; 0 where that cannot be."""
    at = max(min(said, arrived), earliest)
    return at if arrived - at <= OLDEST else 0


# -- what is counted


def day_of(at: int) -> str:
    """The office's day of a moment, ISO."""
    return datetime.fromtimestamp(at, WIT).date().isoformat()


def moment_of(at: int) -> str:
    """A moment at the office, ISO without its zone: `2026-11-21T10:42:03`."""
    return f"{datetime.fromtimestamp(at, WIT):%Y-%m-%dT%H:%M:%S}"


def week_of(day: str) -> str:
    """The period of a week: its Monday and a letter, so that it is neither a day nor a month."""
    when = date.fromisoformat(day)
    return f"{(when - timedelta(when.weekday())).isoformat()}w"


def milestones(journey: Journey) -> Iterator[Milestone]:
    """What a journey is counted among."""
    if journey.kind:
        yield Milestone("case_opened", day_of(journey.arrived), journey.kind)
        if journey.ended:
            yield Milestone("case_closed", day_of(journey.ended), journey.kind)
        else:
            yield Milestone("case_open", day_of(journey.arrived), journey.kind)
        return
    arrived = day_of(journey.arrived)
    yield Milestone("arrived", arrived, journey.channel)
    if journey.captured:
        yield Milestone("captured", day_of(journey.captured), journey.channel)
        yield Milestone("road", arrived, _hours(journey.captured, journey.arrived))
    for day, reason in {(day_of(one.at), one.reason) for one in journey.returns}:
        yield Milestone("returned", day, reason)
    if journey.accepted:
        yield Milestone("accepted", day_of(journey.accepted), "again" if journey.returns else "")
    if journey.issued:
        yield Milestone("issued", day_of(journey.issued), KEPT if journey.kept else LATE)
    if journey.ready:
        yield Milestone("uncollected", day_of(journey.ready))
    if journey.handed:
        yield Milestone("handed_over", day_of(journey.handed))
    if journey.ended:
        yield Milestone("closed", day_of(journey.ended), journey.status, arrived)
    else:
        yield from _open(journey, arrived)
    if journey.phone:
        yield Milestone("phone", arrived, journey.phone)
    if journey.bringer and journey.relation == BRINGER:
        yield Milestone("bringer", arrived, journey.bringer)


def _open(journey: Journey, arrived: str) -> Iterator[Milestone]:
    """What a request is counted among that is not over."""
    yield Milestone("open", arrived, journey.status)
    known = bool(journey.captured)
    since = day_of(journey.captured) if known else arrived
    yield Milestone("served", since, "" if known else UNKNOWN)
    if journey.due:
        yield Milestone("running", moment_of(journey.due), str(journey.promised))
    else:
        turns = journey.clock.turns
        since = day_of(turns[-1].at) if turns else arrived
        yield Milestone("paused", since, str(journey.promised))


def counts(journey: Journey) -> Counter[Tally]:
    """What a journey adds to the counts."""
    found: Counter[Tally] = Counter()
    for one in milestones(journey):
        found.update(_rolled(journey, one.figure, one.day, one.value))
    for leg, day, value in _legs(journey):
        found.update(_rolled(journey, leg, day, value))
    return found


def _legs(journey: Journey) -> Iterator[tuple[str, str, str]]:
    """(figure, day of its end, what it took in hours with leading zeros), but for the first way,
    which is a milestone of its own."""
    if journey.issued:
        yield "desk", day_of(journey.issued), _hours(journey.arrived, journey.issued)
    if journey.handed and journey.issued:
        yield "handover", day_of(journey.handed), _hours(journey.issued, journey.handed)


def _hours(start: int, end: int) -> str:
    """Whole hours up to three days, then whole days in hours: what a person tells apart."""
    hours = max(0, end - start) // HOUR
    return f"{hours if hours <= 72 else hours // 24 * 24:05}"


def _rolled(journey: Journey, figure: str, day: str, value: str) -> Iterator[Tally]:
    """Under which counts one milestone falls."""
    village, service, month = journey.village, journey.service, day[:7]
    if figure in HIDDEN:
        yield figure, ALL, ALL, month, value
        return
    places = (ALL, village)
    if figure in STANDING or figure.startswith("case_"):
        since = day[:HOUR_LETTERS]
        yield from ((figure, v, s, since, value) for v in places for s in (ALL, service))
        return
    yield from ((figure, v, s, month, value) for v in places for s in (ALL, service))
    if figure in DAILY:
        yield from ((figure, v, ALL, day, value) for v in places)
    if figure in WEEKLY:
        yield from ((figure, v, ALL, week_of(day), value) for v in places)


def difference(before: Journey | None, after: Journey) -> Counter[Tally]:
    """What the counts change by, below zero too, when a journey goes on."""
    found = counts(after)
    if before is not None:
        found.subtract(counts(before))
    return Counter({key: n for key, n in found.items() if n})


def quantile(bins: Mapping[str, int], part: float) -> int | None:
    """The hours below or at which that part (0 to 1) of the counted lie; None of nothing."""
    total = sum(bins.values())
    passed = 0
    for value in sorted(bins):
        passed += bins[value]
        if total and passed >= part * total:
            return int(value)
    return None
