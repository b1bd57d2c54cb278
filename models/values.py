"""Reading one answer: any JSON value into the plain form that is stored, or remarks saying why not.

Limits by kind: str one line of 1-100 characters, text 1-500, name 1-100 (60 for a new one), dates
from 1850 to today unless the field may lie ahead, int 0-9999, decimal one place, codes 1-10 without
repetition, people 1-20 rows, documents 0-20, e-mail 3-254. A field narrows them with `min`, `max`
or `digits`.

Numbers of 16 digits must be text: a NIK that went through a number has lost digits in some program.
"""

import re
import unicodedata
from collections.abc import Callable, Container
from datetime import date, datetime
from typing import Any

import msgspec

from models import names, nik, regions
from models.fields import Field
from models.problems import problems

FIRST_DAY = date(1850, 1, 1)
LAST_YEAR = 2200
STR_MAX, TEXT_MAX, NAME_MAX = 100, 500, 100
CODES_MAX, DOCUMENTS_MAX, PEOPLE_MAX = 10, 20, 20
PHONE = re.compile(r"\+[1-9]\d{9,14}", re.ASCII)
MOBILE = re.compile(r"\+628[1-9]\d{7,10}", re.ASCII)
VILLAGE_CODE = 13
"""Characters of a region code down to the village, dots included."""
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
DIGEST = re.compile(r"[0-9a-f]{64}")
TIME = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)", re.ASCII)
DAY_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})", re.ASCII)
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Reading:
    """What reading an answer needs besides the field, and the remarks made while reading.

    today: the day of submission. allowed: the codes this service lets the field choose from.
    documents: every known document code. shdk: the codes of the relation to the head.
    """

    def __init__(
        self,
        today: date,
        allowed: Container[str] = (),
        documents: Container[str] = (),
        shdk: Container[str] = (),
    ) -> None:
        self.today = today
        self.allowed = allowed
        self.documents = documents
        self.shdk = shdk
        self.remarks: list[tuple[str, dict[str, Any]]] = []

    def say(self, code: str, **details: Any) -> None:
        """Make a remark; the reader that made an error returns None beside it."""
        self.remarks.append((code, details))

    @property
    def failed(self) -> bool:
        """Whether an error was remarked."""
        return any(problems()[code].severity == "error" for code, _ in self.remarks)


def read(field: Field, value: Any, reading: Reading) -> Any:
    """The normal form of `value`; None when it is empty, or wrong (then `reading` says why)."""
    if value is None or value in ("", [], {}) or (isinstance(value, str) and not value.strip()):
        return None
    return _READERS[field.kind](field, value, reading)


def line(
    value: Any, reading: Reading, limit: int, least: int = 1, lines: bool = False
) -> str | None:
    """Text of `least` to `limit` characters: NFC, nothing invisible, blanks collapsed."""
    if not isinstance(value, str):
        reading.say("field.type", expected={"id": "teks", "en": "text"})
        return None
    text = unicodedata.normalize("NFC", value)
    if lines:
        text = "\n".join(" ".join(part.split()) for part in text.splitlines()).strip()
    else:
        text = " ".join(text.split())
    if any(_unseen(char) for char in text):
        reading.say("field.control")
    elif len(text) > limit:
        reading.say("field.too_long", limit=limit, n=len(text))
    elif len(text) < least:
        reading.say("field.too_short", limit=least)
    else:
        return text or None
    return None


def _unseen(char: str) -> bool:
    """Control, format, private and unpaired characters: nothing invisible is stored."""
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") and char != "\n"


def _str(field: Field, value: Any, reading: Reading) -> str | None:
    if field.digits:
        return _digits(field, value, reading)
    return line(value, reading, field.max or STR_MAX, field.min or 1)


def _digits(field: Field, value: Any, reading: Reading) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
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


def name(value: Any, reading: Reading, new: bool = False) -> str | None:
    """A person's name as it will be stored, with the remarks of `models.names`."""
    text = line(value, reading, 1000)
    if text is None or names.is_unknown(text):
        return None
    for found in names.check_name(text, new=new):
        reading.say(found.code, **found.details)
    return text


def _number16(_: Field, value: Any, reading: Reading) -> str | None:
    return number16(value, reading)


def number16(value: Any, reading: Reading) -> str | None:
    """A NIK or family card number without the signs people write between its digits.

    Whether it is a good number is asked later, beside the holder's birth date and sex.
    """
    text = line(value, reading, STR_MAX)
    return nik.clean(text) if text else None


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


def parse_day(text: str) -> date | None:
    """A day written YYYY-MM-DD, or DD-MM-YYYY as on paper (also with "/" or ".")."""
    found = DAY_FIRST.fullmatch(text)
    try:
        if found:
            return date(int(found[3]), int(found[2]), int(found[1]))
        return date.fromisoformat(text) if ISO_DAY.fullmatch(text) else None
    except ValueError:
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
        reading.say("field.code", value=_brief(value))
    return code


