"""Pieces drawn by hand: squares for single signs, ticks, a QR code, a line to write on."""

from __future__ import annotations

from typing import Any

import segno
from reportlab.platypus import Flowable

from models.printing.fonts import BOLD, PLAIN, load, width

GREY = 0.25
CELL = 13.2
"""Points of one square: room for a digit written by hand."""


class Squares(Flowable):  # type: ignore[misc]
    """One square for each sign; `count` of them, filled or open. Longer texts get more squares, in
    as many lines as the width asks for."""

    def __init__(self, text: str, count: int, size: float = 9.5) -> None:
        super().__init__()
        self.text, self.count, self.size = text, max(count, len(text)), size
        self.line = self.count

    def wrap(self, available: float, _: float) -> tuple[float, float]:
        """Points it takes."""
        self.line = max(1, min(self.count, int(available // CELL)))
        lines = -(-self.count // self.line)
        return self.line * CELL, lines * CELL

    def draw(self) -> None:
        """On the canvas reportlab gives."""
        canvas = self.canv
        lines = -(-self.count // self.line)
        canvas.setLineWidth(0.6)
        canvas.setStrokeGray(GREY)
        canvas.setFillGray(0)
        canvas.setFont(PLAIN, self.size)
        for i in range(self.count):
            x, y = (i % self.line) * CELL, (lines - 1 - i // self.line) * CELL
            canvas.rect(x, y, CELL, CELL)
            if i < len(self.text):
                canvas.drawCentredString(x + CELL / 2, y + 3.4, self.text[i])


class Tick(Flowable):  # type: ignore[misc]
    """A small square, crossed or open."""

    def __init__(self, ticked: bool, size: float = 7.5) -> None:
        super().__init__()
        self.ticked, self.size = ticked, size

    def wrap(self, *_: float) -> tuple[float, float]:
        """Points it takes."""
        return self.size, self.size

    def draw(self) -> None:
        """On the canvas reportlab gives."""
        canvas, size = self.canv, self.size
        canvas.setLineWidth(0.6)
        canvas.setStrokeGray(0)
        canvas.rect(0, 0, size, size)
        if self.ticked:
            canvas.setLineWidth(1.3)
            canvas.line(1.3, 1.3, size - 1.3, size - 1.3)
            canvas.line(1.3, size - 1.3, size - 1.3, 1.3)


class Qr(Flowable):  # type: ignore[misc]
    """A QR code with its quiet zone, as wide as there is room, at most `most` points. dot: size of
    a printer's dot in points; modules are then whole dots, so that none is wider than another."""

    def __init__(self, text: str, most: float, dot: float = 0.0) -> None:
        super().__init__()
        # Micro QR off: many telephones do not read it.
        self.rows = [list(row) for row in segno.make(text, micro=False, error="m").matrix]
        self.most, self.dot, self.side, self.left = most, dot, most, 0.0

    def wrap(self, available: float, _: float) -> tuple[float, float]:
        """Points it takes."""
        count = len(self.rows) + 8
        module = min(self.most, available) / count
        if self.dot:
            module = max(1, int(module / self.dot)) * self.dot
        self.side = module * count
        self.left = (available - self.side) / 2
        if self.dot:
            self.left = int(self.left / self.dot) * self.dot
        return available, self.side

    def draw(self) -> None:
        """Dark modules of a row are drawn as one bar each run, so that no hair line parts them."""
        count = len(self.rows) + 8
        module = self.side / count
        self.canv.setFillGray(0)
        for i, row in enumerate(self.rows):
            y = self.side - (i + 5) * module
            for start, length in _runs(row):
                x = self.left + (start + 4) * module
                self.canv.rect(x, y, length * module, module * 1.01, stroke=0, fill=1)
        self.canv.setFillGray(0)


def _runs(row: list[int]) -> list[tuple[int, int]]:
    """Where dark runs begin and how long they are."""
    found: list[tuple[int, int]] = []
    for i, dark in enumerate(row):
        if not dark:
            continue
        if found and sum(found[-1]) == i:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((i, 1))
    return found


class Line(Flowable):  # type: ignore[misc]
    """A line across, to part or to write on. inset: points it keeps from both ends."""

    def __init__(
        self, grey: float = 0.0, dashed: bool = False, above: float = 2.0, inset: float = 0.0
    ) -> None:
        super().__init__()
        self.grey, self.dashed, self.above, self.inset = grey, dashed, above, inset
        self.across = 0.0

    def wrap(self, available: float, _: float) -> tuple[float, float]:
        """Points it takes."""
        self.across = available
        return available, self.above + 2

    def draw(self) -> None:
        """On the canvas reportlab gives."""
        self.canv.setLineWidth(0.6)
        self.canv.setStrokeGray(self.grey)
        if self.dashed:
            self.canv.setDash(2, 2)
        self.canv.line(self.inset, 1, self.across - self.inset, 1)
        self.canv.setDash()


class Framed(Flowable):  # type: ignore[misc]
    """A short text in a frame, such as the number of a form."""

    def __init__(self, text: str, size: float = 11) -> None:
        super().__init__()
        load()
        self.text, self.size = text, size
        self.across = width(text, BOLD, size) + 12

    def wrap(self, *_: float) -> tuple[float, float]:
        """Points it takes."""
        return self.across, self.size + 8

    def draw(self) -> None:
        """On the canvas reportlab gives."""
        self.canv.setLineWidth(0.9)
        self.canv.setStrokeGray(0)
        self.canv.rect(0, 0, self.across, self.size + 8)
        self.canv.setFont(BOLD, self.size)
        self.canv.drawCentredString(self.across / 2, 5, self.text)


Piece = Any
"""Whatever reportlab can lay out."""
