"""The index of recent requests: found again by who asks, readable by nobody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.ledger import RecentTrace
from server.recents import _packed
from sync.messages import Recent
from sync.recent import EPOCH_SECONDS, MARK_BYTES, day_of, epoch_of, key_of, mark, marks_in

AT = 1_795_000_000
traces = st.builds(
    RecentTrace,
    st.text(min_size=1, max_size=40),
    st.sampled_from(["Si Jola 1", "Desa Bale", "Dukcapil"]),
    st.integers(AT - 90 * 86400, AT),
)


@given(st.lists(traces, max_size=40))
def test_each_trace_is_found_under_its_office_and_day_and_nothing_else_is_told(
    found: list[RecentTrace],
) -> None:
    key = key_of(b"s" * 32, b"d" * 16, 1)
    told = _packed(found, key, Recent(1, key, 9, True, 0))
    entries = {
        (told.offices[place], day, one)
        for place, day, packed in told.groups
        for one in marks_in(packed)
    }
    assert entries == {(one.office, day_of(one.at), mark(key, one.trace)) for one in found}
    for _, _, packed in told.groups:
        assert marks_in(packed) == sorted(set(marks_in(packed)))  # no order of arrival


def test_no_two_laptops_and_no_two_months_have_marks_in_common() -> None:
    names = [f"nik|ktp|82720320099{n:05}" for n in range(500)]
    keys = [
        key_of(b"s" * 32, device, epoch) for device in (b"a" * 16, b"b" * 16) for epoch in (1, 2)
    ]
    lists = [{mark(key, name) for name in names} for key in keys]
    assert [len(one) for one in lists] == [500] * 4
    assert all(len(one) == MARK_BYTES for one in lists[0])
    assert sum(len(a & b) for i, a in enumerate(lists) for b in lists[:i]) == 0
    assert epoch_of(AT) + 1 == epoch_of(AT + EPOCH_SECONDS)
