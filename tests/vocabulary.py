"""Words to make invented people of: two vocabularies that share none.

`train()` feeds the generator that trains the wire dictionary, `fresh()` everything else, so that a
bench never measures words the dictionary has seen.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent / "fixtures" / "vocabulary"


class Vocabulary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Given names, clans (last in a name), streets, hamlets, birth places, notes of the desk."""

    men: tuple[str, ...]
    women: tuple[str, ...]
    clans: tuple[str, ...]
    streets: tuple[str, ...]
    hamlets: tuple[str, ...]
    birth_places: tuple[str, ...]
    notes: tuple[str, ...]


@cache
def fresh() -> Vocabulary:
    """The words of tests, demonstration and benches."""
    return _read("fresh")


@cache
def train() -> Vocabulary:
    """The words the dictionary is trained on."""
    return _read("train")


def _read(name: str) -> Vocabulary:
    return msgspec.toml.decode((FOLDER / f"{name}.toml").read_bytes(), type=Vocabulary)
