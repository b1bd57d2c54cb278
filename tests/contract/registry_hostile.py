"""What a register withstands from a laptop whose key is good and whose program is not. Run like
registry_contract."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest

from models.changes import (
    Body,
    Change,
    Hole,
    OperatorEntry,
    Session,
    created_id,
    decode_change,
    encode,
    raw,
)
from models.ids import NUMBERS
from models.problems import Problem
from sync.identity import Identity, sign
from sync.logs import Entry, broken_at, next_head, session_message
from sync.messages import Batch
from sync.state import Wrote, values
from tests.contract.registry_home import (
    FREE,
    NOW,
    OTHER_VILLAGE,
    PROTECTED,
    SLUG,
    VILLAGE,
    Home,
    create,
    created,
    edit,
)
from tests.simulation.laptop import Laptop

DEEP = b"\x91" * 20_000 + b"\x90"
NIK = "8272032009900001"


def put(laptop: Laptop, data: bytes) -> int:
    """Any bytes as the laptop's next entry; gives its number."""
    entry = Entry(laptop.last + 1, data, next_head(laptop.log, laptop.head, data))
    laptop.entries.append(entry)
    return entry.seq


def said(home: Home, laptop: Laptop, seq: int) -> tuple[str, str]:
    """Outcome and problem of a stored entry."""
    with home.registry.read() as door:
        ((_, result),) = door.results(laptop.log, seq, seq)
    return result.state, result.problem


def replaced(change: Change, **about: Any) -> Change:
    return msgspec.structs.replace(change, **about)


# -- bytes that are no changes


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        DEEP,
        encode([*range(3)]),
        encode(Change("edit", bytes(16), 0, 1, "", 0, 2, 0, 0, 0, 1, 0, None, msgspec.Raw(DEEP))),
        encode(Change("edix", bytes(16), 0, 1, "", 0, 2, 0, 0, 0, 1, 0, None, raw({}))).replace(
            b"edix", b"\xff\xfe\xfd\xfc"
        ),
        encode(
            Change("edit", bytes(16), 0, 1, "", 0, 2, 0, 0, 0, 1, 0, None, raw({"reason": "edix"}))
        ).replace(b"edix", b"\xff\xfe\xfd\xfc"),
    ],
    ids=["empty", "never", "deep", "short", "deep-body", "not-utf8", "not-utf8-body"],
)
def test_bytes_that_are_no_change_are_refused_and_stop_nothing(home: Home, data: bytes) -> None:
    van = home.laptop()
    seq = put(van, data)
    record = create(van)
    assert home.send(van).log.seq == van.last
    assert said(home, van, seq) == ("refused", "change.malformed")
    assert home.record(record) is not None


@pytest.mark.parametrize(
    "value",
    [b"\xff\x00", msgspec.msgpack.Ext(7, b"x"), float("nan"), 1 << 63, [[[[[[[[[[[[]]]]]]]]]]]]],
    ids=["bytes", "ext", "nan", "huge", "nested"],
)
def test_a_value_that_no_form_can_hold_is_malformed(home: Home, value: Any) -> None:
    van = home.laptop()
    record = create(van)
    seq = edit(van, record, units={FREE: value})
    home.send(van)
    assert said(home, van, seq) == ("refused", "change.malformed")


@pytest.mark.parametrize("place", [(0, 1 << 40), (0, 65), (3, 1 << 40), (0, 0), (0, -1), (-1, 1)])
def test_a_place_in_no_transaction_is_refused_and_stops_nothing(
    home: Home, place: tuple[int, int]
) -> None:
    van = home.laptop()
    (entry,) = van.append([created(van, 1, place=place)])
    record = create(van, 2)
    assert home.send(van).log.seq == van.last
    assert said(home, van, entry.seq) == ("refused", "change.malformed")
    assert home.record(record) is not None


LONG = "".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(250))


@pytest.mark.parametrize("text", ["a\0b", LONG], ids=["nul", "long"])
def test_words_that_a_database_does_not_take_stop_nothing(home: Home, text: str) -> None:
    van = home.laptop()
    strange = put(van, encode(van.change(text, {})))
    service = put(van, encode(van.change("create", Body(), form=(text, 1))))
    record = create(van)
    home.send(van)
    home.send(van)
    assert said(home, van, strange)[0] == said(home, van, service)[0] == "waiting"
    named = edit(van, record, home.seq, {PROTECTED: {"name": text, "nik": text}, FREE: text})
    home.send(van)
    assert said(home, van, named)[0] == ("refused" if "\0" in text else "applied")
    assert home.send(van).log.seq == van.last


