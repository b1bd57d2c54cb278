"""Working days: weekends, holidays of fixed date, and those that a decree dates each year.

Terms in working days (complaints, local standards) need this; the registration deadlines of the
law stay calendar days. The movable holidays are not computed: each year a joint decree of three
ministers gives their dates, and the office loads it as a small TOML file. Without the decree of a
year the answer is marked as an estimate ("perkiraan"), because it can only be too early.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from importlib import resources

import msgspec

from models.problems import Problem

SATURDAY, SUNDAY = 5, 6


class Fixed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A holiday on the same day each year."""

    month: int
    day: int
    id: str
    en: str


class Movable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A holiday whose date a decree gives. days: how many it usually has, None if it varies."""

    code: str
    id: str
    en: str
    days: int | None = None


class Holidays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known without a decree."""

    fixed: tuple[Fixed, ...]
    movable: tuple[Movable, ...]


class Off(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One day off in a decree. holiday: a code of the movable ones, or `local` with own words."""

    date: date
    holiday: str
    words: str = ""


class Decree(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The dates of one year as loaded by the office. reference: number and date of the decree."""

    year: int
    reference: str
    off: tuple[Off, ...]


class Due(msgspec.Struct, frozen=True):
    """A day some working days away; estimated while a decree of that time is missing."""

    day: date
    estimated: bool


class Calendar(msgspec.Struct, frozen=True):
    """The working days of one office. saturdays: whether it works on Saturdays."""

    decrees: tuple[Decree, ...] = ()
    saturdays: bool = False

    def over(self, decrees: tuple[Decree, ...]) -> Calendar:
        """This calendar with these decrees for the years it has none of."""
        own = {one.year for one in self.decrees}
        more = tuple(one for one in decrees if one.year not in own)
        return msgspec.structs.replace(self, decrees=(*self.decrees, *more))

    def is_working(self, day: date) -> bool:
        """Whether people work that day, as far as is known."""
        if day.weekday() == SUNDAY or (day.weekday() == SATURDAY and not self.saturdays):
            return False
        if any((day.month, day.day) == (one.month, one.day) for one in holidays().fixed):
            return False
        return not any(day == off.date for decree in self.decrees for off in decree.off)

    def after(self, start: date, days: int) -> Due:
        """The day that many working days after `start`; 0 is the first working day from it on."""
        day = start
        while not self.is_working(day):
            day += timedelta(days=1)
        for _ in range(days):
            day += timedelta(days=1)
            while not self.is_working(day):
                day += timedelta(days=1)
        return Due(day, not self._decreed(start, day))

    def between(self, start: date, end: date) -> int:
        """Working days after `start` up to and including `end`; 0 if `end` is not later."""
        span = (end - start).days
        return sum(self.is_working(start + timedelta(days=one + 1)) for one in range(span))

    def _decreed(self, start: date, end: date) -> bool:
        loaded = {one.year for one in self.decrees}
        return loaded.issuperset(range(start.year, end.year + 1))


@cache
def holidays() -> Holidays:
    """The packaged list."""
    text = resources.files("models").joinpath("data/holidays.toml").read_bytes()
    return msgspec.toml.decode(text, type=Holidays)


def read_decree(text: str) -> Decree:
    """A decree as the office writes it down; `calendar.decree` names what is wrong with it.

    `year = 2027`, `reference = "..."`, then for each day `[[off]]` with `date` and `holiday`.
    """
    try:
        decree = msgspec.toml.decode(text, type=Decree)
    except msgspec.DecodeError as error:
        raise Problem("calendar.decree", why=str(error)) from error
    known = {one.code for one in holidays().movable} | {"local"}
    for off in decree.off:
        if off.date.year != decree.year:
            raise Problem("calendar.decree", why=f"{off.date} != {decree.year}")
        if off.holiday not in known or (off.holiday == "local" and not off.words):
            raise Problem("calendar.decree", why=f"{off.date}: {off.holiday}")
    return decree
