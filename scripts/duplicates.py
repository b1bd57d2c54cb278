"""Fits and judges the matcher of duplicates on labelled registers (labelled.py).

    python3 scripts/duplicates.py fit          weights from the tuning seeds -> weights.toml
    python3 scripts/duplicates.py judge        precision and recall on the judged seeds
    python3 scripts/duplicates.py judge --tuning --wrong 20   on a tuning seed, with its mistakes

What is counted is the whole way: blocking, comparing, bands. A pair counts as found when it is put
before a person at all ("certain" or "look").
"""

from __future__ import annotations

import home

home.enter()

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from labelled import JUDGED, TODAY, TUNING, Labelled, Row, labelled
from models.services import Subject
from server.matching.blocks import HOLDERS_MAX, keys
from server.matching.matcher import (
    KNOTS,
    Against,
    Matcher,
    Register,
    Verdict,
    Weights,
    features,
    slopes,
)
from server.matching.profile import Profile, levels, profile

WEIGHTS = Path(__file__).resolve().parent.parent / "server" / "matching" / "weights.toml"
STEPS = 12
FITTED = 5
"""Seeds of TUNING that weights are made of; the others are looked at while tuning."""
CALM = 0.5
"""Of the fit: what never occurred gets no endless weight."""
NOTHING = Weights(1.0, 1.0, Against(), Against())
BANDS = (0.97, 0.55)
Pattern = tuple[tuple[str, ...], int, str]


class Judged(msgspec.Struct, frozen=True):
    """Counts of one register. right, wrong: pairs that were put, by band; missed, of: true pairs by
    what there was to go by. seconds: of the processor, for everything but inventing the people."""

    n: int
    true: int
    compared: int
    right: dict[str, int]
    wrong: dict[str, int]
    missed: dict[str, int]
    of: dict[str, int]
    seconds: float


def profiles(rows: list[Row]) -> list[Profile]:
    """Rows as the matcher reads them. All in one space: the matcher never compares across."""
    return [profile("one", row.village, _subject(row), TODAY) for row in rows]


def _subject(row: Row) -> Subject:
    fields = ("name", "nik", "kk", "sex", "mother_name", "mother_nik", "plurality")
    said = {name: getattr(row, name) or None for name in fields}
    return Subject(birth_date=row.birth_date, **said)


def register(people: list[Profile]) -> Register:
    """How frequent words and villages are among them."""
    counts: Counter[str] = Counter()
    for one in people:
        counts.update({*one.name.sounds, one.village})
    return Register(len(people), counts)


def candidates(people: list[Profile]) -> Iterator[tuple[int, int]]:
    """Pairs that share a key, each once, as central finds them: with those who came before."""
    holders: dict[str, list[int]] = {}
    for place, one in enumerate(people):
        seen: set[int] = set()
        for key in keys(one):
            there = holders.setdefault(key, [])
            if len(there) <= HOLDERS_MAX:
                seen.update(there)
                there.append(place)
        for before in seen:
            yield before, place


# -- fitting


def patterns(found: Labelled, people: list[Profile]) -> Counter[Pattern]:
    """(features, chance, what they are to each other) of every candidate, counted."""
    matcher = Matcher(register(people), NOTHING)
    counted: Counter[Pattern] = Counter()
    for a, b in candidates(people):
        levels_ = levels(people[a], people[b])
        chance = matcher.chance(people[a], people[b], levels_)
        kin = "relative" if found.rows[a].family == found.rows[b].family else "stranger"
        counted[tuple(features(levels_)), chance, "same" if (a, b) in found.pairs else kin] += 1
    return counted


def fit(sizes: list[int]) -> Weights:
    """One person against a stranger, and one person against a relative."""
    counted: Counter[Pattern] = Counter()
    for seed, n in zip(TUNING, sizes, strict=False):
        found = labelled(seed, n)
        counted += patterns(found, profiles(found.rows))
    return Weights(*BANDS, fit_against(counted, "stranger"), fit_against(counted, "relative"))


def fit_against(counted: Counter[Pattern], rival: str) -> Against:
    """Logistic regression by Newton's method: weights in bits."""
    used = {key: n for key, n in counted.items() if key[2] in ("same", rival)}
    names = sorted({f for told, _, _ in used for f in told if not _plain(f)})
    first = 2 + len(KNOTS)
    at = {name: first + k for k, name in enumerate(names)}
    rows = [
        (
            [(0, 1.0), *enumerate(slopes(chance), 1), *((at[f], 1.0) for f in told if f in at)],
            kin == "same",
            n,
        )
        for (told, chance, kin), n in used.items()
    ]
    weights = [0.0] * (len(names) + first)
    for _ in range(STEPS):
        weights = _newton(rows, weights)
    bits = [round(weight / math.log(2), 2) for weight in weights]
    return Against(bits[0], tuple(bits[1:first]), {name: bits[k] for name, k in at.items()})


def _plain(feature: str) -> bool:
    """What says nothing has no weight: the others are told against it."""
    return feature.endswith((".missing", ".none"))


