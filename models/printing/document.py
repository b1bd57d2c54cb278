"""A document: what a paper is made of, told without saying how it is drawn."""

from __future__ import annotations

import msgspec

LOUD, SOFT = "\x02", "\x03"
"""Around what stands out in a text. Control signs, so that nothing a person types can be one."""


def loud(text: str) -> str:
    """Text that stands out: what was filled in, or what matters."""
    return LOUD + text.replace(LOUD, "").replace(SOFT, "") + SOFT


class Box(msgspec.Struct, frozen=True):
    """A place to fill. value: "" leaves it open for the pen. cells: so many squares, a sign in
    each. ticks: the choices printed, ticked or not. wide: takes the whole line."""

    label: str
    value: str = ""
    cells: int = 0
    ticks: tuple[tuple[str, bool], ...] = ()
    wide: bool = True


class Block(msgspec.Struct, frozen=True, tag=True):
    """One part of a document, below the one before."""


class Letterhead(Block, frozen=True):
    """Who issues the paper, at its top; the first `loud` lines stand out. number: of the form, in a
    frame."""

    lines: tuple[str, ...]
    number: str = ""
    loud: int = 2


class Title(Block, frozen=True):
    """What the paper is called. under: a smaller line below it."""

    text: str
    under: str = ""


class Heading(Block, frozen=True):
    """The beginning of a part."""

    text: str


class Boxes(Block, frozen=True):
    """Places to fill, one below another; two that are not wide share a line."""

    boxes: tuple[Box, ...]


class Ticks(Block, frozen=True):
    """Choices in columns, ticked or not."""

    choices: tuple[tuple[str, bool], ...]
    columns: int = 2


class Words(Block, frozen=True):
    """A paragraph; `loud` parts stand out."""

    text: str
    small: bool = False
    centre: bool = False
    framed: bool = False


class Facts(Block, frozen=True):
    """Names and values, as a receipt has them."""

    facts: tuple[tuple[str, str], ...]


class Table(Block, frozen=True):
    """Rows under heads, with a share of the width each; goes on over the page, heads repeated."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[float, ...]


class Place(msgspec.Struct, frozen=True):
    """Where somebody signs. above: who that is. name: printed below, "" leaves a line. note: inside
    the space, such as a duty stamp."""

    above: str
    name: str = ""
    note: str = ""


class Signatures(Block, frozen=True):
    """Places to sign, side by side. dated: town and day, above the last of them."""

    places: tuple[Place, ...]
    dated: str = ""


class Code(Block, frozen=True):
    """A QR code of a text, with the same in large letters where people read it."""

    text: str
    large: str = ""


class Large(Block, frozen=True):
    """A number that people copy by hand."""

    text: str


class Rule(Block, frozen=True):
    """A line across."""


class Document(msgspec.Struct, frozen=True):
    """A paper. name: what a printer's list may show, so no person's. foot: at the bottom of each
    page. twice: two copies beside each other on one A4 sheet, to be cut."""

    name: str
    blocks: tuple[Block, ...]
    foot: str = ""
    lang: str = "id"
    landscape: bool = False
    twice: bool = False
