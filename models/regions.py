"""Regions: the 89 villages of Tidore with their tiles, districts, islands, and names further away.

A code is written `PP.KK.CC.VVVV` with dots, always as text; the fourth group starts with 1 for a
kelurahan and 2 for a desa. Names repeat (Oba is a district and a village of another district), and
spelling changes between editions, so everything refers to codes. Codes and names follow Kepmendagri
300.2.2-2138 of 2025. A tile is a square on a drawn map, not a place: never measure with it.
"""

import csv
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal, TypeVar

import msgspec

PROVINCE = "82"
CITY = "82.72"
MAINLAND = frozenset({"82.72.02", "82.72.03", "82.72.06", "82.72.07"})
"""The four districts on Halmahera, where the villages take requests themselves."""

Level = Literal["province", "city", "district", "kelurahan", "desa"]
_CODE = re.compile(r"\d{2}(\.\d{2}(\.\d{2}(\.\d{4})?)?)?")
_TITLES = {"city": "", "district": "Kec. ", "kelurahan": "Kel. ", "desa": "Desa "}


class Region(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One region of the city. column and row: the tile of a village, from west and from north."""

    code: str
    name: str
    level: Level
    column: int | None = None
    row: int | None = None
    former: str | None = None  # the spelling on older papers

    @property
    def is_village(self) -> bool:
        """True for a desa and for a kelurahan."""
        return self.level in ("kelurahan", "desa")

    @property
    def on_mainland(self) -> bool:
        """True on Halmahera (mainland Oba), false on the islands and for city and province."""
        return self.code[:8] in MAINLAND


class Island(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An island of the city. latitude, longitude in degrees; area in km2 where it was measured."""

    code: str
    name: str
    latitude: float
    longitude: float
    inhabited: Literal["yes", "no"]
    area_km2: float | None = None


class Population(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published count. codes: one region, or several counted together, separated by a space."""

    codes: str
    period: str  # a year with half (2024-S2), month or day
    total: int
    source: str
    certainty: Literal["likely", "check"]
    men: int | None = None
    women: int | None = None


class _Name(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    name: str


Row = TypeVar("Row", bound=msgspec.Struct)


def _table(name: str, kind: type[Row]) -> tuple[Row, ...]:
    """A packaged CSV as Structs, decoded strictly; an empty cell means the field is absent."""
    text = resources.files("models").joinpath(f"data/regions/{name}.csv").read_text("utf-8")
    rows: list[dict[str, Any]] = [
        {key: cell for key, cell in row.items() if cell != ""}
        for row in csv.DictReader(text.splitlines())
    ]
    return tuple(msgspec.convert(row, kind, strict=False) for row in rows)


@cache
def regions() -> Mapping[str, Region]:
    """Province, city, districts and villages by code, in order of code."""
    return {one.code: one for one in _table("regions", Region)}


@cache
def villages() -> tuple[Region, ...]:
    """The 89 villages in order of code."""
    return tuple(one for one in regions().values() if one.is_village)


@cache
def districts() -> tuple[Region, ...]:
    """The eight districts in order of code."""
    return tuple(one for one in regions().values() if one.level == "district")


@cache
def islands() -> tuple[Island, ...]:
    """The fourteen named islands."""
    return _table("islands", Island)


@cache
def population() -> tuple[Population, ...]:
    """Published counts, newest of the city first."""
    return _table("population", Population)


@cache
def _elsewhere() -> Mapping[str, str]:
    """All provinces, and the cities and regencies of Maluku Utara, by code."""
    return {one.code: one.name for one in _table("elsewhere", _Name)}


def normal(text: str) -> str | None:
    """A code with its dots (`8272032001` and `82.72.03.2001` alike), None if it is not a code."""
    plain = text.strip()
    if re.fullmatch(r"[0-9]{2,10}", plain):
        cuts = (plain[:2], plain[2:4], plain[4:6], plain[6:])
        plain = ".".join(part for part in cuts if part)
    return plain if plain.isascii() and _CODE.fullmatch(plain) else None


def region(code: str) -> Region | None:
    """The region of this city with this code, with or without dots."""
    dotted = normal(code)
    return regions().get(dotted) if dotted else None


def villages_of(code: str) -> tuple[Region, ...]:
    """The villages of a district or of the city; a village alone for its own code."""
    return tuple(one for one in villages() if f"{one.code}.".startswith(f"{code}."))


def find(name: str) -> tuple[Region, ...]:
    """Every region of that name, in today's or former spelling; names repeat."""
    wanted = _plain(name)
    return tuple(
        one
        for one in regions().values()
        if wanted in (_plain(one.name), _plain(one.former or one.name))
    )


def full_name(code: str) -> str:
    """`Desa Woda, Kec. Oba, Kota Tidore Kepulauan`; elsewhere the name or the code."""
    parts = []
    for length in (13, 8, 5):
        one = regions().get(code[:length]) if len(code) >= length else None
        if one:
            parts.append(_TITLES[one.level] + one.name)
    return ", ".join(parts) or place_name(code) or code


def place_name(code: str) -> str | None:
    """The most exact known name of a dotted code anywhere in Indonesia, or None."""
    for length in (13, 8, 5, 2):
        part = code[:length]
        if len(part) == length and (one := regions().get(part)):
            return one.name
        if len(part) == length and part in _elsewhere():
            return _elsewhere()[part]
    return None


def is_known(code: str) -> bool:
    """Whether a province, city or district code can exist, as far as our lists are complete.

    Complete here: provinces of the country, cities and regencies of Maluku Utara, districts of
    Tidore. Beyond them a code is taken as known unless a group is 00, which is never given out.
    """
    province, city, district = code[:2], code[:5], code[:8]
    if province not in _elsewhere() or city[3:] == "00" or district[6:] == "00":
        return False
    if province == PROVINCE and len(code) >= 5 and city not in _elsewhere():
        return False
    return not (city == CITY and len(code) >= 8 and district not in regions())


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9]+", " ", name.lower()).split())
