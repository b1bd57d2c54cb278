"""The person number NIK and the family card number: what they say, and what may be wrong with them.

A NIK is `PPKKCC DDMMYY SSSS`: region of the first registration, birth day (plus 40 for a woman),
month, year of the century, serial (UU 23/2006 art. 13 and its regulations). There is no check
digit, so a mistyped NIK can be somebody else's: always show the name beside it. It is given for
life: region, birth date and sex inside it may honestly differ from today's data. Errors are
therefore only faults of structure; everything else is a doubt that passes with a reason. A family
card number has the same shape with the day of issue and no plus 40.

No function here raises on any text: a remark is a `Finding`, and what cannot be read is None.
"""

from datetime import date
from typing import Literal

import msgspec

from models import regions
from models.problems import Finding, finding
from models.words import day as day_shown
from models.words import say

LENGTH = 16
WOMAN_DAY = 40  # added to the day of birth
Sex = Literal["1", "2"]
MAN: Sex = "1"  # codes of the list `jenis_kelamin`
WOMAN: Sex = "2"


class Nik(msgspec.Struct, frozen=True):
    """The parts of 16 digits, for a NIK or (sex None) a family card number. No part is judged."""

    text: str
    region: str  # province, city and district with dots: 82.72.03
    sex: Sex | None
    day: int  # of birth or issue, the 40 of a woman taken off
    month: int
    year: int  # 0-99, the century is unknown
    serial: int

    @property
    def date_part(self) -> str:
        """The six digits as they stand on the card."""
        return self.text[6:12]

    @property
    def date_possible(self) -> bool:
        """Day 1-31 and month 1-12, whether or not the calendar has that day."""
        return 1 <= self.day <= 31 and 1 <= self.month <= 12

    def dates(self, today: date) -> tuple[date, ...]:
        """The days the six digits can mean, newest first: this century if not after today, last."""
        found = (_day(century + self.year, self.month, self.day) for century in (2000, 1900))
        return tuple(one for one in found if one and one <= today)


class Explanation(msgspec.Struct, frozen=True):
    """What a NIK tells, for a person to compare with the one in front of them."""

    region: str
    place: str  # name of the region of first registration
    births: tuple[date, ...]  # newest first; empty if the digits are no day
    sex: Sex

    def words(self, lang: str = "id") -> str:
        """One line for the screen."""
        sex = say("laki-laki", lang) if self.sex == MAN else say("perempuan", lang)
        births = say(" atau ", lang).join(day_shown(one) for one in self.births) or "?"
        return say("terbit di {place}, lahir {births}, {sex}", lang).format(
            place=self.place, births=births, sex=sex
        )


def clean(text: str) -> str:
    """The text as typed, without the spaces, dots and hyphens people put between groups."""
    return "".join(sign for sign in text if sign not in " .-\u00a0\t")


def parse(text: str) -> Nik | None:
    """The parts of a NIK, None unless it is 16 ASCII digits."""
    if not _sixteen_digits(text):
        return None
    first = int(text[6:8])
    woman = first > WOMAN_DAY
    return _parts(text, WOMAN if woman else MAN, first - WOMAN_DAY if woman else first)


def parse_kk(text: str) -> Nik | None:
    """The parts of a family card number, None unless it is 16 ASCII digits."""
    return _parts(text, None, int(text[6:8])) if _sixteen_digits(text) else None


def explain(text: str, today: date) -> Explanation | None:
    """What this NIK tells; None if it is not 16 digits."""
    nik = parse(text)
    if nik is None or nik.sex is None:
        return None
    place = regions.place_name(nik.region) or nik.region
    return Explanation(nik.region, place, nik.dates(today), nik.sex)


def birth_hint(text: str, today: date) -> date | None:
    """The newest birth date the NIK can mean. Only a hint: people over a hundred live."""
    nik = parse(text)
    dates = nik.dates(today) if nik else ()
    return dates[0] if dates else None


def mask(text: str) -> str:
    """`827201********12`: to recognise, without birth date and sex. Short text is all stars."""
    if len(text) < 12:
        return "*" * len(text)
    return text[:6] + "*" * (len(text) - 8) + text[-2:]


def check_nik(
    text: str,
    *,
    birth_date: date | None = None,
    sex: str | None = None,
    region: str | None = None,
    today: date,
    key: str = "",
) -> list[Finding]:
    """Remarks on a NIK, alone and beside the birth date, sex and address its holder gives.

    sex: code of `jenis_kelamin`. region: code of the address, with dots. key: the field meant.
    """
    nik = parse(text)
    if nik is None:
        return [_not_digits(text, "nik", key)]
    found = _structure(nik, "nik", today, key)
    if birth_date and nik.date_possible and not _agrees(nik, birth_date):
        part = nik.date_part
        found.append(finding(key, "nik.birth_differs", part=part, birth=birth_date.isoformat()))
    if sex in (MAN, WOMAN) and nik.date_possible and nik.sex != sex:
        found.append(finding(key, "nik.sex_differs"))
    if region and not region.startswith(nik.region):
        found.append(finding(key, "nik.region_differs", code=nik.region))
    return found


def check_kk(
    text: str,
    *,
    issued: date | None = None,
    region: str | None = None,
    today: date,
    key: str = "",
) -> list[Finding]:
    """Remarks on a family card number, alone and beside its day of issue and today's address."""
    number = parse_kk(text)
    if number is None:
        return [_not_digits(text, "kk", key)]
    found = _structure(number, "kk", today, key)
    if issued and number.date_possible and not _agrees(number, issued):
        part = number.date_part
        found.append(finding(key, "kk.issued_differs", part=part, issued=issued.isoformat()))
    if region and not region.startswith(number.region):
        found.append(finding(key, "kk.region_differs", code=number.region))
    return found


def _sixteen_digits(text: str) -> bool:
    return len(text) == LENGTH and text.isascii() and text.isdigit()


def _parts(text: str, sex: Sex | None, day: int) -> Nik:
    return Nik(
        text=text,
        region=f"{text[:2]}.{text[2:4]}.{text[4:6]}",
        sex=sex,
        day=day,
        month=int(text[8:10]),
        year=int(text[10:12]),
        serial=int(text[12:]),
    )


def _not_digits(text: str, prefix: str, key: str) -> Finding:
    for place, sign in enumerate(text, 1):
        if not (sign.isascii() and sign.isdigit()):
            return finding(key, f"{prefix}.digits", place=place)
    return finding(key, f"{prefix}.length", n=len(text))


def _structure(number: Nik, prefix: str, today: date, key: str) -> list[Finding]:
    found = []
    if number.serial == 0:
        found.append(finding(key, f"{prefix}.serial_zero"))
    if not number.date_possible:
        found.append(finding(key, f"{prefix}.date_parts", part=number.date_part))
    elif not number.dates(today):
        found.append(finding(key, f"{prefix}.impossible_day", part=number.date_part))
    if not regions.is_known(number.region):
        found.append(finding(key, f"{prefix}.unknown_region", code=number.region))
    return found


def _agrees(number: Nik, when: date) -> bool:
    return (number.day, number.month, number.year) == (when.day, when.month, when.year % 100)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
