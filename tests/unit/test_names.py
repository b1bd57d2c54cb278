"""Names: the rules for new ones, the patience with old ones, and when two names are alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import names


def severities(text, **how):
    return {one.code: one.severity for one in names.check_name(text, **how)}


@pytest.mark.parametrize(
    "text",
    ["Ma'ruf", "Nur'ain", "Siti-Ani", "Suharto", "H. Abd. Gani", "Fatma (Ima)", "Nur‘ain", "José"],
)
def test_names_on_cards_are_left_alone(text):
    assert severities(text) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Siti 2", {"name.unusual": "warning"}),
        ("Siti@", {"name.unusual": "warning"}),
        ("", {"name.empty": "error"}),
        ("  ", {"name.empty": "error"}),
        ("a" * 101, {"name.too_long": "error"}),
        ("Siti\x00Ani", {"name.control": "error"}),
        ("Siti\u202eAni", {"name.control": "error"}),
    ],
)
def test_remarks_on_any_name(text, expected):
    assert severities(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nur Aini", {}),
        ("Nur", {"name.new_one_word": "warning"}),
        ("Nur " + "a" * 57, {"name.new_too_long": "error"}),
        ("Nur " + "a" * 56, {}),
        ("Nur'ain Sari", {"name.new_signs": "error"}),
        ("Nur Aini 2", {"name.new_signs": "error"}),
        ("Нур Аини", {"name.new_script": "error"}),
        ("نور عيني", {"name.new_script": "error"}),
        ("Muh Rifai", {"name.new_short_form": "warning"}),
        ("Muh. Rifai", {"name.new_short_form": "warning", "name.new_signs": "error"}),
        ("Hj Nur Aini", {"name.new_title": "error"}),
        ("Nur Aini, S.Pd", {"name.new_title": "error", "name.new_signs": "error"}),
        ("Haji", {"name.new_one_word": "warning"}),
    ],
)
def test_rules_for_new_names(text, expected):
    assert severities(text, new=True) == expected


def test_the_key_forgets_how_a_name_was_typed():
    assert names.key("  nur‘ain   syukur ") == names.key("NUR'AIN SYUKUR") == "NUR'AIN SYUKUR"
    assert names.key("José") == "JOSE"


@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        ("siti ani", "SITI  ANI", "same"),
        ("Muhamad Rifai", "MOH. RIFAI", "variant"),
        ("Hi. Abd. Gani", "Abdul Gani", "variant"),
        ("St. Nur'ain", "SITI NURAIN", "variant"),
        ("Siti Ani", "Siti Ana", "different"),
        ("H", "Siti", "different"),
    ],
)
def test_alike(one, other, how):
    assert names.alike(one, other) == how
    assert names.alike(other, one) == how


def test_signs_for_nobody_known():
    assert names.is_unknown(" - ")
    assert names.is_unknown("tidak  tahu")
    assert not names.is_unknown("Tidak")


def test_a_public_display_shows_little():
    assert names.masked("Siti Rahma binti Ali") == "Siti R. B. A."
    assert names.masked("") == ""


@given(st.text(), st.booleans())
def test_any_text_gets_an_answer(text, new):
    for one in names.check_name(text, new=new):
        assert one.words("id")
    assert names.key(names.key(text)) == names.key(text)
    assert names.alike(text, text) == "same"
    names.masked(text)
