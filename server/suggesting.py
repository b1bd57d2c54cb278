"""Suggesting: which side of a dispute speaks for itself, and why. A person decides all the same.

Grounds, the surest first: the rules find fault with all sides but one; the sides say the same, only
spelt otherwise; one side has everything the others have, and more; one was written in front of the
citizen and the other at a desk. Where none holds nothing is suggested. No laptop's clock counts.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from models import names
from models.services import Service
from models.words import say
from server.sheets import CaseSheet, Side
from sync.state import ELEMENT, STATUS_UNIT, Record, reasons, values


class Suggestion(msgspec.Struct, frozen=True):
    """The number of a side (0: the one that stands), and on what ground in words."""

    side: int
    ground: str


def suggest(
    form: Service, record: Record, sheet: CaseSheet, today: date, lang: str
) -> Suggestion | None:
    """What speaks for one side, if anything does."""
    sides = sheet.sides
    if len(sides) < 2 or sheet.unit == STATUS_UNIT or ELEMENT in sheet.unit:
        return None
    return (
        _by_rules(form, record, sheet, today, lang)
        or _alike(sides, lang)
        or _fuller(sides, lang)
        or _in_person(sides, lang)
    )


def _by_rules(
    form: Service, record: Record, sheet: CaseSheet, today: date, lang: str
) -> Suggestion | None:
    faults: list[dict[tuple[str, str], str]] = []
    for side in sheet.sides:
        units = values(record) | {sheet.unit: side.value}
        answers, documents = form.answers({n: v for n, v in units.items() if v is not None})
        checked = form.check(answers, documents, reasons(record), today=today, role="verifier")
        faults.append({(f.key, f.code): f.words(lang) for f in checked.problems if f.stops})
    fewest = min(map(len, faults))
    best = [n for n, found in enumerate(faults) if len(found) == fewest]
    if len(best) != 1:
        return None
    other = next(found for n, found in enumerate(faults) if n != best[0])
    fault = next((words for key, words in other.items() if key not in faults[best[0]]), "")
    ground = say("lolos pemeriksaan; yang lain tidak: {fault}", lang, fault=fault)
    return Suggestion(sheet.sides[best[0]].number, ground)


def _alike(sides: list[Side], lang: str) -> Suggestion | None:
    if len({_spelt(side.value) for side in sides}) != 1:
        return None
    return Suggestion(sides[0].number, say("sama; hanya beda huruf besar atau spasi", lang))


def _spelt(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name}={_spelt(one)}" for name, one in sorted(value.items()))
    return names.key(value) if isinstance(value, str) else repr(value)


def _fuller(sides: list[Side], lang: str) -> Suggestion | None:
    """One side has every answer of the others, and more of them."""
    filled = [_filled(side.value) for side in sides]
    for n, mine in enumerate(filled):
        others = [one for k, one in enumerate(filled) if k != n]
        if all(one != mine and one.items() <= mine.items() for one in others):
            return Suggestion(sides[n].number, say("paling lengkap; selebihnya sama", lang))
    return None


def _filled(value: Any) -> dict[str, str]:
    parts = value if isinstance(value, dict) else {"": value}
    return {name: repr(one) for name, one in parts.items() if one not in (None, "", [])}


def _in_person(sides: list[Side], lang: str) -> Suggestion | None:
    there = [side for side in sides if side.author.device]
    if len(there) != 1:
        return None
    ground = say("dicatat di depan warga ({office})", lang, office=there[0].author.office)
    return Suggestion(there[0].number, ground)
