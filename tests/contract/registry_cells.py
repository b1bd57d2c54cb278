"""What a register promises about villages: requests that move between them, laptops whose villages
change. The third part of its contract, used like `registry_contract`."""

from __future__ import annotations

from typing import Any

import msgspec

from models.changes import Choice
from server.ledger import Door
from server.reception import Reception
from sync import messages
from sync.digest import MODULUS, face, weight
from sync.identity import Identity
from sync.known import Needs
from sync.messages import Branch, Request
from sync.state import Left, Placed, Whole
from tests.contract.registry_home import (
    EVERYTHING,
    FREE,
    GROUP,
    NOW,
    OTHER_VILLAGE,
    PROTECTED,
    VILLAGE,
    Home,
    create,
    edit,
    filled,
)
from tests.simulation.laptop import Laptop

FAR = "82.72.01.2001"


def address(village: str) -> dict[str, Any]:
    return {GROUP: {**filled()[GROUP], "village": village}}


def move(home: Home, van: Laptop, record: bytes, village: str) -> None:
    """An edit that puts the request into another village, sent."""
    first = van.last + 1
    edit(van, record, home.seq, address(village))
    home.send(van, first)


def effects(home: Home, laptop: Laptop, after: int, kind: type) -> list[Any]:
    return [e for d in home.told(laptop, after) for e in d.effects if isinstance(e, kind)]


def test_a_request_that_moves_is_dropped_by_the_old_village_and_comes_whole_to_the_new(
    home: Home,
) -> None:
    van, old, new = home.laptop(FAR), home.laptop(VILLAGE), home.laptop(OTHER_VILLAGE)
    record = create(van, village=VILLAGE)
    home.send(van)
    edit(old, record, units={PROTECTED: {"name": "LAIN"}})
    home.send(old)  # a dispute is open while it moves
    before = home.seq
    assert home.shown(new).records == {}
    move(home, van, record, OTHER_VILLAGE)
    (placed,) = effects(home, van, before, Placed)
    assert (placed.village, placed.before) == (OTHER_VILLAGE, VILLAGE)
    assert effects(home, old, before, Left) == [Left(record)]
    assert effects(home, old, before, Whole) == []
    assert record not in home.shown(old).records
    (whole,) = effects(home, new, before, Whole)
    assert whole.cell == VILLAGE
    shown = home.shown(new)
    assert shown.records == {record: home.record(record)}
    assert set(shown.cases) == set(home.record(record).disputes.values())  # type: ignore[union-attr]
    assert home.shown(van).records[record] == home.record(record)
    with home.registry.read() as door:
        assert door.visible(door.scope(old.device), [record]) == set()
        assert door.visible(door.scope(new.device), [record]) == {record}


def test_nothing_of_a_request_is_told_to_a_village_it_has_left(home: Home) -> None:
    """Not even what was decided while it was there, to a laptop that reads only now."""
    van, old = home.laptop(FAR), home.laptop(VILLAGE)
    record = create(van, village=VILLAGE)
    home.send(van)
    move(home, van, record, OTHER_VILLAGE)
    told = [e for d in home.told(old) for e in d.effects]
    assert told == [Left(record)]


def test_a_request_that_comes_back_is_whole_again(home: Home) -> None:
    van, old, new = home.laptop(FAR), home.laptop(VILLAGE), home.laptop(OTHER_VILLAGE)
    record = create(van, village=VILLAGE)
    home.send(van)
    move(home, van, record, OTHER_VILLAGE)
    move(home, van, record, VILLAGE)
    assert home.shown(old).records == {record: home.record(record)}
    assert home.shown(new).records == {}


def test_in_one_parcel_or_in_many_a_request_ends_in_the_same_village(home: Home) -> None:
    van, twin = home.laptop(FAR), home.laptop(FAR)
    new = home.laptop(OTHER_VILLAGE)
    for laptop, size in ((van, 99), (twin, 1)):
        record = create(laptop, laptop.number, village=VILLAGE)
        edit(laptop, record, units=address(OTHER_VILLAGE))
        edit(laptop, record, units={FREE: "081200000000"})
        for first in range(1, laptop.last + 1, size):
            home.send(laptop, first, first + size - 1)
        assert home.shown(new).records[record] == home.record(record)


