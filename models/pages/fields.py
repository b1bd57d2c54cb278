"""Fields: one question of any service as it is drawn, and what a browser sends back for it.

One drawing for each kind of answer (`models.fields.Kind`), so that all 47 services, and the next
one, need no template of their own. What was typed is kept as typed: a date that does not exist is
shown again as it was written, with the words what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from models import regions, words
from models.codes import code_list
from models.fields import row_name
from models.forms import Plan, Slot
from models.pages.forms import Form, whole
from models.problems import Finding
from models.services import catalogue
from models.values import ADDRESS, PEOPLE_MAX

RADIOS_MAX = 7
"""Longer lists are a drop-down."""

PEOPLE_SPARE = 3
"""Empty rows offered for more people."""

Option = tuple[str, str]
"""(code, words)."""


class Drawn(msgspec.Struct, frozen=True):
    """A question ready for its template.

    name: of its input; parts of an answer add `|part`. widget: which drawing. value: as typed.
    groups: options by heading ("" for none). doubts: warnings that pass with a reason, each (key of
    the reason's input, words, reason). told: what the office wrote about this answer. rows: of an
    answer that is a list of people.
    """

    name: str
    key: str
    widget: str
    label: str
    hint: str
    value: Any
    required: bool
    groups: tuple[tuple[str, tuple[Option, ...]], ...] = ()
    errors: tuple[str, ...] = ()
    doubts: tuple[tuple[str, str, str], ...] = ()
    estimated: bool = False
    inputmode: str = ""
    shown: str = ""
    told: str = ""

    @property
    def id(self) -> str:
        """For labels and links: letters, digits and dashes."""
        return id_of(self.name)

    @property
    def options(self) -> tuple[Option, ...]:
        """All options without headings."""
        return tuple(option for _, group in self.groups for option in group)

    @property
    def day(self) -> tuple[str, str, str]:
        """Day, month and year of a date as typed."""
        return parts_of_day(self.value)

    def part(self, name: str, row: int = -1) -> str:
        """One part of an answer that has several; row: of a list, from 0."""
        value = self.value
        if row >= 0:
            value = value[row] if isinstance(value, list | tuple) and row < len(value) else {}
        return str(value.get(name, "")) if isinstance(value, Mapping) else ""

    @property
    def rows(self) -> range:
        """Rows to draw of a list of people."""
        filled = len(self.value) if isinstance(self.value, list | tuple) else 0
        return range(min(PEOPLE_MAX, filled + PEOPLE_SPARE))


def parts_of_day(value: Any) -> tuple[str, str, str]:
    """Day, month and year of a date, for three boxes; of what is none, as it was typed."""
    parts = [*re.split(r"[-/. ]", str(value or "").removesuffix("~")), "", "", ""]
    if len(parts[0]) == 4:
        return parts[2], parts[1], parts[0]
    return parts[0], parts[1], parts[2]


def id_of(name: str) -> str:
    """The id of an input by its name: letters, digits and dashes."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")


def askable(slot: Slot) -> bool:
    """Typed before a request is submitted. Files are attached to the request."""
    field = slot.field
    late = field.guard == "central" or field.stage == "handover" or field.kind == "attachment"
    return slot.typed and not late


_WIDGETS = {
    "text": "textarea", "date": "date", "bool": "radios", "codes": "checkboxes",
    "documents": "checkboxes", "region": "select", "address": "address", "person": "person",
    "people": "people",
}  # fmt: skip
_INPUTMODES = {"nik": "numeric", "kk": "numeric", "int": "numeric", "decimal": "decimal",
               "phone": "tel", "email": "email"}  # fmt: skip


def widget(slot: Slot, plan: Plan, required: bool) -> str:
    """Which drawing an answer of this kind has. What may stay empty is a drop-down: a radio cannot
    be taken back."""
    if slot.field.kind == "code":
        few = required and len(options(slot, plan, "id")) <= RADIOS_MAX
        return "radios" if few else "select"
    return _WIDGETS.get(slot.field.kind, "input")


