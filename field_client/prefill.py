"""Prefill: what the village's list knows is not asked again.

A person is recognised by the NIK, wherever it stands in the form: beside `nik` the fields `name`,
`birth_date`, … of the same block are filled, beside `father_nik` those that begin with `father_`.
What was typed always stands; a list is a help, not a register.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from models import typed
from models.fields import row_name
from models.forms import Form, Slot
from models.roster.residents import Resident
from models.services import Service

Find = Callable[[str], "tuple[Resident, str] | None"]
"""NIK -> the resident in the lists held here and the code of their village, or None."""

_FACTS = (
    "name", "kk", "sex", "birth_place", "birth_date", "religion", "education", "job", "blood",
    "citizenship", "marital",
)  # fmt: skip
"""Names of fields that mean the same in every form and in a list."""

_ADDRESS = ("address", "rt", "rw", "dusun", "village")


def prefilled(service: Service, answers: Any, nik: str, find: Find) -> Any:
    """The answers with what the lists know. nik: of the person the request is about; for a newborn
    or where only the applicant is asked, the applicant's. Answers that are no object come back as
    they are: checking them says what is wrong."""
    if not isinstance(answers, Mapping):
        return answers
    found = typed.flatten(service.plan, answers, _silent)
    if not found and answers:
        return answers
    extra: dict[str, Any] = {}
    if nik:
        extra |= _place(service, found, nik)
    _people(service, found | extra, extra, find)
    if nik and "address" in service.plan.blocks:
        extra |= _address(found, find(nik))
    return _merged(answers, {k: v for k, v in extra.items() if k not in found})


def laid_over(service: Service, below: Any, over: Any) -> dict[str, Any]:
    """Flat answers: those of `below` with those of `over` in their places, however each is nested.
    What the service does not ask, or not in this shape, is kept, so that checking names it."""
    found: dict[str, Any] = {}
    for answers in (below, over):
        strange: dict[str, Any] = {}

        def say(key: str, code: str, into: dict[str, Any] = strange, **_: Any) -> None:
            into[key] = code

        known = typed.flatten(service.plan, answers, say)
        found |= known | {k: answers.get(k) for k in strange if k and k not in known}
    return found


def _silent(key: str, code: str, **details: Any) -> None:
    """Remarks are made when the answers are checked."""


def _place(service: Service, found: Mapping[str, Any], nik: str) -> dict[str, Any]:
    """Where the NIK belongs: the applicant's place if the applicant is the person, or if the person
    the request is about is a newborn; else the subject's own."""
    relation = found.get("applicant.relation")
    placed: dict[str, Any] = {}
    if relation is None and "self" in service.applicants:
        placed["applicant.relation"] = relation = "self"
    newborn = bool(service.about.mother_nik)
    paths = () if relation == "self" or newborn else service.about.nik
    form = Form(service.plan, dict(found))
    for path in (*paths, "applicant.nik"):
        slot = service.plan.slots.get(path)
        if slot is not None and form.typed_at(path, 1 if slot.block.repeated else 0)[0] == path:
            return placed | {row_name(path, 1 if slot.block.repeated else 0): nik}
    return placed


def _people(
    service: Service, answers: Mapping[str, Any], extra: dict[str, Any], find: Find
) -> None:
    """Fill the facts beside every NIK that a list knows."""
    form = Form(service.plan, answers)
    for section, slots in service.plan.by_section.items():
        if not form.is_open(section):
            continue
        for row in form.rows[section]:
            for slot in slots:
                if slot.field.kind == "nik" and slot.field.name.endswith("nik"):
                    number = form.value(slot.path, row)
                    known = find(number) if isinstance(number, str) else None
                    if known is not None:
                        _facts(form, slot, row, known[0], extra)


def _facts(form: Form, nik: Slot, row: int, person: Resident, extra: dict[str, Any]) -> None:
    prefix = nik.path[: -len("nik")]
    for fact in _FACTS:
        slot = form.plan.slots.get(prefix + fact)
        value = _text(getattr(person, fact))
        if slot is None or not value or not _ours(slot) or not form.value(nik.path, row):
            continue
        path, at = form.typed_at(slot.path, row)
        if (path, at) == (slot.path, row):  # not shown from elsewhere
            extra.setdefault(row_name(path, at), value)


def _ours(slot: Slot) -> bool:
    """Asked at the laptop when a request is taken in."""
    return slot.typed and slot.field.stage == "intake" and slot.field.guard != "central"


def _text(value: Any) -> str:
    return str(value) if value else ""


def _address(found: Mapping[str, Any], known: tuple[Resident, str] | None) -> dict[str, Any]:
    """The household's address, whole: never half of a typed one and half of a listed one."""
    if known is None or any(f"address.{part}" in found for part in _ADDRESS):
        return {}
    person, village = known
    parts = {part: getattr(person, part, "") for part in _ADDRESS} | {"village": village}
    return {f"address.{part}": text for part, text in parts.items() if text}


def _merged(answers: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Typed answers in their own shape, with flat keys beside them for what was added."""
    return {**answers, **extra}
