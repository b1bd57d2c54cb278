"""Sections: the data of a request as it is checked, question by question.

Each answer stands beside what the rules say of it, who wrote it, and whether people disagree."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from models.codes import code_list
from models.fields import row_name
from models.forms import Form, Slot
from models.pages.answers import in_words
from models.problems import Finding
from models.remarks import DOCUMENT, label
from models.services import Service
from server.sheets import Author, FileLine
from sync.state import Record


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
    errors: remarks that nothing lets pass. portraits: files of questions."""

    sections: list[Section]
    papers: list[Paper]
    rest: list[Remarked]
    errors: int
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
    checked = one.form.check(
        dict(one.answers), one.documents, dict(one.reasons), today=one.today, stage="office",
        role="verifier",
    )  # fmt: skip
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
    errors = sum(f.severity == "error" and not f.passed for f in checked.problems)
    return Drawn([s for s in sections if s.rows], papers, rest, errors, portraits)


def findings(
    form: Service, answers: Mapping[str, Any], documents: tuple[str, ...],
    reasons: Mapping[str, str], today: date, lang: str,
) -> list[Remarked]:  # fmt: skip
    """All that the rules say of some answers, in their words with the question in front."""
    checked = form.check(
        dict(answers), documents, dict(reasons), today=today, stage="office", role="verifier"
    )
    return [
        Remarked(f.code, f.severity, f"{label(form, f.key, lang)}: {f.words(lang)}", f.passed)
        for f in checked.problems
        if not f.quiet
    ]


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
    return in_words(slot, value, lang)


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
