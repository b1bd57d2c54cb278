"""Unlocking: operator tiles, the PIN, the curtain after idle minutes, and `Ganti petugas`.

Locking never throws anything away. A form that was sent while the curtain was drawn is kept in
memory, and offered again to the same person after the PIN.
"""

from __future__ import annotations

import re
from typing import Any

from litestar import Request, Response

from field_client.pages.drawing import Here, make_form
from field_client.pages.routes import act, show
from models.pages.forms import Form
from models.problems import Problem
from models.words import LANGUAGES

ENROL_BYTES_MAX = 64 * 1024
_LOCAL = re.compile(r"/(?!/)[A-Za-z0-9/_.?=&-]{0,200}")


class Kept:
    """A form that met the curtain: whose, where to, what."""

    def __init__(self, operator: str, path: str, pairs: list[tuple[str, str]]) -> None:
        self.operator = operator
        self.path = path
        self.pairs = pairs


async def curtain(request: Request[Any, Any, Any]) -> Response[Any]:
    """What is answered while nobody is unlocked: the way to the PIN, and what was typed is kept."""
    here = Here(request)
    if here.is_part:
        return Response("", status_code=204, media_type="text/html; charset=utf-8")
    path = request.url.path
    if request.method == "POST":
        form = await make_form(request)
        pairs = [(k, v) for k, v in form.pairs if isinstance(v, str)]
        here.counter.kept = Kept(here.counter.operator, path, pairs)
        path = "/unlock/again"
    elif request.url.query:
        path = f"{path}?{request.url.query}"
    return here.go(f"/unlock?next={_safe(path)}" if path != "/" else "/unlock")


@show("/unlock")
def tiles(here: Here) -> Response[str]:
    """Who works here? One tile a person, then the PIN."""
    return _draw(here, here.asked("who"), _safe(here.asked("next", "/")))


@act("/unlock")
def unlock(here: Here, form: Form) -> Response[Any]:
    """Try a PIN. Behind the curtain (header X-Curtain) words are the whole answer."""
    operator, wanted = form.get("operator"), _safe(form.get("next", "/"))
    behind = here.request.headers.get("x-curtain") == "1"
    try:
        here.counter.unlock(operator, form.get("pin"))
    except Problem as problem:
        if behind:
            text = problem.words(here.lang)
            return Response(text, status_code=401, media_type="text/plain; charset=utf-8")
        return _draw(here, operator, wanted, problem)
    if behind:
        return Response("", status_code=200, media_type="text/plain; charset=utf-8")
    return here.go(wanted)


@act("/unlock/enrol", request_max_body_size=ENROL_BYTES_MAX)
def enrol(here: Here, form: Form) -> Response[Any]:
    """A new laptop from the file the office gave, with its first operator."""
    from field_client.enrolment import read_text

    files = form.files("invitation")
    try:
        if not files:
            raise Problem("invitation.malformed")
        pin = form.get("new") if here.counter.begun else twice(form)
        here.counter.enrol(read_text(files[0].data), form.get("operator").strip(), pin)
    except Problem as problem:
        return _draw(here, "", "/", problem)
    told = here.say("Laptop ini siap dipakai. Dukcapil diberi tahu saat ada sinyal.")
    return here.go("/readiness", told)


def twice(form: Form) -> str:
    """A new PIN, typed twice. Problem operator.pin_twice."""
    if form.get("new") != form.get("again"):
        raise Problem("operator.pin_twice")
    return form.get("new")


@show("/unlock/again")
def again(here: Here) -> Response[Any]:
    """A form that was sent while the curtain was drawn, to be sent once more by its author."""
    kept, here.counter.kept = here.counter.kept, None
    if kept is None or kept.operator != here.counter.operator:
        return here.go("/")
    pairs = [(name, value) for name, value in kept.pairs if name != "token"]
    return here.page("again.html", action=kept.path, pairs=pairs)


@act("/lock")
def lock(here: Here, form: Form) -> Response[Any]:
    """Draw the curtain now; `Ganti petugas` comes through here too."""
    here.counter.lock()
    return here.go(f"/unlock?next={_safe(form.get('next', '/'))}")


@act("/language")
def language(here: Here, form: Form) -> Response[Any]:
    """The other language, remembered by this browser."""
    wanted = form.get("lang")
    answer = here.go(_safe(form.get("next", "/")))
    if wanted in LANGUAGES:
        answer.set_cookie("lang", wanted, httponly=True, samesite="strict", path="/")
    return answer


def _draw(here: Here, who: str, wanted: str, problem: Problem | None = None) -> Response[str]:
    keys, begun = here.counter.keys, here.counter.begun
    names = keys.names() if keys.exists and not begun else []
    who = who if who in names else (names[0] if len(names) == 1 else "")
    return here.page(
        "unlock.html",
        (401 if names else problem.status) if problem else 200,
        names=names,
        begun=begun,
        who=who,
        next=wanted,
        problem=problem,
        long=keys.needs_passphrase,
        shredded=Problem("vault.shredded").words(here.lang) if keys.is_shredded else "",
    )


def _safe(address: str) -> str:
    """An address of our own, nothing else."""
    return address if _LOCAL.fullmatch(address) else "/"


HANDLERS = [tiles, unlock, enrol, again, lock, language]
