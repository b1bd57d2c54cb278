"""Sections: the data of a request as it is checked, question by question.

Each answer stands beside what the rules say of it, who wrote it, and whether people disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from models import questions
from models.checks import Checked
from models.codes import code_list
from models.fields import row_name, split_row
from models.forms import Form, Slot
from models.pages.answers import in_words as value_words
from models.problems import Finding, Problem
from models.remarks import DOCUMENT, label
from models.services import Service
from models.words import LANGUAGES
from server.sheets import Author, FileLine, form_of
from sync.state import Record, reasons, values

WORDS_MAX = 3
"""Remarks that a refusal names."""


class Remarked(msgspec.Struct, frozen=True):
    """What a rule says of an answer. severity: "error" or "warning". reason: why it may pass, as
    somebody gave it; passed: it does."""

    code: str
    severity: str
    words: str
    passed: bool
    reason: str = ""


class Row(msgspec.Struct, frozen=True):
    """One answered question, or one that a rule misses. key: full, as reasons of a return name it.
    words: as people read it; copy: as it is typed elsewhere. case: an open dispute about its unit.
    """

    key: str
    question: str
    words: str
    copy: str
    unit: str
    protected: bool
    found: list[Remarked]
    case: str
    author: Author | None


class Section(msgspec.Struct, frozen=True):
    """A part of the form with its rows."""

    name: str
    title: str
    rows: list[Row]


class Paper(msgspec.Struct, frozen=True):
    """A document that was brought, or is asked for, with its pictures. key: as reasons of a return
    name it."""

    key: str
    title: str
    brought: bool
    found: list[Remarked]
    files: list[FileLine]


class Drawn(msgspec.Struct, frozen=True):
    """Everything there is to check. rest: remarks that belong to no single answer or document.
    errors: what is wrong and nothing lets pass, each with its question. portraits: files of
    questions."""

    sections: list[Section]
    papers: list[Paper]
    rest: list[Remarked]
    errors: list[str]
    portraits: list[FileLine]


class Checking(msgspec.Struct, frozen=True):
    """A request to be drawn. answers: as typed, by full key. authors: by unit."""

    form: Service
    record: Record
    answers: Mapping[str, Any]
    documents: tuple[str, ...]
    reasons: Mapping[str, str]
    authors: Mapping[str, Author]
    files: list[FileLine]
    today: date
    lang: str


def draw(one: Checking) -> Drawn:
    """The request by section, each answer with what the rules say of it."""
    checked = check(one.form, one.answers, one.documents, one.reasons, one.today)
    by_key: dict[str, list[Remarked]] = {}
    missing: dict[str, str] = {}
    for finding in checked.problems:
        key, title = _document(finding, one.lang)
        if not finding.quiet:
            by_key.setdefault(key, []).append(_remarked(one, finding))
            missing |= {key: title} if title else {}
    drawn = one.form.read(one.answers, one.documents, one.today)
    sections = [_section(one, drawn, name, by_key) for name in one.form.plan.blocks]
    papers = _papers(one, by_key, missing)
    portraits = [file for file in one.files if not file.unit.startswith("document.")]
    rest = [said for found in by_key.values() for said in found]
    wrong = [
        _told(one.form, finding, one.lang) for finding in checked.problems if _is_wrong(finding)
    ]
    return Drawn([s for s in sections if s.rows], papers, rest, wrong, portraits)


def check(
    form: Service,
    answers: Mapping[str, Any],
    documents: Sequence[str],
    reasons: Mapping[str, str],
    today: date,
) -> Checked:
    """What the rules say of a request at the office. What the program itself writes when a document
    is handed over is not judged, and what a later step writes (the number of a village's letter,
    how an activation ended) is not missed. A signature that may follow is: without it nothing is
    verified."""
    typed = {key: value for key, value in answers.items() if _stage(form, key) != "handover"}
    found = form.check(
        typed, documents, dict(reasons), today=today, stage="office", role="verifier"
    )
    left = tuple(one for one in found.problems if not _comes_later(form, one))
    return msgspec.structs.replace(found, problems=left)


def errors(record: Record, today: date) -> list[Finding]:
    """What the rules find wrong with a request and nothing lets pass; nothing of one whose form
    this central does not know."""
    form = form_of(record)
    if form is None:
        return []
    try:
        answers, documents = form.answers(values(record))
    except Problem:  # a unit of another edition
        return []
    why = questions.plain(reasons(record))
    return [one for one in check(form, answers, documents, why, today).problems if _is_wrong(one)]


def in_words(record: Record, found: Sequence[Finding]) -> dict[str, str]:
    """The first of these remarks in both languages, as a detail of a problem."""
    form = form_of(record)
    assert form is not None
    first, more = found[:WORDS_MAX], "; …" if len(found) > WORDS_MAX else ""
    return {
        lang: "; ".join(_told(form, one, lang).rstrip(".") for one in first) + more
        for lang in LANGUAGES
    }


def _is_wrong(one: Finding) -> bool:
    return one.severity == "error" and not one.passed


def _stage(form: Service, key: str) -> str:
    slot = form.plan.slots.get(split_row(key)[0])
    return slot.field.stage if slot is not None else ""


def _comes_later(form: Service, one: Finding) -> bool:
    slot = form.plan.slots.get(split_row(one.key)[0])
    if slot is None or one.code != "field.required":
        return False
    return slot.field.stage == "office" and slot.field.kind != "attachment"


def findings(
    form: Service, answers: Mapping[str, Any], documents: tuple[str, ...],
    reasons: Mapping[str, str], today: date, lang: str,
) -> list[Remarked]:  # fmt: skip
    """All that the rules say of some answers, in their words with the question in front."""
    checked = check(form, answers, documents, reasons, today)
    return [
        Remarked(f.code, f.severity, _told(form, f, lang), f.passed)
        for f in checked.problems
        if not f.quiet
    ]


def _told(form: Service, finding: Finding, lang: str) -> str:
    """A remark with the question or document it is about in front."""
    about = label(form, finding.key, lang) if finding.key else ""
    return f"{about}: {finding.words(lang)}" if about else finding.words(lang)


def _document(finding: Finding, lang: str) -> tuple[str, str]:
    """Under which key a remark is shown, and what is missing: a document, or one of several."""
    wanted = finding.details.get("documents")
    if not wanted:
        return finding.key, ""
    return DOCUMENT + str(wanted[0]), str(finding.details["label"][lang])


def _remarked(one: Checking, finding: Finding) -> Remarked:
    reason = one.reasons.get(finding.key, "") if finding.passed else ""
    return Remarked(finding.code, finding.severity, finding.words(one.lang), finding.passed, reason)


def _section(one: Checking, drawn: Form, name: str, by_key: dict[str, list[Remarked]]) -> Section:
    """Takes the remarks it shows out of `by_key`."""
    block = one.form.plan.blocks[name]
    rows = []
    if drawn.is_open(name):
        for number in drawn.rows[name]:
            for slot in one.form.plan.by_section[name]:
                key = row_name(slot.path, number)
                if row_name(*drawn.typed_at(slot.path, number)) != key:
                    continue  # the form only repeats it; it is checked where it was typed
                value, found = drawn.value(slot.path, number), by_key.pop(key, [])
                if value is not None or found:
                    rows.append(_row(one, slot, key, value, found))
    return Section(name, block.title.say(one.lang) if block.title else name, rows)


def _row(one: Checking, slot: Slot, key: str, value: Any, found: list[Remarked]) -> Row:
    number = int(key.split(".")[1]) if slot.block.repeated else 0
    question = slot.field.label.say(one.lang) + (f" ({number})" if number else "")
    unit = row_name(slot.unit.name, number)
    case = one.record.disputes.get(unit)
    return Row(
        key,
        question,
        answer(slot, value, one.lang),
        str(value) if isinstance(value, str) else "",
        unit,
        slot.unit.guard == "protected",
        found,
        case.hex() if case is not None else "",
        one.authors.get(unit),
    )


def answer(slot: Slot, value: Any, lang: str) -> str:
    """An answer in words; of files only that they are there."""
    if value is None:
        return ""
    if slot.field.kind == "attachment":
        return "✓"
    return value_words(slot, value, lang)


def _papers(
    one: Checking, by_key: dict[str, list[Remarked]], missing: Mapping[str, str]
) -> list[Paper]:
    """Documents brought, with pictures or without, and those that a rule misses. Takes the remarks
    it shows out of `by_key`."""
    pictured: dict[str, list[FileLine]] = {}
    for file in one.files:
        if file.unit.startswith("document."):
            pictured.setdefault(file.unit.removeprefix("document."), []).append(file)
    names = code_list("jenis_dokumen")
    found = []
    for code in dict.fromkeys([*one.documents, *pictured]):
        key = DOCUMENT + code
        title, about = names.label(code, one.lang), by_key.pop(key, [])
        found.append(Paper(key, title, code in one.documents, about, pictured.get(code, [])))
    for key in missing:
        if key in by_key:
            found.append(Paper(key, missing[key], False, by_key.pop(key), []))
    return found
