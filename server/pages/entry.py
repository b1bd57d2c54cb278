"""Entry: signing in and out, the language of the pages, and the list of keys."""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.response import Redirect

from models.pages.forms import Form
from models.problems import Problem
from models.words import LANGUAGES
from server.pages import door
from server.pages.drawing import Here
from server.pages.routes import act, show


@show("/sign-in", anybody=True)
def sign_in_page(here: Here) -> Response[Any]:
    """Name and password; who is signed in already goes on."""
    wanted = door.local(here.asked("next", "/"))
    if here.person is not None:
        return here.go(wanted)
    problem = Problem("auth.again") if here.asked("again") else None
    return here.page("sign_in.html", next=wanted, login="", problem=problem)


@act("/sign-in", anybody=True)
def sign_in(here: Here, form: Form) -> Response[Any]:
    """A session, and on to the page that was wanted."""
    client = here.request.client
    wanted = door.local(form.get("next", "/"))
    login = form.get("login").strip().lower()
    try:
        found = here.central.doorkeeper.sign_in(
            login,
            form.get("password"),
            client.host if client is not None else "",
            code=form.get("code"),
            agent=here.request.headers.get("user-agent", ""),
        )
    except Problem as problem:
        status = problem.status if problem.status != 401 else 422
        return here.page("sign_in.html", status=status, next=wanted, login=login, problem=problem)
    seconds = found.until - here.central.clock()
    return Redirect(
        wanted, status_code=303, cookies=[door.session_cookie(here.request, found.token, seconds)]
    )


@act("/sign-out")
def sign_out(here: Here, form: Form) -> Redirect:
    """The session is worth nothing afterwards."""
    del form
    here.central.doorkeeper.sign_out(here.token)
    gone = door.session_cookie(here.request, "", 0)
    return Redirect("/sign-in", status_code=303, cookies=[gone])


@act("/language", anybody=True)
def language(here: Here, form: Form) -> Redirect:
    """The other language, on the same page."""
    wanted = form.get("lang")
    cookies = [door.language_cookie(here.request, wanted)] if wanted in LANGUAGES else []
    return Redirect(door.local(form.get("next", "/")), status_code=303, cookies=cookies)


@show("/help")
def keys(here: Here) -> Response[str]:
    """The keys, for who has no script."""
    return here.page("help.html")


HANDLERS = [sign_in_page, sign_in, sign_out, language, keys]
