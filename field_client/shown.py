"""Shown: words for what lies on the desk. Personal data is masked unless it was asked for."""

from __future__ import annotations

from typing import Any

from field_client.sheet import Sheet
from field_client.vault.requests import Line
from field_client.vault.store import Shown, Standing
from models import lifecycle, names, nik, remarks
from models.fields import split_row
from models.forms import Slot
from models.ids import Code
from models.pages.answers import in_words
from models.problems import Problem
from models.services import Service, catalogue
from models.units import member
from models.words import number, say, size
from sync.notices import Notice
from sync.state import ELEMENT

_KINDS_PUBLIC = ("code", "codes", "bool", "int", "decimal", "region", "documents")
"""Kinds of answers that tell nobody who somebody is."""


def stage(line: Line, lang: str = "id") -> str:
    """Where a request is, in the words of the van."""
    if line.unsent and line.status in ("submitted", "received"):
        return lifecycle.standing("submitted").field.words(lang)
    if not lifecycle.known_status(line.status):
        return line.status
    return lifecycle.standing(line.status).field.words(lang)


def title(service: str, edition: int | None, lang: str = "id") -> str:
    """What a service is called; its slug where this program does not know it."""
    try:
        return catalogue().service(service, edition).title.say(lang)
    except Problem:
        return service


def code_text(code: tuple[int, int] | None, record: bytes) -> str:
    """The tracking code as printed, the record's id where it has none."""
    return str(Code(*code)) if code is not None else record.hex()


def line_data(line: Line, lang: str, reveal: bool) -> dict[str, Any]:
    """A line of a list as plain values."""
    return {
        "id": line.record.hex(),
        "code": str(Code(*line.code)) if line.code else None,
        "service": line.service,
        "status": line.status,
        "stage": stage(line, lang),
        "name": line.name if reveal else names.masked(line.name),
        "nik": line.nik if reveal else nik.mask(line.nik),
        "village": line.village,
        "own": line.own,
        "unsent": line.unsent,
        "undecided": line.undecided,
        "proposed": line.proposed,
        "cases": line.cases,
        "outcome": line.outcome,
        "at": line.at,
    }


def sheet_data(page: Sheet, lang: str, reveal: bool) -> dict[str, Any]:
    """One request as plain values. proposed: units that wait in a case; moved: units that changed
    at central after they were shown here, so that the own change will be reviewed."""
    view = page.picture.view
    answers = page.answers if reveal else masked_answers(page.service, page.answers)
    return line_data(page.line, lang, reveal) | {
        "edition": view.edition,
        "answers": answers,
        "documents": list(page.documents),
        "reasons": page.reasons,
        "proposed_units": {unit: case.hex() for unit, case in sorted(view.proposed.items())},
        "unsent_units": sorted(view.unsent),
        "moved_units": sorted(view.moved),
        "cases_open": [case.hex() for case in page.picture.cases],
        "entries": [
            {"log": e.log.hex(), "seq": e.seq, "outcome": e.state, "problem": e.problem}
            for e in page.picture.own
        ],
        "based_on": based_on(page.shown),
    }


def based_on(shown: Shown) -> str:
    """What was on the screen, as `--based-on` takes it: numbers of central and of an own log."""
    return (
        f"{shown.seen}.{shown.own}.{shown.log.hex()[:8]}"
        if shown.log
        else (f"{shown.seen}.{shown.own}")
    )


def masked_answers(service: Service | None, answers: dict[str, Any]) -> dict[str, Any]:
    """Answers with everything that tells who somebody is masked."""
    found: dict[str, Any] = {}
    for key, value in answers.items():
        slot = service.plan.slots.get(split_row(key)[0]) if service is not None else None
        kind = slot.field.kind if slot is not None else "text"
        sensitive = slot is None or slot.field.sensitive
        found[key] = value if kind in _KINDS_PUBLIC and not sensitive else _masked(kind, value)
    return found


def _masked(kind: str, value: Any) -> Any:
    if isinstance(value, str) and kind in ("nik", "kk"):
        return nik.mask(value)
    if isinstance(value, str) and kind == "name":
        return names.masked(value)
    return "***"


def bar(standing: Standing, last_sync: int | None, now: int, lang: str = "id") -> str:
    """The sync bar in one line."""
    if standing.unsent:
        waiting = number(standing.unsent, lang)
        bytes_ = size(standing.unsent_bytes, lang)
        return say("○ {n} antre ({size}), aman di laptop ini", lang, n=waiting, size=bytes_)
    if last_sync is None:
        return say("○ Offline · tidak ada antrean", lang)
    return say("✓ Tersinkron {ago}", lang, ago=ago(max(0, now - last_sync), lang))


