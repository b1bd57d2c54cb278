"""Attaching: files from a camera or scanner put to a request, sealed and durable in one act.

The copies are made first, without any lock. Then, inside one save, they are written sealed beside
the database and the change that speaks of them is appended; a kill in between leaves a stray sealed
file that the next opening removes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from field_client.sheet import CORRECTION, Sheet
from field_client.vault.blobs import Blobs
from field_client.vault.saving import Saving
from models import lifecycle
from models.changes import Attached, Body
from models.codes import code_list
from models.fields import split_row
from models.problems import Finding, Problem, finding
from models.services import Service
from models.words import WIT
from sync.transfer import PAPERS, PREVIEWS, manifest_of

if TYPE_CHECKING:  # the imaging library is loaded when the first picture is taken in
    from field_client.attachments.copies import Copy
    from field_client.desk import Desk

FILES_OF_UNIT_MAX = 10
FILES_MAX = 60
"""As central takes them (sync.judge)."""

PORTRAITS = (".photo",)
"""Fields whose picture is a face; every other one is a page."""

DOCUMENT = "document."
SIGNATURE = ".signature"


class Photo(msgspec.Struct, frozen=True):
    """A file that is in memory already, and never was on the disk."""

    name: str
    data: bytes


class Put(msgspec.Struct, frozen=True):
    """A file that is now attached. hints: what may make it unreadable."""

    file: Attached
    name: str
    width: int
    height: int
    hints: tuple[Finding, ...]


class Fresh(msgspec.Struct, frozen=True):
    """A working copy that is to be attached, with the name of the file it came from."""

    name: str
    copy: Copy
    file: Attached


def places(form: Service) -> list[str]:
    """Where files may be put: the fields for them, and the documents of the service."""
    fields = [path for path, slot in form.plan.slots.items() if slot.field.kind == "attachment"]
    return [*fields, *(paper.code for paper in form.documents)]


def is_signed(page: Sheet) -> bool:
    """Whether somebody has to sign what was taken in: an open block asks for a signature now."""
    form = page.form()
    filled = form.read(page.answers, page.documents)
    return any(
        slot.field.kind == "attachment" and path.endswith(SIGNATURE)
        and slot.field.stage != "handover" and filled.is_open(path.partition(".")[0])
        for path, slot in form.plan.slots.items()
    )  # fmt: skip


def unit_named(form: Service, field: str) -> str:
    """The unit that a person means: a field, `witness.2.signature`, or a document's code. Problem
    attachment.field."""
    code = field.removeprefix(DOCUMENT)
    if code.upper() in code_list("jenis_dokumen"):
        return DOCUMENT + code.upper()
    if form.takes_files(field) and not field.startswith(DOCUMENT):
        return field
    raise Problem("attachment.field", field=field[:60], known=places(form))


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
    fresh = _new_ones(page, unit, _copied(paths, unit, kind or _kind(unit)))
    _check(desk, page, unit, fresh)
    move = CORRECTION if page.status == CORRECTION[0] else None
    body = Body(
        attach=[one.file for one in fresh], add=_papers(page, unit),
        reasons={unit: reason.strip()} if reason.strip() else {},
        action="correct" if move else "", move=move,
    )  # fmt: skip
    return _append(desk, page, body, fresh)


def attach_with(desk: Desk, page: Sheet, unit: str, path: Path, body: Body) -> list[Put]:
    """Put a picture to a unit in the same change as what `body` does: who received a document and
    their signature stand or fall together. Problems: attachment.*, file.unreadable, disk.*."""
    fresh = _new_ones(page, unit, _copied([path], unit, _kind(unit)))
    attached = [one.file for one in fresh]
    return _append(desk, page, msgspec.structs.replace(body, attach=attached), fresh)


def _append(desk: Desk, page: Sheet, body: Body, fresh: list[Fresh]) -> list[Put]:
    due = due_of(page)

    def keep(saving: Saving) -> None:
        for one in fresh:
            _keep(saving, desk.blobs, page.record, due, one.copy)

    desk.append(page, body, keep)
    return [_put(one) for one in fresh]


def detach(desk: Desk, page: Sheet, named: str, reason: str = "") -> Attached:
    """Take a file out of a request again: one of another person, or one that was taken anew.
    named: the beginning of its name. Problems attachment.none, request.closed."""
    file = file_named(page, named)
    if lifecycle.ended(page.status):
        raise Problem("request.closed", code=page.code)
    desk.append(page, Body(remove={file.unit: [file.blob.hex()]}, reason=reason.strip()))
    return file


def move(desk: Desk, page: Sheet, named: str, other: Sheet) -> list[Attached]:
    """Put a file that was attached to the wrong person to another request, and take it out here;
    moved back by the same. Nothing is copied: both name the same sealed bytes. Problems
    attachment.none, .field, .twice, .too_many, request.closed, blob.damaged."""
    file = file_named(page, named)
    if lifecycle.ended(other.status):
        raise Problem("request.closed", code=other.code)
    unit_named(other.form(), file.unit)
    stored = desk.store.attached.find([file.blob, file.preview])
    there = {one.blob for one in other.picture.view.attached()}
    if file.blob in there:
        raise Problem("attachment.twice", file=file.blob.hex()[:8])
    counts = Counter(one.unit for one in other.picture.view.attached())
    if counts[file.unit] >= FILES_OF_UNIT_MAX or counts.total() >= FILES_MAX:
        raise Problem("attachment.too_many", limit=FILES_OF_UNIT_MAX)
    sealed = [(name, stored[name], lane) for name, lane in
              ((file.preview, PREVIEWS), (file.blob, PAPERS)) if name in stored]  # fmt: skip
    whole = [(desk.blobs.whole(name, one.size), lane) for name, one, lane in sealed]
    due = due_of(other)

    def keep(saving: Saving) -> None:
        for data, lane in whole:
            saving.add_file(manifest_of(data), lane, other.record, due)

    alone = msgspec.structs.replace(file, page=1, pages=1)
    desk.append(other, Body(attach=[alone], add=_papers(other, file.unit)), keep)
    detach(desk, page, file.blob.hex())
    return [alone]


def file_named(page: Sheet, named: str) -> Attached:
    """The only file of a request whose name begins so. Problem attachment.none."""
    wanted = named.strip().lower()
    found = [f for f in page.picture.view.attached() if f.blob.hex().startswith(wanted)]
    if not wanted or len({file.blob for file in found}) != 1:
        raise Problem("attachment.none", blob=named[:16])
    return found[0]


def due_of(page: Sheet) -> str:
    """The last day the law gives for the request, ISO; empty where it gives none."""
    submitted = datetime.fromtimestamp(page.line.at, UTC).astimezone(WIT).date()
    late = page.form().deadline(page.answers, submitted if page.line.at else date.min)
    return late.last_day.isoformat() if late is not None else ""


# -- pieces


def _kind(unit: str) -> str:
    return "portrait" if split_row(unit)[0].endswith(PORTRAITS) else "page"


def _copied(paths: Sequence[Path | Photo], unit: str, kind: str) -> list[Fresh]:
    from field_client.attachments.copies import KINDS, copies
    from field_client.attachments.reading import read_file

    if kind not in KINDS:
        raise Problem("settings.invalid", faults="kind " + "|".join(KINDS))
    found: list[Fresh] = []
    for path in paths:
        data = path.data if isinstance(path, Photo) else read_file(path)
        for copy in copies(data, path.name, kind):
            name, preview = manifest_of(copy.data).blob, manifest_of(copy.preview).blob
            place = (copy.page, copy.pages)
            file = Attached(unit, name, len(copy.data), copy.kind, preview, *place)
            found.append(Fresh(path.name, copy, file))
            if len(found) > FILES_OF_UNIT_MAX:
                raise Problem("attachment.too_many", limit=FILES_OF_UNIT_MAX)
    return found


def _new_ones(page: Sheet, unit: str, copied: list[Fresh]) -> list[Fresh]:
    """Those that are not attached here already. Problem attachment.twice if that is none."""
    there = {file.blob for file in page.picture.view.attached() if file.unit == unit}
    fresh: dict[bytes, Fresh] = {}
    for one in copied:
        if one.file.blob not in there:
            fresh.setdefault(one.file.blob, one)
    if copied and not fresh:
        raise Problem("attachment.twice", file=copied[0].name)
    return list(fresh.values())


def _check(desk: Desk, page: Sheet, unit: str, fresh: list[Fresh]) -> None:
    """Room for them, and nothing against the answer they become."""
    counts = Counter(file.unit for file in page.picture.view.attached())
    if counts[unit] + len(fresh) > FILES_OF_UNIT_MAX:
        raise Problem("attachment.too_many", limit=FILES_OF_UNIT_MAX)
    if counts.total() + len(fresh) > FILES_MAX:
        raise Problem("attachment.too_many", limit=FILES_MAX)
    if unit.startswith(DOCUMENT):
        return
    there = [file.blob.hex() for file in page.picture.view.attached() if file.unit == unit]
    answer = [*there, *(one.file.blob.hex() for one in fresh)]
    checked = desk.check_edit(page, {unit: answer}, None, None)
    stops = [one for one in checked.problems if one.key == unit and one.stops]
    if stops:
        raise Problem("request.invalid", n=len(stops), findings=stops)


def _papers(page: Sheet, unit: str) -> dict[str, list[str]]:
    """Whoever photographs a document has it before them: it counts as brought."""
    code = unit.removeprefix(DOCUMENT)
    missing = unit.startswith(DOCUMENT) and code not in page.documents
    return {"documents": [code]} if missing else {}


def _keep(saving: Saving, blobs: Blobs, record: bytes, due: str, copy: Copy) -> None:
    for data, lane in ((copy.preview, PREVIEWS), (copy.data, PAPERS)):
        blobs.put(data)
        saving.add_file(manifest_of(data), lane, record, due)


def _put(one: Fresh) -> Put:
    hints = tuple(finding(one.file.unit, code) for code in one.copy.hints)
    return Put(one.file, one.name, one.copy.width, one.copy.height, hints)
