"""Files: photographs and scans of a request, put in, looked at, taken out again.

What may make a copy unreadable is said at once, while the citizen is still there.
"""

from __future__ import annotations

from typing import Any

from litestar import Response

from field_client import shown
from field_client.attachments import attaching
from field_client.pages import trays
from field_client.pages.drawing import Here
from field_client.pages.requests import record_id
from field_client.pages.routes import act, show
from field_client.sheet import Sheet
from field_client.vault.attached import StoredFile
from models import lifecycle
from models.pages.forms import Form
from models.pages.uploads import UPLOAD_BYTES_MAX
from models.problems import Problem
from sync.attaching import (
    DOCUMENT,
    FILES_OF_UNIT_MAX,
    SIGNATURE,
    Photo,
    Put,
    next_place,
    open_places,
    place_words,
)


@show("/requests/{record:str}/files")
def files(here: Here, record: str) -> Response[str]:
    """What is attached to a request, and the form to put more to it."""
    return _draw(here, here.desk.open(record_id(record)))


@act("/requests/{record:str}/files", finishes=True, request_max_body_size=UPLOAD_BYTES_MAX)
def put(here: Here, form: Form, record: str) -> Response[Any]:
    """Take photographs and scans in: sealed and durable, all of them or none."""
    page = here.desk.open(record_id(record))
    picked = form.all("tray")
    waiting = trays.chosen(here, page.record, picked)
    sent = [*(Photo(one.name, one.data) for one in form.files("file")), *waiting]
    try:
        if not sent:
            raise Problem("attachment.choose")
        made = here.desk.attach(page, form.get("place"), sent, reason=form.get("reason")[:500])
    except Problem as problem:
        if problem.code == "disk.full":  # the room kept for this is given back, and it is done anew
            raise
        return _draw(here, page, problem, form.get("place"))
    trays.taken(here, picked, waiting)
    told = here.say("{n} lampiran tersimpan; dikirim saat ada sinyal.", n=len(made))
    return here.go(f"/requests/{record}/files", told_of(told, made, here.lang))


def told_of(words: str, made: list[Put], lang: str) -> str:
    """What is said of files that were put in, with what may make them unreadable."""
    hints = [f"⚠ {one.name}: {hint.words(lang)}" for one in made for hint in one.hints]
    return " ".join([words, *hints])


@show("/requests/{record:str}/files/{blob:str}")
def picture(here: Here, record: str, blob: str) -> Response[bytes]:
    """The copy itself; that it was looked at is noted."""
    desk, name = here.desk, record_id(record)
    data = desk.picture(desk.open(name), blob)
    desk.note_reveal("page picture", name)
    return Response(data, media_type="image/webp")


@act("/requests/{record:str}/files/{blob:str}/remove")
def remove(here: Here, form: Form, record: str, blob: str) -> Response[Any]:
    """Take one out again: another person's, or one that was taken anew."""
    here.desk.detach(here.desk.open(record_id(record)), blob, form.get("reason")[:500])
    return here.go(f"/requests/{record}/files", here.say("Lampiran dilepas."))


@act("/requests/{record:str}/files/{blob:str}/move")
def move(here: Here, form: Form, record: str, blob: str) -> Response[Any]:
    """Put it to the request of the person it shows, by their number."""
    desk = here.desk
    page = desk.open(record_id(record))
    try:
        other = desk.open(desk.named(form.get("code")))
        if other.record == page.record:
            raise Problem("attachment.twice", file=blob[:8])
        attaching.move(desk, page, blob, other)
    except Problem as problem:
        return _draw(here, desk.open(page.record), problem)
    told = here.say("Foto dipindahkan ke berkas {code}. Salah? Pindahkan kembali dari sana.",
                    code=other.code)  # fmt: skip
    return here.go(f"/requests/{other.record.hex()}/files", told)


def _draw(
    here: Here, page: Sheet, problem: Problem | None = None, place: str = ""
) -> Response[str]:
    filled = page.form().read(page.answers, page.documents)
    offered = open_places(page.form(), filled, here.lang)
    attached = page.picture.view.attached()
    signed = [unit for unit, _ in offered if unit.endswith(SIGNATURE)]
    sign = signed[0] if signed and here.asked("sign") else ""
    rows = [
        (file, place_words(page.service, file.unit, here.lang), _state(here, stored))
        for file, stored in here.desk.files(page)
    ]
    return here.page(
        "files.html",
        problem.status if problem is not None else 200,
        page=page,
        title=shown.title(page.picture.view.service, page.picture.view.edition, here.lang),
        rows=rows,
        places=offered,
        place=place or sign or next_place(offered, page.documents, attached),
        done={file.unit.removeprefix(DOCUMENT) for file in attached},
        problem=problem,
        ended=lifecycle.ended(page.status),
        limit=FILES_OF_UNIT_MAX,
        tray=trays.tray_of(here, page.record),
        home=f"/requests/{page.record.hex()}",
        qr=trays.qr_of(here, page.record),
        pad=bool(signed),
    )


def _state(here: Here, stored: StoredFile | None) -> tuple[str, bool]:
    """How far a file is, and whether it can be looked at here."""
    if stored is None:
        return here.say("dari laptop lain atau kantor"), False
    if stored.state == "gone":
        return here.say("✓ lengkap di pusat, salinan di laptop ini dihapus"), False
    if stored.state == "verified":
        return here.say("✓ lengkap di pusat"), True
    if stored.percent:
        return here.say("{n} % di pusat", n=stored.percent), True
    return here.say("○ menunggu dikirim"), True


HANDLERS = [files, put, picture, remove, move]
