"""Requests of the invented village, as a van takes them in: rows of a `queue` file.

Every row is complete and passes `Service.check`; warnings carry the reason an operator would give.
Nobody asks for the same thing twice, unless a story does so on purpose with `row`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import msgspec

from models import regions
from models.people import age
from models.services import catalogue
from models.words import WIT
from tests import vocabulary
from tests.village import HEAD, MAN, TODAY, WIFE, WOMAN, Family, Person, Village
from tests.vocabulary import Vocabulary

MIX: Mapping[str, int] = {
    "ktp-new-enrolment": 24, "ktp-print-first": 6, "ktp-reprint-lost": 8, "ktp-reprint-damaged": 6,
    "kia-new-under5": 8, "kia-new-5to17": 8, "birth": 7, "birth-late": 3, "death": 3,
    "kk-new-family": 3, "kk-change": 6, "kk-reissue": 3, "data-element-change": 4,
    "move-within": 3, "village-poverty-letter": 3, "village-domicile-letter": 2,
    "nik-consolidation": 2, "ikd-activation": 1,
}  # fmt: skip
"""A van day: of a hundred requests so many are of each service."""

TOGETHER = 0.12
"""How often somebody asks for several members of the family at once."""

RECORDED = ("CARD_SHIPPED", "CARD_PRINTED", "PRINT_READY_RECORD", "SENT_FOR_CARD_PRINTING")
REASON = "Sudah dicocokkan dengan KK asli"


class Asked(msgspec.Struct, frozen=True):
    """What one citizen asks: the NIK it is filed under, answers as typed, papers brought."""

    nik: str
    answers: dict[str, Any]
    documents: list[str]


Builder = Callable[["Desk", Person], Asked | None]


def request_rows(
    village: Village,
    count: int,
    seed: int = 1,
    *,
    mix: Mapping[str, int] = MIX,
    start: datetime = datetime(2026, 11, 21, 8, 10, tzinfo=WIT),
    prefix: str = "v",
    words: Vocabulary | None = None,
) -> list[dict[str, Any]]:
    """`count` rows in the order they were taken, minutes apart, on the day of `start`.

    ValueError when the village has too few fitting people left: take a bigger one.
    """
    desk = Desk(village, Random(seed), start.date(), words or vocabulary.fresh())
    rows: list[dict[str, Any]] = []
    moment = start
    for group in _groups(desk, count, mix):
        together = f"{prefix}-{len(rows) + 1}" if len(group) > 1 else None
        for service, asked in group:
            moment += timedelta(seconds=desk.random.randrange(60, 900))
            if moment.date() != start.date():
                moment = start + timedelta(seconds=desk.random.randrange(60, 900))
            ref = f"{prefix}{seed}-{len(rows) + 1:05}"
            rows.append(_row(ref, service, asked, moment, together))
    return rows


def row(
    village: Village,
    service: str,
    person: Person,
    *,
    ref: str,
    seed: int = 1,
    taken_at: datetime = datetime(2026, 11, 21, 9, 0, tzinfo=WIT),
) -> dict[str, Any]:
    """One row of one person, for a story. ValueError when the service does not fit the person."""
    desk = Desk(village, Random(seed), taken_at.date(), vocabulary.fresh())
    asked = BUILDERS[service](desk, person)
    if asked is None:
        raise ValueError(f"{service} does not fit a person of {person.age}")
    return _row(ref, service, asked, taken_at, None)


def _groups(desk: Desk, count: int, mix: Mapping[str, int]) -> Iterator[list[tuple[str, Asked]]]:
    """Requests one by one, now and then all of a family at once, `count` in all."""
    pool = {service: desk.shuffled() for service in mix}
    left = count
    while left:
        service = desk.random.choices(list(pool), [mix[name] for name in pool])[0]
        found = _next(desk, service, pool[service])
        if found is None:
            del pool[service]
            if not pool:
                raise ValueError("the village is too small for so many requests")
            continue
        person, asked = found
        group = [(service, asked)]
        if left > 1 and desk.random.random() < TOGETHER:
            group += desk.companions(person, list(pool), left - 1)
        left -= len(group)
        yield group


def _next(desk: Desk, service: str, people: list[Person]) -> tuple[Person, Asked] | None:
    while people:
        person = people.pop()
        asked = desk.ask(service, person)
        if asked is not None:
            return person, asked
    return None


def _row(
    ref: str, service: str, asked: Asked, moment: datetime, together: str | None
) -> dict[str, Any]:
    """The row with the reasons its warnings need; AssertionError if it is not a valid request."""
    form = catalogue().service(service)
    found = form.check(asked.answers, asked.documents, {}, today=moment.date())
    reasons = {one.key: REASON for one in found.problems if one.stops and one.passable()}
    if reasons:
        found = form.check(asked.answers, asked.documents, reasons, today=moment.date())
    assert found.ok, (service, [one for one in found.problems if one.stops])
    made: dict[str, Any] = {"ref": ref, "service": service, "nik": asked.nik}
    made |= {"answers": asked.answers, "documents": asked.documents, "reasons": reasons}
    made["taken_at"] = moment.isoformat()
    if together:
        made["family"] = together
    return made


class Desk:
    """Knows who asked for what, and makes what a citizen would answer."""

    def __init__(self, village: Village, random: Random, today: date, words: Vocabulary) -> None:
        self.village = village
        self.random = random
        self.today = today
        self.words = words
        self.here = [person for person in village.people if person.here]
        self.families = {family.kk: family for family in village.families}
        self.asked: set[tuple[str, str]] = set()
        self.gone: set[str] = set()  # NIK of the dead and of those who moved: nothing else of them

    def shuffled(self) -> list[Person]:
        """Everybody who lives here, in an order of chance."""
        return self.random.sample(self.here, len(self.here))

    def ask(self, service: str, person: Person) -> Asked | None:
        """The request, once a person and service; None where it does not fit this person."""
        if person.nik in self.gone or (service, person.nik) in self.asked:
            return None
        made = BUILDERS[service](self, person)
        if made is not None:
            self.asked.add((service, person.nik))
        return made

    def companions(self, person: Person, services: list[str], most: int) -> list[tuple[str, Asked]]:
        """Up to `most` requests of others on the same family card, at most three."""
        found: list[tuple[str, Asked]] = []
        for other in self.family(person).members:
            if other is person or not other.here or len(found) >= min(most, 3):
                continue
            for service in self.random.sample(services, len(services)):
                if service in PERSONAL and (made := self.ask(service, other)) is not None:
                    found.append((service, made))
                    break
        return found

    def family(self, person: Person) -> Family:
        """Everybody on the person's family card."""
        return self.families[person.kk]

    def age(self, person: Person) -> int:
        """Full years today."""
        return age(person.birth_date, self.today)

    def parent(self, child: Person) -> Person | None:
        """A grown parent of the child, living and on the same card."""
        for one in self.family(child).members:
            if one.nik in (child.mother_nik, child.father_nik) and self.may_ask(one):
                return one
        return None

    def spouse(self, person: Person) -> Person | None:
        """The husband or wife on the same card."""
        wanted = {HEAD: WIFE, WIFE: HEAD}.get(person.shdk)
        for one in self.family(person).members:
            if wanted and one.shdk == wanted and one.marital in "23" and one.sex != person.sex:
                return one if one.here else None
        return None

    def may_ask(self, person: Person) -> bool:
        """Whether the person is grown, lives here and is not the subject of a death or a move."""
        return person.here and person.nik not in self.gone and self.age(person) >= 17

    def start(self, person: Person, relation: str = "self", **address: str) -> dict[str, Any]:
        """The applicant and the address, which every form begins with."""
        applicant = {
            "name": person.name, "nik": person.nik, "kk": person.kk, "relation": relation,
        }  # fmt: skip
        if person.phone:
            applicant["phone"] = person.phone
        place = {
            "address": person.address, "rt": person.rt, "rw": person.rw, "dusun": person.dusun,
            "village": self.village.code,
        }  # fmt: skip
        return {"applicant": applicant, "address": place | address}

    def witnesses(self, *not_these: Person) -> list[dict[str, str]]:
        """Two grown neighbours."""
        found: list[dict[str, str]] = []
        while len(found) < 2:
            one = self.random.choice(self.here)
            taken = [person.nik for person in not_these] + [each["nik"] for each in found]
            if self.may_ask(one) and one.nik not in taken:
                found.append({"name": one.name, "nik": one.nik, "citizenship": "1"})
        return found

    def days_ago(self, first: int, last: int) -> date:
        """A day between `first` and `last` days back."""
        return self.today - timedelta(days=self.random.randint(first, last))

    def clock(self) -> str:
        """Any minute of the day."""
        return f"{self.random.randrange(24):02}:{self.random.randrange(60):02}"


