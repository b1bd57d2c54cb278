"""Whom the van looks for, and under which statement a list may be held."""

from datetime import date, timedelta

import msgspec
import pytest

from models.roster import Resident, RosterSource, check_source, target_list

TODAY = date(2026, 11, 21)


def resident(key="a", **known):
    born = known.pop("birth_date", date(1990, 1, 1))
    return Resident(key=key, name="Sakir", birth_date=born, **known)


def test_the_groups_follow_the_state_of_recording():
    people = [
        resident("a", enrolment="enrolled"), resident("b", enrolment="not_enrolled"),
        resident("c"), resident("d", enrolment="not_enrolled"),
    ]  # fmt: skip
    found = target_list(people, TODAY)
    assert [one.key for one in found.not_enrolled] == ["b", "d"]
    assert [one.key for one in found.unknown] == ["c"]
    assert [one.key for one in found.enrolled] == ["a"]
    assert found.left_out == {}


@pytest.mark.parametrize(
    ("born", "listed"),
    [
        (date(2009, 11, 21), True),  # seventeen today
        (date(2009, 11, 22), False),
        (date(2026, 1, 1), False),
        (date(1926, 1, 1), True),
    ],
)
def test_seventeen_is_reached_on_the_birthday(born, listed):
    found = target_list([resident(birth_date=born)], TODAY)
    assert bool(found.unknown) is listed
    assert found.left_out == ({} if listed else {"young": 1})


def test_who_was_born_on_the_29th_of_february_waits_for_march():
    born = resident(birth_date=date(2008, 2, 29))
    assert target_list([born], date(2025, 2, 28)).left_out == {"young": 1}
    assert target_list([born], date(2025, 3, 1)).unknown == (born,)


@pytest.mark.parametrize(("marital", "listed"), [("1", 0), ("2", 1), ("3", 1), ("4", 1), ("", 0)])
def test_ever_married_counts_at_any_age(marital, listed):
    child = resident(birth_date=date(2011, 1, 1), marital_card=marital)
    assert len(target_list([child], TODAY).unknown) == listed


def test_only_those_who_live_there_are_looked_for():
    people = [resident(str(at), residence=where) for at, where in enumerate(
        ("dead", "moved", "lost", "unknown", "resident"))]  # fmt: skip
    found = target_list(people, TODAY)
    assert len(found.unknown) == 1
    assert found.left_out == {"dead": 1, "moved": 1, "lost": 1, "unknown": 1}


def test_an_unknown_age_is_said_and_not_guessed():
    found = target_list([resident(birth_date=None)], TODAY)
    assert found.left_out == {"age_unknown": 1}


GOOD = RosterSource(
    village="82.72.03.2002",
    source="Kantor Desa Gita",
    list_date=date(2026, 10, 1),
    legal_basis="Surat tugas 470/12/2026",
    expires=date(2027, 3, 31),
)


def test_a_whole_statement_passes():
    assert check_source(GOOD, TODAY) == []
    last = msgspec.structs.replace(GOOD, expires=TODAY + timedelta(days=366))
    assert check_source(last, TODAY) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"village": "82.72.03"}, "roster.village"),
        ({"village": "82.72.01.1004"}, "roster.village"),
        ({"village": "8272032002"}, "roster.village"),
        ({"village": ""}, "roster.village"),
        ({"source": "  "}, "roster.terms"),
        ({"legal_basis": "x" * 201}, "roster.terms"),
        ({"list_date": date(2026, 11, 22)}, "roster.list_date"),
        ({"list_date": date(2019, 1, 1)}, "roster.list_date"),
        ({"expires": TODAY}, "roster.expiry"),
        ({"expires": TODAY + timedelta(days=367)}, "roster.expiry"),
    ],
)
def test_each_gap_of_the_statement_is_named(change, code):
    (problem,) = check_source(msgspec.structs.replace(GOOD, **change), TODAY)
    assert problem.code == code
    for lang in ("id", "en"):
        assert "?" not in problem.words(lang)


def test_all_gaps_are_named_at_once():
    empty = RosterSource("", "", date(2030, 1, 1), "", date(2020, 1, 1))
    found = [problem.code for problem in check_source(empty, TODAY)]
    statement = ["roster.village", "roster.terms", "roster.terms"]
    assert found == [*statement, "roster.list_date", "roster.expiry"]
