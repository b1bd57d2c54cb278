"""Folder: the forms begun together for one citizen or family, until they are submitted.

A newborn needs a deed, a changed family card and a child card. They are one folder: what is the
same in all of them (applicant, address, parents, …) is typed once and lies in each, and they are
taken in by one transaction. What was on the screen when the folder was opened stays with it (law:
display), whatever a sync brings meanwhile.

Each form is a draft of its own in the vault, saved field by field; the folder's name is the first
one's id.

A correction of a request is a folder of one form. It writes only what differs from what was shown
when it was begun, so that it cannot undo what somebody else did meanwhile.
"""

from __future__ import annotations

import bisect
import secrets
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from field_client import sheet as request_sheet
from field_client.desk import Desk, Prepared, Taken, Wanted
from field_client.prefill import prefilled
from field_client.vault.drafts import Draft
from field_client.vault.refs import Ref
from models import lifecycle, names
from models.changes import RecordId
from models.checks import Checked
from models.fields import row_name
from models.pages.together import FORMS_MAX, laid, owners
from models.problems import Problem
from models.services import Service, catalogue

BEGUN_LISTED = 50


class Sheet(msgspec.Struct, frozen=True):
    """One form of a folder, as it was last saved."""

    draft: Draft
    wanted: Wanted
    service: Service


class Begun(msgspec.Struct):
    """A folder as a line of a list. forms: place and service of each. person: whom it is about, ""
    while nobody was named. at: last saved, Unix seconds."""

    name: bytes
    forms: list[tuple[int, str]] = []
    record: bytes = b""
    at: int = 0
    person: str = ""

    @property
    def masked(self) -> str:
        """The person, as a list may show them."""
        return names.masked(self.person) if self.person else ""


