"""A line of a list -> a `Resident` in the code lists of the forms, with what was odd about it.

A roster is a help for finding and prefilling, not a register: what the list says is taken over,
unknown words are kept as they stand in `raw`, and nothing is decided here that belongs to the
office.
"""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Literal

import msgspec

from models import names, nik
from models.roster import cells, labels, lexicon
from models.roster.lines import Entry
from models.roster.sheets import Cell

Enrolment = Literal["enrolled", "not_enrolled", "unknown"]
Residence = Literal["resident", "dead", "moved", "lost", "unknown"]

NAME_LENGTH = 100
ADDRESS_LENGTH = 200

_CODED = ("shdk", "religion", "education", "job", "blood", "citizenship")
_TEXTS = ("birth_place", "father_name", "mother_name", "dusun")
_SAME_ON_THE_CARD = {"1": "1", "2": "2", "3": "2", "4": "3", "5": "3", "6": "4"}
"""Marital status of the family card (six) -> of the identity card's face (four)."""


class Resident(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One person of a list. Empty text: the list does not say.

    key: 32 hex digits naming this person in any list of the village; from the NIK where it is
    usable. sex, religion, education, job, shdk, blood, citizenship: codes of the lists of those
    names. marital: code of `status_perkawinan`, only where the list tells registered from
    unregistered; marital_card: code of `status_perkawinan_lama` (the card's face), which every list
    tells. rt, rw: three digits. enrolment_raw: the list's own word. raw: field -> text that could
    not be read (a damaged NIK too).
    """

    key: str
    name: str
    nik: str = ""
    kk: str = ""
    sex: str = ""
    birth_place: str = ""
    birth_date: date | None = None
    marital: str = ""
    marital_card: str = ""
    shdk: str = ""
    religion: str = ""
    education: str = ""
    job: str = ""
    blood: str = ""
    citizenship: str = ""
    father_name: str = ""
    father_nik: str = ""
    mother_name: str = ""
    mother_nik: str = ""
    address: str = ""
    rt: str = ""
    rw: str = ""
    dusun: str = ""
    enrolment: Enrolment = "unknown"
    enrolment_raw: str = ""
    residence: Residence = "resident"
    raw: dict[str, str] = {}

    @property
    def ever_married(self) -> bool | None:
        """None where the list does not say."""
        return self.marital_card != "1" if self.marital_card else None


class Reading(msgspec.Struct):
    """Values gathered from one line. warnings: (field, code of `problems.toml`)."""

    values: dict[str, str] = {}
    raw: dict[str, str] = {}
    warnings: list[tuple[str, str]] = []

    def warn(self, field: str, code: str) -> None:
        self.warnings.append((field, code))

    def unread(self, field: str, cell: Cell, code: str) -> None:
        """Keeps what the list says as it stands."""
        self.raw[field] = cells.text_of(cell)[:ADDRESS_LENGTH]
        self.warn(field, code)


class Habits(msgspec.Struct, frozen=True):
    """What only the whole sheet tells. as_of: the day of the list.

    doubtful: number fields whose trailing zeros are Excel's, not the office's.
    says_residence: the list has a column for who lives and who left, and uses it.
    """

    as_of: date
    doubtful: frozenset[str] = frozenset()
    says_residence: bool = False


def read(entry: Entry, habits: Habits) -> tuple[Resident | None, list[tuple[str, str]], str]:
    """(resident, warnings, refusal): the refusal is the code of the reason when there is no
    resident.
    """
    found = {**entry.family, **entry.cells}
    name = cells.text_of(found.get("name"))
    if not name:
        return None, [], "roster.row_name"
    if len(name) > NAME_LENGTH:
        return None, [], "roster.row_name_long"
    into = Reading()
    _notice_untidy(entry.cells, into)
    for _ in range(entry.dashes):
        into.warn("", "roster.row_dash")
    if entry.carried:
        into.warn("kk", "roster.row_kk_carried")
    for field in ("nik", "kk", "father_nik", "mother_nik"):
        _read_number(field, found.get(field), habits, into)
    born = _read_birth(found, habits, into)
    _read_words(found, into)
    _read_marital(found, into)
    _read_place(found, into)
    enrolment, enrolment_raw = _read_enrolment(found, into)
    _compare_with_nik(into, born)
    resident = Resident(
        key="",
        name=name,
        birth_date=born,
        enrolment=enrolment,
        enrolment_raw=enrolment_raw,
        residence=_read_residence(found, habits, into),
        raw=into.raw,
        **into.values,
    )
    return resident, into.warnings, ""


def with_key(resident: Resident, *, nik_is_alone: bool) -> Resident:
    """The resident with its key. A NIK that two people share names neither of them."""
    parts = [resident.nik] if resident.nik and nik_is_alone else list(identity(resident))
    digest = hashlib.sha256("\0".join(["jb-roster", *parts]).encode()).hexdigest()
    return msgspec.structs.replace(resident, key=digest[:32])


def identity(resident: Resident) -> tuple[str, str, str, str]:
    """What makes two lines the same person when no NIK says so."""
    born = resident.birth_date.isoformat() if resident.birth_date else ""
    return resident.nik, resident.kk, names.key(resident.name), born


# --- numbers --------------------------------------------------------------------------------------


def _read_number(field: str, cell: Cell, habits: Habits, into: Reading) -> None:
    if not cells.filled(cell):
        return
    found = cells.digits(cell)
    lost = found.remark == "roster.lost_digits"
    if lost or (field in habits.doubtful and found.text.endswith("0")):
        into.unread(field, cell, "roster.lost_digits")
        return
    if not (found.text.isascii() and found.text.isdigit() and len(found.text) == 16):
        into.unread(field, cell, "roster.row_number_length")
        return
    if found.remark:
        into.warn(field, found.remark)
    if found.number:
        into.warn(field, "roster.row_number_cell")
    into.values[field] = found.text


def _compare_with_nik(into: Reading, born: date | None) -> None:
    """Doubts only: a NIK keeps its birth date and region when the person's data are corrected."""
    number = into.values.get("nik", "")
    if not number:
        return
    if number == into.values.get("kk"):
        into.raw["nik"] = into.values.pop("nik")
        into.warn("nik", "roster.row_nik_is_kk")
        return
    parts = nik.parse(number)
    if parts is None or parts.serial == 0 or not parts.date_possible:
        into.warn("nik", "roster.row_nik_odd")
        return
    if born and (parts.day, parts.month, parts.year) != (born.day, born.month, born.year % 100):
        into.warn("birth_date", "roster.row_nik_date")
    if into.values.get("sex", parts.sex) != parts.sex:
        into.warn("sex", "roster.row_nik_sex")


# --- words ----------------------------------------------------------------------------------------


def _read_words(found: Mapping[str, Cell], into: Reading) -> None:
    for field in _CODED:
        _read_code(field, found.get(field), into)
    male, female = cells.filled(found.get("sex_male")), cells.filled(found.get("sex_female"))
    if male != female:
        into.values["sex"] = "1" if male else "2"  # a tick under L or P
    else:
        _read_code("sex", found.get("sex"), into)
    for field in _TEXTS:
        text = cells.text_of(found.get(field)) if cells.filled(found.get(field)) else ""
        if len(text) > NAME_LENGTH:
            into.warn(field, "roster.row_cut")
        if text and field not in into.values:
            into.values[field] = text[:NAME_LENGTH]


def _read_code(field: str, cell: Cell, into: Reading) -> None:
    if not cells.filled(cell):
        return
    code = lexicon.meaning(field, cells.text_of(cell))
    if code is None:
        into.unread(field, cell, "roster.row_doubt")
    else:
        into.values[field] = code


def _read_marital(found: Mapping[str, Cell], into: Reading) -> None:
    """Most lists say "Kawin" alone: registered only if they also name a deed."""
    cell = found.get("marital")
    if not cells.filled(cell):
        return
    text = cells.text_of(cell)
    full = lexicon.meaning("marital_full", text)
    card = _SAME_ON_THE_CARD[full] if full else lexicon.meaning("marital", text)
    if card is None:
        into.unread("marital", cell, "roster.row_doubt")
        return
    if full is None:
        deeds = {"2": ("marriage_deed", "2"), "3": ("divorce_deed", "4")}
        deed, registered = deeds.get(card, ("", ""))
        full = {"1": "1", "4": "6"}.get(card) or (
            registered if cells.filled(found.get(deed)) else ""
        )
    into.values["marital_card"] = card
    if full:
        into.values["marital"] = full


def _read_residence(found: Mapping[str, Cell], habits: Habits, into: Reading) -> Residence:
    """A list without such a column is a list of those who live there."""
    if not habits.says_residence:
        return "resident"
    cell = found.get("residence")
    if not cells.filled(cell):
        return "unknown"
    match lexicon.meaning("residence", cells.text_of(cell)):
        case "resident":
            return "resident"
        case "dead":
            return "dead"
        case "moved":
            return "moved"
        case "lost":
            return "lost"
        case "unknown":
            into.raw["residence"] = cells.text_of(cell)
        case _:
            into.unread("residence", cell, "roster.row_doubt")
    return "unknown"


def _read_enrolment(found: Mapping[str, Cell], into: Reading) -> tuple[Enrolment, str]:
    """The recording state first; a card flag only where there is no such state."""
    for field in ("enrolment", "card"):
        cell = found.get(field)
        if not cells.filled(cell):
            continue
        text = cells.text_of(cell)
        code = lexicon.meaning(field, text)
        if code is None and not text.isdigit():
            code = lexicon.meaning("enrolment", text)
        match code:
            case "enrolled":
                return "enrolled", text
            case "not_enrolled":
                return "not_enrolled", text
            case None:
                into.unread("enrolment", cell, "roster.row_doubt")
        return "unknown", text
    return "unknown", ""


# --- birth and place ------------------------------------------------------------------------------


def _read_birth(found: Mapping[str, Cell], habits: Habits, into: Reading) -> date | None:
    cell = found.get("birth_date")
    if cells.filled(cell):
        read = cells.day(cell, habits.as_of)
    else:
        cell = found.get("birth_place_date")
        where, read = cells.place_and_day(cell, habits.as_of)
        if where:
            into.values["birth_place"] = where[:NAME_LENGTH]
    if read.day is None and read.remark:
        into.unread("birth_date", cell, read.remark)
    elif read.remark:
        into.warn("birth_date", read.remark)
    return read.day


def _read_place(found: Mapping[str, Cell], into: Reading) -> None:
    address = cells.text_of(found.get("address")) if cells.filled(found.get("address")) else ""
    if len(address) > ADDRESS_LENGTH:
        into.warn("address", "roster.row_cut")
    if address:
        into.values["address"] = address[:ADDRESS_LENGTH]
        into.values.setdefault("dusun", labels.hamlet(address))
    rt, _, rw = cells.text_of(found.get("rt_rw")).replace("-", "/").partition("/")
    for field, joined in (("rt", rt), ("rw", rw)):
        text = cells.place(found.get(field)) or cells.place(joined.strip())
        if text and not (text.isdigit() and len(text) == 3):
            into.unread(field, text, "roster.row_doubt")
        elif text:
            into.values[field] = text


def _notice_untidy(found: Mapping[str, Cell], into: Reading) -> None:
    for field, cell in found.items():
        if field not in ("nik", "kk") and cells.has_odd_spaces(cell):
            into.warn(field, "roster.row_spacing")
