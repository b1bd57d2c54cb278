"""Attaching: where files of a request may be put, how many, and what becomes of a photograph on the
way in; the same in both houses.

Nothing is written here. What a house does with the copies (seal them, send them, speak of them in
a change) is its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from models.changes import Attached
from models.codes import code_list
from models.fields import split_row
from models.forms import ROWS_MAX, Form
from models.pictures import Copy
from models.problems import Finding, Problem, finding
from models.services import Service
from sync.files import FILES_MAX
from sync.transfer import manifest_of

FILES_OF_UNIT_MAX = 10
FILE_BYTES_MAX = 40 * 1024 * 1024
"""Of a file as it comes from a camera or scanner."""

PORTRAITS = (".photo",)
"""Fields whose picture is a face; every other one is a page."""

DOCUMENT = "document."
SIGNATURE = ".signature"


class Photo(msgspec.Struct, frozen=True):
    """A file that is in memory already, and never was on the disk."""

    name: str
    data: bytes


class Fresh(msgspec.Struct, frozen=True):
    """A working copy that is to be attached, with the name of the file it came from."""

    name: str
    copy: Copy
    file: Attached


class Put(msgspec.Struct, frozen=True):
    """A file that is now attached. hints: what may make it unreadable."""

    file: Attached
    name: str
    width: int
    height: int
    hints: tuple[Finding, ...]


Copying = Callable[[bytes, str, str], list[Copy]]
"""Makes the working copies of a file: its bytes, its name, its kind. `models.pictures.copies`."""


# -- places


def places(service: Service) -> list[str]:
    """Where files may be put: the fields for them, and the documents of the service."""
    fields = [path for path, slot in service.plan.slots.items() if slot.field.kind == "attachment"]
    return [*fields, *(paper.code for paper in service.documents)]


def open_places(service: Service, filled: Form, lang: str) -> list[tuple[str, str]]:
    """The same for a request as it stands: (unit, words). A block with rows has one place a filled
    row."""
    found = []
    for name in places(service):
        slot = service.plan.slots.get(name)
        if slot is None:
            found.append((name, code_list("jenis_dokumen").label(name, lang)))
            continue
        section, _, last = name.partition(".")
        if filled.is_open(section) and slot.field.stage != "handover":
            for row in filled.rows[section][:ROWS_MAX]:
                unit = f"{section}.{row}.{last}" if row else name
                title = slot.block.title.say(lang) if slot.block.title is not None else section
                numbered = f"{title} {row}" if row else title
                found.append((unit, f"{numbered}: {_label(service, unit, lang)}"))
    return found


def next_place(
    offered: Sequence[tuple[str, str]], documents: Sequence[str], there: Sequence[Attached]
) -> str:
    """The first document that lies on the desk and has no picture yet, of the places `offered`; ""
    for none."""
    done = {file.unit.removeprefix(DOCUMENT) for file in there}
    wanted = (unit for unit, _ in offered if unit in documents and unit not in done)
    return next(wanted, "")


def place_words(service: Service | None, unit: str, lang: str) -> str:
    """What the place of a file is called."""
    if unit.startswith(DOCUMENT):
        return code_list("jenis_dokumen").label(unit.removeprefix(DOCUMENT), lang)
    return _label(service, unit, lang) if service is not None else unit


def _label(service: Service, unit: str, lang: str) -> str:
    slot = service.plan.slots.get(split_row(unit)[0])
    return slot.field.label.say(lang) if slot is not None else unit


def unit_named(service: Service, field: str) -> str:
    """The unit that a person means: a field, `witness.2.signature`, or a document's code. Problem
    attachment.field."""
    code = field.removeprefix(DOCUMENT)
    if code.upper() in code_list("jenis_dokumen"):
        return DOCUMENT + code.upper()
    if service.takes_files(field) and not field.startswith(DOCUMENT):
        return field
    raise Problem("attachment.field", field=field[:60], known=places(service))


def file_named(files: Sequence[Attached], named: str) -> Attached:
    """The only one of these files whose name begins so. Problem attachment.none."""
    wanted = named.strip().lower()
    found = [file for file in files if file.blob.hex().startswith(wanted)]
    if not wanted or len({file.blob for file in found}) != 1:
        raise Problem("attachment.none", blob=named[:16])
    return found[0]


# -- taking in


def taken(
    photos: Sequence[Photo],
    unit: str,
    copies: Copying,
    kind: str = "",
    room: int = FILES_OF_UNIT_MAX,
) -> list[Fresh]:
    """The pages of these files as working copies. kind: "page" or "portrait"; by default what the
    unit is for. room: for so many pages. Problems attachment.*."""
    found: list[Fresh] = []
    for photo in photos:
        if len(photo.data) > FILE_BYTES_MAX:
            limit = FILE_BYTES_MAX // 1024 // 1024
            raise Problem("attachment.too_large", file=photo.name, limit=limit)
        for copy in copies(photo.data, photo.name, kind or kind_of(unit)):
            name, preview = manifest_of(copy.data).blob, manifest_of(copy.preview).blob
            place = (copy.page, copy.pages)
            file = Attached(unit, name, len(copy.data), copy.kind, preview, *place)
            found.append(Fresh(photo.name, copy, file))
            if len(found) > room:
                raise Problem("attachment.too_many", limit=FILES_OF_UNIT_MAX)
    return found


def kind_of(unit: str) -> str:
    """What a picture for this unit is."""
    return "portrait" if split_row(unit)[0].endswith(PORTRAITS) else "page"


def new_ones(there: Sequence[Attached], unit: str, copied: Sequence[Fresh]) -> list[Fresh]:
    """Those that are not attached here already. Problem attachment.twice if that is none."""
    known = {file.blob for file in there if file.unit == unit}
    fresh: dict[bytes, Fresh] = {}
    for one in copied:
        if one.file.blob not in known:
            fresh.setdefault(one.file.blob, one)
    if copied and not fresh:
        raise Problem("attachment.twice", file=copied[0].name)
    return list(fresh.values())


def check_room(there: Sequence[Attached], unit: str, n: int) -> None:
    """Problem attachment.too_many unless `n` more files have room in the unit and the request."""
    counts = Counter(file.unit for file in there)
    if counts[unit] + n > FILES_OF_UNIT_MAX:
        raise Problem("attachment.too_many", limit=FILES_OF_UNIT_MAX)
    if counts.total() + n > FILES_MAX:
        raise Problem("attachment.too_many", limit=FILES_MAX)


def answer_of(there: Sequence[Attached], unit: str, fresh: Sequence[Fresh]) -> dict[str, Any]:
    """The answer that the files of a field become, to be checked; none for a document's."""
    if unit.startswith(DOCUMENT):
        return {}
    known = [file.blob.hex() for file in there if file.unit == unit]
    return {unit: [*known, *(one.file.blob.hex() for one in fresh)]}


def brought(unit: str, documents: Sequence[str]) -> dict[str, list[str]]:
    """Whoever photographs a document has it before them: what is to be added to those brought."""
    code = unit.removeprefix(DOCUMENT)
    missing = unit.startswith(DOCUMENT) and code not in documents
    return {"documents": [code]} if missing else {}


def put(one: Fresh) -> Put:
    """What is told of a file that was attached."""
    hints = tuple(finding(one.file.unit, code) for code in one.copy.hints)
    return Put(one.file, one.name, one.copy.width, one.copy.height, hints)
