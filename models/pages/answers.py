"""Answers: question and answer as people read them."""

from __future__ import annotations

from typing import Any

from models.codes import code_list
from models.fields import split_row
from models.forms import Slot
from models.reading import parse_day
from models.regions import full_name
from models.services import Service
from models.words import day as plain_day
from models.words import phone, say


def answer_words(service: Service, key: str, value: Any, lang: str) -> tuple[str, str]:
    """Question and answer as people read them; codes by their labels."""
    path, row = split_row(key)
    slot = service.plan.slots.get(path)
    if slot is None:
        return key, str(value)
    label = slot.field.label.say(lang) + (f" ({row})" if row else "")
    return label, in_words(slot, value, lang)


def in_words(slot: Slot, value: Any, lang: str) -> str:
    """An answer by its label, where it is one of a list."""
    kind = slot.field.kind
    if isinstance(value, bool) or kind == "bool":
        return say("ya", lang) if value in (True, "yes") else say("tidak", lang)
    if kind == "region":
        return full_name(str(value))
    if kind == "date":
        return _day(str(value), lang)
    if kind == "phone":
        return phone(str(value))
    if slot.field.codes and not slot.field.codes.startswith("ref:"):
        codes = code_list(slot.field.codes)
        texts = value if isinstance(value, list) else [value]
        return ", ".join(codes.label(str(text), lang) for text in texts)
    if isinstance(value, list):
        return "; ".join(_parts(part) if isinstance(part, dict) else str(part) for part in value)
    return _parts(value) if isinstance(value, dict) else str(value)


def _day(text: str, lang: str) -> str:
    """A day as on paper; an estimated one says so. What is no day is shown as it was typed."""
    day = parse_day(text.removesuffix("~"))
    if day is None:
        return text
    words = plain_day(day)
    return say("kira-kira {day}", lang, day=words) if text.endswith("~") else words


def _parts(value: dict[str, Any]) -> str:
    """An answer of several parts, its village by name."""
    return ", ".join(
        full_name(str(part)) if name == "village" else str(part)
        for name, part in value.items()
        if part
    )
