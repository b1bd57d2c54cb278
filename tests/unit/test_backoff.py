"""How long to wait, and how much to send in one go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync import backoff

chances = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 10_000), chances, st.floats(0, 3600))
def test_a_pause_is_never_shorter_than_asked_nor_longer_than_the_bound(failures, chance, asked):
    waited = backoff.pause(failures, chance, asked, longest=60)
    assert asked <= waited <= asked + 60


@given(st.integers(1, 20), chances)
def test_later_failures_wait_longer_by_the_same_chance(failures, chance):
    assert backoff.pause(failures + 1, chance) >= backoff.pause(failures, chance)


def test_vans_that_lost_the_same_mast_do_not_come_back_together():
    assert len({backoff.pause(3, chance / 10) for chance in range(10)}) == 10


@given(st.integers(1, backoff.BATCH_BYTES_MAX))
def test_a_batch_is_halved_until_a_single_transaction_is_left(size):
    for _ in range(40):
        size = backoff.smaller(size)
    assert size == backoff.BATCH_BYTES_MIN


def test_a_batch_grows_only_on_a_comfortable_road():
    assert backoff.next_size(1000, 2.0) == 2000
    assert backoff.next_size(1000, 60.0) == 1000
    assert backoff.next_size(backoff.BATCH_BYTES_MAX, 1.0) == backoff.BATCH_BYTES_MAX
