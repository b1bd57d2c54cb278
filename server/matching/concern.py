"""Concerns: requests that nobody may join, because one speaks of somebody by what is another's.

One NIK with two names or two birthdays is a slip in one of them, or a stolen number: a verifier
looks into SIAK. One portrait, or one paper, with the requests of two people is a picture put to the
wrong request, or worse. Families share papers, and so does whoever applies for several people: that
is no concern.
"""

from __future__ import annotations

import msgspec

from server.matching.matcher import Reason, Verdict
from server.matching.profile import Profile, dates, digits
from server.matching.words import compare

PORTRAIT = "portrait"
RIVAL = "two"
"""What stands in the place of the likeliest other explanation: they are two people."""
_APART = ("other", "cross")


class Shown(msgspec.Struct, frozen=True):
    """What a request shows beside its people. files: name -> kind, "page" or "portrait".
    applicant: NIK of who asks for it, "" where nobody said."""

    files: dict[bytes, str] = {}
    applicant: str = ""


def keys(people: list[Profile], shown: Shown) -> list[str]:
    """What requests of any matter may share. Personal data: store it hashed only."""
    numbers = [f"nik|{one.nik}" for one in people if one.nik]
    return list(dict.fromkeys([*numbers, *(f"file|{name.hex()}" for name in shown.files)]))


def concern(
    people: tuple[list[Profile], list[Profile]], shown: tuple[Shown, Shown]
) -> Verdict | None:
    """Why these two are to be looked at, if they are; see the top of this file."""
    reasons = _number(*people) or _papers(people, shown)
    return Verdict("look", 0.0, RIVAL, 0.0, tuple(reasons)) if reasons else None


def _number(one: list[Profile], other: list[Profile]) -> list[Reason]:
    """One NIK, two names or birthdays. Within one matter the NIK itself makes a case."""
    for a in one:
        for b in other:
            if not a.nik or a.nik != b.nik or a.space == b.space:
                continue
            name, birth = compare(a.name, b.name).level, dates(a.birth, b.birth)
            if name in _APART or birth == "other":
                return [Reason("nik", "same", 0.0), *_differs(name, birth)]
    return []


def _differs(name: str, birth: str) -> list[Reason]:
    found = (Reason("name", name, 0.0), Reason("birth", birth, 0.0))
    return [one for one in found if one.level != "missing"]


def _papers(
    people: tuple[list[Profile], list[Profile]], shown: tuple[Shown, Shown]
) -> list[Reason]:
    """One picture with two people's requests."""
    one, other = shown
    kinds = {kind for name, kind in one.files.items() if name in other.files}
    if not kinds or not all(_two(a, b) for a in people[0] for b in people[1]):
        return []
    if PORTRAIT in kinds:
        return [Reason("portrait", "same", 0.0)]
    together = one.applicant and one.applicant == other.applicant
    family = any(_family(a, b) for a in people[0] for b in people[1])
    return [] if together or family else [Reason("paper", "same", 0.0)]


def _two(one: Profile, other: Profile) -> bool:
    """Are they two people beyond doubt? Both have a number, far from each other, and a name."""
    numbers = bool(one.nik and other.nik) and digits(one.nik, other.nik) == "other"
    return numbers and compare(one.name, other.name).level in _APART


def _family(one: Profile, other: Profile) -> bool:
    """Do they share a card or a mother, or is one the mother of the other?"""
    shared = (one.kk and one.kk == other.kk) or (
        one.mother_nik and one.mother_nik == other.mother_nik
    )
    return bool(shared) or one.nik == other.mother_nik or other.nik == one.mother_nik