def ago(seconds: int, lang: str = "id") -> str:
    """`12 menit lalu`."""
    if seconds < 60:
        return say("baru saja", lang)
    if seconds < 3600:
        return say("{n} menit lalu", lang, n=seconds // 60)
    if seconds < 86400:
        return say("{n} jam lalu", lang, n=seconds // 3600)
    return say("{n} hari lalu", lang, n=seconds // 86400)


def notice_words(notice: Notice, page: Sheet | None, lang: str, reveal: bool) -> str:
    """A notice as its author reads it."""
    slots = _slots(notice, page)
    unit = " / ".join(slot.field.label.say(lang) for slot in slots) or _plain_unit(notice, lang)
    mine = _value_words(notice.mine, slots, lang, reveal)
    value = _value_words(notice.value, slots, lang, reveal)
    reason = notice.reason or "-"
    match notice.kind:
        case "held":
            return say(
                "{unit}: usulan Anda ({mine}) sedang ditinjau pusat. Di pusat sekarang: {value}.",
                lang, unit=unit, mine=mine, value=value,
            )  # fmt: skip
        case "disputed":
            return say(
                "{unit}: petugas lain mengusulkan data berbeda dari isian Anda ({mine}). Pusat"
                " memutuskan.",
                lang, unit=unit, mine=mine,
            )  # fmt: skip
        case "overridden":
            return say(
                "{unit}: isian Anda ({mine}) diganti data lebih baru ({value}). Isian Anda tetap"
                " tersimpan di riwayat.",
                lang, unit=unit, mine=mine, value=value,
            )  # fmt: skip
        case "replaced":
            return say(
                "{unit}: isian Anda ({mine}) menggantikan data yang belum Anda lihat ({value}).",
                lang, unit=unit, mine=mine, value=value,
            )  # fmt: skip
        case "decided" if not notice.unit:
            return _matter_words(notice, reason, lang)
        case "decided":
            return remarks.decided_words(unit, value, mine, reason, notice.by, lang)
        case "duplicate":
            return say("Permohonan yang sama juga dicatat di tempat lain. Pusat meninjau.", lang)
        case "status":
            return _status_words(notice, page, lang)
        case "refused":
            problem = Problem(notice.reason).words(lang) if _known(notice.reason) else reason
            return say("Perubahan tidak dapat diterima: {why}", lang, why=problem)
        case "parked":
            return say("Perubahan Anda tersimpan di pusat dan menunggu keputusan petugas.", lang)
        case "restored":
            return say(
                "Pusat dipulihkan dari cadangan. Perubahan Anda tersimpan lagi, tetapi hasilnya"
                " berbeda: dahulu {before}, sekarang {now}. Pusat meninjau.",
                lang, before=str(notice.mine), now=str(notice.value),
            )  # fmt: skip
        case "asked":
            return say("Pusat bertanya: {question}", lang, question=str(notice.value))


def _matter_words(notice: Notice, reason: str, lang: str) -> str:
    """What was decided about whole requests, where no single answer was in question."""
    match notice.take:
        case "link":
            what = say("permohonan yang sama digabung; semua nomor buktinya tetap berlaku", lang)
        case "separate":
            what = say("permohonan ini berdiri sendiri dan tetap berjalan", lang)
        case "release":
            what = say("perubahan yang ditahan diterima", lang)
        case "discard":
            what = say("perubahan yang ditahan tidak dipakai", lang)
        case _:
            what = say("perkara sudah dicatat", lang)
    return say(
        "Pusat memutuskan: {what}. Alasan: {reason} ({by}).",
        lang, what=what, reason=reason, by=notice.by or "-",
    )  # fmt: skip


def _status_words(notice: Notice, page: Sheet | None, lang: str) -> str:
    status = str(notice.value)
    known = lifecycle.known_status(status)
    words = lifecycle.standing(status).label.words(lang) if known else status
    form = page.service if page is not None else None
    if notice.take == "return":
        return remarks.returned_words(notice.reason, form, lang)
    if notice.reason and notice.take != "join":  # a joined request names its case, for machines
        reason = remarks.sentence(notice.reason, form, lang)
        return say("{status}. Alasan: {reason}.", lang, status=words, reason=reason)
    return f"{words}."


def _known(code: str) -> bool:
    from models.problems import problems

    return code in problems()


def unit_words(service: Service | None, unit: str, lang: str) -> str:
    """A unit by what its questions are called."""
    slots = _unit_slots(service, unit) if service is not None else []
    return " / ".join(slot.field.label.say(lang) for slot in slots[:3]) or unit


def _unit_slots(service: Service, unit: str) -> list[Slot]:
    pattern, row = split_row(unit.partition(ELEMENT)[0])
    return service.plan.units.get(f"{pattern}#" if row else pattern, [])


def _slots(notice: Notice, page: Sheet | None) -> list[Slot]:
    """The questions a notice is about; of a group, those on which the two values differ."""
    if page is None or page.service is None or not notice.unit:
        return []
    slots = _unit_slots(page.service, notice.unit)
    mine, value = notice.mine, notice.value
    if not (isinstance(mine, dict) and isinstance(value, dict)):
        filled = mine if isinstance(mine, dict) else value if isinstance(value, dict) else {}
        return [s for s in slots if member(s) in filled] or slots
    apart = [s for s in slots if mine.get(member(s)) != value.get(member(s))]
    return apart or [s for s in slots if member(s) in value] or slots


def _plain_unit(notice: Notice, lang: str) -> str:
    if notice.unit.startswith("documents"):
        return say("Dokumen", lang)
    return say("status", lang) if notice.unit in ("", "status") else notice.unit


def _value_words(value: Any, slots: list[Slot], lang: str, reveal: bool) -> str:
    """A value as people read it, its members as the questions it is about."""
    if isinstance(value, dict) and {"action", "to"} <= value.keys():  # a step of the lifecycle
        status = str(value["to"])
        known = lifecycle.known_status(status)
        return lifecycle.standing(status).label.words(lang) if known else status
    parts = {member(slot): slot for slot in slots}
    if isinstance(value, dict):
        shown = [_one(slot, value.get(name), lang, reveal) for name, slot in parts.items()]
        return ", ".join(shown) or "-"
    slot = slots[0] if slots else None
    return _one(slot, value, lang, reveal) if slot is not None else str(value or "-")


def _one(slot: Slot, value: Any, lang: str, reveal: bool) -> str:
    if value in (None, "", {}, []):
        return "-"
    if not reveal and (slot.field.kind not in _KINDS_PUBLIC or slot.field.sensitive):
        return str(_masked(slot.field.kind, value))
    return in_words(slot, value, lang)
