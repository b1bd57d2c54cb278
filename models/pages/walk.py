"""Walk: the way through a folder, from its task list over its pages to the last check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from models.checks import Checked
from models.codes import code_list
from models.fields import split_row
from models.pages import topics
from models.pages.answers import answer_words
from models.pages.forms import Form
from models.pages.together import Folder
from models.pages.topics import Looked, Topic
from models.problems import Finding, Problem
from models.services import Service
from models.words import say

ADD, REMOVE, FILL, LATER = "add", "remove", "fill", "later"
"""What a button of a page wishes besides saving."""

Rows = list[tuple[str, str]]
"""Question and answer in words."""


def topic_at(
    folder: Folder, looked: Sequence[Looked], number: int, section: str, row: int, lang: str
) -> Topic:
    """The page of an address; one more row of a repeated block may be named before it is filled.
    Problem api.not_found."""
    for one in topics.topics_of(folder, looked, lang):
        if (one.number, one.section, one.row) == (number, section, row):
            return one
    known = number < len(looked) and section in looked[number].service.plan.blocks
    if known and row and row == topics.may_add(looked[number], section):
        owners = tuple(folder.owners(section, number))
        block = looked[number].service.plan.blocks[section]
        title = block.title.say(lang) if block.title is not None else section
        return Topic(number, owners, section, row, f"{title} {row}", "empty")
    raise Problem("api.not_found")


def page_values(
    folder: Folder,
    looked: Sequence[Looked],
    page: Topic,
    lang: str,
    checked: bool,
    form: Form | None = None,
    told: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """What the template of a page of questions draws. checked, told: see `topics.questions`. form:
    what was typed in a window that another one has overtaken; it is shown beside."""
    now, rare = topics.questions(folder, looked, page, lang, checked, told)
    block = looked[page.number].service.plan.blocks[page.section]
    overtaken = [] if form is None else topics.differing(folder, looked, page, form, lang)
    return {
        "folder": folder,
        "page": page,
        "now": now,
        "rare": rare,
        "wrong": topics.wrong([*now, *rare], checked),
        "overtaken": overtaken,
        "may_add": bool(topics.may_add(looked[page.number], page.section)),
        "may_remove": block.repeated and len(looked[page.number].filled.rows[page.section]) > 0,
        "form_name": block.form if block.form not in page.title else "",
    }


def stops_at(looked: Sequence[Looked], page: Topic) -> list[Finding]:
    """What keeps a page from being finished."""
    found = [f for n in page.owners for f in topics.findings_at(looked[n], page.section, page.row)]
    return [one for one in found if one.stops]


def next_page(listed: Sequence[Topic], page: Topic) -> str:
    """Address of the page after this one that is not done; "" after the last."""
    places = [one.address for one in listed]
    at = places.index(page.address) if page.address in places else -1
    return next((one.address for one in listed[at + 1 :] if one.state != "done"), "")


def grouped(
    looked: Sequence[Looked], listed: Sequence[Topic], lang: str
) -> list[tuple[str, list[Topic]]]:
    """Topics that several forms share, then those of each form."""
    shared = [one for one in listed if len(one.owners) > 1]
    groups = [(say("Data bersama", lang), shared)] if shared else []
    for number, one in enumerate(looked):
        own = [t for t in listed if t.number == number and len(t.owners) == 1]
        groups.append((one.service.title.say(lang), own))
    return [group for group in groups if group[1]]


def adds(folder: Folder, looked: Sequence[Looked], lang: str) -> list[tuple[str, str]]:
    """Rows that may be added: (what, address)."""
    found: dict[str, tuple[str, str]] = {}
    for number, one in enumerate(looked):
        for section, block in one.service.plan.blocks.items():
            row = topics.may_add(one, section)
            if row and number == folder.owners(section, number)[0]:
                title = block.title.say(lang) if block.title is not None else section
                found[f"{number}/{section}"] = (title, f"{number}/{section}/{row}")
    return list(found.values())


def to_mend(
    folder: Folder, listed: Sequence[Topic], checks: Sequence[Checked], base: str, lang: str
) -> tuple[list[tuple[str, str]], dict[str, tuple[str, str]]]:
    """What stops a folder, a line for each page that has to be opened, with its address; and what
    may pass with a reason: key -> (words, the reason given). base: the folder's address."""
    stops: dict[tuple[str, str], dict[str, None]] = {}
    doubts: dict[str, tuple[str, str]] = {}
    for number, (checked, sheet) in enumerate(zip(checks, folder.sheets, strict=True)):
        for one in checked.problems:
            if one.severity == "error" and one.stops:
                place = _place_of(folder, listed, number, one.key, lang)
                stops.setdefault(place, {})[one.words(lang)] = None
            elif not one.quiet:
                doubts[one.key] = (one.words(lang), sheet.wanted.reasons.get(one.key, ""))
    return [_line(base, *at, list(words), lang) for at, words in stops.items()], doubts


