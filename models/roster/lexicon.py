"""Headings and cell words of resident lists: many spellings, one meaning.

Two data files beside this module hold the spellings; the official labels come from the code lists
of `models`. Everything is compared by a *key*: lower case, no accents, abbreviations spelled out,
and nothing but letters and digits kept (blood groups keep their sign: "A+" is not "A-").
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec

from models import codes
from models.fields import Text

_WORD = re.compile(r"[a-z0-9]+")
_BLANK_LONGEST = len("tidak ada")
_TICK = re.compile("[√✓✔☑●•■]")
_BLOOD = re.compile(r"(a|b|ab|o|0)[+-]?|[1-9]\d?")

LISTS = {
    "sex": "jenis_kelamin",
    "religion": "agama",
    "education": "pendidikan",
    "job": "pekerjaan",
    "marital": "status_perkawinan_lama",
    "marital_full": "status_perkawinan",
    "shdk": "shdk",
    "blood": "golongan_darah",
    "citizenship": "kewarganegaraan",
}
"""Table -> code list of `models` whose labels, and mostly codes, are read too. `marital` is the
four states on the face of the card (village software numbers only those), `marital_full` the
six."""

JOB_CODES_AGREED = 88
"""Above this, village software and newer SIAK number occupations differently: only words count."""


class Headers(msgspec.Struct, frozen=True):
    """`headers.toml`: short -> long word; field -> headings; field -> what people call it."""

    short: dict[str, str]
    fields: dict[str, list[str]]
    labels: dict[str, Text]


def plain(text: str) -> str:
    """Lower case without accents; any kind of space or dash becomes the common one."""
    if text.isascii():
        return text.lower()
    flat = unicodedata.normalize("NFKD", text.casefold())
    flat = "".join(c for c in flat if not unicodedata.combining(c))
    return re.sub(r"[\u2010-\u2015]", "-", flat)


def key(text: str, short: Mapping[str, str]) -> str:
    """A heading as it is compared: words spelled out, then run together."""
    return word_key(text, short).replace(" ", "")


def word_key(text: str, short: Mapping[str, str]) -> str:
    """A cell's words as they are compared: spelled out but apart, or I/II would read as III."""
    return " ".join(short.get(word, word) for word in _WORD.findall(plain(text)))


def blood_key(text: str) -> str:
    """ "A +" and "a+" are one key, "A" another; 0 is how many write O. Empty for other words."""
    bare = plain(text).replace(" ", "")
    return bare.replace("0", "o", bare.startswith("0")) if _BLOOD.fullmatch(bare) else ""


@cache
def headings() -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, str]]:
    """(heading key -> fields it may mean, the abbreviations of headings)."""
    table = _headers()
    by_key: dict[str, tuple[str, ...]] = {}
    for field, spellings in table.fields.items():
        for spelling in spellings:
            known = by_key.setdefault(key(spelling, table.short), ())
            if field not in known:
                by_key[key(spelling, table.short)] = (*known, field)
    return by_key, table.short


def heading_fields(text: str) -> tuple[str, ...]:
    """The fields the heading `text` may mean, the likeliest first; empty if it is unknown."""
    by_key, short = headings()
    return by_key.get(key(text, short), ())


def label(field: str) -> dict[str, str]:
    """What people call a field, in both languages: a detail of a `Problem`."""
    known = _headers().labels.get(field)
    return known.both() if known else {"id": field, "en": field}


@cache
def _headers() -> Headers:
    return msgspec.toml.decode(_read("headers.toml"), type=Headers)


@cache
def _tables() -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, str]]:
    raw = msgspec.toml.decode(_read("words.toml"), type=dict[str, dict[str, str | list[str]]])
    short = {word: long for word, long in raw.pop("short").items() if isinstance(long, str)}
    tables: dict[str, dict[str, str]] = {field: {} for field in (*raw, *LISTS)}
    for field, name in LISTS.items():
        for code, label in codes.code_list(name).codes.items():
            tables[field][word_key(label.id, short)] = code
            if field != "marital_full" and (field != "job" or int(code) <= JOB_CODES_AGREED):
                tables[field][code] = code
    for field, words in raw.items():
        for code, spellings in words.items():
            for spelling in spellings:
                tables[field][word_key(spelling, short)] = code
    return tables, short


def meaning(field: str, text: str) -> str | None:
    """The code `text` stands for in `field`, or None when nobody has met that word yet."""
    tables, short = _tables()
    if field == "blood" and (found := _blood().get(blood_key(text))):
        return found
    return tables[field].get(word_key(text, short)) if field in tables else None


def is_blank(text: str) -> bool:
    """Whether a cell says nothing: empty, dashes, dots, NULL."""
    if len(text) > _BLANK_LONGEST and text[0].isalnum():
        return False  # most cells: no need to look closely
    tables, short = _tables()
    return word_key(text, short) in tables["blank"] and not _TICK.search(text)


@cache
def _blood() -> Mapping[str, str]:
    groups = codes.code_list("golongan_darah").codes
    by_key = {blood_key(label.id): code for code, label in groups.items()}
    by_key.pop("", None)
    return by_key | {code: code for code in groups}


def _read(name: str) -> bytes:
    return resources.files("models.roster").joinpath("data", name).read_bytes()
