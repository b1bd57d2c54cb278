"""Which side of a dispute speaks for itself, and that none does without a ground."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from models.services import catalogue
from server.sheets import Author, CaseSheet, Side
from server.suggesting import suggest
from sync.state import Record, Write
from tests.pusat import PROTECTED, SLUG
from tests.simulation.people import example_answers
from tests.verifying import identity

FORM = catalogue().service(SLUG)
TODAY = date(2026, 11, 21)
STANDS = identity(5, "Salma Hamid")


def side(number: int, value: Any, device: str = "Si Jola 1") -> Side:
    return Side(number, value, Author("Sari", device, "Van", "", 0, 0, None, 1), None, "")


def found(*sides: Side, unit: str = PROTECTED) -> tuple[int, str] | None:
    units = dict(FORM.units(example_answers(FORM), ()))
    record = Record(
        b"r", SLUG, FORM.edition, b"", b"", 1, None, 1,
        units={name: Write(value, b"l", 1, 1) for name, value in units.items()},
    )  # fmt: skip
    sheet = CaseSheet(
        "", "dispute", "open", unit, True, 1, 1, "", [], list(sides), [], [], None, None, 1, "",
        "", False,
    )  # fmt: skip
    one = suggest(FORM, record, sheet, TODAY, "id")
    return (one.side, one.ground) if one is not None else None


def test_two_names_written_in_the_same_way_have_no_ground():
    assert found(side(0, STANDS), side(1, STANDS | {"name": "Salmah Hamid"})) is None


def test_the_side_that_the_rules_find_no_fault_with():
    wrong = STANDS | {"nik": "8272037003090005"}
    suggested = found(side(0, wrong), side(1, STANDS))
    assert suggested is not None
    assert suggested[0] == 1
    assert suggested[1].startswith("lolos pemeriksaan")


def test_the_same_in_another_spelling_leaves_what_stands():
    assert found(side(0, STANDS), side(1, STANDS | {"name": "SALMA  HAMID"})) == (
        0, "sama; hanya beda huruf besar atau spasi",
    )  # fmt: skip


def test_the_side_that_has_all_the_other_has_and_more():
    less = {name: value for name, value in STANDS.items() if name != "kk"}
    suggested = found(side(0, less), side(1, STANDS))
    assert suggested is not None
    assert suggested[0] == 1


def test_what_was_written_in_front_of_the_citizen_where_the_other_was_not():
    suggested = found(side(0, STANDS, ""), side(1, STANDS | {"name": "Salmah Hamid"}))
    assert suggested == (1, "dicatat di depan warga (Van)")


@pytest.mark.parametrize("unit", ["status", "documents+KK"])
def test_steps_and_papers_are_never_suggested(unit):
    assert found(side(0, "received"), side(1, "cancelled", ""), unit=unit) is None
