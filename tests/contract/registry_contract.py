"""What a register at central promises, whatever it is made of. Run it by importing everything from
here into a test module that has a `home` fixture: a new, empty `Home` (registry_home)."""

from __future__ import annotations

import msgspec
import pytest

from models.changes import Body, Change, Hole, decode_body, decode_change, encode, raw, record_of
from models.problems import Problem
from sync.known import Needs, key_needs, next_server_head
from sync.logs import Entry, next_head
from sync.messages import Batch
from tests.contract.registry_home import (
    CENTRAL,
    EVERYTHING,
    FREE,
    GROUP,
    NOW,
    OTHER_VILLAGE,
    PROTECTED,
    VILLAGE,
    Home,
    create,
    created,
    edit,
    filled,
    needs_of,
)
from tests.simulation.laptop import Laptop

NIK = "8272032009900001"


# -- storing


def test_a_batch_is_stored_chained_and_decided(home: Home) -> None:
    van = home.laptop()
    record = create(van)
    stored = home.send(van)
    assert (stored.log.seq, stored.log.head) == (van.last, van.head)
    assert [result.state for _, result in stored.results] == ["applied"] * 3
    with home.registry.read() as door:
        entries = door.entries(van.log, 0, 9)
        log = door.log(van.log)
    assert entries[0].head == van.opening_head
    assert [entries[n] for n in (1, 2, 3)] == van.entries
    assert log is not None
    assert (log.seq, log.head, log.sessions) == (3, van.head, {2: van.operator})
    found = home.record(record)
    assert found is not None
    assert (found.status, found.device, found.seq) == ("received", van.device, 3)


def test_the_same_batch_again_changes_nothing(home: Home) -> None:
    van = home.laptop()
    create(van)
    first = home.send(van)
    before = home.seq
    assert home.send(van).results == first.results
    assert home.send(van, 2, 3).results == first.results[1:]
    assert home.seq == before


def test_a_batch_that_overlaps_brings_only_what_is_new(home: Home) -> None:
    van = home.laptop()
    create(van, 1)
    home.send(van)
    create(van, 2)
    assert home.send(van, 2).log.seq == 4
    assert home.seq == 4


