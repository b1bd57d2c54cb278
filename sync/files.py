"""Files of a request: how they stand in its state, as elements of sets."""

from __future__ import annotations

from typing import Any

import msgspec

from models.changes import Attached
from sync.state import ELEMENT, Record

FILES_MAX = 60
"""Of one request: six papers of ten pages."""


def element_of(file: Attached) -> str:
    """The unit under which a file stands in a request."""
    return file.unit + ELEMENT + file.blob.hex()


def about_file(file: Attached) -> list[Any]:
    """The value of that unit: all that is known of the file but its unit and name."""
    return [file.size, file.kind, file.preview, file.page, file.pages]


def file_of(unit: str, value: Any) -> Attached | None:
    """The file that stands under `unit`, or None for any other unit and a file taken out."""
    name, plus, element = unit.partition(ELEMENT)
    if not plus or not isinstance(value, list):
        return None
    try:
        return msgspec.convert([name, bytes.fromhex(element), *value], Attached)
    except (ValueError, msgspec.ValidationError):
        return None


def files(record: Record) -> list[Attached]:
    """The files of a request, in the order of their units and pages."""
    found = (file_of(unit, write.value) for unit, write in record.units.items())
    return sorted(
        (file for file in found if file is not None), key=lambda f: (f.unit, f.page, f.blob)
    )
