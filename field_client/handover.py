"""Handover: finished documents leave the office's hands, once, to somebody who was looked at.

    scanned(desk, text)          the request of a receipt's QR code, or of a code typed by hand
    sign_letter(desk, page, …)   the village head has signed; the letter lies ready
    bring_back(desk, page, …)    nobody collected it: back to the office
    hand_over(desk, page, …)     a document is given: to whom, who that is, what was taken back

Who gets it is compared with what the request says. The status moves with the same change that says
who received it, so neither can exist without the other; handed over twice is a case for a person.
The time is the change's own, and numbers of blanks are the office's to write: here they are only
noted beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from field_client import receipts
from field_client.attachments import attaching
from field_client.desk import Desk
from field_client.sheet import Sheet
from models import lifecycle, nik, typed
from models.changes import Body, RecordId
from models.fields import Text
from models.problems import Finding, Problem, finding
from models.services import Service
from sync.attaching import Photo

GIVEN: Mapping[str, str] = {
    "ktp": "KTP", "kia": "KIA", "kk": "KK", "civil": "DEED", "move": "SKPWNI",
    "biodata": "BIODATA", "village": "LETTER", "other": "LEGALISED",
}  # fmt: skip
"""Service group -> the document that comes of it, where the operator names no other."""

SEEN = ("KTP", "KK", "IKD", "PHOTO", "KNOWN")
"""How somebody was recognised: identity card, family card, digital identity, another paper with a
photograph, or known to the village."""

SIGNATURE = "handover.signature"
TAKEN_BACK = ("take", "take_destroy")


class Given(msgspec.Struct, frozen=True):
    """What was done at the counter. document: of `dokumen_hasil`, "" for the usual one. relation:
    of `hubungan_pemohon`. seen: of `SEEN`. old_taken: the old document was taken back. serial: of
    the blank, as read. signature: an image; listed: signed on the paper list instead. reason: why
    something was passed."""

    relation: str
    receiver_nik: str = ""
    document: str = ""
    seen: str = ""
    old_taken: bool = False
    serial: str = ""
    signature: Path | Photo | None = None
    listed: bool = False
    reason: str = ""


def scanned(desk: Desk, text: str) -> RecordId:
    """The request a receipt belongs to: its code's text, verified, or a tracking code. Problems:
    receipt.*, code.*, request.unknown."""
    text = text.strip()
    if len(text) <= 40:
        return desk.named(text)
    return bytes.fromhex(receipts.verify(desk.store, text).id)


def ready(page: Sheet) -> None:
    """Whether this may be handed over now; Problem lifecycle.* why not."""
    _target(page, "hand_over", "operator")


def hand_over(desk: Desk, page: Sheet, given: Given) -> Body:
    """Write down that the document was given. Problems: lifecycle.*, handover.*, request.invalid,
    attachment.*."""
    target = _target(page, "hand_over", "operator")
    answers = _answers(page, given, desk.today())
    _identified(page, given, answers)
    if given.signature is None and not given.listed:
        raise Problem("handover.unsigned")
    body = Body(
        set=_units(page.form(), answers),
        action="hand_over",
        move=(page.status, target),
        reason=_note(given),
    )
    if given.signature is not None:
        attaching.attach_with(desk, page, SIGNATURE, given.signature, body)
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
    answers = _read(page, given, desk.today())
    missing = [key for key in given if key not in answers]
    if missing:
        found = [finding(key, "field.required", label=_label(page, key).both()) for key in missing]
        raise Problem("request.invalid", n=len(found), findings=found)
    units = _units(page.form(), {**_of_section(page, "village_letter"), **answers})
    signed = Body(set=units, action="sign_letter", move=(page.status, target))
    desk.append(page, signed)
    after = desk.open(page.record)
    ready_at = _target(after, "set_out", "village_head")
    desk.append(after, Body(action="set_out", move=(after.status, ready_at)))
    return signed


# -- who gets it


def _identified(page: Sheet, given: Given, answers: Mapping[str, Any]) -> None:
    """Look at the person before the paper leaves the hand."""
    document = answers["handover.document"]
    if given.seen not in SEEN:
        raise Problem("handover.identity", known=", ".join(SEEN))
    number = answers.get("handover.receiver_nik")
    if document in ("KTP", "KIA", "KK", "DEED") and not number and not given.reason.strip():
        raise Problem("handover.receiver", document=document)
    known = _known(page, str(answers["handover.receiver_relation"]))
    if number and known and number != known and not given.reason.strip():
        raise Problem("handover.other_person", known=nik.mask(known))
    if old_due(page) and not given.old_taken and not given.reason.strip():
        raise Problem("handover.old_card")


def _known(page: Sheet, relation: str) -> str:
    """The NIK the request gives for somebody of that relation, where it gives one."""
    form = page.form()
    if relation == "self":
        return form.subject(page.answers).nik or ""
    value = form.read(page.answers, page.documents).value("applicant.nik")
    same = page.answers.get("applicant.relation") == relation
    return value if same and isinstance(value, str) else ""


def old_due(page: Sheet) -> bool:
    """Whether a document was brought that the office takes back."""
    return any(
        paper.hold in TAKEN_BACK and paper.code in page.documents for paper in page.form().documents
    )


# -- what is written


def _target(page: Sheet, action: str, role: str) -> str:
    found = lifecycle.step(page.status, action, role, "field", page.form().group)
    if isinstance(found, Problem):
        raise found
    return str(found)


def _answers(page: Sheet, given: Given, today: date) -> dict[str, Any]:
    """The block of the handover, read as any answer is; Problem request.invalid."""
    if "handover" not in page.form().plan.blocks:
        raise Problem("handover.nothing")
    return _read(
        page,
        {
            "handover.document": given.document or GIVEN.get(page.form().group, ""),
            "handover.receiver_nik": given.receiver_nik,
            "handover.receiver_relation": given.relation,
            "handover.old_taken": "yes" if given.old_taken else "no",
        },
        today,
        required=("handover.document", "handover.receiver_relation"),
    )


def _read(
    page: Sheet, given: dict[str, str], today: date, required: tuple[str, ...] = ()
) -> dict[str, Any]:
    service = page.form()
    found: list[Finding] = []
    answers: dict[str, Any] = {}

    def say(key: str, code: str, **details: Any) -> None:
        found.append(finding(key, code, **{"label": _label(page, key).both(), **details}))

    for key, text in given.items():
        value = typed.read_one(
            service.plan, service.plan.slots[key], key, text, service.lists, today, say
        )
        if value is not None:
            answers[key] = value
        elif key in required:
            say(key, "field.required")
    stops = [one for one in found if one.stops]
    if stops:
        raise Problem("request.invalid", n=len(stops), findings=stops)
    return answers


def _label(page: Sheet, key: str) -> Text:
    return page.form().plan.slots[key].field.label


def _of_section(page: Sheet, section: str) -> dict[str, Any]:
    """Answers of a block as they stand: a group is written whole."""
    return {k: v for k, v in page.answers.items() if k.partition(".")[0] == section}


def _units(service: Service, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The units these answers are, without what only the office writes and without sets."""
    units = service.units(answers)
    return {
        name: value
        for name, value in units.items()
        if service.unit(name).guard != "central" and service.unit(name).shape != "set"
    }


def _note(given: Given) -> str:
    """How the person was recognised, the blank's number, and why something was passed."""
    listed = "signed list" if given.listed else ""
    parts = (given.seen, given.serial.strip()[:50], listed, given.reason.strip())
    return "; ".join(part for part in parts if part)
