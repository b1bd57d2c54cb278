"""Pictures: from a photographed or scanned paper to a small legible copy, the same in both houses.

Here alone the imaging libraries are imported. Whoever takes a picture in imports these modules in
the function that needs them: a house that shows pages only is not made to load a decoder.
"""

from __future__ import annotations

import msgspec

WEBP_HEAD, WEBP_KIND = b"RIFF", b"WEBP"


class Copy(msgspec.Struct, frozen=True):
    """One page or portrait as it is kept and sent. data, preview: WebP. page of pages: its place in
    the file. width, height: pixels. hints: codes of findings about its legibility."""

    data: bytes
    preview: bytes
    kind: str
    page: int
    pages: int
    width: int
    height: int
    hints: tuple[str, ...]


def is_picture(data: bytes) -> bool:
    """Is this a whole WebP file, by its own head? No other kind is kept."""
    if len(data) < 16 or data[:4] != WEBP_HEAD or data[8:12] != WEBP_KIND:
        return False
    return int.from_bytes(data[4:8], "little") + 8 <= len(data)
