"""The dashboard: panels with charts, the records behind their numbers, files to hand on."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response

from models import regions
from models.people import Act
from models.words import month
from server.auth import areas, sees
from server.dashboard import MONTHS
from server.database.reports import ALWAYS, NEVER
from server.pages import shown
from server.pages.drawing import Here
from server.pages.routes import show
from server.reports import CASES, COUNTED_MAX, ELSEWHERE, Asked, Served
from server.scene import (
    ASSISTED,
    CHANNELS,
    RECORDS,
    SERVED,
    View,
    back,
    case_kind,
    case_page,
    office_kind,
)

MONTHS_BACK = 24


@show("/dashboard")
def dashboard(here: Here) -> Response[str]:
    """Everything that is counted, of a place and some months."""
    view = _view(here)
    found = here.central.dashboard.board(here.me, view, here.lang)
    return here.page(
        "dashboard/board.html",
        board=found,
        view=view,
        about=here.central.dashboard.about(found, here.lang),
        query=_query(view),
        places=_places(here),
        months=[(str(n), here.say("{n} bulan", n=n)) for n in MONTHS],
        lasts=_lasts(here),
    )


@show("/dashboard/charts/{panel:str}")
def chart(here: Here, panel: str) -> Response[bytes]:
    """The picture of one panel."""
    data = here.central.dashboard.chart(here.me, _view(here), panel, here.lang)
    return here.file(data, f"{panel}.svg", inline=True)


@show(RECORDS)
def records(here: Here) -> Response[str]:
    """The requests or cases that a number counts."""
    asked = Asked(
        here.asked("figure"),
        here.asked("place"),
        here.asked("service"),
        here.request.query_params.get("value"),
        here.asked("first"),
        here.asked("last") or ALWAYS,
    )
    reports, start = here.central.reports, here.asked("after")
    of_cases = asked.figure in CASES
    found = (reports.cases if of_cases else reports.members)(here.me, asked, after=start)
    given = msgspec.structs.asdict(asked).items()
    # An empty value is one of its own: what was accepted and never returned.
    plain = {k: v for k, v in given if v is not None and (k == "value" or v not in ("", ALWAYS))}
    first = f"{RECORDS}?{urlencode(plain)}"
    following = f"{first}&{urlencode({'after': found.after})}" if found.after else ""
    return here.page(
        "dashboard/cases.html" if of_cases else "dashboard/records.html",
        found=found,
        asked=asked,
        place=here.say("Luar kota") if asked.place == ELSEWHERE else shown.village(asked.place),
        last=asked.last if asked.last != ALWAYS else "",
        most=COUNTED_MAX,
        kind=lambda kind: case_kind(kind, here.lang),
        page=case_page,
        following=following,
        first=first if start else "",
    )


@show(SERVED)
def served(here: Here) -> Response[str]:
    """Villages of a place, by how many of their people were served within some days."""
    place, first = here.asked("place"), here.asked("first") or NEVER
    last = here.asked("last") or ALWAYS
    found = here.central.reports.served(here.me, place, first, last)

    def address(village: str, kind: str) -> str:
        asked = {"figure": "captured", "place": village, "value": kind, "first": first}
        return f"{RECORDS}?{urlencode(asked | {'last': last})}"

    def helped(one: Served) -> int:
        return sum(one.by.get(kind, 0) for kind in ASSISTED)

    return here.page(
        "dashboard/served.html",
        lines=sorted(found, key=helped, reverse=True),
        active=sum(bool(helped(one)) for one in found),
        kinds=[(kind, office_kind(kind, here.lang)) for kind in CHANNELS],
        address=address,
        lists=here.may(Act.LIST_REQUESTS),
        first=first if first != NEVER else "",
        last=last if last != ALWAYS else "",
    )


@show("/dashboard/board.xlsx")
def as_xlsx(here: Here) -> Response[bytes]:
    """All panels as a spreadsheet."""
    view = _view(here)
    return here.file(here.central.dashboard.xlsx(here.me, view, here.lang), _name(view, "xlsx"))


@show("/dashboard/board.pdf")
def as_pdf(here: Here) -> Response[bytes]:
    """All panels on paper."""
    view = _view(here)
    return here.file(here.central.dashboard.pdf(here.me, view, here.lang), _name(view, "pdf"))


def _view(here: Here) -> View:
    room = here.central.dashboard
    return room.view(here.asked("month"), here.asked("months"), here.asked("place"))


def _query(view: View) -> str:
    asked: dict[str, Any] = msgspec.structs.asdict(view)
    return urlencode({name: value for name, value in asked.items() if value})


def _name(view: View, ending: str) -> str:
    return f"dasbor-{view.place or regions.CITY}-{view.month}.{ending}"


def _places(here: Here) -> list[tuple[str, str]]:
    """Districts, each followed by its villages; of somebody's area alone."""
    whole = here.say("Seluruh wilayah kerja Anda") if areas(here.me) else here.say("Seluruh kota")
    found = [("", whole)]
    for one in regions.districts():
        mine = [v for v in regions.villages_of(one.code) if sees(here.me, v.code)]
        if mine:
            found.append((one.code, here.say("Kecamatan {name}", name=one.name)))
        found += [(v.code, f"\u2003{v.name}") for v in mine]
    return found


def _lasts(here: Here) -> list[tuple[str, str]]:
    newest = here.central.dashboard.view().month
    found = (back(newest, n) for n in range(MONTHS_BACK))
    return [(one, month(one, here.lang)) for one in found]


HANDLERS = [dashboard, chart, records, served, as_xlsx, as_pdf]
