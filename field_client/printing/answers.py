"""Answers as they stand on paper: dates as DD-MM-YYYY, codes in words, one part of an address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from field_client.printing.papers import Show
from models import words
from models.codes import code_list
from models.conditions import parse
from models.forms import Form, Slot, day_of
from models.problems import Problem
from models.regions import place_name
from models.services import Service, catalogue

_ADDRESS = ("address", "dusun", "village", "outside", "postcode")


class Answers:
    """One request's answers, by the paths a paper names."""

    def __init__(self, service: Service, form: Form, besides: Mapping[str, str]) -> None:
        self.service = service
        self.form = form
        self.besides = besides

    def asked(self, section: str) -> bool:
        """Whether the service asks this block and it is open."""
        return section in self.form.plan.blocks and self.form.is_open(section)

    def holds(self, condition: str) -> bool:
        """Whether a condition of the paper holds; what cannot be told does not."""
        return self.form.holds(parse(condition)) is True

    def value(self, path: str, row: int = 0) -> Any:
        """What stands at a path, part by part. None for what is not asked or not answered."""
        plain, _, part = path.partition(":")
        slot = self.form.plan.slots.get(plain)
        if slot is None or not self.form.is_open(slot.block.section):
            return None
        value = self.form.value(plain, row if slot.block.repeated else 0)
        if part and isinstance(value, dict):
            return value.get(part)
        return value

    def text(self, path: str, row: int = 0, show: Show = "label", *, bare: bool = False) -> str:
        """The answer in words; "" where there is none. bare: without signs between, for squares."""
        if path.startswith("@"):
            return self.besides.get(path, "")
        value = self.value(path, row)
        if value is None or value == "" or value == []:
            return ""
        plain, _, part = path.partition(":")
        text = self._words(self.form.plan.slots[plain], value, part, show)
        return text.replace("-", "") if bare and _is_date(value) else text

    def codes(self, path: str, row: int = 0) -> tuple[str, ...]:
        """The codes chosen at a path."""
        value = self.value(path, row)
        if isinstance(value, list):
            return tuple(str(one) for one in value)
        return () if value is None else (str(value),)

    def choices(self, path: str) -> list[tuple[str, str]]:
        """Every code of the list a path chooses from, in words."""
        slot = self.form.plan.slots.get(path)
        if slot is None:
            return []
        if slot.field.kind == "bool":
            return [("yes", "Ya"), ("no", "Tidak")]
        found = code_list(slot.field.codes).codes
        return [(code, f"{code}. {text.id}" if code[:1].isdigit() else text.id)
                for code, text in found.items()]  # fmt: skip

    def people(self, path: str) -> list[Mapping[str, str]]:
        """The rows of an answer that lists people."""
        value = self.value(path)
        return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []

    def of_person(self, person: Mapping[str, str], part: str) -> str:
        """One part of such a row."""
        value = str(person.get(part) or "")
        return _label("shdk", value) if part == "shdk" and value else value

    def _words(self, slot: Slot, value: Any, part: str, show: Show) -> str:
        kind = slot.field.kind
        if isinstance(value, dict):
            return _address(value) if kind == "address" else _person(value)
        if part in ("village", "region") or kind == "region":
            return _region(str(value), show)
        if kind == "date":
            return _date(str(value), part)
        if kind in ("code", "codes", "documents"):
            listed = value if isinstance(value, list) else [value]
            return "; ".join(_choice(self.service, slot, str(one), show) for one in listed)
        return _plain(kind, value)


def _plain(kind: str, value: Any) -> str:
    if kind == "bool":
        return "Ya" if value in ("yes", True) else "Tidak"
    if kind == "decimal" or isinstance(value, float):
        return words.number(float(value)).removesuffix(",0")
    if kind == "phone":
        return words.phone(str(value))
    if kind == "datetime":
        return str(value)[:16].replace("T", " ")
    if kind == "time":
        return f"{value} WIT"
    if isinstance(value, list):
        return "; ".join(str(one) for one in value)
    return str(value)


def _date(text: str, part: str) -> str:
    when = day_of(text)
    if when is None:
        return text
    if part == "weekday":
        return words.DAYS["id"][when.weekday()]
    about = " (perkiraan)" if text.endswith("~") else ""
    return (words.long_day(when).partition(", ")[2] if part == "long" else words.day(when)) + about


def _is_date(value: Any) -> bool:
    return isinstance(value, str) and day_of(value) is not None


def _region(code: str, show: Show) -> str:
    name = place_name(code) or code
    return code if show == "code" else f"{code}  {name}" if show == "both" else name


def _address(value: Mapping[str, Any]) -> str:
    """An address as it is written here: street, RT/RW, village, district."""
    found = []
    for part in _ADDRESS:
        text = value.get(part)
        if not text:
            continue
        found.append(_region(str(text), "label") if part == "village" else str(text))
        if part == "address" and (value.get("rt") or value.get("rw")):
            found.append(f"RT/RW {value.get('rt') or '...'}/{value.get('rw') or '...'}")
    return ", ".join(found)


def _person(value: Mapping[str, Any]) -> str:
    name, number = value.get("name") or "", value.get("nik") or ""
    return f"{name} (NIK {number})" if number else str(name)


def _choice(service: Service, slot: Slot, code: str, show: Show) -> str:
    if show == "code":
        return code
    if slot.field.codes == "ref:services":
        return _service(code)
    if slot.field.kind == "documents":
        labels = {one.code: one.label.id for one in service.documents}
        return labels.get(code) or _label("jenis_dokumen", code)
    text = _label(slot.field.codes, code)
    return f"{code}. {text}" if show == "both" else text


def _service(slug: str) -> str:
    try:
        return catalogue().service(slug).title.id
    except Problem:
        return slug


def _label(name: str, code: str) -> str:
    return code_list(name).label(code)
