"""Drafting: photographs and scans put to a form while the citizen is there, before it is submitted.

They lie sealed on the disk from the first moment, with the draft: through power cuts, with it to a
colleague, thrown away with it. They become the request's in the commit that makes the request. A
document that several forms of a family ask for is photographed once, and goes with each.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import msgspec

from field_client.attachments.attaching import copied
from field_client.folder import Folder
from field_client.vault.draft_files import Held, held
from models.changes import Attached
from models.pages.together import SHARED
from models.pages.topics import Looked
from models.problems import Problem
from sync.attaching import (
    DOCUMENT,
    Fresh,
    Photo,
    Put,
    answer_of,
    check_room,
    new_ones,
    next_place,
    open_places,
    place_words,
    put,
    unit_named,
)


class Place(msgspec.Struct, frozen=True):
    """Where files may be put. name: of the place in the folder. forms: numbers of the forms whose
    files lie there."""

    name: str
    unit: str
    words: str
    forms: tuple[int, ...]


class Lying(msgspec.Struct, frozen=True):
    """A file as the folder shows it, once for all forms that have it."""

    place: str
    words: str
    files: tuple[Held, ...]

    @property
    def file(self) -> Attached:
        """What it is."""
        return self.files[0].file

    @property
    def first(self) -> Held:
        """How the first of the forms has it."""
        return self.files[0]


def places(looked: Sequence[Looked], lang: str) -> list[Place]:
    """Where files may be put now; what several forms ask for stands once."""
    found: dict[str, Place] = {}
    for number, one in enumerate(looked):
        for field, words in open_places(one.service, one.filled, lang):
            unit = unit_named(one.service, field)
            name = _name(number, unit)
            alone = name != unit and len(looked) > 1
            told = f"{one.service.title.say(lang)} · {words}" if alone else words
            there = found.get(name, Place(name, unit, told, ()))
            found[name] = msgspec.structs.replace(there, forms=(*there.forms, number))
    return list(found.values())


def place_named(offered: Sequence[Place], name: str) -> Place:
    """One of the places. Problem attachment.field."""
    found = next((one for one in offered if one.name == name), None)
    if found is None:
        raise Problem("attachment.field", field=name[:60], known=[one.words for one in offered])
    return found


def next_to_photograph(folder: Folder, offered: Sequence[Place], there: Sequence[Lying]) -> str:
    """The first document that lies on the desk and has no picture yet; "" for none."""
    documents = [DOCUMENT + code for sheet in folder.sheets for code in sheet.wanted.documents]
    pairs = [(one.name, one.words) for one in offered]
    done = {one.file.unit for one in there}
    return next_place([pair for pair in pairs if pair[0] not in done], documents, [])


def lying(folder: Folder, offered: Sequence[Place], lang: str) -> list[Lying]:
    """The files of the folder, each once, in the order in which they came."""
    words = {one.name: one.words for one in offered}
    found: dict[tuple[str, bytes], list[Held]] = {}
    for number, one in _files(folder):
        found.setdefault((_name(number, one.file.unit), one.file.blob), []).append(one)
    return [
        Lying(name, words.get(name, _said(folder, name, files[0], lang)), tuple(files))
        for (name, _), files in found.items()
    ]


def not_asked(offered: Sequence[Place], there: Sequence[Lying]) -> list[Lying]:
    """Files of a part of the form that is not asked any more, since other answers were given."""
    known = {one.name for one in offered}
    return [one for one in there if one.place not in known]


def attach(folder: Folder, place: Place, photos: Sequence[Photo], reason: str = "") -> list[Put]:
    """Put photographs to every form that asks for them there: sealed and durable, all of them or
    none. Problems attachment.*, request.invalid, disk.*."""
    desk, fresh = folder.desk, copied(photos, place.unit)
    files: list[Held] = []
    news: dict[bytes, Fresh] = {}
    for number in place.forms:
        for one in _new(folder, number, place.unit, fresh):
            news[one.file.blob] = one
            files.append(held(folder.sheets[number].draft.id, one.file, one.copy, reason.strip()))
    if not files:
        raise Problem("attachment.twice", file=fresh[0].name)
    store, blobs = desk.store.draft_files, desk.blobs

    def write() -> None:
        for one in news.values():
            blobs.put(one.copy.preview)
            blobs.put(one.copy.data)

    try:
        store.take_in(files, write)
    except BaseException:
        with contextlib.suppress(Problem):  # else the next opening removes what was begun
            store.sweep(blobs.drop)
        raise
    _tick(folder, place)
    return [put(one) for one in news.values()]


def detach(folder: Folder, there: Sequence[Lying], place: str, named: str) -> None:
    """Take a file out of the folder again. named: its name, in hex. Problem attachment.none."""
    found = [one for one in there if (one.place, one.file.blob.hex()) == (place, named)]
    if not found:
        raise Problem("attachment.none", blob=named[:16])
    store = folder.desk.store.draft_files
    store.let_go([one for lie in found for one in lie.files])
    store.sweep(folder.desk.blobs.drop)


def picture(folder: Folder, named: str, small: bool = False) -> bytes:
    """The bytes of a file (WebP), or of its preview. Problems attachment.none, blob.damaged."""
    for _, one in _files(folder):
        if one.file.blob.hex() == named:
            wanted = one.preview if small else one.paper
            return folder.desk.blobs.whole(wanted.blob, wanted.size)
    raise Problem("attachment.none", blob=named[:16])


# -- pieces


def _files(folder: Folder) -> Iterator[tuple[int, Held]]:
    """The files with the number of the form they lie with."""
    numbers = {sheet.draft.id: number for number, sheet in enumerate(folder.sheets)}
    for one in folder.desk.store.draft_files.of(*numbers):
        yield numbers[one.draft], one


def _name(number: int, unit: str) -> str:
    """Name of a place: the unit alone where it is the same in all forms."""
    alike = unit.startswith(DOCUMENT) or unit.partition(".")[0] in SHARED
    return unit if alike else f"{number}|{unit}"


def _new(folder: Folder, number: int, unit: str, fresh: Sequence[Fresh]) -> list[Fresh]:
    """Those of the copies that this form does not have yet, and may have."""
    sheet = folder.sheets[number]
    there = [one.file for one in folder.desk.store.draft_files.of(sheet.draft.id)]
    try:
        found = new_ones(there, unit, fresh)
    except Problem:  # attachment.twice: another form may still lack them
        return []
    check_room(there, unit, len(found))
    answer = answer_of(there, unit, found)
    answers = {**sheet.wanted.answers, **answer}
    checked = sheet.service.check(answers, sheet.wanted.documents, today=folder.day)
    stops = [one for one in checked.problems if answer and one.key == unit and one.stops]
    if stops:
        raise Problem("request.invalid", n=len(stops), findings=stops)
    return found


def _tick(folder: Folder, place: Place) -> None:
    """Whoever photographs a document has it before them."""
    if place.unit.startswith(DOCUMENT):
        code = place.unit.removeprefix(DOCUMENT)
        wanted = {number: folder.sheets[number].wanted.documents for number in place.forms}
        more = {n: sorted({*papers, code}) for n, papers in wanted.items()}
        folder.put({}, more)


def _said(folder: Folder, name: str, one: Held, lang: str) -> str:
    """What a place is called that is not asked any more."""
    number = name.partition("|")[0]
    service = folder.sheets[int(number) if "|" in name else 0].service
    return place_words(service, one.file.unit, lang)
