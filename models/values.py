"""Reading one answer: any JSON value into the plain form that is stored, or remarks saying why not.

Limits by kind: str one line of 1-100 characters, text 1-500, name 1-100 (60 for a new one), dates
from 1850 to today unless the field may lie ahead, int 0-9999, decimal one place, codes 1-10 without
repetition, people 1-20 rows, documents 0-20, e-mail 3-254. A field narrows them with `min`, `max`
or `digits`.

Numbers of 16 digits must be text: a NIK that went through a number has lost digits in some program.
"""

import re
from collections.abc import Callable, Container
from datetime import date, datetime
from typing import Any

import msgspec

from models import regions
from models.fields import Field
from models.reading import (
    STR_MAX,
    Reading,
    brief,
    code_set,
    line,
    name,
    number16,
    one_code,
    parse_day,
    phone,
)

FIRST_DAY = date(1850, 1, 1)
LAST_YEAR = 2200
TEXT_MAX = 500
CODES_MAX, DOCUMENTS_MAX, PEOPLE_MAX = 10, 20, 20
VILLAGE_CODE = 13
"""Characters of a region code down to the village, dots included."""
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
DIGEST = re.compile(r"[0-9a-f]{64}")
TIME = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)", re.ASCII)


def read(field: Field, value: Any, reading: Reading) -> Any:
    """The normal form of `value`; None when it is empty, or wrong (then `reading` says why)."""
    if blank(value):
        return None
    normal = _READERS[field.kind](field, value, reading)
    return None if reading.failed else normal


def blank(value: Any) -> bool:
    """Whether nothing was answered."""
    return value is None or value in ("", [], {}) or (isinstance(value, str) and not value.strip())


def _str(field: Field, value: Any, reading: Reading) -> str | None:
    if field.digits:
        return _digits(field, value, reading)
    return line(value, reading, field.max or STR_MAX, field.min or 1)


def _digits(field: Field, value: Any, reading: Reading) -> str | None:
    if isinstance(value, int) and 0 <= value < 10**field.digits:
        value = str(value)
    text = line(value, reading, STR_MAX)
    if text is None:
        return None
    if field.pad and text.isascii() and text.isdigit():
        text = text.zfill(field.digits)
    if text.isascii() and text.isdigit() and len(text) == field.digits:
        return text
    reading.say("field.rt_rw" if field.pad else "field.postcode")
    return None


def _text(field: Field, value: Any, reading: Reading) -> str | None:
    return line(value, reading, field.max or TEXT_MAX, field.min or 1, lines=True)


def _name(field: Field, value: Any, reading: Reading) -> str | None:
    return name(value, reading, new=field.new)


def _number16(_: Field, value: Any, reading: Reading) -> str | None:
    return number16(value, reading)


def _date(field: Field, value: Any, reading: Reading) -> str | None:
    text = line(value, reading, STR_MAX)
    if text is None:
        return None
    mark = "~" if field.estimated and text.endswith("~") else ""
    day = parse_day(text.removesuffix("~") if mark else text)
    if day is None:
        reading.say("date.malformed")
    elif day < FIRST_DAY:
        reading.say("date.too_old", value=day.isoformat())
    elif day.year > LAST_YEAR or (day > reading.today and not field.future):
        reading.say("date.future", value=day.isoformat())
    else:
        return day.isoformat() + mark
    return None


def _time(_: Field, value: Any, reading: Reading) -> str | None:
    text = line(value, reading, STR_MAX)
    found = TIME.fullmatch(text or "")
    if text and not found:
        reading.say("field.time")
    return f"{int(found[1]):02}:{found[2]}" if found else None


def _datetime(_: Field, value: Any, reading: Reading) -> str | None:
    text = line(value, reading, STR_MAX)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        expected = {
            "id": "tanggal dan jam dengan zona waktu",
            "en": "day and time with a time zone",
        }
        reading.say("field.type", expected=expected)
        return None
    return moment.isoformat()


def _int(field: Field, value: Any, reading: Reading) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,9}\s*", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        reading.say("field.number")
        return None
    return value if _within(field, value, reading) else None


def _decimal(field: Field, value: Any, reading: Reading) -> float | None:
    if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,9}([.,][0-9]{1,9})?\s*", value):
        value = float(value.replace(",", "."))
    if isinstance(value, bool) or not isinstance(value, int | float):
        reading.say("field.number")
        return None
    return round(float(value), 1) if _within(field, value, reading) else None


def _within(field: Field, value: float, reading: Reading) -> bool:
    low, high = field.min or 0, 9999 if field.max is None else field.max
    if not low <= value <= high:  # also false for "not a number"
        reading.say("field.range", low=low, high=high)
        return False
    if field.usual and not field.usual[0] <= value <= field.usual[1]:
        reading.say("field.unusual", value=value, low=field.usual[0], high=field.usual[1])
    return True


def _bool(_: Field, value: Any, reading: Reading) -> str | None:
    if value is True or value == "yes":
        return "yes"
    if value is False or value == "no":
        return "no"
    reading.say("field.yes_no")
    return None


def _code(_: Field, value: Any, reading: Reading) -> str | None:
    code = one_code(value, reading.allowed)
    if code is None:
        reading.say("field.code", value=brief(value))
    return code


def _codes(field: Field, value: Any, reading: Reading) -> list[str] | None:
    return code_set(value, reading, reading.allowed, field.max or CODES_MAX)


def _documents(_: Field, value: Any, reading: Reading) -> list[str] | None:
    return code_set(value, reading, reading.documents, DOCUMENTS_MAX)


