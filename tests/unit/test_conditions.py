"""The language of conditions: its examples, its three values, and that nothing else is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.conditions import UNKNOWN, parse


def holds(text, **facts):
    """Facts by path with "." written as "__"; a list of several rows stands as a tuple."""
    named = {path.replace("__", "."): value for path, value in facts.items()}

    def read(path):
        value = named.get(path)
        return value if isinstance(value, tuple) else (value,)

    return parse(text).holds(read)


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [
        ("age<17", {"age": 16}, True),
        ("age<17", {"age": 17}, False),
        ("age<17", {"age": UNKNOWN}, None),
        ("not age<17", {"age": UNKNOWN}, None),
        ("age>=1 or doc.KK=yes", {"age": UNKNOWN, "doc__KK": "yes"}, True),
        ("age>=1 and doc.KK=yes", {"age": UNKNOWN, "doc__KK": "no"}, False),
        ("age>=1 or doc.KK=yes", {"age": UNKNOWN, "doc__KK": "no"}, None),
        ("age>=1 and doc.KK=yes", {"age": UNKNOWN, "doc__KK": "yes"}, None),
        ("birth.place_kind in (1,2)", {"birth__place_kind": "2"}, True),
        ("birth.place_kind in (1,2)", {"birth__place_kind": "3"}, False),
        ("doc.MARRIAGE=no and parents.father_name filled", {"doc__MARRIAGE": "no"}, False),
        # an empty answer: comparisons are false, != and not in are true
        ("a.b=1", {}, False),
        ("a.b<9", {}, False),
        ("a.b!=1", {}, True),
        ("a.b not in (1,2)", {}, True),
        ("a.b empty", {}, True),
        ("a.b filled", {"a__b": "x"}, True),
        # lists contain, rows fit
        ("card.request=I.B.1", {"card__request": ["I.B.1", "I.B.3"]}, True),
        ("card.request!=I.B.1", {"card__request": ["I.B.1", "I.B.3"]}, False),
        ("m.shdk=1", {"m__shdk": ("4", "1")}, True),
        ("m.shdk!=1", {"m__shdk": ("4", "1")}, True),
        ("m.unrecorded=yes", {"m__unrecorded": (True, None)}, True),
        # numbers as numbers, dates as dates
        ("a.n>9", {"a__n": 10}, True),
        ("a.n>9", {"a__n": "10"}, True),
        ("a.d<2026-02-01", {"a__d": "2026-01-31"}, True),
        # precedence: not, and, or
        ("not a.b=1 and a.b=2", {"a__b": "2"}, True),
        ("a.b=1 or a.b=2 and a.c=3", {"a__b": "1"}, True),
        ("(a.b=1 or a.b=2) and a.c=3", {"a__b": "1"}, False),
    ],
)
def test_what_a_condition_means(text, facts, expected):
    assert holds(text, **facts) is expected


@pytest.mark.parametrize(
    "text",
    ["", "a.b", "a.b=", "a.b in ()", "a.b=1 and", "(a.b=1", "a.b=1)", "a.b ~ 1", "and=1", "a.b=1 c"]
    + ["a.b not 1", "a.b=(1)", "a.b in (1,", "a.b=1,2", "'a'=1"],
)
def test_anything_else_is_refused_with_the_text_that_cannot_be_read(text):
    with pytest.raises(ValueError, match="condition"):
        parse(text)


def test_a_condition_says_what_it_reads():
    condition = parse("service in (birth,death) and not (age<17 or doc.KK=no)")
    assert condition.paths == {"service", "age", "doc.KK"}
    assert condition.tests[0].path == "service"
    assert condition.tests[0].values == ("birth", "death")


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_a_value_error(text):
    try:
        parse(text)
    except ValueError:
        return
    assert parse(text).tests
