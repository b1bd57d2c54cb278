"""What a laptop's store promises when central was restored. Run like store_contract."""

from __future__ import annotations

import msgspec
import pytest

from field_client.vault.store import Store
from models.changes import decode_change
from sync.exchange import Absorbed, Rewound, Settled
from sync.logs import opening_head
from sync.messages import Cursor, Told
from sync.state import Decision, Outcome
from tests.vault_office import Office
from tests.vaults import NOW, Hand, open_log


def test_work_that_may_not_be_at_central_any_more_is_read_again(store: Store) -> None:
    """After a restore a copy of the laptop came first: which of the own entries central has is not
    known here. Those it has stand in decisions that hold, and are not shown as unsent for ever."""
    record = Hand(store).create()
    office = Office(store.log())
    decisions = office.take(store.log().id, store.pending(0))
    store.apply(*office.answer(store, decisions))
    number = office.known.server_seq
    start = opening_head(store.log().opening)
    store.apply(Rewound(b"n" * 8, number, (), 0, start))
    picture = store.requests.picture(record)
    assert picture is not None
    assert picture.own[0].state == ""
    assert store.position().cursor.server_seq < decisions[-1].server_seq
    store.apply(Absorbed(tuple(decisions), Cursor(b"n" * 8, number)))
    picture = store.requests.picture(record)
    assert picture is not None
    assert (picture.own[0].state, picture.view.unsent) == ("applied", set())
    assert [one.notice.kind for one in store.notices.unread()] == []


@pytest.mark.parametrize("read", [True, False], ids=["read in a page", "told only"])
def test_an_outcome_about_a_request_that_is_not_here_is_void_too(store: Store, read: bool) -> None:
    """A copy of the laptop brought it to the restored central again, where it waits: the request it
    speaks of is lost there."""
    entry = Hand(store).edit(b"r" * 16, applicant__phone="+6281240000009")
    log = store.log()
    store.apply(Settled((Told(entry.seq, entry.seq, "merged"),)))
    decision = Decision(
        5, log.id, entry.seq, 1, NOW, 1, "", (Outcome(log.id, entry.seq, "merged"),)
    )
    store.apply(Absorbed((decision,) if read else (), Cursor(b"i" * 8, 5 if read else 4)))
    store.apply(Rewound(b"n" * 8, 2, (), log.seq, entry.head))
    assert store.position().cursor.server_seq <= 2
    decision = Decision(9, log.id, entry.seq, 1, NOW, 1, "", (Outcome(log.id, entry.seq, "held"),))
    store.apply(Absorbed((decision,), Cursor(b"n" * 8, 9)))
    told = [one.notice for one in store.notices.unread() if one.notice.kind == "restored"]
    assert [(one.mine, one.value) for one in told] == [("merged", "held")]


def test_an_outcome_that_changed_is_told_of_what_was_made_again_too(store: Store) -> None:
    record = Hand(store).create()
    office = Office(store.log())
    office.sync(store)
    old, (tail,) = store.log(), store.pending(store.log().seq - 1)
    store.apply(Rewound(b"n" * 8, 0, (), 0, opening_head(old.opening)))
    fresh = open_log(store, old, "fork")
    Hand(store)
    change = decode_change(tail.data)
    origin = (old.id, tail.seq, tail.digest[:8])
    with store.saving() as saving:
        saving.append(msgspec.structs.replace(change, record=record, origin=origin))
    store.close_log(old.id, tail.seq - 1)
    seq = store.log().seq
    for number, state in enumerate(("merged", "held", "held"), 1):
        effects = (Outcome(fresh.id, seq, state, b"c" * 16),)
        decision = Decision(number, fresh.id, seq, 1, NOW, 1, "", effects)
        store.apply(Absorbed((decision,), Cursor(b"n" * 8, number)))
    told = [one.notice for one in store.notices.unread() if one.notice.kind == "restored"]
    assert [(one.mine, one.value, one.record) for one in told] == [("applied", "held", record)]