class Folder:
    """The forms of one visit to the desk, in order."""

    def __init__(self, desk: Desk, sheets: Sequence[Sheet]) -> None:
        self.desk = desk
        self.sheets = list(sheets)

    @property
    def name(self) -> bytes:
        """16 bytes: the first form's id."""
        return self.sheets[0].draft.id

    @property
    def record(self) -> RecordId:
        """The request that it corrects, empty for new ones."""
        return self.sheets[0].draft.record

    @property
    def version(self) -> int:
        """Grows with every save: a page drawn from an older one may not overwrite."""
        return sum(sheet.wanted.version for sheet in self.sheets)

    @property
    def at(self) -> int:
        """When it was last saved, Unix seconds."""
        return max(sheet.draft.at for sheet in self.sheets)

    # -- saving

    def put(
        self,
        answers: Mapping[int, Mapping[str, Any]],
        documents: Mapping[int, Sequence[str]] | None = None,
        reasons: Mapping[int, Mapping[str, str]] | None = None,
    ) -> bool:
        """Write what was typed, form by form (by its number); None takes a key away. Gives whether
        anything changed. Durable when this returns."""
        changed = False
        for number, sheet in enumerate(self.sheets):
            wanted = sheet.wanted
            found = laid(wanted.answers, answers.get(number, {}))
            papers = tuple((documents or {}).get(number, wanted.documents))
            why = {**wanted.reasons, **(reasons or {}).get(number, {})}
            why = {key: text for key, text in why.items() if text}
            fresh = msgspec.structs.replace(wanted, answers=found, documents=papers, reasons=why)
            if fresh != wanted:
                self._save(number, fresh)
                changed = True
        return changed

    def fill(self) -> set[str]:
        """Fill in what the villages' lists know of the people whose NIK was typed; gives the keys.
        What was typed, or emptied, stands."""
        today, found = self.desk.today(), set[str]()
        for number, sheet in enumerate(self.sheets):
            wanted = sheet.wanted
            known = prefilled(
                sheet.service, wanted.answers, wanted.nik, lambda nik: self.desk.find(nik, today)
            )
            fresh = {key: value for key, value in known.items() if key not in wanted.answers}
            if fresh:
                found |= fresh.keys()
                self._save(number, msgspec.structs.replace(wanted, answers=dict(known)))
        return found

    def _save(self, number: int, wanted: Wanted) -> None:
        wanted = msgspec.structs.replace(wanted, version=wanted.version + 1)
        sheet = self.sheets[number]
        self.desk.keep(wanted, sheet.draft)
        draft = msgspec.structs.replace(sheet.draft, at=self.desk.facts().at)
        self.sheets[number] = Sheet(draft, wanted, sheet.service)

    def owners(self, section: str, number: int) -> list[int]:
        """The forms a section's answers lie in: all that ask it, if it is about the same people."""
        return owners([sheet.service for sheet in self.sheets], section, number)

    @property
    def day(self) -> date:
        """The day, by which ages and terms are counted."""
        return self.desk.today()

    # -- submitting

    def prepare(self) -> list[Prepared]:
        """Every form checked as it stands."""
        return [
            self.desk.prepare(sheet.wanted, self.desk.shown_of(sheet.draft))
            for sheet in self.sheets
        ]

    def submit(self) -> list[Taken]:
        """Take all forms in, or none. Problems: those of `Desk.submit`."""
        name = self.name

        def refs(taken: Sequence[Taken]) -> list[Ref]:
            return [
                Ref(ref_of(name, number), bytes(32), one.record, b"")
                for number, one in enumerate(taken)
            ]

        drafts = [sheet.draft.id for sheet in self.sheets]
        return self.desk.submit(*self.prepare(), refs=refs, drafts=drafts)

    # -- correcting

    def corrected(self) -> tuple[dict[str, Any], list[str]]:
        """What a correction changes: answers (None for an emptied one), and all documents."""
        wanted = self.sheets[0].wanted
        keys = wanted.answers.keys() | wanted.before.keys()
        pairs = {key: (wanted.before.get(key), wanted.answers.get(key)) for key in keys}
        found = {key: new for key, (old, new) in pairs.items() if (new or None) != (old or None)}
        gone, come = set(wanted.papers) - set(wanted.documents), set(wanted.documents)
        now = set(self.page().documents)
        papers = sorted((now - gone) | (come - set(wanted.papers)))
        return {key: value or None for key, value in found.items()}, papers

    def page(self) -> request_sheet.Sheet:
        """The request that it corrects, as it was when the correction was begun."""
        draft = self.sheets[0].draft
        shown = self.desk.shown_of(draft)
        page = self.desk.open(draft.record)
        return page if shown is None else msgspec.structs.replace(page, shown=shown)

    def moved(self) -> list[str]:
        """Units this correction writes that changed since it was begun: they will be reviewed."""
        sheet, page = self.sheets[0], self.page()
        wanted, service = sheet.wanted, sheet.service
        answers, papers = self.corrected()
        before = service.units(wanted.before, wanted.papers)
        now = service.units(page.typed(), page.documents)
        fresh = {key: value for key, value in answers.items() if value is not None}
        touched = service.units({**wanted.before, **fresh}, papers)
        mine = {unit for unit in touched if touched[unit] != before.get(unit)}
        return sorted(unit for unit in mine if before.get(unit) != now.get(unit))

    def check(self) -> Checked:
        """The request as it would be; what was wrong with it before is no reason to refuse."""
        answers, papers = self.corrected()
        page = self.page()
        checked = self.desk.check_edit(page, answers, papers, self.sheets[0].wanted.reasons)
        already = page.stops_already(self.desk.today())
        kept = [one for one in checked.problems if (one.key, one.code) not in already]
        return msgspec.structs.replace(checked, problems=tuple(kept))

    def correct(self, why: str) -> RecordId:
        """Write the correction. Problems: those of `Desk.edit`. One that is written already (a
        second click, a kill in between) is not written again."""
        answers, papers = self.corrected()
        reasons = self.sheets[0].wanted.reasons
        self.desk.edit(self.page(), answers, papers, reasons, why)
        self.drop()
        return self.record

    def drop(self) -> None:
        """Throw the folder away, and the photographs with it."""
        store = self.desk.store
        for sheet in self.sheets:
            store.drafts.drop(sheet.draft.id)
        store.draft_files.sweep(self.desk.blobs.drop)


def begin(desk: Desk, services: Sequence[str], nik: str = "") -> Folder:
    """A new folder. What is known to the screen now is noted. Problems: service.unknown,
    request.too_many_forms."""
    if not 0 < len(services) <= FORMS_MAX:
        raise Problem("request.forms", limit=FORMS_MAX)
    forms = [catalogue().service(slug) for slug in services]
    name = secrets.token_bytes(16)
    for number, form in enumerate(forms):
        answers = {"applicant.relation": "self"} if form.applicants == ("self",) else {}
        wanted = Wanted(form.slug, answers, nik=nik, folder=name, place=number)
        desk.keep(wanted, name=name if number == 0 else b"")
    folder = open_folder(desk, name)
    folder.fill()
    return folder