# --- cards ---------------------------------------------------------------------------------------


def _enrolment(desk: Desk, person: Person) -> Asked | None:
    if desk.age(person) < 17 or person.enrolment in RECORDED:
        return None
    answers = desk.start(person)
    answers["ktp_enrolment_queue"] = {
        "birth_date": person.birth_date.isoformat(),
        "sex": person.sex,
    }
    return Asked(person.nik, answers, ["KK"])


def _print_first(desk: Desk, person: Person) -> Asked | None:
    if desk.age(person) < 17 or person.enrolment != "PRINT_READY_RECORD":
        return None
    return Asked(person.nik, desk.start(person), ["KK"])


def _lost(desk: Desk, person: Person) -> Asked | None:
    if desk.age(person) < 17 or person.enrolment not in RECORDED:
        return None
    helper = desk.spouse(person)
    if helper is None or not desk.may_ask(helper) or desk.random.random() < 0.8:
        return Asked(person.nik, desk.start(person), ["POLICE", "KK"])
    answers = desk.start(helper, "proxy")
    answers["proxy"] = {
        "giver_name": person.name, "giver_nik": person.nik, "purpose": ["ktp-reprint-lost"],
        "reason": "Sakit", "signed_on": desk.days_ago(0, 4).isoformat(),
    }  # fmt: skip
    answers["card"] = {"name": person.name, "nik": person.nik, "kk": person.kk}
    return Asked(person.nik, answers, ["POLICE", "KK", "F-1.07"])


