"""Handing over: documents that wait for their owners, a receipt held to the reader, who gets it."""

from __future__ import annotations

from typing import Any

from litestar import Response

from models.codes import code_list
from models.handover import Given, ways
from models.pages.forms import Form
from models.pages.handover import given_in
from models.pages.uploads import UPLOAD_BYTES_MAX
from models.people import Role
from models.problems import Problem
from server.pages.drawing import Here
from server.pages.routes import act, show
from server.pages.seen import whole_of
from sync.attaching import Photo

LISTED = 200
DAYS = (0, 14, 30, 90)
QR_MAX = 2000
"""Characters of a receipt's QR code, and then some."""


@show("/uncollected")
def uncollected(here: Here) -> Response[str]:
    """Documents nobody came for, the oldest first; and the box for a receipt."""
    return _draw_list(here)


def _draw_list(here: Here, problem: Problem | None = None, typed: str = "") -> Response[str]:
    gives = Role.OPERATOR in here.held
    days = whole_of(here.asked("days") or ("0" if gives else "30"))
    stock, me = here.central.stock, here.me
    return here.page(
        "uncollected.html",
        status=problem.status if problem is not None else 200,
        problem=problem,
        typed=typed,
        gives=gives,
        days=days,
        choices=DAYS,
        lines=stock.uncollected(me, days, LISTED),
        most=LISTED,
        piles=stock.pile(me, "ready_for_handover"),
    )


@act("/handover")
def scanned(here: Here, form: Form) -> Response[Any]:
    """A receipt held to the reader, or its number typed."""
    text = form.get("q")[:QR_MAX]
    try:
        name = here.central.handing.found(here.me, text)
    except Problem as problem:
        return _draw_list(here, problem, text)
    return here.go(f"/requests/{name}/handover")


@show("/requests/{name:str}/handover")
def giving(here: Here, name: str) -> Response[str]:
    """Who gets it. Problem lifecycle.* where it does not lie ready."""
    return _draw(here, name)


@act("/requests/{name:str}/handover", request_max_body_size=UPLOAD_BYTES_MAX)
def give(here: Here, form: Form, name: str) -> Response[Any]:
    """Hand it over. What is refused is said above what was typed."""
    signature = [Photo(one.name, one.data) for one in form.files("signature")]
    given = given_in(form)
    try:
        here.central.handing.give(here.me, name, given, whole_of(form.get("shown")), signature)
    except Problem as problem:
        if problem.code.startswith(("auth.", "lifecycle.", "request.unknown")):
            raise
        return _draw(here, name, problem, given)
    return here.go("/uncollected", here.say("Dokumen sudah diserahkan. Buktinya ada di berkasnya."))


def _draw(
    here: Here, name: str, problem: Problem | None = None, given: Given | None = None
) -> Response[str]:
    ready = here.central.handing.open(here.me, name, here.lang)
    relations = code_list("hubungan_pemohon").codes
    return here.page(
        "handover.html",
        status=problem.status if problem is not None else 200,
        ready=ready,
        given=given or Given("self"),
        relations=[(code, text.say(here.lang)) for code, text in relations.items()],
        ways=ways(here.lang),
        card=ready.card,
        booked=ready.serial,
        old=ready.old,
        problem=problem,
    )


HANDLERS = [uncollected, scanned, giving, give]