def begin_correction(desk: Desk, record: RecordId) -> Folder:
    """A folder that corrects a request; the one that was begun, if there is one. What is known to
    the screen now is noted. Problems: request.unknown, request.closed, service.edition."""
    there = desk.store.drafts.correction(desk.operator.name, record)
    if there is not None:
        return open_folder(desk, there.id)
    page = desk.open(record)
    service = page.form()
    if lifecycle.ended(page.status):
        raise Problem("request.closed", code=page.code)
    answers = page.typed()
    wanted = Wanted(
        service.slug, answers, page.documents, page.reasons, before=answers, papers=page.documents
    )
    return open_folder(desk, desk.keep(wanted, record=record))


def left_by_others(desk: Desk) -> list[Draft]:
    """What colleagues began and did not finish, newest first; one line a folder. Also of those who
    were removed from this laptop."""
    names = [name for name in desk.store.standing().drafts if name != desk.operator.name]
    found = [one for name in names for one in desk.store.drafts.of(name)]
    heads = [one for one in found if one.folder == one.id]
    return sorted(heads, key=lambda one: -one.at)


def take_over(desk: Desk, name: bytes, reason: str) -> None:
    """Go on with what a colleague began, with all its forms at once. Who took it from whom, and
    why, is written into the chain of the reveals. Problems draft.unknown, draft.why."""
    first = desk.store.drafts.get(name)
    if first is None or first.operator == desk.operator.name or first.folder != name:
        raise Problem("draft.unknown", draft=name.hex())
    if not reason.strip():
        raise Problem("draft.why")
    desk.note_reveal(f"takeover from {first.operator}: {reason.strip()[:200]}", first.record)
    forms = [one.id for one in desk.store.drafts.within(first.operator, [name])]
    desk.store.drafts.hand(forms, desk.operator.name)


def open_folder(desk: Desk, name: bytes) -> Folder:
    """A folder of this operator, as it was last saved. Problem draft.unknown."""
    wanted, first = desk.resume(name)
    if first.record:
        return Folder(desk, [Sheet(first, wanted, desk.open(first.record).form())])
    sheets = [_sheet(draft) for draft in desk.store.drafts.within(first.operator, [first.folder])]
    return Folder(desk, sorted(sheets, key=lambda sheet: sheet.wanted.place))


def begun(desk: Desk, limit: int = BEGUN_LISTED, skip: int = 0) -> list[Begun]:
    """What the operator began and did not finish, corrections too; last saved first."""
    operator, drafts = desk.operator.name, desk.store.drafts
    found = {name: Begun(name) for name in drafts.folders(operator, limit, skip)}
    for draft in drafts.within(operator, list(found)):
        wanted, one = msgspec.msgpack.decode(draft.data, type=Wanted), found[draft.folder]
        one.record, one.at = draft.record, max(one.at, draft.at)
        bisect.insort(one.forms, (wanted.place, wanted.service))
        one.person = _person(wanted) or one.person
    return list(found.values())


def find_begun(desk: Desk, text: str) -> list[Begun]:
    """The same for whose person, or service, is called so."""
    wanted, found = names.key(text), []
    for skip in range(0, desk.store.drafts.count(desk.operator.name), BEGUN_LISTED):
        for one in begun(desk, skip=skip):
            titles = [catalogue().service(slug).title.id for _, slug in one.forms]
            if any(wanted in names.key(words) for words in (one.person, *titles)):
                found.append(one)
    return found


def _person(wanted: Wanted) -> str:
    """Whom a form is about, else who asks, by what was typed so far."""
    for path in (*catalogue().service(wanted.service).about.name, "applicant.name"):
        for key in (path, row_name(path, 1)):
            typed = wanted.answers.get(key)
            if isinstance(typed, str) and typed.strip():
                return typed.strip()
    return ""


def taken_from(desk: Desk, name: bytes) -> list[bytes]:
    """The requests that a folder became; empty while it has not."""
    found: list[bytes] = []
    while len(found) < FORMS_MAX:
        ref = desk.store.requests.by_ref(ref_of(name, len(found)))
        if ref is None:
            break
        found.append(ref.record)
    return found


def ref_of(folder: bytes, number: int) -> str:
    """Under which name it is remembered what a form became: a second click makes no second one."""
    return f"folder:{folder.hex()}:{number}"


def _sheet(draft: Draft) -> Sheet:
    wanted = msgspec.msgpack.decode(draft.data, type=Wanted)
    return Sheet(draft, wanted, catalogue().service(wanted.service))
