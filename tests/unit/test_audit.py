"""The audit trail: whatever is changed, dropped, added or moved is found, and where."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import audit
from models.audit import AuditEntry, Fault

START = audit.opening("82.72")


def written(count):
    """A trail as a register would store it: entries with their links, and the newest link."""
    trail, before = [], START
    for n in range(1, count + 1):
        entry = AuditEntry(n, 1_700_000_000 + n, "hadi", "request.read", f"{n:032x}", "{}")
        before = audit.link(before, entry.encoded())
        trail.append((entry, before))
    return trail, before


def check(trail, head, count):
    return audit.verify(iter(trail), START, count, head)


def test_a_trail_as_written_holds():
    for count in (0, 1, 7):
        trail, head = written(count)
        assert check(trail, head, count) is None


@given(st.integers(0, 6), st.sampled_from(["at", "actor", "action", "target", "detail"]))
def test_a_changed_field_is_found_at_its_place(place, field):
    trail, head = written(7)
    entry, link = trail[place]
    changed = {"at": 1, "detail": "{ }"}.get(field, "x")
    trail[place] = (msgspec.structs.replace(entry, **{field: changed}), link)
    assert check(trail, head, 7) == Fault(place + 1, "link")


@given(st.integers(0, 6), st.integers(0, 31), st.integers(1, 255))
def test_a_changed_byte_of_a_link_is_found(place, byte, mask):
    trail, head = written(7)
    entry, link = trail[place]
    trail[place] = (entry, link[:byte] + bytes([link[byte] ^ mask]) + link[byte + 1 :])
    assert check(trail, head, 7) == Fault(place + 1, "link")


@given(st.integers(0, 6))
def test_a_dropped_entry_is_found(place):
    trail, head = written(7)
    del trail[place]
    found = check(trail, head, 7)
    assert found == Fault(place + 1, "number" if place < 6 else "end")


def test_a_trail_cut_short_or_written_anew_is_found_by_its_head():
    trail, head = written(7)
    assert check(trail[:5], head, 7) == Fault(6, "end")
    assert check(trail[:5], trail[4][1], 7) == Fault(6, "end")
    longer, newer = written(8)
    assert check(longer, head, 7) == Fault(8, "end")
    assert newer != head


def test_two_entries_that_changed_places_are_found():
    trail, head = written(7)
    trail[2], trail[3] = trail[3], trail[2]
    assert check(trail, head, 7) == Fault(3, "number")


def test_a_city_cannot_pass_off_the_trail_of_another():
    trail, head = written(3)
    other = audit.opening("82.71")
    assert audit.verify(iter(trail), other, 3, head) == Fault(1, "link")


def test_a_link_is_never_made_from_a_short_one():
    with pytest.raises(ValueError, match="32 bytes"):
        audit.link(b"short", b"entry")
