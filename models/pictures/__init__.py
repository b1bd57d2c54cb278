"""Pictures: from a photographed or scanned paper to a small legible copy, the same in both houses.

Here alone the imaging libraries are imported. Whoever takes a picture in imports these modules in
the function that needs them: a house that shows pages only is not made to load a decoder.
"""

from __future__ import annotations

import msgspec


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