def _region(_: Field, value: Any, reading: Reading) -> str | None:
    code = regions.normal(value) if isinstance(value, str) else None
    if code is None or code not in reading.allowed:
        reading.say("field.region", value=brief(value))
        return None
    return code


def _anywhere(value: Any, reading: Reading) -> str | None:
    """Any village of the country: only the codes of this city are carried on laptops."""
    code = regions.normal(value) if isinstance(value, str) else None
    if code is None or len(code) != VILLAGE_CODE or not regions.is_known(code):
        reading.say("field.region", value=brief(value))
        return None
    return code


def _phone(_: Field, value: Any, reading: Reading) -> str | None:
    text = line(value, reading, STR_MAX)
    if text is None:
        return None
    number = phone(text)
    if number is None:
        reading.say("field.phone")
    return number


def _email(_: Field, value: Any, reading: Reading) -> str | None:
    text = line(value, reading, 254)
    if text and not EMAIL.fullmatch(text):
        reading.say("field.email")
        return None
    return text


def _attachment(_: Field, value: Any, reading: Reading) -> str | list[str] | None:
    given = value if isinstance(value, list | tuple) else [value]
    if len(given) > CODES_MAX:
        reading.say("field.too_many", limit=CODES_MAX, n=len(given))
        return None
    if not all(isinstance(one, str) and DIGEST.fullmatch(one) for one in given):
        reading.say("field.attachment")
        return None
    found = sorted(set(given))
    return found[0] if len(found) == 1 else found


def _address(_: Field, value: Any, reading: Reading) -> dict[str, Any] | None:
    if not _shaped(value, ADDRESS, reading):
        return None
    given = {part: one for part, one in value.items() if not blank(one)}
    found: dict[str, Any] = {}
    for part, raw in given.items():
        here = part == "village"
        found[part] = _anywhere(raw, reading) if here else read(ADDRESS[part], raw, reading)
    if "address" not in given:
        reading.say("field.part_missing", part=ADDRESS["address"].label.both())
    if "village" not in given and "outside" not in given:
        reading.say("field.part_missing", part=ADDRESS["outside"].label.both())
    return found


def _person(_: Field, value: Any, reading: Reading) -> dict[str, str] | None:
    found = _somebody(value, ("name", "nik", "reason"), reading)
    if "nik" not in found and "reason" not in found and not reading.failed:
        reading.say("nik.missing")
    return found


def _people(_: Field, value: Any, reading: Reading) -> list[dict[str, str]] | None:
    if not isinstance(value, list | tuple):
        reading.say("field.type", expected={"id": "daftar orang", "en": "a list of people"})
        return None
    if len(value) > PEOPLE_MAX:
        reading.say("field.too_many", limit=PEOPLE_MAX, n=len(value))
        return None
    return [_one_of_people(one, reading) for one in value]


def _one_of_people(value: Any, reading: Reading) -> dict[str, str]:
    found = _somebody(value, ("nik", "name", "shdk", "note"), reading)
    if found and not blank(value.get("shdk")):
        code = one_code(value["shdk"], reading.shdk)
        if code is None:
            reading.say("field.code", value=brief(value["shdk"]))
        else:
            found["shdk"] = code
    return found


def _somebody(value: Any, parts: tuple[str, ...], reading: Reading) -> dict[str, str]:
    """Name, NIK and words about one person; a name is a must, the rest may be left out."""
    if not _shaped(value, parts, reading):
        return {}
    found = {
        "nik": None if blank(value.get("nik")) else number16(value["nik"], reading),
        "name": None if blank(value.get("name")) else name(value["name"], reading),
    }
    for part in ("reason", "note"):
        if part in parts and not blank(value.get(part)):
            found[part] = line(value[part], reading, STR_MAX)
    if found["name"] is None:
        reading.say("name.empty")
    return {part: one for part, one in found.items() if one}


def _shaped(value: Any, parts: Container[str], reading: Reading) -> bool:
    """Whether `value` is an object with no part but these."""
    if not isinstance(value, dict):
        reading.say("field.type", expected={"id": "objek dengan bagian", "en": "an object"})
        return False
    unknown = [part for part in value if part not in parts]
    for part in unknown:
        reading.say("field.part_unknown", part=brief(part))
    return not unknown


def _part(name: str, kind: Any, id_: str, en: str, **limits: Any) -> Field:
    label = {"id": id_, "en": en}
    return msgspec.convert(
        {"name": name, "kind": kind, "label": label, "about": "address", **limits}, Field
    )


ADDRESS: dict[str, Field] = {
    "address": _part("address", "text", "alamat", "address", max=200),
    "rt": _part("rt", "str", "RT", "RT", digits=3, pad=True),
    "rw": _part("rw", "str", "RW", "RW", digits=3, pad=True),
    "dusun": _part("dusun", "str", "dusun/lingkungan", "hamlet"),
    "village": _part("village", "region", "desa/kelurahan", "village"),
    "outside": _part("outside", "text", "desa sampai provinsi", "village to province", max=200),
    "postcode": _part("postcode", "str", "kode pos", "postcode", digits=5),
}
"""The parts of an address that is one answer, each as in the block of the applicant's address."""

_READERS: dict[str, Callable[[Field, Any, Reading], Any]] = {
    "str": _str,
    "text": _text,
    "name": _name,
    "nik": _number16,
    "kk": _number16,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "int": _int,
    "decimal": _decimal,
    "bool": _bool,
    "code": _code,
    "codes": _codes,
    "region": _region,
    "address": _address,
    "phone": _phone,
    "email": _email,
    "person": _person,
    "people": _people,
    "documents": _documents,
    "attachment": _attachment,
}
