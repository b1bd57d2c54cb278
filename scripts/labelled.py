"""A register of invented people in which it is known who stands there twice, by seed.

    python3 scripts/labelled.py --seed 1 --n 1000     the pairs, as a person would read them

The tables of names and errors lie in tests/fixtures/duplicates and were frozen before the matcher
was tuned; a test holds their hash. TUNING seeds are for fitting, JUDGED seeds are looked at for the
published figures only. People come in families: brothers and sisters, twins, several generations of
the same clan, and many strangers of the same name and year.
"""

from __future__ import annotations

import home

home.enter()

import argparse
import hashlib
from calendar import monthrange
from datetime import date, timedelta
from itertools import accumulate, combinations
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from models import regions

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "duplicates"
TUNING = (1, 2, 3, 4, 5, 6, 8, 9)
JUDGED = (7301, 7302, 7303, 7304, 7305)
TODAY = date(2026, 11, 1)
CHILD_DAYS = 17 * 365
MAN, WOMAN = "1", "2"


class Row(msgspec.Struct, frozen=True):
    """What one request says of its subject, and the truth: who it is.

    shape: what the form asks. person, family: who. twins: number of a set of twins, 0 for none.
    """

    shape: str
    name: str
    village: str
    person: int
    family: int
    twins: int = 0
    nik: str = ""
    kk: str = ""
    birth_date: date | None = None
    sex: str = ""
    mother_name: str = ""
    mother_nik: str = ""
    plurality: str = ""


class Labelled(msgspec.Struct, frozen=True):
    """rows in the order of arrival; pairs: positions (earlier, later) of the same person."""

    rows: list[Row]
    pairs: set[tuple[int, int]]


def tables_hash() -> str:
    """SHA-256 of both tables, whatever the ends of their lines."""
    texts = [(FOLDER / name).read_text("utf-8") for name in ("errors.toml", "names.toml")]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def read(name: str) -> dict[str, Any]:
    """One of the tables."""
    found: dict[str, Any] = msgspec.toml.decode((FOLDER / f"{name}.toml").read_bytes())
    return found


def labelled(seed: int, n: int) -> Labelled:
    """n records, of which a share (`prevalence`) are second records."""
    rng = Random(seed)
    tables, errors = read("names"), read("errors")
    again = round(n * errors["prevalence"])
    people = Population(rng, tables, errors).rows(n - again)
    writer = Errors(rng, errors, [row.village for row in people])
    rows = people + [writer.again(rng.choice(people)) for _ in range(again)]
    rng.shuffle(rows)
    places: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(row.person, []).append(place)
    return Labelled(rows, {pair for at in places.values() for pair in combinations(at, 2)})


def chosen(rng: Random, weights: dict[str, float]) -> str:
    """One of the keys, by weight."""
    return rng.choices(list(weights), list(weights.values()))[0]


def until(steps: list[list[float]], year: int) -> float:
    """The share that holds for people born before the first larger year."""
    return next(share for bound, share in steps if year < bound)