@pytest.mark.parametrize("name", ["at", "booted", "boot", "seen", "own", "grant", "session"])
@pytest.mark.parametrize("number", [-(1 << 63), (1 << 64) - 1])
def test_numbers_of_any_size_are_judged(home: Home, name: str, number: int) -> None:
    van = home.laptop()
    van.append([replaced(created(van), **{name: number})])
    assert home.send(van).log.seq == van.last


# -- batches and holes


@pytest.mark.parametrize("first", [0, -5, 1 << 62, 1 << 63])
def test_a_batch_from_nowhere_stores_nothing(home: Home, first: int) -> None:
    van = home.laptop()
    home.send(van)
    hole = Hole(1, first - 1, b"h" * 32, "rusak") if 0 < first < 1 << 63 else Hole(1, 1, b"", "")
    data = encode(van.change("hole", hole))
    with pytest.raises(Problem):
        home.ledger.store(van.log, Batch(first, b"h" * 8, b"h" * 8, [data]), NOW)
    with home.registry.read() as door:
        log = door.log(van.log)
    assert log is not None
    assert (log.seq, log.head) == (van.last, van.head)


def test_a_hole_never_takes_a_log_back(home: Home) -> None:
    """Nor one that was declared lost itself, and turns up on the disk of a copy."""
    van = home.laptop()
    home.send(van)
    lost = van.entries[-1].head
    head = next_head(van.log, lost, b"lost")
    stands = b""
    for seq, hole in ((6, Hole(3, 5, head, "rusak")), (4, Hole(3, 3, lost, "rusak"))):
        data = encode(van.change("hole", hole))
        after = next_head(van.log, hole.head, data)
        batch = Batch(seq, lost[:8], after[:8], [data])
        for _ in range(2):  # again is harmless
            log = home.ledger.store(van.log, batch, NOW).log
            stands = stands or log.head
            assert (log.seq, log.head) == (6, stands)
    with home.registry.read() as door:
        assert [seq for seq, _ in door.results(van.log, 1, 6)] == [1, 2, 4, 6]
        assert broken_at(van.log, van.opening_head, door.entries(van.log, 1, 6).values()) is None


# -- two laptops on one log


def clone_of(laptop: Laptop, upto: int) -> Laptop:
    """The same disk as it was after entry `upto`, in another machine."""
    twin = laptop.image()
    twin.entries = laptop.entries[:upto]
    return twin


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("cut", [5, 6])
def test_branches_of_two_clones_are_never_mixed(
    home: Home, order: tuple[int, int], cut: int
) -> None:
    """Both bring what lies beyond a gap (by stick, say); whoever closes it goes on alone, and the
    other branch is kept as a fork."""
    van = home.laptop()
    create(van, 1)
    twin = clone_of(van, 3)
    for number in (2, 3, 4):
        create(van, number)
        create(twin, 10 + number)
    both = van, twin
    for one in order:
        home.send(both[one], cut)
    home.send(van, 1, cut - 1)
    with home.registry.read() as door:
        stored = door.entries(van.log, 1, 99)
        assert [stored[n].data for n in sorted(stored)] == [e.data for e in van.entries]
        assert door.ahead(van.log) == []
        orders = door.orders(van.log)
        assert [kind for _, kind, _ in orders] == ["rotate"]
        forked = door.forks(van.log)
    assert {e.data for e in forked} == {e.data for e in twin.entries[cut - 1 :]}


def test_what_is_made_again_in_a_new_log_never_counts_twice(home: Home) -> None:
    van, village, later = home.laptop(), home.laptop(), home.laptop()
    record = create(van)
    edit(van, record, 0, {FREE: "+6281"})
    home.send(van)
    edit(village, record, home.seq, {FREE: "+6282"})
    home.send(village)
    again = van.entries[-1]
    change = replaced(decode_change(again.data), session=later.session)
    later.append([replaced(change, origin=(van.log, again.seq, again.digest[:8]))])
    home.send(later)
    assert said(home, later, later.last)[0] == "merged"
    found = home.record(record)
    assert found is not None
    assert found.units[FREE].value == "+6282"
    later.append([replaced(change, origin=(van.log, again.seq, b"12345678"))])
    home.send(later)
    assert home.record(record) != found


