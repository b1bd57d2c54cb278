"""Scanning: papers that people bring to the counter, put to their request, looked at, taken out.

What may make a copy unreadable is said at once, while the citizen is still there.
"""

from __future__ import annotations

from typing import Any

from litestar import Response

from models.pages.forms import Form
from models.pages.uploads import UPLOAD_BYTES_MAX
from models.problems import Problem
from server.pages.drawing import Here
from server.pages.routes import act, show
from sync.attaching import FILES_OF_UNIT_MAX, Photo, Put

WHY_MAX = 500


@show("/counter/requests/{record:str}/files")
def files(here: Here, record: str) -> Response[str]:
    """What is attached to a request, and the form to put more to it."""
    return _draw(here, record)


@act("/counter/requests/{record:str}/files", request_max_body_size=UPLOAD_BYTES_MAX)
def attach(here: Here, form: Form, record: str) -> Response[Any]:
    """Take scans and photographs in: all of them or none."""
    sent = [Photo(one.name, one.data) for one in form.files("file")]
    place, why = form.get("place"), form.get("reason")[:WHY_MAX]
    try:
        if not sent:
            raise Problem("attachment.choose")
        made = here.central.scans.attach(here.me, record, place, sent, why)
    except Problem as problem:
        if problem.code.startswith(("auth.", "request.unknown", "request.closed")):
            raise
        return _draw(here, record, problem, place, why)
    return here.go(_at(record), " ".join([_told(here, made), *_hints(here, made)]))


@act("/counter/requests/{record:str}/files/{file:str}/remove")
def remove(here: Here, form: Form, record: str, file: str) -> Response[Any]:
    """Take one out again, with a reason: another person's, or one that was scanned anew."""
    here.central.scans.detach(here.me, record, file, form.get("reason"))
    return here.go(_at(record), here.say("Lampiran dilepas."))


def _told(here: Here, made: list[Put]) -> str:
    return here.say(
        "{n} lampiran tersimpan; verifikator melihatnya di halaman berkas.", n=len(made)
    )


def _hints(here: Here, made: list[Put]) -> list[str]:
    """What may make them unreadable, each once. The name of a file is not said: it may be a
    citizen's."""
    return list(dict.fromkeys(f"⚠ {hint.words(here.lang)}" for one in made for hint in one.hints))


def _at(record: str) -> str:
    return f"/counter/requests/{record}/files"


def _draw(
    here: Here, record: str, problem: Problem | None = None, place: str = "", why: str = ""
) -> Response[str]:
    scanned = here.central.scans.open(here.me, record, here.lang)
    return here.page(
        "counter/files.html",
        status=problem.status if problem is not None else 200,
        scanned=scanned,
        base=_at(scanned.id),
        place=place or scanned.next,
        why=why,
        problem=problem,
        limit=FILES_OF_UNIT_MAX,
    )


HANDLERS = [files, attach, remove]
