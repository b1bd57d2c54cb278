"""NIK and family card number: every rule with its severity, and no text that makes them stumble."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import nik
from models.problems import Finding

TODAY = date(2026, 11, 21)
WOMAN = "8272034503900002"  # 5 March 1990, born to the plus 40


def codes(found: list[Finding]) -> list[str]:
    return [one.code for one in found]


def severities(text: str, **beside) -> dict[str, str]:
    return {one.code: one.severity for one in nik.check_nik(text, today=TODAY, **beside)}


def test_a_usual_nik_has_no_remark():
    assert nik.check_nik(WOMAN, today=TODAY) == []
    born = date(1990, 3, 5)
    where = "82.72.03.2001"
    assert nik.check_nik(WOMAN, birth_date=born, sex="2", region=where, today=TODAY) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"nik.length": "error"}),
        (WOMAN[:15], {"nik.length": "error"}),
        (WOMAN + "1", {"nik.length": "error"}),
        ("82720345O3900002", {"nik.digits": "error"}),
        ("٨٢٧٢٠٣٤٥٠٣٩٠٠٠٠٢", {"nik.digits": "error"}),
        ("8272034503900²02", {"nik.digits": "error"}),
        (WOMAN[:12] + "0000", {"nik.serial_zero": "error"}),
        ("8272033203900002", {"nik.date_parts": "error"}),
        ("8272034003900002", {"nik.date_parts": "error"}),
        ("8272037203900002", {"nik.date_parts": "error"}),
        ("8272030003900002", {"nik.date_parts": "error"}),
        ("8272030513900002", {"nik.date_parts": "error"}),
        ("8272030500900002", {"nik.date_parts": "error"}),
        ("8272033104900002", {"nik.impossible_day": "warning"}),
        ("8272037002900002", {"nik.impossible_day": "warning"}),
        ("8272032902900002", {"nik.impossible_day": "warning"}),  # 1990 and 2090: no leap year
        ("8272032902000002", {}),  # 2000 had a 29 February, 1900 had not
        ("8272093103900002", {"nik.unknown_region": "warning"}),
        ("2072033103900002", {"nik.unknown_region": "warning"}),
        ("8272034103900002", {}),  # a woman born on the first
        ("8202013103900002", {}),  # Halmahera Tengah, before the city was made
    ],
)
def test_structure_with_its_severity(text, expected):
    assert severities(text) == expected


def test_what_stands_beside_a_nik_only_ever_raises_doubts():
    beside = {"birth_date": date(1991, 3, 5), "sex": "1", "region": "82.72.01.1001"}
    assert severities(WOMAN, **beside) == {
        "nik.birth_differs": "warning",
        "nik.sex_differs": "warning",
        "nik.region_differs": "warning",
    }
    silent = nik.check_nik(WOMAN, region="82.72.01.1001", today=TODAY)
    assert not any(one.stops for one in silent)


def test_only_a_verifier_may_pass_an_odd_date():
    (odd,) = nik.check_nik("8272033203900002", today=TODAY)
    assert odd.stops
    assert not odd.passable("operator")
    assert odd.passable("verifier")
    (plain,) = nik.check_nik("1", today=TODAY)
    assert not plain.passable("verifier")


def test_the_century_is_open():
    assert nik.birth_hint("8272030512250001", TODAY) == date(2025, 12, 5)
    assert nik.birth_hint("8272030512260001", TODAY) == date(1926, 12, 5)  # 2026-12-05 is to come
    assert nik.check_nik("8272030512250001", birth_date=date(1925, 12, 5), today=TODAY) == []
    parsed = nik.parse("8272030512250001")
    assert parsed is not None
    assert parsed.dates(TODAY) == (date(2025, 12, 5), date(1925, 12, 5))
    assert nik.birth_hint("8272033104900002", TODAY) is None
    assert nik.birth_hint("12", TODAY) is None


def test_explanation():
    told = nik.explain(WOMAN, TODAY)
    assert told is not None
    assert told.births == (date(1990, 3, 5),)
    assert told.words() == "terbit di Oba, lahir 05-03-1990, perempuan"
    assert told.words("en") == "issued in Oba, born 05-03-1990, female"
    elsewhere = nik.explain("8271013112450002", TODAY)
    assert elsewhere is not None
    assert elsewhere.place == "Kota Ternate"
    assert nik.explain("827101", TODAY) is None


def test_the_mask_hides_birth_date_and_sex():
    assert nik.mask(WOMAN) == "827203********02"
    assert nik.mask("12345678901") == "*" * 11


def test_typing_aids_are_taken_off():
    assert nik.clean(" 8272.0345-0390 0002") == WOMAN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8272030503150001", []),
        ("827203050315000", ["kk.length"]),
        ("827203050315000A", ["kk.digits"]),
        ("8272030503150000", ["kk.serial_zero"]),
        ("8272034503150001", ["kk.date_parts"]),  # no plus 40 on a family card
        ("8272033002150001", ["kk.impossible_day"]),
        ("9972030503150001", ["kk.unknown_region"]),
    ],
)
def test_family_card_numbers(text, expected):
    assert codes(nik.check_kk(text, today=TODAY)) == expected


def test_a_family_card_beside_its_issue_and_address():
    number = "8272030503150001"
    assert nik.check_kk(number, issued=date(2015, 3, 5), region="82.72.03.2001", today=TODAY) == []
    found = nik.check_kk(number, issued=date(2015, 3, 6), region="82.72.01.1001", today=TODAY)
    assert codes(found) == ["kk.issued_differs", "kk.region_differs"]
    assert {one.severity for one in found} == {"warning"}


digits = st.text("0123456789", min_size=14, max_size=18)
days = st.dates(date(1850, 1, 1), date(2030, 1, 1))


@given(st.text() | digits, st.none() | days, st.none() | st.text(), st.none() | st.text(), days)
def test_any_text_gets_an_answer(text, birth, sex, region, today):
    found = nik.check_nik(text, birth_date=birth, sex=sex, region=region, today=today)
    found += nik.check_kk(text, issued=birth, region=region, today=today)
    for one in found:
        assert one.words("id")
        assert one.words("en")
    assert len(nik.mask(text)) == len(text)
    for reader in (nik.birth_hint, nik.explain):
        reader(text, today)
    nik.parse(nik.clean(text))


@given(st.dates(date(1900, 1, 1), TODAY), st.sampled_from("12"), st.integers(1, 9999))
def test_a_nik_made_for_a_person_agrees_with_that_person(born, sex, serial):
    day = born.day + (40 if sex == "2" else 0)
    text = f"827203{day:02}{born:%m%y}{serial:04}"
    assert nik.check_nik(text, birth_date=born, sex=sex, region="82.72.03", today=TODAY) == []
    parsed = nik.parse(text)
    assert parsed is not None
    assert born in parsed.dates(TODAY)
    assert parsed.sex == sex
