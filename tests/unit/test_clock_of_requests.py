"""The service clock: working days only, standing still while the office has not got the request."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from models import clock
from models.calendar import Calendar, read_decree
from models.clock import Turn
from models.services import catalogue
from models.words import WIT

DECREE = """
year = 2026
reference = "SKB, made up for this test"
[[off]]
date = 2026-11-25
holiday = "local"
words = "Pemilihan wali kota"
"""
KNOWN = Calendar((read_decree(DECREE),))
DAY = 86_400


def at(day: int, hour: int = 10, month: int = 11) -> int:
    """In November 2026, which began on a Sunday: the 20th is a Friday."""
    return int(datetime(2026, month, day, hour, tzinfo=WIT).timestamp())


def test_friday_at_ten_is_due_on_monday_at_ten():
    assert clock.after(KNOWN, at(20), DAY) == (at(23), False)
    assert clock.after(KNOWN, at(21), DAY) == (at(24, 0), False), "Saturday counts from Monday on"
    assert clock.after(KNOWN, at(24), DAY) == (at(26), False), "the 25th is off here"
    assert clock.after(Calendar(), at(24), DAY) == (at(25), True), "without a decree too early"


def test_it_stands_still_while_the_request_is_not_with_the_office():
    turns = [
        Turn(at(16), "runs", "received"),
        Turn(at(16, 16), "paused", "needs_correction"),
        Turn(at(19, 8), "runs", "received"),
    ]
    found = clock.read(turns, DAY, KNOWN, at(19))
    assert (found.state, found.used, found.since) == ("runs", 8 * 3600, at(16))
    assert found.due == at(20, 2)
    assert found.bucket == "midway"
    paused = clock.read(turns[:2], DAY, KNOWN, at(18))
    assert (paused.state, paused.used, paused.why) == ("paused", 6 * 3600, "needs_correction")


def test_what_is_too_late_says_since_when():
    turns = [
        Turn(at(16), "runs", "received"),
        Turn(at(16, 20), "paused", "asked"),
        Turn(at(17), "runs", "received"),
    ]
    found = clock.read(turns, DAY, KNOWN, at(19))
    assert found.bucket == "late"
    assert found.due == at(18, 0)
    done = clock.read([*turns, Turn(at(19), "stopped", "handed_over")], DAY, KNOWN, at(30))
    assert (done.state, done.due, done.used) == ("stopped", 0, 58 * 3600)


def test_before_it_arrives_there_is_no_clock():
    assert clock.read([], DAY, KNOWN, at(16)).state == "not_started"


def test_a_service_gives_its_own_hours_and_the_rule_the_rest():
    hours = {clock.allowed(service) / 3600 for service in catalogue().services()}
    assert 24.0 in hours
    assert max(hours) == 24.0
    assert clock.allowed(None) == DAY


moments = st.integers(at(1), at(28, 10, 12))


@given(moments, st.integers(0, 40 * DAY), st.booleans())
def test_working_time_counts_hour_by_hour(start, span, saturdays):
    calendar = Calendar(KNOWN.decrees, saturdays)
    whole = start - (start + 9 * 3600) % 3600
    exact = sum(
        3600
        for n in range(span // 3600)
        if calendar.is_working(datetime.fromtimestamp(whole + n * 3600, WIT).date())
    )
    assert clock.worked(calendar, whole, whole + span - span % 3600) == exact


@given(moments, st.integers(1, 20 * DAY))
def test_due_is_reached_by_just_that_much_work(start, seconds):
    due, _ = clock.after(KNOWN, start, seconds)
    assert clock.worked(KNOWN, start, due) == seconds
    assert clock.worked(KNOWN, start, due - 1) < seconds


spells = st.lists(st.integers(1, 3 * DAY), max_size=5)


@given(moments, spells, st.integers(0, 5 * DAY), st.integers(1, 3 * DAY), st.integers(0, 4))
def test_lists_are_cut_as_each_clock_says(start, spans, later, promised, quarters):
    """A clock that ran and stood still in turns: cut by when it is due, it is in just those lists
    that its used time says; also at midnight and on days nobody works."""
    turns, moment = [Turn(start, "runs", "received")], start
    for n, span in enumerate(spans[: len(spans) // 2 * 2]):
        moment += span
        turns.append(Turn(moment, "runs" if n % 2 else "paused", "received"))
    now = moment + later
    left = -(-promised * quarters // 4)
    found = clock.read(turns, promised, KNOWN, now)
    due = clock.due_of(turns, promised, KNOWN)
    assert (promised - found.used < left) == (due < clock.left_at(KNOWN, now, left))
    assert (found.bucket == "late") == (due < clock.left_at(KNOWN, now, 0))
    if found.used <= promised and clock.worked(KNOWN, now, now + 1):
        assert found.due == due


def test_at_weekends_only_what_was_late_on_friday_is_late():
    friday, midnight = Turn(at(19), "runs", "received"), Turn(at(20, 0), "runs", "received")
    for turn, late in ((friday, True), (midnight, False)):
        due = clock.due_of([turn], DAY, KNOWN)
        for now in (at(21, 0), at(21), at(22), at(23, 0)):
            assert (due < clock.left_at(KNOWN, now, 0)) == late
            assert (clock.read([turn], DAY, KNOWN, now).bucket == "late") == late
        assert due < clock.left_at(KNOWN, at(23, 0) + 1, 0)
