"""What is sent at once follows the link as measured; one that stands still is given up."""

from __future__ import annotations

import pytest

from sync import pace
from sync.pace import Pace


def carried(rate: float, rtt: float, frames: int) -> tuple[Pace, float]:
    """A pace after so many frames over a link of `rate` bytes a second that is always busy."""
    here = Pace(rtt=rtt)
    at = 100.0
    here.connected(rtt, at)
    arrives = at + rtt
    for _ in range(frames):
        size = here.frame_bytes
        here.put(size, at)
        arrives = max(arrives, at + rtt) + size / rate
        here.acknowledged(arrives)
        at = arrives - rtt / 2  # the next one was on its way by then
    return here, arrives


@pytest.mark.parametrize(
    ("rate", "rtt"), [(1_000, 2.0), (11_000, 0.7), (60_000, 0.65), (120_000, 0.2)]
)
def test_a_frame_comes_to_take_about_a_second(rate, rtt):
    here, _ = carried(rate, rtt, 30)
    seconds = here.frame_bytes / rate
    assert 0.4 <= seconds <= 1.6 or here.frame_bytes in (pace.FRAME_BYTES_MIN, pace.FRAME_BYTES_MAX)
    assert seconds <= 10


def test_a_piece_of_a_file_is_a_whole_chunk_unless_that_would_take_long_or_just_failed():
    chunk = 16 * 1024
    assert Pace().piece_bytes(chunk) == pace.FRAME_BYTES_UNKNOWN
    assert Pace(rate=12_000).piece_bytes(chunk) == chunk
    assert Pace(rate=1_000_000).piece_bytes(chunk) == chunk
    assert Pace(rate=2_500).piece_bytes(chunk) == 2_500
    broken = Pace(rate=12_000)
    broken.failed()
    assert broken.piece_bytes(chunk) == 6_000


def test_the_window_keeps_the_link_busy_and_holds_no_more():
    here, _ = carried(60_000, 0.65, 30)
    assert 60_000 * 0.65 < here.window < 60_000 * 8
    slow, _ = carried(1_000, 2.0, 30)
    assert slow.window == pace.WINDOW_BYTES_MIN
    fast, _ = carried(10_000_000, 0.01, 30)
    assert fast.window == pace.WINDOW_BYTES_MAX


def test_there_is_room_until_the_window_is_full():
    here = Pace()
    here.connected(0.7, 0.0)
    sent = 0
    while here.room:
        here.put(5_000, 0.0)
        sent += 5_000
    assert sent >= here.window
    assert here.in_flight == sent
    here.acknowledged(1.0)
    assert here.room


def test_a_failure_halves_what_is_sent_and_success_doubles_it_again():
    here = Pace(rate=20_000)
    assert here.frame_bytes == 20_000
    here.put(20_000, 0.0)
    here.failed()
    assert (here.frame_bytes, here.in_flight, here.deadline()) == (10_000, 0, None)
    for _ in range(9):
        here.failed()
    assert here.frame_bytes == pace.FRAME_BYTES_MIN
    for n in range(8):
        here.put(here.frame_bytes, float(n))
        here.acknowledged(n + 0.05)
    assert here.frame_bytes > 4 * pace.FRAME_BYTES_MIN


def test_a_new_connection_owes_nothing_of_the_old_one():
    here = Pace()
    here.connected(0.7, 0.0)
    here.put(9_000, 0.0)
    here.connected(0.7, 60.0)
    assert (here.in_flight, here.deadline(), here.acknowledged(61.0)) == (0, None, 0)


def test_nothing_is_overdue_while_nothing_is_on_its_way():
    here = Pace()
    here.connected(0.7, 5.0)
    assert here.deadline() is None
    here.put(600, 5.0)
    assert here.deadline() == pytest.approx(5.0 + 7.0 + 0.7 + 600 / pace.SLOWEST)
    here.acknowledged(6.0)
    assert here.deadline() is None


def test_tcp_tries_again_soon_but_not_before_an_answer_could_be_here():
    assert Pace(rate=12_000, rtt=0.7).retry_seconds == 1.5
    assert Pace(rate=1_000_000, rtt=0.05).retry_seconds == 1.5
    assert Pace(rate=250, rtt=6.0).retry_seconds == 24.0
    assert Pace(rtt=90.0).retry_seconds == 60.0


def test_what_the_link_explains_is_waited_for_and_moving_bytes_are_a_sign_of_life():
    here = Pace(rate=2_000)
    here.connected(0.7, 0.0)
    here.put(10_000, 0.0)
    assert here.deadline() == pytest.approx(7.0 + 0.7 + 5.0)
    here.alive(4.0)
    assert here.deadline() == pytest.approx(4.0 + 7.0 + 0.7 + 5.0)
    here.put(1_000_000, 4.0)
    here.acknowledged(5.0)
    assert here.deadline() == pytest.approx(5.0 + 7.0 + 10.0), "ten seconds at most"


def test_the_time_a_link_lay_idle_is_not_taken_for_slowness():
    here, at = carried(12_000, 0.7, 20)
    before = here.rate
    at += 60.0
    here.put(6_000, at)
    here.acknowledged(at + 0.7 + 0.5)
    assert here.rate == pytest.approx(before, rel=0.2)


def test_a_short_sync_is_several_frames_and_a_long_one_ends_with_small_ones():
    def frames(left: int, most: int) -> list[int]:
        found = []
        while left > 0:
            found.append(min(left, pace.share(most, left)))
            left -= found[-1]
        return found

    assert frames(13_800, 11_000) == [5_000, 5_000, 3_800]
    assert frames(400, 11_000) == [400]
    assert frames(5_800, 11_000) == [5_800]
    long = frames(120_000, 11_000)
    assert long[0] == max(long) == 11_000
    assert long[-1] < 6_000
    assert len(long) < 18
