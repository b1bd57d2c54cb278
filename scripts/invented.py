"""Invented people and their requests, by seed: for the wire dictionary and for the benches.

People are made as those of the test village are: a NIK is a region, the person's own birth date and
a random serial. The words come from one of the vocabularies of `tests.vocabulary`.

A request starts from the example in the service's file. Every person in it becomes another one
(wherever the person occurs), every date moves, every free text and number is drawn anew, and some
codes change; what comes out has passed the service's own check.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from random import Random
from typing import Any

import msgspec

from models import regions
from models.fields import Field, split_row
from models.forms import Slot
from models.services import Service, catalogue
from tests.village import Maker as People
from tests.vocabulary import Vocabulary

TRIES = 12
ADULT_DAYS = 17 * 365 + 5
NEWBORN_DAYS = 400
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}~?")


class Request(msgspec.Struct, frozen=True):
    """Normal answers that passed the check. day: when it was taken."""

    service: str
    edition: int
    answers: dict[str, Any]
    documents: tuple[str, ...]
    reasons: dict[str, str]
    day: date


class Maker:
    """Draws requests. `words` gives names and places, `rng` everything else.

    extra: how often a question that the example leaves open is answered all the same, 0 to 1.
    """

    def __init__(self, words: Vocabulary, rng: Random, *, extra: float = 0.0) -> None:
        self.words = words
        self.rng = rng
        self.extra = extra
        self.catalogue = catalogue()
        self.villages = [village.code for village in regions.villages()]

    def people(self) -> People:
        """Makes people of some village."""
        return People(self.rng, self.rng.choice(self.villages), self.words, recorded=True)

    # -- requests

    def request(self, slug: str, today: date) -> Request:
        """A request of that service taken on `today`."""
        service = self.catalogue.service(slug)
        for left in reversed(range(TRIES)):
            made = _Draft(self, service, today, wild=left > TRIES // 2).request()
            if made is not None:
                return made
        raise RuntimeError(f"no valid request of {slug} in {TRIES} tries")


class _Draft:
    """One request in the making: old people, numbers and days of the example -> new ones."""

    def __init__(self, maker: Maker, service: Service, today: date, *, wild: bool) -> None:
        self.maker, self.rng, self.words = maker, maker.rng, maker.words
        self.service, self.today, self.wild = service, today, wild
        self.people = maker.people()
        example = service.example
        checked = service.check(
            example.answers, example.documents, example.reasons, today=example.day
        )
        self.old = checked.answers
        self.drift = today - example.day - timedelta(days=self.rng.randrange(6))
        self.numbers: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.days: dict[str, str] = {}

    def request(self) -> Request | None:
        """The request, or None when what was drawn does not pass the check."""
        self._meet_people()
        answers = {}
        for key, value in self.old.items():
            slot, _ = self._slot(key)
            answers[key] = self._new(slot, value)
        if self.wild:
            answers |= self._extra(answers)
        documents = self.service.example.documents
        reasons = self.service.example.reasons
        checked = self.service.check(answers, documents, reasons, today=self.today)
        doubts = {p.key for p in checked.problems if p.stops and p.severity == "warning"}
        reasons = dict(reasons) | {key: self.rng.choice(self.words.notes) for key in sorted(doubts)}
        checked = self.service.check(answers, documents, reasons, today=self.today)
        if not checked.ok:
            return None
        return Request(
            self.service.slug, self.service.edition, checked.answers, checked.documents,
            reasons, self.today,
        )  # fmt: skip

    def _slot(self, key: str) -> tuple[Slot, int]:
        found = self.service.plan.slot(key)
        assert found is not None
        return found

    # -- people

    def _meet_people(self) -> None:
        """Everybody in the example, by NIK where there is one; the dates and names beside it."""
        for key, value in self.old.items():
            kind = self._slot(key)[0].field.kind
            if kind == "nik":
                prefix = key.removesuffix("nik")
                name, born = self.old.get(f"{prefix}name"), self.old.get(f"{prefix}birth_date")
                self._meet(value, name, born, self.old.get(f"{prefix}sex"))
            elif kind == "person":
                self._meet(value.get("nik"), value.get("name"))
            elif kind == "people":
                for one in value:
                    self._meet(one.get("nik"), one.get("name"))
        for key, value in self.old.items():
            if self._slot(key)[0].field.kind == "name" and value not in self.names:
                self.names[value] = _plain(self._name(self.rng.choice("12")))

    def _meet(
        self, number: str | None, name: str | None, day: str | None = None, sex: str | None = None
    ) -> None:
        if not number or number in self.numbers:
            return
        first = int(number[6:8])
        sex = sex or ("2" if first > 40 else "1")
        old = _day(day) or _from_digits(number, self.service.example.day)
        born = self._born(old)
        self.numbers[number] = self.people.nik(born, sex)
        self.days[old.isoformat()] = born.isoformat()
        if name:
            self.names[name] = self._name(sex)

    def _name(self, sex: str) -> str:
        return self.people.name(sex, self.people.clan())

    def _born(self, old: date) -> date:
        """Newborns stay newborn; children keep about their age; adults get any age above theirs."""
        age = (self.service.example.day - old).days
        if age <= NEWBORN_DAYS:
            return old + self.drift
        if age < ADULT_DAYS:
            return old + self.drift - timedelta(days=self.rng.randint(-60, 200) if self.wild else 0)
        older = 0 if age > 60 * 365 else self.rng.randrange(18 * 365)
        return old + self.drift - timedelta(days=older)

    # -- values

    def _new(self, slot: Slot, value: Any) -> Any:
        make = _MAKERS.get(slot.field.kind)
        return value if make is None else make(self, slot, value)

    def number(self, _: Slot, value: Any) -> Any:
        """A NIK or family card: the same new one for the same old one."""
        if value not in self.numbers:
            issued = self.today - timedelta(days=self.rng.randrange(20 * 365))
            self.numbers[value] = self.people.kk(issued)
        return self.numbers[value]

    def name(self, _: Slot, value: Any) -> Any:
        """The new name of a person, the same wherever the person stands."""
        return self.names.get(value) or self._name(self.rng.choice("12"))

    def day(self, _: Slot, value: Any) -> Any:
        """An event: some days before the request, the same day wherever it stands."""
        if value not in self.days:
            old = _day(value)
            assert old is not None
            self.days[value] = (old + self.drift).isoformat() + value[10:]
        return self.days[value]

    def text(self, slot: Slot, value: Any) -> Any:
        """Free text: an address, a place, a serial number or a note."""
        field = slot.field
        if field.digits:
            return f"{self.rng.randint(1, 12):0{field.digits}}" if field.pad else value
        if field.name == "address":
            return self.people.home()["address"]
        if "place" in field.name:
            return self.rng.choice(self.words.birth_places)
        if any(char.isdigit() for char in value):
            return re.sub(r"\d", lambda _: str(self.rng.randrange(10)), value)
        return self.rng.choice(self.words.notes) if field.kind == "text" and self.wild else value

    def code(self, slot: Slot, value: Any) -> Any:
        """Mostly as in the example: another code may open other questions."""
        if not self.wild or self.rng.random() > 0.2:
            return value
        return self.rng.choice(self._codes(slot.field))

    def _codes(self, field: Field) -> list[str]:
        allowed: Any = self.service.lists.allowed(field, self.service.plan)
        return sorted(getattr(allowed, "codes", allowed))

    def region(self, _: Slot, value: Any) -> Any:
        """Another village of the city."""
        return self.rng.choice(self.maker.villages) if len(value) == 13 else value

    def address(self, _: Slot, value: Any) -> Any:
        """An address that is one answer."""
        new = dict(value) | {"address": self.people.home()["address"]}
        return new | {p: f"{self.rng.randint(1, 12):03}" for p in ("rt", "rw") if p in value}

    def someone(self, slot: Slot, value: Any) -> Any:
        """One person of an answer that names people."""
        new = dict(value)
        if value.get("nik"):
            new["nik"] = self.number(slot, value["nik"])
        return new | {"name": self.name(slot, value["name"])}

    def several(self, slot: Slot, value: Any) -> Any:
        """Several people."""
        return [self.someone(slot, one) for one in value]

    def whole(self, slot: Slot, value: Any) -> Any:
        """A whole number near the one of the example."""
        if value < 20:
            return self.rng.randint(max(1, slot.field.min or 1), 6)
        return int(value * self.rng.uniform(0.8, 1.25))

    def decimal(self, _: Slot, value: Any) -> Any:
        """A measure near the one of the example, to one place."""
        return round(value * self.rng.uniform(0.92, 1.06), 1)

    def attachment(self, _: Slot, __: Any) -> Any:
        """A digest is random by nature."""
        return self.rng.randbytes(32).hex()

    def mail(self, _: Slot, __: Any) -> Any:
        """An address for mail."""
        name = self.rng.choice(self.words.men).lower().replace("'", "")
        return f"{name}{self.rng.randrange(100)}@gmail.com"

    def time(self, _: Slot, __: Any) -> Any:
        """A time of day."""
        return f"{self.rng.randrange(24):02}:{self.rng.randrange(12) * 5:02}"

    def phone(self, _: Slot, __: Any) -> Any:
        """A mobile number."""
        return self.people.phone()

    # -- questions the example leaves open

    def _extra(self, answers: dict[str, Any]) -> dict[str, Any]:
        found = {}
        rows = {key.partition(".")[0]: split_row(key)[1] for key in answers}
        for slot in self.service.plan.slots.values():
            row = rows.get(slot.block.section)
            if row is None or slot.field.stage != "intake" or slot.target or not slot.typed:
                continue
            if self.rng.random() < self.maker.extra:
                name = slot.field.name
                key = f"{slot.block.section}.{row}.{name}" if row else slot.path
                value = self._invent(slot)
                if key not in answers and value is not None:
                    found[key] = value
        return found

    def _invent(self, slot: Slot) -> Any:
        field = slot.field
        if field.guard == "central" or field.name in ("outside", "travel_doc", "no_nik_reason"):
            return None
        match field.kind:
            case "name":
                return self.name(slot, "")
            case "phone" | "email" | "time" | "attachment":
                return _MAKERS[field.kind](self, slot, "")
            case "str" if field.digits:
                return f"{self.rng.randint(1, 12):0{field.digits}}"
            case "str" if "place" in field.name:
                return self.rng.choice(self.words.birth_places)
            case "str" if field.name == "dusun":
                return self.rng.choice(self.words.hamlets)
            case "text":
                return self.rng.choice(self.words.notes)
            case "code" | "codes":
                return self.rng.choice(self._codes(field))
            case "bool":
                return "no"
        return None


_MAKERS: dict[str, Any] = {
    "nik": _Draft.number,
    "kk": _Draft.number,
    "name": _Draft.name,
    "date": _Draft.day,
    "str": _Draft.text,
    "text": _Draft.text,
    "code": _Draft.code,
    "region": _Draft.region,
    "address": _Draft.address,
    "person": _Draft.someone,
    "people": _Draft.several,
    "int": _Draft.whole,
    "decimal": _Draft.decimal,
    "attachment": _Draft.attachment,
    "email": _Draft.mail,
    "time": _Draft.time,
    "phone": _Draft.phone,
}


def _plain(name: str) -> str:
    """Letters only: today's rule for names that are given now."""
    return name.replace("'", "").replace("-", " ")


def _day(text: str | None) -> date | None:
    if not text or not _DAY.fullmatch(text):
        return None
    return date.fromisoformat(text.removesuffix("~"))


def _from_digits(number: str, today: date) -> date:
    """The birth date inside a NIK of an example."""
    day, month, year = int(number[6:8]) % 40, int(number[8:10]), int(number[10:12])
    century = 2000 if 2000 + year <= today.year else 1900
    return date(century + year, month, day)
