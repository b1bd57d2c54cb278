"""Scene: what the panels of the dashboard look at, and what they are made of.

A panel asks for counts that are kept by day and month (`server.figures`): a bounded number of them,
whatever the register holds. Every number that counts requests leads to just those requests: its
cell carries the address of their list.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import msgspec

from models import lifecycle, regions, words
from models.calendar import Calendar
from models.codes import code_list
from models.problems import Problem
from models.services import catalogue
from server.charts import Chart
from server.database.registry import Door
from server.figures import ALL, LEGS, day_of

RECORDS = "/dashboard/records"
CHANNELS = ("van", "village", "central")
SILENT_DAYS = 3
SKEW_SECONDS = 300
SIGNAL_LEAST = 5
"""Requests of a month with one telephone number, or one bringer, from which on they are shown."""
WEEKS = 12
DAY = 86_400


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is looked at. place: a village or district, empty for the city. month: YYYY-MM, the
    last of `months`."""

    month: str
    months: int = 3
    place: str = ""


class Cell(msgspec.Struct, frozen=True):
    """One cell of a table. link: where its records are, empty where there are none to list."""

    words: str
    link: str = ""


class Panel(msgspec.Struct, frozen=True):
    """One matter. said: the same in a sentence or two. numbers: from which column on the cells are
    numbers. note: how it is counted."""

    key: str
    title: str
    said: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    chart: Chart | None = None
    note: str = ""
    numbers: int = 1