def options(slot: Slot, plan: Plan, lang: str) -> list[Option]:
    """The codes to choose from, in the order of the form."""
    field = slot.field
    if field.kind == "bool":
        return [("yes", words.say("Ya", lang)), ("no", words.say("Tidak", lang))]
    if field.kind == "documents":
        return list(_labels("jenis_dokumen", lang))
    if field.codes == "ref:services":
        return [(one.slug, one.title.say(lang)) for one in catalogue().services()]
    if field.codes.startswith("ref:") or not field.codes:
        return [(one.code, one.name) for one in regions.villages()]
    found = _labels(field.codes, lang)
    allowed = plan.requests if field.derived == "request" else None
    return [one for one in found if allowed is None or one[0] in allowed]


def _labels(name: str, lang: str) -> list[Option]:
    return [(code, text.say(lang)) for code, text in code_list(name).codes.items()]


def villages(lang: str) -> tuple[tuple[str, tuple[Option, ...]], ...]:
    """The 89 villages under their eight districts."""
    del lang  # names of places are not translated
    return tuple(
        (one.name, tuple((v.code, v.name) for v in regions.villages_of(one.code)))
        for one in regions.districts()
    )


def drawn(
    slot: Slot, plan: Plan, row: int, name: str, value: Any, required: bool, lang: str
) -> Drawn:
    """A question with the answer that was typed."""
    field, kind = slot.field, widget(slot, plan, required)
    groups: tuple[tuple[str, tuple[Option, ...]], ...] = ()
    if field.kind in ("region", "address"):
        groups = villages(lang)
    elif kind in ("radios", "select", "checkboxes"):
        groups = (("", tuple(options(slot, plan, lang))),)
    elif field.kind == "people":
        groups = (("", tuple(_labels("shdk", lang))),)
    return Drawn(
        name=name,
        key=row_name(slot.path, row),
        widget=kind,
        label=field.label.say(lang),
        hint=field.hint.say(lang) if field.hint is not None else "",
        value=value,
        required=required,
        groups=groups,
        estimated=field.estimated,
        inputmode=_INPUTMODES.get(field.kind, "numeric" if field.digits else ""),
    )


def with_findings(
    one: Drawn, found: Sequence[Finding], reasons: Mapping[str, str], lang: str
) -> Drawn:
    """The same with what is wrong, and what is doubtful."""
    mine = [f for f in found if f.key == one.key and not f.quiet]
    errors = tuple(f.words(lang) for f in mine if f.severity == "error" and not f.passed)
    doubts = tuple(
        (f.key, f.words(lang), reasons.get(f.key, "")) for f in mine if f.severity == "warning"
    )
    return msgspec.structs.replace(one, errors=errors, doubts=doubts)


# -- what comes back


def typed(slot: Slot, name: str, form: Form) -> Any:
    """The answer in a form that was sent; "" where it was left empty."""
    kind = slot.field.kind
    match kind:
        case "date":
            return day_typed(form, name, slot.field.estimated)
        case "codes" | "documents":
            return [code for code in form.all(name) if code] or ""
        case "address":
            return _parts(form, name, tuple(ADDRESS)) or ""
        case "person":
            return _parts(form, name, ("name", "nik", "reason")) or ""
        case "people":
            parts = ("nik", "name", "shdk", "note")
            rows = [_parts(form, f"{name}|{i}", parts) for i in range(PEOPLE_MAX)]
            return [row for row in rows if row] or ""
    return form.get(name).strip()


def _parts(form: Form, name: str, parts: Sequence[str]) -> dict[str, str]:
    found = {part: form.get(f"{name}|{part}").strip() for part in parts}
    return {part: text for part, text in found.items() if text}


def day_typed(form: Form, name: str, estimated: bool = False) -> str:
    """Three boxes as one day. A month may be typed `8`, `08` or `agu`; what is no date stays as it
    was typed."""
    day, month, year = (form.get(f"{name}|{part}").strip() for part in ("day", "month", "year"))
    if not (day or month or year):
        return ""
    month = str(_month(month)) if _month(month) else month
    numbers = whole(day), whole(month)
    if None not in numbers and whole(year) is not None and len(year) == 4:
        text = f"{year}-{numbers[1]:02}-{numbers[0]:02}"
    else:
        text = f"{day}-{month}-{year}"
    return text + "~" if estimated and form.get(f"{name}|about") else text


def _month(text: str) -> int:
    """Number of a month by its name's beginning in either language, 0 for none."""
    start = text.strip().lower()[:3]
    for names in words.MONTHS.values():
        for number, name in enumerate(names, 1):
            if start and name.lower().startswith(start):
                return number
    return 0