def _damaged(desk: Desk, person: Person) -> Asked | None:
    if desk.age(person) < 17 or person.enrolment not in RECORDED:
        return None
    return Asked(person.nik, desk.start(person), ["OLD_KTP", "KK"])


def _child_card(
    desk: Desk, child: Person, youngest: int, oldest: int, papers: list[str]
) -> Asked | None:
    parent = desk.parent(child)
    if parent is None or not youngest <= desk.age(child) <= oldest:
        return None
    answers = desk.start(parent, "parent")
    answers["card"] = {"name": child.name, "nik": child.nik, "kk": child.kk}
    return Asked(child.nik, answers, papers)


def _kia_small(desk: Desk, child: Person) -> Asked | None:
    return _child_card(desk, child, 0, 4, ["BIRTH_DEED", "KK", "PARENT_KTP"])


def _kia_big(desk: Desk, child: Person) -> Asked | None:
    return _child_card(desk, child, 5, 16, ["BIRTH_DEED", "KK", "PARENT_KTP", "PHOTO23"])


# --- births and deaths ---------------------------------------------------------------------------


def _parents(father: Person, mother: Person) -> dict[str, str]:
    found: dict[str, str] = {}
    for who, one in (("father", father), ("mother", mother)):
        found[f"{who}_name"] = one.name
        found[f"{who}_nik"] = one.nik
        found[f"{who}_birth_place"] = one.birth_place
        found[f"{who}_birth_date"] = one.birth_date.isoformat()
        found[f"{who}_citizenship"] = "1"
    return found


def _birth(desk: Desk, mother: Person) -> Asked | None:
    father = desk.spouse(mother)
    if mother.sex != WOMAN or not 19 <= desk.age(mother) <= 42 or father is None:
        return None
    if mother.marital != "2" or not desk.may_ask(father):
        return None
    sex = desk.random.choice((MAN, WOMAN))
    given = desk.words.men if sex == MAN else desk.words.women
    child = " ".join(desk.random.sample([name for name in given if "'" not in name], 2))
    answers = desk.start(mother if desk.random.random() < 0.6 else father, "parent")
    answers["reporter"] = {"citizenship": "1"}
    answers["subject"] = {
        "name": child, "citizenship": "1", "birth_date": desk.days_ago(2, 55).isoformat(),
    }  # fmt: skip
    answers["witness"] = desk.witnesses(mother, father)
    answers["parents"] = _parents(father, mother)
    order = sum(one.mother_nik == mother.nik for one in desk.family(mother).members) + 1
    answers["birth"] = {
        "sex": sex, "place_kind": desk.random.choice("1234"), "time": desk.clock(),
        "place": desk.random.choice(desk.words.birth_places), "plurality": "1", "order": order,
        "helper": desk.random.choice("122"), "weight_g": desk.random.randrange(2400, 4200, 10),
        "length_cm": desk.random.randrange(450, 540, 5) / 10,
    }  # fmt: skip
    return Asked(mother.nik, answers, ["BIRTH_LETTER", "MARRIAGE", "KK"])


