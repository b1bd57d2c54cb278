"""The desk's view of a request: what central decided, with one's own work on top.

Own changes that central has not yet answered are shown as they were typed; own values that wait in
a case are shown and marked as proposed. So an author always reads back what they wrote, and sees
which of it does not stand yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from models.changes import Attached, Body, Change
from sync.files import element_of, files
from sync.merge import Author, is_current
from sync.state import ELEMENT, REASON_PREFIX, STATUS_UNIT, Case, Record, values

_ALL = 1 << 62
"""Every entry of an older own log."""


class Own(msgspec.Struct, frozen=True):
    """An own entry about the request that no absorbed decision has answered yet."""

    log: bytes
    seq: int
    change: Change
    body: Body


class View(msgspec.Struct):
    """units: unit -> value as the author sees it. unsent: units only this laptop knows yet.
    proposed: units whose shown value waits in a case (unit -> case). moved: units whose base
    changed at central after the author saw it, so that it will be reviewed ("akan ditinjau").
    files: by `unit+name`, those taken out too."""

    service: str
    edition: int
    status: str
    units: dict[str, Any]
    unsent: set[str]
    proposed: dict[str, bytes]
    moved: set[str]
    files: dict[str, Attached] = {}

    def attached(self) -> list[Attached]:
        """The files that belong to it, in the order of their units and pages."""
        present = {(u, e) for u, v in self.units.items() if isinstance(v, list) for e in v}
        mine = (f for f in self.files.values() if (f.unit, f.blob.hex()) in present)
        return sorted(mine, key=lambda f: (f.unit, f.page, f.blob))


def view(
    record: Record | None,
    cases: dict[bytes, Case],
    own: Iterable[Own],
    logs: Collection[bytes],
) -> View | None:
    """The request with `own` entries (in order) and the offers of `logs` on top; None when nothing
    is known of it."""
    shown = _decided(record, cases, logs) if record is not None else None
    for entry in own:
        if shown is None:
            change = entry.change
            shown = View(change.service, change.edition, "submitted", {}, set(), {}, set())
        _put(shown, entry, record, [log for log in logs if log != entry.log])
    return shown


def _decided(record: Record, cases: dict[bytes, Case], logs: Collection[bytes]) -> View:
    shown = View(record.service, record.edition, record.status, {}, set(), {}, set())
    shown.units = values(record)
    shown.files = {element_of(file): file for file in files(record)}
    for unit, name in record.disputes.items():
        case = cases.get(name)
        mine = [o for o in case.offers if o.log in logs] if case is not None else []
        if mine:
            shown.proposed[unit] = name
            if unit != STATUS_UNIT and ELEMENT not in unit:
                shown.units[unit] = mine[-1].value
    return shown


def _put(shown: View, entry: Own, record: Record | None, others: Iterable[bytes]) -> None:
    body = entry.body
    before = tuple((log, _ALL) for log in others)
    seen, own = entry.change.seen, entry.seq - 1
    author = Author(entry.log, entry.seq, seen, own, entry.seq, before=before)
    for unit, value in body.set.items():
        shown.units[unit] = value
        shown.unsent.add(unit)
        if record is not None and not is_current(record.units.get(unit), author):
            shown.moved.add(unit)
    for unit, elements in body.add.items():
        present = set(shown.units.get(unit, ()))
        shown.units[unit] = sorted(present | set(elements))
        shown.unsent.add(unit)
    for file in body.attach:
        present = set(shown.units.get(file.unit, ()))
        shown.units[file.unit] = sorted(present | {file.blob.hex()})
        shown.unsent.add(file.unit)
        shown.files[element_of(file)] = file
    for unit, elements in body.remove.items():
        present = set(shown.units.get(unit, ()))
        shown.units[unit] = sorted(present - set(elements))
        shown.unsent.add(unit)
    if body.move is not None:
        shown.status = body.move[1]
        shown.unsent.add(STATUS_UNIT)


def reasons_of(record: Record | None, own: Iterable[Own]) -> dict[str, str]:
    """Field key -> reason for passing a warning, own unsent ones included."""
    found: dict[str, str] = {}
    if record is not None:
        size = len(REASON_PREFIX)
        units = record.units.items()
        found = {u[size:]: w.value for u, w in units if u.startswith(REASON_PREFIX)}
    for entry in own:
        found |= entry.body.reasons
    return found