def test_numbers_have_no_gaps_and_the_chain_of_decisions_holds(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    for number in range(1, 4):
        create(van, number)
        create(village, number)
        home.send(van, van.last if number > 1 else 1)
        home.send(village, village.last if number > 1 else 1)
    told = {d.server_seq: d for d in (*home.pulled(van), *home.pulled(village))}
    assert sorted(told) == list(range(1, home.seq + 1))
    with home.registry.read() as door:
        head = door.load(Needs()).head
        _, upto, reached, more = door.pull(door.scope(van.device), home.seq - 1, EVERYTHING)
        standing = door.standing()
    assert (standing.head, standing.server_seq) == (head, home.seq)
    assert (upto, reached, more) == (home.seq, head, False)
    with home.registry.read() as door:
        _, before, link, _ = door.pull(door.scope(van.device), home.seq - 2, 0)
    if before == home.seq - 1:
        assert next_server_head(link, encode(told[home.seq])) == head


def test_the_state_is_the_fold_of_what_laptops_are_told(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    record = create(van)
    home.send(van)
    edit(van, record, home.seq, units={FREE: "+6281200000001"})
    edit(village, record, home.seq, units={FREE: "+6281200000002"})
    edit(village, record, home.seq, {PROTECTED: {"name": "LAIN"}})
    home.send(van, 4)
    home.send(village)
    folded = home.folded(van, village)
    assert home.record(record) == folded.records[record]
    for case in folded.cases:
        assert home.case(case) == folded.cases[case]


def test_a_transaction_is_undone_whole_when_it_is_left_by_an_error(home: Home) -> None:
    van = home.laptop()
    create(van)
    home.send(van)
    before = home.seq

    def fail() -> None:
        with home.registry.write() as door:
            door.order(van.log, "rotate", 3)
            door.keep_ahead(van.log, [Entry(9, b"x", b"")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with home.registry.read() as door:
        assert door.orders(van.log) == []
        assert door.ahead(van.log) == []
    assert home.seq == before


# -- gaps and forks


def test_what_comes_before_a_gap_is_filled_is_kept_and_judged_then(home: Home) -> None:
    van = home.laptop()
    records = [create(van, number) for number in (1, 2, 3)]
    late = home.send(van, 4)
    assert late.missing == (1, 3)
    assert (late.log.seq, late.results) == (0, [])
    stored = home.send(van, 1, 3)
    assert (stored.log.seq, stored.missing) == (5, None)
    assert all(home.record(record) for record in records)
    with home.registry.read() as door:
        assert door.ahead(van.log) == []


def test_two_versions_of_an_entry_beyond_a_gap_do_not_displace_each_other(home: Home) -> None:
    van = home.laptop()
    with home.registry.write() as door:
        door.keep_ahead(van.log, [Entry(9, b"one", b"")])
        door.keep_ahead(van.log, [Entry(9, b"other", b""), Entry(10, b"ten", b"")])
        door.keep_ahead(van.log, [Entry(9, b"one", b"")])
    with home.registry.read() as door:
        assert sorted(e.data for e in door.ahead(van.log)) == [b"one", b"other", b"ten"]
    with home.registry.write() as door:
        door.drop_ahead(van.log, 9)
    with home.registry.read() as door:
        assert [e.data for e in door.ahead(van.log)] == [b"ten"]


def test_a_fork_keeps_both_branches_with_one_order_and_one_case(home: Home) -> None:
    van = home.laptop()
    create(van, 1)
    home.send(van)
    create(van, 2)
    mine = home.batch(van, 4)
    home.ledger.store(van.log, mine, NOW)
    theirs = clone_of(van, 3)
    create(theirs, 3)
    for _ in range(2):
        home.ledger.store(van.log, home.batch(theirs, 4), NOW)
    with home.registry.read() as door:
        assert door.orders(van.log) == [(1, "rotate", 3)]
        central = door.results(CENTRAL, 1, 99)
        assert door.entries(van.log, 4, 4)[4].data == mine.entries[0]
    assert len(central) == 1
    assert home.case(central[0][1].case).kind == "fork"


def clone_of(laptop: Laptop, upto: int) -> Laptop:
    """The same disk as it was after entry `upto`, in another machine."""
    twin = laptop.image()
    twin.entries = laptop.entries[:upto]
    return twin


# -- what depends on each other


def test_what_waits_is_judged_when_its_request_comes(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    record = create(van)
    edit(village, record, units={FREE: "+6281200000009"})
    edit(village, record, units={FREE: "+6281200000008"})
    home.send(village)
    assert home.states(village) == ["applied", "applied", "waiting", "waiting"]
    with home.registry.read() as door:
        known = needs_of(door, record)
    assert known.waiting[record] == [(village.log, 3), (village.log, 4)]
    assert known.entries[village.log, 3] == village.entries[2]
    assert known.results[village.log, 3].state == "waiting"
    assert village.log in known.logs
    home.send(van)
    assert "waiting" not in home.states(village)
    with home.registry.read() as door:
        assert not any(needs_of(door, record).waiting.values())


def test_a_transaction_of_an_unknown_form_waits_whole_and_only_what_depends_on_it(
    home: Home,
) -> None:
    van = home.laptop()
    future = created(van, 1, place=(0, 2), edition=99), created(van, 2, NIK, place=(1, 2))
    entries = van.append(list(future))
    names = [record_of(van.log, e.seq, decode_change(e.data), e.data) for e in entries]
    edit(van, names[1], units={FREE: "+6281200000003"})
    other = create(van, 3)
    home.send(van)
    assert home.states(van)[2:] == ["waiting", "waiting", "waiting", "applied"]
    assert home.record(other) is not None
    with home.registry.read() as door:
        known = needs_of(door, names[1])
    assert set(known.entries) == {(van.log, 3), (van.log, 4), (van.log, 5)}


def test_a_request_whose_creation_was_refused_is_known_as_stuck(home: Home) -> None:
    van = home.laptop()
    bad = msgspec.structs.replace(created(van), session=1)
    (entry,) = van.append([bad])
    record = record_of(van.log, entry.seq, bad, entry.data)
    home.send(van)
    with home.registry.read() as door:
        known = needs_of(door, record)
    case = known.stuck[record]
    assert known.state.cases[case].kind == "refused"
    edit(van, record, units={FREE: "+6281200000003"})
    home.send(van)
    assert home.states(van)[3] == "held"
    assert home.case(case).parked == [(van.log, 4, record)]


def test_a_refused_change_of_somebody_else_does_not_make_a_request_stuck(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    record = create(van)
    change = village.change("edit", 5, record)
    village.append([change])
    home.send(village)
    assert home.states(village)[2] == "refused"
    edit(village, record, units={FREE: "+6281200000004"})
    home.send(village)
    assert home.states(village)[3] == "waiting"
    third = home.laptop()
    third.append([third.change("edit", 5, record)])
    edit(third, record, units={FREE: "+6281200000004"})
    home.send(third)
    assert home.states(third)[2:] == ["refused", "waiting"]


def test_a_request_is_loaded_with_its_cases_and_theirs(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    one = create(van, 1, NIK)
    two = create(village, 1, NIK)
    home.send(van)
    home.send(village)
    with home.registry.read() as door:
        known = needs_of(door, one)
    (case,) = known.state.cases.values()
    assert (case.kind, case.record, case.others) == ("duplicate", two, (one,))
    assert set(known.state.records) == {one, two}


def test_offers_of_a_case_are_loaded_with_their_outcomes(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    record = create(van)
    home.send(van)
    seen = home.seq
    edit(van, record, seen, {PROTECTED: {"name": "SATU"}})
    edit(village, record, seen, {PROTECTED: {"name": "DUA"}})
    home.send(van)
    home.send(village)
    with home.registry.read() as door:
        known = needs_of(door, record)
    assert known.results[village.log, 3].state == "held"


def test_duplicate_keys_lead_to_open_requests_only(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    one = create(van, 1, NIK)
    home.send(van)
    twin = village.append([created(village, 5, NIK)])
    with home.registry.read() as door:
        known = needs_of(door)
        wanted = key_needs(known, twin)
        assert wanted
        door.load_keys(known, wanted)
    assert [holder for holders in known.keys.values() for holder in holders] == [one]
    assert one in known.state.records
    edit(van, one, home.seq, {PROTECTED: {**filled()[PROTECTED], "nik": "8272032009900077"}})
    home.send(van, 4)
    with home.registry.read() as door:
        known = needs_of(door)
        door.load_keys(known, wanted)
    assert not any(known.keys.values())


def test_an_ended_request_is_nobodys_duplicate(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    one, two = create(van, 1, NIK), create(village, 1, NIK)
    home.send(van)
    home.send(village)
    with home.registry.read() as door:
        (case,) = needs_of(door, one).state.cases.values()
    home.resolve(case.id, "link")
    later = home.laptop()
    three = create(later, 1, NIK)
    home.send(later)
    with home.registry.read() as door:
        found = needs_of(door, three).state.cases.values()
    ended = {one, two} - {c.record for c in found} - {o for c in found for o in c.others}
    assert len(ended) == 1


def test_what_waited_is_compared_for_duplicates_when_it_wakes(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    create(van, 1, NIK)
    home.send(van)
    base = create(van, 2, "8272032009900055")
    change = village.change("edit", Body(set={PROTECTED: filled(nik=NIK)[PROTECTED]}), base)
    village.append([change])
    home.send(village)
    assert home.states(village)[2] == "waiting"
    home.send(van, 4)
    with home.registry.read() as door:
        kinds = {case.kind for case in needs_of(door, base).state.cases.values()}
    assert home.states(village)[2] in ("held", "applied", "merged")
    assert "duplicate" in kinds or "dispute" in kinds


def test_a_closed_case_is_no_longer_open_on_any_of_its_requests(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    one, two = create(van, 1, NIK), create(village, 1, NIK)
    home.send(van)
    home.send(village)
    with home.registry.read() as door:
        (case,) = needs_of(door, one).state.cases.values()
    home.resolve(case.id, "separate")
    assert [home.record(name).cases for name in (one, two)] == [[], []]  # type: ignore[union-attr]
    assert home.case(case.id).state == "closed"


def test_a_taken_tracking_code_is_found(home: Home) -> None:
    van = home.laptop()
    one = create(van, 7, NIK)
    home.send(van)
    two = create(van, 7, "8272032009900055")
    home.send(van, 4)
    assert home.record(one).code == (1, 7)  # type: ignore[union-attr]
    assert home.record(two).code is None  # type: ignore[union-attr]


def test_a_tracking_code_that_is_taken_is_found_when_a_creation_is_released(home: Home) -> None:
    """It is judged in a transaction of central's own log, which names the case and no code."""
    van = home.laptop()
    one = create(van, 7, NIK)
    home.send(van)
    with home.registry.write() as door:
        door.keep_log_state(van.log, "active", van.last)  # type: ignore[attr-defined]
    two = create(van, 7, "8272032009900055")
    home.send(van)
    with home.registry.read() as door:
        ((_, parked),) = door.results(van.log, van.last, van.last)
    home.resolve(parked.case, "release")
    assert home.states(van)[-1] == "accepted"
    assert codes(home, one, two) == [(1, 7), None]


def test_a_tracking_code_that_is_taken_is_found_when_a_creation_wakes(home: Home) -> None:
    """It waited with its transaction for a request of another laptop; the code was given since."""
    van, village = home.laptop(), home.laptop()
    late = create(village, 1, "8272032009900066")
    change = van.change("edit", Body(set={FREE: "+6281200000009"}), late, place=(1, 2))
    two, _ = van.append([created(van, 7, "8272032009900055", place=(0, 2)), change])
    one = create(van, 7, NIK)
    home.send(van)
    assert home.states(van)[2:] == ["waiting", "waiting", "applied"]
    home.send(village)
    assert home.states(van)[2] == "applied"
    woken = record_of(van.log, two.seq, decode_change(two.data), two.data)
    assert codes(home, one, woken) == [(1, 7), None]


def test_a_taken_code_is_found_whatever_block_a_creation_names(home: Home) -> None:
    """Only what was made again keeps the block it names; another's is the block of its log."""
    van = home.laptop()
    one = create(van, 7, NIK)
    home.send(van)
    change = created(van, 7, "8272032009900055")
    body = msgspec.structs.replace(decode_body(change.body), block=999)
    (entry,) = van.append([msgspec.structs.replace(change, body=raw(body))])
    home.send(van)
    assert codes(home, one, record_of(van.log, entry.seq, change, entry.data)) == [(1, 7), None]


def codes(home: Home, *records: bytes) -> list[tuple[int, int] | None]:
    """Tracking codes of requests that are there."""
    found = [home.record(name) for name in records]
    return [record.code for record in found if record is not None]


# -- the same whatever the parcels


def test_any_parcels_give_the_same_register(home: Home) -> None:
    """A number corrected before it is used again is no duplicate, and a moved request is moved,
    whether it all comes at once or one by one."""
    van, twin = home.laptop(), home.laptop()
    old, new = home.laptop(VILLAGE), home.laptop(OTHER_VILLAGE)
    kinds = []
    for laptop, size in ((van, 99), (twin, 1)):
        first, again, corrected = (f"827203200990{laptop.number:02}{n:02}" for n in (1, 2, 3))
        create(laptop, 1, first)
        record = create(laptop, 2, again)
        edit(laptop, record, units={GROUP: {**filled()[GROUP], "village": OTHER_VILLAGE}})
        edit(laptop, record, units={PROTECTED: filled(nik=corrected)[PROTECTED]})
        create(laptop, 3, again)
        for entry in range(1, laptop.last + 1, size):
            home.send(laptop, entry, entry + size - 1)
        told = [e for d in home.pulled(laptop) if d.log == laptop.log for e in d.effects]
        kinds.append([type(e).__name__ for e in told])
        with home.registry.read() as door:
            assert door.visible(door.scope(old.device), [record]) == set()
            assert door.visible(door.scope(new.device), [record]) == {record}
    assert home.states(van) == home.states(twin)
    assert kinds[0] == kinds[1]
    assert "Opened" not in kinds[0]


# -- what does not fit


@pytest.mark.parametrize("seq", [4, 5], ids=["in its place", "before it"])
def test_a_hole_does_not_go_on_from_what_a_copy_of_the_laptop_wrote(home: Home, seq: int) -> None:
    van = home.laptop()
    home.send(van)
    copy = van.image()
    for laptop, number in ((van, 1), (copy, 2)):
        create(laptop, number)
    home.send(copy)
    before = van.entries[seq - 3].head
    lost = next_head(van.log, before, b"lost")
    data = encode(van.change("hole", Hole(seq - 1, seq - 1, lost, "hujan")))
    head = next_head(van.log, lost, data)
    stored = home.ledger.store(van.log, Batch(seq, before[:8], head[:8], [data]), NOW)
    assert (stored.log.seq, stored.log.head) == (3, copy.head)
    with home.registry.read() as door:
        assert [e.data for e in door.forks(van.log)] == [data]
        assert [order[1:] for order in door.orders(van.log)] == [("rotate", 0)]


def test_a_batch_whose_chain_does_not_fit_stores_nothing(home: Home) -> None:
    van = home.laptop()
    create(van)
    good = home.batch(van)
    for bad in (
        Batch(good.first, b"x" * 8, good.head, good.entries),
        Batch(good.first, good.prev, b"x" * 8, good.entries),
    ):
        with pytest.raises(Problem, match=r"sync\.chain"):
            home.ledger.store(van.log, bad, NOW)
    assert home.states(van) == []
    assert home.seq == 0


def test_a_log_nobody_knows_is_refused(home: Home) -> None:
    van = home.laptop()
    with pytest.raises(Problem, match=r"sync\.unknown_device"):
        home.ledger.store(b"?" * 16, home.batch(van), NOW)


def test_central_is_refused_what_does_not_fit_and_nothing_is_written(home: Home) -> None:
    change = Change("edit", b"r" * 16, 0, 1, "", 0, 0, NOW, NOW, 0, 0, 0, None, raw(5))
    with pytest.raises(Problem, match=r"change\.malformed"):
        home.ledger.write(change, NOW, "nur")
    with home.registry.read() as door:
        log = door.log(CENTRAL)
    assert log is not None
    assert log.seq == 0
    assert home.seq == 0
