"""What a register promises where judging something ends the process. Run like registry_contract."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from models.changes import Body, Change, Choice, Hole, raw
from models.problems import Problem
from server.releasing import release, try_again
from sync.intake import take
from sync.judge import Judge, judge_change
from sync.known import Known, LogState, Result
from sync.logs import Entry, next_head
from sync.messages import Batch
from sync.state import Decision, Outcome
from tests.contract.registry_home import FREE, NOW, Home, create, created, edit, needs_of
from tests.simulation.laptop import Laptop

NIK = "8272032009900001"


def test_attempts_are_counted_until_they_end(home: Home) -> None:
    count = home.registry.attempt
    assert [count(b"l" * 16, 5, "batch") for _ in range(3)] == [0, 1, 2]
    assert count(b"l" * 16, 5, "transaction") == 0
    assert count(b"l" * 16, 6, "batch") == 0
    home.registry.attempted(b"l" * 16, 5, "batch")
    assert count(b"l" * 16, 5, "batch") == 0
    assert count(b"l" * 16, 6, "batch") == 1


def test_an_attempt_ends_with_the_commit_it_led_to(home: Home) -> None:
    count, key = home.registry.attempt, (b"l" * 16, 5, "batch")
    count(*key)
    with contextlib.suppress(ZeroDivisionError), home.registry.write() as door:
        door.attempted(*key)
        raise ZeroDivisionError
    assert count(*key) == 1
    with home.registry.write() as door:
        door.attempted(*key)
    assert count(*key) == 0


def test_what_was_stored_leaves_no_attempt_behind(home: Home) -> None:
    van = home.laptop()
    create(van)
    home.send(van)
    assert home.registry.attempt(van.log, 1, "batch") == 0
    home.registry.attempted(van.log, 1, "batch")
    batch = home.batch(van)
    bad = Batch(batch.first, b"x" * 8, batch.head, batch.entries)
    with pytest.raises(Problem, match=r"sync\.chain"):
        home.ledger.store(van.log, bad, NOW)
    assert home.registry.attempt(van.log, 1, "batch") == 0


def test_what_ended_the_process_three_times_waits_and_stays_set_aside(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    record = create(van)
    follow_up = edit(van, record, units={FREE: "+6281200000003"})
    other = create(van, 2, NIK)
    for _ in range(3):
        home.registry.attempt(van.log, 3, "transaction")
    home.registry.attempt(van.log, 1, "batch")
    noted: list[Any] = []
    home.ledger.store(van.log, home.batch(van), NOW, noted.append)
    assert len(noted) == 1, "what is written with a batch is written once, in however many steps"
    assert home.states(van)[2:] == ["waiting", "waiting", "applied"]
    assert home.record(other) is not None
    with home.registry.read() as door:
        known = needs_of(door, record)
    assert known.poisoned == {(van.log, 3)}
    assert (van.log, follow_up) in known.entries
    del village


def test_what_ends_the_process_beyond_a_gap_delays_only_what_depends_on_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waited behind the gap and comes in with whoever closes it: that is no fault of theirs."""
    van = home.laptop()
    create(van)
    create(van, 2)
    killer = create(van, 3, NIK)
    create(van, 4)
    edit(van, killer, units={FREE: "+6281200000004"})
    create(van, 6)
    bad = van.entries[4].data

    def deadly(known: Known, log: LogState, fresh: list[Entry], *more: Any) -> list[Decision]:
        if any(e.data == bad and (log.id, e.seq) not in known.poisoned for e in fresh):
            raise RuntimeError("the process ends here")
        return take(known, log, fresh, *more)

    monkeypatch.setattr("server.ledger.take", deadly)
    home.send(van, 7)
    home.send(van, 4, 6)
    stored = home.send(van, 1, 4)
    assert (stored.log.seq, stored.log.head) == (van.last, van.head)
    assert home.states(van)[2:4] == ["applied", "applied"]
    assert home.states(van)[4:] == ["waiting", "applied", "waiting", "applied"]
    with home.registry.read() as door:
        assert door.ahead(van.log) == []
        assert needs_of(door, killer).poisoned == {(van.log, 5)}


class Dead(BaseException):
    """The process ended here: nothing that stands after it in the program is done."""


def outlived(home: Home, act: Callable[[], object]) -> int:
    """Do it in one process after another, until one does not end; gives how many ended."""
    for deaths in range(10):
        try:
            act()
        except Dead:
            del home.registry.__dict__["attempted"]
        else:
            return deaths
    pytest.fail("it is never set aside")


