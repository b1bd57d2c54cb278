"""What a field store promises, whatever it is made of. Run it by importing everything from here
into a test module that has a `store` fixture (a new Store with an opened log) and an `again`
fixture (close it and open the same files anew)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from field_client.vault.drafts import Draft
from field_client.vault.refs import Ref
from field_client.vault.store import Store
from models.changes import decode_change
from models.roster.source import RosterSource
from sync.exchange import Absorbed, Acknowledged, Missing, Ordered, Scoped, Settled
from sync.logs import opening_head
from sync.messages import Checkpoint, Cursor, Order, Territory, Told
from sync.state import Case, Closed, Created, Decision, Outcome, Wrote
from tests.vault_office import Office
from tests.vaults import NOW, Hand, open_log, refused

Again = Callable[[Store], Store]
LIST = RosterSource("82.72.03.2001", "OpenSID", date(2026, 1, 5), "PKS 1", date(2026, 12, 31))
TODAY = date(2026, 11, 21)


# --- saving


def test_what_was_saved_is_there_for_the_next_program(store: Store, again: Again) -> None:
    hand = Hand(store)
    record = hand.create(applicant__name="Siti Hamid")
    before = store.log()
    after = again(store)
    assert after.log() == before
    assert not after.restored
    assert after.broken_at(before.id) is None
    picture = after.requests.picture(record)
    assert picture is not None
    assert picture.view.units["applicant.identity"]["name"] == "Siti Hamid"
    assert picture.code == (7, 1)


def test_a_save_that_fails_leaves_nothing_behind(store: Store, again: Again) -> None:
    hand = Hand(store)
    before, standing, mark = store.log(), store.standing(), store.mark.read()

    def fail() -> None:
        with store.saving() as saving:
            saving.append(hand.created())
            saving.keep_ref(Ref("r1", b"x" * 32, b"", b"{}"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    store = again(store)
    assert (store.log(), store.standing(), store.mark.read()) == (before, standing, mark)
    assert store.requests.newest() == []
    assert store.requests.by_ref("r1") is None


def test_a_transaction_is_saved_whole_or_not_at_all(store: Store) -> None:
    hand = Hand(store)

    def half() -> None:
        with store.saving() as saving:
            saving.append(hand.created(place=(0, 2)))

    def wrong_place() -> None:
        with store.saving() as saving:
            saving.append(hand.created(place=(1, 2)))

    for mistake in (half, wrong_place):
        with pytest.raises(ValueError, match=r"transaction|comes"):
            mistake()
    assert store.requests.newest() == []
    with store.saving() as saving:
        for i in range(3):
            saving.append(hand.created(place=(i, 3)))
    assert len(store.requests.newest()) == 3


def test_a_transaction_has_bounds(store: Store) -> None:
    hand = Hand(store)

    def save(n: int, text: str) -> None:
        with store.saving() as saving:
            for i in range(n):
                saving.append(hand.created(place=(i, n), address__address=text))

    refused("vault.too_large", save, 65, "Jalan")
    refused("vault.too_large", save, 2, "J" * 40_000)
    assert store.requests.newest() == []


def test_an_author_reads_back_what_they_wrote_before_anybody_heard_of_it(store: Store) -> None:
    hand = Hand(store)
    record = hand.create()
    hand.edit(record, applicant__phone="+6281111111111")
    picture = store.requests.picture(record)
    assert picture is not None
    assert picture.view.units["applicant.phone"] == "+6281111111111"
    assert picture.snapshot is None
    line = store.requests.line(record)
    assert line is not None
    assert (line.unsent, line.undecided, line.own, line.outcome) == (True, True, True, "")


# --- the road


def test_pending_gives_whole_transactions_within_the_budget(store: Store) -> None:
    hand = Hand(store)
    for size in (1, 3, 2):
        with store.saving() as saving:
            for i in range(size):
                saving.append(hand.created(place=(i, size)))
    everything = store.pending(0)
    assert [entry.seq for entry in everything] == list(range(1, 9))
    sizes = [len(entry.data) for entry in everything]
    assert store.pending(8) == []
    assert [e.seq for e in store.pending(2, sum(sizes[2:6]))] == [3, 4, 5, 6]
    assert [e.seq for e in store.pending(2, sum(sizes[2:6]) - 1)] == [3]
    assert [e.seq for e in store.pending(3, 1)] == [4, 5, 6]  # always at least one transaction


def test_a_whole_exchange_and_what_is_left_after_it(store: Store, again: Again) -> None:
    hand = Hand(store)
    records = [hand.create(applicant__nik=f"82720330030900{n:02}") for n in range(1, 4)]
    assert store.standing().unsent == 5
    assert store.standing().oldest_unsent == NOW
    assert store.standing().unsent_bytes == sum(len(e.data) for e in store.pending(0))
    office = Office(store.log())
    office.sync(store)
    store = again(store)
    standing = store.standing()
    assert (standing.unsent, standing.unsent_bytes, standing.oldest_unsent) == (0, 0, None)
    assert standing.entries == {"applied": 5}
    assert store.log().unsent == 0
    assert store.pending(store.position().stored) == []
    assert store.proof(1) == b"proof"
    for record in records:
        line = store.requests.line(record)
        assert line is not None
        assert (line.unsent, line.undecided, line.outcome) == (False, False, "applied")


def test_the_same_answer_twice_changes_nothing(store: Store) -> None:
    hand = Hand(store)
    record = hand.create()
    hand.edit(record, applicant__phone="+6281111111111")
    office = Office(store.log())
    position = store.position()
    steps = office.answer(store, office.take(position.log, store.pending(0)))
    store.apply(*steps)
    first = (store.standing(), store.requests.picture(record), store.notices.newest())
    store.apply(*steps)
    for step in steps:
        store.apply(step)
    assert (store.standing(), store.requests.picture(record), store.notices.newest()) == first


def test_a_late_answer_changes_nothing(store: Store) -> None:
    hand = Hand(store)
    record = hand.create()
    office = Office(store.log())
    early = office.answer(store, office.take(store.log().id, store.pending(0)))
    store.apply(*early)
    hand.edit(record, applicant__phone="+6281111111111")
    office.sync(store)
    now = (store.position(), store.standing(), store.requests.picture(record))
    store.apply(early[-1])
    assert (store.position(), store.standing(), store.requests.picture(record)) == now


def test_an_answer_is_applied_in_one_commit(store: Store, again: Again) -> None:
    hand = Hand(store)
    hand.create()
    office = Office(store.log())
    steps = office.answer(store, office.take(store.log().id, store.pending(0)))
    before = store.standing()
    with pytest.raises(AttributeError):
        store.apply(*steps, Ordered(None))  # type: ignore[arg-type]
    assert again(store).standing() == before


def test_nothing_vanishes_between_an_outcome_and_its_page(store: Store) -> None:
    """Outcomes come with the first frame, decisions with pages that may come much later."""
    hand = Hand(store)
    record = hand.create()
    office = Office(store.log())
    _, settled, absorbed = office.answer(store, office.take(store.log().id, store.pending(0)))
    store.apply(settled)
    picture = store.requests.picture(record)
    assert picture is not None
    assert picture.own[0].state == "applied"
    assert picture.view.unsent
    store.apply(absorbed)
    picture = store.requests.picture(record)
    assert picture is not None
    assert picture.snapshot is not None
    assert not picture.view.unsent
    hand.edit(record, applicant__phone="+6281111111111")
    decisions = office.take(store.log().id, store.pending(store.log().seq - 1))
    _, settled, absorbed = office.answer(store, decisions)
    store.apply(settled)
    picture = store.requests.picture(record)
    assert picture is not None
    assert picture.view.units["applicant.phone"] == "+6281111111111"
    assert picture.view.unsent == {"applicant.phone"}
    store.apply(absorbed)
    picture = store.requests.picture(record)
    assert picture is not None
    assert picture.view.units["applicant.phone"] == "+6281111111111"
    assert not picture.view.unsent


def test_a_proof_says_whose_it_is_before_anything_was_read(store: Store) -> None:
    Hand(store).create()
    office = Office(store.log())
    proved, *_ = office.answer(store, office.take(store.log().id, store.pending(0)))
    store.apply(proved)
    assert store.position().cursor == Cursor(b"i" * 8)


def test_what_an_old_bundle_tells_of_a_village_that_left_does_not_stay(store: Store) -> None:
    store.apply(Scoped(Territory(2, ["82.72.03.2001"])))
    record, log = b"r" * 16, store.log()
    address = {"address": "Kampung", "rt": "002", "rw": "001", "village": "82.72.01.1001"}
    effects = (
        Created(record, "ktp-new-enrolment", 1, b"o" * 16, (9, 9)),
        Wrote(record, "address.address", address),
    )
    for number in (1, 2):
        decision = Decision(number, b"o" * 16, 1, 1, NOW, 1, "", effects if number == 1 else ())
        head = opening_head(log.opening)
        proof = Checkpoint(log.id, 0, head, b"i" * 8, 2, b"h" * 32, 0, NOW)
        store.apply(Acknowledged(proof, b"proof"))
        store.apply(Absorbed((decision,), Cursor(b"i" * 8, number)))
        assert (store.requests.picture(record) is None) == (number == 2)


def test_a_held_value_stays_visible_and_its_author_is_told(store: Store) -> None:
    """Somebody else changed the protected identity first; a person decides; both are told."""
    hand = Hand(store)
    record = hand.create()
    office = Office(store.log())
    office.sync(store)
    named = {"name": "Bahar Sulaiman", "nik": "8272033003090005", "kk": "8272032009110004"}
    other_edit(office, record, "applicant.identity", named | {"name": "Bahar Soleman Jr"})
    hand.edit(record, applicant__identity=named)
    office.sync(store)
    picture = store.requests.picture(record)
    assert picture is not None
    assert picture.view.units["applicant.identity"] == named
    assert list(picture.view.proposed) == ["applicant.identity"]
    assert len(picture.cases) == 1
    case = store.requests.case(picture.cases[0])
    assert case is not None
    assert case.unit == "applicant.identity"
    told = store.notices.of(record)
    assert [one.notice.kind for one in told] == ["held"]
    assert store.standing().unread == 1
    assert store.standing().entries["held"] == 1
    store.notices.read(told[0].number)
    assert store.notices.unread() == []
    assert store.standing().unread == 0
    line = store.requests.line(record)
    assert line is not None
    assert (line.proposed, line.cases, line.name) == (True, 1, "Bahar Sulaiman")

    decided = named | {"name": "Bahar Sulaiman, S.Pd"}
    store.apply(closing(office, store, case, decided))
    picture = store.requests.picture(record)
    assert picture is not None
    assert picture.view.units["applicant.identity"] == decided
    assert (picture.view.proposed, picture.cases) == ({}, ())
    assert [one.notice.kind for one in store.notices.unread()] == ["decided"]
    line = store.requests.line(record)
    assert line is not None
    assert (line.proposed, line.cases, line.outcome) == (False, 0, "amended")


def closing(office: Office, store: Store, case: Case, value: object) -> Absorbed:
    """A person at central decides the case with a value of their own."""
    number = office.known.server_seq + 1
    offer = case.offers[-1]
    effects = (
        Wrote(case.record, case.unit, value),
        Closed(case.id, case.record, case.unit, "value", value, "KTP-el asli", "Rahmat"),
        Outcome(offer.log, offer.seq, "amended", case.id),
    )
    decision = Decision(number, b"central's log...", 1, 1, NOW, 1, "Rahmat", effects)
    return Absorbed((decision,), Cursor(b"i" * 8, number, b"h" * 8))


def test_a_request_that_central_refuses_is_not_lost_from_sight(store: Store) -> None:
    hand = Hand(store)
    hand.session = 99  # a session that nobody opened
    record = hand.create(applicant__name="Tetap Ada")
    office = Office(store.log())
    office.sync(store)
    line = store.requests.line(record)
    assert line is not None
    assert (line.outcome, line.name) == ("refused", "Tetap Ada")
    assert store.notices.unread()[-1].notice.kind == "refused"


def other_edit(office: Office, record: bytes, unit: str, value: object) -> None:
    """The village's laptop writes a unit of somebody else's request, in time."""
    from sync.state import Write

    office.known.server_seq += 1
    number = office.known.server_seq
    found = office.known.state.records[record]
    found.units[unit] = Write(value, b"village's log...", 4, number)
    found.changed = number


def test_orders_are_met_once_and_carried_out_once(store: Store) -> None:
    order = Order(store.log().id, 1, "rotate", 4)
    store.apply(Ordered(order))
    store.apply(Ordered(order))
    assert store.orders_due() == [order]
    assert store.position().order == 1
    store.order_done(order)
    store.apply(Ordered(order))
    assert store.orders_due() == []


def test_entries_that_central_lost_are_sent_again(store: Store) -> None:
    hand = Hand(store)
    hand.create()
    Office(store.log()).sync(store)
    assert store.standing().unsent == 0
    store.apply(Missing(2, 3))
    assert [entry.seq for entry in store.pending(store.position().stored)] == [2, 3]
    assert store.standing().unsent == 2
    assert store.position().stored_head == store.pending(0)[0].head
    store.apply(Missing(1, 3))
    assert store.position().stored == 0


def test_no_request_number_is_used_twice(store: Store, again: Again) -> None:
    store.requested(1)
    assert again(store).position().number == 1


# --- counting


@settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(st.integers(0, 5), max_size=12))
def test_counts_are_what_counting_would_give(store: Store, acts: list[int]) -> None:
    hand = Hand(store)
    records = [hand.create()]
    for number, act in enumerate(acts):
        if act == 0:
            records.append(hand.create(applicant__nik=f"82720330030901{number:02}"))
        elif act == 1:
            hand.edit(records[-1], applicant__phone=f"+62811111111{number:02}")
        elif act == 2:
            seq = store.log().seq
            store.apply(Settled((Told(seq, seq, "held", b"c" * 16),)))
        elif act == 3:
            store.drafts.save(Draft(bytes([number]) * 16, "sari", b"", "birth", 0, 0, NOW, b"x"))
        elif act == 4:
            store.drafts.drop(bytes([max(0, number - 1)]) * 16)
        else:
            store.notices.read(1)
    standing = store.standing()
    entries = Counter(row[0] for row in store.engine.read("select state from entries"))
    statuses = Counter(row[0] for row in store.engine.read("select status from requests"))
    drafts = Counter(row[0] for row in store.engine.read("select operator from drafts"))
    own = store.log()
    size = store.engine.one(
        "select coalesce(sum(length(data)), 0) from entries where log = ? and seq > ?",
        own.id,
        own.stored,
    )
    assert standing.entries == entries
    assert standing.requests == statuses
    assert standing.drafts == drafts
    assert size is not None
    assert own.unsent == size[0]


# --- lists and search


def test_lists_are_pages_newest_first(store: Store) -> None:
    hand = Hand(store)
    records = [hand.create(applicant__nik=f"82720330030900{n:02}") for n in range(10, 17)]
    first = store.requests.newest(limit=3)
    assert [line.record for line in first] == records[:3:-1]
    second = store.requests.newest(limit=3, before=first[-1].number)
    assert [line.record for line in second] == records[3:0:-1]
    assert len(store.requests.newest(status="submitted", own=True)) == 7
    assert store.requests.newest(status="verified") == []
    assert store.requests.newest(service="birth") == []
    assert len(store.requests.newest(service="ktp-new-enrolment", limit=10_000)) == 7


def test_a_name_is_found_by_the_beginnings_of_its_words(store: Store) -> None:
    hand = Hand(store)
    record = hand.create(applicant__name="Siti Ma'ruf Hamid")
    hand.create(applicant__name="Bahar")
    for text in ("siti", "HAM sit", "maruf", "ma'ruf", "Ma’ruf", "ma ruf", "  siti, hamid "):
        assert [line.record for line in store.requests.search(text)] == [record], text
    for text in ("", "   ", '"', "*", "iti", "siti bahar", "OR", "NEAR(siti"):
        assert store.requests.search(text) == [], text


def test_a_changed_name_is_found_and_the_old_one_no_more(store: Store) -> None:
    hand = Hand(store)
    record = hand.create(applicant__name="Bahar Soleman")
    named = {"name": "Baharuddin Salim", "nik": "8272033003090077", "kk": "8272032009110004"}
    hand.edit(record, applicant__identity=named)
    assert store.requests.search("soleman") == []
    assert [line.record for line in store.requests.search("salim")] == [record]
    assert store.requests.by_number("8272033003090005") == []
    assert [line.record for line in store.requests.by_number("8272033003090077")] == [record]
    assert [line.record for line in store.requests.by_number("8272032009110004")] == [record]
    assert [line.record for line in store.requests.by_code(7, 1)] == [record]
    assert store.requests.by_code(8, 1) == []


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.text(max_size=40))
def test_any_text_may_be_searched(store: Store, text: str) -> None:
    assert store.requests.search(text) == []
    assert store.roster.search(text, TODAY) == []
    assert store.requests.by_number(text) == []


# --- a laptop put back from a copy


def test_a_database_from_a_copy_goes_on_in_a_new_log(store: Store, again: Again) -> None:
    hand = Hand(store)
    hand.create()
    store.engine.checkpoint()
    copy = store.engine.path.read_bytes()
    hand.create(applicant__nik="8272033003090044")
    last = store.log()
    store.close()
    store.engine.path.write_bytes(copy)
    for tail in ("-wal", "-shm"):
        store.engine.path.with_name(store.engine.path.name + tail).unlink(missing_ok=True)
    store = again(store)
    assert store.restored
    hand.store = store

    refused("vault.restored", hand.create)
    parent = store.log()
    assert parent.seq == last.seq - 1
    opened = open_log(store, parent, "restored")
    hand = Hand(store)
    record = hand.create()
    store = again(store)
    assert not store.restored
    assert store.log().id == opened.id
    assert store.requests.line(record) is not None
    assert len(store.logs()) == 2
    assert store.standing().unsent == parent.seq + 3  # the older log still has its say


def test_a_copy_that_went_on_to_the_same_number_is_noticed(store: Store, again: Again) -> None:
    hand = Hand(store)
    hand.create()
    store.engine.checkpoint()
    copy = store.engine.path.read_bytes()
    hand.create(applicant__nik="8272033003090044")
    mark = store.mark.path.read_bytes()
    store.close()
    store.engine.path.write_bytes(copy)
    for tail in ("-wal", "-shm"):
        store.engine.path.with_name(store.engine.path.name + tail).unlink(missing_ok=True)
    store.mark.path.unlink()  # on the other machine, where the copy went on
    store = again(store)
    hand.store = store
    hand.create(applicant__nik="8272033003090055")
    store.mark.path.write_bytes(mark)
    assert again(store).restored


def test_a_lost_mark_stops_nobody(store: Store, again: Again) -> None:
    hand = Hand(store)
    hand.create()
    store.mark.path.unlink()
    store = again(store)
    assert not store.restored
    hand.store = store
    hand.create(applicant__nik="8272033003090044")
    mark = store.mark.read()
    assert mark is not None
    assert mark.seq == store.log().seq


def test_a_tail_made_again_in_a_new_log_is_shown_and_counted_once(store: Store) -> None:
    hand = Hand(store)
    hand.create()
    record = hand.create(applicant__nik="8272033003090044")
    old = store.log()
    tail = store.pending(old.seq - 1)
    open_log(store, old, "rotated")
    hand = Hand(store)
    change = decode_change(tail[0].data)
    origin = (old.id, tail[0].seq, tail[0].digest[:8])
    with store.saving() as saving:
        saving.append(msgspec.structs.replace(change, record=record, origin=origin))
        saving.remember(Order(old.id, 1, "rotate"))
    store.close_log(old.id, old.seq - 1)
    closed = store.logs()[0]
    assert (closed.stored, closed.unsent) == (closed.seq, 0)
    assert store.standing().unsent == 3  # operator, session and the change made again
    assert store.standing().entries == {"": old.seq - 1 + 3, "replaced": 1}
    picture = store.requests.picture(record)
    assert picture is not None
    assert [(entry.state, entry.sent) for entry in picture.own] == [
        ("replaced", False),
        ("", False),
    ]
    assert len(store.requests.newest()) == 2
    assert store.recall(Order) == Order(old.id, 1, "rotate")


def test_chain_values_can_be_asked_for(store: Store) -> None:
    Hand(store).create()
    log = store.log()
    assert store.head_at(0) == opening_head(log.opening)
    assert [store.head_at(e.seq) for e in store.pending(0)] == [e.head for e in store.pending(0)]
    assert store.head_at(log.seq) == log.head
    assert store.head_at(log.seq + 1) is None
