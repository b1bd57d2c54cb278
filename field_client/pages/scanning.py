"""Scanning: a receipt's QR code, held to the laptop's camera or photographed.

No browser of these laptops reads such codes by itself (`BarcodeDetector` is missing on Windows and
Linux), so the pictures are read here, on this machine, in memory.
"""

from __future__ import annotations

from typing import Any

from litestar import Response

from field_client import handover
from field_client.pages.drawing import Here
from field_client.pages.requests import QR_MAX
from field_client.pages.routes import act
from models.pages.forms import Form
from models.pages.uploads import UPLOAD_BYTES_MAX
from models.problems import Problem

GIVING = "handover"


@act("/scan", request_max_body_size=UPLOAD_BYTES_MAX)
def scan(here: Here, form: Form) -> Response[Any]:
    """A photograph leads to its request. A frame of the camera, sent by the page's script, is
    answered with where to go, with nothing (204), or with words. Problems qr.none, receipt.*."""
    if not here.is_part:
        return here.go(_place(here, form))
    try:
        words, code = _place(here, form), 200
    except Problem as problem:
        words, code = problem.words(here.lang), problem.status
        if problem.code == "qr.none":
            return Response("", status_code=204, media_type="text/plain; charset=utf-8")
    return Response(words, status_code=code, media_type="text/plain; charset=utf-8")


def _place(here: Here, form: Form) -> str:
    """Address of the request whose receipt is in the picture."""
    from field_client.qr import text_of  # loads the imaging library

    sent = form.files("code")
    text = text_of(sent[0].data, sent[0].name) if sent else ""
    if not text:
        raise Problem("qr.none")
    record = handover.scanned(here.desk, text[:QR_MAX])
    ending = "/handover" if form.get("next") == GIVING else ""
    return f"/requests/{record.hex()}{ending}"


HANDLERS = [scan]
