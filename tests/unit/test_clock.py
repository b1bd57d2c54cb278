"""Whether a laptop's clock can be believed."""

from __future__ import annotations

from datetime import date

import pytest

from field_client.clock import EARLIEST, Clock, ClockFacts, Known, Reading, today

DAY = 86400
AT = EARLIEST + 10 * DAY
BEFORE = ClockFacts(AT, AT - 5000, 7, 5000)


def facts(at: int, uptime: int, boot: int | None = 7) -> ClockFacts:
    return Clock(lambda: Reading(at, uptime), lambda: boot).facts(BEFORE)


def doubted(at: int, uptime: int, boot: int | None = 7, central: int = 0) -> bool:
    clock = Clock(lambda: Reading(at, uptime), lambda: boot)
    return clock.doubt(clock.facts(BEFORE), Known(BEFORE, central)) is not None


def test_time_that_goes_on_is_believed():
    assert not doubted(AT + 3600, 8600)
    assert not doubted(AT + 30 * DAY, 100, boot=8)  # switched off for a month
    assert not doubted(AT - 5, 5000 - 5)  # a time server steps by seconds


def test_a_clock_that_went_back_is_doubted():
    assert doubted(AT - 3600, 8600)
    assert doubted(AT - 3600, 100, boot=8)  # the battery was empty


def test_a_clock_that_moved_away_from_the_uptime_is_doubted():
    assert doubted(AT + 3600 + 700, 8600)
    assert not doubted(AT + 3600 + 500, 8600)


def test_a_clock_behind_central_or_before_this_program_is_doubted():
    assert doubted(AT + 3600, 8600, central=AT + 2 * DAY)
    assert doubted(EARLIEST - 1, 10, boot=9)


def test_the_start_of_the_machine_is_told_by_the_uptime_where_the_system_has_no_name_for_it():
    assert facts(AT + 60, 5060, boot=None).boot == 7
    assert facts(AT + 60, 60, boot=None).boot != 7


def test_booted_stays_the_same_until_the_clock_is_moved():
    assert facts(AT + 900, 5900).booted == BEFORE.booted
    assert facts(AT + 900 + 7200, 5900).booted == BEFORE.booted + 7200


@pytest.mark.parametrize("years", [-30, -2])
def test_a_clock_that_stands_behind_does_not_make_yesterday_the_future(years: int):
    wrong = ClockFacts(AT + years * 365 * DAY, 0, 7, 0)
    assert today(wrong, Known(None, AT)) == date(2026, 12, 1)
    assert today(wrong, Known(None, 0)) == date(2026, 11, 21)
