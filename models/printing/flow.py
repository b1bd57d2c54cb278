"""From blocks to what reportlab lays out: one drawing of every block for any width of paper."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import singledispatch
from xml.sax.saxutils import escape

import msgspec
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import CondPageBreak, KeepTogether, Paragraph, Spacer, Table, TableStyle

from models.printing import document as doc
from models.printing.fonts import BOLD, PLAIN, load, width
from models.printing.pieces import CELL, Framed, Line, Piece, Qr, Squares, Tick
from models.printing.signs import printable

_LOUD = re.compile(f"{doc.LOUD}([^{doc.LOUD}{doc.SOFT}]*){doc.SOFT}")
LINE_GREY = 0.25
BAND_GREY = 0.88


class Look(msgspec.Struct, frozen=True):
    """How large things are, in points. width: of the paper between its margins. label: share of the
    line a label takes. pen: least height of an open box. dot: of a thermal printer, else 0."""

    width: float
    size: float = 8.6
    label: float = 0.29
    pen: float = 17.0
    qr: float = 150.0
    large: float = 20.0
    dot: float = 0.0

    @property
    def narrow(self) -> bool:
        """A strip of a thermal printer."""
        return self.width < 220


A4 = Look(524.0)
SLIP = Look(350.0, size=8.4, qr=168.0, large=24.0, label=0.27)
STRIP58 = Look(136.0, size=7.6, qr=136.0, large=16.0, label=0.32, dot=136 / 384)
STRIP80 = Look(204.0, size=8.2, qr=180.0, large=23.0, label=0.3, dot=204 / 576)


def flow(blocks: Sequence[doc.Block], look: Look) -> list[Piece]:
    """The pieces of a document, from the top."""
    load()
    pieces: list[Piece] = []
    for block in blocks:
        pieces += draw(block, look)
    return pieces


@singledispatch
def draw(block: doc.Block, look: Look) -> list[Piece]:
    """The pieces of one block."""
    raise TypeError(f"nobody knows how to draw {type(block).__name__} {look.width}")


def words(text: str, look: Look, size: float = 0, font: str = PLAIN, centre: bool = False) -> Piece:
    """A paragraph; long words break too. What `document.loud` marked stands out."""
    size = size or look.size
    style = ParagraphStyle(
        "words", fontName=font, fontSize=size, leading=size * 1.28, splitLongWords=1,
        alignment=TA_CENTER if centre else 0,
    )  # fmt: skip
    parts = [_marked(part) for part in _LOUD.split(text)]
    loud = [f"<b>{part}</b>" if i % 2 and part else part for i, part in enumerate(parts)]
    return Paragraph("".join(loud), style)


def _marked(text: str) -> str:
    """Text as reportlab reads it: its own signs escaped, lines broken where they were."""
    return escape(printable(text)).replace("\n", "<br/>")


def filled(value: str, look: Look, room: float) -> Piece:
    """What was filled in: on one line, a little smaller where that helps, else over several."""
    size = look.size + 0.6
    while size > look.size - 1.4 and width(printable(value), PLAIN, size) > room:
        size -= 0.4
    style = ParagraphStyle(
        "filled", fontName=PLAIN, fontSize=size, leading=size * 1.24, splitLongWords=1
    )
    return Paragraph(_marked(value), style)


# -- the blocks


@draw.register
def _letterhead(block: doc.Letterhead, look: Look) -> list[Piece]:
    lines: list[Piece] = []
    for i, line in enumerate(block.lines):
        font, size = (BOLD, look.size + 0.8) if i < block.loud else (PLAIN, look.size - 0.4)
        lines.append(words(line, look, size, font, centre=not block.number))
    if block.number:
        table = Table([[lines, Framed(block.number, 11)]], colWidths=[look.width - 80, 80])
        right = ("ALIGN", (1, 0), (1, 0), "RIGHT")
        table.setStyle(_bare([right, ("VALIGN", (0, 0), (-1, -1), "TOP")]))
        lines = [table]
    return [*lines, Line(above=3), Spacer(1, 4)]


@draw.register
def _title(block: doc.Title, look: Look) -> list[Piece]:
    size = look.size + (1.5 if look.narrow else 3)
    pieces = [words(block.text, look, size, BOLD, centre=True)]
    if block.under:
        pieces.append(words(block.under, look, look.size - 0.4, centre=True))
    return [Spacer(1, 3), *pieces, Spacer(1, 6)]


@draw.register
def _heading(block: doc.Heading, look: Look) -> list[Piece]:
    if look.narrow:
        return [Spacer(1, 3), words(block.text, look, look.size, BOLD)]
    table = Table([[words(block.text, look, look.size, BOLD)]], colWidths=[look.width])
    band = ("BACKGROUND", (0, 0), (-1, -1), (BAND_GREY, BAND_GREY, BAND_GREY))
    table.setStyle(_bare([band], 2.5, 4))
    # A heading never stands alone at the foot of a page.
    return [CondPageBreak(70), Spacer(1, 5), table, Spacer(1, 2)]


@draw.register
def _boxes(block: doc.Boxes, look: Look) -> list[Piece]:
    rows: list[tuple[doc.Box, ...]] = []
    for box in block.boxes:
        half = rows and len(rows[-1]) == 1 and not (rows[-1][0].wide or box.wide)
        if half:
            rows[-1] = (*rows[-1], box)
        else:
            rows.append((box,))
    return [piece for row in rows for piece in (_box_line(row, look), Spacer(1, 1.6))]


def _box_line(row: tuple[doc.Box, ...], look: Look) -> Piece:
    label = look.width * look.label
    if len(row) == 1 and row[0].wide:
        widths = [label, look.width - label]
    else:
        part, second = look.width / 2, label * 0.8
        widths = [label, part - label, second, part - second]
    cells: list[Piece] = []
    style: list[tuple[object, ...]] = []
    for i, box in enumerate(row):
        cells += [words(box.label, look, look.size - 0.3), _box(box, look, widths[2 * i + 1] - 8)]
        if not box.cells and not box.ticks:
            at = (2 * i + 1, 0)
            style.append(("BOX", at, at, 0.6, (LINE_GREY,) * 3))
    cells += [""] * (len(widths) - len(cells))
    table = Table([cells], colWidths=widths, minRowHeights=[look.pen])
    table.setStyle(_bare([*style, ("VALIGN", (0, 0), (-1, -1), "MIDDLE")], 1.8, 4))
    return table


def _box(box: doc.Box, look: Look, room: float) -> Piece:
    if box.cells:
        return Squares("".join(printable(box.value).split()), box.cells)
    if box.ticks:
        return _tick_line(box.ticks, look, room)
    return filled(box.value, look, room) if box.value else ""


def _tick_line(ticks: Sequence[tuple[str, bool]], look: Look, room: float) -> Piece:
    """Choices one behind another, over as many lines as they need."""
    rows: list[list[tuple[str, bool, float]]] = [[]]
    left = room
    size = look.size - 0.6
    for label, ticked in ticks:
        wide = min(width(printable(label), BOLD if ticked else PLAIN, size) + 20, room)
        if wide > left and rows[-1]:
            rows.append([])
            left = room
        rows[-1].append((label, ticked, wide))
        left -= wide
    lines: list[Piece] = []
    for row in rows:
        cells: list[Piece] = []
        widths: list[float] = []
        for label, ticked, wide in row:
            cells += [Tick(ticked), words(label, look, size, BOLD if ticked else PLAIN)]
            widths += [11, wide - 11]
        table = Table([cells], colWidths=widths)
        table.setStyle(_bare([("VALIGN", (0, 0), (-1, -1), "MIDDLE")], 0.6, 0))
        table.hAlign = "LEFT"
        lines.append(table)
    return lines


@draw.register
def _ticks(block: doc.Ticks, look: Look) -> list[Piece]:
    columns = 1 if look.narrow else block.columns
    depth = -(-len(block.choices) // columns)
    rows: list[list[Piece]] = []
    for i in range(depth):
        row: list[Piece] = []
        for j in range(columns):
            at = i + j * depth
            if at >= len(block.choices):
                row += ["", ""]
                continue
            text, ticked = block.choices[at]
            font = BOLD if ticked else PLAIN
            row += [Tick(ticked), words(text, look, look.size - 0.4, font)]
        rows.append(row)
    table = Table(rows, colWidths=[14, look.width / columns - 14] * columns)
    table.setStyle(_bare([("VALIGN", (0, 0), (-1, -1), "MIDDLE")], 1.4, 3))
    return [table]


@draw.register
def _words(block: doc.Words, look: Look) -> list[Piece]:
    size = look.size - 1 if block.small else look.size + 0.2
    text = words(block.text, look, size, centre=block.centre)
    if not block.framed:
        return [Spacer(1, 2), text, Spacer(1, 3)]
    table = Table([[text]], colWidths=[look.width])
    table.setStyle(_bare([("BOX", (0, 0), (-1, -1), 1.1, (0, 0, 0))], 4, 5))
    return [Spacer(1, 3), table, Spacer(1, 3)]


@draw.register
def _facts(block: doc.Facts, look: Look) -> list[Piece]:
    label = look.width * look.label
    rows = [
        [words(name, look, look.size - 0.2), words(doc.loud(value), look)]
        for name, value in block.facts
        if value
    ]
    if not rows:
        return []
    table = Table(rows, colWidths=[label, look.width - label])
    table.setStyle(_bare([("VALIGN", (0, 0), (-1, -1), "TOP")], 1.2, 2))
    return [table, Spacer(1, 2)]


@draw.register
def _table(block: doc.Table, look: Look) -> list[Piece]:
    total = sum(block.shares)
    widths = [look.width * share / total for share in block.shares]
    size = look.size - 1.1
    head = [words(text, look, size - 0.2, BOLD, centre=True) for text in block.heads]
    rows = [[words(text, look, size) if text else "" for text in row] for row in block.rows]
    table = Table(
        [head, *rows], colWidths=widths, repeatRows=1, minRowHeights=[14] * (len(rows) + 1)
    )
    grey = (BAND_GREY,) * 3
    table.setStyle(
        _bare(
            [
                ("GRID", (0, 0), (-1, -1), 0.5, (LINE_GREY,) * 3),
                ("BACKGROUND", (0, 0), (-1, 0), grey),
                ("VALIGN", (0, 0), (-1, 0), "MIDDLE"),
                ("VALIGN", (0, 1), (-1, -1), "TOP"),
            ],
            2,
            2.5,
        )
    )
    return [table, Spacer(1, 4)]


@draw.register
def _signatures(block: doc.Signatures, look: Look) -> list[Piece]:
    count = 1 if look.narrow else len(block.places)
    pieces: list[Piece] = [Spacer(1, 6)]
    if block.dated:
        dated = Table(
            [["", words(block.dated, look, centre=True)]],
            colWidths=[look.width * (count - 1) / count, look.width / count],
        )
        dated.setStyle(_bare([]))
        pieces.append(dated)
    cells = [_place(place, look) for place in block.places]
    rows = [cells[i : i + count] for i in range(0, len(cells), count)]
    table = Table(rows, colWidths=[look.width / count] * count)
    table.setStyle(_bare([("VALIGN", (0, 0), (-1, -1), "TOP")], 1, 6))
    return [*pieces, table] if look.narrow else [KeepTogether([*pieces, table])]


def _place(place: doc.Place, look: Look) -> list[Piece]:
    note = words(place.note, look, look.size - 1.4, centre=True) if place.note else Spacer(1, 10)
    name = words(f"( {place.name} )", look, centre=True) if place.name else _pen_line(look)
    return [words(place.above, look, centre=True), Spacer(1, 16), note, Spacer(1, 14), name]


def _pen_line(look: Look) -> Piece:
    return Line(above=6, inset=0 if look.narrow else 16)


@draw.register
def _code(block: doc.Code, look: Look) -> list[Piece]:
    pieces: list[Piece] = [Qr(block.text, look.qr, look.dot)]
    if block.large:
        pieces = [*_large(doc.Large(block.large), look), *pieces]
    return pieces


@draw.register
def _large(block: doc.Large, look: Look) -> list[Piece]:
    size = look.large
    while size > look.size and width(printable(block.text), BOLD, size) > look.width - 4:
        size -= 0.5
    return [Spacer(1, 3), words(block.text, look, size, BOLD, centre=True), Spacer(1, 4)]


@draw.register
def _rule(_: doc.Rule, look: Look) -> list[Piece]:
    return [Line(dashed=look.narrow), Spacer(1, 3)]


def _bare(more: list[tuple[object, ...]], above: float = 0, beside: float = 0) -> TableStyle:
    """A table without lines, its cells padded by so many points."""
    whole = ((0, 0), (-1, -1))
    return TableStyle(
        [
            ("LEFTPADDING", *whole, beside),
            ("RIGHTPADDING", *whole, beside),
            ("TOPPADDING", *whole, above),
            ("BOTTOMPADDING", *whole, above),
            *more,
        ]
    )


__all__ = ["A4", "CELL", "SLIP", "STRIP58", "STRIP80", "Look", "flow"]
