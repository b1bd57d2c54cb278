"""Joining: several PDF files as one."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Sequence

import pypdfium2

_NAMED = re.compile(rb"/ID\[<[0-9A-Fa-f]{32}><[0-9A-Fa-f]{32}>\]")
_WRITTEN = re.compile(rb"\(D:\d{14}[+-]\d\d'\d\d'")


def joined(files: Sequence[bytes]) -> bytes:
    """Several files as one, in that order."""
    whole, out = pypdfium2.PdfDocument.new(), io.BytesIO()
    try:
        for file in files:
            part = pypdfium2.PdfDocument(file)
            whole.import_pages(part)
            part.close()
        whole.save(out)
    finally:
        whole.close()
    # pdfium writes the hour and a random name; texts as long in their place keep offsets right.
    data = _WRITTEN.sub(b"(D:20000101000000+00'00'", out.getvalue())
    name = hashlib.sha256(b"".join(files)).hexdigest()[:32].upper().encode()
    return _NAMED.sub(b"/ID[<" + name + b"><" + name + b">]", data)
