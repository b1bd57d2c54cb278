"""What the demonstration tells about: whose requests, and what is typed.

By default the people are those of the invented village; with a real sheet they are read from it by
the program's own reader. Either way each request is of somebody who stands in the list.
"""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from field_client.clock import EARLIEST
from models import nik, regions
from models.roster.reading import read_roster
from models.roster.residents import Resident
from models.words import WIT
from tests.requests import request_rows, row, services_of
from tests.sheets import write_opensid
from tests.village import HEAD, LIST_DATE, Family, Person, Village, village

VAN_ROWS = 60
VILLAGE_ROWS = 12
PEOPLE = 400
KEEP_DAYS = 90

ENROLMENT_WORDS = {"enrolled": "CARD_PRINTED", "not_enrolled": "BELUM REKAM", "unknown": ""}
ANY_GROWN = ("ktp-new-enrolment", "ktp-reprint-damaged", "nik-consolidation")
"""Services that are tried in turn for the people the story is about."""


@dataclass(frozen=True)
class Cast:
    """corrected: whose request is corrected in two places. twice: who asks in two places."""

    corrected: Person
    twice: Person


@dataclass(frozen=True)
class Story:
    """Everything that is typed. roster: the village's list as a sheet. listed: its day."""

    place: Village
    roster: Path
    listed: date
    today: date
    cast: Cast
    van: list[dict[str, Any]]
    office: list[dict[str, Any]]

    def write(self, folder: Path) -> tuple[Path, Path]:
        """The rows of both laptops as files for `jemput queue`."""
        files = folder / "van.jsonl", folder / "village.jsonl"
        for file, rows in zip(files, (self.van, self.office), strict=True):
            text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows)
            file.write_text(text, encoding="utf-8")
        return files


def the_day(now: float) -> date:
    """Today as a laptop counts it: never before the program was made."""
    return datetime.fromtimestamp(max(now, EARLIEST), WIT).date()


def invented(folder: Path, today: date) -> Story:
    """A day in Gita."""
    place = village(PEOPLE)
    sheet = write_opensid(folder / "penduduk-gita.xlsx", place.people)
    cast = Cast(place.cast["grandfather"], place.cast["mother"])
    return _story(place, place.families[2:], (), sheet, min(LIST_DATE, today), today, cast)


def from_sheet(sheet: Path, code: str, today: date) -> Story:
    """A day in a village whose real list is at hand. Where it names too few people who can ask for
    anything, invented neighbours come too. ValueError for a code that is no village."""
    place = _village(sheet, code, today)
    more = village(PEOPLE, code=code)
    everybody = Village(code, place.name, (*place.families, *more.families))
    grown = [one for one in everybody.people if one.here and _age(one, today) >= 18]
    cast = Cast(grown[0], next(one for one in grown if one.kk != grown[0].kk))
    named = {cast.corrected.kk, cast.twice.kk}
    listed = tuple(family for family in place.families if family.kk not in named)
    return _story(everybody, listed, more.families[2:], sheet, today, today, cast)


def _story(
    place: Village,
    listed: tuple[Family, ...],
    neighbours: tuple[Family, ...],
    sheet: Path,
    day: date,
    today: date,
    cast: Cast,
) -> Story:
    start = datetime(today.year, today.month, today.day, 8, 10, tzinfo=WIT)
    count = VAN_ROWS - 2 + VILLAGE_ROWS - 1
    rows = _rows(Village(place.code, place.name, listed), count, start, seed=7)
    if len(rows) < count:
        others = Village(place.code, place.name, neighbours)
        rows += _rows(others, count - len(rows), start, seed=8)
    here = VAN_ROWS - 2
    van, office = rows[:here], rows[here:]
    if van[-1].get("family"):  # a family does not stand in two files
        office = [_alone(one, van[-1]["family"]) for one in office]
    corrected = _asked(place, cast.corrected, "van-corrected", start)
    twice = _asked(place, cast.twice, "van-twice", start + timedelta(minutes=5))
    again = _asked(place, cast.twice, "village-twice", start + timedelta(hours=2))
    van, office = [corrected, twice, *van], [*office, again]
    return Story(place, sheet, day, today, cast, van, office)


def _rows(crowd: Village, count: int, start: datetime, seed: int) -> list[dict[str, Any]]:
    """Up to `count` requests: a real list may name too few people, or people whose data no form
    would take."""
    while count > 0:
        with contextlib.suppress(ValueError, AssertionError):
            return request_rows(crowd, count, seed, start=start)
        count = count * 3 // 4
    return []


def _alone(one: dict[str, Any], family: str) -> dict[str, Any]:
    return {k: v for k, v in one.items() if k != "family" or v != family}


def _asked(place: Village, person: Person, ref: str, at: datetime) -> dict[str, Any]:
    for service in ANY_GROWN:
        try:
            return row(place, service, person, ref=ref, taken_at=at)
        except (ValueError, AssertionError):
            continue
    raise ValueError("the people of the story can ask for nothing")


def kinds(rows: Sequence[dict[str, Any]]) -> str:
    """How many of which service, the most frequent first."""
    return ", ".join(f"{n} {service}" for service, n in services_of(rows).most_common(5)) + " …"


# -- a real list


def _village(sheet: Path, code: str, today: date) -> Village:
    found = regions.region(code)
    if found is None or not found.is_village:
        raise ValueError(f"{code} is no village of the city")
    families: dict[str, list[Person]] = defaultdict(list)
    for one in read_roster(sheet, as_of=today).residents:
        if one.sex and one.birth_date and _whole(one, today):
            families[one.kk].append(_person(one))
    members = (sorted(found, key=lambda one: one.shdk != HEAD) for found in families.values())
    made = tuple(Family(some[0].kk, tuple(some)) for some in members)
    return Village(code, found.name, made)


def _whole(one: Resident, today: date) -> bool:
    """Both numbers stand in the list as they are on the cards."""
    found = [*nik.check_nik(one.nik, today=today), *nik.check_kk(one.kk, today=today)]
    return bool(one.nik and one.kk) and not any(remark.severity == "error" for remark in found)


def _person(one: Resident) -> Person:
    assert one.birth_date is not None
    return Person(
        name=one.name, nik=one.nik, kk=one.kk, sex=one.sex,
        birth_place=one.birth_place or "Tidore", birth_date=one.birth_date,
        marital=one.marital or one.marital_card or "1", shdk=one.shdk, religion=one.religion,
        education=one.education, job=one.job, father_name=one.father_name,
        mother_name=one.mother_name, father_nik=one.father_nik, mother_nik=one.mother_nik,
        address=one.address or one.dusun or "-", rt=one.rt or "000", rw=one.rw or "000",
        dusun=one.dusun, enrolment=ENROLMENT_WORDS[one.enrolment],
        residence="resident" if one.residence in ("resident", "unknown") else one.residence,
    )  # fmt: skip


def _age(one: Person, today: date) -> int:
    return (today - one.birth_date).days // 365
