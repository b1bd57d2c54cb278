"""People: who works here, as what, and where; done by an admin."""

from __future__ import annotations

from typing import Any

from litestar import Response

from models import regions
from models.pages.forms import Form
from models.people import ROLES, STAFF, Act
from models.problems import Problem
from server.auth import areas, roles
from server.pages.drawing import Here
from server.pages.routes import act, show


@show("/people")
def people(here: Here) -> Response[str]:
    """Everybody, by name."""
    return _draw(here)


def _draw(here: Here, problem: Problem | None = None, typed: Form | None = None) -> Response[str]:
    everybody = here.central.staff.list(here.me)
    return here.page(
        "people.html",
        status=200 if problem is None else problem.status,
        problem=problem,
        typed=typed or Form([]),
        everybody=[(one, roles(one), areas(one)) for one in everybody],
        role_names=_role_names(here),
        may_change=here.may(Act.ADD_PERSON),
    )


def _role_names(here: Here) -> list[tuple[str, str]]:
    return [(str(one), ROLES[one].words(here.lang)) for one in sorted(STAFF)]


@act("/people")
def add(here: Here, form: Form) -> Response[Any]:
    """A new colleague with a first password, to be changed by themselves."""
    login = form.get("login").strip().lower()
    try:
        here.central.staff.add(
            here.me, login, form.get("name"), form.all("role"), form.get("password")
        )
    except Problem as problem:
        return _draw(here, problem, form)
    return here.go("/people", here.say("{login} dapat masuk sekarang.", login=login))


@show("/people/{login:str}")
def person(here: Here, login: str) -> Response[str]:
    """One colleague: area, new password, end of work."""
    return _draw_person(here, login)


def _draw_person(
    here: Here, login: str, problem: Problem | None = None, typed: Form | None = None
) -> Response[str]:
    found = [one for one in here.central.staff.list(here.me) if one.login == login]
    if not found:
        raise Problem("person.unknown", login=login[:40])
    return here.page(
        "person.html",
        status=200 if problem is None else problem.status,
        problem=problem,
        typed=typed or Form([]),
        one=found[0],
        held=roles(found[0]),
        role_names=_role_names(here),
        placed=areas(found[0]),
        places=[(district, regions.villages_of(district.code)) for district in regions.districts()],
        may_change=here.may(Act.ADD_PERSON),
    )


@act("/people/{login:str}/roles")
def entrust(here: Here, form: Form, login: str) -> Response[Any]:
    """What this person may do."""
    try:
        here.central.staff.entrust(here.me, login, form.all("role"), form.get("seen"))
    except Problem as problem:
        return _draw_person(here, login, problem)
    return here.go(f"/people/{login}", here.say("Peran tersimpan."))


@act("/people/{login:str}/area")
def place(here: Here, form: Form, login: str) -> Response[Any]:
    """Districts and villages this person works for; none ticked means everywhere."""
    try:
        here.central.staff.place(here.me, login, form.all("area"), form.get("seen"))
    except Problem as problem:
        return _draw_person(here, login, problem)
    return here.go(f"/people/{login}", here.say("Wilayah kerja tersimpan."))


@act("/people/{login:str}/password")
def renew(here: Here, form: Form, login: str) -> Response[Any]:
    """For who lost password or telephone."""
    try:
        here.central.staff.renew(here.me, login, form.get("password"))
    except Problem as problem:
        return _draw_person(here, login, problem)
    told = here.say("Kata sandi {login} diganti; semua sesinya berakhir.", login=login)
    return here.go(f"/people/{login}", told)


@act("/people/{login:str}/close")
def close(here: Here, form: Form, login: str) -> Response[Any]:
    """This person works here no longer."""
    del form
    try:
        here.central.staff.close(here.me, login)
    except Problem as problem:
        return _draw_person(here, login, problem)
    return here.go("/people", here.say("{login} tidak dapat masuk lagi.", login=login))


@act("/people/{login:str}/reopen")
def reopen(here: Here, form: Form, login: str) -> Response[Any]:
    """This person works here again."""
    try:
        here.central.staff.reopen(here.me, login, form.get("password"), form.get("reason"))
    except Problem as problem:
        return _draw_person(here, login, problem, form)
    told = here.say("{login} dapat masuk lagi. Periksa peran dan wilayah kerjanya.", login=login)
    return here.go(f"/people/{login}", told)


HANDLERS = [people, add, person, entrust, place, renew, close, reopen]
