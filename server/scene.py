"""Scene: what the panels of the dashboard look at, and what they are made of.

A panel asks for counts that are kept by day and month (`server.figures`): a bounded number of them,
whatever the register holds. Every number that counts requests, cases or villages leads to just
those: its cell carries the address of their list, where the reader may open it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from functools import cached_property
from string import Formatter
from typing import Any
from urllib.parse import urlencode

import msgspec

from models import lifecycle, regions, words
from models.calendar import Calendar
from models.codes import code_list
from models.people import Act, may
from models.problems import Problem
from models.services import catalogue
from server.auth import roles
from server.charts import Chart
from server.database.people import Person
from server.database.registry import Door
from server.figures import ALL, KEPT, LEGS, UNKNOWN, day_of
from server.reports import CASES

RECORDS, SERVED = "/dashboard/records", "/dashboard/served"
CHANNELS = ("van", "village", "central")
ASSISTED = ("van", "village")
"""Roads on which somebody helps outside the office."""
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
    """One matter. told: the same in a sentence or two, piece by piece. numbers: from which column
    on the cells are numbers, until: up to which. note: how it is counted."""

    key: str
    title: str
    told: Sequence[Cell]
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    chart: Chart | None = None
    note: str = ""
    numbers: int = 1
    until: int = 99

    @property
    def said(self) -> str:
        """The sentences in one."""
        return "".join(one.words for one in self.told)


def rights_of(me: Person) -> frozenset[Act]:
    """What somebody may do: where numbers lead depends on it."""
    return frozenset(act for act in Act if may(roles(me), act))


class Scene:
    """An open door, who looks, at what, in which language. within: the villages that are counted,
    none for the whole city. now: Unix seconds.

    Who works for an area is shown the figures of that area: every number is then of just the
    requests that its list shows them."""

    def __init__(
        self,
        door: Door,
        me: Person,
        view: View,
        within: Sequence[str],
        calendar: Calendar,
        lang: str,
        now: int,
    ) -> None:
        self.door, self.me, self.view, self.calendar = door, me, view, calendar
        self.lang, self.now, self.rights = lang, now, rights_of(me)
        self.today = date.fromisoformat(day_of(now))
        self.within = list(within)
        self.villages = self.within or [one.code for one in regions.villages()]
        self.places = self.within or [ALL]
        self.last_month = view.month
        self.first_month = first_month(view)
        self.first, self.last = f"{self.first_month}-01", end_of(view.month)

    def say(self, msgid: str, **values: Any) -> str:
        return words.say(msgid, self.lang, **values)

    def n(self, value: float, decimals: int | None = None) -> str:
        return words.number(value, self.lang, decimals)

    def tell(self, template: str, **values: Cell | str | int) -> list[Cell]:
        """A sentence in pieces: what stands for its {places} may lead somewhere."""
        found = []
        for text, name, _, _ in Formatter().parse(template):
            value = values[name] if name else ""
            found += [Cell(text), value if isinstance(value, Cell) else Cell(str(value))]
        return [one for one in found if one.words]

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
        """What stands so now, by the day since when (by the hour: `hours`), whatever the months."""
        hour = "T00" if which.get("hours") else ""
        return list(
            self.door.tallies(
                figures,
                villages=which.get("places") or self.places,
                services=None if which.get("each_service") else (ALL,),
                first=f"0000-00-00{hour}",
                last=f"9999-12-31{hour}",
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
        act = Act.READ_CASE if figure in CASES else Act.LIST_REQUESTS
        return self.led(self.n(n), f"{RECORDS}?{urlencode(wanted)}", act)

    def opened(self, n: int) -> Cell:
        """How many requests are open now."""
        return self.records(n, "open", first="", last="")

    def led(self, text: str, link: str, act: Act) -> Cell:
        """Words that lead somewhere, for whom may do that there."""
        return Cell(text, link if act in self.rights else "")

    def hours(self, hours: int | None) -> Cell:
        """A time in the unit that fits."""
        if hours is None:
            return Cell("–")
        if hours < 72:
            return Cell(words.say_n("{n} jam", hours, self.lang))
        return Cell(words.say_n("{n} hari", hours // 24, self.lang))


# -- small parts


def title_of(service: str, lang: str) -> str:
    """What a service is called."""
    try:
        return catalogue().service(service).title.say(lang)
    except Problem:
        return service


def case_page(kind: str) -> str:
    """Where a case of that kind is opened; other kinds than these are incidents."""
    return _CASE_PAGES.get(kind, "incidents")


_CASE_PAGES = {
    "dispute": "disputes",
    "escalated": "escalations",
    "duplicate": "duplicates",
    "identity": "duplicates",
}


def case_kind(kind: str, lang: str) -> str:
    """What a kind of case is called."""
    names = {
        "dispute": words.say("Konflik isian", lang),
        "duplicate": words.say("Berkas ganda", lang),
        "identity": words.say("Data orang bertentangan", lang),
        "fork": words.say("Cabang ganda", lang),
        "after-lost": words.say("Catatan sesudah laptop hilang", lang),
        "hole": words.say("Catatan hilang", lang),
        "refused": words.say("Catatan ditolak", lang),
        "code": words.say("Nomor bukti bentrok", lang),
        "restore": words.say("Pemulihan pusat", lang),
        "escalated": words.say("Ditanyakan ke penyelia", lang),
    }
    return names.get(kind, kind)


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
        "backlog": words.say("Berkas yang masih terbuka", lang),
        "served": words.say("Warga yang masih menunggu, sejak dilayani", lang),
        "road": words.say("Berkas masuk yang waktu dilayaninya diketahui", lang),
        "running": words.say("Berkas yang jamnya berjalan, menurut batas janji", lang),
        "paused": words.say("Berkas yang jamnya berhenti", lang),
        "uncollected": words.say("Dokumen belum diambil", lang),
        "phone": words.say("Nomor HP yang sama", lang),
        "bringer": words.say("Pembawa yang sama (kuasa)", lang),
        "targets": words.say("Permohonan dari daftar sasaran", lang),
        "case_opened": words.say("Perkara dibuka", lang),
        "case_closed": words.say("Perkara diputus", lang),
        "case_open": words.say("Perkara terbuka sekarang", lang),
    }
    return names.get(figure, figure)


def value_name(value: str, figure: str, lang: str) -> str:
    """What a figure is counted by, where it is by something; by several of it, separated by
    commas."""
    if "," in value:
        return ", ".join(value_name(one, figure, lang) for one in value.split(","))
    if figure in CASES:
        return case_kind(value, lang)
    if figure == "served":
        return words.say("waktu dilayani tidak diketahui", lang) if value == UNKNOWN else ""
    if figure == "running":
        return words.say("janji {n} jam kerja", lang, n=promised_hours(value, lang))
    if figure == "issued":
        return words.say("dalam janji", lang) if value == KEPT else words.say("lewat janji", lang)
    if figure == "accepted":
        return (
            words.say("pernah dikembalikan", lang)
            if value
            else words.say("tanpa pernah dikembalikan", lang)
        )
    if figure == "returned":
        return code_list("alasan_perbaikan").label(value, lang)
    if figure in ("open", "closed", "backlog") and lifecycle.known_status(value):
        return lifecycle.standing(value).office.words(lang)
    return office_kind(value, lang)


def promised_hours(seconds: str, lang: str) -> str:
    """How many hours a promise is, in figures."""
    hours = int(seconds) / 3600 if seconds.isdecimal() and len(seconds) < 9 else 0.0
    return words.number(int(hours) if hours.is_integer() else hours, lang)


def office_kind(kind: str, lang: str) -> str:
    """What an office of that kind is called."""
    names = {
        "van": words.say("Mobil keliling", lang),
        "village": words.say("Kantor desa", lang),
        "central": words.say("Kantor Dukcapil", lang),
    }
    return names.get(kind, kind)