def test_a_village_is_filled_in_pages_that_meet_without_a_gap(home: Home) -> None:
    van = home.laptop(FAR)
    records = [create(van, n, f"82720320099000{n:02}", village=VILLAGE) for n in range(1, 8)]
    create(van, 9, village=OTHER_VILLAGE)
    home.send(van)
    found: list[Whole] = []
    mark, done, pages = 0, False, 0
    while not done:
        with home.registry.read() as door:
            wholes, mark, done = door.fill(VILLAGE, mark, 1500)
        assert wholes or done
        found += wholes
        pages += 1
    assert pages > 2
    assert [whole.state.id for whole in found] == records
    assert all(whole.state == home.record(whole.state.id) for whole in found)
    assert {whole.cell for whole in found} == {VILLAGE}


def test_before_a_decision_a_request_is_what_it_was_then(home: Home) -> None:
    van = home.laptop(VILLAGE)
    record = create(van)
    home.send(van)
    then, number = home.record(record), home.seq + 1
    move(home, van, record, OTHER_VILLAGE)
    with home.registry.read() as door:
        whole = door.whole_before(record, number)
        assert whole == Whole(then, (), VILLAGE)  # type: ignore[arg-type]
        assert door.whole_before(record, 1) is None


# -- with the exchange of the laptop


def rescope(home: Home, laptop: Laptop, *villages: str) -> None:
    """Central gives the laptop other villages."""
    registry: Any = home.registry
    if hasattr(registry, "numbers"):
        registry.devices[laptop.device] = villages
        registry.numbers[laptop.device] = registry.numbers.get(laptop.device, 1) + 1
        return
    with registry.write() as door:
        device = door.device(laptop.device)
        more = {"villages": villages, "scope_no": device.scope_no + 1}
        door.keep_device(msgspec.structs.replace(device, **more))


def sync(home: Home, laptop: Laptop, budget: int = 1 << 20) -> int:
    """One whole exchange by plain messages; gives how many round trips it took. Laws 12 and 15 are
    looked at after every step that is one commit."""
    central = Identity(b"c" * 32, b"s" * 32)
    reception = Reception(home.registry, home.ledger, central, lambda: NOW)
    exchange = laptop.exchange()
    trips = 0
    while not exchange.finished:
        data = exchange.request(laptop.pending(exchange.next_entry, 50), NOW)
        request = messages.decode(data, Request)
        cut = msgspec.structs.replace(request, budget=min(budget, request.budget))
        reply, pages = reception.respond(laptop.log, cut, messages.name_of(data))
        for step in exchange.receive(reply, messages.encode(reply), pages, []):
            laptop.apply(step)
        trips += 1
        assert trips < 50
    return trips


def in_scope(home: Home, laptop: Laptop) -> dict[bytes, Any]:
    """What the laptop ought to hold: central's own word."""
    door: Door
    with home.registry.read() as door:
        scope = door.scope(laptop.device)
        cells = (*scope.villages, *([FAR, VILLAGE, OTHER_VILLAGE]))
        wholes = {w.state.id: w.state for cell in cells for w in door.fill(cell, 0, 1 << 30)[0]}
        seen = door.visible(scope, wholes)
    return {name: record for name, record in wholes.items() if name in seen}


def test_a_laptop_with_a_new_village_is_filled_while_the_rest_goes_on(home: Home) -> None:
    van, helper = home.laptop(VILLAGE), home.laptop(OTHER_VILLAGE)
    for n in range(1, 9):
        create(helper, n, f"82720320099001{n:02}")
    sync(home, helper)
    create(van, 20, "8272032009900201")
    assert sync(home, van) == 1
    assert sync(home, van) == 1, "nothing new is one round trip"
    own = set(van.snapshot.records)
    rescope(home, van, VILLAGE, OTHER_VILLAGE)
    edit(helper, next(iter(helper.snapshot.records)), home.seq, {FREE: "081211111111"})
    sync(home, helper)
    assert sync(home, van, 1500) > 2, "the fill was cut into pages"
    assert len(van.snapshot.records) == len(own) + 8
    assert van.snapshot.records == in_scope(home, van)
    assert van.marks == {}
    late = create(helper, 30, "8272032009900301")
    sync(home, helper)
    assert sync(home, van) == 1
    assert late in van.snapshot.records


