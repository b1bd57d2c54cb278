"""Words for people: gettext over Indonesian sources; dates and numbers as read in Tidore.

The source strings in the code *are* the Indonesian words, so Indonesian needs no catalogue and can
never be incomplete. English stands in `data/locale/en.po` (edited by people) and is compiled to
`en.mo` beside it, which the standard library's gettext reads, plural rule included. Both files are
committed: models/ may not import Babel at run time, and a reader of our own for .po files would be
one more parser to trust. `scripts/words.py` collects new strings and compiles; a test fails when
the two files disagree.
"""

from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from typing import Any

LANGUAGES = ("id", "en")
WIT = timezone(timedelta(hours=9), "WIT")  # eastern Indonesia; no daylight saving

DAYS = {
    "id": ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
MONTHS = {
    "id": ("Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli")
    + ("Agustus", "September", "Oktober", "November", "Desember"),
    "en": ("January", "February", "March", "April", "May", "June", "July")
    + ("August", "September", "October", "November", "December"),
}


def say(msgid: str, lang: str = "id", **values: Any) -> str:
    """The words for `msgid` in `lang`, `{placeholders}` filled; Indonesian if it is not known."""
    text = _translations(lang).gettext(msgid)
    return text.format(**values) if values else text


def say_n(msgid: str, n: int, lang: str = "id", **values: Any) -> str:
    """Like `say` for a counted thing; `{n}` is the count. Indonesian has one form for all."""
    text = _translations(lang).ngettext(msgid, msgid, n)
    return text.format(n=number(n, lang), **values)


@cache
def _translations(lang: str) -> NullTranslations:
    if lang != "en":
        return NullTranslations()
    with resources.files("models").joinpath("data/locale/en.mo").open("rb") as compiled:
        return GNUTranslations(compiled)


def day(when: date) -> str:
    """DD-MM-YYYY, as on every Indonesian form."""
    return f"{when.day:02}-{when.month:02}-{when.year:04}"


def long_day(when: date, lang: str = "id") -> str:
    """`Sabtu, 21 November 2026`."""
    lang = lang if lang in LANGUAGES else "id"
    return f"{DAYS[lang][when.weekday()]}, {when.day} {MONTHS[lang][when.month - 1]} {when.year}"


def month(year_month: str, lang: str = "id") -> str:
    """A month named `YYYY-MM`: `November 2026`."""
    year, number = year_month.split("-")
    return f"{MONTHS[lang][int(number) - 1]} {year}"


def moment(when: datetime) -> str:
    """DD-MM-YYYY HH.MM in WIT. A time without a zone is read as UTC, as times are stored."""
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    local = aware.astimezone(WIT)
    return f"{day(local)} {local.hour:02}.{local.minute:02}"


def moment_at(at: int) -> str:
    """Unix seconds as `moment`; "–" for one that no calendar has, as a laptop's clock may say."""
    try:
        return moment(datetime.fromtimestamp(at, UTC))
    except (ValueError, OverflowError, OSError):
        return "–"


def number(value: int | float, lang: str = "id", decimals: int | None = None) -> str:
    """`1.234,5` in Indonesian, `1,234.5` in English. `decimals` fixes the digits after the mark."""
    text = f"{value:,}" if decimals is None else f"{value:,.{decimals}f}"
    return text if lang == "en" else text.translate(str.maketrans(",.", ".,"))


def phone(text: str) -> str:
    """`+6281240001122` as it is dialled here: `0812-4000-1122`; any other number as it is."""
    if not text.startswith("+62"):
        return text
    digits = "0" + text[3:]
    return "-".join(part for part in (digits[:4], digits[4:8], digits[8:]) if part)


def size(count: int, lang: str = "id") -> str:
    """A number of bytes for people, in units of 1000: `440 B`, `38 MB`, `1,3 kB`."""
    value, units = float(count), ["GB", "MB", "kB", "B"]
    while value >= 1000 and len(units) > 1:
        value /= 1000
        units.pop()
    unit = units[-1]
    decimals = 1 if unit != "B" and value < 10 else 0
    return f"{number(value, lang, decimals)} {unit}"
