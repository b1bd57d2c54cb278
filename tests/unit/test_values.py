"""Reading one answer: its normal form, its limits, and what is said of a wrong one."""

from datetime import date

import pytest

from models.fields import Field, Text
from models.reading import Reading
from models.values import read

TODAY = date(2026, 11, 21)
NIK, KK = "8272034503900021", "8272031201150007"


def reading_of(kind, value, allowed=(), **limits):
    """(normal form, codes of the remarks) of one answer of a kind."""
    field = Field(name="x", kind=kind, label=Text("x", "x"), about="x", **limits)
    reading = Reading(TODAY, allowed, documents={"KK", "KTP"}, shdk={"1", "4"})
    return read(field, value, reading), [code for code, _ in reading.remarks]


@pytest.mark.parametrize(
    ("kind", "value", "normal"),
    [
        ("str", "  Kampung \t Tengah ", "Kampung Tengah"),
        ("str", "Jose\u0301", "Jos\u00e9"),
        ("text", "satu\r\n  dua ", "satu\ndua"),
        ("name", "Ma'ruf", "Ma'ruf"),
        ("name", "-", None),  # an unknown parent is an empty answer
        ("nik", "8272 0345-0390.0021", NIK),
        ("kk", " 8272031201150007 ", KK),
        ("date", "05-03-1990", "1990-03-05"),
        ("date", "5/3/1990", "1990-03-05"),
        ("date", "2026-11-21", "2026-11-21"),
        ("time", "9.30", "09:30"),
        ("datetime", "2026-11-21T09:30:00+09:00", "2026-11-21T09:30:00+09:00"),
        ("int", "12", 12),
        ("int", 0, 0),
        ("decimal", "49,54", 49.5),
        ("bool", True, "yes"),
        ("bool", "no", "no"),
        ("code", 3, "3"),
        ("codes", ["3", "1"], ["1", "3"]),
        ("codes", "3", ["3"]),
        ("documents", ["KTP", "KK"], ["KK", "KTP"]),
        ("phone", "0812-3456 7890", "+6281234567890"),
        ("phone", "62 921 3161234", "+629213161234"),
        ("email", "salma@contoh.id", "salma@contoh.id"),
        ("attachment", "ab" * 32, "ab" * 32),
        ("attachment", ["cd" * 32, "ab" * 32], ["ab" * 32, "cd" * 32]),
        (
            "address",
            {"address": "A", "rt": 1, "outside": "B"},
            {"address": "A", "rt": "001", "outside": "B"},
        ),
        ("person", {"name": "Fatma", "nik": NIK}, {"name": "Fatma", "nik": NIK}),
        ("person", {"name": "Abu", "reason": "lupa"}, {"name": "Abu", "reason": "lupa"}),
        ("people", [{"name": "Ali", "shdk": 4}], [{"name": "Ali", "shdk": "4"}]),
        ("str", "   ", None),
        ("str", "", None),
        ("str", None, None),
        ("codes", [], None),
    ],
)
def test_an_answer_has_one_normal_form(kind, value, normal):
    assert reading_of(kind, value, allowed={"1", "3"}) == (normal, [])


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("str", 7, "field.type"),
        ("str", "a" * 101, "field.too_long"),
        ("str", "a\u200bb", "field.control"),
        ("str", "a\x00b", "field.control"),
        ("text", "a" * 501, "field.too_long"),
        ("name", "a" * 101, "name.too_long"),
        ("nik", 8272034503900021, "field.type"),
        ("date", "31-02-1990", "date.malformed"),
        ("date", "1990", "date.malformed"),
        ("date", "1990-03-05~", "date.malformed"),
        ("date", "1849-12-31", "date.too_old"),
        ("date", "2026-11-22", "date.future"),
        ("time", "24:00", "field.time"),
        ("datetime", "2026-11-21T09:30:00", "field.type"),
        ("int", "1,5", "field.number"),
        ("int", True, "field.number"),
        ("int", 10000, "field.range"),
        ("int", -1, "field.range"),
        ("decimal", float("nan"), "field.range"),
        ("bool", 1, "field.yes_no"),
        ("bool", "ya", "field.yes_no"),
        ("code", "9", "field.code"),
        ("code", ["1"], "field.code"),
        ("codes", ["1", "1"], "field.repeated_code"),
        ("codes", ["1"] * 11, "field.too_many"),
        ("documents", ["XX"], "field.code"),
        ("region", "82.72.03.9999", "field.region"),
        ("phone", "12345", "field.phone"),
        ("phone", "0800123456789", "field.phone"),
        ("email", "a@b@c.id", "field.email"),
        ("attachment", "no digest", "field.attachment"),
        ("address", "Kampung Tengah", "field.type"),
        ("address", {"address": "A", "outside": "B", "house": "3"}, "field.part_unknown"),
        ("address", {"address": "A"}, "field.part_missing"),
        ("address", {"address": " ", "outside": "B"}, "field.part_missing"),
        ("address", {"address": "A", "village": "82.72.03"}, "field.region"),
        ("person", {"nik": NIK}, "name.empty"),
        ("person", {"name": "Fatma"}, "nik.missing"),
        ("people", [{"name": "Ali", "shdk": "9"}], "field.code"),
        ("people", [{}], "name.empty"),
        ("people", [{"name": " ", "nik": NIK}], "name.empty"),
        ("people", [{"name": "Ali"}] * 21, "field.too_many"),
    ],
)
def test_a_wrong_answer_is_said_and_not_kept(kind, value, code):
    assert reading_of(kind, value, allowed={"1", "3"}) == (None, [code])


def test_a_field_narrows_its_kind():
    assert reading_of("str", "1", digits=3, pad=True) == ("001", [])
    assert reading_of("str", 2, digits=3, pad=True) == ("002", [])
    assert reading_of("str", "1234", digits=3, pad=True) == (None, ["field.rt_rw"])
    assert reading_of("str", "9781", digits=5) == (None, ["field.postcode"])
    assert reading_of("str", "a" * 51, max=50) == (None, ["field.too_long"])
    assert reading_of("int", 299, min=300, max=7000) == (None, ["field.range"])
    assert reading_of("int", 1200, usual=(1500, 5500)) == (1200, ["field.unusual"])
    assert reading_of("date", "2027-01-31", future=True) == ("2027-01-31", [])
    assert reading_of("date", "1950-07-01~", estimated=True) == ("1950-07-01~", [])


def test_a_new_name_obeys_the_rules_of_today_and_an_old_one_does_not():
    assert reading_of("name", "Nur'ain", new=True)[1] == ["name.new_signs", "name.new_one_word"]
    assert reading_of("name", "Nur'ain") == ("Nur'ain", [])
    assert reading_of("name", "A" * 61, new=True)[0] is None
