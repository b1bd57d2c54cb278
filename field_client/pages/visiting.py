"""Visiting: a day out by pages: chosen, its queue called, blanks counted, closed with a recap."""

from __future__ import annotations

from typing import Any

from litestar import Response

from field_client import stock, visit
from field_client.pages.drawing import Here
from field_client.pages.papers import pdf_page
from field_client.pages.routes import act, show
from field_client.printing import lists, prints
from field_client.visit import Plan
from models import regions
from models.pages.forms import Form
from models.problems import Problem

NAMES_SHOWN = 200


@show("/visit")
def today(here: Here) -> Response[str]:
    """The visit that is open with its queue, or where the next one goes."""
    now = visit.current(here.store)
    if now is None:
        return _choose(here, Plan(_usual(here)))
    return _draw(here, now)


@act("/visit")
def start(here: Here, form: Form) -> Response[Any]:
    """Open a visit."""
    wanted = form.get("target").strip()
    plan = Plan(
        form.get("village"),
        form.get("kind"),
        form.get("venue"),
        tuple(form.get("team").replace("\n", ",").split(",")),
        int(wanted) if wanted.isdecimal() and len(wanted) < 9 else -1 if wanted else 0,
    )
    try:
        visit.start(here.desk, plan)
    except Problem as problem:
        if problem.code == "visit.open":
            raise
        return _choose(here, plan, problem, form.get("team"))
    return here.go("/visit", here.say("Kegiatan dibuka."))


@act("/visit/number")
def give(here: Here, form: Form) -> Response[Any]:
    """A number for somebody who came."""
    ticket = visit.take_number(here.desk, first=form.get("line") == visit.FIRST)
    return here.go("/visit", here.say("Nomor antrean: {number}", number=ticket.name))


@act("/visit/slip")
def slip(here: Here, form: Form) -> Response[bytes]:
    """The number on paper. Problem visit.ticket."""
    now, name = visit.opened(here.store), form.get("number")
    found = [one for one in here.store.visits.tickets(now.number) if one.name == name]
    if not found:
        raise Problem("visit.ticket", number=name[:20])
    made = prints.practised(here.desk, visit.ticket_paper(found[0], here.lang))
    return pdf_page(made.name, prints.drawn([made], "58", ".pdf"))


@act("/visit/call")
def call(here: Here, form: Form) -> Response[Any]:
    """Call the next, or say of one who was called whether they came."""
    wish, name = form.get("do"), form.get("number")
    if wish == "next":
        told = here.say("Panggil {number}", number=visit.call_next(here.desk).name)
    else:
        ticket = visit.settle(here.desk, name, wish)
        told = {
            visit.CALLED: here.say("Panggil {number}", number=ticket.name),
            visit.DONE: here.say("{number} selesai dilayani.", number=ticket.name),
        }.get(wish, here.say("{number} tidak hadir.", number=ticket.name))
    return here.go("/visit", told)


@act("/visit/stock")
def blanks(here: Here, form: Form) -> Response[Any]:
    """Blank cards that came, were used, were spoiled or went back. Problems stock.*."""
    count = form.get("count")
    n = int(count) if count.isdecimal() and len(count) < 9 else 0
    at, who = here.desk.facts().at, here.desk.operator.name
    line = stock.moved(at, who, form.get("kind"), form.get("act"), n, form.get("why"))
    left = stock.note(here.store, line).left
    told = here.say("Blangko {kind}: sisa {n}.", kind=line.kind, n=left)
    return here.go("/visit", told)


@show("/visit/targets")
def targets(here: Here) -> Response[str]:
    """Who should be recorded here, by the village's list; names in full, and that is noted."""
    now = visit.opened(here.store)
    found = visit.target(here.desk, now)
    here.desk.note_reveal("page targets")
    people = found.names if found is not None else ()
    served = [one for one in people if found is not None and one[0] in found.served]
    return here.page(
        "targets.html",
        found=found,
        village=regions.full_name(now.plan.village),
        people=people[:NAMES_SHOWN],
        more=max(0, len(people) - NAMES_SHOWN),
        served=len(served),
        count=len(people),
    )


@act("/visit/close")
def close(here: Here, form: Form) -> Response[Any]:
    """End the day. What was not sent or not finished stays, and is stated."""
    del form
    visit.close(here.desk)
    told = here.say("Kegiatan ditutup. Cetak rekap dan minta tanda tangan kepala desa.")
    return here.go("/visit", told)


@act("/visit/recap")
def recap(here: Here, form: Form) -> Response[bytes]:
    """The recap of a visit, to be signed. Problem visit.none."""
    known = [visit.current(here.store), *visit.before(here.store)]
    found = [one for one in known if one is not None and str(one.number) == form.get("visit")]
    if not found:
        raise Problem("visit.none")
    here.desk.note_reveal("print recap")
    told = visit.recap(here.desk, found[0], here.lang)
    made = prints.practised(here.desk, lists.recap(told, here.lang))
    return pdf_page(made.name, prints.drawn([made], "a4"))


def _usual(here: Here) -> str:
    """The village this laptop is for, where it is for one."""
    villages = here.desk.invitation().villages
    return villages[0] if len(villages) == 1 else ""


def _choose(
    here: Here, plan: Plan, problem: Problem | None = None, team: str = ""
) -> Response[str]:
    return here.page(
        "visit_start.html",
        422 if problem is not None else 200,
        plan=plan,
        team=team,
        told_problem=[problem.words(here.lang)] if problem is not None else [],
        areas=[(one, regions.villages_of(one.code)) for one in regions.districts()],
        kinds=[(kind, visit.kind_words(kind, here.lang)) for kind in visit.KINDS],
        before=[(one, regions.full_name(one.plan.village)) for one in visit.before(here.store, 5)],
    )


def _draw(here: Here, now: visit.Visit) -> Response[str]:
    tickets = here.store.visits.tickets(now.number)
    return here.page(
        "visit.html",
        visit=now,
        village=regions.full_name(now.plan.village),
        kind=visit.kind_words(now.plan.kind, here.lang),
        counts=visit.counts(here.desk, now),
        called=[one for one in tickets if one.state == visit.CALLED],
        waiting=[one for one in tickets if one.state == "waiting"],
        absent=[one for one in tickets if one.state == visit.ABSENT],
        stock=stock.balances(here.store),
        acts=[
            ("spoil", here.say("Rusak")),
            ("use", here.say("Dipakai")),
            ("receive", here.say("Diterima")),
            ("return", here.say("Dikembalikan")),
        ],
    )


HANDLERS = [today, start, give, slip, call, blanks, targets, close, recap]
