"""Desk: what waits for me, the next one, what I have, and the citizen on the telephone."""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.response import Redirect

from models.ids import CODE_SYMBOLS, Code
from models.pages.forms import Form
from models.people import Act
from models.problems import Problem
from server.pages import lists
from server.pages.drawing import Here
from server.pages.routes import act, show

ROOMS = {
    "verified": "/batches",
    "in_batch": "/batches",
    "print_ready": "/print",
    "printed": "/manifests",
    "needs_correction": "/counter",
    "ready_for_handover": "/uncollected",
}
"""Where what waits in a status is worked on; else in the list."""


@show("/")
def desk(here: Here) -> Response[str]:
    """My queues, what I have taken, the lists I keep."""
    work, may = here.central.worklist, here.may(Act.LIST_REQUESTS)
    queues = work.queues(here.me) if may else []
    return here.page(
        "desk.html",
        queues=queues,
        behind=work.behind() if any(one.n for one in queues) else None,
        rooms=ROOMS,
        mine=work.mine(here.me) if may else [],
        kept=lists.kept(here) if may else [],
        matters=_matters(here) if here.may(Act.RESOLVE_CASE) else [],
        may_next=here.may(Act.RESOLVE_CASE),
        waiting=sum(one.n for one in queues),
    )


def _matters(here: Here) -> list[tuple[str, int, str]]:
    """(words, how many, address) of the cases that wait for somebody like who asks."""
    found = here.central.disputes.matters(here.me)
    told = [
        (here.say("Beda data"), found.disputes, "/disputes"),
        (here.say("Berkas ganda"), found.duplicates, "/duplicates"),
    ]
    if here.may(Act.APPROVE_CASE):
        told += [
            (here.say("Menunggu persetujuan kedua"), found.second, "/disputes?state=proposed"),
            (here.say("Ditanyakan ke penyelia"), found.asked, "/disputes?kind=escalated"),
        ]
    return told


@act("/next")
def take_next(here: Here, form: Form) -> Redirect:
    """The oldest that nobody has is mine for ten minutes, and open."""
    taken = here.central.worklist.next(
        here.me, service=form.get("service"), village=form.get("village"), lang=here.lang
    )
    if taken.request is None:
        return here.go("/", here.say("Tidak ada berkas yang menunggu diverifikasi."))
    return Redirect(f"/requests/{taken.request.id}", status_code=303)


@act("/requests/{name:str}/claim")
def claim(here: Here, form: Form, name: str) -> Redirect:
    """Mine for ten minutes; take_over: even if somebody else has it."""
    here.central.worklist.claim(here.me, name, take_over=form.get("take_over") == "yes")
    return Redirect(f"/requests/{name}", status_code=303)


@act("/requests/{name:str}/release")
def release(here: Here, form: Form, name: str) -> Redirect:
    """Mine no more."""
    del form
    here.central.worklist.release(here.me, name)
    return here.go("/", here.say("Berkas dilepas; siapa pun dapat mengambilnya."))


@show("/search")
def ask(here: Here) -> Response[str]:
    """The box alone, for who has no list."""
    return here.page("search.html", q="", lines=None, problem=None, mistyped=None)


@act("/search")
def search(here: Here, form: Form) -> Response[Any]:
    """By tracking code, NIK or name. Nothing of it stands in an address."""
    asked = form.get("q").strip()
    try:
        lines = here.central.worklist.search(here.me, asked)
    except Problem as problem:
        return here.page(
            "search.html",
            status=problem.status,
            q=asked,
            lines=None,
            problem=problem,
            mistyped=None,
        )
    return here.page(
        "search.html", q=asked, lines=lines, problem=None, mistyped=_mistyped(asked, lines)
    )


def _mistyped(asked: str, lines: list[Any]) -> Problem | None:
    """Why what looks like a tracking code is none: said only where nothing was found."""
    plain = "".join(one for one in asked if one.isalnum())
    if lines or len(plain) != CODE_SYMBOLS or plain.isalpha():
        return None
    try:
        Code.parse(asked)
    except Problem as problem:
        return problem
    return Problem("code.not_arrived", code=asked)


HANDLERS = [desk, take_next, claim, release, ask, search]
