"""What a register promises to tell laptops: the second half of its contract, used like
`registry_contract`."""

from __future__ import annotations

import msgspec

from models.changes import Choice, Incident
from sync.notices import notices
from sync.state import Outcome, Wrote
from tests.contract.registry_home import (
    FREE,
    GROUP,
    OTHER_VILLAGE,
    PROTECTED,
    VILLAGE,
    Home,
    create,
    edit,
    needs_of,
)
from tests.simulation.laptop import Laptop

NIK = "8272032009900001"


def test_a_laptop_is_told_of_its_own_requests_and_of_its_villages(home: Home) -> None:
    van, village, stranger = home.laptop(), home.laptop(VILLAGE), home.laptop(OTHER_VILLAGE)
    record = create(van)
    home.send(van)
    assert any(record in touched(d) for d in home.pulled(van))
    assert any(record in touched(d) for d in home.pulled(village))
    assert home.pulled(stranger) == []
    with home.registry.read() as door:
        for laptop, sees in ((van, {record}), (village, {record}), (stranger, set())):
            assert door.visible(door.scope(laptop.device), [record, b"x" * 16]) == sees


def touched(decision) -> set[bytes]:
    return {getattr(effect, "record", b"") for effect in decision.effects}


def test_the_author_is_told_the_outcome_wherever_the_request_is(home: Home) -> None:
    van, stranger = home.laptop(VILLAGE), home.laptop(OTHER_VILLAGE)
    record = create(van)
    home.send(van)
    edit(stranger, record, units={PROTECTED: {"name": "LAIN"}})
    home.send(stranger)
    with home.registry.read() as door:
        (case,) = needs_of(door, record).state.cases
    before = home.seq
    home.write("resolve", b"", proposal(case, stranger))
    assert home.told(stranger, before) == []
    home.write(
        "resolve", b"", msgspec.structs.replace(proposal(case, stranger), step="approve", by="ida")
    )
    (decision,) = home.told(stranger, before)
    (outcome,) = (e for e in decision.effects if isinstance(e, Outcome))
    assert (outcome.log, outcome.seq, outcome.state) == (stranger.log, 3, "accepted")
    assert len(decision.effects) == 1


def test_who_lost_sight_of_a_request_hears_that_the_own_value_was_replaced(home: Home) -> None:
    """By whom and by what is not theirs to know any more (law 27)."""
    owner, van = home.laptop(VILLAGE), home.laptop(VILLAGE)
    record = create(owner)
    home.send(owner)
    edit(van, record, units={FREE: "0811"})
    home.send(van)
    old = home.record(record)
    assert old is not None
    address = old.units[GROUP].value | {"village": OTHER_VILLAGE}
    edit(owner, record, units={GROUP: address})
    home.send(owner, 4)
    before = home.seq
    edit(owner, record, units={FREE: "0822"})
    home.send(owner, 5)
    (decision,) = home.told(van, before)
    (effect,) = decision.effects
    assert isinstance(effect, Wrote)
    assert effect.value is None
    assert effect.lost is not None
    assert effect.lost.value == "0811"
    (notice,) = notices(decision, {van.log}, home.shown(van))
    assert (notice.kind, notice.mine, notice.value) == ("overridden", "0811", None)


def proposal(case: bytes, laptop: Laptop) -> Choice:
    return Choice(case, "offer", "sesuai KK", "propose", log=laptop.log, seq=3, by="nur")


def test_both_sides_of_a_duplicate_hear_of_its_end(home: Home) -> None:
    van, far = home.laptop(VILLAGE), home.laptop(OTHER_VILLAGE)
    one, two = create(van, 1, NIK), create(far, 1, NIK)
    home.send(van)
    home.send(far)
    with home.registry.read() as door:
        (case,) = needs_of(door, one).state.cases
    home.resolve(case, "separate")
    for laptop, mine in ((van, one), (far, two)):
        state = home.shown(laptop)
        assert set(state.records) == {mine}
        assert state.records[mine].cases == []
        assert state.cases[case].state == "closed"


def test_a_joined_request_is_seen_from_both_sides(home: Home) -> None:
    van, far = home.laptop(VILLAGE), home.laptop(OTHER_VILLAGE)
    one, two = create(van, 1, NIK), create(far, 1, NIK)
    home.send(van)
    home.send(far)
    with home.registry.read() as door:
        (case,) = needs_of(door, one).state.cases
    home.resolve(case, "link")
    assert home.shown(van).records[one].links == [two]
    assert home.shown(far).records[two].kept == one
    for laptop, mine in ((van, one), (far, two)):
        assert home.shown(laptop).records[mine] == home.record(mine)


def test_what_is_joined_to_a_joined_request_is_joined_to_the_kept_one(home: Home) -> None:
    van, far = home.laptop(VILLAGE), home.laptop(OTHER_VILLAGE)
    one, two, three = create(van, 1, NIK), create(far, 1, NIK), create(far, 2)
    home.send(van)
    home.send(far)
    home.write("incident", b"", Incident("duplicate", "mirip", (two, three)))
    with home.registry.read() as door:
        known = needs_of(door, one, three)
    first, second = (known.state.records[name].cases[0] for name in (one, three))
    home.resolve(first, "link")
    home.resolve(second, "link")  # it names two requests, and the kept one is neither
    assert home.shown(van).records[one].links == [two, three]
    for laptop, mine in ((van, one), (far, two), (far, three)):
        assert home.shown(laptop).records[mine] == home.record(mine)


def test_pages_are_cut_at_whole_decisions_and_meet_without_a_gap(home: Home) -> None:
    van = home.laptop()
    for number in range(1, 8):
        create(van, number, f"82720320099000{number:02}")
    home.send(van)
    everything = home.pulled(van)
    found, after, more = [], 0, True
    while more:
        with home.registry.read() as door:
            page, after, head, more = door.pull(door.scope(van.device), after, 1500)
        assert page
        assert len(page) < len(everything)
        assert len(head) == 32
        found += page
    assert found == everything
    assert after == home.seq
    with home.registry.read() as door:
        standing = door.standing()
        nothing = door.pull(door.scope(van.device), after, 1500)
    assert nothing == ([], standing.server_seq, standing.head, False)


def test_orders_are_numbered_for_each_log(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    with home.registry.write() as door:
        door.order(van.log, "suspend", 3)
        door.order(village.log, "rotate", 1)
        door.order(van.log, "active", 3)
    with home.registry.read() as door:
        assert door.orders(van.log) == [(1, "suspend", 3), (2, "active", 3)]
        assert door.orders(village.log) == [(1, "rotate", 1)]


def test_the_scope_of_a_laptop_names_all_its_logs(home: Home) -> None:
    van = home.laptop(VILLAGE, OTHER_VILLAGE)
    with home.registry.read() as door:
        scope = door.scope(van.device)
    assert scope.device == van.device
    assert scope.logs == (van.log,)
    assert set(scope.villages) == {VILLAGE, OTHER_VILLAGE}
