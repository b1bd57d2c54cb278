"""Clock: how long the office has had a request, and until when it promised to be done.

The service standard is 24 hours once the papers are complete (Permendagri 19/2018); a service's own
file may say less. The office counts them on its working days, all hours of such a day: what comes
on Friday at ten is due on Monday at ten. The clock starts when the request reaches the office, not
when a van took it in: the office cannot have worked on what it did not have. How long the citizen
has waited is told beside it. It stands still while the request is not in the office's hands (sent
back, at the data centre: `lifecycle.Standing.clock`) and while a question to the field is open.

Without the decree on holidays of a year the last moment is an estimate: it can only be too early.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Literal

import msgspec

from models import lifecycle
from models.calendar import Calendar
from models.services import Service
from models.words import WIT

HOURS = 24.0
"""The standard where a service names none (Permendagri 19/2018)."""

SECONDS_OF_DAY = 86_400

State = Literal["not_started", "runs", "paused", "stopped"]
Bucket = Literal["fresh", "midway", "late_soon", "late"]


class Turn(msgspec.Struct, frozen=True):
    """From `at` (Unix seconds, central's clock) on the clock is so. why: the status, or "asked"
    while the field was asked something."""

    at: int
    state: State
    why: str


class Clock(msgspec.Struct, frozen=True):
    """How a request stands to its promise. Seconds are of working days.

    due: the last moment in time, Unix seconds, as far as can be told now (0: not started, or over);
    while it stands still, the moment if it went on now. estimated: a decree is missing. used,
    allowed: working seconds. since: when it reached the office. why: what it stands still for.
    """

    state: State
    since: int
    due: int
    estimated: bool
    used: int
    allowed: int
    why: str = ""

    @property
    def share(self) -> float:
        """Of the time that was promised, how much is used; above 1 it is too late."""
        return self.used / self.allowed if self.allowed else 0.0

    @property
    def bucket(self) -> Bucket:
        """Up to a quarter, up to three quarters, up to all of it, more."""
        if self.share > 1:
            return "late"
        return "late_soon" if self.share > 0.75 else "midway" if self.share > 0.25 else "fresh"


def allowed(service: Service | None) -> int:
    """Seconds that the standard of a service gives."""
    standard = service.standard if service is not None else None
    return round((standard.hours if standard is not None else HOURS) * 3600)


def read(turns: Sequence[Turn], seconds: int, calendar: Calendar, now: int) -> Clock:
    """The clock of a request whose history is `turns`, in order; `seconds` are promised."""
    if not turns:
        return Clock("not_started", 0, 0, False, 0, seconds)
    used = 0
    ends = [turn.at for turn in turns[1:]] + [now]
    for turn, end in zip(turns, ends, strict=True):
        if turn.state == "runs":
            used += worked(calendar, turn.at, max(turn.at, min(end, now)))
    last, since = turns[-1], next((t.at for t in turns if t.state == "runs"), 0)
    if last.state in ("stopped", "not_started"):
        return Clock(last.state, since, 0, False, used, seconds, last.why)
    if used > seconds:
        due, estimated = _crossed(turns, ends, seconds, calendar)
    else:
        due, estimated = after(calendar, now, seconds - used)
    estimated = estimated or not _decreed(calendar, since, now)
    return Clock(last.state, since, due, estimated, used, seconds, last.why)


def _crossed(
    turns: Sequence[Turn], ends: Sequence[int], seconds: int, calendar: Calendar
) -> tuple[int, bool]:
    """When the promised time ran out."""
    left = seconds
    for turn, end in zip(turns, ends, strict=True):
        if turn.state != "runs":
            continue
        spent = worked(calendar, turn.at, max(turn.at, end))
        if spent > left:
            return after(calendar, turn.at, left)
        left -= spent
    return ends[-1], False


def worked(calendar: Calendar, start: int, end: int) -> int:
    """Seconds of working days between two moments."""
    if end <= start:
        return 0
    first, last = _here(start), _here(end)
    if first.date() == last.date():
        return end - start if calendar.is_working(first.date()) else 0
    found = 0
    if calendar.is_working(first.date()):
        found += SECONDS_OF_DAY - _second(first)
    if calendar.is_working(last.date()):
        found += _second(last)
    between = calendar.between(first.date(), last.date())
    between -= calendar.is_working(last.date())
    return found + between * SECONDS_OF_DAY


def after(calendar: Calendar, start: int, seconds: int) -> tuple[int, bool]:
    """The moment that many seconds of working days later, and whether it is an estimate. What
    would end at midnight ends with that day."""
    here = _here(start)
    day, clock = here.date(), _second(here)
    if not calendar.is_working(day):
        clock = 0
        day = calendar.after(day, 0).day
    total = clock + seconds
    days, rest = divmod(total, SECONDS_OF_DAY)
    if rest == 0 and days:
        days, rest = days - 1, SECONDS_OF_DAY
    due = calendar.after(day, days).day if days else day
    moment = datetime.combine(due, time(0), WIT) + timedelta(seconds=rest)
    at = int(moment.timestamp())
    return at, not _decreed(calendar, start, at)


def due_of(turns: Sequence[Turn], seconds: int, calendar: Calendar) -> int:
    """When a clock is due that runs, Unix seconds: the same moment until it stands still. Of one
    that stands still, when it was due before; 0 if it never ran."""
    ran = max((n for n, turn in enumerate(turns, 1) if turn.state == "runs"), default=0)
    return read(turns[:ran], seconds, calendar, turns[ran - 1].at).due if ran else 0


def left_at(calendar: Calendar, now: int, seconds: int) -> int:
    """Clocks that run and are due before this moment have less than `seconds` left at `now`; with
    0, they are late. So lists too long to read every history are cut by `due_of`."""
    if seconds > 0:
        return after(calendar, now, seconds)[0]
    here = _here(now)
    if calendar.is_working(here.date()) and _second(here):
        return now
    day = here.date() - timedelta(days=1)
    while not calendar.is_working(day):
        day -= timedelta(days=1)
    return int(datetime.combine(day + timedelta(days=1), time(0), WIT).timestamp())


def turn_of(at: int, status: str) -> Turn:
    """A step to this status, as the clock sees it."""
    state = lifecycle.standing(status).clock if lifecycle.known_status(status) else "runs"
    return Turn(at, state, status)


def _decreed(calendar: Calendar, start: int, end: int) -> bool:
    loaded = {decree.year for decree in calendar.decrees}
    return loaded.issuperset(range(_here(start).year, _here(end).year + 1))


def _here(at: int) -> datetime:
    return datetime.fromtimestamp(at, WIT)


def _second(here: datetime) -> int:
    return here.hour * 3600 + here.minute * 60 + here.second
