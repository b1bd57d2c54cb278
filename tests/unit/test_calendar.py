"""Working days: with the decree of the year, and marked as an estimate without it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calendar import Calendar, holidays, read_decree
from models.problems import Problem

DECREE = """
year = 2026
reference = "SKB 3 Menteri, invented for this test"
[[off]]
date = 2026-12-24
holiday = "cuti-bersama"
[[off]]
date = 2026-11-25
holiday = "local"
words = "Pemilihan wali kota"
"""
KNOWN = Calendar(decrees=(read_decree(DECREE),))
FRIDAY = date(2026, 11, 20)


def test_the_fixed_holidays_are_five_and_real_days():
    days = {date(2026, one.month, one.day) for one in holidays().fixed}
    assert len(days) == 5
    assert not any(Calendar(saturdays=True).is_working(day) for day in days)
    assert sum(one.days or 0 for one in holidays().movable) == 12


def test_weekends_and_holidays_are_passed_over():
    assert KNOWN.after(FRIDAY, 1).day == date(2026, 11, 23)
    assert KNOWN.after(FRIDAY, 3).day == date(2026, 11, 26)  # the 25th is off here
    assert Calendar().after(FRIDAY, 3).day == date(2026, 11, 25)
    assert KNOWN.after(date(2026, 12, 23), 1).day == date(2026, 12, 28)
    assert KNOWN.after(date(2026, 11, 21), 0).day == date(2026, 11, 23)
    assert Calendar(saturdays=True).after(FRIDAY, 1).day == date(2026, 11, 21)


def test_a_year_without_its_decree_gives_an_estimate():
    assert not KNOWN.after(FRIDAY, 3).estimated
    assert Calendar().after(FRIDAY, 3).estimated
    assert KNOWN.after(date(2026, 12, 30), 5).estimated  # runs into 2027


@pytest.mark.parametrize(
    "text",
    [
        "",
        "year = ",
        "year = 2026\nreference = 'x'\noff = [{date = 2027-01-05, holiday = 'imlek'}]",
        "year = 2026\nreference = 'x'\noff = [{date = 2026-01-05, holiday = 'ilmek'}]",
        "year = 2026\nreference = 'x'\noff = [{date = 2026-01-05, holiday = 'local'}]",
        "year = 2026\nreference = 'x'\noff = [{day = 2026-01-05, holiday = 'imlek'}]",
    ],
)
def test_a_faulty_decree_is_refused(text):
    with pytest.raises(Problem) as caught:
        read_decree(text)
    assert caught.value.code == "calendar.decree"


@given(st.dates(date(2000, 1, 1), date(2060, 1, 1)), st.integers(0, 60), st.booleans())
def test_counting_forth_and_back_agree(start, days, saturdays):
    calendar = Calendar(decrees=KNOWN.decrees, saturdays=saturdays)
    due = calendar.after(start, days).day
    first = calendar.after(start, 0).day
    assert calendar.is_working(due)
    assert calendar.between(first, due) == days
    assert calendar.between(due, start) == 0 or due < start
    assert calendar.between(start - timedelta(days=1), start) == calendar.is_working(start)
