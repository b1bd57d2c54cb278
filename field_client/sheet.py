"""Sheet: one request as it lies on the desk, and what a correction of it has to write."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from field_client.vault.picture import Picture
from field_client.vault.requests import Line
from field_client.vault.store import Shown
from models import typed, writing
from models.changes import RecordId
from models.checks import Checked
from models.fields import split_row
from models.ids import Code
from models.problems import Finding, Problem, finding
from models.services import Service, catalogue

CORRECTION = ("needs_correction", "submitted")
"""The move by which a returned request goes back to central."""


class Sheet(msgspec.Struct, frozen=True):
    """A request as it was shown. service: None where this program does not know its form.

    answers: flat. reasons: field key -> why a warning was passed. shown: what was on the screen.
    """

    record: RecordId
    line: Line
    picture: Picture
    service: Service | None
    answers: dict[str, Any]
    documents: tuple[str, ...]
    reasons: dict[str, str]
    shown: Shown = Shown(0, 0)

    @property
    def status(self) -> str:
        """Status as it is shown."""
        return self.picture.view.status

    @property
    def code(self) -> str:
        """Tracking code as printed; the record's id where a collision left it without one."""
        return str(Code(*self.picture.code)) if self.picture.code else self.record.hex()

    def form(self) -> Service:
        """Its form. Problem service.edition where this program does not know it."""
        if self.service is None:
            view = self.picture.view
            raise Problem("service.edition", service=view.service, edition=view.edition)
        return self.service

    def moved_since(self, after: Sheet, units: list[str]) -> list[str]:
        """Units of a correction whose base had changed at central when it was written, so that it
        will be reviewed; `after` is the sheet with the correction on it."""
        return sorted(set(units) & after.picture.view.moved)

    def typed(self) -> dict[str, Any]:
        """The answers that may be typed at a laptop; the office's own are left alone."""
        return {key: value for key, value in self.answers.items() if _ours(self.form(), key)}

    def merged(self, answers: Any) -> tuple[dict[str, Any], tuple[Finding, ...]]:
        """The answers with newly typed ones over them, flat, and remarks on keys that do not exist.
        None or "" empties an answer."""
        found: list[Finding] = []

        def say(key: str, code: str, **details: Any) -> None:
            found.append(finding(key, code, **{"key": key, "label": key, **details}))

        flat = typed.flatten(self.form().plan, answers, say)
        return {**self.typed(), **flat}, tuple(found)

    def stops_already(self, today: date) -> set[tuple[str, str]]:
        """(key, code) of what was wrong with the request before: no reason to refuse a correction
        of something else."""
        checked = self.form().check(self.typed(), self.documents, self.reasons, today=today)
        return {(one.key, one.code) for one in checked.problems if one.stops}


def sheet(picture: Picture, line: Line) -> Sheet:
    """The sheet of a request; with an unknown form it can be shown, not edited."""
    view = picture.view
    try:
        service = catalogue().service(view.service, view.edition)
        answers, documents = service.answers(view.units)
    except (Problem, TypeError, ValueError, AttributeError, KeyError):
        return Sheet(picture.id, line, picture, None, {}, (), picture.reasons)
    return Sheet(picture.id, line, picture, service, answers, documents, picture.reasons)


def _ours(service: Service, key: str) -> bool:
    slot = service.plan.slots.get(split_row(key)[0])
    return slot is not None and slot.field.guard != "central" and slot.field.stage != "handover"


def changed_units(
    service: Service, page: Sheet, checked: Checked
) -> tuple[dict[str, Any], writing.Sets, writing.Sets]:
    """What a correction of this sheet writes, see `models.writing`."""
    old = service.units(page.typed(), page.documents)
    return writing.changed_units(service, old, service.units(checked.answers, checked.documents))
