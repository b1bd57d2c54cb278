"""A document on the strip of a thermal printer: dots, because such printers differ in letters.

Printed are black dots at 203 to the inch: 384 across on 58 mm paper, 576 on 80 mm. The page is laid
out once, at the height it needs, and drawn by pdfium; what is sent is a picture, so a cheap printer
without our letters or without QR codes prints the same.
"""

from __future__ import annotations

import io
from typing import Literal

import pypdfium2
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from models.printing import flow
from models.printing.document import Document

Paper = Literal["58", "80"]
DOTS: dict[Paper, int] = {"58": 384, "80": 576}
LOOKS: dict[Paper, flow.Look] = {"58": flow.STRIP58, "80": flow.STRIP80}
BAND = 128
"""Rows of dots sent at once; small printers keep no more."""
DARK = 150
"""A dot darker than this is burnt."""

_BEGIN, _FEED, _CUT = b"\x1b@", b"\x1bd\x03", b"\x1dV\x42\x00"
"""ESC @ makes the printer forget; ESC d 3 feeds three lines; GS V 66 0 cuts, where it can."""


def strip(document: Document, paper: Paper) -> bytes:
    """The document as a PDF of one long page, as wide as the print."""
    look = LOOKS[paper]
    pieces = flow.flow(document.blocks, look)
    heights = []
    probe = Canvas(io.BytesIO(), invariant=1)
    for piece in pieces:
        heights.append(piece.wrapOn(probe, look.width, 1e6)[1])
    high = sum(heights) + 8
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(look.width, high), invariant=1)
    canvas.setTitle(document.name)
    y = high - 4
    for piece, height in zip(pieces, heights, strict=True):
        piece.wrapOn(canvas, look.width, 1e6)
        y -= height
        piece.drawOn(canvas, 0, y)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def picture(document: Document, paper: Paper) -> Image.Image:
    """The strip as the printer will show it: black and white, `DOTS` across."""
    pages = pypdfium2.PdfDocument(strip(document, paper))
    try:
        page = pages[0]
        scale = DOTS[paper] / page.get_width()
        drawn = page.render(scale=scale, grayscale=True).to_pil().convert("L")
    finally:
        pages.close()
    dots: Image.Image = drawn.crop((0, 0, DOTS[paper], drawn.height))
    return dots.point([255 if level > DARK else 0 for level in range(256)]).convert("1")


def png(document: Document, paper: Paper) -> bytes:
    """The strip as a picture, to be looked at or sent on."""
    file = io.BytesIO()
    picture(document, paper).save(file, "png")
    return file.getvalue()


def escpos(document: Document, paper: Paper) -> bytes:
    """What is sent to the printer: ESC/POS raster (`GS v 0`), fed and cut."""
    dots = picture(document, paper)
    across = dots.width // 8
    sent = [_BEGIN]
    for top in range(0, dots.height, BAND):
        band = dots.crop((0, top, dots.width, min(top + BAND, dots.height)))
        # In a picture 1 is white; the printer burns where the bit is 1.
        rows = bytes(byte ^ 0xFF for byte in band.tobytes())
        sent.append(b"\x1dv0\x00" + _two(across) + _two(band.height) + rows)
    return b"".join([*sent, _FEED, _CUT])


def _two(number: int) -> bytes:
    return number.to_bytes(2, "little")