def one_code(value: Any, allowed: Container[str]) -> str | None:
    """`value` as a code of the list; whole numbers are taken for the code they print as."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9:
        value = str(value)
    if not isinstance(value, str) or value.strip() not in allowed:
        return None
    return value.strip()


def _codes(field: Field, value: Any, reading: Reading) -> list[str] | None:
    return code_set(value, reading, reading.allowed, field.max or CODES_MAX)


def _documents(_: Field, value: Any, reading: Reading) -> list[str] | None:
    return code_set(value, reading, reading.documents, DOCUMENTS_MAX)


def code_set(value: Any, reading: Reading, allowed: Container[str], limit: int) -> list[str] | None:
    """Several codes, sorted, because they are a set; one code alone may stand without a list."""
    given = value if isinstance(value, list | tuple) else [value]
    if len(given) > limit:
        reading.say("field.too_many", limit=limit, n=len(given))
        return None
    found: list[str] = []
    for one in given:
        code = one_code(one, allowed)
        if code is None:
            reading.say("field.code", value=_brief(one))
        elif code in found:
            reading.say("field.repeated_code", value=code)
        else:
            found.append(code)
    return sorted(found) or None


def _region(_: Field, value: Any, reading: Reading) -> str | None:
    code = regions.normal(value) if isinstance(value, str) else None
    if code is None or code not in reading.allowed:
        reading.say("field.region", value=_brief(value))
        return None
    return code


def _anywhere(value: Any, reading: Reading) -> str | None:
    """Any village of the country: only the codes of this city are carried on laptops."""
    code = regions.normal(value) if isinstance(value, str) else None
    if code is None or len(code) != VILLAGE_CODE or not regions.is_known(code):
        reading.say("field.region", value=_brief(value))
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


def phone(text: str) -> str | None:
    """E.164: `0812 3456 7890` -> `+6281234567890`; None for what cannot be a telephone number."""
    digits = re.sub(r"[\s().-]", "", text)
    if digits.startswith("0"):
        digits = f"+62{digits[1:]}"
    elif digits.startswith("62"):
        digits = f"+{digits}"
    pattern = MOBILE if digits.startswith("+628") else PHONE
    return digits if pattern.fullmatch(digits) else None


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


def _address(_: Field, value: Any, reading: Reading) -> dict[str, str] | None:
    if not _shaped(value, ADDRESS, reading):
        return None
    found: dict[str, str] = {}
    for part, field in ADDRESS.items():
        raw = value.get(part)
        given = _anywhere(raw, reading) if part == "village" and raw else read(field, raw, reading)
        if given is not None:
            found[part] = given
    if "address" not in found:
        reading.say("field.part_missing", part=ADDRESS["address"].label.both())
    if "village" not in found and "outside" not in found:
        reading.say("field.part_missing", part=ADDRESS["outside"].label.both())
    return None if reading.failed else found


def _person(_: Field, value: Any, reading: Reading) -> dict[str, str] | None:
    if not _shaped(value, ("name", "nik", "reason"), reading):
        return None
    found = {
        "name": name(value.get("name"), reading) if value.get("name") else None,
        "nik": number16(value["nik"], reading) if value.get("nik") else None,
        "reason": line(value["reason"], reading, STR_MAX) if value.get("reason") else None,
    }
    if not value.get("name"):
        reading.say("name.empty")
    if not value.get("nik") and not found["reason"]:
        reading.say("nik.missing")
    return None if reading.failed else {part: one for part, one in found.items() if one}


def _people(_: Field, value: Any, reading: Reading) -> list[dict[str, str]] | None:
    if not isinstance(value, list | tuple):
        reading.say("field.type", expected={"id": "daftar orang", "en": "a list of people"})
        return None
    if len(value) > PEOPLE_MAX:
        reading.say("field.too_many", limit=PEOPLE_MAX, n=len(value))
        return None
    found = [_one_of_people(one, reading) for one in value]
    return None if reading.failed else found


def _one_of_people(value: Any, reading: Reading) -> dict[str, str]:
    if not _shaped(value, ("nik", "name", "shdk", "note"), reading):
        return {}
    found = {
        "nik": number16(value["nik"], reading) if value.get("nik") else None,
        "name": name(value["name"], reading) if value.get("name") else None,
        "note": line(value["note"], reading, STR_MAX) if value.get("note") else None,
    }
    if not value.get("name"):
        reading.say("name.empty")
    if value.get("shdk"):
        found["shdk"] = one_code(value["shdk"], reading.shdk)
        if found["shdk"] is None:
            reading.say("field.code", value=_brief(value["shdk"]))
    return {part: one for part, one in found.items() if one}


def _shaped(value: Any, parts: Container[str], reading: Reading) -> bool:
    """Whether `value` is an object with no part but these."""
    if not isinstance(value, dict):
        reading.say("field.type", expected={"id": "objek dengan bagian", "en": "an object"})
        return False
    for part in value:
        if part not in parts:
            reading.say("field.part_unknown", part=_brief(part))
    return not reading.failed


def _brief(value: Any) -> str:
    """A value short enough to be repeated to the person who typed it."""
    text = value if isinstance(value, str) else type(value).__name__
    return text if len(text) <= 40 else f"{text[:39]}…"


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
