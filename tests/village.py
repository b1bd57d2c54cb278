"""One invented village: tests, the demonstration, screenshots and the docs all meet the same
people.

The place is real (Gita, on the Oba mainland), the people are not. Everything follows from the seed,
so two runs meet the same village; a bigger one begins with the same named characters. A NIK is a
region, the person's own birth date and a random serial, as the office gives them: that is where its
entropy is.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import msgspec

from models import regions
from models.people import age
from tests import vocabulary
from tests.vocabulary import Vocabulary

PLACE = "82.72.03.2002"
TODAY = date(2026, 11, 21)
LIST_DATE = date(2026, 10, 1)

MAN, WOMAN = "1", "2"
HEAD, WIFE, CHILD, GRANDCHILD, PARENT, OTHER = "1", "3", "4", "6", "7", "9"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A resident, everything in the codes of the forms. enrolment: the ministry's word, "" if
    unknown.

    part: the role in the story, for the few who have a name in it.
    """

    name: str
    nik: str
    kk: str
    sex: str
    birth_place: str
    birth_date: date
    marital: str
    shdk: str
    religion: str
    education: str
    job: str
    father_name: str
    mother_name: str
    father_nik: str = ""
    mother_nik: str = ""
    blood: str = "13"
    citizenship: str = "1"
    address: str = ""
    rt: str = ""
    rw: str = ""
    dusun: str = ""
    phone: str = ""
    enrolment: str = ""
    residence: str = "resident"
    part: str = ""

    @property
    def age(self) -> int:
        """Full years on the day of the story."""
        return age(self.birth_date, TODAY)

    @property
    def here(self) -> bool:
        """Alive and living in the village."""
        return self.residence == "resident"


class Family(msgspec.Struct, frozen=True):
    """People of one family card, the head first."""

    kk: str
    members: tuple[Person, ...]

    @property
    def head(self) -> Person:
        return self.members[0]


class Staff(msgspec.Struct, frozen=True):
    """Somebody who works with the system. role: of the lifecycle. office: "van", "village",
    "central".
    """

    name: str
    username: str
    role: str
    office: str
    called: str


STAFF = {
    one.username: one
    for one in (
        Staff("Sariyanti Umasugi", "sari", "operator", "van", "Bu Sari"),
        Staff("Julkarnain Togubu", "jul", "operator", "van", "Pak Jul"),
        Staff("Rusli Ma'ruf", "rusli", "operator", "village", "Pak Rusli"),
        Staff("Nurlaila Soamole", "nurlaila", "verifier", "central", "Bu Nurlaila"),
        Staff("Idham Dukomalamo", "idham", "supervisor", "central", "Pak Idham"),
        Staff("Ratna Kasuba", "ratna", "admin", "central", "Bu Ratna"),
    )
}


