"""A service's form as a whole: which questions are open, what is shown instead of typed, whose age.

`Plan` is what a service asks, compiled once: its slots (one question of one block), sections and
units. `Form` is a plan together with one citizen's answers; it answers what stands at a key,
following aliases to the place where the value was typed, and evaluates conditions as the paper form
means them.

Aliases: where the target of an alias is asked and its condition holds, the answer is not typed a
second time. In a repeated block only the first row repeats somebody else's answer (the first spouse
is the applicant, not both). A target in a repeated block is the first row for which the condition
holds.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

import msgspec

from models import nik, people
from models.conditions import UNKNOWN, Condition, Truth, parse
from models.fields import Field, Guard, Rule, Text, Unit, row_name, split_row

ROWS_MAX = 99
"""Highest row number: rows keep their number when another row is removed."""


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a paper form. A service either names a shared block (`use`) or writes its own.

    rows: "" for a block asked once, else "2" or "1..20". when: asked only while this holds.
    """

    use: str = ""
    section: str = ""
    form: str = ""
    title: Text | None = None
    rows: str = ""
    when: str = ""
    fields: tuple[Field, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def repeated(self) -> bool:
        """Whether the block has rows."""
        return bool(self.rows)

    @property
    def bounds(self) -> tuple[int, int]:
        """Fewest and most rows."""
        least, _, most = self.rows.partition("..")
        return int(least or 1), int(most or least or 1)


class Paths(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the answers say who a request is about; the first filled path counts."""

    name: tuple[str, ...] = ()
    nik: tuple[str, ...] = ()
    kk: tuple[str, ...] = ()
    birth_date: tuple[str, ...] = ()
    sex: tuple[str, ...] = ()
    mother_name: tuple[str, ...] = ()
    mother_nik: tuple[str, ...] = ()
    mother_birth_date: tuple[str, ...] = ()
    plurality: tuple[str, ...] = ()

    def all(self) -> tuple[str, ...]:
        """Every path named."""
        return tuple(path for name in self.__struct_fields__ for path in getattr(self, name))


class Slot(msgspec.Struct, frozen=True):
    """One question of one block of one service, its conditions parsed. `path` has no row number."""

    path: str
    field: Field
    block: Block
    required: bool | Condition
    target: str
    target_when: Condition | None
    typed: bool
    unit: Unit


class Plan:
    """What a service asks. `requests` are its request codes, of which an answer may choose."""

    def __init__(self, slug: str, blocks: Sequence[Block], requests: Sequence[str], subject: Paths):
        self.slug = slug
        self.blocks = {block.section: block for block in blocks}
        self.requests = tuple(requests)
        self.subject = subject
        self.opens = {block.section: parse(block.when) for block in blocks if block.when}
        guards = _group_guards(blocks)
        self.slots: dict[str, Slot] = {}
        for block in blocks:
            for field in block.fields:
                slot = _slot(block, field, guards, len(self.requests))
                self.slots[slot.path] = slot
        self.units: dict[str, list[Slot]] = {}
        for slot in self.slots.values():
            self.units.setdefault(_pattern(slot), []).append(slot)

    @cached_property
    def by_section(self) -> dict[str, list[Slot]]:
        """The slots of each section, in the order of the form."""
        found: dict[str, list[Slot]] = {section: [] for section in self.blocks}
        for slot in self.slots.values():
            found[slot.block.section].append(slot)
        return found

    @cached_property
    def narrowing(self) -> list[Slot]:
        """Questions that may be answered elsewhere and set limits of their own to that answer."""
        return [slot for slot in self.slots.values() if slot.target and _narrow(slot.field)]

    @cached_property
    def pairing(self) -> list[Slot]:
        """Questions whose answer is compared with another one."""
        return [slot for slot in self.slots.values() if slot.field.differs or slot.field.after]

    @cached_property
    def forms(self) -> dict[str, set[str]]:
        """Paper form -> its sections asked here: filling one of them is bringing that form."""
        found: dict[str, set[str]] = {}
        for section, block in self.blocks.items():
            found.setdefault(block.form, set()).add(section)
        return found

    def slot(self, key: str) -> tuple[Slot, int] | None:
        """The slot and row of a key; None where the service asks no such thing."""
        path, row = split_row(key)
        slot = self.slots.get(path)
        if slot is None or slot.block.repeated != bool(row) or row > ROWS_MAX:
            return None
        return slot, row


class Form:
    """A plan with answers. Values are plain; `None` everywhere means empty or not asked."""

    def __init__(
        self,
        plan: Plan,
        answers: Mapping[str, Any],
        documents: Collection[str] = (),
        today: date | None = None,
    ) -> None:
        self.plan = plan
        self.answers = answers
        self.documents = frozenset(documents)
        self.today = today
        self.sections = {key.partition(".")[0] for key in answers}
        self._values: dict[tuple[str, int], Any] = {}
        self._opened: dict[str, Truth] = {}

    @cached_property
    def rows(self) -> dict[str, tuple[int, ...]]:
        """Section -> row numbers with an answer, in order; a block asked once has row 0."""
        found: dict[str, set[int]] = {section: set() for section in self.plan.blocks}
        for key in self.answers:
            path, row = split_row(key)
            if row and path in self.plan.slots:
                found[path.partition(".")[0]].add(row)
        return {
            section: tuple(sorted(found[section])) if block.repeated else (0,)
            for section, block in self.plan.blocks.items()
        }

    def is_open(self, section: str) -> bool:
        """Whether the block is asked now. One that cannot be told is asked."""
        if section not in self._opened:
            self._opened[section] = None  # a block that depends on itself stays askable
            condition = self.plan.opens.get(section)
            self._opened[section] = self.holds(condition) if condition else True
        return self._opened[section] is not False

    def value(self, path: str, row: int = 0) -> Any:
        """What stands at a path (and row), wherever it was typed."""
        at = (path, row)
        if at not in self._values:
            self._values[at] = None  # ends a circle of aliases, which a test rules out anyway
            self._values[at] = self._find(path, row)
        return self._values[at]

    def shown(self, key: str) -> Any:
        """`value` by key."""
        return self.value(*split_row(key))

    def typed_at(self, path: str, row: int = 0) -> tuple[str, int]:
        """Where the answer to this question is typed: its own place, or where its alias ends."""
        slot = self.plan.slots[path]
        while (target := self._target(slot, row)) is not None:
            path, row = target
            if path.endswith(".*"):
                break
            slot = self.plan.slots[path]
        return path, row

    def holds(self, condition: Condition, section: str = "", row: int = 0) -> Truth:
        """Whether a condition is true, read in a row of `section` or (row 0) from outside."""
        return condition.holds(lambda path: self._read(path, section, row))

    def ages(self, section: str = "", row: int = 0) -> tuple[int | None, ...]:
        """Full years of the person of that row, or of everybody the service is about."""
        if row:
            return (self._row_age(section, row),)
        subject = self.plan.subject
        return tuple(
            self._age(self.about(subject.birth_date, at), self.about(subject.nik, at))
            for at in self.subject_rows()
        )

    def subject_rows(self) -> tuple[int, ...]:
        """Row numbers of the people a service is about; (0,) where it is about one person."""
        paths = self.plan.subject.name + self.plan.subject.nik
        for path in paths:
            section = path.partition(".")[0]
            if section in self.plan.blocks and self.plan.blocks[section].repeated:
                return self.rows[section] or (1,)
        return (0,)

    def about(self, paths: Sequence[str], row: int = 0) -> Any:
        """The first filled of some paths; in that row (or the first) of a repeated block."""
        for path in paths:
            block = self.plan.blocks.get(path.partition(".")[0])
            if block is not None:
                value = self.value(path, (row or 1) if block.repeated else 0)
                if value is not None:
                    return value
        return None

    # --- how it is found out

    def _find(self, path: str, row: int) -> Any:
        slot = self.plan.slots.get(path)
        if slot is None or not self.is_open(slot.block.section):
            return None
        target = self._target(slot, row)
        if target is not None:
            return self._address() if target[0] == "address.*" else self.value(*target)
        if slot.field.derived and not slot.typed:
            return self._derived(slot, row)
        return self.answers.get(row_name(path, row))

    def _target(self, slot: Slot, row: int) -> tuple[str, int] | None:
        """Where the alias of this question points now; None when it is typed in its own place."""
        if not slot.target or row > 1:
            return None
        section = slot.target.partition(".")[0]
        block = self.plan.blocks.get(section)
        if block is None or not self.is_open(section):
            return None
        for there in self.rows[section]:
            if slot.target_when is None:
                return slot.target, there
            if self.holds(slot.target_when, section if there else slot.block.section, there or row):
                return slot.target, there
        return None

    def _address(self) -> dict[str, Any] | None:
        parts = {
            slot.field.name: self.value(slot.path)
            for slot in self.plan.by_section["address"]
            if slot.field.group
        }
        return {name: value for name, value in parts.items() if value is not None} or None

    def _derived(self, slot: Slot, row: int) -> Any:
        kind = slot.field.derived
        if kind == "request":
            codes = list(self.plan.requests)
            return (codes if slot.field.kind == "codes" else codes[0]) if codes else None
        if kind == "documents":
            return sorted(self.documents) or None
        village = self.value(f"{slot.block.section}.village", row)
        length = {"province": 2, "city": 5, "district": 8}[kind or "district"]
        return village[:length] if isinstance(village, str) else None

    def _read(self, path: str, section: str, row: int) -> Sequence[Any]:
        if path == "service":
            return (self.plan.slug,)
        if path == "age":
            return tuple(UNKNOWN if age is None else age for age in self.ages(section, row))
        if path.startswith("doc."):
            return ("yes" if self.brought(path[4:]) else "no",)
        there = path.partition(".")[0]
        if row and there == section:
            return (self.value(path, row),)
        return tuple(self.value(path, one) for one in self.rows.get(there, ())) or (None,)

    def brought(self, code: str) -> bool:
        """Whether the citizen has this document, or filled the form of this number."""
        if code in self.documents:
            return True
        return not self.sections.isdisjoint(self.plan.forms.get(code, ()))

    def _row_age(self, section: str, row: int) -> int | None:
        birth, number = f"{section}.birth_date", f"{section}.nik"
        return self._age(self.value(birth, row), self.value(number, row))

    def _age(self, birth: Any, number: Any) -> int | None:
        """From the birth date, else from the NIK as a hint; None where neither tells."""
        if self.today is None:
            return None
        born = day_of(birth)
        if born is None and isinstance(number, str):
            born = nik.birth_hint(number, self.today)
        return people.age(born, self.today) if born else None


def day_of(value: Any) -> date | None:
    """The date in an answer, without the "~" of an estimated one. None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value.removesuffix("~"))
    except ValueError:
        return None


def _slot(block: Block, field: Field, guards: Mapping[str, Guard], requests: int) -> Slot:
    target, _, when = field.alias.partition("?")
    return Slot(
        path=f"{block.section}.{field.name}",
        field=field,
        block=block,
        required=_required(field.required),
        target=target,
        target_when=parse(when) if when else None,
        typed=field.derived is None or (field.derived == "request" and requests > 1),
        unit=_unit(block, field, guards),
    )


def _narrow(field: Field) -> bool:
    return bool(field.new or field.digits or field.min is not None or field.max is not None)


def _required(text: str) -> bool | Condition:
    return text == "yes" if text in ("yes", "no") else parse(text)


def _grouped(field: Field) -> bool:
    """A field of the office in a citizen's group stands alone: laptops never write it."""
    return bool(field.group) and field.guard != "central" and not field.set


def _unit(block: Block, field: Field, guards: Mapping[str, Guard]) -> Unit:
    if _grouped(field):
        return Unit(field.group, "group", guards[field.group])
    path = f"{block.section}.{field.name}"
    return Unit(path, "set" if field.set else "field", field.guard)


def _group_guards(blocks: Sequence[Block]) -> dict[str, Guard]:
    """A group takes its strictest member's guard."""
    guards: dict[str, Guard] = {}
    for block in blocks:
        for field in block.fields:
            if _grouped(field) and guards.get(field.group) != "protected":
                guards[field.group] = field.guard
    return guards


def _pattern(slot: Slot) -> str:
    """Units of rows and the unit of the same name outside rows are kept apart by a "#"."""
    return f"{slot.unit.name}#" if slot.block.repeated else slot.unit.name
