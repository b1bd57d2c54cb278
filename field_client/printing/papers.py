"""The printed forms, as data: `papers/*.toml` says which boxes a form has and which answer fills
each.

Layouts follow the annex of Permendagri 109/2019 for F-1.01 … F-2.04; the village letters have no
national layout and are ours. A path is `section.name` of the services' answers. `section.name:part`
is one part of an answer (`name` and `nik` of a person, `rt` of an address, `day` of a date …), and
`@…` is what the laptop knows besides: `@code`, `@service`, `@today`, `@place`, `@village`,
`@district`, `@documents`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from models.conditions import parse
from models.problems import Problem
from models.services import Service

Show = Literal["label", "code", "both"]
"""How the answer to a choice is printed: in words, by its code, or code and words."""

PLACEHOLDER = re.compile(r"\{([a-z0-9_@.:]+)\}")


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A box of the form. sources: paths, the first filled one counts. cells: squares. ticks: every
    choice of the code list is printed and ticked. half: shares its line with the next."""

    label: str
    sources: tuple[str, ...] = msgspec.field(name="from", default=())
    cells: int = 0
    ticks: bool = False
    half: bool = False
    show: Show = "label"


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column of a table: a path in a repeated block, or a part of a row of people."""

    title: str
    source: str = msgspec.field(name="from", default="")
    share: float = 1.0
    show: Show = "label"


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table. each: the repeated block its rows come from; people: the answer that is a list. So
    many open lines at least."""

    columns: tuple[Column, ...]
    each: str = ""
    people: str = ""
    least: int = 1


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All choices of a code list in columns, ticked by the answer. But for `without`."""

    source: str = msgspec.field(name="from")
    codes: str
    columns: int = 2
    without: tuple[str, ...] = ()


class Sign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place to sign. name: the path of the name printed below."""

    above: str
    name: str = ""
    note: str = ""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a form, printed in this order: heading, text, fields, choice, table, after, places
    to sign. opens: only where this block is asked and open. when: only while this holds. each:
    once for every row of this block, `heads` their headings."""

    heading: str = ""
    heads: tuple[str, ...] = ()
    opens: str = ""
    when: str = ""
    each: str = ""
    text: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    choice: Choice | None = None
    table: Rows | None = None
    after: tuple[str, ...] = ()
    signs: tuple[Sign, ...] = ()
    dated: bool = False


class Paper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A form or letter. block: a request needs it when that block is asked and open. letter: only
    for this kind of village letter. head: the lines at its top, if not the office's own."""

    code: str
    title: str
    block: str
    parts: tuple[Part, ...]
    under: str = ""
    law: str = ""
    letter: str = ""
    landscape: bool = False
    village: bool = False

    def texts(self) -> Iterator[str]:
        """Every text with places to fill in."""
        yield self.under
        for part in self.parts:
            yield from (*part.text, *part.after, *part.heads, part.heading)

    def paths(self) -> Iterator[str]:
        """Every path the paper names, parts and `@` sources too."""
        for part in self.parts:
            for field in part.fields:
                yield from field.sources
            if part.choice is not None:
                yield part.choice.source
            if part.table is not None:
                rows = part.table
                yield from ([rows.people] if rows.people else [])
                yield from (c.source for c in rows.columns if rows.each and c.source)
            yield from (sign.name for sign in part.signs if sign.name)
        for text in self.texts():
            yield from PLACEHOLDER.findall(text)


@cache
def papers() -> dict[str, Paper]:
    """Every form and letter by its code. ValueError names the file that is wrong."""
    folder = resources.files("field_client.printing").joinpath("papers")
    found: dict[str, Paper] = {}
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if not file.name.endswith(".toml"):
            continue
        try:
            paper = msgspec.toml.decode(file.read_bytes(), type=Paper)
            for part in paper.parts:
                parse(part.when) if part.when else None
        except (msgspec.DecodeError, ValueError) as error:
            raise ValueError(f"{file.name}: {error}") from error
        found[paper.code] = paper
    return found


def paper(code: str) -> Paper:
    """A form by its number, in any case. Problem print.unknown_form."""
    for known, found in papers().items():
        if known.lower() == code.strip().lower():
            return found
    raise Problem("print.unknown_form", form=code[:20], known=", ".join(papers()))


def papers_of(service: Service) -> tuple[Paper, ...]:
    """The papers a service may need, in the order of their numbers."""
    asked = service.plan.blocks
    return tuple(
        one
        for one in papers().values()
        if one.block in asked and one.letter in ("", *service.request_codes)
    )
