"""What people at central look up: lists, histories, evidence; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.changes import Body, Choice
from models.people import Role
from server.database.lists import Confirmation
from server.database.people import Session
from server.database.registry import Door, Person, Registry
from server.database.reports import ALWAYS
from server.reports import Asked
from sync.state import Created, Moved, Outcome, Proposed
from tests.blank import lay
from tests.contract.registry_home import (
    CENTRAL,
    FREE,
    NOW,
    OTHER_VILLAGE,
    PROTECTED,
    VILLAGE,
    Home,
    create,
    database_home,
    edit,
    filled,
)

NIK = "8272032009900001"
CITIES = iter(range(100, 200))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    url = f"sqlite:///{lay(tmp_path).as_posix()}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_module_url")
    made = database_home(url, f"91.{next(CITIES)}")
    yield made
    registry_of(made).close()


def registry_of(home: Home) -> Registry:
    assert isinstance(home.registry, Registry)
    return home.registry


def test_lists_are_paged_by_arrival_and_filtered(home: Home) -> None:
    van, village = home.laptop(VILLAGE), home.laptop(OTHER_VILLAGE)
    here = [create(van, n, f"82720320099000{n:02}") for n in range(1, 8)]
    there = [create(village, n, f"82720320099100{n:02}") for n in range(1, 4)]
    home.send(van)
    home.send(village)
    home.write("edit", here[0], Body(action="take", move=("received", "in_verification")))
    with registry_of(home).read() as door:
        pages, after = [], None
        while page := door.requests(after=after, limit=4):
            pages.append([line.id for line in page])
            after = page[-1].id
        assert pages == [here[:4], here[4:] + there[:1], there[1:]]
        assert [line.id for line in door.requests(village=OTHER_VILLAGE)] == there
        assert [line.id for line in door.requests(status="in_verification")] == here[:1]
        assert [line.id for line in door.requests(status=("received",), village=VILLAGE)] == here[
            1:
        ]
        assert door.requests(service="birth") == []
        assert len(door.requests(service="ktp-new-enrolment")) == 10
        assert door.counts().requests == {"received": 9, "in_verification": 1}
        line = door.request_line(here[0])
    assert line is not None
    assert (line.status, line.village, line.device) == ("in_verification", VILLAGE, van.device)
    assert (line.block, line.number, line.created, line.created_at) == (1, 1, 3, NOW)
    assert line.changed > line.created


def test_people_are_found_by_name_and_by_number(home: Home) -> None:
    van = home.laptop()
    one, two = create(van, 1, NIK), create(van, 2, "8272032009900002")
    home.send(van)
    named = {**filled(nik="8272032009900002")[PROTECTED], "name": "Siti Nur'aini 100%"}
    edit(van, two, home.seq, {PROTECTED: named})
    home.send(van)
    with registry_of(home).read() as door:
        assert [line.id for line in door.requests(text=NIK)] == [one]
        assert [line.id for line in door.requests(text="nur`AINI")] == [two]
        assert [line.id for line in door.requests(text="100%")] == [two]
        assert door.requests(text="1_0") == []
        assert door.requests(text="82720320099000") == []


def test_a_request_is_found_by_its_code_and_the_beginning_of_its_id(home: Home) -> None:
    van = home.laptop()
    record = create(van, 77, NIK)
    home.send(van)
    with registry_of(home).read() as door:
        assert door.record_by_code(1, 77) == record
        assert door.record_by_code(1, 78) is None
        assert door.record_by_code(2, 77) is None
        assert door.record_ids(record.hex()[:8]) == [record]
        assert door.record_ids(record.hex()[:9]) == [record]
        assert door.record_ids(record.hex()) == [record]
        assert door.record_ids("0" * 20) == []


def test_a_history_is_every_decision_that_touched_the_request(home: Home) -> None:
    van = home.laptop()
    record, other = create(van, 1, NIK), create(van, 2, "8272032009900002")
    home.send(van)
    edit(van, record, home.seq, {FREE: "+6281200000005"})
    home.send(van)
    home.write("edit", record, Body(action="take", move=("received", "in_verification")))
    with registry_of(home).read() as door:
        history = door.history(record)
        assert [d.server_seq for d in history] == [3, 5, 6]
        assert isinstance(history[0].effects[0], Created)
        assert isinstance(history[-1].effects[0], Moved)
        assert history[-1].actor == "nur"
        entries = [door.entry(*one) for one in ((van.log, 3), (van.log, 5), (CENTRAL, 1))]
        assert [e.decided for e in entries if e is not None] == [3, 5, 6]
        assert [d.server_seq for d in door.history(other)] == [4]
        assert door.decision(5) == history[1]
        assert door.decision(99) is None
        assert (door.moment(0), door.moment(5), door.moment(99)) == (None, NOW, NOW)


def test_a_history_shows_what_one_person_proposed(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    record = create(van, 1, NIK)
    home.send(van)
    for laptop, name in ((van, "SATU"), (village, "DUA")):
        edit(laptop, record, 3, {PROTECTED: {"name": name}})
        home.send(laptop)
    with registry_of(home).read() as door:
        (case,) = door.cases(kind="dispute")
    home.write("resolve", b"", Choice(case.id, "current", "sesuai KK", "propose", by="nur"))
    with registry_of(home).read() as door:
        last = door.history(record)[-1]
        assert [type(effect) for effect in last.effects] == [Proposed, Outcome]
        assert last.server_seq == home.seq


def test_an_entry_is_evidence_with_its_bytes_and_the_hour_it_arrived(home: Home) -> None:
    van = home.laptop()
    create(van)
    home.send(van)
    with registry_of(home).read() as door:
        entry = door.entry(van.log, 3)
        assert door.entry(van.log, 4) is None
        people = door.operators(van.log)
    assert entry is not None
    assert (entry.data, entry.head) == (van.entries[2].data, van.entries[2].head)
    assert (entry.received_at, entry.result.state, entry.decided) == (NOW, "applied", 3)
    assert [person.name for person in people.values()] == ["Sari"]


def test_cases_are_listed_and_counted(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    one, two = create(van, 1, NIK), create(village, 1, NIK)
    home.send(van)
    home.send(village)
    with registry_of(home).read() as door:
        (case,) = door.cases()
        assert (case.kind, {case.record, *case.others}) == ("duplicate", {one, two})
        assert door.cases(kind="fork") == door.cases(state="closed") == []
        assert door.cases(kind="duplicate", state=None) == [case]
        assert door.cases(after=case.id) == []
        assert door.case_ids(case.id.hex()[:8]) == [case.id]
        assert door.counts().cases == {"duplicate": 1}
        assert [line.cases for line in door.requests()] == [1, 1]
        assert len(door.requests(with_cases=True)) == 2
    home.resolve(case.id, "separate")
    with registry_of(home).read() as door:
        assert door.cases() == []
        assert [(c.id, c.state) for c in door.cases(state=None)] == [(case.id, "closed")]
        assert door.counts().cases == {}
        assert door.requests(with_cases=True) == []
        assert len(door.requests(with_cases=False)) == 2


def test_what_waits_is_counted_and_listed(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    record = create(van)
    edit(village, record, units={FREE: "+6281200000005"})
    home.send(village)
    with registry_of(home).read() as door:
        assert door.waiting() == [(record, village.log, 3)]
        assert door.counts().waiting == 1


def test_a_step_waits_for_its_second_person(home: Home) -> None:
    record = b"r" * 16
    step = Confirmation("reject", "in_verification", "tidak lengkap", "nur", NOW)
    with registry_of(home).write() as door:
        door.keep_confirmation(record, step)
        door.keep_confirmation(record, step)
    with registry_of(home).write() as door:
        assert door.confirmation(record) == step
        door.drop_confirmation(record)
        assert door.confirmation(record) is None


def test_people_and_their_sessions(home: Home) -> None:
    registry = registry_of(home)
    rina = Person("rina", "Rina Hamid", str(Role.VERIFIER), "$argon2id$...")
    with registry.write() as door:
        door.keep_person(rina)
        door.keep_person(Person("adi", "Adi", "admin", "x", active=False))
        for token, login, until in ((b"1", "rina", 10), (b"2", "rina", 99), (b"3", "adi", 99)):
            door.keep_session(Session(token * 32, login, until))
    with registry.write() as door:
        assert [person.login for person in door.people()] == ["adi", "rina"]
        assert door.person("rina") == rina
        assert door.person("nobody") is None
        door.keep_person(Person("rina", "Rina H.", "supervisor", "y", failures=2, locked_until=5))
        assert door.drop_old_sessions(10) == 1
        assert door.session(b"1" * 32) is None
        assert door.session(b"2" * 32) == Session(b"2" * 32, "rina", 99)
        door.drop_session(b"3" * 32)
        door.drop_sessions_of("rina")
        assert door.session(b"2" * 32) is door.session(b"3" * 32) is None
        changed = door.person("rina")
    assert changed == Person("rina", "Rina H.", "supervisor", "y", True, 2, 5)


def test_laptops_are_kept_with_their_logs_and_calls(home: Home) -> None:
    registry = registry_of(home)
    van = home.laptop(VILLAGE, OTHER_VILLAGE)
    home.send(van)
    with registry.write() as door:
        door.heard(van.log, NOW + 5, "2026.11.0", NOW - 60, 2)
        door.keep_log_state(van.log, "suspended", 2)
    with registry.read() as door:
        device = door.device(van.device)
        assert device is not None
        assert door.device_named(device.name) == device
        assert door.devices() == [device]
        assert device.villages == (VILLAGE, OTHER_VILLAGE)
        (log,) = door.logs(van.device)
        assert (log.id, log.state, log.limit, log.seq) == (van.log, "suspended", 2, 2)
        (call,) = door.calls()
        assert (call.at, call.clock, call.build, call.cursor) == (NOW + 5, NOW - 60, "2026.11.0", 2)
        assert door.escrow(van.log) == b"escrow"
    create(van)
    home.send(van, 3)
    assert home.states(van)[2] == "held"


def test_no_block_is_given_twice(home: Home) -> None:
    registry = registry_of(home)
    with registry.write() as door:
        first = door.next_block()
    with pytest.raises(ZeroDivisionError), registry.write() as door:
        spent(door)
    with registry.write() as door:
        assert door.next_block() == first + 1


def spent(door: Door) -> None:
    door.next_block()
    raise ZeroDivisionError


def test_a_write_within_a_write_is_undone_alone(home: Home) -> None:
    registry = registry_of(home)
    van = home.laptop()
    record = create(van)
    home.send(van)
    before = home.seq
    taken = Body(action="take", move=("received", "in_verification"))
    with registry.write() as door:
        door.audit("nur", "request.read", "one", {}, NOW)
        with pytest.raises(ZeroDivisionError), registry.write() as inner:
            undone(home, inner, record, taken)
        assert door.standing().server_seq == before
        home.write("edit", record, taken)
        door.audit("nur", "request.take", "three", {}, NOW)
    with registry.read() as door:
        assert [entry.target for entry in door.trail()] == ["one", "three"]
        assert door.standing().server_seq == before + 1
        assert door.verify().broken == ()


def undone(home: Home, door: Door, record: bytes, body: Body) -> None:
    home.write("edit", record, body)
    door.audit("nur", "request.take", "two", {}, NOW)
    raise ZeroDivisionError


def test_a_list_without_a_last_day_has_its_end_where_any_language_sorts_it() -> None:
    """A PostgreSQL of Indonesian or English has "~" before all digits; only theirs is one order."""
    assert ALWAYS.isdigit()
    assert ALWAYS > "2999-12-31T23"
    assert Asked("open").last == ALWAYS


def test_what_is_left_by_an_error_is_written_not_at_all(home: Home) -> None:
    registry = registry_of(home)
    van = home.laptop()
    record = create(van)
    home.send(van)
    before = home.seq
    taken = Body(action="take", move=("received", "in_verification"))
    with pytest.raises(ZeroDivisionError), registry.write() as door:
        undone(home, door, record, taken)
    with registry.read() as door:
        assert (door.standing().server_seq, door.trail()) == (before, [])
        assert door.verify().broken == ()