def _birth_late(desk: Desk, child: Person) -> Asked | None:
    family = {one.nik: one for one in desk.family(child).members if desk.may_ask(one)}
    father, mother = family.get(child.father_nik), family.get(child.mother_nik)
    if father is None or mother is None or not 1 <= desk.age(child) <= 16:
        return None
    if mother.marital != "2" or "'" in child.name:
        return None  # a deed given today takes no apostrophe (Permendagri 73/2022)
    answers = desk.start(mother, "parent")
    answers["reporter"] = {"citizenship": "1"}
    answers["subject"] = {
        "name": child.name, "nik": child.nik, "kk": child.kk, "citizenship": "1",
        "birth_date": child.birth_date.isoformat(),
    }  # fmt: skip
    witnesses = desk.witnesses(mother, father)
    answers["witness"] = witnesses
    answers["parents"] = _parents(father, mother)
    order = [one.nik for one in desk.family(child).members if one.mother_nik == mother.nik]
    answers["birth"] = {
        "sex": child.sex, "place_kind": "4", "place": child.birth_place, "plurality": "1",
        "order": order.index(child.nik) + 1, "helper": desk.random.choice("23"),
    }  # fmt: skip
    answers["birth_statement"] = {
        f"witness{at}": {"name": one["name"], "nik": one["nik"]}
        for at, one in enumerate(witnesses, start=1)
    }
    return Asked(child.nik, answers, ["KK", "F-2.03", "MARRIAGE"])


def _death(desk: Desk, dead: Person) -> Asked | None:
    reporter = next((one for one in desk.family(dead).members if one is not dead), None)
    if desk.age(dead) < 55 or reporter is None or not desk.may_ask(reporter):
        return None
    if any(nik == dead.nik for _, nik in desk.asked):
        return None  # who asks for a card today is alive
    relation = "child" if dead.nik in (reporter.father_nik, reporter.mother_nik) else "family"
    if desk.spouse(dead) is reporter:
        relation = "spouse"
    desk.gone.add(dead.nik)
    answers = desk.start(reporter, relation)
    answers["reporter"] = {"citizenship": "1"}
    answers["subject"] = {
        "name": dead.name, "nik": dead.nik, "kk": dead.kk, "citizenship": "1",
        "birth_date": dead.birth_date.isoformat(),
    }  # fmt: skip
    answers["witness"] = desk.witnesses(dead, reporter)
    answers["death"] = {
        "date": desk.days_ago(1, 200).isoformat(), "time": desk.clock(), "certified_by": "4",
        "cause": desk.random.choice("111136"), "place": desk.village.name,
    }  # fmt: skip
    return Asked(dead.nik, answers, ["DEATH_LETTER", "KK"])


# --- family cards and moves ----------------------------------------------------------------------


def _new_family(desk: Desk, man: Person) -> Asked | None:
    if man.sex != MAN or man.marital != "1" or not 20 <= desk.age(man) <= 38:
        return None
    bride = next(
        (
            one
            for one in desk.shuffled()
            if one.sex == WOMAN and one.marital == "1" and 19 <= desk.age(one) <= 38
            and one.kk != man.kk and one.nik not in desk.gone
        ),
        None,
    )  # fmt: skip
    if bride is None:
        return None
    desk.gone.add(bride.nik)
    answers = desk.start(man)
    answers["family_member"] = [
        {"nik": man.nik, "name": man.name, "shdk": "1"},
        {"nik": bride.nik, "name": bride.name, "shdk": "3"},
    ]
    return Asked(man.nik, answers, ["MARRIAGE", "KK_OLD"])


def _kk_change(desk: Desk, head: Person) -> Asked | None:
    if head.shdk not in (HEAD, WIFE) or not desk.may_ask(head):
        return None
    guest = desk.random.choice(desk.here)
    if guest.kk == head.kk or guest.shdk == HEAD or guest.nik in desk.gone:
        return None
    answers = desk.start(head)
    answers["card"] = {"request": ["I.B.1"]}
    answers["family_member"] = [{"nik": guest.nik, "name": guest.name, "shdk": "9"}]
    return Asked(head.nik, answers, ["KK_OLD", "CHANGE_PROOF"])


def _kk_reissue(desk: Desk, head: Person) -> Asked | None:
    if head.shdk not in (HEAD, WIFE) or not desk.may_ask(head):
        return None
    answers = desk.start(head)
    del answers["applicant"]["kk"]
    answers["card"] = {"request": ["I.C.1"]}
    return Asked(head.nik, answers, ["POLICE", "KTP"])


def _data_change(desk: Desk, person: Person) -> Asked | None:
    if not desk.may_ask(person):
        return None
    answers = desk.start(person)
    answers["card"] = {"request": ["IV.A"]}
    answers["data_change"] = {
        "members": [{"name": person.name, "nik": person.nik, "shdk": person.shdk}],
        "element": "occupation",
        "old_value": "Belum/Tidak Bekerja",
        "new_value": desk.random.choice(("Nelayan/Perikanan", "Petani/Pekebun", "Wiraswasta")),
        "basis": f"Surat keterangan desa nomor {desk.random.randint(1, 400)}/2026",
    }
    return Asked(person.nik, answers, ["KK_OLD", "CHANGE_PROOF"])