def _line(base: str, at: str, title: str, words: Sequence[str], lang: str) -> tuple[str, str]:
    """Address and words of a page that has to be opened: what is wrong, or how many answers."""
    many = say("{n} isian belum lengkap atau salah", lang, n=len(words))
    told = words[0] if len(words) == 1 else many
    return f"{base}/{at}".rstrip("/"), f"{title}: {told}" if title else told


def _place_of(
    folder: Folder, listed: Sequence[Topic], number: int, key: str, lang: str
) -> tuple[str, str]:
    """Where an answer is typed: address and title; the papers, or the task list, by default."""
    if key.startswith("doc"):
        return "documents", say("Dokumen yang dibawa", lang)
    path, row = split_row(key)
    section = path.partition(".")[0]
    for one in listed:
        if number in one.owners and one.section == section and row in (0, one.row):
            alone = len(one.owners) == 1 < len(folder.sheets)
            form = f"{folder.sheets[number].service.title.say(lang)} · " if alone else ""
            return f"{one.address}?look=1", form + one.title
    return "", ""


def changes_of(
    service: Service, before: Mapping[str, Any], now: Mapping[str, Any], lang: str
) -> list[tuple[str, str, str]]:
    """Question, old and new answer of each key of `now`."""
    found = []
    for key, value in now.items():
        label, new = answer_words(service, key, value or "–", lang)
        found.append((label, answer_words(service, key, before.get(key) or "–", lang)[1], new))
    return found


def answers_of(
    looked: Sequence[Looked], listed: Sequence[Topic], lang: str
) -> list[tuple[Topic, Rows]]:
    """Every page with its answers in words."""
    found = []
    for page in listed:
        one = looked[page.number]
        rows = [
            answer_words(one.service, key, value, lang)
            for key, value in one.checked.answers.items()
            if (split_row(key)[0].partition(".")[0], split_row(key)[1]) == (page.section, page.row)
        ]
        found.append((page, rows))
    return found


# -- papers


def papers_state(looked: Sequence[Looked]) -> str:
    """How far the papers are, in the words of `Topic.state`."""
    missing = [f for one in looked for f in one.checked.problems if f.key.startswith("doc.")]
    if any(one.stops for one in missing):
        return "look"
    return "done" if any(one.checked.documents for one in looked) else "empty"


def papers_missing(looked: Sequence[Looked], lang: str) -> list[str]:
    """What is still to be brought, by what it is called; alternatives on one line."""
    found = [one.details["label"] for form in looked for one in form.checked.problems
             if one.key.startswith("doc.") and not one.quiet]  # fmt: skip
    return list(dict.fromkeys(label[lang] for label in found))


def papers_asked(services: Sequence[Service], lang: str) -> dict[str, tuple[str, str]]:
    """Code -> (words, the case in which it is asked), of all papers these services may ask."""
    found: dict[str, tuple[str, str]] = {}
    for service in services:
        for paper in service.documents:
            case = paper.case.say(lang) if paper.case is not None else ""
            found.setdefault(paper.code, (paper.label.say(lang), case))
    return found


def papers_brought(looked: Sequence[Looked], lang: str) -> list[str]:
    """The papers that were brought, in words."""
    labels = code_list("jenis_dokumen")
    codes = sorted({code for one in looked for code in one.checked.documents})
    return [labels.label(code, lang) for code in codes]


def to_bring(service: Service, lang: str) -> list[str]:
    """What to bring, alternatives on one line, with the case in which it is asked."""
    groups: dict[str, list[str]] = {}
    for paper in service.documents:
        case = f" ({paper.case.say(lang)})" if paper.case is not None else ""
        groups.setdefault(paper.one_of or paper.code, []).append(paper.label.say(lang) + case)
    return [" / ".join(texts) for texts in groups.values()]
