"""Is a picture good enough to be read? Said while the citizen still stands there.

Three measures, each cheap enough for an old laptop: how bright the brightest tenth is, how much of
the detail is fine detail, and how many pixels the paper has. Their limits were set on drawn sheets,
photographed ones, and the same blurred step by step until they could not be read (see the tests).
They are hints: nobody is stopped by them.
"""

from __future__ import annotations

from PIL import Image, ImageChops, ImageFilter

from models.pictures.reading import Cover

DARK = 90
"""Of 255: brightness that the brightest tenth of a lit sheet, or of a lit wall, passes."""

FINE = {"page": 0.28, "portrait": 0.24}
"""Least share of fine detail (one pixel) in all detail (four pixels), at 1200 pixels long."""

FAINT = 0.12
"""Least detail of a page, as a share of its brightness: below it no writing is to be seen."""

NEARLY = 0.95
_MEASURED = 1200
_TOP = 0.01


def hints(image: Image.Image, kind: str, cover: Cover) -> tuple[str, ...]:
    """Codes of what may make the picture unreadable: attachment.small, .dark, .blurred."""
    found = []
    short, long = sorted(image.size)
    if short < cover.short * NEARLY or long < cover.long * NEARLY:
        found.append("attachment.small")
    grey = image.convert("L")
    grey.thumbnail((_MEASURED, _MEASURED), Image.Resampling.LANCZOS)
    bright = _level(grey, 0.1)
    if bright < DARK:
        found.append("attachment.dark")
    if _blurred(grey, kind, bright):
        found.append("attachment.blurred")
    return tuple(found)


def _blurred(grey: Image.Image, kind: str, bright: int) -> bool:
    fine, wide = (_detail(grey, radius) for radius in (1.0, 4.0))
    if kind == "page" and wide < FAINT * max(bright, 1):
        return True
    return fine < FINE[kind] * wide


def _detail(grey: Image.Image, radius: float) -> int:
    """Strength of the strongest hundredth of what a blur of `radius` pixels takes away."""
    return _level(ImageChops.difference(grey, grey.filter(ImageFilter.GaussianBlur(radius))), _TOP)


def _level(grey: Image.Image, top: float) -> int:
    """The value that a share `top` of the pixels reaches."""
    histogram = grey.histogram()
    left = top * grey.width * grey.height
    for value in range(255, -1, -1):
        left -= histogram[value]
        if left <= 0:
            return value
    return 0
