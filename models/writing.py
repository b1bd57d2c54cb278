"""Writing: from checked answers to what a change says, in both houses the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.checks import Checked
from models.services import Service

Sets = dict[str, list[str]]
"""Name of a set unit -> its elements."""


def first_units(service: Service, checked: Checked) -> tuple[dict[str, Any], Sets]:
    """What a new request writes: plain units and groups, and the elements of its sets."""
    units = service.units(checked.answers, checked.documents)
    sets = {name: list(value) for name, value in units.items() if _is_set(service, name)}
    return {name: value for name, value in units.items() if name not in sets}, sets


def changed_units(
    service: Service, old: Mapping[str, Any], new: Mapping[str, Any]
) -> tuple[dict[str, Any], Sets, Sets]:
    """What a correction writes: changed units (a group whole, None or {} where it was emptied), and
    elements put into sets and taken out of them. What did not change is not written, so that it
    cannot overwrite what somebody else does meanwhile. old, new: unit -> value."""
    plain: dict[str, Any] = {}
    add: Sets = {}
    remove: Sets = {}
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if not _is_set(service, name):
            empty: Any = {} if isinstance(before, dict) else None
            plain[name] = empty if after is None else after
            continue
        gone, come = set(before or ()) - set(after or ()), set(after or ()) - set(before or ())
        add |= {name: sorted(come)} if come else {}
        remove |= {name: sorted(gone)} if gone else {}
    return plain, add, remove


def _is_set(service: Service, unit: str) -> bool:
    return service.unit(unit).shape == "set"