def test_what_was_made_again_before_it_came_counts_once(home: Home) -> None:
    """Of two copies of a laptop one makes an entry again in a new log, and so does the other; the
    entry itself comes last, by stick. Somebody wrote in between."""
    van, village = home.laptop(), home.laptop()
    record = create(van)
    home.send(van)
    seq = edit(van, record, home.seq, {FREE: "+6281"})
    tail = van.entries[-1]
    twins = (van.image(), van.image())
    for number, twin in enumerate(twins, 1):
        twin.number = 70 + number
        book = twin.open_book(twin.draw_identity(), (van.log, seq, van.head), "fork", 1)
        home.admit(twin.log_state(1), book.opening, twin.villages)
        twin.open_session()
        change = replaced(decode_change(tail.data), session=twin.session, own=None)
        twin.append([replaced(change, origin=(van.log, seq, tail.digest[:8]))])
    home.send(twins[0])
    edit(village, record, home.seq, {FREE: "+6282"})
    home.send(village)
    home.send(twins[1])
    home.send(van)
    assert said(home, twins[0], 3)[0] == "applied"
    assert said(home, twins[1], 3)[0] == said(home, van, seq)[0] == "merged"
    found = home.record(record)
    assert found is not None
    assert found.units[FREE].value == "+6282"


# -- units that are not what they say


@pytest.mark.parametrize("unit", ["status", "documents+KK", "reason:applicant.nik", "documents"])
def test_reserved_and_set_units_are_not_set(home: Home, unit: str) -> None:
    van = home.laptop()
    body = Body(number=2, set={unit: {"action": "approve", "to": "completed"}})
    edition = created(van).edition
    van.append([van.change("create", body, form=(SLUG, edition))])
    made = created_id(van.log, van.last, van.entries[-1].data)
    record = create(van)
    before = edit(van, record, units={unit: {"action": "approve", "to": "completed"}})
    home.send(van)
    assert said(home, van, before)[0] == "merged"
    found, fresh = home.record(record), home.record(made)
    assert found is not None
    assert fresh is not None
    assert "completed" not in str(found.units)
    assert "completed" not in str(fresh.units)


@pytest.mark.parametrize("kind", ["create", "edit"])
def test_elements_go_into_sets_only(home: Home, kind: str) -> None:
    """Else an element would stand in the place of a protected value."""
    van = home.laptop()
    body = Body(number=1, set=dict(created_units(van)), add={PROTECTED: ["x"], "status": ["y"]})
    edition = created(van).edition
    record = create(van)
    if kind == "edit":
        van.append([van.change("edit", Body(add=body.add, remove={PROTECTED: ["name"]}), record)])
    else:
        van.append([van.change("create", body, form=(SLUG, edition))])
        record = created_id(van.log, van.last, van.entries[-1].data)
    home.send(van)
    found = home.record(record)
    assert found is not None
    assert isinstance(values(found)[PROTECTED], dict)
    assert not [unit for unit in found.units if unit.startswith((PROTECTED + "+", "status+"))]


def created_units(van: Laptop) -> dict[str, Any]:
    body = msgspec.msgpack.decode(created(van).body)
    found: dict[str, Any] = body["set"]
    return found


