"""The table of moves: whole, reachable, ending, one road for each kind of service, drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import docs
from models import lifecycle
from models.lifecycle import GROUPS, TABLE, TRANSITIONS, Status, passed, step
from models.people import ROLES, STAFF, Role, covers
from models.problems import Problem

STORED = [status for status in Status if status != Status.NONE]
PLACES = ("field", "office", "system")


def reach(start, group=None, forward=False):
    """Every status that rows (of a road; forward ones only) lead to."""
    found, to_do = {start}, [start]
    while to_do:
        for move in TRANSITIONS[to_do.pop()].values():
            on_road = group is None or not move.groups or group in move.groups
            if on_road and not (forward and move.back) and move.target not in found:
                found.add(move.target)
                to_do.append(move.target)
    return found


def test_every_status_is_reached_and_has_its_words():
    assert reach(Status.NONE) == set(Status)
    for status in STORED:
        one = lifecycle.standing(status)
        for label in (one.word, one.label, one.field, one.office):
            assert label.id
            assert label.en
    assert not lifecycle.known_status("none")
    assert not lifecycle.known_status("lost")


def test_every_action_has_its_words_and_no_other_does():
    assert {lifecycle.action_label(action).id for action in lifecycle.ACTIONS}
    assert set(lifecycle._words().action) == set(lifecycle.ACTIONS)
    assert set(lifecycle._words().status) == set(STORED)


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_every_road_leads_from_the_start_to_a_good_end_and_nowhere_gets_stuck(group):
    stations = reach(Status.NONE, group)
    assert {Status.HANDED_OVER, Status.COMPLETED} & stations
    for status in stations:
        assert any(lifecycle.ended(s) for s in reach(status, group) - {Status.NONE}), status


def test_letters_and_copies_never_enter_siak():
    for group in ("village", "other", "digital"):
        assert not {Status.IN_BATCH, Status.IN_SIAK, Status.WAITING_CENTRE} & reach(
            Status.NONE, group
        )
    assert Status.SIGNED not in reach(Status.NONE, "kia")
    assert Status.WAITING_CENTRE not in reach(Status.NONE, "civil")


def test_forward_rows_have_no_circle():
    for status in Status:
        for move in TRANSITIONS[status].values():
            if not move.back:
                assert status not in reach(move.target, forward=True), move


def test_an_ending_without_a_document_needs_a_reason():
    bad_ends = {Status.REJECTED, Status.CANCELLED, Status.EXPIRED, Status.MERGED}
    for move in TABLE:
        if move.target in bad_ends:
            assert move.reason, move
        if move.source != Status.NONE and lifecycle.ended(move.source):
            assert move.reason, move
            assert move.second, move
            assert move.role == Role.SUPERVISOR, move


def test_a_step_of_the_office_is_somebodys_or_comes_with_time():
    for move in TABLE:
        if "office" in move.places and not move.days:
            assert any(covers(role, move.role) for role in STAFF), move.action


def test_a_device_can_only_ask_for_field_steps():
    assert lifecycle.allowed("withdraw", "submitted", "cancelled", central=False)
    assert not lifecycle.allowed("approve", "in_verification", "verified", central=False)
    assert lifecycle.allowed("approve", "in_verification", "verified", central=True)
    assert lifecycle.allowed("receive", "submitted", "received", central=True)
    assert not lifecycle.allowed("submit", "draft", "submitted", central=True)
    assert not lifecycle.allowed("withdraw", "submitted", "rejected", central=False)
    assert not lifecycle.allowed("approve", "nowhere", "verified", central=True)


@pytest.mark.parametrize(
    ("status", "action", "role", "place", "group", "expected"),
    [
        ("in_verification", "approve", "verifier", "office", None, "verified"),
        ("in_verification", "approve", "supervisor", "office", "kk", "verified"),
        ("submitted", "withdraw", "operator", "field", None, "cancelled"),
        ("received", "withdraw", "verifier", "office", None, "cancelled"),
        ("verified", "sign_letter", "village_head", "field", "village", "signed"),
        ("ready_for_handover", "hand_over", "operator", "office", "kk", "handed_over"),
        ("received", "approve", "verifier", "office", None, "lifecycle.no_such_move"),
        ("received", "fly", "verifier", "office", None, "lifecycle.no_such_move"),
        ("nowhere", "take", "verifier", "office", None, "lifecycle.no_such_move"),
        ("in_verification", "approve", "operator", "office", None, "lifecycle.not_your_role"),
        ("in_verification", "approve", "verifier", "field", None, "lifecycle.wrong_place"),
        ("verified", "sign_letter", "village_head", "field", "kk", "lifecycle.wrong_road"),
        ("verified", "add_to_batch", "siak_operator", "office", "village", "lifecycle.wrong_road"),
    ],
)
def test_steps(status, action, role, place, group, expected):
    answer = step(status, action, role, place, group)
    if isinstance(answer, Problem):
        assert answer.code == expected
        assert "{" not in answer.words("id") + answer.words("en")
    else:
        assert answer == expected


def test_what_asks_for_more():
    assert lifecycle.reason_required("in_verification", "return")
    assert not lifecycle.reason_required("in_verification", "approve")
    assert lifecycle.needs_second_person("in_verification", "reject")
    assert lifecycle.needs_second_person("in_batch", "close_batch")
    assert not lifecycle.needs_second_person("in_batch", "fly")
    assert [m.days for m in TABLE if m.days] == [30, 60, 90]


def test_a_person_of_several_roles_acts_with_the_one_that_may():
    held = {"courier", "operator", "printer"}
    assert lifecycle.acting_role("printed", "dispatch", held, "office") == Role.COURIER
    refused = lifecycle.acting_role("in_siak", "sign", held, "office")
    assert isinstance(refused, Problem)
    assert refused.code == "lifecycle.not_your_role"
    assert "pejabat pencatatan sipil" in refused.words()
    assert isinstance(lifecycle.acting_role("in_siak", "sign", (), "office"), Problem)


def test_buttons_follow_the_road():
    assert lifecycle.actions_for("verified", "siak_operator", "office", "ktp") == (
        "add_to_batch",
        "enrol",
    )
    assert lifecycle.actions_for("verified", "siak_operator", "office", "civil") == (
        "add_to_batch",
    )
    assert lifecycle.actions_for("verified", "siak_operator", "office", "village") == ()
    assert lifecycle.actions_for("nowhere", "operator", "field") == ()


@pytest.mark.parametrize(
    ("status", "target", "behind"),
    [
        ("in_verification", "submitted", True),
        ("handed_over", "submitted", True),
        ("received", "received", True),
        ("expired", "submitted", True),  # through needs_correction
        ("submitted", "received", False),
        ("received", "cancelled", False),
        ("cancelled", "handed_over", False),
        ("handed_over", "cancelled", False),
        ("draft", "waiting_documents", False),
        ("submitted", "needs_correction", False),
    ],
)
def test_what_is_already_passed(status, target, behind):
    assert passed(status, target) is behind


def test_submitted_and_received_stand_alike():
    assert lifecycle.same_standing("submitted", "received")
    assert lifecycle.same_standing("verified", "verified")
    assert not lifecycle.same_standing("received", "in_verification")


people = st.sampled_from(sorted(ROLES))
steps_tried = st.tuples(st.sampled_from(lifecycle.ACTIONS), people, st.sampled_from(PLACES))
rows_taken = st.integers(0, 100)


@given(st.lists(steps_tried | rows_taken, max_size=60), st.sampled_from(sorted(GROUPS)))
def test_any_sequence_of_actions_stays_in_the_table(walk, group):
    """Arbitrary tries, mixed with rows that really start where the request is."""
    status = Status.NONE
    for tried in walk:
        rows = list(TRANSITIONS[status].values())
        if isinstance(tried, tuple):
            action, role, place = tried
        elif rows:
            row = rows[tried % len(rows)]
            action, role, place = row.action, row.role, row.places[0]
        else:
            continue
        answer = step(status, action, role, place, group)
        offered = lifecycle.actions_for(status, role, place, group)
        assert (action in offered) is not isinstance(answer, Problem)
        if isinstance(answer, Problem):
            continue
        move = TRANSITIONS[status][action]
        assert answer == move.target
        assert move.back or status == Status.NONE or passed(answer, status)
        status = answer
    assert status in reach(Status.NONE, group)


@given(st.sampled_from(Status), st.integers(0, 10_000), st.sampled_from(sorted(GROUPS)))
def test_someone_can_always_bring_a_request_to_an_end(start, seed, group):
    """Taking forward steps of one's road in any order ends, whatever is chosen."""
    status, steps = start, 0
    while forward := [
        m
        for m in TRANSITIONS[status].values()
        if not m.back and (not m.groups or group in m.groups)
    ]:
        status = forward[(seed + steps) % len(forward)].target
        steps += 1
        assert steps <= len(Status)


@given(st.text(), st.text(), st.sampled_from(sorted(ROLES)), st.sampled_from(PLACES))
def test_any_text_gets_an_answer(status, action, role, place):
    assert isinstance(step(status, action, role, place), Problem | Status)
    passed(status, action)
    lifecycle.same_standing(status, action)
    lifecycle.allowed(action, status, action, central=True)


def test_the_page_in_the_docs_is_the_table():
    page = (docs.ROOT / "docs" / "lifecycle.md").read_text("utf-8")
    assert docs.redrawn(page) == page, "run scripts/docs.py"
    for move in TABLE:
        assert f"{move.target.value}: {move.action}" in page
