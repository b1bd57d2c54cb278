"""Which requests are compared at all: those that share one of these keys.

Comparing everybody with everybody grows with the square of the register. Two records of one person
nearly always share a rare word and the day of birth, a family card, half a NIK, or one of the other
keys; strangers share few. A key that very many share says nothing and is passed over.
"""

from __future__ import annotations

from datetime import date
from itertools import combinations

from server.matching.profile import Profile
from server.matching.words import COMMON, Name

HOLDERS_MAX = 80
"""Requests that share one key; with more of them the key is passed over."""


def keys(one: Profile) -> list[str]:
    """Every key of a profile, each once. They hold personal data: store them hashed only."""
    found = [*_numbers(one), *_days(one), *_names(one), *_mothers(one)]
    return [f"{one.space}|{key}" for key in dict.fromkeys(found)]


def _numbers(one: Profile) -> list[str]:
    """One wrong digit, or two swapped ones, leave half of a NIK as it was (but in the middle)."""
    found = [f"n{one.nik[:8]}", f"N{one.nik[8:]}"] if one.nik else []
    if one.kk:
        found.append(f"k{one.kk}")
    if one.mother_nik:
        found.append(f"q{one.mother_nik}")
    return found


def _days(one: Profile) -> list[str]:
    """The day of birth, the same when day and month are swapped."""
    if one.birth is None:
        return []
    day = day_key(one.birth)
    found = [f"d{day}{code}" for code in _rare(one.name)]
    for code in one.name.sounds[:1]:
        found += [f"p{day}{code[:2]}", f"z{one.birth.year}{one.village}{code[:1]}"]
    found += [f"m{day}{code}" for code in _rare(one.mother)[:1]]
    if one.mother.sounds:
        found.append(f"M{one.birth.year}{''.join(one.mother.sounds)}")
    return [*found, f"f{day}{one.village}", f"g{day[4:]}{one.village}"]


def _names(one: Profile) -> list[str]:
    words = _rare(one.name)
    pairs = ["".join(sorted(pair)) for pair in combinations(one.name.sounds[:3], 2)]
    found = [f"v{one.village}{code}" for code in pairs or words]
    starts = sorted(code[:2] for code in one.name.sounds[:2])
    found += [f"V{one.village}{''.join(starts)}"] if len(starts) > 1 else []
    found += [f"x{pair}" for pair in pairs]
    found += [f"w{code}{mother}" for code in words for mother in _rare(one.mother)[:1]]
    if one.birth is not None:
        year = one.birth.year
        found += [f"b{year}{pair}" for pair in pairs]
        found += [f"y{year}{one.village}{code}" for code in words]
    return found


def _mothers(one: Profile) -> list[str]:
    """The whole name of the mother, its words in any order, where nothing of the own is right."""
    names = "".join(sorted(one.mother.sounds))
    found = [f"W{one.village}{names}"] if names else []
    return [*found, f"u{names}"] if len(one.mother.sounds) > 1 else found


def day_key(day: date) -> str:
    """Year and the two other numbers in order of size."""
    low, high = sorted((day.day, day.month))
    return f"{day.year}{low:02}{high:02}"


def _rare(name: Name) -> list[str]:
    """Two words at most, those first that fewer people have."""
    return sorted(name.sounds, key=lambda code: (code in COMMON, -len(code)))[:2]