def _move(desk: Desk, head: Person) -> Asked | None:
    members = [one for one in desk.family(head).members if one.here]
    if head.shdk != HEAD or not desk.may_ask(head) or len(members) < 2:
        return None
    if any(nik == one.nik for _, nik in desk.asked for one in members):
        return None  # a move decides first what else the family may ask here
    desk.gone.update(one.nik for one in members)
    target = desk.random.choice(regions.villages())
    answers = desk.start(head, tenure="own")
    answers["move"] = {
        "kind": "2",
        "class": "3" if target.code[:8] != desk.village.code[:8] else "2",
        "reason": desk.random.choice("1256"),
        "who": "2",
        "move_kk": "2",
        "movers": [{"nik": one.nik, "name": one.name, "shdk": one.shdk} for one in members],
        "to_address": {
            "address": f"Jalan {desk.random.choice(desk.words.streets)}",
            "rt": f"{desk.random.randint(1, 9):03}",
            "rw": f"{desk.random.randint(1, 4):03}",
            "village": target.code,
        },
    }
    answers["move_check"] = {
        "only_minors_stay": "no",
        "minor_alone": "no",
        "minor_joins_kk": "no",
    }
    return Asked(head.nik, answers, ["KK", "OLD_KTP"])


# --- the rest ------------------------------------------------------------------------------------

PURPOSES = {
    "village-poverty-letter": ("Keringanan biaya sekolah", "Pengobatan di rumah sakit"),
    "village-domicile-letter": ("Membuka rekening bank", "Melamar pekerjaan"),
}


def _letter(desk: Desk, person: Person, service: str, papers: list[str]) -> Asked | None:
    if not desk.may_ask(person):
        return None
    answers = desk.start(person)
    answers["village_letter"] = {"purpose": desk.random.choice(PURPOSES[service])}
    return Asked(person.nik, answers, papers)


def _poverty(desk: Desk, person: Person) -> Asked | None:
    return _letter(desk, person, "village-poverty-letter", ["KK", "KTP"])


def _domicile(desk: Desk, person: Person) -> Asked | None:
    return _letter(desk, person, "village-domicile-letter", ["KTP"])


def _consolidation(desk: Desk, person: Person) -> Asked | None:
    if not desk.may_ask(person):
        return None
    answers = desk.start(person)
    refused = ("BPJS Kesehatan", "Bank penyalur bantuan", "Samsat", "Pendaftaran sekolah")
    answers["consolidation"] = {
        "refused_by": desk.random.choice(refused),
        "message": "NIK tidak ditemukan",
    }
    return Asked(person.nik, answers, ["KK", "KTP"])


def _ikd(desk: Desk, person: Person) -> Asked | None:
    if not desk.may_ask(person) or not person.phone or person.enrolment not in RECORDED:
        return None
    answers = desk.start(person)
    word = "".join(sign for sign in person.name.lower() if sign.isalpha())[:12]
    answers["applicant"]["email"] = f"{word}{desk.random.randrange(1000)}@contoh.id"
    answers["ikd_activation"] = {"device_os": "android"}
    return Asked(person.nik, answers, ["PHONE", "KTP"])


BUILDERS: Mapping[str, Builder] = {
    "ktp-new-enrolment": _enrolment, "ktp-print-first": _print_first, "ktp-reprint-lost": _lost,
    "ktp-reprint-damaged": _damaged, "kia-new-under5": _kia_small, "kia-new-5to17": _kia_big,
    "birth": _birth, "birth-late": _birth_late, "death": _death, "kk-new-family": _new_family,
    "kk-change": _kk_change, "kk-reissue": _kk_reissue, "data-element-change": _data_change,
    "move-within": _move, "village-poverty-letter": _poverty,
    "village-domicile-letter": _domicile, "nik-consolidation": _consolidation,
    "ikd-activation": _ikd,
}  # fmt: skip
"""Service -> what this person would answer, or None where it does not fit them."""

PERSONAL = frozenset(BUILDERS) - {"death", "move-within", "kk-new-family"}
"""Services that several members of a family bring along together."""


def services_of(rows: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """How many rows of each service."""
    return Counter(row["service"] for row in rows)


__all__ = ["BUILDERS", "MIX", "TODAY", "request_rows", "row", "services_of"]
