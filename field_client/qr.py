"""QR: what a code in a photograph, or in a frame of a camera, says."""

from __future__ import annotations

from models.pictures.reading import Cover, pictures

COVER = Cover(1400, 1400)
"""Larger pictures are made smaller: a receipt's code has some seventy dots a side, which is read
even where it fills a fifth of the picture."""


def text_of(data: bytes, name: str) -> str:
    """The text of the first code that can be read, "" where there is none. name: of the file, for
    the words of a Problem attachment.*."""
    import zxingcpp  # 2 MB, only when something is held to the camera

    for _, _, image in pictures(data, name, COVER):
        wanted = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
        found = zxingcpp.read_barcodes(image.convert("L"), formats=wanted)
        if found:
            return str(found[0].text)
    return ""