class Scene:
    """An open door, what is looked at, in which language. now: Unix seconds."""

    def __init__(self, door: Door, view: View, calendar: Calendar, lang: str, now: int) -> None:
        self.door, self.view, self.calendar, self.lang, self.now = door, view, calendar, lang, now
        self.today = date.fromisoformat(day_of(now))
        self.villages = [one.code for one in regions.villages_of(view.place or regions.CITY)]
        self.places = self.villages if view.place else [ALL]
        self.last_month = view.month
        self.first_month = first_month(view)
        self.first, self.last = f"{self.first_month}-01", end_of(view.month)

    def say(self, msgid: str, **values: Any) -> str:
        return words.say(msgid, self.lang, **values)

    def n(self, value: float, decimals: int | None = None) -> str:
        return words.number(value, self.lang, decimals)

    def percent(self, part: int, whole: int) -> str:
        return f"{self.n(100 * part / whole, 1)} %" if whole else "–"

    # -- counts

    @cached_property
    def monthly(self) -> dict[str, Counter[str]]:
        """figure -> value -> n over the months, for the whole place."""
        names = (
            "arrived",
            "accepted",
            "issued",
            "handed_over",
            "closed",
            "returned",
            "kept",
            *LEGS,
        )
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for figure, line in self.counted(names):
            found[figure][line.value] += line.n
        return found

    def counted(
        self, figures: Collection[str], *, places: Collection[str] = (), each_service: bool = False
    ) -> Iterable[tuple[str, Any]]:
        """Counts by month within the months."""
        return self.door.tallies(
            figures,
            villages=places or self.places,
            services=None if each_service else (ALL,),
            first=self.first_month,
            last=self.last_month,
        )

    def standing(self, figures: Collection[str], **which: Any) -> list[tuple[str, Any]]:
        """What stands so now, by the day since when, whatever the months."""
        return list(
            self.door.tallies(
                figures,
                villages=which.get("places") or self.places,
                services=None if which.get("each_service") else (ALL,),
                first="0000-00-00",
                last="9999-12-31",
            )
        )

    # -- cells

    def records(self, n: int, figure: str, **asked: str) -> Cell:
        """A number that leads to its records."""
        if not n:
            return Cell("0")
        place = asked.pop("place", self.view.place)
        query = {"figure": figure, "place": place, "first": self.first, "last": self.last} | asked
        wanted = {name: text for name, text in query.items() if text or name == "value"}
        return Cell(self.n(n), f"{RECORDS}?{urlencode(wanted)}")

    def hours(self, hours: int | None) -> Cell:
        """A time in the unit that fits."""
        if hours is None:
            return Cell("–")
        if hours < 72:
            return Cell(words.say_n("{n} jam", hours, self.lang))
        return Cell(words.say_n("{n} hari", hours // 24, self.lang))


# -- small parts


def promised_days(service: str) -> int:
    """Working days in which a service is promised; 0 where nothing is promised in hours."""
    try:
        standard = catalogue().service(service).standard
    except Problem:
        return 0
    return max(1, -(-int(standard.hours) // 24)) if standard is not None else 0


def title_of(service: str, lang: str) -> str:
    """What a service is called."""
    try:
        return catalogue().service(service).title.say(lang)
    except Problem:
        return service


def case_kind(kind: str, lang: str) -> str:
    """What a kind of case is called."""
    names = {
        "dispute": words.say("Konflik isian", lang),
        "duplicate": words.say("Berkas ganda", lang),
        "identity": words.say("Data orang bertentangan", lang),
        "fork": words.say("Laptop bercabang", lang),
        "after-lost": words.say("Sesudah laptop hilang", lang),
        "hole": words.say("Nomor yang hilang", lang),
        "refused": words.say("Perubahan yang ditolak", lang),
        "code": words.say("Nomor bukti kembar", lang),
        "restore": words.say("Pemulihan pusat", lang),
    }
    return names.get(kind, kind)


def bucket_of(waited: int, promised: int) -> str:
    """Which part of the promised days is over; all is fresh where none are promised."""
    if not promised:
        return "fresh"
    part = waited / promised
    return "fresh" if part < 0.25 else "half" if part < 0.75 else "near" if part <= 1 else "over"


def name_of(code: str) -> str:
    """What a region is called."""
    found = regions.regions().get(code)
    return found.name if found is not None else code


def place_link(view: View, code: str) -> str:
    """The same dashboard of another place."""
    return f"/dashboard?{urlencode({'place': code, 'month': view.month, 'months': view.months})}"


def first_month(view: View) -> str:
    """The first month that is looked at."""
    return back(view.month, view.months - 1)


def back(month: str, count: int) -> str:
    """The month so many months before."""
    number = int(month[:4]) * 12 + int(month[5:]) - 1 - count
    return f"{number // 12:04}-{number % 12 + 1:02}"


def end_of(month: str) -> str:
    """The last day of a month."""
    following = date.fromisoformat(f"{back(month, -1)}-01")
    return (following - timedelta(1)).isoformat()


def monday(day: str) -> str:
    """The Monday of that week, ISO."""
    when = date.fromisoformat(day)
    return (when - timedelta(when.weekday())).isoformat()


def weeks_of(first: str, last: str) -> list[str]:
    """The Mondays of the weeks that touch these days."""
    day, found = date.fromisoformat(monday(first)), []
    while day.isoformat() <= last:
        found.append(day.isoformat())
        day += timedelta(7)
    return found


def figure_name(figure: str, lang: str) -> str:
    """What a figure counts."""
    names = {
        "captured": words.say("Warga dilayani", lang),
        "arrived": words.say("Berkas masuk", lang),
        "accepted": words.say("Berkas disetujui", lang),
        "returned": words.say("Berkas dikembalikan", lang),
        "issued": words.say("Dokumen terbit", lang),
        "handed_over": words.say("Dokumen diserahkan", lang),
        "closed": words.say("Berkas selesai", lang),
        "open": words.say("Berkas terbuka", lang),
        "running": words.say("Berkas yang jamnya berjalan", lang),
        "uncollected": words.say("Dokumen belum diambil", lang),
        "phone": words.say("Nomor HP yang sama", lang),
        "bringer": words.say("Pembawa yang sama (kuasa)", lang),
    }
    return names.get(figure, figure)


def value_name(value: str, figure: str, lang: str) -> str:
    """What a figure is counted by, where it is by something."""
    if figure == "returned":
        return code_list("alasan_perbaikan").label(value, lang)
    if figure in ("open", "closed") and lifecycle.known_status(value):
        return lifecycle.standing(value).office.words(lang)
    return office_kind(value, lang)


def office_kind(kind: str, lang: str) -> str:
    """What an office of that kind is called."""
    names = {
        "van": words.say("Mobil keliling", lang),
        "village": words.say("Kantor desa", lang),
        "central": words.say("Kantor Dukcapil", lang),
    }
    return names.get(kind, kind)
