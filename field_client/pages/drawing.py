"""Drawing: what every handler is given to answer with, and the templates behind it.

A handler is a plain function `f(here, …)`, run in the desk's own thread (`routes.py`):

    return here.page("requests.html", lines=lines)       a page
    return here.go("/requests", say("Tersimpan."))       somewhere else, with words to read there

A handler that changes something also takes `form`: what was typed. Asking for it checks the token
that only our own pages know.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import sys
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache
from jinja2.bccache import Bucket
from litestar import Request, Response
from litestar.exceptions import ClientException, HTTPException
from litestar.response import Redirect
from markupsafe import Markup

from field_client import shortcuts, shown
from field_client.app import House
from field_client.desk import Desk
from field_client.pages.counter import Counter
from field_client.pages.door import Secrets
from field_client.pages.syncing import Bar, bar_of
from field_client.vault.files import private_folder
from field_client.vault.store import Store
from models import words
from models.pages import drawing
from models.pages.forms import Form
from models.pages.uploads import multipart_pairs
from models.problems import Problem
from models.words import moment_at

PACKAGE = "field_client.pages"
LANGUAGE_COOKIE = "lang"
LOOK_COOKIE, OUTDOOR = "look", "outdoor"
TOKEN = "token"  # noqa: S105 - the name of a form's field
FIELDS_MAX = 2000


class Here:
    """One call of a page: who asks, at which desk, in which language."""

    def __init__(self, request: Request[Any, Any, Any]) -> None:
        self.request = request
        self.counter: Counter = request.app.state.counter
        self.secrets: Secrets = request.app.state.secrets
        given = request.cookies.get(LANGUAGE_COOKIE, self.counter.place.settings.lang)
        self.lang = given if given in words.LANGUAGES else "id"

    @property
    def desk(self) -> Desk:
        """The desk of who is unlocked."""
        return self.counter.desk

    @property
    def house(self) -> House:
        """Their laptop. Problem page.locked while nobody is unlocked."""
        if self.counter.house is None:
            raise Problem("page.locked")
        return self.counter.house

    @property
    def store(self) -> Store:
        """Its memory."""
        return self.desk.store

    @property
    def is_part(self) -> bool:
        """Whether a piece of a page is asked for, by htmx."""
        return self.request.headers.get("hx-request") == "true"

    def asked(self, name: str, default: str = "") -> str:
        """A value of the address; never anything personal."""
        return self.request.query_params.get(name, default)

    def say(self, msgid: str, **values: Any) -> str:
        """Words in the language of this page."""
        return words.say(msgid, self.lang, **values)

    def page(self, template: str, code: int = 200, /, **values: Any) -> Response[str]:
        """Draw a page."""
        text = templates().get_template(template).render(self._frame() | values)
        text = shortcuts.drawn(drawing.squeezed(text), self._keys())
        return Response(text, status_code=code, media_type="text/html; charset=utf-8")

    def _keys(self) -> dict[str, str]:
        """The keys that who is unlocked chose instead of the usual ones."""
        counter = self.counter
        if counter.house is None or counter.locked:
            return {}
        return shortcuts.chosen(counter.house.store, counter.operator)

    def go(self, address: str, told: str = "") -> Redirect:
        """Go on elsewhere; what is told is read there."""
        if told:
            self.counter.tell(told)
        return Redirect(address, status_code=303)

    @cached_property
    def bar(self) -> Bar | None:
        """The sync bar; None while nobody is unlocked."""
        counter = self.counter
        if counter.house is None or counter.locked:
            return None
        return bar_of(counter.house, counter.syncing, self.lang)

    def _frame(self) -> dict[str, Any]:
        """What every template may use."""
        counter = self.counter
        open_ = counter.house is not None and not counter.locked
        return {
            "_": self.say,
            "lang": self.lang,
            "here": self,
            "csrf": lambda: Markup('<input type="hidden" name="token" value="{}">').format(
                self.secrets.token
            ),
            "path": self.request.url.path,
            "outdoor": self.request.cookies.get(LOOK_COOKIE) == OUTDOOR,
            "operator": counter.operator if open_ else "",
            "office": self.desk.invitation().office_name if open_ else "",
            "practice": counter.real is not None or (open_ and self.house.practice),
            "practising": counter.real is not None,
            "bar": self.bar,
            "told": counter.told() if not self.is_part else [],
            "idle": counter.place.settings.idle_seconds,
        }


def make_here(request: Request[Any, Any, Any]) -> Here:
    """For handlers that take `here`."""
    return Here(request)


async def make_form(request: Request[Any, Any, Any]) -> Form:
    """For handlers that take `form`. Problem page.foreign without our token."""
    pairs = await _pairs(request)
    own: Secrets = request.app.state.secrets
    given = next((v for k, v in pairs if k == TOKEN and isinstance(v, str)), "")
    if not hmac.compare_digest(given.encode(), own.token.encode()):
        raise Problem("page.foreign")
    if len(pairs) > FIELDS_MAX:
        raise Problem("page.malformed")
    return Form(pairs)


async def _pairs(request: Request[Any, Any, Any]) -> list[tuple[str, Any]]:
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        return list(await multipart_pairs(kind, request.stream()))
    try:
        data = await request.form()
    except (ClientException, ValueError) as error:
        if isinstance(error, HTTPException) and error.status_code == 413:
            raise
        raise Problem("page.malformed") from error
    return list(data.multi_items())


# -- templates


class Compiled(FileSystemBytecodeCache):
    """Templates as they were compiled once: 0.3 s of an old laptop at each start. Without room for
    them a page is drawn all the same."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep one template."""
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


def keep_compiled(folder: Path) -> None:
    """Keep compiled templates in the laptop's own data folder. They are code: where somebody else
    could write into it, pages are compiled at each start instead."""
    with contextlib.suppress(Problem, OSError):
        private_folder(folder)
        if _is_ours_alone(folder) and _is_ours_alone(folder.parent):
            templates().bytecode_cache = Compiled(str(folder))


def _is_ours_alone(folder: Path) -> bool:
    if sys.platform == "win32":  # a profile's own rights, which have no mode
        return True
    facts = folder.stat()
    return facts.st_uid == os.getuid() and not facts.st_mode & 0o022


@cache
def templates() -> Environment:
    """The templates of this house, with the components of govuk-frontend beside them."""
    return drawing.environment(
        PACKAGE,
        {"at": moment_at, "code": lambda line: shown.code_text(line.code, line.record)},
    )
