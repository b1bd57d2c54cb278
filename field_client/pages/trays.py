"""Trays: pictures that wait to be attached, from a telephone or from the scanner's folder; to a
request, or to a form that is not submitted yet."""

from __future__ import annotations

import hashlib
from typing import Any

from litestar import Response

from field_client import scans
from field_client.pages.drawing import Here
from field_client.pages.requests import drawing_of, record_id
from field_client.pages.routes import act, show
from models.pages.forms import Form, whole
from models.problems import Problem
from models.words import moment_at, size
from sync.attaching import Photo

PHONE, SCAN = "phone-", "scan-"
PICTURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PN": "image/png"}
"""What a browser may be shown as it came, by its first bytes."""


@act("/requests/{record:str}/phone")
def phone(here: Here, form: Form, record: str) -> Response[Any]:
    """Open the door for a telephone, shut it, or throw away what came. Problems phone.no_network,
    phone.waiting."""
    return _move_door(here, form, here.desk.open(record_id(record)).record, f"/requests/{record}")


@act("/drafts/{name:str}/phone")
def draft_phone(here: Here, form: Form, name: str) -> Response[Any]:
    """The same for a form that is not submitted yet."""
    return _move_door(here, form, _draft(here, name), f"/drafts/{name}")


def _move_door(here: Here, form: Form, owner: bytes, home: str) -> Response[Any]:
    from field_client.phone import PhoneDoor, addresses

    before, wish = here.counter.phone, form.get("do")
    if before is not None:
        before.close()
        if wish == "drop":
            before.drop(*before.waiting)
    if wish == "open":
        if before is not None and before.waiting:
            raise Problem("phone.waiting", n=len(before.waiting))
        known = addresses()
        host = form.get("host") if form.get("host") in known else next(iter(known), "")
        if not host:
            raise Problem("phone.no_network")
        here.counter.phone = PhoneDoor(host, owner, lang=here.lang)
    return here.go(f"{home}/files")


@show("/requests/{record:str}/tray")
def waiting(here: Here, record: str) -> Response[str]:
    """What waits, for the page that asks again; nothing (204) while it is as it was."""
    return _draw(here, record_id(record), f"/requests/{record}")


@show("/drafts/{name:str}/tray")
def draft_waiting(here: Here, name: str) -> Response[str]:
    """The same for a form that is not submitted yet."""
    return _draw(here, _draft(here, name), f"/drafts/{name}")


def _draw(here: Here, owner: bytes, home: str) -> Response[str]:
    tray = tray_of(here, owner)
    if tray["mark"] == here.asked("was"):
        return Response("", status_code=204)
    return here.page("parts/tray.html", tray=tray, home=home)


@show("/requests/{record:str}/tray/{number:int}")
def picture(here: Here, record: str, number: int) -> Response[bytes]:
    """A picture as the telephone sent it; that it was looked at is noted."""
    found = _picture(here, record_id(record), number)
    here.desk.note_reveal("page picture", record_id(record))
    return found


@show("/drafts/{name:str}/tray/{number:int}")
def draft_picture(here: Here, name: str, number: int) -> Response[bytes]:
    """The same for a form that is not submitted yet."""
    return _picture(here, _draft(here, name), number)


def _picture(here: Here, owner: bytes, number: int) -> Response[bytes]:
    photos = _photos(here, owner)
    if number >= len(photos):
        raise Problem("api.not_found")
    data = photos[number].data
    return Response(data, media_type=PICTURES.get(data[:3], "application/octet-stream"))


def _draft(here: Here, name: str) -> bytes:
    """The name of a folder of this operator. Problem draft.unknown."""
    owner = record_id(name)
    here.desk.resume(owner)
    return owner


def tray_of(here: Here, owner: bytes) -> dict[str, Any]:
    """What the part of the page is drawn from. owner: the request, or the folder of forms."""
    door, photos = here.counter.phone, _photos(here, owner)
    mine = door is not None and door.owner == owner and door.is_open
    listed = scans.listed(here.counter.place.settings.scan_folder)
    found: dict[str, Any] = {
        "open": door if mine else None,
        "photos": [
            (f"{PHONE}{number}", number, one.data[:3] in PICTURES)
            for number, one in enumerate(photos)
        ],
        "scans": [
            (f"{SCAN}{one.name}", one.name, size(one.size, here.lang), moment_at(one.at))
            for one in listed
        ],
        "folder": bool(here.counter.place.settings.scan_folder),
    }
    seen = (mine, mine and door is not None and bool(door.guest), len(photos), listed)
    found["mark"] = hashlib.sha256(repr(seen).encode()).hexdigest()[:12]
    return found


def qr_of(here: Here, owner: bytes) -> str:
    """The open door's address as a drawing, "" while none is open."""
    door = here.counter.phone
    if door is None or door.owner != owner or not door.is_open:
        return ""
    return drawing_of(door.address)


def chosen(here: Here, owner: bytes, names: list[str]) -> list[Photo]:
    """The pictures ticked in the tray. Problem file.unreadable."""
    photos = _photos(here, owner)
    numbers = {whole(one.removeprefix(PHONE)) for one in names if one.startswith(PHONE)}
    found = [photo for n, photo in enumerate(photos) if n in numbers]
    wanted = [one.removeprefix(SCAN) for one in names if one.startswith(SCAN)]
    return found + scans.read(here.counter.place.settings.scan_folder, wanted)


def taken(here: Here, names: list[str], photos: list[Photo]) -> None:
    """They are attached: nothing of them is left lying about."""
    if here.counter.phone is not None:
        here.counter.phone.drop(*photos)
    scanned = [photo for photo in photos if SCAN + photo.name in names]
    scans.remove(here.counter.place.settings.scan_folder, scanned)


def hand_over(here: Here, owner: bytes, request: bytes) -> None:
    """A form was submitted: what a telephone sent for it, or still sends, is for that request."""
    door = here.counter.phone
    if door is not None and door.owner == owner:
        door.owner = request


def throw_away(here: Here, owner: bytes) -> None:
    """A form was thrown away: the door is shut, and what came for it goes too."""
    door = here.counter.phone
    if door is not None and door.owner == owner:
        door.close()
        door.drop(*door.waiting)


def _photos(here: Here, owner: bytes) -> list[Photo]:
    door = here.counter.phone
    return door.waiting if door is not None and door.owner == owner else []


HANDLERS = [phone, waiting, picture, draft_phone, draft_waiting, draft_picture]