def test_a_reason_written_over_somebody_elses_is_kept_with_its_loser(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    record = create(van)
    home.send(van)
    for laptop, text in ((van, "lama"), (village, "baru")):
        laptop.append([laptop.change("edit", Body(reasons={"applicant.nik": text}), record)])
        home.send(laptop)
    wrote = [e for d in home.pulled(van) for e in d.effects if isinstance(e, Wrote)]
    assert [e.lost.value for e in wrote if e.lost is not None] == ["lama"]


def test_nothing_is_written_to_a_request_that_is_over(home: Home) -> None:
    van = home.laptop()
    record = create(van)
    home.send(van)
    body = Body(action="withdraw", move=("received", "cancelled"), reason="batal")
    van.append([van.change("edit", body, record)])
    van.append([van.change("edit", Body(reasons={"applicant.nik": "baru"}), record)])
    home.send(van)
    found = home.record(record)
    assert found is not None
    assert found.status == "cancelled"
    assert "reason:applicant.nik" not in found.units


# -- in whose name


@pytest.mark.parametrize("number", [-1, NUMBERS, 1 << 62, (1 << 64) - 1])
def test_a_number_outside_the_block_is_no_tracking_code(home: Home, number: int) -> None:
    van = home.laptop()
    record = create(van, number)
    home.send(van)
    found = home.record(record)
    assert found is not None
    assert found.code is None
    assert [home.case(case).kind for case in found.cases] == ["code"]


STRANGE = Body(
    set={FREE: "+628120000"},
    add={"documents": ["IJAZAH"]},
    reasons={"applicant.nik": "asing"},
    action="withdraw",
    move=("received", "cancelled"),
)


def test_a_laptop_writes_only_to_what_is_in_its_scope(home: Home) -> None:
    van, stranger = home.laptop(), home.laptop(OTHER_VILLAGE)
    record = create(van)
    home.send(van)
    before = home.record(record)
    change = stranger.change("edit", STRANGE, record)
    stranger.append([replaced(change, seen=home.seq)])
    home.send(stranger)
    assert said(home, stranger, stranger.last)[0] == "held"
    after = home.record(record)
    assert before is not None
    assert after is not None
    assert (after.units, after.status) == (before.units, "received")


def test_what_was_made_before_the_villages_changed_is_applied(home: Home) -> None:
    van, helper = home.laptop(), home.laptop(VILLAGE, OTHER_VILLAGE)
    record = create(van)
    home.send(van)
    home.send(helper)
    edit(helper, record, home.seq, {FREE: "+628120000"})
    give_villages(home, helper, OTHER_VILLAGE)
    home.send(helper)
    assert said(home, helper, helper.last)[0] == "applied"


def give_villages(home: Home, laptop: Laptop, *villages: str) -> None:
    registry: Any = home.registry
    if hasattr(registry, "devices"):
        registry.devices[laptop.device] = villages
        return
    with registry.write() as door:
        door.keep_device(msgspec.structs.replace(door.device(laptop.device), villages=villages))


def test_a_stranger_may_not_write_before_the_request_is_there_either(home: Home) -> None:
    van, stranger = home.laptop(), home.laptop(OTHER_VILLAGE)
    record = create(van)
    stranger.append([stranger.change("edit", STRANGE, record)])
    home.send(stranger)
    home.send(van)
    assert said(home, stranger, stranger.last)[0] == "held"
    found = home.record(record)
    assert found is not None
    assert found.units[FREE].log == van.log
    assert found.status == "received"


@pytest.mark.parametrize("name", [b"", b"short", b"x" * 17])
def test_an_edit_of_no_request_is_malformed(home: Home, name: bytes) -> None:
    van = home.laptop()
    seq = edit(van, name, units={FREE: "+628120000"})
    home.send(van)
    assert said(home, van, seq) == ("refused", "change.malformed")


def test_a_forged_origin_takes_neither_code_nor_request(home: Home) -> None:
    van, thief = home.laptop(), home.laptop()
    wanted = b"R" * 16
    thief.append([replaced(created(thief, 7), record=wanted, origin=(van.log, 3, b"12345678"))])
    home.send(thief)
    assert said(home, thief, thief.last) == ("refused", "change.unauthorised")
    assert home.record(wanted) is None
    record = create(van, 7)
    home.send(van)
    found = home.record(record)
    assert found is not None
    assert found.code is not None
    thief.append([replaced(created(thief, 8), record=record, origin=(thief.log, 3, b"12345678"))])
    home.send(thief)
    assert said(home, thief, thief.last) == ("refused", "change.unauthorised")


def test_an_author_cannot_have_seen_the_future(home: Home) -> None:
    van, village = home.laptop(), home.laptop()
    record = create(van)
    home.send(van)
    edit(van, record, home.seq, {PROTECTED: {"name": "SATU"}})
    home.send(van)
    seq = edit(village, record, home.seq + 1000, {PROTECTED: {"name": "DUA"}})
    home.send(village)
    assert said(home, village, seq)[0] == "held"


def test_what_a_person_releases_late_does_not_undo_what_its_author_did_since(home: Home) -> None:
    van = home.laptop()
    record = create(van)
    home.send(van)
    limit(home, van, van.last)
    edit(van, record, home.seq, {PROTECTED: {"name": "LAMA"}})
    home.send(van)
    limit(home, van, None)
    edit(van, record, home.seq, {PROTECTED: {"name": "BARU"}})
    home.send(van)
    with home.registry.read() as door:
        results = dict(door.results(van.log, 1, 99))
    home.resolve(results[van.last - 1].case, "release")
    found = home.record(record)
    assert found is not None
    assert found.units[PROTECTED].value == {"name": "BARU"}


def test_a_parked_change_has_not_seen_what_was_decided_since(home: Home) -> None:
    """Its `seen` was a number to come when it was parked, and is an old one when it is released."""
    van, village = home.laptop(), home.laptop()
    record = create(van)
    home.send(van)
    home.send(village)
    limit(home, van, van.last)
    ahead = home.seq + 4
    edit(van, record, ahead, {PROTECTED: {"name": "PALSU"}})
    home.send(van)
    for name in ("SATU", "DUA", "TIGA"):
        edit(village, record, home.seq, {PROTECTED: {"name": name}})
        home.send(village)
    assert home.seq == ahead, "or this shows nothing"
    with home.registry.read() as door:
        ((_, parked),) = door.results(van.log, van.last, van.last)
    home.resolve(parked.case, "release")
    found = home.record(record)
    assert found is not None
    assert found.units[PROTECTED].value == {"name": "TIGA"}
    assert said(home, van, van.last)[0] == "held"


def limit(home: Home, laptop: Laptop, upto: int | None) -> None:
    """Up to which entry the log is judged without a person."""
    with home.registry.write() as door:
        door.keep_log_state(laptop.log, "active", upto)  # type: ignore[attr-defined]


def test_a_release_that_fails_writes_nothing(home: Home) -> None:
    van = home.laptop()
    record = create(van)
    home.send(van)
    limit(home, van, van.last)
    body = Body(set={FREE: "+628129"}, action="approve", move=("received", "completed"))
    van.append([van.change("edit", body, record)])
    home.send(van)
    with home.registry.read() as door:
        ((_, result),) = door.results(van.log, van.last, van.last)
    home.resolve(result.case, "release")
    assert said(home, van, van.last)[0] == "rejected"
    found = home.record(record)
    assert found is not None
    assert FREE not in found.units or found.units[FREE].value != "+628129"


# -- operators and sessions


def other_session(van: Laptop, seed: bytes) -> Session:
    message = session_message(van.log, van.last + 1, van.head, van.operator)
    return Session(van.operator, sign(seed, message))


@pytest.mark.parametrize("removed", [False, True])
def test_nobody_takes_an_operators_name_over_with_another_key(home: Home, removed: bool) -> None:
    van = home.laptop()
    seed = b"s" * 32
    key = Identity(seed, seed).sign_key
    if removed:
        van.append([van.change("operator", OperatorEntry(van.operator, "Sari"))])
    van.append([van.change("operator", OperatorEntry(van.operator, "Sari", key))])
    taken = van.last
    van.append([van.change("session", other_session(van, seed))])
    home.send(van)
    assert said(home, van, taken) == ("refused", "change.unauthorised")
    assert said(home, van, van.last)[0] == "refused"


def test_nobody_works_on_in_a_session_from_before_they_were_removed(home: Home) -> None:
    van = home.laptop()
    record = create(van)
    before = edit(van, record, units={FREE: "+628111"})
    waits = edit(van, b"L" * 16, units={FREE: "+628112"})
    van.append([van.change("operator", OperatorEntry(van.operator, "Sari"))])
    after = edit(van, record, units={FREE: "+628113"})
    home.send(van)
    assert said(home, van, before)[0] == "applied"
    assert said(home, van, waits)[0] == "waiting", "made before, whenever it is judged"
    assert said(home, van, after) == ("refused", "session.removed")
    again = edit(van, record, units={FREE: "+628114"})
    home.send(van)
    assert said(home, van, again) == ("refused", "session.removed")
    found = home.record(record)
    assert found is not None
    assert found.units[FREE].value == "+628111"


def test_an_operator_may_be_named_again(home: Home) -> None:
    van = home.laptop()
    key = Identity(van.operator_seed, van.operator_seed).sign_key
    van.append([van.change("operator", OperatorEntry(van.operator, "Sari", key))])
    home.send(van)
    assert said(home, van, van.last) == ("applied", "")


def test_a_refused_transaction_leaves_no_operator_behind(home: Home) -> None:
    van = home.laptop()
    guest, seed = b"G" * 16, b"g" * 32
    entry = OperatorEntry(guest, "Tamu", Identity(seed, seed).sign_key)
    first = van.change("operator", entry, place=(0, 2))
    second = van.change("edit", 5, bytes(16), place=(1, 2))
    van.append([first, second])
    home.send(van)
    with home.registry.read() as door:
        log = door.log(van.log)
    assert log is not None
    assert set(log.operators) == {van.operator}


# -- what others are told


def test_a_duplicate_elsewhere_is_not_named_to_a_laptop(home: Home) -> None:
    """Law: scope. A laptop hears that its own request has a twin, not which."""
    van, stranger = home.laptop(), home.laptop(OTHER_VILLAGE)
    mine = create(van, 1, NIK)
    home.send(van)
    theirs = create(stranger, 2, NIK)
    home.send(stranger)
    told = home.told(van)
    assert mine in home.shown(van).records
    assert theirs not in b"".join(map(encode, told))
    assert home.shown(van).records[mine].cases
    (case,) = home.shown(van).records[mine].cases
    home.resolve(case, "separate")
    assert theirs not in b"".join(map(encode, home.told(van)))
    assert home.shown(van).records[mine].cases == []
