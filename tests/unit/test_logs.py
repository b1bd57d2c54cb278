"""The chain of a log, where a hole is in it."""

from __future__ import annotations

from models.changes import Change, Hole, encode, raw
from sync.logs import Entry, broken_at, chain, opening_head

LOG, START, GONE = b"l" * 16, opening_head(b"opening"), b"g" * 32


def after_a_hole(last: int) -> list[Entry]:
    """Entries 6 and 7; number 6 says that everything up to `last` is lost."""
    hole = Hole(1, last, GONE, "hujan")
    change = Change("hole", b"", 0, 1, "", 0, 0, 1, 1, 0, 0, 0, None, raw(hole))
    return list(chain(LOG, 6, GONE, [encode(change), b"next"]))


def test_a_log_may_begin_with_a_hole() -> None:
    assert broken_at(LOG, START, after_a_hole(5)) is None
    assert broken_at(LOG, START, after_a_hole(4)) == 6


def test_an_altered_entry_behind_it_is_found() -> None:
    entries = after_a_hole(5)
    assert broken_at(LOG, START, [entries[0], Entry(7, b"other", entries[1].head)]) == 7
