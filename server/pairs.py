"""Pairs: two requests of one person, or of two, side by side with what speaks for and against.

What a person is shown to decide by: every part that was compared, in words and with its weight, and
every answer of the requests in one line, so that the eye finds what differs. Each request that is
shown is opened, which the audit trail says.
"""

from __future__ import annotations

import msgspec

from models import names
from models.pages.answers import answer_words
from models.people import Label
from models.problems import Problem
from models.services import Service, catalogue
from models.words import say
from server.casework import Casework
from server.database.people import Person
from server.matching import told
from server.matching.matcher import Reason, Verdict
from server.sheets import CaseSheet, RequestSheet

SAME, ALIKE, DIFFERS, ONE = "same", "alike", "differs", "one"
"""How the answers to a question agree: the same, the same but for spaces, signs and capitals,
different, or answered in some of the requests only."""

_KEYS = {
    "nik": Label("NIK sama pada layanan yang sama", "The same NIK for the same service"),
    "birth": Label(
        "Ibu dan tanggal lahir bayi sama, kelahiran tunggal",
        "The same mother and day of birth, a single birth",
    ),
}
"""What two requests can share that makes a case when they come in, by the beginning of the key."""


class Part(msgspec.Struct, frozen=True):
    """One part that was compared. what: its name; how: in which way the two agree; bits: for one
    person (above 0) or against, 0 where nothing was weighed or it says nothing."""

    what: str
    how: str
    bits: float


class Compared(msgspec.Struct, frozen=True):
    """One question with the answer of each request, in words; "" where it was not answered."""

    key: str
    label: str
    answers: list[str]
    agree: str


class Pair(msgspec.Struct, frozen=True):
    """A case of duplicates as it is decided. probability: that it is one person, 0 where nothing
    was weighed. against: the likeliest other explanation. strangers: people expected to agree as
    well by chance. linkable: they are of one matter, so that they may be joined."""

    case: CaseSheet
    requests: list[RequestSheet]
    probability: float
    against: str
    strangers: float
    parts: list[Part]
    lines: list[Compared]
    linkable: bool


def opened(casework: Casework, me: Person, case: CaseSheet, lang: str) -> list[RequestSheet]:
    """The requests of a case, each opened."""
    return [casework.request(me, line.id, lang) for line in case.requests]


def weighed(verdict: Verdict, lang: str) -> list[Part]:
    """The reasons of a verdict."""
    return [_part(one, lang) for one in told.plainly(verdict.reasons, verdict.rival)]


def told_parts(said: told.Told, lang: str) -> list[Part]:
    """The reasons that were written down with a case."""
    return [_part(one, lang) for one in told.plainly(said.reasons, said.rival)]


def key_parts(keys: set[str], lang: str) -> list[Part]:
    """What two requests share that made a case of them when they came."""
    kinds = sorted({key.partition("|")[0] for key in keys})
    return [Part(say("Kunci sama", lang), _KEYS[k].words(lang), 0.0) for k in kinds if k in _KEYS]


def _part(reason: Reason, lang: str) -> Part:
    feature = told.FEATURES.get(reason.feature)
    what = feature.words(lang) if feature else reason.feature
    return Part(what, told.level_words(reason, lang), reason.bits)


def lines(requests: list[RequestSheet], lang: str) -> list[Compared]:
    """Every question that one of the requests answers, in the order of the first one's form. What
    a form only repeats from another place is shown once."""
    keys = dict.fromkeys(key for one in requests for key in one.answers)
    forms = [_form(one) for one in requests]
    found: list[Compared] = []
    for key in keys:
        line = _line(key, requests, forms, lang)
        told = any(line.answers == before.answers for before in found)
        if not (told and any(_repeats(form, key) for form in forms)):
            found.append(line)
    return found


def _repeats(form: Service | None, key: str) -> bool:
    slot = form.plan.slot(key) if form is not None else None
    return slot is not None and bool(slot[0].field.alias or slot[0].field.derived)


def _form(one: RequestSheet) -> Service | None:
    try:
        return catalogue().service(one.service, one.edition)
    except Problem:
        return None


def _line(
    key: str, requests: list[RequestSheet], forms: list[Service | None], lang: str
) -> Compared:
    label, answers = key, []
    for one, form in zip(requests, forms, strict=True):
        value = one.answers.get(key)
        if value is None or form is None:
            answers.append("" if value is None else str(value))
            continue
        label, text = answer_words(form, key, value, lang)
        answers.append(text)
    return Compared(key, label, answers, agreement(answers))


def agreement(answers: list[str]) -> str:
    """How the answers to one question agree."""
    if not all(answers):
        return ONE
    if len(set(answers)) == 1:
        return SAME
    return ALIKE if len({names.key(text) for text in answers}) == 1 else DIFFERS


def space(service: str, edition: int) -> str:
    """Within what duplicates of a request are looked for."""
    try:
        form = catalogue().service(service, edition)
    except Problem:
        return service
    return form.space or form.slug