class Population:
    """Draws families until there are enough people."""

    def __init__(self, rng: Random, tables: dict[str, Any], errors: dict[str, Any]) -> None:
        self.rng, self.tables, self.errors = rng, tables, errors
        self.sums = {
            kind: list(accumulate(1 / (rank + 1) ** tables["zipf"] for rank in range(len(words))))
            for kind, words in tables.items()
            if kind in ("men", "women", "clans")
        }
        codes = [village.code for village in regions.villages()]
        rng.shuffle(codes)
        self.villages = codes
        self.village_sums = list(accumulate(1 / (rank + 6) for rank in range(len(codes))))
        self.persons = self.families = self.sets = 0

    def rows(self, n: int) -> list[Row]:
        """n people, most of them with some of their family."""
        found: list[Row] = []
        while len(found) < n:
            family = self.family()
            if self.rng.random() < 0.35:
                family = [self.rng.choice(family)]
            found += family
        return found[:n]

    # -- a family

    def family(self) -> list[Row]:
        """Father, mother, children; and sometimes an old parent, all on one card."""
        rng = self.rng
        self.families += 1
        village = rng.choices(self.villages, cum_weights=self.village_sums)[0]
        clan = self.word("clans") if rng.random() < self.tables["clan"] else ""
        born = date(1950, 1, 1) + timedelta(days=rng.randrange(55 * 365))
        kk = self.number(village, born + timedelta(days=25 * 365), MAN)
        mother_born = self.rounded(born + timedelta(days=rng.randrange(-1500, 2600)))
        mother_name = self.name(WOMAN, mother_born.year, "")
        mother_nik = self.number(village, mother_born, WOMAN)
        father = self.name(MAN, born.year, clan)
        rows = [
            self.row(father, MAN, self.rounded(born), kk, village, self.name(WOMAN, 1945, "")),
            self.row(mother_name, WOMAN, mother_born, kk, village, self.name(WOMAN, 1948, ""),
                     nik=mother_nik),
        ]  # fmt: skip
        rows += self.children(mother_born, clan, kk, village, mother_name, mother_nik)
        if rng.random() < 0.15:
            old = self.rounded(born - timedelta(days=rng.randrange(18 * 365, 32 * 365)))
            rows.append(self.row(self.name(MAN, old.year, clan), MAN, old, kk, village, ""))
        return rows

    def children(
        self, mother_born: date, clan: str, kk: str, village: str, mother: str, mother_nik: str
    ) -> list[Row]:
        rng, rows = self.rng, []
        shared = self.word("men") if rng.random() < self.tables["siblings_share"] else ""
        alike = rng.random() < self.tables["siblings_alike"]
        day = mother_born + timedelta(days=rng.randrange(18 * 365, 27 * 365))
        before = ""
        for _ in range(rng.choices((0, 1, 2, 3, 4, 5, 7), (8, 18, 28, 22, 13, 8, 3))[0]):
            if day > TODAY:
                break
            twins = rng.random() < self.tables["twins"]
            names = self.twin_names(day.year, clan) if twins else []
            self.sets += twins
            for sex, name in names or [self.child(day.year, clan, shared, before if alike else "")]:
                before = name.split()[0]
                born = day if twins else self.rounded(day)
                row = self.row(name, sex, born, kk, village, mother, mother_nik=mother_nik,
                               twins=self.sets if twins else 0)  # fmt: skip
                rows.append(row)
            day += timedelta(days=rng.randrange(330, 1900))
        return rows

    def child(self, year: int, clan: str, shared: str, before: str) -> tuple[str, str]:
        """(sex, name); with a word of the family, or beginning like the child before."""
        sex = self.rng.choice((MAN, WOMAN))
        name = self.name(sex, year, clan)
        words = name.split()
        if before:
            pool = self.tables["men" if sex == MAN else "women"]
            alike = [word for word in pool if word[:2] == before[:2] and word != before]
            words[0] = self.rng.choice(alike) if alike else words[0]
        if shared and len(words) > 1:
            words[1] = shared
        return sex, " ".join(words)

    def twin_names(self, year: int, clan: str) -> list[tuple[str, str]]:
        """Two names: a rhyme, a shared second word, or nothing alike."""
        sexes = [self.rng.choice((MAN, WOMAN)) for _ in range(2)]
        if self.rng.random() < 0.6:
            sexes[1] = sexes[0]
        names = [self.name(sex, year, clan) for sex in sexes]
        chance = self.rng.random()
        firsts, rest = zip(*((n.split()[0], n.split()[1:]) for n in names), strict=True)
        if chance < self.tables["twins_rhyme"]:
            firsts = tuple(self.rng.choice(self.tables["twin_names"]))
        if chance < self.tables["twins_rhyme"] + self.tables["twins_share"]:
            rest = (rest[0], rest[0])
        if firsts[0] == firsts[1] and rest[0] == rest[1]:
            firsts = ("hasan", "husen")
        return [(sexes[k], " ".join([firsts[k], *rest[k]])) for k in range(2)]

    # -- one person

    def row(
        self, name: str, sex: str, born: date, kk: str, village: str, mother: str, *,
        nik: str = "", mother_nik: str = "", twins: int = 0,
    ) -> Row:  # fmt: skip
        rng = self.rng
        self.persons += 1
        child = (TODAY - born).days < CHILD_DAYS
        shape = chosen(rng, self.errors["shapes_child" if child else "shapes"])
        if rng.random() < self.errors["no_nik"][shape]:
            nik = ""
        else:
            nik = nik or self.number(village, born, sex)
        said: dict[str, Any] = {"birth_date": born, "sex": sex}
        if shape in ("birth", "biodata"):
            said |= {"mother_name": mother, "mother_nik": mother_nik if child else ""}
        if shape == "birth":
            said |= {"plurality": "2" if twins else "1"}
        return Row(
            shape, name.upper() if rng.random() < 0.5 else name.title(), village, self.persons,
            self.families, twins, nik, "" if shape == "biodata" else kk,
            **(said if shape != "plain" else {}),
        )  # fmt: skip

    def name(self, sex: str, year: int, clan: str) -> str:
        rng, tables = self.rng, self.tables
        kind = "men" if sex == MAN else "women"
        if rng.random() < until(tables["one_word"], year):
            return self.word(kind)
        words = [self.word(kind), self.word(kind)]
        if rng.random() < tables["third_word"]:
            words.append(self.word(kind))
        first = {"muhammad": tables["muhammad"], "abdul": tables["abdul"]}
        if sex == WOMAN:
            first = {"siti": tables["siti"]}
        for word, share in first.items():
            if rng.random() < share:
                words = [word, *words[: len(words) - 1]]
                break
        if clan:
            words = [*words[:2], clan]
        kept: list[str] = []
        for word in words:
            if word not in kept:
                kept.append(word)
        return " ".join(kept)

    def word(self, kind: str) -> str:
        """A word of a name: a frequent one, or one that is nearly nobody else's."""
        if self.rng.random() < self.tables["rare"]:
            parts = [self.rng.choice(self.tables["syllables"]) for _ in range(3)]
            return "".join(parts) + str(self.rng.choice(self.tables["tails"]))
        words = self.tables[kind]
        return str(self.rng.choices(words, cum_weights=self.sums[kind])[0])

    def rounded(self, born: date) -> date:
        """The date that was written down for somebody whose birthday nobody knew."""
        if self.rng.random() >= until(self.tables["rounded"], born.year):
            return born
        days: dict[str, float] = dict(self.tables["rounded_days"])
        return date.fromisoformat(f"{born.year}-{chosen(self.rng, days)}")

    def number(self, village: str, day: date, sex: str) -> str:
        """A NIK or KK of that place and day; a person's has 40 more for a woman."""
        place = village.replace(".", "")[:6]
        shown = day.day + (40 if sex == WOMAN else 0)
        serial = int(self.rng.expovariate(1 / 12)) + 1
        return f"{place}{shown:02}{day.month:02}{day.year % 100:02}{serial:04}"


