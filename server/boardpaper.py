"""The dashboard on paper: each panel with its words, its chart, its table, how it is counted."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from reportlab.platypus import Image

from models.printing import document as doc
from models.printing import flow
from models.printing.pdf import pdf
from models.printing.pieces import Piece
from models.words import say
from server.scene import Panel

ROWS_MAX = 100
HIGH_MAX = 430.0
"""Points: what fits a page below a heading."""
DOTS = 2
"""Pictures are drawn at double size, so that they are sharp on paper."""


class Picture(doc.Block, frozen=True):
    """A PNG, as wide as it was drawn or as the paper is."""

    data: bytes


@flow.draw.register
def _picture(block: Picture, look: flow.Look) -> list[Piece]:
    drawn = Image(io.BytesIO(block.data))
    wide, high = drawn.imageWidth / DOTS, drawn.imageHeight / DOTS
    scale = min(1.0, look.width / wide, HIGH_MAX / high)
    return [Image(io.BytesIO(block.data), wide * scale, high * scale)]


def paper(
    about: Sequence[tuple[str, str]],
    panels: Sequence[Panel],
    pictures: Mapping[str, bytes],
    lang: str,
) -> bytes:
    """The board as PDF. about: what it is of; pictures: PNG by key of the panel."""
    title = say("Dasbor layanan", lang)
    blocks: list[doc.Block] = [doc.Title(title), doc.Facts(tuple(about))]
    for panel in panels:
        blocks += _panel(panel, pictures.get(panel.key), lang)
    return pdf(doc.Document(title, tuple(blocks), f"Jemput Bola · {title}", lang, landscape=True))


def _panel(panel: Panel, picture: bytes | None, lang: str) -> list[doc.Block]:
    blocks: list[doc.Block] = [doc.Heading(panel.title), doc.Words(panel.said)]
    if picture is not None:
        blocks.append(Picture(picture))
    rows = tuple(tuple(cell.words for cell in row) for row in panel.rows[:ROWS_MAX])
    if rows:
        first = 2.0 / (len(panel.heads) + 1)
        rest = (1 - first) / (len(panel.heads) - 1)
        shares = (first, *[rest] * (len(panel.heads) - 1))
        blocks.append(doc.Table(tuple(panel.heads), rows, shares))
    if len(panel.rows) > ROWS_MAX:
        more = len(panel.rows) - ROWS_MAX
        blocks.append(
            doc.Words(say("{n} baris lagi ada di berkas XLSX.", lang, n=more), small=True)
        )
    if panel.note:
        blocks.append(doc.Words(panel.note, small=True))
    return blocks
