"""Photos: photographs and scans of a form that is not submitted yet, while the citizen is there.

They lie with the draft (`attachments/drafting.py`) and become the request's when it is submitted.
Those of a request, and of its correction: `files.py`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response

from field_client.attachments import drafting
from field_client.attachments.drafting import Lying, Place
from field_client.folder import Folder
from field_client.pages import trays
from field_client.pages.drawing import Here
from field_client.pages.files import told_of
from field_client.pages.opening import opened
from field_client.pages.routes import act, show
from models.pages import topics
from models.pages.forms import Form
from models.pages.uploads import UPLOAD_BYTES_MAX
from models.problems import Problem, finding
from sync.attaching import FILES_OF_UNIT_MAX, SIGNATURE, Photo


class Photos(msgspec.Struct):
    """What lies with a folder and where more may be put."""

    folder: Folder
    places: list[Place]
    there: list[Lying]

    @property
    def state(self) -> str:
        """How far they are, in the words of `Topic.state`."""
        if not self.there:
            return "empty"
        wanted = drafting.next_to_photograph(self.folder, self.places, self.there)
        return "begun" if wanted else "done"

    @property
    def not_asked(self) -> list[Lying]:
        """Files of what is not asked any more."""
        return drafting.not_asked(self.places, self.there)


def photos_of(here: Here, folder: Folder, looked: list[topics.Looked]) -> Photos:
    """The photographs of a folder."""
    places = drafting.places(looked, here.lang)
    return Photos(folder, places, drafting.lying(folder, places, here.lang))


def doubts_of(one: Lying, lang: str) -> list[str]:
    """What may make a file unreadable, unless somebody wrote why it is kept."""
    hints = () if one.first.reason else one.first.hints
    return [finding(one.file.unit, code).words(lang) for code in hints]


@show("/drafts/{name:str}/files")
def files(here: Here, name: str) -> Response[Any]:
    """What was photographed, and the form to put more to it. A correction's files are those of its
    request."""
    folder = opened(here, name)
    if folder is None:
        return here.go(f"/drafts/{name}/done")
    if folder.record:
        return here.go(f"/requests/{folder.record.hex()}/files")
    return _draw(here, folder)


@act("/drafts/{name:str}/files", finishes=True, request_max_body_size=UPLOAD_BYTES_MAX)
def put(here: Here, form: Form, name: str) -> Response[Any]:
    """Take photographs and scans in: sealed and durable, all of them or none."""
    folder = opened(here, name)
    if folder is None:
        return here.go(f"/drafts/{name}/done")
    picked = form.all("tray")
    waiting = trays.chosen(here, folder.name, picked)
    sent = [*(Photo(one.name, one.data) for one in form.files("file")), *waiting]
    try:
        if not sent:
            raise Problem("attachment.choose")
        places = drafting.places(topics.look(folder), here.lang)
        place = drafting.place_named(places, form.get("place"))
        made = drafting.attach(folder, place, sent, form.get("reason")[:500])
    except Problem as problem:
        if problem.code == "disk.full":  # the room kept for this is given back, and it is done anew
            raise
        return _draw(here, folder, problem, form.get("place"))
    trays.taken(here, picked, waiting)
    told = here.say("{n} foto tersimpan bersama draf ini.", n=len(made))
    return here.go(f"/drafts/{name}/files", told_of(told, made, here.lang))


@show("/drafts/{name:str}/files/{blob:str}")
def picture(here: Here, name: str, blob: str) -> Response[bytes]:
    """The copy itself, or with `?small=1` its preview; seen by who took it in alone."""
    folder = opened(here, name)
    if folder is None:
        raise Problem("attachment.none", blob=blob[:16])
    data = drafting.picture(folder, blob, here.asked("small") == "1")
    return Response(data, media_type="image/webp")


@act("/drafts/{name:str}/files/{blob:str}/remove")
def remove(here: Here, form: Form, name: str, blob: str) -> Response[Any]:
    """Take one out again: it is taken anew, or was another person's."""
    folder = opened(here, name)
    if folder is None:
        return here.go(f"/drafts/{name}/done")
    there = photos_of(here, folder, topics.look(folder)).there
    drafting.detach(folder, there, form.get("place"), blob)
    return here.go(f"/drafts/{name}/files", here.say("Foto dibuang."))


def _draw(
    here: Here, folder: Folder, problem: Problem | None = None, place: str = ""
) -> Response[str]:
    looked = topics.look(folder)
    found = photos_of(here, folder, looked)
    signed = [one.name for one in found.places if one.unit.endswith(SIGNATURE)]
    sign = signed[0] if signed and here.asked("sign") else ""
    wanted = drafting.next_to_photograph(folder, found.places, found.there)
    return here.page(
        "photos.html",
        problem.status if problem is not None else 200,
        folder=folder,
        rows=[(one, doubts_of(one, here.lang)) for one in found.there],
        places=[(one.name, one.words) for one in found.places],
        place=place or sign or wanted,
        done={one.place for one in found.there},
        problem=problem,
        limit=FILES_OF_UNIT_MAX,
        tray=trays.tray_of(here, folder.name),
        qr=trays.qr_of(here, folder.name),
        pad=bool(signed),
        home=f"/drafts/{folder.name.hex()}",
    )


HANDLERS = [files, put, picture, remove]
