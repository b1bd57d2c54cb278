"""Names as they sound: words of a name, the code of a word, and how alike two names are.

Indonesian names are written down by ear, in two spellings (those of before 1947 and 1972 among
them), in short forms, with words left out. Nobody has a surname, many have one word only. So a
name is compared word by word, in any order, and what agrees counts by how rare it is.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

import msgspec
from rapidfuzz.distance import OSA

from models import names

WORDS_MAX = 6
NEAR_LETTERS = 4
"""Shorter words have too many neighbours for one wrong letter to mean anything."""
LONG_LETTERS = 8
SHORT_LETTERS = 3

_NOT_LETTERS = re.compile(r"[^A-Z]+")
_FOLDED = [
    ("OE", "U"), ("TJ", "C"), ("DJ", "J"), ("DZ", "S"), ("CH", "H"), ("KH", "H"), ("GH", "G"),
    ("DH", "D"), ("TH", "T"), ("PH", "P"), ("SY", "S"), ("SJ", "S"), ("SH", "S"), ("AI", "I"),
    ("F", "P"), ("V", "P"), ("Q", "K"), ("X", "KS"), ("Z", "S"), ("O", "U"), ("E", "I"),
    ("J", "I"), ("Y", "I"),
]  # fmt: skip
"""Letters that stand for the same sound, in this order. J was Y in the old spelling."""

_SHORT = {
    "AB": "ABDUL", "ABDOEL": "ABDUL", "SITTI": "SITI", "NR": "NUR", "NOER": "NUR",
    "MAMAT": "MUHAMMAD", "MEMET": "MUHAMMAD", "BOIM": "IBRAHIM", "MAIL": "ISMAIL",
    "DULA": "ABDULLAH", "DULLAH": "ABDULLAH", "ICA": "AISYAH", "ECA": "AISYAH", "ICHA": "AISYAH",
    "IMA": "FATIMA", "ANIS": "YOHANES",
}  # fmt: skip
"""Short forms and nicknames that are not the beginning or end of the name."""
_COMMON_WORDS = [
    "MUHAMMAD", "AHMAD", "ABDUL", "ABDULLAH", "SITI", "NUR", "IBRAHIM", "ISMAIL", "HASAN",
    "USMAN", "ALI", "FATIMA", "AISYAH", "SARAH", "RAHMA",
]  # fmt: skip


class Name(msgspec.Struct, frozen=True):
    """words: in capitals, titles and signs left out. sounds: the code of each."""

    words: tuple[str, ...] = ()
    sounds: tuple[str, ...] = ()


@lru_cache(maxsize=65536)
def read(text: str) -> Name:
    """The words of a name, and how they sound."""
    if names.is_unknown(text):
        return Name()
    plain = (_NOT_LETTERS.sub("", word) for word in names.loose_key(text).split())
    words = tuple(_SHORT.get(word, word) for word in plain if word)[:WORDS_MAX]
    if len(words) > 1 and words[0] in ("H", "HI", "HJ"):
        words = words[1:]
    return Name(words, tuple(map(sound, words)))


@lru_cache(maxsize=65536)
def sound(word: str) -> str:
    """A code that is the same for spellings of the same sound."""
    for letters, by in _FOLDED:
        word = word.replace(letters, by)
    word = word[:1] + word[1:].replace("H", "")
    word = "".join(a for a, b in pairwise(word + " ") if a != b)
    return word[:-1] + "T" if word.endswith("D") else word


COMMON = frozenset(map(sound, _COMMON_WORDS))
"""Codes of words that every tenth name has: they find nobody."""

LEVELS = ("same", "sound", "near", "rhyme", "loose", "other")
"""rhyme: one vowel makes the difference, as in the given names of twins (Rina, Rini; Nabil,
Nabila). loose: a short form, an initial, two slips, or one in a word of three letters."""
NEAR, RHYME, LOOSE, OTHER = 2, 3, 4, 5
_VOWELS = frozenset("AEIOU")


@lru_cache(maxsize=262144)
def alike(one: str, other: str) -> int:
    """How two words agree, as a place in LEVELS."""
    if one == other:
        return 0
    a, b = sound(one), sound(other)
    if a == b:
        return 1
    near = min(_slips(one, other), _slips(a, b))
    if near == 1 and min(len(one), len(other)) >= NEAR_LETTERS:
        return RHYME if _rhymes(one, other) else NEAR
    if near <= 2 and min(len(one), len(other)) >= LONG_LETTERS:
        return NEAR
    if near == 1 and min(len(one), len(other)) >= SHORT_LETTERS:
        return LOOSE
    if near == 2 and min(len(one), len(other)) > NEAR_LETTERS:
        return LOOSE
    return LOOSE if _short_form(one, other) or _short_form(a, b) else OTHER


def _slips(one: str, other: str) -> int:
    """Letters wrong, left out, added, or two swapped; 3 for more than two."""
    return OSA.distance(one, other, score_cutoff=2)


def _rhymes(one: str, other: str) -> bool:
    """Is the one letter that makes the difference another vowel, or a vowel more at the end?"""
    short, long = sorted((one, other), key=len)
    start = next((k for k, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), None)
    if start == 0 or len(long) >= LONG_LETTERS:
        return False
    if start is None:
        return long[-1] in _VOWELS
    both = short[start] in _VOWELS and long[start] in _VOWELS
    return both and short[start + 1 :] == long[start + 1 :]


def _short_form(one: str, other: str) -> bool:
    """Is one the beginning or end of the other, or its first letter?"""
    short, long = sorted((one, other), key=len)
    if len(short) == 1:
        return long[0] == short
    return len(short) >= SHORT_LETTERS and (long.startswith(short) or long.endswith(short))


class Likeness(msgspec.Struct, frozen=True):
    """How two names agree. level: see `compare`. shared: (code, place in LEVELS) of the words that
    agree."""

    level: str
    shared: tuple[tuple[str, int], ...] = ()


@lru_cache(maxsize=65536)
def compare(one: Name, other: Name) -> Likeness:
    """Level: "missing"; "same", "sound", "near", "rhyme", "loose" when every word agrees at least
    so; "part", "part_near" when one name has words more; "cross" when both have; "other" when none
    agrees."""
    if not one.words or not other.words:
        return Likeness("missing")
    if one.words == other.words:
        return Likeness("same", tuple((code, 0) for code in one.sounds))
    if (joined := _joined(one, other)) is not None:
        return joined
    shared, left, right = _paired(one, other)
    worst = max((level for _, level in shared), default=OTHER)
    if not shared:
        return Likeness("other")
    if left and right:
        return Likeness("cross", tuple(shared))
    if left or right:
        return Likeness("part" if worst < NEAR else "part_near", tuple(shared))
    return Likeness(LEVELS[worst], tuple(shared))


def _paired(one: Name, other: Name) -> tuple[list[tuple[str, int]], int, int]:
    """Words that agree, best first, each once; how many are left on both sides."""
    found = sorted(
        (alike(a, b), i, k) for i, a in enumerate(one.words) for k, b in enumerate(other.words)
    )
    mine, yours, shared = set(range(len(one.words))), set(range(len(other.words))), []
    for level, i, k in found:
        if level < OTHER and i in mine and k in yours:
            mine.discard(i)
            yours.discard(k)
            code = max(one.sounds[i], other.sounds[k], key=len)
            given = i == 0 and k == 0  # a vowel in a clan is a slip
            shared.append((code, level if given or level != RHYME else NEAR))
    return shared, len(mine), len(yours)


def _joined(one: Name, other: Name) -> Likeness | None:
    """Nur Aini and Nuraini: the same letters, other spaces."""
    a, b = "".join(one.words), "".join(other.words)
    if len(one.words) == len(other.words):
        return None
    if alike(a, b) > NEAR:
        return None
    long = one if len(one.words) > len(other.words) else other
    return Likeness("near", tuple((code, 1) for code in long.sounds))