def test_what_waits_and_ends_the_process_is_no_fault_of_whom_it_waits_for(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    van, village = home.laptop(), home.laptop()
    names = [create(van, 1), create(van, 2, NIK)]
    for name in names:
        edit(village, name, units={FREE: "+6281200000004"})
    follow_up = edit(van, names[0], units={FREE: "+6281200000005"})
    bad = village.entries[2].data
    home.send(village)

    def deadly(judge: Judge, entry: Entry, *more: Any) -> None:
        if entry.data == bad:
            home.registry.__dict__["attempted"] = lambda *_: None
            raise Dead
        judge_change(judge, entry, *more)

    monkeypatch.setattr("sync.intake.judge_change", deadly)
    deaths = outlived(home, lambda: home.send(van))
    assert home.states(van)[2:] == ["applied", "applied", "applied"]
    deaths += outlived(home, lambda: home.ledger.retry(NOW))
    assert deaths == 5  # with the batch, with all that waits, and three times by itself
    assert home.states(village)[2:] == ["waiting", "merged"]
    assert home.states(van)[follow_up - 1] == "applied"
    with home.registry.read() as door:
        assert needs_of(door, names[0]).poisoned == {(village.log, 3)}
    assert home.ledger.retry(NOW) == 0
    edit(village, names[0], units={FREE: "+6281200000006"})
    home.send(village)
    assert home.states(village)[2:] == ["waiting", "merged", "waiting"]
    aside = [(village.log, 3)]
    with pytest.raises(Dead):
        try_again(home.ledger, aside, NOW)
    del home.registry.__dict__["attempted"]
    assert try_again(home.ledger, aside, NOW) == 1, "what ended it is passed over once"
    with pytest.raises(Dead):
        try_again(home.ledger, aside, NOW)
    del home.registry.__dict__["attempted"]
    monkeypatch.undo()
    assert [try_again(home.ledger, aside, NOW) for _ in range(2)] == [1, 0]
    assert "waiting" not in home.states(village)


def test_what_is_released_and_ends_the_process_lies_and_the_rest_is_decided(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A supervisor presses the button; whoever starts central anew presses it again."""
    van = home.laptop()
    home.send(van)
    with home.registry.write() as door:
        door.keep_log_state(van.log, "lost", van.last)  # type: ignore[attr-defined]
    killer = create(van, 1)
    edit(van, killer, units={FREE: "+6281200000004"})
    van.append([created(van, n, f"827203200990000{n}", (n - 2, 2)) for n in (2, 3)])
    home.send(van, 3)
    assert home.states(van)[2:] == ["held"] * 4
    (case,) = {r.case for _, r in results(home, van) if r.case}
    bad = van.entries[2].data

    def deadly(judge: Judge, entry: Entry, *more: Any) -> None:
        if entry.data == bad:
            home.registry.__dict__["attempted"] = lambda *_: None
            raise Dead
        judge_change(judge, entry, *more)

    def choose(door: Any, log: bytes, seq: int) -> None:
        at = door.standing().server_seq
        body = raw(Choice(case, "release", "sudah dicek", by="nur", log=log, seq=seq))
        change = Change("resolve", b"", 0, 1, "", 0, 0, NOW, NOW, 0, 0, at, None, body)
        home.ledger.write_in(door, change, NOW, "nur")

    def press() -> None:
        with pytest.raises(Problem, match=r"case\.set_aside") as told:
            release(home.ledger, case, choose)
        assert told.value.details["n"] == 2

    with monkeypatch.context() as bad_day:
        bad_day.setattr("sync.cases.judge_change", deadly)
        assert outlived(home, press) == 4, "once with all, and three times by itself"
        assert home.states(van)[2:] == ["held", "held", "accepted", "accepted"]
        assert outlived(home, press) == 0
    assert home.case(case).state == "open"
    assert outlived(home, press) == 0, "not before an engineer says that it was mended"
    assert home.states(van)[2:4] == ["held", "held"]
    with home.registry.write() as door:
        door.let_try(van.log, 3)
    release(home.ledger, case, choose)
    assert home.states(van)[2:] == ["accepted"] * 4
    assert home.case(case).state == "closed"
    effects = [e for decision in home.pulled(van) for e in decision.effects]
    told = [e.seq for e in effects if isinstance(e, Outcome) and e.state == "accepted"]
    assert sorted(told) == [3, 4, 5, 6], "each once"


def results(home: Home, van: Laptop) -> list[tuple[int, Result]]:
    with home.registry.read() as door:
        return door.results(van.log, 1, van.last)


def test_what_lies_in_a_case_can_be_discarded_with_it(home: Home) -> None:
    van = home.laptop()
    home.send(van)
    with home.registry.write() as door:
        door.keep_log_state(van.log, "lost", van.last)  # type: ignore[attr-defined]
    create(van)
    home.send(van, 3)
    (case,) = {r.case for _, r in results(home, van) if r.case}
    with home.registry.write() as door:
        door.let_lie(van.log, 3)
    with pytest.raises(Problem, match=r"case\.set_aside"):
        home.resolve(case, "release")
    home.resolve(case, "discard")
    assert home.states(van)[2:] == ["rejected"]


def test_what_was_declared_lost_and_ends_the_process_is_set_aside_too(home: Home) -> None:
    van = home.laptop()
    copy = van.image()
    create(van)
    copy.append([copy.change("hole", Hole(3, 3, van.head, "hujan"))])
    hole = Entry(4, copy.entries[-1].data, next_head(van.log, van.head, copy.entries[-1].data))
    home.send(van, 1, 2)
    before = van.entries[1].head[:8]
    home.ledger.store(van.log, Batch(4, before, hole.head[:8], [hole.data]), NOW)
    for _ in range(3):
        home.registry.attempt(van.log, 3, "transaction")
    home.registry.attempt(van.log, 3, "batch")
    stored = home.send(van, 3)
    assert (stored.log.seq, stored.log.head) == (4, hole.head)
    with home.registry.read() as door:
        assert [r.state for _, r in door.results(van.log, 3, 4)] == ["waiting", "applied"]


def test_what_was_made_again_twice_in_one_log_counts_once(home: Home) -> None:
    """Behind a hole, and behind another that lost the first of them, though central has it."""
    van = home.laptop()
    record = create(van)
    for phone in ("+6281200000004", "+6281200000005"):
        change = van.change("edit", Body(set={FREE: phone}), record)
        van.append([msgspec.structs.replace(change, origin=(van.log, 9, b"h" * 8))])
        home.send(van)
    assert home.states(van)[3:] == ["applied", "merged"]
    found = home.record(record)
    assert found is not None
    assert found.units[FREE].value == "+6281200000004"
