"""Drawing: what every handler is given to answer with, and the templates behind it.

A handler is a plain function `f(here, …)`, run in the desk's own thread (`routes.py`):

    return here.page("requests.html", lines=lines)       a page
    return here.go("/requests", say("Tersimpan."))       somewhere else, with words to read there

A handler that changes something also takes `form`: what was typed. Asking for it checks the token
that only our own pages know.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, PackageLoader, PrefixLoader
from litestar import Request, Response
from litestar.exceptions import ClientException, HTTPException
from litestar.response import Redirect
from markupsafe import Markup, escape

from field_client import shown
from field_client.desk import Desk
from field_client.pages.counter import Counter
from field_client.pages.door import Secrets
from field_client.pages.syncing import Bar, bar_of
from field_client.pages.uploads import Upload, multipart_pairs
from field_client.vault.store import Store
from models import words
from models.problems import Problem

HERE = Path(__file__).parent
STATIC = HERE / "static"
LANGUAGE_COOKIE = "lang"
TOKEN = "token"  # noqa: S105 - the name of a form's field
FIELDS_MAX = 2000
_BLANKS = re.compile(r"[ \t]*\n\s*")
"""Blanks that the components draw, a third of a page. Typed lines keep theirs (`lines`)."""


class Form:
    """What was typed, already shown to come from one of our own pages."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        self.pairs = pairs

    def get(self, name: str, default: str = "") -> str:
        """The text of a field, "" where it was not sent."""
        texts = self.all(name)
        return texts[0] if texts else default

    def all(self, name: str) -> list[str]:
        """Every text sent under this name."""
        return [value for key, value in self.pairs if key == name and isinstance(value, str)]

    def files(self, name: str) -> list[Upload]:
        """Every file sent under this name; an input left empty sends none."""
        sent = [value for key, value in self.pairs if key == name]
        return [one for one in sent if isinstance(one, Upload) and (one.name or one.data)]

    def starting(self, start: str) -> dict[str, list[str]]:
        """Name without `start` -> texts, of the fields whose names begin so."""
        found: dict[str, list[str]] = {}
        for key, value in self.pairs:
            if key.startswith(start) and isinstance(value, str):
                found.setdefault(key[len(start) :], []).append(value)
        return found


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
        text = _BLANKS.sub("\n", text)
        return Response(text, status_code=code, media_type="text/html; charset=utf-8")

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
            "operator": counter.operator if open_ else "",
            "office": self.desk.invitation().office_name if open_ else "",
            "practice": open_ and counter.house is not None and counter.house.practice,
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


@cache
def templates() -> Environment:
    """The templates of this house, with the components of govuk-frontend beside them."""
    loader = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    environment = Environment(
        loader=_Either(FileSystemLoader(HERE / "templates"), loader),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {"asset": asset, "items": _items}
    filters: dict[str, Callable[..., Any]] = {
        "at": shown.at_words,
        "code": lambda line: shown.code_text(line.code, line.record),
        "digits": grouped,
        "day": words.day,
        "lines": lambda text: escape(text).replace("\n", Markup("&#10;")),
    }
    environment.filters |= filters
    return environment


def _items(options: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Options as the macros of govuk-frontend want them."""
    return [{"value": code, "text": text} for code, text in options]


class _Either(FileSystemLoader):
    """Our own folder first, the components by their prefix."""

    def __init__(self, own: FileSystemLoader, more: PrefixLoader) -> None:
        super().__init__(own.searchpath)
        self.more = more

    def get_source(self, environment: Environment, template: str) -> Any:
        """Source, name and whether it is current."""
        if template.startswith("govuk_frontend_jinja/"):
            return self.more.get_source(environment, template)
        return super().get_source(environment, template)


@cache
def manifest() -> Mapping[str, str]:
    """Plain name -> name with its hash; empty where the assets were not built."""
    try:
        found = json.loads((STATIC / "manifest.json").read_text(encoding="utf-8"))
        return {name: str(made) for name, (made, _) in found["files"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def asset(name: str) -> str:
    """Address of a built file, "" where it was not built: the page works without."""
    made = manifest().get(name)
    return f"/static/{made}" if made else ""


def grouped(text: str) -> str:
    """A NIK or family-card number in groups a person can read: `8272 05 450801 0003`."""
    if len(text) == 16 and text.isdigit():
        return f"{text[:4]} {text[4:6]} {text[6:12]} {text[12:]}"
    return text