def test_what_is_created_and_changed_during_a_fill_is_not_missed(home: Home) -> None:
    van, helper = home.laptop(VILLAGE), home.laptop(OTHER_VILLAGE)
    records = [create(helper, n, f"82720320099001{n:02}") for n in range(1, 9)]
    sync(home, helper)
    sync(home, van)
    rescope(home, van, OTHER_VILLAGE)
    central = Identity(b"c" * 32, b"s" * 32)
    reception = Reception(home.registry, home.ledger, central, lambda: NOW)
    for round_ in range(30):
        exchange = van.exchange()
        data = exchange.request([], NOW)
        request = msgspec.structs.replace(messages.decode(data, Request), budget=1500)
        reply, pages = reception.respond(van.log, request, messages.name_of(data))
        for step in exchange.receive(reply, b"", pages, []):
            van.apply(step)
        if round_ < 8:  # the early ones are filled by now, the late ones are not
            edit(helper, records[7 - round_], home.seq, {FREE: f"08121111{round_:04}"})
            create(helper, 40 + round_, f"82720320099004{round_:02}")
            sync(home, helper)
    assert van.marks == {}
    assert van.snapshot.records == in_scope(home, van)


def test_leaving_a_village_drops_it_within_one_sync_but_for_own_requests(home: Home) -> None:
    van, helper = home.laptop(VILLAGE, OTHER_VILLAGE), home.laptop(OTHER_VILLAGE)
    own = create(van, 1, "8272032009900101", village=OTHER_VILLAGE)
    there = create(helper, 2, "8272032009900102")
    sync(home, helper)
    sync(home, van)
    sync(home, van)
    assert set(van.snapshot.records) == {own, there}
    # Made before the change is heard, about what is about to leave: decided and told all the same.
    number = edit(van, there, home.seq, {FREE: "081233334444"})
    rescope(home, van, VILLAGE)
    sync(home, van)
    assert set(van.snapshot.records) == {own}
    names: tuple[Any, ...] = (number, (van.log, number))
    assert [told.state for name, told in van.told.items() if name in names] == ["applied"]
    assert home.record(there).units[FREE].value == "081233334444"  # type: ignore[union-attr]
    assert sync(home, van) == 1


def test_an_older_scope_changes_nothing(home: Home) -> None:
    van = home.laptop(VILLAGE)
    create(van, 1)
    sync(home, van)
    rescope(home, van, VILLAGE, FAR)
    sync(home, van)
    villages = van.villages
    van.scope += 5  # as if central had been put back to before it said so
    rescope(home, van, OTHER_VILLAGE)
    assert sync(home, van) == 1
    assert van.villages == villages


def sums_of(home: Home, *laptops: Laptop) -> dict[bytes, int]:
    """What cells add up to, reckoned from what laptops are shown."""
    found: dict[bytes, int] = {}
    seen: set[tuple[bytes, bytes]] = set()
    for laptop in laptops:
        state = home.shown(laptop)
        for record in state.records.values():
            with home.registry.read() as door:
                village = door.load(Needs(records={record.id})).villages[record.id]
            for cell in (record.device, village.encode()):
                if (cell, record.id) not in seen:
                    seen.add((cell, record.id))
                    one = weight(cell, face(record, state.cases))
                    found[cell] = (found.get(cell, 0) + one) % MODULUS
    return {cell: number for cell, number in found.items() if number}


def test_cells_add_up_to_what_laptops_are_shown_whatever_happens_to_them(home: Home) -> None:
    van, old, new = home.laptop(FAR), home.laptop(VILLAGE), home.laptop(OTHER_VILLAGE)
    cells = [van.device, old.device, VILLAGE.encode(), OTHER_VILLAGE.encode(), FAR.encode()]
    history: list[tuple[int, dict[bytes, int]]] = []

    def check() -> None:
        with home.registry.read() as door:
            kept = door.sums(cells, home.seq)
        assert {c: n for c, n in kept.items() if n} == sums_of(home, van, old, new)
        history.append((home.seq, {c: n for c, n in kept.items() if n is not None}))

    check()
    record = create(van, village=VILLAGE)
    create(van, 2, "8272032009900002", village=OTHER_VILLAGE)
    create(van, 3, "8272032009900003", village=VILLAGE)
    home.send(van)
    check()
    edit(old, record, units={PROTECTED: {"name": "LAIN"}})
    home.send(old)
    check()
    edit(old, record, units={PROTECTED: {"name": "BEDA"}})  # an offer more, nothing else
    home.send(old, 4)
    check()
    move(home, van, record, OTHER_VILLAGE)
    check()
    (case,) = home.record(record).disputes.values()  # type: ignore[union-attr]
    home.resolve(case, "current", step="propose")
    check()
    home.write("resolve", b"", Choice(case, "", "benar", "approve", by="idham"))
    check()
    move(home, van, record, VILLAGE)
    check()
    assert len({number for _, sums in history for number in sums.values()}) > 8
    if home.again is None:
        return  # in memory only the newest is reckoned
    with home.registry.read() as door:
        for number, sums in history:
            assert door.sums(cells, number) == sums
        assert door.sums([van.device], history[1][0] - 1) == {van.device: None}


