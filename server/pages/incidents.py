"""Incidents: forks, holes, work after a loss, restores, refusals: what happened and whose turn it
is, each on one short page, closed with a reason."""

from __future__ import annotations

from typing import Any

from litestar import Response

from models.pages.forms import Form
from models.problems import Problem
from server.incidents import KINDS
from server.pages.drawing import Here
from server.pages.routes import act, show
from server.pages.seen import seen_of

STATES = ("open", "closed")
LINES = 50


def kinds(here: Here) -> list[tuple[str, str]]:
    """(kind, words)."""
    words = {
        "fork": here.say("Cabang ganda"),
        "after-lost": here.say("Catatan sesudah laptop hilang"),
        "hole": here.say("Catatan hilang"),
        "restore": here.say("Pemulihan pusat"),
        "refused": here.say("Catatan ditolak"),
        "code": here.say("Nomor bukti bentrok"),
    }
    return [(kind, words[kind]) for kind in KINDS]


def choices(here: Here) -> dict[str, str]:
    """What may be chosen, in words."""
    return {
        "noted": here.say("Sudah ditangani"),
        "release": here.say("Terima catatan yang menunggu"),
        "discard": here.say("Tolak catatan yang menunggu"),
    }


@show("/incidents")
def listed(here: Here) -> Response[str]:
    """Incidents that are open, oldest first, all kinds or one."""
    wanted, kind, after = here.asked("state", "open"), here.asked("kind"), here.asked("after")
    state = wanted if wanted in STATES else "open"
    kind = kind if kind in KINDS else ""
    rooms = here.central.incidents
    found = rooms.lines(here.me, kind=kind, state=state, after=after if kind else "", limit=LINES)
    return here.page(
        "incidents.html",
        found=rooms.about(here.me, found),
        kinds=kinds(here),
        words=dict(kinds(here)),
        kind=kind,
        state=state,
        after=after,
        more=found[-1].id if kind and len(found) == LINES else "",
    )


@show("/incidents/{case:str}")
def incident(here: Here, case: str) -> Response[str]:
    """One incident."""
    return _draw(here, case)


def _draw(
    here: Here, case: str, problem: Problem | None = None, form: Form | None = None
) -> Response[str]:
    found = here.central.incidents.show(here.me, case, here.lang)
    return here.page(
        "incident.html",
        status=problem.status if problem else 200,
        problem=problem,
        typed=form,
        found=found,
        title=dict(kinds(here))[found.case.kind],
        choices=[(take, choices(here)[take]) for take in found.case.choices],
    )


@act("/incidents/{case:str}")
def close(here: Here, case: str, form: Form) -> Response[Any]:
    """Closed with a reason."""
    try:
        here.central.casework.resolve(
            here.me, case, form.get("take"), form.get("reason"), seen_of(form)
        )
    except Problem as problem:
        return _draw(here, case, problem, form)
    return here.go("/incidents", here.say("Perkara ditutup."))


HANDLERS = [listed, incident, close]