def _newton(rows: list[tuple[list[tuple[int, float]], bool, int]], w: list[float]) -> list[float]:
    size = len(w)
    slope = [-CALM * value for value in w]
    bend = [[CALM * (i == k) for k in range(size)] for i in range(size)]
    for row, same, n in rows:
        z = sum(w[k] * x for k, x in row)
        p = 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))
        share = n * p * (1 - p)
        for k, x in row:
            slope[k] += n * (same - p) * x
            line = bend[k]
            for m, y in row:
                line[m] += share * x * y
    return [a + b for a, b in zip(w, _solved(bend, slope), strict=True)]


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """x of matrix * x = right, by elimination."""
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for k in range(size):
        best = max(range(k, size), key=lambda i: abs(rows[i][k]))
        rows[k], rows[best] = rows[best], rows[k]
        rows[k] = [value / rows[k][k] for value in rows[k]]
        for i in range(size):
            if i != k and (factor := rows[i][k]):
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[k], strict=True)]
    return [line[size] for line in rows]


def written(weights: Weights) -> str:
    """The file of the weights."""
    lines = [
        "# Made by scripts/duplicates.py fit from the tuning seeds. In bits; see matcher.py.",
        "",
    ]
    lines += [f"certain = {weights.certain}", f"look = {weights.look}"]
    for rival in ("stranger", "relative"):
        against: Against = getattr(weights, rival)
        lines += ["", f"[{rival}]", f"start = {against.start}", f"chance = {[*against.chance]}"]
        lines += ["", f"[{rival}.bits]", *(f'"{k}" = {v}' for k, v in against.bits.items())]
    return "\n".join([*lines, ""])


# -- judging


def stratum(one: Row, other: Row) -> str:
    """What there was to go by."""
    if one.nik and other.nik:
        return "nik_same" if one.nik == other.nik else "nik_differs"
    return "nik_missing"


def judge(seed: int, n: int, weights: Weights | None = None, wrong: int = 0) -> Judged:
    """Find the pairs of one register. wrong: how many mistakes to show."""
    found = labelled(seed, n)
    started = time.process_time()
    people = profiles(found.rows)
    matcher = Matcher(register(people), weights)
    put: dict[tuple[int, int], Verdict] = {}
    compared = 0
    for a, b in candidates(people):
        compared += 1
        verdict = matcher.compare(people[a], people[b])
        if verdict.band != "none":
            put[a, b] = verdict
    seconds = time.process_time() - started
    right, bad, missed, of = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for (a, b), verdict in put.items():
        if (a, b) in found.pairs:
            right[verdict.band] += 1
        else:
            bad[verdict.band] += 1
            bad[stratum(found.rows[a], found.rows[b])] += 1
            wrong -= _shown("WRONG", found, a, b, verdict) if wrong > 0 else 0
    for a, b in found.pairs:
        kind = stratum(found.rows[a], found.rows[b])
        of[kind] += 1
        if (a, b) not in put:
            missed[kind] += 1
            verdict = matcher.compare(people[a], people[b], explain=True)
            missed["blocking"] += not {*keys(people[a])} & {*keys(people[b])}
            wrong -= _shown("MISSED", found, a, b, verdict) if wrong > 0 else 0
    return Judged(n, len(found.pairs), compared, right, bad, missed, of, round(seconds, 2))


def _shown(what: str, found: Labelled, a: int, b: int, verdict: Verdict) -> int:
    print(
        f"{what} {verdict.probability:.3f} {verdict.rival} strangers {verdict.strangers:.4f}",
        file=sys.stderr,
    )
    for row in (found.rows[a], found.rows[b]):
        facts = msgspec.structs.asdict(row).values()
        print("   ", " | ".join(f"{v}" for v in facts if v not in ("", None)), file=sys.stderr)
    told = [f"{one.feature}.{one.level} {one.bits:+.1f}" for one in verdict.reasons]
    print("   ", ", ".join(told), file=sys.stderr)
    return 1


def rates(found: list[Judged]) -> dict[str, float]:
    """Precision and recall over several registers, for all that is put and for "certain" alone."""
    right, wrong, missed, of = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for one in found:
        right.update(one.right)
        wrong.update(one.wrong)
        missed.update(one.missed)
        of.update(one.of)
    put, bad = right["certain"] + right["look"], wrong["certain"] + wrong["look"]
    told = {
        "precision": put / max(put + bad, 1),
        "recall": put / max(sum(of.values()), 1),
        "certain_precision": right["certain"] / max(right["certain"] + wrong["certain"], 1),
        "certain_share": right["certain"] / max(put, 1),
        "missed_by_blocking": missed["blocking"] / max(sum(of.values()), 1),
    }
    for kind in ("nik_same", "nik_differs", "nik_missing"):
        good = of[kind] - missed[kind]
        told[f"{kind}_precision"] = good / max(good + wrong[kind], 1)
        told[f"{kind}_recall"] = good / max(of[kind], 1)
        told[f"{kind}_pairs"] = of[kind]
    return {name: round(value, 4) for name, value in told.items()}


def main() -> None:
    """Fit, or judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("fit", "judge"))
    parser.add_argument("--tuning", action="store_true", help="on a tuning seed, never fitted")
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--wrong", type=int, default=0, help="mistakes to show (tuning only)")
    options = parser.parse_args()
    if options.what == "fit":
        sizes = [options.n * times for times in (2, 2, 2, 3, 2)]
        WEIGHTS.write_text(written(fit(sizes)), "utf-8")
        return
    seeds = TUNING[FITTED:] if options.tuning else JUDGED
    shown = options.wrong if options.tuning else 0
    found = [judge(seed, options.n, wrong=shown) for seed in seeds]
    for one in found:
        print(msgspec.json.encode(one).decode())
    for name, value in rates(found).items():
        print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
