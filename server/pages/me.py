"""Me: my own sign-in: password, second factor, and where I am signed in."""

from __future__ import annotations

from typing import Any

import segno
from litestar import Response

from models.pages.forms import Form
from models.problems import Problem
from server import factor
from server.pages.drawing import Here
from server.pages.routes import act, show


@show("/me")
def me(here: Here) -> Response[str]:
    """Name, roles, area, sessions."""
    return _draw(here)


def _draw(here: Here, problem: Problem | None = None, at: str = "") -> Response[str]:
    return here.page(
        "me.html",
        status=200 if problem is None else _status(problem),
        problem=problem,
        at=at,
        sessions=here.central.account.sessions(here.me, here.token),
    )


def _status(problem: Problem) -> int:
    """401 would ask the browser for a password of its own."""
    return 422 if problem.status == 401 else problem.status


@act("/me/password")
def change_password(here: Here, form: Form) -> Response[Any]:
    """A new one, typed twice."""
    new = form.get("new")
    try:
        if new != form.get("again"):
            raise Problem("person.password_twice")
        here.central.account.change_password(here.me, form.get("old"), new, here.token)
    except Problem as problem:
        return _draw(here, problem, "new" if problem.code.startswith("person") else "old")
    return here.go("/me", here.say("Kata sandi diganti. Sesi Anda di tempat lain sudah berakhir."))


@show("/me/second")
def second(here: Here) -> Response[str]:
    """A key for an authenticator app; nothing is kept until its digits were typed."""
    return _draw_second(here, here.central.account.new_secret())


def _draw_second(
    here: Here, secret: bytes, problem: Problem | None = None, at: str = "code"
) -> Response[str]:
    address = factor.address(secret, here.me.login, here.central.settings.office_name)
    return here.page(
        "second.html",
        status=200 if problem is None else _status(problem),
        problem=problem,
        at=at,
        secret=factor.as_text(secret),
        qr=segno.make(address, error="m", micro=False).svg_data_uri(border=4),
    )


@act("/me/second")
def begin_second(here: Here, form: Form) -> Response[Any]:
    """The digits are asked for from the next sign-in on."""
    secret = factor.from_text(form.get("secret"))
    if not secret:
        raise Problem("page.malformed")
    try:
        here.central.account.begin_second(here.me, secret, form.get("code"), form.get("password"))
    except Problem as problem:
        at = "code" if problem.code == "auth.code_new" else "password"
        return _draw_second(here, secret, problem, at)
    return here.go("/me", here.say("Mulai sekarang 6 angka dari aplikasi diminta saat masuk."))


@act("/me/second/end")
def end_second(here: Here, form: Form) -> Response[Any]:
    """The password alone is enough again."""
    try:
        here.central.account.end_second(here.me, form.get("password"))
    except Problem as problem:
        return _draw(here, problem, "password")
    return here.go("/me", here.say("Sekarang kata sandi saja cukup untuk masuk."))


@act("/me/sessions/{name:str}/end")
def end_session(here: Here, form: Form, name: str) -> Response[Any]:
    """Sign out somewhere else."""
    del form
    here.central.account.end(here.me, name)
    return here.go("/me", here.say("Sesi itu berakhir."))


HANDLERS = [me, change_password, second, begin_second, end_second, end_session]