class Errors:
    """Writes somebody down once more, as people and forms do."""

    def __init__(self, rng: Random, errors: dict[str, Any], villages: list[str]) -> None:
        self.rng, self.tables, self.villages = rng, errors, villages

    def again(self, row: Row) -> Row:
        """A second record of the same person."""
        rng, kinds = self.rng, self.tables["again"]
        errors = {"same": 0, "one_error": 1, "two_errors": 2}
        found: dict[str, Any] = {"name": self.spoiled(row.name, errors[chosen(rng, kinds["name"])])}
        if row.mother_name:
            how = chosen(rng, kinds["mother_name"])
            if how in errors:
                found["mother_name"] = self.spoiled(row.mother_name, errors[how])
            else:
                found["mother_name"] = "" if how == "missing" else "Rukaya Dampinya"
        if row.nik:
            found["nik"] = self.number(row.nik, chosen(rng, kinds["nik"]))
        if row.mother_nik:
            found["mother_nik"] = self.number(row.mother_nik, chosen(rng, kinds["mother_nik"]))
        if row.kk:
            found["kk"] = self.number(row.kk, chosen(rng, kinds["kk"]))
        if row.birth_date:
            found["birth_date"] = self.day(row.birth_date, chosen(rng, kinds["birth_date"]))
        if row.sex:
            how = chosen(rng, kinds["sex"])
            other = WOMAN if row.sex == MAN else MAN
            found["sex"] = {"same": row.sex, "wrong": other, "missing": ""}[how]
        if chosen(rng, kinds["village"]) == "other":
            found["village"] = rng.choice(self.villages)
        return msgspec.structs.replace(row, **found)

    def number(self, text: str, how: str) -> str:
        at = self.rng.randrange(len(text) - 1)
        match how:
            case "missing":
                return ""
            case "typo":
                digit = self.rng.choice([d for d in "0123456789" if d != text[at]])
                return text[:at] + digit + text[at + 1 :]
            case "swapped":
                return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
            case "other":
                return text[:6] + f"{self.rng.randrange(10**10):010}"
        return text

    def day(self, born: date, how: str) -> date | None:
        match how:
            case "missing":
                return None
            case "day_month_swapped" if born.day <= 12:
                return born.replace(day=born.month, month=born.day)
            case "digit":
                return self.digit(born)
            case "day_missing":
                return born.replace(day=1)
            case "month_missing":
                return born.replace(day=1, month=self.rng.choice((1, 7)))
            case "year_off":
                year = born.year + self.rng.choice((-1, 1))
                return born.replace(year=year, day=min(born.day, 28))
        return born

    def digit(self, born: date) -> date:
        """One digit of day, month or the last two of the year is another one."""
        while True:
            text = f"{born.day:02}{born.month:02}{born.year % 100:02}"
            text = self.number(text + "-", "typo")  # the last sign is never the one
            day, month, year = int(text[:2]), int(text[2:4]), int(text[4:6])
            year += born.year // 100 * 100
            if 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]:
                return date(year, month, day)

    # -- names

    def spoiled(self, name: str, errors: int) -> str:
        """The name with so many errors; upper or lower case as it comes."""
        words = name.lower().split()
        for _ in range(errors):
            words = self.error(words)
        text = " ".join(word for word in words if word)
        return text.upper() if self.rng.random() < 0.5 else text.title()

    def error(self, words: list[str]) -> list[str]:
        """One error; where that kind is not possible, a slip of the fingers."""
        rng, tables = self.rng, self.tables
        at = rng.randrange(len(words))
        word, rest = words[at], (words[:at], words[at + 1 :])
        match chosen(rng, tables["name_errors"]):
            case "sound":
                return [*rest[0], self.sound(word), *rest[1]]
            case "old_spelling":
                return [*rest[0], self.spelling(word), *rest[1]]
            case "short_form":
                for place, one in enumerate(words):
                    if one in tables["short_forms"]:
                        short = rng.choice(tables["short_forms"][one])
                        return [*words[:place], short, *words[place + 1 :]]
            case "word_lost" if len(words) > 1:
                return [*rest[0], *rest[1]]
            case "nickname":
                return [*rest[0], self.nickname(word), *rest[1]]
            case "words_joined" if len(words) > 1:
                at = rng.randrange(len(words) - 1)
                return [*words[:at], words[at] + words[at + 1], *words[at + 2 :]]
            case "word_order" if len(words) > 1:
                return [*words[1:], words[0]]
            case "title":
                return [rng.choice(tables["titles"]["before"]).lower(), *words]
        return [*rest[0], self.letter(word), *rest[1]]

    def letter(self, word: str) -> str:
        at = self.rng.randrange(len(word))
        match chosen(self.rng, self.tables["letter"]):
            case "neighbour":
                near: str = self.tables["keyboard"].get(word[at], "e")
                return word[:at] + self.rng.choice(near) + word[at + 1 :]
            case "lost" if len(word) > 2:
                return word[:at] + word[at + 1 :]
            case "swapped" if at + 1 < len(word):
                return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        return word[:at] + word[at] + word[at:]

    def sound(self, word: str) -> str:
        sounds, rng = self.tables["sounds"], self.rng
        if rng.random() < sounds["double"]:
            doubled = [k for k in range(1, len(word)) if word[k] == word[k - 1]]
            at = rng.choice(doubled) if doubled else rng.randrange(len(word))
            return word[:at] + word[at + 1 :] if doubled else word[:at] + word[at] + word[at:]
        pairs = [(a, b) for one, other in sounds["pairs"] for a, b in ((one, other), (other, one))]
        pairs = [(a, b) for a, b in pairs if a in word]
        for one, other in [*sounds["ends"], *([b, a] for a, b in sounds["ends"])]:
            if word.endswith(one) and rng.random() < 0.5:
                return word.removesuffix(one) + str(other)
        if not pairs:
            return self.letter(word)
        old, new = rng.choice(pairs)
        return word.replace(old, new, 1)

    def spelling(self, word: str) -> str:
        """In the old spelling, all of it; or in the new one where it is old already."""
        spellings: dict[str, str] = self.tables["spellings"]
        for new, old in spellings.items():
            if old in word and new != "y":
                return word.replace(old, new)
        found = [new for new in spellings if new in word]
        if not found:
            return self.sound(word)
        new = self.rng.choice(found)
        return word.replace(new, spellings[new])

    def nickname(self, word: str) -> str:
        known = self.tables["nicknames"].get(word)
        if isinstance(known, list):
            return str(self.rng.choice(known))
        middle = next((k for k in range(len(word) - 3, 1, -1) if word[k] not in "aeiou"), 0)
        return self.rng.choice((word[middle:], word[:4]))


def main() -> None:
    """Show the pairs of one seed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=TUNING[0])
    parser.add_argument("--n", type=int, default=1000)
    options = parser.parse_args()
    found = labelled(options.seed, options.n)
    for one, other in sorted(found.pairs):
        for row in (found.rows[one], found.rows[other]):
            facts = msgspec.structs.asdict(row)
            print(" | ".join(f"{value}" for value in facts.values() if value not in ("", None)))
        print()
    print(f"{len(found.rows)} records, {len(found.pairs)} pairs, tables {tables_hash()[:12]}")


if __name__ == "__main__":
    main()
