"""Handover: finished documents leave an office's hands, once, to somebody who was looked at.

The same questions in the van, in the village and at the office's counter, and the same refusals:

    ways(lang)                     how somebody may be recognised, to choose from
    written(service, …, given, …)  the units that are written, and the note of the step
    said(note, lang)               such a note as people read it

Who gets the document is compared with what the request says. The status moves with the same change
that says who received it, so neither can exist without the other. What no question of a form holds
(how the receiver was recognised, the blank's number as read, a signature on the paper list, why
something was passed) travels as the reason of that step, in one text.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import msgspec

from models import nik, typed
from models.problems import Finding, Problem, finding
from models.services import Service
from models.words import LANGUAGES, say

ACTION = "hand_over"
SIGNATURE = "handover.signature"
"""The unit of the receiver's signature: an image."""

GIVEN: Mapping[str, str] = {
    "ktp": "KTP", "kia": "KIA", "kk": "KK", "civil": "DEED", "move": "SKPWNI",
    "biodata": "BIODATA", "village": "LETTER", "other": "LEGALISED",
}  # fmt: skip
"""Service group -> the document that comes of it, where the operator names no other."""

NAMED = ("KTP", "KIA", "KK", "DEED")
"""Documents that nobody gets whose number is not written down."""

SEEN = ("KTP", "KK", "IKD", "PHOTO", "KNOWN")
"""How somebody was recognised: identity card, family card, digital identity, another paper with a
photograph, or known to the village."""

REASON_MAX = 300
SERIAL_MAX = 50
_TAKEN_BACK = ("take", "take_destroy")
_LISTED = "signed list"
_SERIAL = "#"


class Given(msgspec.Struct, frozen=True):
    """What was done when a document was given. document: of `dokumen_hasil`, "" for the usual one.
    relation: of `hubungan_pemohon`. seen: of `SEEN`. old_taken: the old document was taken back.
    serial: of the blank, as read. listed: signed on the paper list. reason: why something was
    passed."""

    relation: str
    receiver_nik: str = ""
    document: str = ""
    seen: str = ""
    old_taken: bool = False
    serial: str = ""
    listed: bool = False
    reason: str = ""


class Written(msgspec.Struct, frozen=True):
    """What a handover writes. note: the reason of the step."""

    units: dict[str, Any]
    note: str


def ways(lang: str) -> list[tuple[str, str]]:
    """How somebody may be recognised: codes of `SEEN` with their words."""
    return [
        ("KTP", say("KTP-el", lang)),
        ("KK", say("Kartu keluarga", lang)),
        ("IKD", say("IKD di telepon", lang)),
        ("PHOTO", say("Bukti lain dengan foto", lang)),
        ("KNOWN", say("Dikenal aparat desa", lang)),
    ]


def old_due(service: Service, documents: Collection[str]) -> bool:
    """Whether a document was brought that the office takes back."""
    return any(paper.hold in _TAKEN_BACK and paper.code in documents for paper in service.documents)


def written(
    service: Service,
    answers: Mapping[str, Any],
    documents: Collection[str],
    given: Given,
    today: date,
    *,
    signed: bool,
) -> Written:
    """What a handover writes. answers, documents: of the request, as they stand. signed: a picture
    of the signature goes with it. Problems: handover.*, request.invalid, reason.too_long."""
    if "handover" not in service.plan.blocks:
        raise Problem("handover.nothing")
    if len(given.reason.strip()) > REASON_MAX:
        raise Problem("reason.too_long", limit=REASON_MAX, n=len(given.reason.strip()))
    found = read(
        service,
        {
            "handover.document": given.document or GIVEN.get(service.group, ""),
            "handover.receiver_nik": given.receiver_nik,
            "handover.receiver_relation": given.relation,
            "handover.old_taken": "yes" if given.old_taken else "no",
        },
        today,
        required=("handover.document", "handover.receiver_relation"),
    )
    _identified(service, answers, documents, given, found)
    if not signed and not given.listed:
        raise Problem("handover.unsigned")
    return Written(units(service, found), _note(given))


def said(note: str, lang: str = "id") -> str:
    """A note as people read it; any other text as it is."""
    first, *rest = note.split("; ")
    words = dict(ways(lang))
    if first not in words:
        return note
    told = [say("dikenali dengan: {way}", lang, way=words[first])]
    for part in rest:
        if part.startswith(_SERIAL):
            told.append(say("blangko {serial}", lang, serial=part.removeprefix(_SERIAL)))
        elif part == _LISTED:
            told.append(say("tanda tangan pada daftar di kertas", lang))
        else:
            told.append(part)
    return "; ".join(told)


# -- who gets it


def _identified(
    service: Service,
    answers: Mapping[str, Any],
    documents: Collection[str],
    given: Given,
    found: Mapping[str, Any],
) -> None:
    """Look at the person before the paper leaves the hand."""
    document, passed = found["handover.document"], bool(given.reason.strip())
    if given.seen not in SEEN:
        known_ = {lang: ", ".join(way for _, way in ways(lang)) for lang in LANGUAGES}
        raise Problem("handover.identity", known=known_)
    number = found.get("handover.receiver_nik")
    if document in NAMED and not number and not passed:
        raise Problem("handover.receiver", document=document)
    known = _known(service, answers, documents, str(found["handover.receiver_relation"]))
    if number and known and number != known and not passed:
        raise Problem("handover.other_person", known=nik.mask(known))
    if old_due(service, documents) and not given.old_taken and not passed:
        raise Problem("handover.old_card")


def _known(
    service: Service, answers: Mapping[str, Any], documents: Collection[str], relation: str
) -> str:
    """The NIK the request gives for somebody of that relation, where it gives one."""
    if relation == "self":
        return service.subject(dict(answers)).nik or ""
    value = service.read(answers, documents).value("applicant.nik")
    same = answers.get("applicant.relation") == relation
    return value if same and isinstance(value, str) else ""


# -- what is written


def read(
    service: Service, given: Mapping[str, str], today: date, required: Collection[str] = ()
) -> dict[str, Any]:
    """Answers of a step after the intake, each read as any answer is. Problem request.invalid."""
    found: list[Finding] = []
    answers: dict[str, Any] = {}

    def remark(key: str, code: str, **details: Any) -> None:
        label = service.plan.slots[key].field.label.both()
        found.append(finding(key, code, **{"label": label, **details}))

    for key, text in given.items():
        value = typed.read_one(
            service.plan, service.plan.slots[key], key, text, service.lists, today, remark
        )
        if value is not None:
            answers[key] = value
        elif key in required:
            remark(key, "field.required")
    stops = [one for one in found if one.stops]
    if stops:
        raise Problem("request.invalid", n=len(stops), findings=stops)
    return answers


def units(service: Service, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The units these answers are, without what only the office writes and without sets."""
    return {
        name: value
        for name, value in service.units(answers).items()
        if service.unit(name).guard != "central" and service.unit(name).shape != "set"
    }


def _note(given: Given) -> str:
    serial = given.serial.strip()[:SERIAL_MAX]
    listed = _LISTED if given.listed else ""
    parts = (given.seen, _SERIAL + serial if serial else "", listed, given.reason.strip())
    return "; ".join(part for part in parts if part)