def test_sums_hold_beyond_what_a_double_counts(home: Home) -> None:
    """Numbers pass 2^53 after some sixty restores."""
    van, old = home.laptop(FAR), home.laptop(VILLAGE)
    create(van, village=VILLAGE)
    home.send(van)
    with home.registry.write() as door:
        now = door.standing()
        branch = Branch(b"n" * 16, now.incarnation, now.server_seq, now.head[:8], 1 << 54)
        door.restored(branch, now.head, NOW, 0)  # type: ignore[attr-defined]
    for n in (2, 3):
        create(van, n, f"827203200990000{n}", village=VILLAGE)
        home.send(van, van.last)
        with home.registry.read() as door:
            kept = door.sums([van.device, VILLAGE.encode()], home.seq)
        assert kept == sums_of(home, van, old)
    assert home.seq == (1 << 54) + 2
    with home.registry.write() as door:
        door.heard(van.log, NOW, "1", NOW, home.seq)
        assert door.heard_cursor(van.log) == home.seq  # type: ignore[attr-defined]


def test_sums_begin_where_none_were_kept(home: Home) -> None:
    """A register from before: what is there is reckoned with the next decision."""
    van, old = home.laptop(FAR), home.laptop(VILLAGE)
    create(van, village=VILLAGE)
    home.send(van)
    if home.again is not None:
        with home.registry.write() as door:
            rows = [{"total": None}]
            door.update(door.cells_table, [], rows)  # type: ignore[attr-defined]
        with home.registry.read() as door:
            assert door.sums([van.device], home.seq) == {van.device: None}
    create(van, 2, "8272032009900002", village=VILLAGE)
    home.send(van, van.last)
    with home.registry.read() as door:
        kept = door.sums([van.device, VILLAGE.encode()], home.seq)
    assert kept == sums_of(home, van, old)


def test_the_requests_a_laptop_took_in_are_told_whole_wherever_they_are(home: Home) -> None:
    van = home.laptop(FAR)
    records = [
        create(van, n, f"82720320099000{n:02}", village=village)
        for n, village in enumerate((VILLAGE, OTHER_VILLAGE, FAR), 1)
    ]
    create(home.laptop(FAR), 9, village=FAR)
    home.send(van)
    with home.registry.read() as door:
        wholes, _, done = door.fill("", 0, EVERYTHING, van.device)
    assert done
    assert [(w.state.id, w.cell) for w in wholes] == list(
        zip(records, (VILLAGE, OTHER_VILLAGE, FAR), strict=True)
    )


def test_recent_requests_of_other_laptops_are_told_once_each(home: Home) -> None:
    van, far = home.laptop(VILLAGE), home.laptop(OTHER_VILLAGE)
    record = create(van, 1, "8272032009900001")
    create(van, 2, "8272032009900002")
    home.send(van)
    first = home.seq

    def told(laptop: Laptop, after: int) -> tuple[set[str], int]:
        with home.registry.read() as door:
            found, number, done = door.recents(laptop.device, after, NOW - 1000, 100)
        assert done
        return {one.trace for one in found if one.trace.startswith("nik|")}, number

    space = next(iter(told(far, 0)[0])).rpartition("|")[0]
    niks = {f"{space}|8272032009900001", f"{space}|8272032009900002"}
    assert told(far, 0) == (niks, first)
    assert told(van, 0) == (set(), first)
    assert told(far, first) == (set(), first)
    if home.again is None:
        return  # in memory only the requests as they stand
    edit(far, record, units={FREE: "+6281200000001"})
    home.send(far)
    assert told(far, first) == (set(), home.seq), "nothing new is known of who it is about"
    with home.registry.read() as door:
        assert door.recents(far.device, 0, NOW + 1, 100)[0] == []
        found, number, done = door.recents(far.device, 0, 0, 1)
    assert (number, done, len({one.trace for one in found}) > 0) == (first - 1, False, True)
