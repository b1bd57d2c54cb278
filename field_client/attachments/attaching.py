"""Attaching: files from a camera or scanner put to a request, sealed and durable in one act.

The copies are made first, without any lock. Then, inside one save, they are written sealed beside
the database and the change that speaks of them is appended; a kill in between leaves a stray sealed
file that the next opening removes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from field_client.sheet import CORRECTION, Sheet
from field_client.vault.blobs import Blobs
from field_client.vault.draft_files import Held
from field_client.vault.saving import Saving
from models import lifecycle
from models.changes import Attached, Body
from models.pictures import Copy
from models.problems import Problem
from models.services import Service
from models.words import WIT
from sync.attaching import (
    FILE_BYTES_MAX,
    FILES_OF_UNIT_MAX,
    SIGNATURE,
    Fresh,
    Photo,
    Put,
    answer_of,
    brought,
    check_room,
    file_named,
    new_ones,
    put,
    taken,
    unit_named,
)
from sync.transfer import PAPERS, PREVIEWS, manifest_of

if TYPE_CHECKING:
    from field_client.desk import Desk


def photo_of(path: Path) -> Photo:
    """A file of a card or folder, in memory. Problems file.unreadable, attachment.too_large."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise Problem("file.unreadable", file=path.name) from error
    return Photo(path.name, data)


def is_signed(page: Sheet) -> bool:
    """Whether somebody has to sign what was taken in: an open block asks for a signature now."""
    form = page.form()
    filled = form.read(page.answers, page.documents)
    return any(
        slot.field.kind == "attachment" and path.endswith(SIGNATURE)
        and slot.field.stage != "handover" and filled.is_open(path.partition(".")[0])
        for path, slot in form.plan.slots.items()
    )  # fmt: skip


def attach(
    desk: Desk,
    page: Sheet,
    field: str,
    paths: Sequence[Path | Photo],
    kind: str = "",
    reason: str = "",
) -> list[Put]:
    """Put files to a field or document of a request; `page` is what was shown.

    kind: "page" or "portrait"; by default what the field is for. reason: why they are kept although
    a hint says they may not be readable. A request that central returned goes back to it. Problems:
    attachment.*, file.unreadable, request.closed, request.invalid, disk.*; then nothing of it is
    attached.
    """
    form = page.form()
    if lifecycle.ended(page.status):
        raise Problem("request.closed", code=page.code)
    unit = unit_named(form, field)
    there = page.picture.view.attached()
    fresh = new_ones(there, unit, copied(paths, unit, kind))
    _check(desk, page, unit, fresh)
    move = CORRECTION if page.status == CORRECTION[0] else None
    body = Body(
        attach=[one.file for one in fresh], add=brought(unit, page.documents),
        reasons={unit: reason.strip()} if reason.strip() else {},
        action="correct" if move else "", move=move,
    )  # fmt: skip
    return _append(desk, page, body, fresh)


def attach_with(desk: Desk, page: Sheet, unit: str, path: Path | Photo, body: Body) -> list[Put]:
    """Put a picture to a unit in the same change as what `body` does: who received a document and
    their signature stand or fall together. Problems: attachment.*, file.unreadable, disk.*."""
    fresh = new_ones(page.picture.view.attached(), unit, copied([path], unit))
    attached = [one.file for one in fresh]
    return _append(desk, page, msgspec.structs.replace(body, attach=attached), fresh)


def _append(desk: Desk, page: Sheet, body: Body, fresh: list[Fresh]) -> list[Put]:
    due = due_of(page)

    def keep(saving: Saving) -> None:
        for one in fresh:
            _keep(saving, desk.blobs, page.record, due, one.copy)

    desk.append(page, body, keep)
    return [put(one) for one in fresh]


