"""Reading plain pieces of an answer: lines, names, long numbers, days, codes, telephones.

Every function takes any JSON value and a `Reading`, returns the normal form, or None after
remarking why.
"""

import re
import unicodedata
from collections.abc import Container
from datetime import date
from typing import Any

from models import names, nik
from models.problems import problems

PHONE = re.compile(r"\+[1-9]\d{9,14}", re.ASCII)
MOBILE = re.compile(r"\+628[1-9]\d{7,10}", re.ASCII)
DAY_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})", re.ASCII)
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
STR_MAX = 100


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


def name(value: Any, reading: Reading, new: bool = False) -> str | None:
    """A person's name as it will be stored, with the remarks of `models.names`."""
    text = line(value, reading, 1000)
    if text is None or names.is_unknown(text):
        return None
    for found in names.check_name(text, new=new):
        reading.say(found.code, **found.details)
    return text


def number16(value: Any, reading: Reading) -> str | None:
    """A NIK or family card number without the signs people write between its digits.

    Whether it is a good number is asked later, beside the holder's birth date and sex.
    """
    text = line(value, reading, STR_MAX)
    return nik.clean(text) if text else None


def parse_day(text: str) -> date | None:
    """A day written YYYY-MM-DD, or DD-MM-YYYY as on paper (also with "/" or ".")."""
    found = DAY_FIRST.fullmatch(text)
    try:
        if found:
            return date(int(found[3]), int(found[2]), int(found[1]))
        return date.fromisoformat(text) if ISO_DAY.fullmatch(text) else None
    except ValueError:
        return None


def one_code(value: Any, allowed: Container[str]) -> str | None:
    """`value` as a code of the list; whole numbers are taken for the code they print as."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9:
        value = str(value)
    if not isinstance(value, str) or value.strip() not in allowed:
        return None
    return value.strip()


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
            reading.say("field.code", value=brief(one))
        elif code in found:
            reading.say("field.repeated_code", value=code)
        else:
            found.append(code)
    return sorted(found) or None


def phone(text: str) -> str | None:
    """E.164: `0812 3456 7890` -> `+6281234567890`; None for what cannot be a telephone number."""
    digits = re.sub(r"[\s().-]", "", text)
    if digits.startswith("0"):
        digits = f"+62{digits[1:]}"
    elif digits.startswith("62"):
        digits = f"+{digits}"
    pattern = MOBILE if digits.startswith("+628") else PHONE
    return digits if pattern.fullmatch(digits) else None


def brief(value: Any) -> str:
    """A value short enough to be repeated to the person who typed it."""
    text = value if isinstance(value, str) else type(value).__name__
    return text if len(text) <= 40 else f"{text[:39]}…"
