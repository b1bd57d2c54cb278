"""Answers read together: numbers, dates and families that contradict each other.

Structure is an error (one NIK for two people, NIK and family card number the same); what only looks
odd is a warning, because the national register itself holds such people.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import msgspec

from models import nik, people
from models.fields import row_name
from models.forms import Form, Slot, day_of
from models.problems import Finding

Say = Callable[..., None]
ADULT = 17
MOTHER_YEARS = 10
"""A mother is at least so much older than her child, else somebody looks twice."""


class Number(msgspec.Struct, frozen=True):
    """One NIK of the form: where it was typed, whose birth date (or sex) stands beside it."""

    key: str
    text: str
    section: str
    row: int
    born: date | None = None
    sex: str | None = None
    adult: bool = False
    part: int = 0


def remarks(form: Form, say: Say) -> None:
    """Say everything that does not fit together."""
    numbers = list(niks(form))
    _numbers(form, numbers, say)
    _twice(numbers, say)
    _pairs(form, say)
    _heads(form, say)
    _spouses(form, say)
    _counts(form, say)
    _mother(form, say)
    _move(form, say)


def slots_with(form: Form, *kinds: str) -> Iterator[tuple[Slot, int, Any]]:
    """Open questions of these kinds with their row and value."""
    for slot in form.plan.slots.values():
        if slot.field.kind in kinds and form.is_open(slot.block.section):
            for row in form.rows[slot.block.section]:
                value = form.value(slot.path, row)
                if value is not None:
                    yield slot, row, value


def niks(form: Form) -> Iterator[Number]:
    """Every NIK on the form, those inside persons and lists of people too."""
    for slot, row, value in slots_with(form, "nik", "person", "people"):
        key = row_name(*form.typed_at(slot.path, row))
        section = slot.block.section
        if slot.field.kind == "nik":
            born = day_of(form.value(slot.field.born, row)) if slot.field.born else None
            sex = slot.field.sex
            if "." in sex:
                sex = form.value(sex, row)
            yield Number(key, value, section, row, born, sex or None)
        else:
            listed = slot.field.kind == "people"
            for part, one in enumerate(value if listed else [value], 1):
                if "nik" in one:
                    at = part if listed else 0
                    yield Number(key, one["nik"], section, row, adult=slot.field.adult, part=at)


def _numbers(form: Form, numbers: list[Number], say: Say) -> None:
    today = form.today
    if today is None:
        return
    cards = {}
    for slot, row, value in slots_with(form, "kk"):
        key = row_name(*form.typed_at(slot.path, row))
        if key not in cards:
            cards[key] = value
            _all(say, key, nik.check_kk(value, today=today))
    for number in numbers:
        found = nik.check_nik(number.text, birth_date=number.born, sex=number.sex, today=today)
        _all(say, number.key, found)
        if number.text in cards.values():
            say(number.key, "nik.equals_kk")
        if number.adult:
            born = nik.birth_hint(number.text, today)
            if born and people.age(born, today) < ADULT:
                age = people.age(born, today)
                say(number.key, "age.young_by_nik", limit=ADULT, age=age)


def _all(say: Say, key: str, found: list[Finding]) -> None:
    for one in found:
        say(key, one.code, **one.details)


def _twice(numbers: list[Number], say: Say) -> None:
    """Each row of a block, and each person of a list, has a NIK of its own."""
    seen: dict[tuple[str, str, bool], Number] = {}
    for number in numbers:
        if not number.row and not number.part:
            continue
        at = (number.section, number.text, bool(number.part))
        first = seen.setdefault(at, number)
        if (first.row, first.part) != (number.row, number.part):
            say(number.key, "nik.twice_in_family", other=first.row or first.part)


def _pairs(form: Form, say: Say) -> None:
    """Answers that must differ, and dates that have an order, as their fields declare it."""
    for slot in form.plan.pairing:
        if not form.is_open(slot.block.section):
            continue
        for row in form.rows[slot.block.section]:
            value = form.value(slot.path, row)
            if value is not None:
                _pair(form, slot, row, value, say)


def _pair(form: Form, slot: Slot, row: int, value: Any, say: Say) -> None:
    key = row_name(*form.typed_at(slot.path, row))
    for path, code in slot.field.differs.items():
        other = _beside(form, slot, row, path)
        if other is not None and _who(other) == _who(value):
            say(key, code, other=form.plan.slots[path].field.label.both())
    day = day_of(value)
    for path in slot.field.after:
        other = day_of(_beside(form, slot, row, path))
        if day and other and day < other:
            say(key, "date.order", value=day, other=other)


def _beside(form: Form, slot: Slot, row: int, path: str) -> Any:
    if path not in form.plan.slots:
        return None
    same = path.partition(".")[0] == slot.block.section
    return form.value(path, row if same else 0)


def _who(value: Any) -> Any:
    """Two people are the same by their NIK, or by their name where one has none."""
    return (value.get("nik") or value.get("name")) if isinstance(value, dict) else value


def _heads(form: Form, say: Say) -> None:
    """One head on a card. Rows that only add to a card need not repeat the head."""
    blocks = form.plan.blocks
    for section in ("family_member", "member"):
        block = blocks.get(section)
        if block is None or not form.rows[section] or not form.is_open(section):
            continue
        heads = [row for row in form.rows[section] if form.value(f"{section}.shdk", row) == "1"]
        adds = block.bounds[0] == 0
        if len(heads) > 1 or (not heads and not adds):
            row = heads[1] if heads else form.rows[section][0]
            say(row_name(f"{section}.shdk", row), "family.heads", n=len(heads))


def _spouses(form: Form, say: Say) -> None:
    """Husband or wife of the same sex as the head: one of the two relations is a slip."""
    if "member" not in form.plan.blocks or not form.is_open("member"):
        return
    rows = form.rows["member"]
    heads = {form.value("member.sex", row) for row in rows if _relation(form, row) == "1"}
    for row in rows:
        sex = form.value("member.sex", row)
        wrong = {"2": "2", "3": "1"}.get(_relation(form, row) or "")
        if wrong and (sex == wrong or sex in heads - {None}):
            say(row_name("member.shdk", row), "family.spouse_sex")


def _relation(form: Form, row: int) -> str | None:
    value = form.value("member.shdk", row)
    return value if isinstance(value, str) else None


def _counts(form: Form, say: Say) -> None:
    """Numbers that say what the rows already say."""
    count = form.value("head.member_count")
    rows = len(form.rows.get("member", ()))
    if count is not None and rows and count != rows:
        say("head.member_count", "family.count", n=count, rows=rows)
    head = form.value("head_change.new_head_nik")
    members = {form.value("family_member.nik", row) for row in form.rows.get("family_member", ())}
    if head and members and head not in members:
        say("head_change.new_head_nik", "family.head_not_member")


def _mother(form: Form, say: Say) -> None:
    child = day_of(form.value("birth.date")) or day_of(form.value("stillbirth.date"))
    mother = day_of(form.value("parents.mother_birth_date"))
    if child and mother and people.age(mother, child) < MOTHER_YEARS:
        say("parents.mother_birth_date", "family.young_mother", years=MOTHER_YEARS)


def _move(form: Form, say: Say) -> None:
    """The class of a move (1 in a village … 5 between provinces) follows from two codes."""
    said = form.value("move.class")
    ends = [form.value("move.from_address"), form.value("move.to_address")]
    codes = [end.get("village", "") if isinstance(end, dict) else "" for end in ends]
    if said is None or not all(len(code) == 13 for code in codes):
        return
    lengths = {13: "1", 8: "2", 5: "3", 2: "4"}
    real = next((lengths[n] for n in lengths if codes[0][:n] == codes[1][:n]), "5")
    if real != said:
        say("move.class", "field.class_differs", value=real)
