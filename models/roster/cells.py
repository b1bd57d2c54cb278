"""One cell of a list -> one value, with a remark where the cell was not clean.

Nothing is repaired by guessing: digits that Excel dropped stay dropped and a doubtful day stays as
it was written. Each reader gives (value, remark); the remark is a code of `problems.toml` or "".
"""

import re
from datetime import date, timedelta
from typing import NamedTuple

from models.roster import lexicon
from models.roster.sheets import Cell

_EXCEL_DAY_ZERO = date(1899, 12, 30)
_EARLIEST = date(1850, 1, 1)  # no form takes an earlier day
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "januari january jan jnr", "februari pebruari february feb peb", "maret march mar mrt",
            "april apr", "mei may", "juni june jun", "juli july jul",
            "agustus august agust agt aug ags agu",
            "september sept sep", "oktober october okt oct", "november nopember nov nop",
            "desember december des dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip


class Digits(NamedTuple):
    """A long number as the sheet holds it. number: the cell was a number, not a text."""

    text: str
    remark: str
    number: bool


class Day(NamedTuple):
    """A day read from a cell; None with a remark when it could not be."""

    day: date | None
    remark: str


def text_of(cell: Cell) -> str:
    """The cell as one line: whole numbers without ".0", days as DD-MM-YYYY, single spaces."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        text = " ".join(cell.split())
        was_number = text.endswith(".0") and text[:-2].isdigit()  # as some programs write csv
        return text[:-2] if was_number else text
    if isinstance(cell, bool):
        return "1" if cell else ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e17 else repr(cell)
    if isinstance(cell, date):
        return f"{cell.day:02}-{cell.month:02}-{cell.year:04}"
    return str(cell)


def has_odd_spaces(cell: Cell) -> bool:
    """Whether a text had spaces at its ends, doubled ones, tabs or line breaks."""
    return isinstance(cell, str) and cell != text_of(cell)


def filled(cell: Cell) -> bool:
    """Whether the cell says anything; dashes and NULL do not."""
    return not lexicon.is_blank(text_of(cell))


def digits(cell: Cell) -> Digits:
    """A NIK or family-card number. The text holds digits only; it may be any length.

    A number in scientific notation, or with a fraction, has lost digits for certain. A number cell
    keeps 15 digits when it was typed in Excel, but all 16 when a program wrote it: whether to trust
    it shows only in the whole column (`layout.doubtful_numbers`).
    """
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if isinstance(cell, float) and (not cell.is_integer() or abs(cell) >= 2**53):
            return Digits("", "roster.lost_digits", True)
        return Digits(str(int(cell)), "", True)
    text = text_of(cell)
    if re.fullmatch(r"\d[.,]?\d*[eE]\+?\d+", text.replace(" ", "")):
        return Digits("", "roster.lost_digits", False)
    bare = text.strip("'`’\"")
    joined = re.sub(r"[ .\-]", "", bare)
    odd = "roster.row_spacing" if joined != text else ""
    return Digits(joined, odd, False)


def place(cell: Cell) -> str:
    """RT or RW as three digits; a text that is no number stays as it is."""
    text = text_of(cell).lstrip("'")
    if lexicon.is_blank(text):
        return ""
    return text.zfill(3) if text.isdigit() and len(text) <= 3 else text


def day(cell: Cell, as_of: date) -> Day:
    """A birth date in any of the forms people write. as_of: the day the list was made.

    Two-digit years are the latest that is not after `as_of`. Where the second number cannot be a
    month and the first can, the sheet has the month first, and the remark says so.
    """
    if isinstance(cell, date):
        return _checked(cell, "", as_of)
    text = text_of(cell)
    if lexicon.is_blank(text):
        return Day(None, "")
    if re.fullmatch(r"\d{1,5}(\.\d+)?", text):  # Excel's count of days, unless it is a bare year
        count = int(float(text))
        if 1900 <= count <= 2100 or count == 0:
            return Day(None, "roster.row_date")
        return _checked(_EXCEL_DAY_ZERO + timedelta(days=count), "", as_of)
    parts = _date_parts(text)
    return _calendar_day(*parts, as_of=as_of) if parts else Day(None, "roster.row_date")


def _date_parts(text: str) -> tuple[str, str, str] | None:
    """(day, month, year) as written, digits only; None where the text is no date."""
    bare = re.sub(
        r"[ T]\d{1,2}[:.]\d{2}([:.]\d{2}(\.\d+)?)?( ?[AP]M)?$", "", text, flags=re.IGNORECASE
    )
    bare = re.sub(r"^\s*[A-Za-z']+\s*,\s*(?=\d)", "", bare)  # the name of the day of the week
    if bare.isdecimal() and len(bare) == 8:
        year_first = bare[:2] in ("19", "20") and int(bare[2:4]) > 12
        return (bare[6:], bare[4:6], bare[:4]) if year_first else (bare[:2], bare[2:4], bare[4:])
    found = re.findall(r"\d+|[a-z]+", lexicon.plain(bare))
    if len(found) != 3:
        return None
    if found[0].isdigit() and len(found[0]) == 4:
        found.reverse()
    if found[0].isalpha() and found[1].isdigit():
        found[0], found[1] = found[1], found[0]
    if found[1].isalpha():
        found[1] = str(_MONTHS.get(found[1], ""))
    if not all(part.isdigit() for part in found) or len(found[2]) not in (2, 4):
        return None
    return found[0], found[1], found[2]


def _calendar_day(first: str, second: str, third: str, *, as_of: date) -> Day:
    number, month, year = int(first), int(second), int(third)
    remark = ""
    if len(third) == 2:
        year += 2000 if year <= as_of.year % 100 else 1900
        remark = "roster.row_short_year"
    if month > 12 >= number:
        number, month = month, number
        remark = "roster.row_month_first"
    try:
        return _checked(date(year, month, number), remark, as_of)
    except ValueError:
        return Day(None, "roster.row_date")


def _checked(born: date, remark: str, as_of: date) -> Day:
    if born < _EARLIEST:
        return Day(None, "roster.row_date")
    return Day(born, remark) if born <= as_of else Day(None, "roster.row_date_future")


def place_and_day(cell: Cell, as_of: date) -> tuple[str, Day]:
    """ "Soasio, 12-05-1980" in one cell -> (place, day)."""
    text = text_of(cell)
    found = re.match(r"^(?P<place>[^\d]*?)[\s,/]*(?P<day>\d.*)$", text)
    if not found:
        return ("" if lexicon.is_blank(text) else text, Day(None, ""))
    where = found["place"].strip(" ,/-")
    month_word = re.match(r"^(?P<place>.*?)[\s,/]*\b(?P<month>[A-Za-z]+)$", where)
    if month_word and lexicon.plain(month_word["month"]) in _MONTHS and not month_word["place"]:
        where = ""
    return where, day(found["day"], as_of)
