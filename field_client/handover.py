"""Handover at a laptop: finished documents leave its hands; the rules are `models.handover`'s.

    scanned(desk, text)             the request of a receipt's QR code, or of a code typed by hand
    sign_letter(desk, page, …)      the village head has signed; the letter lies ready
    bring_back(desk, page, …)       nobody collected it: back to the office
    hand_over(desk, page, given, …) a document is given: to whom, who that is, what was taken back

Handed over twice is a case for a person. The time is the change's own, and numbers of blanks are
the office's to write: here they are only noted beside.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from field_client import receipts
from field_client.attachments import attaching
from field_client.desk import Desk
from field_client.sheet import Sheet
from models import handover, lifecycle
from models.changes import Body, RecordId
from models.handover import Given
from models.problems import Problem, finding
from sync.attaching import Photo


def scanned(desk: Desk, text: str) -> RecordId:
    """The request a receipt belongs to: its code's text, verified, or a tracking code. Problems:
    receipt.*, code.*, request.unknown."""
    text = text.strip()
    if len(text) <= 40:
        return desk.named(text)
    return bytes.fromhex(receipts.verify(desk.store, text).id)


def ready(page: Sheet) -> None:
    """Whether this may be handed over now; Problem lifecycle.* why not."""
    _target(page, handover.ACTION, "operator")


def old_due(page: Sheet) -> bool:
    """Whether a document was brought that the office takes back."""
    return handover.old_due(page.form(), page.documents)


def hand_over(desk: Desk, page: Sheet, given: Given, signature: Path | Photo | None = None) -> Body:
    """Write down that the document was given. signature: a picture of the receiver's. Problems:
    lifecycle.*, handover.*, request.invalid, attachment.*."""
    target = _target(page, handover.ACTION, "operator")
    written = handover.written(
        page.form(), page.answers, page.documents, given, desk.today(),
        signed=signature is not None,
    )  # fmt: skip
    body = Body(
        set=written.units,
        action=handover.ACTION,
        move=(page.status, target),
        reason=written.note,
    )
    if signature is not None:
        attaching.attach_with(desk, page, handover.SIGNATURE, signature, body)
    else:
        desk.append(page, body)
    return body


def bring_back(desk: Desk, page: Sheet, reason: str) -> Body:
    """Nobody collected it: it goes back to the office. Problems: lifecycle.*, reason.required."""
    if not reason.strip():
        raise Problem("reason.required")
    target = _target(page, "return", "courier")
    body = Body(action="return", move=(page.status, target), reason=reason.strip())
    desk.append(page, body)
    return body


def sign_letter(desk: Desk, page: Sheet, number: str, day: str, signer: str) -> Body:
    """The village head signed: number, date and signer are written, and the letter lies ready.
    Problems: lifecycle.*, request.invalid."""
    target = _target(page, "sign_letter", "village_head")
    given = {
        "village_letter.number": number,
        "village_letter.date": day,
        "village_letter.signer": signer,
    }
    service = page.form()
    answers = handover.read(service, given, desk.today())
    missing = [key for key in given if key not in answers]
    if missing:
        labels = {key: service.plan.slots[key].field.label.both() for key in missing}
        found = [finding(key, "field.required", label=labels[key]) for key in missing]
        raise Problem("request.invalid", n=len(found), findings=found)
    units = handover.units(service, {**_of_section(page, "village_letter"), **answers})
    signed = Body(set=units, action="sign_letter", move=(page.status, target))
    desk.append(page, signed)
    after = desk.open(page.record)
    ready_at = _target(after, "set_out", "village_head")
    desk.append(after, Body(action="set_out", move=(after.status, ready_at)))
    return signed


def _target(page: Sheet, action: str, role: str) -> str:
    found = lifecycle.step(page.status, action, role, "field", page.form().group)
    if isinstance(found, Problem):
        raise found
    return str(found)


def _of_section(page: Sheet, section: str) -> dict[str, Any]:
    """Answers of a block as they stand: a group is written whole."""
    return {k: v for k, v in page.answers.items() if k.partition(".")[0] == section}
