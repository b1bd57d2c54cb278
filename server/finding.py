"""Finding: requests and cases by the names people have for them."""

from __future__ import annotations

from collections.abc import Collection

from models.ids import CODE_SYMBOLS, Code
from models.problems import Problem
from server.database.registry import Door
from sync.state import Case, Record


def find_record(door: Door, name: str) -> Record:
    """The request with that id, tracking code, or beginning of an id of eight digits or more."""
    for found in _candidates(door, name):
        record = door.record(found)
        if record is not None:
            return record
    raise Problem("request.unknown", code=name[:40])


def _candidates(door: Door, name: str) -> Collection[bytes]:
    text = name.strip()
    if _is_hex(text):
        if len(text) == 32:
            return [bytes.fromhex(text)]
        found = door.record_ids(text.lower())
        if len(found) > 1:
            raise Problem("request.ambiguous", code=text)
        if found or len(text) != CODE_SYMBOLS:
            return found
    code = Code.parse(text)
    named = door.record_by_code(code.block, code.number)
    return [named] if named is not None else []


def find_case(door: Door, name: str) -> Case:
    """The case with that id or the beginning of one."""
    text = name.strip().lower()
    found = door.case_ids(text) if _is_hex(text) else []
    case = door.case(found[0]) if len(found) == 1 else None
    if case is None:
        raise Problem("case.unknown", case=name[:40])
    return case


def _is_hex(text: str) -> bool:
    return 8 <= len(text) <= 32 and all(c in "0123456789abcdefABCDEF" for c in text)
