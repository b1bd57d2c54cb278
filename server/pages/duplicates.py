"""Duplicates: pairs that look like one person's, beside each other, and what is done about them."""

from __future__ import annotations

from typing import Any

from litestar import Response

from models.pages.forms import Form
from models.problems import Problem
from server.pages.drawing import Here
from server.pages.routes import act, show
from server.pages.seen import seen_of

STATES = ("open", "closed")
LINES = 50


@show("/duplicates")
def listed(here: Here) -> Response[str]:
    """Pairs that wait, oldest first; or those that were decided."""
    return _list(here)


def _list(here: Here, problem: Problem | None = None, form: Form | None = None) -> Response[str]:
    wanted = here.asked("state", "open")
    state = wanted if wanted in STATES else "open"
    kind = "identity" if here.asked("kind") == "identity" else "duplicate"
    after = here.asked("after")
    found = here.central.duplicates.cases(here.me, kind=kind, state=state, after=after, limit=LINES)
    return here.page(
        "duplicates.html",
        status=problem.status if problem else 200,
        problem=problem,
        typed=form,
        state=state,
        kind=kind,
        found=found,
        after=after,
        more=found[-1].case.id if len(found) == LINES else "",
    )


@act("/duplicates")
def put(here: Here, form: Form) -> Response[Any]:
    """Two numbers that somebody holds to be one matter become a pair to be decided."""
    try:
        case = here.central.duplicates.put(here.me, form.get("one"), form.get("other"))
    except Problem as problem:
        return _list(here, problem, form)
    return here.go(f"/duplicates/{case}")


@show("/duplicates/{case:str}")
def pair(here: Here, case: str) -> Response[str]:
    """One pair: what agrees and how, the answers side by side, and the decision."""
    return _draw(here, case)


def _draw(
    here: Here, case: str, problem: Problem | None = None, form: Form | None = None
) -> Response[str]:
    found = here.central.duplicates.pair(here.me, case, here.lang)
    names = [one.code or one.id[:8] for one in found.requests]
    return here.page(
        "pair.html",
        status=problem.status if problem else 200,
        problem=problem,
        typed=form,
        pair=found,
        names=names,
        apart=[line for line in found.lines if line.agree != "same"],
        alike=[line for line in found.lines if line.agree == "same"],
    )


@act("/duplicates/{case:str}/decide")
def decide(here: Here, case: str, form: Form) -> Response[Any]:
    """Joined, kept apart, or looked into."""
    take = form.get("take")
    try:
        keep = form.get("keep") or None if take == "link" else None
        here.central.casework.resolve(
            here.me, case, take, form.get("reason"), seen_of(form), value=keep
        )
    except Problem as problem:
        return _draw(here, case, problem, form)
    if take == "noted":
        told = here.say("Dicatat. Pasangan ini tidak muncul lagi kecuali datanya berubah.")
    elif take == "link":
        told = here.say("Berkas digabung. Kedua nomor bukti tetap berlaku.")
    else:
        told = here.say("Dicatat: bukan ganda. Pasangan ini tidak muncul lagi kecuali datanya"
                        " berubah.")  # fmt: skip
    return here.go(f"/duplicates/{case}", told)


@act("/duplicates/{case:str}/unlink")
def unlink(here: Here, case: str, form: Form) -> Response[Any]:
    """A request that was joined is to go its own way again: a second person is asked."""
    try:
        here.central.duplicates.unlink(
            here.me, form.get("request"), form.get("reason"), seen_of(form)
        )
    except Problem as problem:
        return _draw(here, case, problem, form)
    told = here.say("Tersimpan. Berkas dipisahkan setelah orang kedua setuju.")
    return here.go(f"/duplicates/{case}", told)


@act("/duplicates/{case:str}/confirm")
def confirm(here: Here, case: str, form: Form) -> Response[Any]:
    """The second person agrees, or not."""
    agree = form.get("agree") == "yes"
    try:
        here.central.casework.confirm(here.me, form.get("request"), seen_of(form), agree=agree)
    except Problem as problem:
        return _draw(here, case, problem, form)
    told = here.say("Berkas dipisahkan; masing-masing berjalan sendiri lagi.")
    return here.go(f"/duplicates/{case}", told if agree else here.say("Tetap digabung."))


HANDLERS = [listed, put, pair, decide, unlink, confirm]
