"""Drawing: templates and built files of a package of pages, the same way in both houses.

A house's package (`field_client.pages`, `server.pages`) holds `templates/` and `static/`; the
components of govuk-frontend stand beside them under their own prefix. Built files carry a hash in
their names; `static/manifest.json` says which. Where they were not built, pages work without.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from importlib import resources
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader
from markupsafe import Markup, escape

from models import words

TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
KEPT = "public, max-age=31536000, immutable"
"""Cache-Control of a built file: its name changes with its bytes."""

_BLANKS = re.compile(r"[ \t]*\n\s*")
"""Blanks that the components draw, a third of a page. Typed lines keep theirs (`lines`)."""


def environment(
    package: str, filters: Mapping[str, Callable[..., Any]] | None = None
) -> Environment:
    """The templates of a package, then those of both houses, then the components."""
    components = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("models.pages"), components]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["asset"] = partial(asset, package)
    made.globals["items"] = items
    made.globals["blank"] = Blank()
    made.filters |= {
        "digits": grouped,
        "day": words.day,
        "lines": lambda text: escape(text).replace("\n", Markup("&#10;")),
    }
    made.filters |= filters or {}
    return made


class Blank:
    """Questions nobody has answered yet, drawn once: they are the same for every citizen, and the
    components take half a millisecond for each. What somebody typed is never kept here."""

    KEPT_MAX = 1000

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, bool, str], Markup] = {}

    def __call__(self, draw: Callable[..., Markup], one: Any, rare: bool, lang: str) -> Markup:
        """The drawing of a question. draw: the macro; one: a `fields.Drawn`."""
        if one.value not in ("", None) or one.shown or one.errors or one.doubts or one.told:
            return draw(one, rare)
        key = (one, rare, lang)
        if key not in self._kept:
            if len(self._kept) >= self.KEPT_MAX:
                self._kept.clear()
            self._kept[key] = draw(one, rare)
        return self._kept[key]


def squeezed(text: str) -> str:
    """A drawn page without the blanks between its lines."""
    return _BLANKS.sub("\n", text)


def items(options: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Options (code, words) as the macros of govuk-frontend want them."""
    return [{"value": code, "text": text} for code, text in options]


@cache
def manifest(package: str) -> Mapping[str, str]:
    """Plain name -> name with its hash; empty where the files were not built."""
    listed = resources.files(package).joinpath("static", "manifest.json")
    try:
        found = json.loads(listed.read_text(encoding="utf-8"))
        return {name: str(made) for name, (made, _) in found["files"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def asset(package: str, name: str) -> str:
    """Address of a built file, "" where it was not built: the page works without."""
    made = manifest(package).get(name)
    return f"/static/{made}" if made else ""


def built(package: str, name: str) -> tuple[bytes, str] | None:
    """Bytes and media type of a built file by its name with the hash; None for any other name, and
    for one that was built anew since."""
    if name not in manifest(package).values():
        return None
    try:
        data = resources.files(package).joinpath("static", name).read_bytes()
    except FileNotFoundError:
        return None
    return data, TYPES[name.rpartition(".")[2]]


def grouped(text: str) -> str:
    """A NIK or family-card number in groups a person can read: `8272 05 450801 0003`."""
    if len(text) == 16 and text.isdigit():
        return f"{text[:4]} {text[4:6]} {text[6:12]} {text[12:]}"
    return text
