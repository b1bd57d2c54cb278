"""Merging through the real ledger: what authors may rely on, as examples and as properties."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.changes import Body, Choice
from models.problems import Problem
from sync.state import Decision, Held, Moved, State, Wrote
from tests.office import FREE, GROUP, PROTECTED, Office
from tests.simulation.laws_of_merging import loser_kept
from tests.simulation.world import same

UNITS = (FREE, GROUP, PROTECTED, "card.identity", "applicant.relation")


def shared_request(office: Office) -> bytes:
    """A request of the first laptop that every laptop has on its screen."""
    name = office.create(office.laptops[0])
    for laptop in office.laptops:
        office.send(laptop)
    for laptop in office.laptops:
        office.pull(laptop)
    return name


def value(unit: str, mark: object) -> Any:
    if unit in (PROTECTED, "card.identity"):
        return {"name": f"NAMA {mark}", "nik": "8272035203000001", "kk": "8272030101200001"}
    if unit == GROUP:
        return {"address": f"JALAN {mark}", "village": "82.72.03.2001"}
    return f"nilai {mark}"


def test_a_second_correction_by_the_same_author_does_not_dispute_the_first() -> None:
    office = Office()
    name = shared_request(office)
    van = office.laptops[0]
    office.edit(van, name, Body(set={PROTECTED: value(PROTECTED, 1)}))
    office.send(van)
    office.edit(van, name, Body(set={PROTECTED: value(PROTECTED, 2)}))
    ((_, result),) = office.send(van)
    assert result.state == "applied"
    assert office.value(name, PROTECTED) == value(PROTECTED, 2)
    assert office.cases() == []


def test_a_protected_unit_edited_on_both_sides_is_held_and_nothing_is_written() -> None:
    office = Office()
    name = shared_request(office)
    van, village = office.laptops
    office.edit(van, name, Body(set={PROTECTED: value(PROTECTED, "van")}))
    office.edit(village, name, Body(set={PROTECTED: value(PROTECTED, "desa")}))
    office.send(van)
    ((_, result),) = office.send(village)
    (case,) = office.cases("dispute")
    assert result.state == "held"
    assert result.case == case.id
    assert office.value(name, PROTECTED) == value(PROTECTED, "van")
    assert case.current is not None
    assert case.current.log == van.log
    assert [o.value for o in case.offers] == [value(PROTECTED, "desa")]
    assert case.protected


def test_a_free_unit_is_written_and_the_loser_kept() -> None:
    office = Office()
    name = shared_request(office)
    van, village = office.laptops
    office.edit(van, name, Body(set={FREE: "+628111111111"}))
    office.edit(village, name, Body(set={FREE: "+628222222222"}))
    office.send(van)
    ((_, result),) = office.send(village)
    assert result.state == "merged"
    assert office.value(name, FREE) == "+628222222222"
    office.pull(van)
    office.pull(village)
    (mine,) = [n for n in van.notices if n.kind == "overridden"]
    assert (mine.mine, mine.value) == ("+628111111111", "+628222222222")
    (other,) = [n for n in village.notices if n.kind == "replaced"]
    assert (other.mine, other.value) == ("+628222222222", "+628111111111")


def test_the_same_value_from_two_authors_is_agreement_and_either_may_go_on() -> None:
    office = Office()
    name = shared_request(office)
    van, village = office.laptops
    for laptop in (van, village):
        office.edit(laptop, name, Body(set={PROTECTED: value(PROTECTED, "sama")}))
        office.send(laptop)
    for laptop, mark in ((village, "lagi"),):
        office.edit(laptop, name, Body(set={PROTECTED: value(PROTECTED, mark)}))
        ((_, result),) = office.send(laptop)
        assert result.state == "applied"
    assert office.cases() == []


def test_a_follow_up_on_a_held_change_joins_its_case() -> None:
    office = Office()
    name = shared_request(office)
    van, village = office.laptops
    office.edit(van, name, Body(set={PROTECTED: value(PROTECTED, "van")}))
    office.edit(village, name, Body(set={PROTECTED: value(PROTECTED, "desa")}))
    office.send(van)
    office.send(village)
    office.pull(village)
    office.edit(village, name, Body(set={PROTECTED: value(PROTECTED, "desa, lagi")}))
    ((_, result),) = office.send(village)
    (case,) = office.cases()
    assert (result.state, result.case) == ("held", case.id)
    assert [o.value for o in case.offers] == [
        value(PROTECTED, "desa"),
        value(PROTECTED, "desa, lagi"),
    ]


def test_two_people_close_a_protected_case_and_both_authors_hear_why() -> None:
    office = Office()
    name = shared_request(office)
    van, village = office.laptops
    office.edit(van, name, Body(set={PROTECTED: value(PROTECTED, "van")}))
    log, seq = office.edit(village, name, Body(set={PROTECTED: value(PROTECTED, "desa")}))
    office.send(van)
    office.send(village)
    (case,) = office.cases()
    offer = Choice(case.id, "offer", "sesuai KK asli", "decide", log=log, seq=seq, by="nur")
    with pytest.raises(Problem, match=r"case\.needs_second"):
        office.resolve(offer)
    office.resolve(msgspec.structs.replace(offer, step="propose"))
    approve = msgspec.structs.replace(offer, step="approve", reason="setuju")
    with pytest.raises(Problem, match=r"lifecycle\.same_person"):
        office.resolve(approve)
    assert office.value(name, PROTECTED) == value(PROTECTED, "van")
    office.resolve(msgspec.structs.replace(approve, by="amir"))
    assert office.value(name, PROTECTED) == value(PROTECTED, "desa")
    assert office.result(log, seq).state == "accepted"
    for laptop, mine in ((van, "van"), (village, "desa")):
        office.pull(laptop)
        (notice,) = [n for n in laptop.notices if n.kind == "decided"]
        assert notice.mine == value(PROTECTED, mine)
        assert notice.value == value(PROTECTED, "desa")
        assert "sesuai KK asli" in notice.reason
        assert "amir" in notice.by


def test_a_stale_choice_is_refused_and_writes_nothing() -> None:
    office = Office()
    name = shared_request(office)
    van, village = office.laptops
    office.edit(van, name, Body(set={PROTECTED: value(PROTECTED, "van")}))
    office.edit(village, name, Body(set={PROTECTED: value(PROTECTED, "desa")}))
    office.send(van)
    office.send(village)
    (case,) = office.cases()
    before = office.registry.position.server_seq
    with pytest.raises(Problem, match=r"case\.stale"):
        office.resolve(Choice(case.id, "current", "lama", "propose", by="nur"), case.changed - 1)
    assert office.registry.position.server_seq == before


def test_the_same_citizen_from_two_places_is_one_case_and_both_requests_stand() -> None:
    office = Office()
    van, village = office.laptops
    first = office.create(van, 1)
    second = office.create(village, 2)
    office.send(van)
    ((_, result),) = [r for r in office.send(village) if r[1].record == second]
    (case,) = office.cases("duplicate")
    assert result.state == "applied"
    assert {case.record, *case.others} == {first, second}
    office.resolve(Choice(case.id, "link", "orang yang sama", by="nur"))
    assert office.record(second).kept == first
    assert office.record(second).status == "merged"
    assert office.record(first).links == [second]


def test_a_withdrawal_after_verification_began_asks_the_verifier() -> None:
    office = Office()
    name = shared_request(office)
    van = office.laptops[0]
    screen = van.display(name)
    office.staff(Body(action="take", move=("received", "in_verification")), name)
    body = Body(action="withdraw", move=("received", "cancelled"), reason="batal")
    office.edit(van, name, body, screen)
    ((_, result),) = office.send(van)
    (case,) = office.cases("dispute")
    assert result.state == "held"
    assert case.unit == "status"
    assert office.record(name).status == "in_verification"
    log, seq = van.log, van.last
    office.resolve(Choice(case.id, "offer", "warga batal", log=log, seq=seq, by="nur"))
    assert office.record(name).status == "cancelled"


def test_work_after_a_laptop_was_lost_is_held_and_can_be_released() -> None:
    office = Office()
    van = office.laptops[0]
    office.send(van)
    office.registry.tables["logs"][van.log].limit = van.last
    name = office.create(van, 9)
    office.edit(van, name, Body(set={FREE: "+628111111111"}))
    results = office.send(van)
    (case,) = office.cases("after-lost")
    assert [r.state for _, r in results] == ["held", "held"]
    assert name not in office.registry.tables["records"]
    office.resolve(Choice(case.id, "release", "laptop ditemukan", by="nur"))
    assert office.value(name, FREE) == "+628111111111"
    assert [office.result(van.log, s).state for s, _ in results] == ["accepted", "accepted"]


def test_what_a_lost_laptop_brings_after_its_case_was_closed_has_a_case_of_its_own() -> None:
    office = Office()
    van = office.laptops[0]
    office.send(van)
    office.registry.tables["logs"][van.log].limit = van.last
    office.create(van, 9)
    office.send(van)
    (case,) = office.cases("after-lost")
    office.resolve(Choice(case.id, "discard", "tidak dikenal", by="nur"))
    office.create(van, 10)
    ((seq, late),) = office.send(van)
    assert late.state == "held"
    assert late.case != case.id
    office.resolve(Choice(late.case, "release", "laptop ditemukan", by="nur"))
    assert office.result(van.log, seq).state == "accepted"


def test_a_family_is_refused_whole() -> None:
    office = Office()
    van = office.laptops[0]
    good = van.change("create", Body(number=1), place=(0, 2), form=("birth", 1))
    bad = van.change("create", {"set": 5}, place=(1, 2), form=("birth", 1))
    van.append([good, bad])
    results = office.send(van)
    assert [r.state for _, r in results[-2:]] == ["refused", "refused"]
    assert office.registry.tables["records"] == {}
    assert [c.kind for c in office.cases()] == ["refused"]


def test_an_entry_without_a_session_has_no_authority() -> None:
    office = Office()
    van = office.laptops[0]
    van.session = 0
    office.create(van)
    *_, (_, result) = office.send(van)
    assert (result.state, result.problem) == ("refused", "session.unknown")


def test_a_code_taken_twice_resolves_to_one_request_only() -> None:
    office = Office()
    van = office.laptops[0]
    first = office.create(van, 77)
    second = office.create(van, 77, **{PROTECTED: value(PROTECTED, "lain")})
    office.send(van)
    codes = office.registry.tables["codes"]
    assert list(codes.values()) == [first]
    assert office.record(second).code is None
    assert "code" in [c.kind for c in office.cases()]


# -- properties

edits = st.lists(
    st.tuples(
        st.integers(0, 1),  # which laptop
        st.sampled_from(UNITS),
        st.integers(0, 3),  # which value
        st.sampled_from(("keep", "send", "pull", "both")),  # what happens after the save
    ),
    max_size=12,
)


def play(steps: list[tuple[int, str, int, str]]) -> tuple[Office, bytes]:
    office = Office()
    name = shared_request(office)
    for who, unit, mark, after in steps:
        laptop = office.laptops[who]
        office.edit(laptop, name, Body(set={unit: value(unit, mark)}))
        if after in ("send", "both"):
            office.send(laptop)
        if after in ("pull", "both"):
            office.pull(laptop)
    for laptop in office.laptops:
        office.send(laptop)
    return office, name


def decisions(office: Office) -> list[bytes]:
    stored = office.registry.tables["decisions"]
    return [stored[number][0] for number in sorted(stored)]


@given(edits)
def test_the_same_deliveries_give_the_same_decisions(steps: list[Any]) -> None:
    assert decisions(play(steps)[0]) == decisions(play(steps)[0])


@given(edits)
def test_delivering_again_changes_nothing(steps: list[Any]) -> None:
    office, _ = play(steps)
    before = decisions(office)
    for laptop in office.laptops:
        office.sent[laptop.log] = 0
        office.send(laptop)
    assert decisions(office) == before


@given(edits)
def test_the_state_is_the_fold_of_the_effects(steps: list[Any]) -> None:
    office, _ = play(steps)
    state = State()
    for data in decisions(office):
        state.fold(msgspec.msgpack.decode(data, type=Decision))
    stored = office.registry.tables
    assert same(state.records, stored["records"])
    assert same(state.cases, stored["cases"])


@given(edits)
def test_no_submitted_value_disappears(steps: list[Any]) -> None:
    """Every value is written, held, agreed or noted, under its author's name."""
    office, _ = play(steps)
    found = [msgspec.msgpack.decode(d, type=Decision) for d in decisions(office)]
    world: Any = msgspec.defstruct("W", [("registry", Any), ("laws", Any), ("laptops", Any)])
    loser_kept(world(office.registry, Counter(), office.laptops), found)


