"""Lists: requests by what is asked for, page by page; lists people keep, work that is given out,
and the same as a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response

from models import lifecycle, regions
from models.pages.forms import Form
from models.people import Act
from models.problems import Problem
from models.services import catalogue
from models.words import number
from server.auth import sees
from server.pages import shown
from server.pages.drawing import Here
from server.pages.routes import act, show
from server.sheets import RequestLine
from server.spreadsheets import csv_file, xlsx_file
from server.worklist import Filter, SavedFilter

LINES = 50
KINDS = ("xlsx", "csv")
NAMES = tuple(field.name for field in msgspec.structs.fields(Filter))
VALUES = {
    "cases": ("", "with", "without"),
    "held": ("", "mine", "taken", "free"),
    "age": ("", "late"),
    "order": ("", "newest"),
}


@show("/requests")
def requests(here: Here) -> Response[str]:
    """One page of a list."""
    wanted = _wanted({name: here.asked(name) for name in NAMES})
    return _draw(here, wanted, here.asked("after"))


def _draw(
    here: Here, wanted: Filter, after: str = "", problem: Problem | None = None
) -> Response[str]:
    work = here.central.worklist
    lines = work.lines(here.me, wanted, after=after, limit=LINES + 1, clocked=True)
    more = len(lines) > LINES
    lines = lines[:LINES]
    may_give = here.may(Act.APPROVE_CASE)
    query = address(wanted)
    return here.page(
        "requests.html",
        status=200 if problem is None else problem.status,
        problem=problem,
        wanted=wanted,
        lines=lines,
        next_page=address(wanted, after=lines[-1].request.id) if more else "",
        first_page=query if after else "",
        options=_options(here),
        kept=kept(here),
        colleagues=[(c.login, c.name) for c in work.colleagues(here.me)] if may_give else [],
    )


@act("/requests/lists")
def keep(here: Here, form: Form) -> Response[Any]:
    """Keep a list under a name, or forget one."""
    wanted = _wanted({name: form.get(name) for name in NAMES})
    if form.get("forget"):
        here.central.worklist.forget(here.me, form.get("forget"))
        return here.go(address(wanted), here.say("Daftar tidak disimpan lagi."))
    try:
        here.central.worklist.keep(here.me, form.get("name"), wanted)
    except Problem as problem:
        return _draw(here, wanted, problem=problem)
    return here.go(address(wanted), here.say("Daftar tersimpan dan ada di meja kerja Anda."))


@act("/requests/assign")
def assign(here: Here, form: Form) -> Response[Any]:
    """Give what was ticked, or everything in the list, to a colleague for the day."""
    wanted = _wanted({name: form.get(name) for name in NAMES})
    work, login, picked = here.central.worklist, form.get("login"), form.all("pick")
    try:
        if form.get("all") == "yes":
            n = work.assign_all(here.me, wanted, login)
        elif picked:
            n = work.assign(here.me, picked, login)
        else:
            raise Problem("work.none_picked")
    except Problem as problem:
        return _draw(here, wanted, problem=problem)
    told = here.say("{n} berkas dibagikan.", n=number(n, here.lang))
    return here.go(address(wanted), told)


@act("/requests/export")
def export(here: Here, form: Form) -> Response[Any]:
    """The whole list as a file. That it was taken stands in the trail."""
    wanted = _wanted({name: form.get(name) for name in NAMES})
    kind = form.get("kind")
    if kind not in KINDS:
        raise Problem("page.malformed")
    lines = here.central.worklist.export(here.me, wanted)
    heads, rows = _heads(here), [_cells(here, one) for one in lines]
    if kind == "csv":
        return here.file(csv_file(heads, rows), "berkas.csv")
    return here.file(xlsx_file([(here.say("Berkas"), heads, rows)]), "berkas.xlsx")


def address(wanted: Filter, **more: str) -> str:
    """Where this list is."""
    asked = {name: getattr(wanted, name) for name in NAMES} | more
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"/requests?{query}" if query else "/requests"


def kept(here: Here) -> list[tuple[SavedFilter, str]]:
    """The lists this person keeps, each with its address."""
    return [(one, address(one.filter)) for one in here.central.worklist.filters(here.me)]


def _wanted(asked: dict[str, str]) -> Filter:
    """The filter of an address or form; a value that is none of those there are is left out."""
    for name, values in VALUES.items():
        if asked[name] not in values:
            asked[name] = ""
    if not lifecycle.known_status(asked["status"]):
        asked["status"] = ""
    return Filter(**asked)


def _options(here: Here) -> dict[str, list[tuple[str, str]]]:
    """What may be chosen in each filter: (code, words)."""
    lang = here.lang
    statuses = [
        (str(one), shown.status(one, lang))
        for one in lifecycle.Status
        if lifecycle.known_status(one) and lifecycle.standing(one).place != "field"
    ]
    services = sorted(
        ((one.slug, one.title.say(lang)) for one in catalogue().services()), key=lambda one: one[1]
    )
    return {"status": statuses, "service": services, "village": _places(here)}


def _places(here: Here) -> list[tuple[str, str]]:
    """Districts with their villages below them, as far as they are this person's."""
    found: list[tuple[str, str]] = []
    for district in regions.districts():
        villages = [one for one in regions.villages_of(district.code) if sees(here.me, one.code)]
        if villages and sees(here.me, district.code):
            found.append((district.code, here.say("Kecamatan {name}", name=district.name)))
        found += [(one.code, f"– {one.name}, {district.name}") for one in villages]
    return found


def _heads(here: Here) -> Sequence[str]:
    return (
        here.say("Nomor bukti"),
        here.say("Nama"),
        here.say("NIK"),
        here.say("Layanan"),
        here.say("Tahap"),
        here.say("Desa atau kelurahan"),
        here.say("Sampai di pusat"),
        here.say("Perkara terbuka"),
    )


def _cells(here: Here, one: RequestLine) -> Sequence[str]:
    return (
        one.code,
        one.name,
        one.nik,
        shown.service(one.service, here.lang),
        shown.status(one.status, here.lang),
        shown.village(one.village),
        shown.moment(one.created_at),
        str(one.cases),
    )


HANDLERS = [requests, keep, assign, export]
