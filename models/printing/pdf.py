"""A document as PDF: A4, greyscale, numbered pages, the same bytes every time."""

from __future__ import annotations

import io
from typing import Any

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, FrameBreak, KeepInFrame, PageTemplate

from models.printing import flow
from models.printing.document import Document
from models.printing.fonts import PLAIN, load
from models.printing.pieces import Piece
from models.printing.signs import printable
from models.words import say

SIDE, TOP, BOTTOM = 35.6, 30.0, 40.0
"""Margins in points: 12.5 mm at the sides, room for the foot line below."""


class _Numbered(Canvas):  # type: ignore[misc]
    """A canvas that knows how many pages there are before the foot lines are drawn."""

    foot, lang = "", "id"

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:
        """Keep the page for later; the name is reportlab's."""
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Draw the foot of every page, then write the file."""
        for i, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            if self.foot:
                self._draw_foot(i, len(self._pages))
            super().showPage()
        super().save()

    def _draw_foot(self, page: int, pages: int) -> None:
        across = self._pagesize[0]
        self.setStrokeGray(0.45)
        self.setLineWidth(0.4)
        self.line(SIDE, BOTTOM - 8, across - SIDE, BOTTOM - 8)
        self.setFont(PLAIN, 6.6)
        self.setFillGray(0.15)
        self.drawString(SIDE, BOTTOM - 18, self.foot)
        number = say("Halaman {page} dari {pages}", self.lang, page=page, pages=pages)
        self.drawRightString(across - SIDE, BOTTOM - 18, number)


def pdf(document: Document) -> bytes:
    """The document on A4."""
    load()
    size = landscape(A4) if document.landscape or document.twice else A4
    file = io.BytesIO()
    kind = type("Canvas", (_Numbered,), {"foot": printable(document.foot), "lang": document.lang})
    room = (size[0] - 2 * SIDE, size[1] - TOP - BOTTOM)
    template = BaseDocTemplate(
        file, pagesize=size, invariant=1, pageCompression=1, title=document.name,
        author="", subject="", creator="Jemput Bola", lang=document.lang,
    )  # fmt: skip
    if document.twice:
        gap = 24.0
        half = (room[0] - gap) / 2
        frames = [
            Frame(SIDE + i * (half + gap), BOTTOM, half, room[1], 0, 0, 0, 0, id=f"f{i}")
            for i in (0, 1)
        ]
        story = _twice(document, half, room[1])
        template.addPageTemplates(PageTemplate("two", frames, onPage=_cut_line))
    else:
        frames = [Frame(SIDE, BOTTOM, *room, 0, 0, 0, 0, id="f")]
        look = flow.A4 if not document.landscape else flow.Look(room[0], size=8.0, label=0.2)
        story = flow.flow(document.blocks, look)
        template.addPageTemplates(PageTemplate("one", frames))
    template.build(story, canvasmaker=kind)
    return file.getvalue()


def _twice(document: Document, wide: float, high: float) -> list[Piece]:
    """The same on both halves of the sheet; shrunk as a whole where it would not fit one."""
    halves: list[Piece] = []
    for i in (0, 1):
        look = flow.Look(wide, size=flow.SLIP.size, qr=flow.SLIP.qr, large=flow.SLIP.large,
                         label=flow.SLIP.label)  # fmt: skip
        pieces = flow.flow(document.blocks, look)
        halves += [KeepInFrame(wide, high, pieces, mode="shrink")]
        halves += [FrameBreak()] if i == 0 else []
    return halves


def _cut_line(canvas: Canvas, _: BaseDocTemplate) -> None:
    across, high = canvas._pagesize
    canvas.saveState()
    canvas.setDash(3, 3)
    canvas.setStrokeGray(0.5)
    canvas.setLineWidth(0.5)
    canvas.line(across / 2, 20, across / 2, high - 20)
    canvas.restoreState()
