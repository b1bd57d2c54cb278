"""Reading what somebody photographed or scanned: JPEG, PNG, HEIC, and the pages of a PDF.

Everything stays in memory. The size of a picture is read from its head and judged before anything
is unpacked, so a small file cannot become a large picture. What a decoder cannot read to its end is
refused: half a paper is worse than none.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image, ImageCms, ImageOps

from models.problems import Problem

PIXELS_MAX = 50_000_000
"""The largest telephones make 48 million; unpacked that is 150 MB, for a moment."""

PAGES_MAX = 10
SIDE_MAX = 2480
"""A4 at 212 dots per inch. More is not read from a screen."""

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx")
_PDF_HEAD_BYTES = 1024


class Cover(NamedTuple):
    """The smallest picture that will do, in pixels: a copy is made to cover it, not to fit it."""

    short: int
    long: int

    def scale(self, width: float, height: float) -> float:
        """By how much a picture may shrink and still cover; at most SIDE_MAX long."""
        short, long = sorted((width, height))
        return min(max(self.short / short, self.long / long), SIDE_MAX / long)


def pictures(data: bytes, name: str, cover: Cover) -> Iterator[tuple[int, int, Image.Image]]:
    """(page, pages, picture) for each page, upright, in plain colours and without its metadata.

    name: of the file, for the words of a Problem: attachment.kind, .pixels, .pages, .locked,
    .broken.
    """
    if data[:3] == b"\xff\xd8\xff":
        yield 1, 1, _picture(data, name, ("JPEG", "MPO"), cover)
    elif data[:8] == b"\x89PNG\r\n\x1a\n":
        yield 1, 1, _picture(data, name, ("PNG",), cover)
    elif data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        _open_heic()
        yield 1, 1, _picture(data, name, ("HEIF",), cover)
    elif b"%PDF-" in data[:_PDF_HEAD_BYTES]:
        yield from _pages(data, name, cover)
    else:
        raise Problem("attachment.kind", file=name)


@contextlib.contextmanager
def _decoding(name: str) -> Iterator[None]:
    """Whatever a decoder stumbles over becomes one plain refusal."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # judged here, below
            yield
    except Problem:
        raise
    except Image.DecompressionBombError as error:
        raise Problem("attachment.pixels", file=name, limit=PIXELS_MAX // 1_000_000) from error
    except Exception as error:  # decoders of damaged bytes raise what they like
        raise Problem("attachment.broken", file=name) from error


# -- pictures


def _open_heic() -> None:
    """Teach Pillow to read HEIC; asked for again it changes nothing."""
    import pi_heif  # only when a telephone made it

    pi_heif.register_heif_opener(thumbnails=False)


def _picture(data: bytes, name: str, forms: tuple[str, ...], cover: Cover) -> Image.Image:
    with _decoding(name), Image.open(io.BytesIO(data), formats=forms) as opened:
        _check_pixels(name, *opened.size)
        if opened.format == "JPEG":
            # Unpacked at a half or a quarter where that still covers: a quarter of the memory.
            scale = cover.scale(*opened.size)
            opened.draft("RGB", (int(opened.width * scale) + 1, int(opened.height * scale) + 1))
        opened.load()
        return plain(ImageOps.exif_transpose(opened))


def _check_pixels(name: str, width: int, height: int) -> None:
    if width * height > PIXELS_MAX:
        raise Problem("attachment.pixels", file=name, limit=PIXELS_MAX // 1_000_000)
    if min(width, height) < 16:
        raise Problem("attachment.broken", file=name)


def plain(image: Image.Image) -> Image.Image:
    """The same picture in sRGB on white, and nothing but its pixels."""
    profile = image.info.get("icc_profile")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode.startswith(("I", "F")):  # 16 bits a pixel: scanners of X-rays and such
        image = image.convert("F").point(lambda value: value / 257.0).convert("L")
    image = _managed(image, profile).convert("RGB")
    bare = Image.new("RGB", image.size)
    bare.paste(image)
    return bare


def _managed(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours as the camera meant them. A profile that cannot be read is as good as none."""
    if not profile or image.mode not in ("RGB", "L", "CMYK"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        managed = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return managed or image


# -- pages


def _pages(data: bytes, name: str, cover: Cover) -> Iterator[tuple[int, int, Image.Image]]:
    import pypdfium2 as pdfium  # 8 MB: only for a PDF
    from pypdfium2.raw import FPDF_ERR_PASSWORD

    with _decoding(name):
        try:
            document = pdfium.PdfDocument(data)
        except pdfium.PdfiumError as error:
            if getattr(error, "err_code", None) == FPDF_ERR_PASSWORD:
                raise Problem("attachment.locked", file=name) from error
            raise
        try:
            count = len(document)
            if count > PAGES_MAX:
                raise Problem("attachment.pages", file=name, n=count, limit=PAGES_MAX)
            if count == 0:
                raise Problem("attachment.broken", file=name)
            for number in range(count):
                page = document[number]
                width, height = page.get_size()
                drawn = page.render(scale=cover.scale(width, height)).to_pil()
                page.close()
                yield number + 1, count, plain(drawn)
        finally:
            document.close()
