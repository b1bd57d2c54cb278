"""Sticks: what laptops sent by USB is read, with the four words for the telephone, and what goes
back to them is made."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import msgspec
from litestar import Response

from models.pages.forms import Form
from models.problems import Problem
from server.bundles import Imported
from server.pages.drawing import Here
from server.pages.routes import act, show
from server.returns import Given
from server.waits import sentence, waits
from sync import bundle
from sync.bundle import RETURN, VOYAGE, WORK

LINES = 50
UPLOAD_BYTES_MAX = 128 * 1024 * 1024
"""Of one reading: some thirty volumes. A stick that holds more is read in parts."""


class Read(msgspec.Struct, frozen=True):
    """One file of a stick. came: what it brought; problem: why it could not be used. passed: it is
    ours, on its way back to a laptop."""

    file: str
    came: Imported | None = None
    problem: Problem | None = None
    passed: bool = False


def purposes(here: Here) -> dict[str, str]:
    """Which way a bundle goes, in words."""
    return {
        WORK: here.say("dari laptop"),
        RETURN: here.say("balasan untuk laptop"),
        VOYAGE: here.say("isi penuh untuk laptop"),
    }


@show("/usb")
def desk(here: Here) -> Response[str]:
    """Where sticks are read, what is waited for, and the custody log."""
    return _desk(here)


def _desk(here: Here, problem: Problem | None = None, at: str = "") -> Response[str]:
    central, me = here.central, here.me
    wanted = here.asked("purpose")
    purpose = wanted if wanted in (WORK, RETURN, VOYAGE) else ""
    log = central.bundles.custody(me, purpose, LINES)
    with central.registry.read() as door:
        names = [one.name for one in door.devices() if one.state in ("active", "suspended")]
    return here.page(
        "usb.html",
        status=problem.status if problem else 200,
        problem=problem,
        at=at,
        purpose=purpose,
        purposes=purposes(here),
        log=log,
        waits=[sentence(one, here.lang) for one in waits(central.bundles, me)],
        devices=names,
    )


@act("/usb/take", request_max_body_size=UPLOAD_BYTES_MAX)
def take(here: Here, form: Form) -> Response[Any]:
    """Read the files of a stick, any order, any number of times."""
    files = [file for name in ("files", "folder") for file in form.files(name)]
    if not files:
        return _desk(here, Problem("bundle.choose"), "files")
    found = [_read(here, file.name, file.data) for file in files if _is_volume(file.name)]
    if not found:
        return _desk(here, Problem("bundle.choose"), "files")
    last = {one.came.bundle: one.came for one in found if one.came is not None}
    return here.page("usb_read.html", found=found, bundles=list(last.values()))


def _is_volume(name: str) -> bool:
    """A folder is chosen whole; what is no volume is left alone."""
    return name.lower().endswith(bundle.SUFFIX)


def _read(here: Here, name: str, data: bytes) -> Read:
    short = name.replace("\\", "/").rpartition("/")[2]
    try:
        if bundle.parse(data, short).header.purpose != WORK:
            return Read(short, passed=True)
        return Read(short, here.central.bundles.take(here.me, data, short))
    except Problem as problem:
        return Read(short, problem=problem)


@act("/usb/return")
def give(here: Here, form: Form) -> Response[Any]:
    """Make the bundle for a laptop: what was decided since it was last heard, or everything."""
    whole = form.get("whole") == "yes"
    try:
        made = here.central.returns.give(here.me, device=form.get("device"), whole=whole)
    except Problem as problem:
        return _desk(here, problem, "device")
    return here.page("usb_given.html", made=made, whole=whole, bytes=_bytes(made))


@act("/usb/file")
def file(here: Here, form: Form) -> Response[Any]:
    """The bundle itself: one volume as it is, several packed together. Made again before anything
    happened, it is the same bundle."""
    whole = form.get("whole") == "yes"
    made = here.central.returns.give(here.me, device=form.get("device"), whole=whole)
    if len(made.files) == 1:
        name, data = made.files[0]
        return here.file(data, name)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as together:
        for name, data in made.files:
            together.writestr(zipfile.ZipInfo(name), data)
    return here.file(packed.getvalue(), f"{made.bundle}.zip")


def _bytes(made: Given) -> int:
    return sum(len(data) for _, data in made.files)


HANDLERS = [desk, take, give, file]
