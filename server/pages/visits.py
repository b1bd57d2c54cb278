"""Visits: where the vans go and when, villages that nobody reached, papers and words for it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from litestar import Response

from models import regions
from models.pages.forms import Form
from models.people import Act
from models.problems import Problem
from models.words import DAYS, MONTHS, WIT
from server.database.devices import Device
from server.pages.drawing import Here
from server.pages.routes import act, show
from server.voyagepaper import announcement, order
from server.voyages import STOPS_MAX, TEAM_MAX, Member, Plan, Stop, Voyage

HOME = "/visits"
SPARE_STOPS, SPARE_TEAM = 4, 3
"""Empty lines offered for more."""

Week = list[tuple[date, bool, list[Voyage]]]
"""Days with whether they are of the month, and the voyages of each."""


@show("/visits")
def calendar(here: Here) -> Response[str]:
    """A month of voyages, as a calendar and as a list."""
    month = _month(here.asked("month"), _today(here))
    weeks = _weeks(month)
    voyages = here.central.voyages.between(here.me, weeks[0][0], weeks[-1][-1])
    drawn: list[Week] = [
        [(day, day.month == month.month, _on(voyages, day)) for day in week] for week in weeks
    ]
    return here.page(
        "visits/calendar.html",
        label=f"{MONTHS[here.lang][month.month - 1]} {month.year}",
        days=DAYS[here.lang],
        weeks=drawn,
        voyages=[one for one in voyages if one.last >= month.isoformat()],
        before=(month - timedelta(days=1)).strftime("%Y-%m"),
        after=(month + timedelta(days=32)).strftime("%Y-%m"),
        today=_today(here),
    )


@show("/visits/coverage")
def coverage(here: Here) -> Response[str]:
    """Villages, those that nobody reached longest first."""
    rows = here.central.voyages.coverage(here.me)
    return here.page("visits/coverage.html", rows=rows, gaps=sum(one.gap for one in rows))


@act("/visits/publish")
def publish(here: Here, form: Form) -> Response[Any]:
    """The days go to the laptops."""
    del form
    try:
        published = here.central.voyages.publish(here.me)
    except Problem as problem:
        if problem.code != "reference.nothing":
            raise
        return here.go(HOME, here.say("Laptop sudah mendapat jadwal yang sama."))
    words = here.say("Jadwal terbit sebagai paket {n}. Laptop mendapatnya saat sinkron.",
                     n=published.number)  # fmt: skip
    return here.go(HOME, words)


# -- planning


@show("/visits/new")
def asked(here: Here) -> Response[str]:
    """An empty voyage, or one that begins in a village of the list."""
    _allowed(here)
    village = here.asked("village")
    stop = Stop(here.asked("day"), village)
    return _draw(here, Plan("", (stop,) if village or stop.day else ()), "")


@act("/visits/new")
def plan(here: Here, form: Form) -> Response[Any]:
    """Plan it."""
    return _keep(here, form, "")


@show("/visits/{name:str}")
def voyage(here: Here, name: str) -> Response[str]:
    """One voyage: stops, team, words for the village, and what came of it."""
    one = here.central.voyages.voyage(here.me, name)
    return here.page(
        "visits/voyage.html",
        one=one,
        done=here.central.voyages.outcome(here.me, name),
        announcements=[(stop, announcement(stop, here.lang)) for stop in one.plan.stops],
    )


@show("/visits/{name:str}/change")
def asked_change(here: Here, name: str) -> Response[str]:
    """The voyage, to be changed."""
    _allowed(here)
    one = here.central.voyages.voyage(here.me, name)
    return _draw(here, one.plan, one.device, one)


@act("/visits/{name:str}/change")
def change(here: Here, form: Form, name: str) -> Response[Any]:
    """Keep the changes."""
    return _keep(here, form, name)


@act("/visits/{name:str}/cancel")
def cancel(here: Here, form: Form, name: str) -> Response[Any]:
    """It does not take place."""
    here.central.voyages.cancel(here.me, name, form.get("reason"))
    return here.go(f"{HOME}/{name}", here.say("Perjalanan dibatalkan. Terbitkan jadwal lagi."))


@show("/visits/{name:str}/order.pdf")
def order_paper(here: Here, name: str) -> Response[bytes]:
    """The travel order of the team."""
    from models.printing import pdf  # half a second, and only to print

    one = here.central.voyages.voyage(here.me, name)
    made = order(one, here.central.settings.office_name, _today(here), here.lang)
    return here.file(pdf.pdf(made), f"surat-tugas-{one.first}.pdf", inline=True)


# -- how it is done


def _keep(here: Here, form: Form, name: str) -> Response[Any]:
    typed, device, voyages = _typed(form), form.get("device"), here.central.voyages
    try:
        one = voyages.keep(here.me, typed, device, name, form.get("seen"))
    except Problem as problem:
        if problem.code in ("auth.forbidden", "voyage.unknown"):
            raise
        kept = voyages.voyage(here.me, name) if name else None
        return _draw(here, typed, device, kept, problem)
    return here.go(f"{HOME}/{one.id}", here.say("Perjalanan tersimpan."))


def _typed(form: Form) -> Plan:
    """What was typed, lines that were left empty left out."""
    rows = range(STOPS_MAX + SPARE_STOPS)
    stops = [
        Stop(form.get(f"day|{n}").strip(), form.get(f"village|{n}"), form.get(f"note|{n}"))
        for n in rows
    ]
    team = [
        Member(form.get(f"name|{n}"), form.get(f"number|{n}"), form.get(f"duty|{n}"))
        for n in range(TEAM_MAX + SPARE_TEAM)
    ]
    return Plan(
        form.get("purpose"),
        tuple(one for one in stops if one.day or one.village),
        tuple(one for one in team if one.name.strip()),
        form.get("letter"),
        form.get("ground"),
    )


def _draw(
    here: Here, plan: Plan, device: str, kept: Voyage | None = None, problem: Problem | None = None
) -> Response[str]:
    """kept: the voyage that is changed, as it stands now."""
    empty_stops = [Stop("", "")] * SPARE_STOPS
    return here.page(
        "visits/plan.html",
        status=200 if problem is None else problem.status,
        plan=plan,
        stops=[*plan.stops, *empty_stops][:STOPS_MAX],
        team=[*plan.team, *[Member("")] * SPARE_TEAM][:TEAM_MAX],
        device=device,
        devices=[one.name for one in _devices(here)],
        villages=[
            (one.name, [(v.code, v.name) for v in regions.villages_of(one.code)])
            for one in regions.districts()
        ],
        seen=kept.mark if kept is not None else "",
        action=f"{HOME}/{kept.id}/change" if kept is not None else f"{HOME}/new",
        back=f"{HOME}/{kept.id}" if kept is not None else HOME,
        problem=problem,
    )


def _devices(here: Here) -> list[Device]:
    if not here.may(Act.LIST_DEVICES):
        return []
    return [one.device for one in here.central.fleet.overview(here.me) if one.device.state in GOING]


GOING = ("invited", "active", "suspended")


def _allowed(here: Here) -> None:
    """The form is not shown to who may not send it; the room asks again."""
    if not here.may(Act.PLAN_VOYAGE):
        raise Problem("auth.forbidden", act=Act.PLAN_VOYAGE.value)


def _today(here: Here) -> date:
    return datetime.fromtimestamp(here.central.clock(), UTC).astimezone(WIT).date()


def _month(text: str, today: date) -> date:
    """First day of the month `YYYY-MM`, of this one where that is none, or of no time of ours."""
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
    return month if 2000 <= month.year < 3000 else today.replace(day=1)


def _weeks(month: date) -> list[list[date]]:
    """The weeks, Monday first, that a month touches."""
    day = month - timedelta(days=month.weekday())
    weeks: list[list[date]] = []
    while not weeks or day.month == month.month:
        weeks.append([day + timedelta(days=n) for n in range(7)])
        day += timedelta(days=7)
    return weeks


def _on(voyages: list[Voyage], day: date) -> list[Voyage]:
    text = day.isoformat()
    return [one for one in voyages if any(stop.day == text for stop in one.plan.stops)]


HANDLERS = [
    calendar, coverage, publish, asked, plan, voyage, asked_change, change, cancel, order_paper,
]  # fmt: skip
