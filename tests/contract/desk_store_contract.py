"""What a field store promises about what never travels: drafts, refs, reveals, rosters. Imported
into a test module in the same way as `store_contract`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import msgspec
import pytest

from field_client.vault.drafts import Draft
from field_client.vault.refs import Ref
from field_client.vault.reveals import next_reveal
from field_client.vault.store import Store
from models.roster.residents import Resident
from models.roster.source import RosterSource
from sync.messages import Order, Told
from tests.vaults import NOW, Hand, refused

Again = Callable[[Store], Store]
LIST = RosterSource("82.72.03.2001", "OpenSID", date(2026, 1, 5), "PKS 1", date(2026, 12, 31))
TODAY = date(2026, 11, 21)


# --- drafts, refs, reveals


def test_a_draft_remembers_what_was_shown_when_it_was_begun(store: Store) -> None:
    draft = Draft(b"1" * 16, "sari", b"", "birth", 3, 2, NOW, b"{}")
    store.drafts.save(draft)
    later = msgspec.structs.replace(draft, seen=9, own=9, at=NOW + 1, data=b'{"a":1}')
    store.drafts.save(later)
    assert store.drafts.get(draft.id) == msgspec.structs.replace(later, seen=3, own=2)
    assert store.drafts.of("budi") == []
    assert len(store.drafts.of("sari")) == 1
    refused(
        "vault.too_large", store.drafts.save, msgspec.structs.replace(draft, data=b"x" * 70_000)
    )
    hand = Hand(store)
    with store.saving() as saving:
        saving.append(hand.created())
        saving.drop_draft(draft.id)
    assert store.drafts.get(draft.id) is None


def test_a_ref_is_answered_once_and_for_all(store: Store, again: Again) -> None:
    hand = Hand(store)
    with store.saving() as saving:
        change = hand.created()
        record = saving.record_of(saving.append(change), change)
        ref = Ref("baris-1", b"x" * 32, record, b'{"id":1}')
        saving.keep_ref(ref)
    store = again(store)
    assert store.requests.by_ref("baris-1") == ref

    def take_again() -> None:
        with store.saving() as saving:
            assert saving.ref("baris-1") == ref
            saving.append(hand.created())
            saving.keep_ref(ref)

    problem = refused("queue.ref_reused", take_again)
    assert problem.details["ref"] == "baris-1"
    assert len(store.requests.newest()) == 1


def test_reveals_are_chained(store: Store) -> None:
    for n in range(4):
        store.reveals.add(NOW + n, "sari", "request show", bytes([n]) * 16)
    assert store.reveals.broken_at() is None
    assert [one.record[0] for one in store.reveals.newest()] == [3, 2, 1, 0]
    with store.engine.writing() as connection:
        connection.execute("update reveals set operator = 'budi' where number = 3")
    assert store.reveals.broken_at() == 3
    with store.engine.writing() as connection:
        connection.execute("delete from reveals where number = 2")
    assert store.reveals.broken_at() == 2


def test_an_altered_reveal_that_fits_by_itself_breaks_the_next_one(store: Store) -> None:
    for n in range(3):
        store.reveals.add(NOW + n, "sari", "request show", bytes([n]) * 16)
    first = store.reveals.newest()[-1]
    forged = next_reveal(first.head, 2, NOW + 1, "budi", "request show", b"\x01" * 16)
    with store.engine.writing() as connection:
        connection.execute(
            "update reveals set operator = 'budi', head = ? where number = 2", (forged,)
        )
    assert store.reveals.broken_at() == 3


def test_structs_are_remembered_by_their_kind(store: Store, again: Again) -> None:
    order = Order(b"l" * 16, 1, "active")
    assert store.recall(Order) is None
    store.remember(order, Told(1, 2, "applied"))
    store.remember(msgspec.structs.replace(order, number=2))
    store = again(store)
    assert store.recall(Order) == Order(b"l" * 16, 2, "active")
    assert store.recall(Told) == Told(1, 2, "applied")


# --- rosters


def people(n: int, name: str = "Warga") -> list[Resident]:
    return [
        Resident(
            key=f"{i:032x}",
            name=f"{name} Nomor{i:04}",
            nik=f"827203010190{i:04}",
            kk="8272031234560001",
        )
        for i in range(n)
    ]


def test_a_list_is_taken_in_once(store: Store) -> None:
    assert store.roster.take_in(LIST, people(30))
    before = store.roster.lists()
    assert before[0].people == 30
    assert store.roster.take_in(LIST, people(30)) is False
    assert store.roster.lists() == before
    assert store.standing().residents == 30
    assert len(list(store.roster.residents(before[0].number, TODAY))) == 30


def test_the_same_list_may_be_kept_longer(store: Store) -> None:
    store.roster.take_in(LIST, people(3))
    longer = msgspec.structs.replace(LIST, expires=date(2027, 6, 1))
    assert store.roster.take_in(longer, people(3))
    assert [kept.source for kept in store.roster.lists()] == [longer]
    assert len(store.roster.search("warga", date(2027, 6, 1))) == 3


def test_a_bad_list_changes_nothing(store: Store) -> None:
    store.roster.take_in(LIST, people(5))

    def breaking() -> object:
        yield from people(3, "Baru")
        raise ZeroDivisionError

    newer = msgspec.structs.replace(LIST, list_date=TODAY)
    with pytest.raises(ZeroDivisionError):
        store.roster.take_in(newer, breaking())  # type: ignore[arg-type]
    assert [kept.source for kept in store.roster.lists()] == [LIST]
    assert len(store.roster.search("warga", TODAY)) == 5
    assert store.roster.search("baru", TODAY) == []


def test_a_newer_list_takes_the_place_of_the_older(store: Store) -> None:
    store.roster.take_in(LIST, people(5))
    other = msgspec.structs.replace(LIST, village="82.72.03.2002")
    store.roster.take_in(other, people(2, "Tetangga"))
    store.roster.take_in(msgspec.structs.replace(LIST, list_date=TODAY), people(3, "Baru"))
    assert store.standing().residents == 5
    assert store.roster.search("warga", TODAY) == []
    assert len(store.roster.search("baru nomor0002", TODAY)) == 1
    assert len(store.roster.by_kk("8272031234560001", TODAY)) == 5
    found = store.roster.by_nik("8272030101900001", TODAY)
    assert [one.resident.name for one in found] == ["Tetangga Nomor0001", "Baru Nomor0001"]


def test_a_list_vanishes_when_it_expires(store: Store) -> None:
    store.roster.take_in(LIST, people(5))
    kept = msgspec.structs.replace(LIST, village="82.72.03.2002", expires=date(2027, 6, 1))
    store.roster.take_in(kept, people(2, "Tetangga"))
    assert store.roster.purge(date(2026, 12, 31)) == 0
    later = date(2027, 1, 1)
    first = store.roster.lists()[0].number
    assert store.roster.search("warga", later) == []  # invisible even before it is purged
    assert store.roster.by_nik("8272030101900004", later) == []
    assert list(store.roster.residents(first, later)) == []
    assert store.roster.purge(later) == 5
    assert store.roster.purge(later) == 0
    assert store.engine.one("select count(*) from residents") == (2,)
    found = "select count(*) from resident_words where resident_words match 'warga'"
    assert store.engine.one(found) == (0,)
    assert len(store.roster.search("tetangga", later)) == 2
    store.roster.remove(store.roster.lists()[0].number)
    assert store.roster.lists() == []
