"""Drawing: what every handler is given to answer with, and the templates behind it.

A handler is a plain function `f(here, …)`, run in one of the office's threads (`routes.py`):

    return here.page("requests.html", lines=lines)            a page
    return here.go("/requests", here.say("Tersimpan."))       elsewhere, with words to read there
    return here.file(data, "daftar.xlsx")                     something to keep

A handler that changes something also takes `form`: what was typed. Asking for it shows that it
comes from one of our own pages.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from functools import cache
from typing import Any

import anyio
from jinja2 import Environment
from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.exceptions import ClientException, HTTPException
from litestar.response import Redirect
from markupsafe import Markup

from models import people, words
from models.pages import drawing
from models.pages.forms import Form
from models.pages.uploads import multipart_pairs
from models.people import Act
from models.problems import Problem
from server.auth import areas, roles
from server.central import Central
from server.database.people import Person
from server.pages import door, shown
from server.pages.places import menu

PACKAGE = "server.pages"
HTML = "text/html; charset=utf-8"
FIELDS_MAX = 6000
"""Fields of a form: 5,000 rows may be picked at once."""
UPLOADS_AT_ONCE = 2
"""Forms with files, read and worked on in memory at one time; whoever comes later waits."""
PLACE_SECONDS = 30
"""How long they wait before they are told to come again."""
UPLOAD_SECONDS = 600
"""How long a form with files may take to arrive, however steadily it trickles: a place is held."""
_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
    "svg": "image/svg+xml",
    "webp": "image/webp",
    "json": "application/json",
}


class Here:
    """One call of a page: who asks, in which language."""

    def __init__(self, request: Request[Any, Any, Any]) -> None:
        self.request = request
        self.central: Central = request.app.state.central
        self.token = request.cookies.get(door.cookie_name(request), "")
        given = request.cookies.get(door.LANGUAGE_COOKIE, "id")
        self.lang = given if given in words.LANGUAGES else "id"
        self.person: Person | None = request.state.get("person")

    def enter(self, *, anybody: bool = False) -> None:
        """Find out who asks. Problem auth.required or auth.again, unless it may be anybody."""
        try:
            self.person = self.central.doorkeeper.whoever(self.token)
        except Problem:
            if not anybody:
                raise
        self.request.state.person = self.person

    @property
    def me(self) -> Person:
        """Who is signed in."""
        if self.person is None:
            raise Problem("auth.required")
        return self.person

    @property
    def is_part(self) -> bool:
        """Whether a piece of a page is asked for, by htmx."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def held(self) -> tuple[str, ...]:
        """My roles."""
        return roles(self.me)

    @property
    def areas(self) -> tuple[str, ...]:
        """Villages and districts I work for; empty for everywhere."""
        return areas(self.me)

    def may(self, act: Act) -> bool:
        """Whether who is signed in holds a role for this. For drawing only: the rooms decide."""
        return self.person is not None and people.may(roles(self.person), act)

    def asked(self, name: str, default: str = "") -> str:
        """A value of the address; never anything personal."""
        return self.request.query_params.get(name, default)

    def say(self, msgid: str, **values: Any) -> str:
        """Words in the language of this page."""
        return words.say(msgid, self.lang, **values)

    # -- answers

    def page(self, template: str, /, *, status: int = 200, **values: Any) -> Response[str]:
        """Draw a page. status: of HTTP."""
        told = door.told(self.request, self.token) if not self.is_part else []
        text = templates().get_template(template).render(self._frame() | {"told": told} | values)
        answer = Response(drawing.squeezed(text), status_code=status, media_type=HTML)
        if told:
            answer.delete_cookie(door.TOLD_COOKIE)
        return answer

    def go(self, address: str, told: str = "") -> Redirect:
        """Go on elsewhere; what is told is read there. Never a citizen's data: it is in a cookie
        for a moment."""
        cookies: list[Cookie] = [door.telling(self.request, self.token, told)] if told else []
        return Redirect(address, status_code=303, cookies=cookies)

    def file(self, data: bytes, name: str, *, inline: bool = False) -> Response[bytes]:
        """A file to keep, or (inline) a picture to see. Nothing of it stays in a cache."""
        kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        how = "inline" if inline else "attachment"
        headers = {"content-disposition": f'{how}; filename="{name}"'}
        return Response(data, media_type=kind, headers=headers)

    @property
    def form_token(self) -> str:
        """What every form of this person's pages carries."""
        return hmac.digest(self.token.encode(), b"jb1-form", hashlib.sha256).hex()

    def _frame(self) -> dict[str, Any]:
        """What every template may use."""
        return {
            "_": self.say,
            "lang": self.lang,
            "here": self,
            "Act": Act,
            "csrf": lambda: Markup('<input type="hidden" name="token" value="{}">').format(
                self.form_token
            ),
            "path": self.request.url.path,
            "me": self.person,
            "menu": menu(self) if self.person is not None else [],
            "office": self.central.settings.office_name,
            "now": self.central.clock(),
        }


def make_here(request: Request[Any, Any, Any]) -> Here:
    """For handlers that take `here`."""
    return Here(request)


async def make_form(request: Request[Any, Any, Any]) -> AsyncGenerator[Form, None]:
    """For handlers that take `form`. Problem page.foreign unless it came from one of our pages;
    auth.required or auth.again before anything is read of what a stranger sends. Who it is is
    asked once more by the handler: an upload may outlast a session."""
    door.require_ours(request)
    here, state = Here(request), request.app.state
    anybody = request.route_handler.opt["anybody"]
    if not anybody:
        await anyio.to_thread.run_sync(here.enter, limiter=state.threads)
    async with AsyncExitStack() as held:
        if _has_files(request) and not anybody:  # what anybody sends is small
            with anyio.move_on_after(PLACE_SECONDS) as waiting:
                await held.enter_async_context(state.uploads)
            if waiting.cancelled_caught:
                raise Problem("page.busy")
        yield _ours(here, await _pairs(request))


def _ours(here: Here, pairs: list[tuple[str, Any]]) -> Form:
    given = next((v for k, v in pairs if k == door.TOKEN and isinstance(v, str)), "")
    if here.token and not hmac.compare_digest(given.encode(), here.form_token.encode()):
        raise Problem("page.foreign")
    if len(pairs) > FIELDS_MAX:
        raise Problem("page.malformed")
    return Form(pairs)


def _has_files(request: Request[Any, Any, Any]) -> bool:
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


async def _pairs(request: Request[Any, Any, Any]) -> list[tuple[str, Any]]:
    if _has_files(request):
        kind = request.headers["content-type"]
        with anyio.move_on_after(UPLOAD_SECONDS):
            return list(await multipart_pairs(kind, _arriving(request)))
        raise Problem("page.slow")
    try:
        data = await request.form()
    except (ClientException, ValueError) as error:
        if isinstance(error, HTTPException) and error.status_code == 413:
            raise
        raise Problem("page.malformed") from error
    return list(data.multi_items())


async def _arriving(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    """The body as it comes. Problem page.slow when nothing comes for long: others wait."""
    idle = request.app.state.central.settings.sync_idle_seconds
    chunks = request.stream()
    while True:
        with anyio.move_on_after(idle) as waiting:
            chunk = await anext(chunks, None)
        if waiting.cancelled_caught:
            raise Problem("page.slow")
        if chunk is None:
            return
        yield chunk


@cache
def templates() -> Environment:
    """The templates of this house."""
    return drawing.environment(PACKAGE, shown.FILTERS)
