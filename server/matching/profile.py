"""What is known of one subject of one request, made ready for comparing; and comparing two.

Every comparison is a level in words, so that the weight it has can be told to a person.
"""

from __future__ import annotations

from datetime import date

import msgspec
from rapidfuzz.distance import OSA

from models import nik as numbers
from models.services import Subject
from server.matching.words import Name, compare, read

ROUNDED = frozenset({(1, 1), (7, 1), (12, 31)})
"""(month, day) that offices write for somebody whose birthday nobody knows."""
_APART = ("other", "close", "year_off_rounded", "digit_rounded")
NIK_DIGITS = 16
DAYS_OF_MEN = 40
SIBLING_DAYS = 250
"""Two children of one mother are further apart, or born together."""


class Profile(msgspec.Struct, frozen=True):
    """space: in whose name duplicates are looked for. plurality: "1" for a single birth."""

    space: str
    name: Name
    birth: date | None = None
    sex: str = ""
    nik: str = ""
    kk: str = ""
    mother: Name = Name()
    mother_nik: str = ""
    plurality: str = ""
    village: str = ""


def profile(space: str, village: str, subject: Subject, today: date) -> Profile:
    """Of a subject as the form says it. A missing birth date is taken from the NIK."""
    birth = subject.birth_date
    if birth is None and subject.nik:
        birth = numbers.birth_hint(subject.nik, today)
    return Profile(
        space,
        read(subject.name or ""),
        birth,
        subject.sex or _sex_of(subject.nik or ""),
        subject.nik or "",
        subject.kk or "",
        read(subject.mother_name or ""),
        subject.mother_nik or "",
        subject.plurality or "",
        village,
    )


def _sex_of(nik: str) -> str:
    """Of whom a NIK was given to: a woman's has 40 more in the day."""
    if len(nik) != NIK_DIGITS or not nik.isdigit():
        return ""
    return "2" if int(nik[6:8]) > DAYS_OF_MEN else "1"


class Levels(msgspec.Struct, frozen=True):
    """How two profiles agree, one level a feature. family: what sharing a family makes of it."""

    name: str
    birth: str
    mother: str
    sex: str
    nik: str
    mother_nik: str
    kk: str
    village: str
    family: str


def levels(one: Profile, other: Profile) -> Levels:
    """Compare two profiles."""
    name = compare(one.name, other.name).level
    birth = dates(one.birth, other.birth)
    mother = _mother(one.mother, other.mother)
    nik = person_number(one.nik, other.nik)
    kk, mother_nik = digits(one.kk, other.kk), digits(one.mother_nik, other.mother_nik)
    return Levels(
        name=name,
        birth="other_nik" if nik == "same" and birth in _APART else birth,
        mother=mother,
        sex=_plain(one.sex, other.sex),
        nik=nik,
        mother_nik=mother_nik,
        kk=kk,
        village="same" if one.village == other.village else "other",
        family=_family(one, other, name, birth, "same" in (kk, mother_nik) or mother == "same"),
    )


def dates(one: date | None, other: date | None) -> str:
    """Level of two birth dates."""
    if one is None or other is None:
        return "missing"
    if one == other:
        return "same_rounded" if (one.month, one.day) in ROUNDED else "same"
    if one.year == other.year:
        return _same_year(one, other)
    if (one.month, one.day) == (other.month, other.day) and abs(one.year - other.year) == 1:
        return "year_off" if (one.month, one.day) not in ROUNDED else "year_off_rounded"
    if OSA.distance(f"{one:%d%m%Y}", f"{other:%d%m%Y}", score_cutoff=1) == 1:
        return "digit" if (one.month, one.day) not in ROUNDED else "digit_rounded"
    return "close" if abs((one - other).days) < SIBLING_DAYS else "other"


def _same_year(one: date, other: date) -> str:
    if (one.month, one.day) == (other.day, other.month):
        return "swapped"
    if one.month == other.month and 1 in (one.day, other.day):
        return "day_unknown"
    if (one.month, one.day) in ROUNDED or (other.month, other.day) in ROUNDED:
        return "rounded"
    if OSA.distance(f"{one:%d%m}", f"{other:%d%m}", score_cutoff=1) == 1:
        return "digit"
    return "close" if abs((one - other).days) < SIBLING_DAYS else "other"


def digits(one: str, other: str) -> str:
    """Level of two numbers: one slip of the fingers is "near"."""
    if not one or not other:
        return "missing"
    if one == other:
        return "same"
    return "near" if OSA.distance(one, other, score_cutoff=1) == 1 else "other"


def person_number(one: str, other: str) -> str:
    """The same for two NIK. Those that differ in the serial alone are of people born on one day in
    one place, as twins are: "serial"."""
    level = digits(one, other)
    return "serial" if level in ("near", "other") and one[:12] == other[:12] else level


def _plain(one: str, other: str) -> str:
    if not one or not other:
        return "missing"
    return "same" if one == other else "other"


def _mother(one: Name, other: Name) -> str:
    level = compare(one, other).level
    return {"sound": "same", "rhyme": "near", "loose": "near", "part_near": "part"}.get(
        level, level
    )


def _family(one: Profile, other: Profile, name: str, birth: str, shared: bool) -> str:
    """Brothers, sisters and twins share nearly everything: what tells them apart counts anew."""
    if "2" in (one.plurality, other.plurality) or "3" in (one.plurality, other.plurality):
        return f"twins_{_close(name)}"
    if not shared:
        return "none"
    together = birth in ("same", "same_rounded", "swapped", "digit", "day_unknown", "rounded")
    kind = "born_together" if together else "unknown" if birth == "missing" else "siblings"
    return f"{kind}_{_close(name)}"


def _close(name: str) -> str:
    if name in ("same", "sound"):
        return "same"
    if name == "rhyme":
        return "rhyme"
    return "alike" if name in ("near", "loose", "part") else "other"
