"""What was typed into a form, as the handlers of pages read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.pages.uploads import Upload

DIGITS_MAX = 15
"""Of a number that is typed or stands in an address: what any column holds."""


def whole(text: str) -> int | None:
    """The whole number, 0 or more, that a text is; None for anything else. Plain digits alone:
    `isdigit` is true of "²", which `int` refuses."""
    plain = text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX
    return int(text) if plain else None


class Form:
    """What was typed, already shown to come from one of our own pages."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        self.pairs = pairs

    def get(self, name: str, default: str = "") -> str:
        """The text of a field, "" where it was not sent."""
        texts = self.all(name)
        return texts[0] if texts else default

    def all(self, name: str) -> list[str]:
        """Every text sent under this name."""
        return [value for key, value in self.pairs if key == name and isinstance(value, str)]

    def files(self, name: str) -> list[Upload]:
        """Every file sent under this name; an input left empty sends none."""
        sent = [value for key, value in self.pairs if key == name]
        return [one for one in sent if isinstance(one, Upload) and (one.name or one.data)]

    def starting(self, start: str) -> dict[str, list[str]]:
        """Name without `start` -> texts, of the fields whose names begin so."""
        found: dict[str, list[str]] = {}
        for key, value in self.pairs:
            if key.startswith(start) and isinstance(value, str):
                found.setdefault(key[len(start) :], []).append(value)
        return found
