"""Viewing: the pictures of a request beside whatever is decided about it.

Larger, smaller, turned, the next, two side by side: each is an address of the page itself, so it
works without a script; with one it happens in place.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from server.pages.drawing import Here
from server.sheets import FileLine, RequestSheet, form_named
from sync.attaching import place_words

TURNS = ("0", "90", "180", "270")
ZOOMS = ("100", "150", "200", "300", "400")


def viewer(here: Here, sheet: RequestSheet, path: str) -> dict[str, Any]:
    """What the viewer shows on the page at `path`. trouble: why a picture cannot be shown."""
    files, trouble = sheet.files, here.central.verification.trouble
    ids = [file.id for file in files]
    one = here.asked("doc") if here.asked("doc") in ids else (ids[0] if ids else "")
    two = here.asked("beside") if here.asked("beside") in ids else ""
    turn = here.asked("turn") if here.asked("turn") in TURNS else "0"
    zoom = here.asked("zoom") if here.asked("zoom") in ZOOMS else "100"
    at = {"doc": one, "beside": two, "turn": turn, "zoom": zoom}

    def to(**more: str) -> str:
        asked = {n: v for n, v in (at | more).items() if v not in ("", "0", "100")}
        return f"{path}?{urlencode(asked)}#papers"

    step = ZOOMS.index(zoom)
    shown = sorted((f for f in files if f.id in (one, two)), key=lambda file: file.id != one)
    following = ids[(ids.index(one) + 1) % len(ids)] if ids else ""
    return {
        "at": f"/requests/{sheet.id}",
        "files": [(f, title(here, sheet, f), to(doc=f.id)) for f in files],
        "shown": [(f, title(here, sheet, f), trouble(here.me, sheet.id, f.id)) for f in shown],
        "doc": one,
        "beside": two,
        "turn": turn,
        "zoom": zoom,
        "larger": to(zoom=ZOOMS[min(step + 1, len(ZOOMS) - 1)]),
        "smaller": to(zoom=ZOOMS[max(step - 1, 0)]),
        "turned": to(turn=TURNS[(TURNS.index(turn) + 1) % len(TURNS)]),
        "next": to(doc=following),
        "both": to(beside="" if two else following),
    }


def title(here: Here, sheet: RequestSheet, file: FileLine) -> str:
    """What a picture is called: its document or question, and which page of how many."""
    form = form_named(sheet.service, sheet.edition)
    words = here.say("Foto") if file.kind == "portrait" else place_words(form, file.unit, here.lang)
    if file.pages > 1:
        return here.say("{what}, halaman {n} dari {of}", what=words, n=file.page, of=file.pages)
    return words
