"""Fields: what one question of a form is, and which unit of the record its answer belongs to.

Declarations only; they are read from the TOML files of `data/`. How an answer of each kind is read
stands in `models.values`, how questions depend on each other in `models.forms`.
"""

from typing import Literal

import msgspec

Kind = Literal[
    "str", "text", "name", "nik", "kk", "date", "time", "datetime", "int", "decimal", "bool",
    "code", "codes", "region", "address", "phone", "email", "person", "people", "documents",
    "attachment",
]  # fmt: skip
"""What a field holds; the limits of each kind stand in `models.values`."""

Guard = Literal["free", "protected", "central"]
"""free: a later writer wins and both are told. protected: two writers make a case for a person.
central: only the office writes it; what a laptop sends is ignored with a note."""

Stage = Literal["intake", "office", "handover"]
"""When a field is asked. office: may follow later, but the file is not verified without it.
handover: filled by the action `hand_over` and never before."""

STAGES: tuple[Stage, ...] = ("intake", "office", "handover")

Derived = Literal["request", "documents", "province", "city", "district"]
"""Shown but never typed: the service's only request code, the documents brought, or what the
village code says."""

Shape = Literal["field", "group", "set"]


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words in both languages, as data."""

    id: str
    en: str

    def say(self, lang: str = "id") -> str:
        """The words in `lang`; anything but "en" reads Indonesian."""
        return self.en if lang == "en" else self.id

    def both(self) -> dict[str, str]:
        """As a plain value, for the details of a finding."""
        return {"id": self.id, "en": self.en}


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question.

    required: "yes", "no" or a condition. about: the person or thing the answer concerns. codes: the
    code list, or "ref:services" / "ref:regions". alias: `section.name` (`section.*` for a whole
    address), perhaps `?condition`; where its target is asked the field is shown, not typed. group:
    the field travels with its group as one unit. set: each element is a unit of its own. min, max:
    bounds of a number, or of the length of a text. usual: outside it a warning. digits: exactly so
    many digits; pad: leading zeros are filled in (RT, RW). future: may lie ahead of today.
    estimated: an approximate date may carry a trailing "~". new: a name given now, so today's rules
    for names bind it. sensitive: never in a list or log. differs: paths this answer must differ
    from, with the code to say. after: dates it must not precede. born, sex: for a NIK, the path of
    its holder's birth date, and the path or code of the holder's sex. adult: the person is 17 or
    more.
    """

    name: str
    kind: Kind
    label: Text
    about: str
    required: str = "no"
    codes: str = ""
    stage: Stage = "intake"
    guard: Guard = "free"
    group: str = ""
    set: bool = False
    alias: str = ""
    derived: Derived | None = None
    hint: Text | None = None
    min: int | None = None
    max: int | None = None
    usual: tuple[int, int] | None = None
    digits: int = 0
    pad: bool = False
    future: bool = False
    estimated: bool = False
    new: bool = False
    sensitive: bool = False
    differs: dict[str, str] = {}
    after: tuple[str, ...] = ()
    born: str = ""
    sex: str = ""
    adult: bool = False


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A remark at `key` while the condition `wrong` is true; read in each row of a repeated block.

    code: the finding. `rule` are the words of "field.must_match" and "field.should_match".
    """

    key: str
    wrong: str
    code: str = "field.should_match"
    rule: Text | None = None


class Unit(msgspec.Struct, frozen=True):
    """What is merged as one: a field, a group (written whole) or a set (by element)."""

    name: str
    shape: Shape
    guard: Guard


def row_name(pattern: str, row: int) -> str:
    """`witness.nik` of row 2 is `witness.2.nik`; row 0 means that the block is not repeated."""
    if not row:
        return pattern
    first, _, rest = pattern.partition(".")
    return f"{first}.{row}.{rest}"


def split_row(name: str) -> tuple[str, int]:
    """The inverse of `row_name`: `witness.2.nik` -> (`witness.nik`, 2)."""
    first, _, rest = name.partition(".")
    number, dot, last = rest.partition(".")
    if dot and number.isascii() and number.isdigit() and number[0] != "0" and len(number) <= 3:
        return f"{first}.{last}", int(number)
    return name, 0