def detach(desk: Desk, page: Sheet, named: str, reason: str = "") -> Attached:
    """Take a file out of a request again: one of another person, or one that was taken anew.
    named: the beginning of its name. Problems attachment.none, request.closed."""
    file = file_named(page.picture.view.attached(), named)
    if lifecycle.ended(page.status):
        raise Problem("request.closed", code=page.code)
    desk.append(page, Body(remove={file.unit: [file.blob.hex()]}, reason=reason.strip()))
    return file


def move(desk: Desk, page: Sheet, named: str, other: Sheet) -> Attached:
    """Put a file that was attached to the wrong person to another request, and take it out here, in
    one save; moved back by the same. Both name the same sealed bytes, which may have left this
    laptop. Problems attachment.none, .field, .twice, .too_many, request.closed."""
    file = file_named(page.picture.view.attached(), named)
    for one in (page, other):
        if lifecycle.ended(one.status):
            raise Problem("request.closed", code=one.code)
    unit_named(other.form(), file.unit)
    there = other.picture.view.attached()
    if file.blob in {one.blob for one in there}:
        raise Problem("attachment.twice", file=file.blob.hex()[:8])
    check_room(there, file.unit, 1)
    alone = msgspec.structs.replace(file, page=1, pages=1)
    put_there = Body(attach=[alone], add=brought(file.unit, other.documents))
    taken_out = Body(remove={file.unit: [file.blob.hex()]})
    due = due_of(other)

    def hand(saving: Saving) -> None:
        saving.hand_files((file.preview, file.blob), other.record, due)

    desk.append_each([(other, put_there), (page, taken_out)], hand)
    return alone


def with_files(body: Body, files: Sequence[Held]) -> Body:
    """What makes a request, with the files that lay with its form: whoever photographed a document
    had it before them."""
    if not files:
        return body
    add, reasons = dict(body.add), dict(body.reasons)
    for one in files:
        unit, known = one.file.unit, add.get("documents", [])
        if more := brought(unit, known):
            add["documents"] = sorted([*known, *more["documents"]])
        if one.reason:
            reasons[unit] = one.reason
    attach = [one.file for one in files]
    return msgspec.structs.replace(body, attach=attach, add=add, reasons=reasons)


def due_of(page: Sheet) -> str:
    """The last day the law gives for the request, ISO; empty where it gives none."""
    return due_by(page.form(), page.answers, page.line.at)


def due_by(service: Service, answers: Mapping[str, Any], at: int) -> str:
    """The same for answers that were submitted `at`, Unix seconds; 0 where nobody knows."""
    submitted = datetime.fromtimestamp(at, UTC).astimezone(WIT).date() if at else date.min
    late = service.deadline(answers, submitted)
    return late.last_day.isoformat() if late is not None else ""


# -- pieces


def copied(paths: Sequence[Path | Photo], unit: str, kind: str = "") -> list[Fresh]:
    """The working copies of files. Problems attachment.*, file.unreadable."""
    from models.pictures.copies import KINDS, copies  # loads the imaging library

    if kind and kind not in KINDS:
        raise Problem("settings.invalid", faults="kind " + "|".join(KINDS))
    found: list[Fresh] = []
    for path in paths:  # one in memory at a time
        photo = path if isinstance(path, Photo) else photo_of(path)
        found += taken([photo], unit, copies, kind, FILES_OF_UNIT_MAX - len(found))
    return found


def _check(desk: Desk, page: Sheet, unit: str, fresh: list[Fresh]) -> None:
    """Room for them, and nothing against the answer they become."""
    there = page.picture.view.attached()
    check_room(there, unit, len(fresh))
    answer = answer_of(there, unit, fresh)
    checked = desk.check_edit(page, answer, None, None) if answer else None
    stops = [one for one in checked.problems if one.key == unit and one.stops] if checked else []
    if stops:
        raise Problem("request.invalid", n=len(stops), findings=stops)


def _keep(saving: Saving, blobs: Blobs, record: bytes, due: str, copy: Copy) -> None:
    for data, lane in ((copy.preview, PREVIEWS), (copy.data, PAPERS)):
        blobs.put(data)
        saving.add_file(manifest_of(data), lane, record, due)