class Village(msgspec.Struct, frozen=True):
    """The village with its families in order. `cast` are the named characters of the story."""

    code: str
    name: str
    families: tuple[Family, ...]

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody on the list, those who died or left it too."""
        return tuple(person for family in self.families for person in family.members)

    @property
    def cast(self) -> dict[str, Person]:
        """Role in the story -> person."""
        return {person.part: person for person in self.people if person.part}


def village(
    people: int = 400,
    seed: int = 1,
    *,
    code: str = PLACE,
    words: Vocabulary | None = None,
    recorded: bool = True,
) -> Village:
    """At least `people` listed people, for families are whole; the named families stand first.

    recorded: False for a place where no grown person is recorded yet, so that benches find enough
    first enrolments.
    """
    maker = Maker(Random(seed), code, words or vocabulary.fresh(), recorded)
    families = [] if words else [maker.gamlamo(), maker.soasangaji()]
    while sum(len(family.members) for family in families) < people:
        families.append(maker.family())
    place = regions.region(code)
    return Village(code, place.name if place else code, tuple(families))


class Maker:
    """Makes families one after another out of one source of chance."""

    def __init__(self, random: Random, code: str, words: Vocabulary, recorded: bool) -> None:
        self.random = random
        self.recorded = recorded
        self.code = code
        self.words = words
        self.taken: set[str] = set()

    # --- numbers

    def nik(self, born: date, sex: str, region: str = "") -> str:
        """Region, birth date (a woman's day + 40), random serial; never given twice."""
        day = born.day + (40 if sex == WOMAN else 0)
        return self._unused(f"{region or self._region(born)}{day:02}{born:%m%y}")

    def kk(self, issued: date) -> str:
        """Region, day of issue, random serial."""
        return self._unused(f"{self.code[:8].replace('.', '')}{issued:%d%m%y}")

    def phone(self) -> str:
        """Random: phones carry no pattern that a bench could profit from."""
        return f"+628{self.random.choice('125')}{self.random.randrange(10**8, 10**9)}"

    def _unused(self, start: str) -> str:
        while True:
            number = f"{start}{self.random.randint(1, 9999):04}"
            if number not in self.taken:
                self.taken.add(number)
                return number

    def _region(self, born: date) -> str:
        """Most were first recorded in the city, older ones when it was still Halmahera Tengah."""
        chance = self.random.random()
        if chance < 0.08:
            return self.random.choice(("817101", "827101", "827105", "820102", "730114", "920101"))
        if born.year < 1985 and chance < 0.30:
            return f"8202{self.random.randint(1, 10):02}"
        if chance < 0.75:
            return self.code[:8].replace(".", "")
        return f"8272{self.random.randint(1, 8):02}"

    # --- names and days

    def name(self, sex: str, clan: str = "") -> str:
        """One to three words; single names are common, clans stand last."""
        given = self.words.men if sex == MAN else self.words.women
        size = self.random.choices((1, 2, 3), (25, 55, 20))[0]
        parts = self.random.sample(given, size)
        if clan and self.random.random() < 0.7:
            parts = [*parts[:2], clan]
        return " ".join(parts)

    def clan(self) -> str:
        """The clan a family goes by; a third has none."""
        if self.random.random() < 0.35:
            return ""
        return self.random.choice(self.words.clans)

    def born(self, youngest: int, oldest: int) -> date:
        """A birth date of somebody of that age on the day of the list, both ends included."""
        first = date(LIST_DATE.year - oldest - 1, LIST_DATE.month, LIST_DATE.day)
        days = (oldest - youngest + 1) * 365
        return first + timedelta(days=1 + self.random.randrange(days))

    # --- families

    def home(self) -> dict[str, str]:
        """Where a family lives: street or only the hamlet, RT and RW."""
        hamlet = self.random.choice(self.words.hamlets)
        street = f"Jalan {self.random.choice(self.words.streets)}"
        if self.random.random() < 0.5:
            street += f" No. {self.random.randint(1, 180)}"
        return {
            "address": street if self.random.random() < 0.8 else f"Dusun {hamlet}",
            "rt": f"{self.random.randint(1, 8):03}",
            "rw": f"{self.random.randint(1, 3):03}",
            "dusun": hamlet,
        }

    def family(self) -> Family:
        """A couple with children, a widowed parent or somebody alone; sometimes a grandparent."""
        kind = self.random.choices(("couple", "widowed", "alone"), (74, 16, 10))[0]
        head_born = self.born(*((22, 68) if kind == "couple" else (30, 84)))
        home, clan = self.home(), self.clan()
        faith = self.random.choices(("1", "2", "3"), (84, 14, 2))[0]
        card = {"kk": self.kk(self._issued(head_born)), "religion": faith, **home}
        if kind == "couple":
            members = self._couple(head_born, clan, card)
        else:
            sex = WOMAN if self.random.random() < 0.7 else MAN
            marital = "6" if kind == "widowed" else self.random.choice(("1", "4", "6"))
            members = [self.person(sex, head_born, HEAD, marital, card, clan=clan)]
        if kind != "alone":
            members += self._children(members, clan, card)
        if kind == "couple" and self.random.random() < 0.15:
            old = self.born(64, 93)
            members.append(self.person(WOMAN, old, PARENT, "6", card))
        return Family(card["kk"], tuple(members))

    def _couple(self, head_born: date, clan: str, card: dict[str, str]) -> list[Person]:
        marital = "3" if self.random.random() < 0.12 else "2"
        years = (LIST_DATE - head_born).days // 365
        wife_born = self.born(max(19, years - 12), max(20, years + 4))
        return [
            self.person(MAN, head_born, HEAD, marital, card, clan=clan),
            self.person(WOMAN, wife_born, WIFE, marital, card),
        ]

    def _children(self, parents: list[Person], clan: str, card: dict[str, str]) -> list[Person]:
        mother = parents[-1]
        oldest = min(mother.age, parents[0].age) - 19
        count = min(self.random.choices(range(6), (10, 22, 28, 22, 12, 6))[0], max(oldest, 0))
        found = []
        for _ in range(count):
            born = self.born(0, min(oldest, 30))
            child = self.person(
                self.random.choice((MAN, WOMAN)), born, CHILD, "1", card, clan=clan, parents=parents
            )
            found.append(child)
        return sorted(found, key=lambda child: child.birth_date)

    def person(
        self,
        sex: str,
        born: date,
        shdk: str,
        marital: str,
        card: dict[str, str],
        *,
        clan: str = "",
        parents: list[Person] | None = None,
        known: dict[str, str] | None = None,
    ) -> Person:
        """Somebody of a family card; `known` fixes what the story needs."""
        years = (LIST_DATE - born).days // 365
        of_both = parents and len(parents) > 1
        father = parents[0] if parents and of_both else None
        mother = parents[-1] if parents and parents[-1].sex == WOMAN else None
        values: dict[str, str] = {
            "name": self.name(sex, clan),
            "nik": self.nik(born, sex),
            "birth_place": self.random.choice(self.words.birth_places),
            "education": self._education(years),
            "job": self._job(sex, years),
            "blood": self.random.choice("1234") if self.random.random() < 0.3 else "13",
            "father_name": father.name if father else self.name(MAN, clan),
            "mother_name": mother.name if mother else self.name(WOMAN),
            "father_nik": father.nik if father else "",
            "mother_nik": mother.nik if mother else "",
            "phone": self.phone() if years >= 15 and self.random.random() < 0.6 else "",
            "enrolment": self._enrolment(years),
            "residence": self._residence(years),
        }
        return Person(
            sex=sex,
            birth_date=born,
            shdk=shdk,
            marital=marital,
            **{**values, **card, **(known or {})},
        )

    def _issued(self, head_born: date) -> date:
        earliest = max(date(2004, 1, 5), head_born + timedelta(days=20 * 365))
        return earliest + timedelta(days=self.random.randrange((LIST_DATE - earliest).days))

    def _education(self, years: int) -> str:
        if years < 6:
            return "1"
        if years < 13:
            return "2"
        if years < 16:
            return "3"
        if years < 19:
            return "4"
        weights = (4, 10, 24, 18, 32, 1, 2, 9) if years > 45 else (1, 2, 10, 17, 48, 2, 4, 16)
        return self.random.choices([str(code) for code in range(1, 9)], weights)[0]

    def _job(self, sex: str, years: int) -> str:
        if years < 6:
            return "1"
        if years < 18:
            return "3"
        if sex == WOMAN:
            return self.random.choices(("2", "9", "65", "88", "5", "84"), (60, 14, 6, 10, 6, 4))[0]
        return self.random.choices(("9", "11", "88", "19", "5", "81"), (40, 24, 16, 10, 6, 4))[0]

    def _enrolment(self, years: int) -> str:
        """Of the card-liable, some 93 in 100 are recorded; lists often say nothing of children."""
        if years < 17:
            return self.random.choice(("", "BELUM WAJIB"))
        if not self.recorded:
            return "BELUM REKAM"
        words = ("CARD_SHIPPED", "CARD_PRINTED", "PRINT_READY_RECORD", "SENT_FOR_CARD_PRINTING")
        chances = (40, 28, 9, 8, 8, 3, 4)
        return self.random.choices((*words, "BELUM REKAM", "DUPLICATE_RECORD", ""), chances)[0]

    def _residence(self, years: int) -> str:
        chances = (96, 2, 2) if years > 60 else (98.2, 0.3, 1.5)
        return self.random.choices(("resident", "dead", "moved"), chances)[0]

    # --- the story's own families

    def gamlamo(self) -> Family:
        """The family at the heart of the story: a first-timer, a small child, a grandfather."""
        kk = self.kk(date(2009, 3, 17))
        card = {"kk": kk, "religion": "1", "address": "Jalan Kora Kora No. 4"}
        card |= {"rt": "002", "rw": "001", "dusun": "Gam Sungi"}
        father = self._named(
            "father", "Jaidun Gamlamo", MAN, date(1984, 2, 9), HEAD, "2", card, "CARD_SHIPPED"
        )
        mother = self._named(
            "mother", "Nur'ain", WOMAN, date(1988, 7, 30), WIFE, "2", card, "CARD_PRINTED"
        )
        both = [father, mother]
        son = self._named(
            "first_timer", "Fikri Gamlamo", MAN, date(2009, 11, 3), CHILD, "1", card, "BELUM REKAM",
            parents=both,
        )  # fmt: skip
        daughter = self._named(
            "small_child", "Nadira Gamlamo", WOMAN, date(2022, 4, 18), CHILD, "1", card, "",
            parents=both,
        )  # fmt: skip
        old = self._named(
            "grandfather", "Salasa", MAN, date(1949, 7, 1), PARENT, "6", card, "BELUM REKAM"
        )
        return Family(kk, (father, mother, son, daughter, old))

    def soasangaji(self) -> Family:
        """A couple grown old with a grown son: a death to report, a new family to come."""
        kk = self.kk(date(2012, 8, 6))
        card = {"kk": kk, "religion": "1", "address": "Dusun Kota Gam"}
        card |= {"rt": "001", "rw": "002", "dusun": "Kota Gam"}
        husband = self._named(
            "old_man", "Kader Soasangaji", MAN, date(1958, 12, 31), HEAD, "2", card, "CARD_SHIPPED"
        )
        wife = self._named(
            "old_woman", "Sa'diah", WOMAN, date(1963, 5, 22), WIFE, "2", card, "CARD_SHIPPED"
        )
        son = self._named(
            "son", "Rif'at Soasangaji", MAN, date(1997, 9, 12), CHILD, "1", card,
            "PRINT_READY_RECORD", parents=[husband, wife],
        )  # fmt: skip
        return Family(kk, (husband, wife, son))

    def _named(
        self,
        part: str,
        name: str,
        sex: str,
        born: date,
        shdk: str,
        marital: str,
        card: dict[str, str],
        enrolment: str,
        *,
        parents: list[Person] | None = None,
    ) -> Person:
        known = {"part": part, "name": name, "enrolment": enrolment, "residence": "resident"}
        known["phone"] = self.phone() if age(born, TODAY) >= 17 else ""
        return self.person(sex, born, shdk, marital, card, parents=parents, known=known)
