"""How sure it is that two requests are about one person, and why.

Two records that are much alike have three explanations: one person, a relative, a stranger who
happens to be called so. Every level of agreement has a weight in bits (Fellegi and Sunter: a bit
doubles the odds) against each of the other two. Beside the weights stands what chance would do: how
many people of this register would agree as well in name, birthday and village. So agreement counts
less in a large register, and a rare name more than a frequent one. Weights and bounds lie in
weights.toml, made by scripts/duplicates.py from seeds that are never judged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

from server.matching.profile import Levels, Profile, levels
from server.matching.words import Likeness, compare

DAYS = 20_000
"""Birthdays that people in the register have, about 55 years."""
CHANCE_MIN, CHANCE_MAX = -20, 8
KNOTS = (-12, -6, 0)
"""Where the weight of chance changes: what is most unlikely anyway is little more so by a bit."""
_LOST = (0.0, 0.0, 3.0, 3.0, 5.0)
"""Bits that a word loses when it agrees only so well (place in words.LEVELS)."""
_OF_DAY = {
    "same": math.log2(DAYS),
    "swapped": math.log2(DAYS / 2),
    "digit": math.log2(DAYS / 30),
    "year_off": math.log2(DAYS / 2),
    "day_unknown": math.log2(DAYS / 60),
    "same_rounded": math.log2(200),
    "rounded": math.log2(200),
}


class Against(msgspec.Struct, frozen=True):
    """Weights against one other explanation. bits: of each "feature.level". start: before anything
    agrees. chance: of each doubling of the people expected to agree by chance, and how much more
    above each of KNOTS."""

    start: float = 0.0
    chance: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    bits: dict[str, float] = {}


class Weights(msgspec.Struct, frozen=True):
    """certain, look: probability from which a pair is put so."""

    certain: float
    look: float
    stranger: Against
    relative: Against


class Register(msgspec.Struct):
    """How frequent things are: n people; counts of codes of words, and of villages."""

    n: int = 0
    counts: Mapping[str, int] = {}

    def share(self, key: str) -> float:
        """Share of the people who have it; a word nobody had so far counts as one in some."""
        return (self.counts.get(key, 0) + 1) / (self.n + 200)


class Reason(msgspec.Struct, frozen=True):
    """One piece of evidence: for (more than 0 bits) or against."""

    feature: str
    level: str
    bits: float


class Verdict(msgspec.Struct, frozen=True):
    """band: "certain", "look" or "none". probability: that it is one person. rival: the likeliest
    other explanation, "stranger" or "relative", against which the bits of the reasons stand.
    strangers: how many others would agree as well by chance."""

    band: str
    probability: float
    rival: str
    strangers: float
    reasons: tuple[Reason, ...]


class Matcher:
    """Judges pairs against one register."""

    def __init__(self, register: Register, weights: Weights | None = None) -> None:
        self.register = register
        self.weights = weights or stored()
        both = (self.weights.stranger, self.weights.relative)
        self._by_chance = {
            chance: tuple(of_chance(against, chance) for against in both)
            for chance in range(CHANCE_MIN, CHANCE_MAX + 1)
        }

    def compare(self, one: Profile, other: Profile, *, explain: bool = False) -> Verdict:
        """How sure it is that these two are one person. The reasons are given for what is put
        before a person, and where they are asked for."""
        found = levels(one, other)
        chance = self.chance(one, other, found)
        told = features(found)
        by_chance = self._by_chance[chance]
        stranger = bits(self.weights.stranger, told) + by_chance[0]
        relative = bits(self.weights.relative, told) + by_chance[1]
        sure = 1 / (1 + 2 ** -_bounded(stranger) + 2 ** -_bounded(relative))
        band = "certain" if sure >= self.weights.certain else "look"
        band = band if sure >= self.weights.look else "none"
        rival = "stranger" if stranger <= relative else "relative"
        against = self.weights.stranger if stranger <= relative else self.weights.relative
        told_why = reasons(against, told, chance) if explain or band != "none" else ()
        return Verdict(band, sure, rival, 2.0**chance, told_why)

    def chance(self, one: Profile, other: Profile, found: Levels) -> int:
        """log2 of how many people of this register would agree so well by chance."""
        total = math.log2(max(self.register.n, 1))
        total -= self._rarity(compare(one.name, other.name))
        total -= self._rarity(compare(one.mother, other.mother))
        total -= _OF_DAY.get(found.birth, 0.0)
        if found.village == "same":
            total += math.log2(self.register.share(one.village))
        return round(max(CHANCE_MIN, min(CHANCE_MAX, total)))

    def _rarity(self, likeness: Likeness) -> float:
        """Bits of what two names share."""
        shared = likeness.shared
        return sum(max(0.0, -math.log2(self.register.share(c)) - _LOST[lv]) for c, lv in shared)


def bits(against: Against, told: list[str]) -> float:
    """Bits for one person, against one other explanation, without chance."""
    weights = against.bits
    total = against.start
    for feature in told:
        total += weights.get(feature, 0.0)
    return total


def slopes(chance: int) -> tuple[float, ...]:
    """What the weights of chance are multiplied with."""
    return (float(chance), *(float(max(0, chance - knot)) for knot in KNOTS))


def of_chance(against: Against, chance: int) -> float:
    """Bits of what chance would do."""
    return sum(weight * x for weight, x in zip(against.chance, slopes(chance), strict=True))


def reasons(against: Against, told: list[str], chance: int) -> tuple[Reason, ...]:
    """What counted, most first; what is missing says nothing."""
    found = []
    for feature in told:
        name, _, level = feature.partition(".")
        found.append(Reason(name, level, against.bits.get(feature, 0.0)))
    by_chance = of_chance(against, chance)
    found.append(Reason("chance", "rare" if by_chance > 0 else "common", by_chance))
    said = [one for one in found if one.level not in ("missing", "none")]
    return tuple(sorted(said, key=lambda one: -abs(one.bits)))


def _bounded(value: float) -> float:
    return max(-60.0, min(60.0, value))


def features(found: Levels) -> list[str]:
    """The names of the levels, as weights are kept by."""
    return [f"{name}.{getattr(found, name)}" for name in found.__struct_fields__]


@cache
def stored() -> Weights:
    """The weights that come with the program."""
    data = files("server.matching").joinpath("weights.toml").read_bytes()
    return msgspec.toml.decode(data, type=Weights)
