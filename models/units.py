"""Answers as units: the pieces that are merged, disputed and decided one by one (protocol §5).

A field is a unit by its key. A group is a unit by its own name, its value a dict of the filled
members, always written whole; in a repeated block the row stands after the first part
(`witness.2.row`). A set is a unit whose value is a list of elements; the documents the citizen
brought are the set `documents`, and the pictures of one of them the set `document.<code>`.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from models.fields import Unit, row_name, split_row
from models.forms import ROWS_MAX, Plan, Slot
from models.problems import Problem

DOCUMENTS = Unit("documents", "set", "free")
PICTURES = re.compile(r"document\.([A-Z0-9][A-Za-z0-9._-]{0,30})")
"""Unit of the pictures of one document; the group is the document's code."""


def units(
    plan: Plan, answers: Mapping[str, Any], documents: Collection[str] = ()
) -> dict[str, Any]:
    """Unit -> value for everything filled. Problem `field.unknown` for an unknown key."""
    found: dict[str, Any] = {}
    for key, value in answers.items():
        asked = plan.slot(key)
        if asked is None:
            raise Problem("field.unknown", key=key[:60])
        if value is None:
            continue
        slot, row = asked
        name = row_name(slot.unit.name, row)
        if slot.unit.shape == "group":
            found.setdefault(name, {})[member(slot)] = value
        elif slot.unit.shape == "set":
            found[name] = list(value) if isinstance(value, list | tuple) else [value]
        else:
            found[name] = value
    if documents:
        found[DOCUMENTS.name] = sorted(set(documents))
    return found


def answers(plan: Plan, values: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The inverse of `units`. Problem `unit.unknown` for a unit or member that does not exist."""
    found: dict[str, Any] = {}
    documents: tuple[str, ...] = ()
    for name, value in values.items():
        if name == DOCUMENTS.name:
            given = value if isinstance(value, list | tuple) else ()
            documents = tuple(sorted({one for one in given if isinstance(one, str)}))
            continue
        if PICTURES.fullmatch(name):
            continue
        slots, row = _slots(plan, name)
        if value in (None, {}, []):
            continue
        if slots[0].unit.shape == "group":
            found.update(_members(slots, row, name, value))
        else:
            found[row_name(slots[0].path, row)] = _set_answer(slots[0], value)
    return found, documents


def unit(plan: Plan, name: str) -> Unit:
    """The unit of that name, with its row; Problem `unit.unknown`."""
    if name == DOCUMENTS.name:
        return DOCUMENTS
    if PICTURES.fullmatch(name):
        return Unit(name, "set", "free")
    slots, _ = _slots(plan, name)
    shape, guard = slots[0].unit.shape, slots[0].unit.guard
    return Unit(name, shape, guard)


def takes_files(plan: Plan, name: str) -> bool:
    """Is this a unit whose elements are files: a field of kind attachment, or the pictures of a
    document?"""
    if PICTURES.fullmatch(name):
        return True
    try:
        slots, _ = _slots(plan, name)
    except Problem:
        return False
    return slots[0].unit.shape == "set" and slots[0].field.kind == "attachment"


def member(slot: Slot) -> str:
    """What a field is called inside its group: its name, or its path where its section differs."""
    same = slot.unit.name.partition(".")[0] == slot.block.section
    return slot.field.name if same else slot.path


def _slots(plan: Plan, name: str) -> tuple[list[Slot], int]:
    pattern, row = split_row(name)
    slots = plan.units.get(f"{pattern}#" if row else pattern)
    if not slots or row > ROWS_MAX:
        raise Problem("unit.unknown", unit=name[:60], service=plan.slug)
    return slots, row


def _members(slots: list[Slot], row: int, name: str, value: Any) -> dict[str, Any]:
    by_name = {member(slot): slot for slot in slots}
    if not isinstance(value, Mapping) or not by_name.keys() >= value.keys():
        raise Problem("unit.unknown", unit=name[:60], service=slots[0].path)
    return {
        row_name(by_name[part].path, row): one for part, one in value.items() if one is not None
    }


def _set_answer(slot: Slot, value: Any) -> Any:
    """One attachment stands as its digest alone, several as a list; every other set is a list."""
    if slot.unit.shape != "set" or not isinstance(value, list | tuple):
        return value
    if slot.field.kind == "attachment" and len(value) == 1:
        return value[0]
    return list(value)
