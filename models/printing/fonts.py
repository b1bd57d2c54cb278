"""Fonts: Bitstream Vera, which comes in reportlab's wheel and is embedded in every page."""

from __future__ import annotations

from functools import cache

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

PLAIN, BOLD = "Vera", "Vera-Bold"


@cache
def _loaded() -> dict[str, TTFont]:
    """Both faces, made known to reportlab under one family."""
    faces = {PLAIN: TTFont(PLAIN, "Vera.ttf"), BOLD: TTFont(BOLD, "VeraBd.ttf")}
    for face in faces.values():
        pdfmetrics.registerFont(face)
    pdfmetrics.registerFontFamily(PLAIN, PLAIN, BOLD, PLAIN, BOLD)
    return faces


def load() -> None:
    """Make the fonts known; needed once before anything is drawn."""
    _loaded()


def has(sign: str) -> bool:
    """Whether the font draws this sign."""
    return ord(sign) in _loaded()[PLAIN].face.charToGlyph and ord(sign) >= 32


def width(text: str, font: str, size: float) -> float:
    """Points the text takes on one line."""
    load()
    return float(pdfmetrics.stringWidth(text, font, size))
