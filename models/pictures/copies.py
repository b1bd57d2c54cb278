"""Working copies: small enough for 2G, large enough to be read, and nothing in them but pixels.

WebP: on a photographed sheet it needs 99 KiB where JPEG of the same legibility needs 300 (measured
in docs/benchmarks.md). The quality begins where letters keep their edges, and falls only for
pictures that would not fit.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageFilter

from models.changes import PREVIEW_BYTES_MAX
from models.pictures import Copy
from models.pictures.quality import hints
from models.pictures.reading import Cover, pictures
from models.problems import Problem

KINDS = ("page", "portrait")
COVERS = {"page": Cover(1240, 1754), "portrait": Cover(900, 1200)}
"""A page: A4 at 150 dots per inch. A portrait: twice what is the least for a printed one."""

LEAST = {"page": COVERS["page"], "portrait": Cover(480, 640)}
"""Below this a picture is called small."""

BYTES_MAX = {"page": 350_000, "portrait": 150_000}
QUALITIES = {"page": (50, 40, 30, 20, 10), "portrait": (75, 65, 50, 35, 20)}
PREVIEWS = ((560, 35), (480, 30), (400, 30), (320, 25), (280, 25), (240, 20), (200, 15), (160, 10))
"""Long side and quality, tried in this order until the preview is small enough."""

PREVIEW_SHARE = 0.04
PREVIEW_BYTES_LEAST = 2500
"""A preview is sent beside its paper, so it may have 4 % of its bytes: enough to see at the office
what has arrived, and the whole costs a slow link hardly more."""

_EFFORT = 4
_SMOOTHINGS = 4


def copies(data: bytes, name: str, kind: str) -> list[Copy]:
    """The pages in a file as working copies. name: of the file, for the words of a Problem."""
    cover = COVERS[kind]
    return [
        _copy(image, page, pages, name, kind) for page, pages, image in pictures(data, name, cover)
    ]


def _copy(image: Image.Image, page: int, pages: int, name: str, kind: str) -> Copy:
    found = hints(image, kind, LEAST[kind])
    scale = COVERS[kind].scale(*image.size)
    if scale < 1:
        size = (round(image.width * scale), round(image.height * scale))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    data = _fitted(image, QUALITIES[kind], BYTES_MAX[kind], name)
    preview = _preview(image, max(PREVIEW_BYTES_LEAST, int(len(data) * PREVIEW_SHARE)))
    return Copy(data, preview, kind, page, pages, image.width, image.height, found)


def _fitted(image: Image.Image, qualities: Sequence[int], limit: int, name: str) -> bytes:
    """The picture in at most `limit` bytes. Grain that no quality fits is smoothed away first."""
    for radius in range(_SMOOTHINGS):
        smooth = image.filter(ImageFilter.GaussianBlur(radius)) if radius else image
        for quality in qualities:
            data = webp(smooth, quality)
            if len(data) <= limit:
                return data
    raise Problem("attachment.broken", file=name)


def _preview(image: Image.Image, limit: int) -> bytes:
    for side, quality in PREVIEWS:
        small = image.copy()
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        data = webp(small, quality)
        if len(data) <= min(limit, PREVIEW_BYTES_MAX):
            return data
    small = image.resize((64, 64))
    return webp(small, 0)


def webp(image: Image.Image, quality: int) -> bytes:
    """WebP without a word of metadata."""
    kept = io.BytesIO()
    image.save(kept, "WEBP", quality=quality, method=_EFFORT, exif=b"", icc_profile=b"", xmp=b"")
    return kept.getvalue()
