"""Returned: what central sent back, why, on which page it is mended, and who was told.

A return names reasons of the list, for the whole and for single answers (`models.remarks`). The
clerk lands on the page of those answers instead of on the whole form; where only the whole was
named, which questions it is about follows from the reason.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from field_client import shown
from field_client.desk import Desk
from field_client.printing.lists import RETURNED
from field_client.sheet import Sheet
from field_client.vault.contacts import Contact
from field_client.vault.requests import LIST_MAX, Line
from models import remarks
from models.fields import split_row
from models.problems import Problem
from models.remarks import Remark, Said
from models.services import Service
from models.words import say
from sync.notices import Notice

DOCUMENTS = "documents"
NOTE_MAX, WHO_MAX = 200, 100
RESULTS = ("told", "coming", "unreachable", "wrong_number")
"""What came of a call: told, comes by, did not answer, the number is somebody else's."""

_KINDS = {
    "NIK_NOT_FOUND": ("nik",),
    "NIK_OTHER_PERSON": ("nik", "name"),
    "NAME_MISMATCH": ("name",),
    "KK_MISMATCH": ("kk",),
}
_PAPERS = ("DOC_MISSING", "DOC_UNREADABLE")
_BIRTH = "BIRTH_MISMATCH"


class Place(msgspec.Struct, frozen=True):
    """A page of the form to look at. section: of the form, or "documents". fields: by name."""

    section: str
    title: str
    fields: tuple[str, ...]


class Returned(msgspec.Struct, frozen=True):
    """A request that came back. words: why, in one line; remarks: the same, answer by answer; by,
    at: who sent it back, central's clock (0: unknown). called: newest first."""

    line: Line
    title: str
    words: str
    by: str
    at: int
    phone: str
    places: tuple[Place, ...]
    called: tuple[Contact, ...]
    remarks: tuple[Said, ...] = ()


def returned(desk: Desk, lang: str = "id", limit: int = LIST_MAX) -> list[Returned]:
    """Newest first."""
    lines = desk.store.requests.newest(status=RETURNED, limit=limit)
    return [_returned(desk, line, lang) for line in lines]


def _returned(desk: Desk, line: Line, lang: str) -> Returned:
    page = desk.find_sheet(line.record)
    notice = _newest(desk, line.record)
    reason = notice.reason if notice is not None else ""
    phone = page.answers.get("applicant.phone") if page is not None else ""
    form = page.service if page is not None else None
    return Returned(
        line,
        shown.title(line.service, None, lang),
        remarks.sentence(reason, form, lang),
        notice.by if notice is not None else "",
        notice.at if notice is not None else 0,
        str(phone or ""),
        tuple(places(page, reason, lang)) if page is not None else (),
        tuple(desk.store.contacts.of(line.record)),
        tuple(one for one in remarks.said(reason, form, lang) if one.key),
    )


def told_of(desk: Desk, page: Sheet, lang: str = "id") -> dict[str, str]:
    """Key of an answer, or `doc.` and a paper's code -> why it came back; of a request that waits
    for correction."""
    notice = _newest(desk, page.record)
    if page.status != RETURNED or notice is None:
        return {}
    found: dict[str, str] = {}
    for one in remarks.said(notice.reason, page.service, lang):
        if one.key:
            found[one.key] = "; ".join(filter(None, (found.get(one.key, ""), one.words)))
    return found


def _newest(desk: Desk, record: bytes) -> Notice | None:
    told = [one.notice for one in desk.store.notices.of(record)
            if one.notice.kind == "status" and one.notice.take == "return"]  # fmt: skip
    return told[-1] if told else None


def places(page: Sheet, reason: str, lang: str = "id") -> Iterator[Place]:
    """The pages that a reason is about; none where it says nothing of the answers."""
    named = [one for one in remarks.read(reason) if one.key]
    if named:
        yield from _of_answers(page, named, lang)
        return
    code, service = reason.partition(":")[0], page.service
    if code in _PAPERS:
        yield Place(DOCUMENTS, say("Dokumen yang dibawa", lang), ())
    if service is None:
        return
    for section, block in service.plan.blocks.items():
        fields = _named(service, section, code, page, lang)
        if fields and not block.repeated:
            title = block.title.say(lang) if block.title else section
            yield Place(section, title, fields)


def _of_answers(page: Sheet, named: list[Remark], lang: str) -> Iterator[Place]:
    """The pages of the answers and documents that were named, in the order of the form."""
    if any(one.key.startswith(remarks.DOCUMENT) for one in named):
        yield Place(DOCUMENTS, say("Dokumen yang dibawa", lang), ())
    service = page.service
    if service is None:
        return
    paths = {split_row(one.key)[0] for one in named}
    for section, slots in service.plan.by_section.items():
        fields = tuple(slot.field.label.say(lang) for slot in slots if slot.path in paths)
        if fields:
            title = service.plan.blocks[section].title
            yield Place(section, title.say(lang) if title else section, fields)


def _named(service: Service, section: str, code: str, page: Sheet, lang: str) -> tuple[str, ...]:
    """Labels of the answered questions of a section that the reason is about."""
    return tuple(
        slot.field.label.say(lang)
        for slot in service.plan.by_section.get(section, [])
        if f"{section}.{slot.field.name}" in page.answers
        and (
            slot.field.kind in _KINDS.get(code, ())
            or (code == _BIRTH and slot.field.kind == "date" and "birth" in slot.path)
        )
    )


def note_call(desk: Desk, page: Sheet, who: str, result: str, note: str = "") -> None:
    """Write down who was called and what came of it. Problem contact.unknown."""
    if result not in RESULTS:
        raise Problem("contact.unknown", results=", ".join(RESULTS))
    desk.store.contacts.add(
        page.record, desk.facts().at, desk.operator.name, who.strip()[:WHO_MAX], result,
        note.strip()[:NOTE_MAX],
    )  # fmt: skip


def result_words(result: str, lang: str = "id") -> str:
    """A result as people read it."""
    return {
        "told": say("sudah diberi tahu", lang),
        "coming": say("akan datang", lang),
        "unreachable": say("tidak bisa dihubungi", lang),
        "wrong_number": say("nomor salah", lang),
    }.get(result, result)
