"""Whole numbers as they are typed and as they stand in addresses: "²" is not one."""

from __future__ import annotations

from datetime import date

import pytest

from models.pages import fields
from models.pages.forms import Form, whole
from models.roster import cells


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("007", 7), ("9" * 15, 10**15 - 1)]
    + [(text, None) for text in ("", "²", "٣", "-1", "1.0", " 1", "9" * 16, "9" * 5000)],
)
def test_a_whole_number_is_plain_digits_of_a_length_that_fits(text, number):
    assert whole(text) == number


def test_a_date_of_other_signs_stays_as_it_was_typed():
    boxes = {"day": "²", "month": "8", "year": "1990"}
    form = Form([(f"born|{part}", text) for part, text in boxes.items()])
    assert fields.day_typed(form, "born", False) == "²-8-1990"
    plain = Form([(f"born|{part}", text) for part, text in (boxes | {"day": "2"}).items()])
    assert fields.day_typed(plain, "born", False) == "1990-08-02"


def test_a_cell_of_other_signs_is_no_date():
    found = cells.day("²²²²²²²²", date(2026, 11, 18))
    assert found == cells.day("tidak tahu", date(2026, 11, 18))