@given(edits)
def test_one_author_alone_is_never_disputed(steps: list[Any]) -> None:
    office, name = play([(0, unit, mark, after) for _, unit, mark, after in steps])
    assert office.cases() == []
    last = {unit: value(unit, mark) for _, unit, mark, _ in steps}
    assert all(office.value(name, unit) == v for unit, v in last.items())


@given(
    st.sets(st.sampled_from(UNITS), min_size=1, max_size=2),
    st.data(),
)
def test_disjoint_units_agree_in_either_order(mine: set[str], data: st.DataObject) -> None:
    rest = sorted(set(UNITS) - mine)
    other = data.draw(st.sets(st.sampled_from(rest), min_size=1, max_size=2))

    def ends(first: int) -> dict[str, Any]:
        office = Office()
        name = shared_request(office)
        for laptop, units in zip(office.laptops, (mine, other), strict=True):
            body = Body(set={u: value(u, laptop.number) for u in sorted(units)})
            office.edit(laptop, name, body)
        for index in (first, 1 - first):
            office.send(office.laptops[index])
        assert office.cases() == []
        return {u: w.value for u, w in office.record(name).units.items()}

    assert ends(0) == ends(1)


@given(edits)
def test_a_held_value_is_what_its_author_offered(steps: list[Any]) -> None:
    office, name = play(steps)
    for data in decisions(office):
        for effect in msgspec.msgpack.decode(data, type=Decision).effects:
            if isinstance(effect, Held):
                assert effect.record == name
                assert effect.value in [value(effect.unit, m) for m in range(4)]
            assert not isinstance(effect, Moved) or effect.action in ("submit", "receive")
            if isinstance(effect, Wrote) and effect.unit == PROTECTED and effect.lost is not None:
                raise AssertionError("a protected value was overridden")
