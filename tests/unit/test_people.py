"""Ages, roles, what they may do, four eyes, and a laptop's standing."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

import docs
from models import people
from models.people import DEVICE_MOVES, DOING, MAY, Act, DeviceMove, DeviceState, Role
from models.problems import Problem


@pytest.mark.parametrize(
    ("born", "today", "years"),
    [
        (date(2009, 11, 21), date(2026, 11, 21), 17),
        (date(2009, 11, 22), date(2026, 11, 21), 16),
        (date(2008, 2, 29), date(2025, 2, 28), 16),
        (date(2008, 2, 29), date(2025, 3, 1), 17),
        (date(2026, 11, 21), date(2026, 11, 21), 0),
        (date(2026, 11, 22), date(2026, 11, 21), -1),
    ],
)
def test_age_in_full_years(born, today, years):
    assert people.age(born, today) == years


@given(st.dates(date(1850, 1, 1), date(2100, 1, 1)), st.integers(0, 120))
def test_the_birthday_is_the_first_day_of_that_age(born, years):
    day = people.birthday(born, years)
    assert people.age(born, day) == years
    assert people.age(born, date.fromordinal(day.toordinal() - 1)) == years - 1


def test_who_was_born_on_a_leap_day_has_birthday_on_1_march():
    assert people.birthday(date(2008, 2, 29), 17) == date(2025, 3, 1)
    assert people.birthday(date(2008, 2, 29), 16) == date(2024, 2, 29)


def test_every_role_has_words_and_every_act_somebody():
    assert set(people.ROLES) == set(Role)
    assert set(MAY) == set(DOING) == set(Act)
    for act, held in MAY.items():
        assert held, act
        assert held <= people.STAFF, act
    for label in [*people.ROLES.values(), *people.DEVICE_STATES.values()]:
        assert label.words("id")
        assert label.words("en")


def test_admins_keep_laptops_and_decide_nothing_about_citizens():
    for act in (Act.READ_REQUEST, Act.LIST_REQUESTS, Act.RESOLVE_CASE, Act.APPROVE_CASE):
        assert not people.may({"admin"}, act)
    assert people.may({"admin"}, Act.INVITE_DEVICE)
    assert not people.may({"verifier"}, Act.LOSE_DEVICE)
    assert people.may({"courier", "verifier"}, Act.RESOLVE_CASE)
    assert not people.may((), Act.VERIFY_RECEIPT)


def test_a_refusal_names_what_was_asked():
    people.require({"supervisor"}, Act.APPROVE_CASE)
    with pytest.raises(Problem) as caught:
        people.require({"verifier"}, Act.APPROVE_CASE)
    assert caught.value.code == "auth.forbidden"
    assert "menyetujui sebagai penyelia" in caught.value.words()


def test_roles_are_given_by_name():
    assert people.roles(["verifier", "printer"]) == {Role.VERIFIER, Role.PRINTER}
    for bad in ("boss", "system", "applicant", ""):
        with pytest.raises(Problem) as caught:
            people.roles(["verifier", bad])
        assert caught.value.code == "person.role"


def test_who_stands_in_for_whom():
    assert people.covers("supervisor", "verifier")
    assert not people.covers("verifier", "supervisor")
    assert people.covers("operator", "applicant")
    assert not people.covers("printer", "applicant")
    assert not people.covers("nobody", "verifier")


def test_four_eyes():
    assert people.second_person("nurhayati", "hadi", "sari") is None
    for own in ("hadi", "sari"):
        refused = people.second_person(own, "hadi", "sari")
        assert refused is not None
        assert refused.code == "lifecycle.same_person"


def test_a_laptop_goes_from_invited_to_retired_and_never_back_from_lost():
    assert people.device_step("invited", "enrol") == DeviceState.ACTIVE
    assert people.device_step("active", "suspend") == DeviceState.SUSPENDED
    assert people.device_step("suspended", "resume") == DeviceState.ACTIVE
    assert people.device_step("suspended", "lose") == DeviceState.LOST
    assert people.device_step("lost", "retire") == DeviceState.RETIRED
    for state, move in [("lost", "resume"), ("retired", "enrol"), ("invited", "lose")]:
        refused = people.device_step(state, move)
        assert isinstance(refused, Problem)
        assert refused.code == "device.no_such_move"
        assert "{" not in refused.words("id") + refused.words("en")


@given(st.lists(st.sampled_from(DeviceMove)))
def test_any_sequence_of_moves_stays_in_the_table(moves):
    state = DeviceState.INVITED
    for move in moves:
        after = people.device_step(state, move)
        if isinstance(after, Problem):
            assert move not in DEVICE_MOVES[state]
            continue
        assert state not in (DeviceState.RETIRED,)
        assert not (state == DeviceState.LOST and after != DeviceState.RETIRED)
        state = after


def test_the_tables_in_the_docs_are_these():
    page = (docs.ROOT / "docs" / "lifecycle.md").read_text("utf-8")
    assert docs.role_table() in page
    assert docs.device_diagram() in page
