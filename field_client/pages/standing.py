"""Standing: readiness before the day, what waits to be sent, what the office told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from litestar import Response

from field_client import readiness, reserve, shown
from field_client.backup import back_up
from field_client.drives import drives
from field_client.onward import onward
from field_client.pages.drawing import Here
from field_client.pages.routes import act, show
from models.pages.forms import Form
from models.problems import Problem
from models.words import size

LINES_SHOWN = 50


@show("/readiness")
def ready(here: Here) -> Response[str]:
    """Everything that can be seen before the first citizen comes."""
    house = here.house
    points = readiness.look(house, here.lang)
    return here.page("readiness.html", points=points)


@show("/readiness/backup")
def choose(here: Here) -> Response[str]:
    """Where to?"""
    return here.page("backup.html", drives=[str(path) for path in drives()], problem=None)


@act("/readiness/backup")
def backup(here: Here, form: Form) -> Response[Any]:
    """Copy the vault, still encrypted, to a second medium; opened and counted before it counts."""
    house = here.house
    folder = form.get("folder").strip() or form.get("drive")
    if not folder:
        return here.go("/readiness/backup")
    try:
        made, _ = back_up(here.store, house.place.folder, Path(folder), here.desk.facts().at)
    except Problem as problem:
        found = [str(path) for path in drives()]
        return here.page("backup.html", problem.status, drives=found, problem=problem)
    told = here.say("Cadangan {name} sudah dibuka dan dihitung.", name=made.name)
    return here.go("/readiness", told)


@show("/readiness/room")
def ask_room(here: Here) -> Response[str]:
    """Room can be made; is it meant?"""
    spare = readiness.spare_bytes(here.house)
    return here.page("room.html", spare=size(spare, here.lang) if spare else "")


@act("/readiness/room")
def room(here: Here, form: Form) -> Response[Any]:
    """Remove what the office and its backup have, and take the reserve again."""
    del form
    house = here.house
    freed = readiness.make_room(house)
    reserve.keep(house.place.folder)
    told = here.say("{size} dikosongkan. Semuanya tetap ada di pusat.", size=size(freed, here.lang))
    return here.go("/readiness", told)


@show("/sending")
def sending(here: Here) -> Response[str]:
    """What is on this laptop alone, and what central proved to hold."""
    from sync.messages import Checkpoint

    rows, more = onward(here.store, here.lang, LINES_SHOWN)
    checkpoint, log = here.store.recall(Checkpoint), here.store.log()
    return here.page(
        "sending.html",
        rows=rows,
        more=more,
        standing=here.store.standing(),
        files=here.store.attached.left(),
        stored=log.stored,
        last=checkpoint.at if checkpoint is not None else None,
        durable=checkpoint.durable_seq if checkpoint is not None else 0,
        syncing=here.counter.syncing,
    )


@act("/sending")
def send(here: Here, form: Form) -> Response[Any]:
    """Send now, pause, or go on."""
    house = here.house
    wish = form.get("do")
    here.counter.syncing.pause(house, wish == "pause")
    told = here.say("Pengiriman dijeda.") if wish == "pause" else here.say("Mengirim…")
    return here.go("/sending", told)


@show("/notices")
def notices(here: Here) -> Response[str]:
    """What the office decided about the own work, and why; newest first. Reading them is noted."""
    told = here.store.notices.newest(limit=LINES_SHOWN)
    if told:
        here.desk.note_reveal("page notices")
    rows = []
    for one in told:
        notice = one.notice
        page = here.desk.find_sheet(notice.record) if notice.record else None
        words = shown.notice_words(notice, page, here.lang, True)
        service = page.picture.view.service if page is not None else ""
        title = shown.title(service, None, here.lang) if service else ""
        rows.append((one, title, words))
    here.store.notices.read(*(one.number for one in told if one.unread))
    return here.page("notices.html", rows=rows)


HANDLERS = [ready, choose, backup, ask_room, room, sending, send, notices]
