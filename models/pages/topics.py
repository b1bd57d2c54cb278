"""Topics: the pages a folder asks, one a block of a form (or a row of it), and how far each is.

topics_of(folder, lang)            the task list
questions(folder, topic, lang)     one page's questions with what was typed
answered(folder, topic, form)      what a browser sent, form by form
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from models.checks import Checked
from models.conditions import Condition
from models.fields import row_name, split_row
from models.forms import Block, Slot
from models.forms import Form as Filled
from models.pages import fields
from models.pages.answers import answer_words
from models.pages.fields import Drawn
from models.pages.forms import Form
from models.pages.together import Folder
from models.problems import Finding
from models.services import Service
from models.words import say

PER_SERVICE = frozenset({"applicant.relation"})
"""Asked once a service where the rest of the block is shared: a father is the parent of the child,
and the head of the card."""


class Topic(msgspec.Struct, frozen=True):
    """One page of questions. number: the form it was found in; owners: all forms it writes to. row:
    0 for a block asked once. state: "empty", "begun", "done", "look" (something is wrong)."""

    number: int
    owners: tuple[int, ...]
    section: str
    row: int
    title: str
    state: str

    @property
    def address(self) -> str:
        """The last part of its address."""
        return f"{self.number}/{self.section}/{self.row}"


class Looked(msgspec.Struct, frozen=True):
    """One form of a folder, read and checked."""

    service: Service
    checked: Checked
    filled: Filled


def look(folder: Folder) -> list[Looked]:
    """Every form read and checked as it stands."""
    today, found = folder.day, []
    for sheet in folder.sheets:
        wanted, service = sheet.wanted, sheet.service
        checked = service.check(wanted.answers, wanted.documents, wanted.reasons, today=today)
        filled = service.read(checked.answers, checked.documents, today)
        found.append(Looked(service, checked, filled))
    return found


def topics_of(folder: Folder, looked: Sequence[Looked], lang: str) -> list[Topic]:
    """Every page of the folder in order; a block that several forms share stands once."""
    found: list[Topic] = []
    seen: set[tuple[str, int]] = set()
    for number, one in enumerate(looked):
        for section, block in one.service.plan.blocks.items():
            owners = tuple(folder.owners(section, number))
            if not asked(one, section) or (len(owners) > 1 and owners[0] != number):
                continue
            for row in _rows(one.filled, block):
                if (section, row) in seen and len(owners) > 1:
                    continue
                seen.add((section, row))
                state = _state(folder, looked, owners, section, row)
                title = _title(block, row, lang)
                found.append(Topic(number, owners, section, row, title, state))
    return found


def asked(one: Looked, section: str) -> bool:
    """Whether the section has questions now."""
    slots = one.service.plan.by_section.get(section, [])
    return any(fields.askable(slot) for slot in slots) and one.filled.is_open(section)


def may_add(looked: Looked, section: str) -> int:
    """Number of the next row of a repeated block, 0 where there can be no more."""
    block = looked.service.plan.blocks[section]
    if not block.repeated or not asked(looked, section):
        return 0
    rows = _rows(looked.filled, block)
    return (max(rows, default=0) + 1) if len(rows) < block.bounds[1] else 0


def _rows(filled: Filled, block: Block) -> list[int]:
    """The rows that have answers, and as many as the form wants at least."""
    if not block.repeated:
        return [0]
    rows = list(filled.rows[block.section])
    for number in range(1, 100):
        if len(rows) >= block.bounds[0]:
            break
        if number not in rows:
            rows.append(number)
    return sorted(rows)


def _title(block: Block, row: int, lang: str) -> str:
    title = block.title.say(lang) if block.title is not None else block.section
    return f"{title} {row}" if row else title


def _state(
    folder: Folder, looked: Sequence[Looked], owners: Sequence[int], section: str, row: int
) -> str:
    """How far a topic is, over all forms that share it."""
    stops = [f for n in owners for f in findings_at(looked[n], section, row) if f.stops]
    typed = any(
        value not in ("", None) and _is_at(key, section, row)
        for n in owners
        for key, value in folder.sheets[n].wanted.answers.items()
    )
    if any(f.code != "field.required" for f in stops):
        return "look"
    if stops:
        return "begun" if typed else "empty"
    return "done" if typed else "empty"


def findings_at(one: Looked, section: str, row: int) -> list[Finding]:
    """What there is to say about a section (and row)."""
    return [f for f in one.checked.problems if _is_at(f.key, section, row)]


def _is_at(key: str, section: str, row: int) -> bool:
    path, at = split_row(key)
    return path.partition(".")[0] == section and at == row


# -- one page


def questions(
    folder: Folder,
    looked: Sequence[Looked],
    topic: Topic,
    lang: str,
    checked: bool,
    told: Mapping[str, str] = MappingProxyType({}),
) -> tuple[list[Drawn], list[Drawn]]:
    """The questions of a page: those that are asked now, and those that only some people need.

    checked: whether to say what is wrong; a page never sent does not begin with reproaches. told:
    answer's key -> what the office wrote about it.
    """
    now: list[Drawn] = []
    rare: list[Drawn] = []
    for number, slot in _asked(folder, looked, topic):
        one = looked[number]
        key = row_name(slot.path, topic.row)
        value = folder.sheets[number].wanted.answers.get(key, "")
        required = _required(looked, topic, slot)
        drawn = fields.drawn(slot, one.service.plan, topic.row, _name(number, topic, slot), value,
                             required is True, lang)  # fmt: skip
        alone = slot.path in PER_SERVICE and len(topic.owners) > 1
        if alone:
            label = f"{drawn.label}: {one.service.title.say(lang)}"
            drawn = msgspec.structs.replace(drawn, label=label)
        repeated = _elsewhere(one, slot, topic.row, lang)
        if repeated:
            now.append(msgspec.structs.replace(drawn, widget="shown", shown=repeated))
            continue
        found = _findings(looked, topic, number, slot)
        reasons = folder.sheets[number].wanted.reasons
        drawn = fields.with_findings(drawn, found, reasons, lang)
        if alone:  # the same is asked for each form: which of them?
            errors = tuple(f"{one.service.title.say(lang)}: {words}" for words in drawn.errors)
            drawn = msgspec.structs.replace(drawn, errors=errors)
        if not checked and value in ("", None):
            drawn = msgspec.structs.replace(drawn, errors=())
        drawn = msgspec.structs.replace(drawn, told=told.get(key, ""))
        wanted = required is not False or value not in ("", None) or drawn.errors or drawn.told
        optional = not isinstance(slot.required, Condition)
        (now if wanted or optional else rare).append(drawn)
    return now, rare


def wrong(asked: Sequence[Drawn], checked: bool) -> list[tuple[str, str]]:
    """Where on its page something is wrong, and what. checked: doubts without a reason are told."""
    found: list[tuple[str, str]] = []
    for one in asked:
        found += [(f"#{one.id}", words) for words in one.errors]
        if checked:
            found += [(f"#{one.id}-why", words) for _, words, reason in one.doubts if not reason]
    return found


def answered(
    folder: Folder, looked: Sequence[Looked], topic: Topic, form: Form
) -> dict[int, dict[str, Any]]:
    """What was typed on a page: number of the form -> key -> answer, as typed."""
    found: dict[int, dict[str, Any]] = {number: {} for number in topic.owners}
    for number, slot in _asked(folder, looked, topic):
        key = row_name(slot.path, topic.row)
        if _elsewhere(looked[number], slot, topic.row, "id"):
            continue
        value = fields.typed(slot, _name(number, topic, slot), form)
        alone = slot.path in PER_SERVICE
        for owner in [number] if alone else topic.owners:
            known = folder.sheets[owner].wanted.answers
            if slot.path in looked[owner].service.plan.slots and (value != "" or key in known):
                found[owner][key] = value
    return found


def differing(
    folder: Folder, looked: Sequence[Looked], topic: Topic, form: Form, lang: str
) -> list[tuple[str, str]]:
    """Question and text of what was typed here and is not what is saved."""
    found: list[tuple[str, str]] = []
    for number, answers in answered(folder, looked, topic, form).items():
        known = folder.sheets[number].wanted.answers
        for key, value in answers.items():
            if value not in ("", known.get(key, "")):
                found.append(answer_words(looked[number].service, key, value, lang))
    return list(dict.fromkeys(found))


def reasons_in(topic: Topic, form: Form) -> dict[int, dict[str, str]]:
    """Why warnings may pass, as typed: number of the form -> key -> reason."""
    given = {
        key: texts[0].strip()[:500]
        for key, texts in form.starting("why|").items()
        if _is_at(key, topic.section, topic.row)
    }
    return dict.fromkeys(topic.owners, given)


def emptied(folder: Folder, topic: Topic) -> dict[int, dict[str, Any]]:
    """Taking a row away: every key of it."""
    return {
        number: {
            key: None
            for key in folder.sheets[number].wanted.answers
            if _is_at(key, topic.section, topic.row)
        }
        for number in topic.owners
    }


def _asked(folder: Folder, looked: Sequence[Looked], topic: Topic) -> Iterator[tuple[int, Slot]]:
    """The slots of a page, each with the form it is read from; those asked a service, for each."""
    del folder
    first = looked[topic.number].service.plan.by_section[topic.section]
    for slot in first:
        if not fields.askable(slot):
            continue
        if slot.path in PER_SERVICE:
            for number in topic.owners:
                yield number, looked[number].service.plan.slots[slot.path]
        else:
            yield topic.number, slot


def id_of(topic: Topic, path: str) -> str:
    """Where on its page a question is: the id of its input."""
    return fields.id_of(f"{topic.number}|{row_name(path, topic.row)}")


def _name(number: int, topic: Topic, slot: Slot) -> str:
    """Name of an input: form and key."""
    return f"{number}|{row_name(slot.path, topic.row)}"


def _required(looked: Sequence[Looked], topic: Topic, slot: Slot) -> bool | None:
    """Whether the answer is needed now: by any form that shares the page; None if none can tell."""
    found: list[bool | None] = []
    for number in topic.owners:
        own = looked[number].service.plan.slots.get(slot.path)
        if own is None or own.field.stage != "intake":
            continue
        if isinstance(own.required, Condition):
            found.append(looked[number].filled.holds(own.required, topic.section, topic.row))
        else:
            found.append(own.required)
    return True if True in found else None if None in found else False


def _elsewhere(one: Looked, slot: Slot, row: int, lang: str) -> str:
    """What is shown instead of asked, because it was typed on another page; "" if it is asked."""
    if one.filled.typed_at(slot.path, row) == (slot.path, row):
        return ""
    value = one.filled.value(slot.path, row)
    if value is None:
        return say("belum diisi", lang)
    return answer_words(one.service, row_name(slot.path, row), value, lang)[1]


def _findings(looked: Sequence[Looked], topic: Topic, number: int, slot: Slot) -> list[Finding]:
    """Findings at one question, of every form that shares it, each sentence once."""
    numbers = [number] if slot.path in PER_SERVICE else topic.owners
    found: dict[tuple[str, str], Finding] = {}
    for n in numbers:
        for one in looked[n].checked.problems:
            if one.key == row_name(slot.path, topic.row):
                found.setdefault((one.key, one.code), one)
    return list(found.values())
