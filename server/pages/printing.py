"""Printing: what is ready to print by village, on which blank it was printed, and the book of
blanks."""

from __future__ import annotations

from typing import Any

from litestar import Response

from models.pages.forms import Form
from models.people import Act
from models.problems import Problem
from server.pages.drawing import Here
from server.pages.routes import act, show
from server.pages.seen import seen_of
from server.stock import KINDS

LINES = 50
STATES = ("stock", "used", "spoiled")
CARDS = {"ktp": "KTP-el", "kia": "KIA"}
"""Kinds of blanks, as the cards are called."""


def states(here: Here) -> dict[str, str]:
    """How a blank stands, in words."""
    return {
        "stock": here.say("Ada di stok"),
        "used": here.say("Terpakai"),
        "spoiled": here.say("Rusak"),
    }


# -- what is ready to print


@show("/print")
def ready(here: Here) -> Response[str]:
    """Documents ready to print, by village."""
    return _ready(here)


def _ready(here: Here, problem: Problem | None = None, form: Form | None = None) -> Response[str]:
    village, after = here.asked("village"), here.asked("after")
    stock, me = here.central.stock, here.me
    lines = stock.to_print(me, village=village, after=after, limit=LINES)
    return here.page(
        "print.html",
        status=problem.status if problem else 200,
        problem=problem,
        wrong=form.get("request") if form else "",
        serial=form.get("serial") if form else "",
        piles=stock.pile(me, "print_ready"),
        left=_left(here),
        kinds=CARDS,
        village=village,
        after=after,
        lines=lines,
        more=lines[-1].request.id if len(lines) == LINES else "",
        seen=stock.seen(),
    )


def _left(here: Here) -> dict[str, int]:
    """Kind -> blanks in stock."""
    counts = here.central.stock.counts(here.me)
    return {
        kind: sum(c.n for c in counts if (c.kind, c.state) == (kind, "stock")) for kind in KINDS
    }


@act("/print")
def printed(here: Here, form: Form) -> Response[Any]:
    """One document was printed, on this blank."""
    serial = form.get("serial").strip()
    try:
        here.central.stock.print(here.me, form.get("request"), serial, seen_of(form))
    except Problem as problem:
        return _ready(here, problem, form)
    told = here.say("Tercatat pada blangko {serial}.", serial=serial.upper())
    plain = here.say("Tercatat dicetak pada kertas biasa.")
    village = form.get("village")
    return here.go(f"/print?village={village}" if village else "/print", told if serial else plain)


# -- the book of blanks


@show("/blanks")
def blanks(here: Here) -> Response[str]:
    """The book: in numbers, and line by line."""
    return _book(here)


def _book(here: Here, problem: Problem | None = None, form: Form | None = None) -> Response[str]:
    kind, state, after = here.asked("kind"), here.asked("state"), here.asked("after")
    stock, me = here.central.stock, here.me
    kind, state = kind if kind in KINDS else "", state if state in STATES else ""
    book = stock.book(me, kind=kind, state=state, after=after, limit=LINES)
    counts = stock.counts(me)
    return here.page(
        "blanks.html",
        status=problem.status if problem else 200,
        problem=problem,
        typed=form,
        counts={k: {c.state: c.n for c in counts if c.kind == k} for k in KINDS},
        kinds=CARDS,
        states=states(here),
        kind=kind,
        state=state,
        after=after,
        book=book,
        more=book[-1].blank.serial if len(book) == LINES else "",
        may=here.may(Act.STOCK),
    )


@act("/blanks/receive")
def receive(here: Here, form: Form) -> Response[Any]:
    """A lot of blanks came."""
    try:
        n = here.central.stock.receive(
            here.me, form.get("kind"), form.get("first"), form.get("last")
        )
    except Problem as problem:
        return _book(here, problem, form)
    return here.go("/blanks", here.say("{n} blangko diterima ke buku stok.", n=n))


@act("/blanks/spoil")
def spoil(here: Here, form: Form) -> Response[Any]:
    """A blank is spoiled."""
    serial = form.get("serial")
    try:
        here.central.stock.spoil(here.me, serial, form.get("reason"))
    except Problem as problem:
        return _book(here, problem, form)
    told = here.say("Blangko {serial} tercatat rusak.", serial=serial.strip().upper())
    return here.go("/blanks", told)


@act("/blanks/find")
def find(here: Here, form: Form) -> Response[Any]:
    """What became of one blank."""
    try:
        found = here.central.stock.find(here.me, form.get("serial"))
    except Problem as problem:
        return _book(here, problem, form)
    return here.page("blank.html", found=found, states=states(here), kinds=CARDS)


HANDLERS = [ready, printed, blanks, receive, spoil, find]
