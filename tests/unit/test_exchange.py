"""Several requests one behind the other: what is sent goes on, what was lost is sent again."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from models.problems import Problem
from sync import messages
from sync.exchange import Absorbed, Acknowledged, Exchange, Position, Settled
from sync.logs import Entry
from sync.messages import Checkpoint, Cursor, Order, Page, Reply, Request, Told

LOG, INCARNATION = b"l" * 16, b"i" * 8
UPPER = Cursor(INCARNATION, 40, b"h" * 8)


def head(seq: int) -> bytes:
    return hashlib.sha256(f"head {seq}".encode()).digest()


ENTRIES = [Entry(seq, b"entry %d" % seq, head(seq)) for seq in range(1, 10)]


def exchange(stored: int = 0, last: int = 9) -> Exchange:
    position = Position(LOG, stored, head(stored), last, Cursor(), 7)
    return Exchange(position, "test", lambda seq: head(seq) if seq <= last else None)


def asked(data: bytes) -> tuple[Request, bytes]:
    """A request, and its name."""
    return messages.decode(data, Request), messages.name_of(data)


def reply(name: bytes, stored: int, **changed: object) -> Reply:
    checkpoint = Checkpoint(LOG, stored, head(stored), INCARNATION, 40, b"h" * 8, 0, 1)
    plain = Reply(name, checkpoint, [Told(1, stored, "applied")], None, [], 0, UPPER, False)
    return msgspec.structs.replace(plain, **changed)


def test_the_next_request_goes_on_after_what_was_sent():
    one = exchange()
    first, _ = asked(one.request(ENTRIES[:2], 5, pages=False))
    second, _ = asked(one.request(ENTRIES[2:6], 5, pages=False))
    third, _ = asked(one.request(ENTRIES[6:], 5))
    batches = [r.batch for r in (first, second, third) if r.batch is not None]
    assert [batch.first for batch in batches] == [1, 3, 7]
    assert [batch.prev for batch in batches] == [head(n)[:8] for n in (0, 2, 6)]
    assert [r.budget > 0 for r in (first, second, third)] == [False, False, True]
    assert [r.number for r in (first, second, third)] == [8, 9, 10]
    assert (one.position.stored, one.sent, one.outstanding) == (0, 9, 3)
    with pytest.raises(ValueError, match="entries start at 3, not at 10"):
        one.request(ENTRIES[2:3], 5)


def test_replies_find_their_request_and_only_the_last_ends_it():
    one = exchange()
    _, first = asked(one.request(ENTRIES[:2], 5, pages=False))
    _, last = asked(one.request(ENTRIES[2:], 5))
    steps = one.receive(reply(first, 2, more=True), b"proof 1", [], [])
    assert [type(step) for step in steps] == [Acknowledged, Settled]
    assert (one.position.stored, one.sent, one.finished) == (2, 9, False)
    assert one.position.cursor == Cursor(INCARNATION)  # whose proof it is; nothing was read
    steps = one.receive(reply(last, 9), b"proof 2", [], [])
    assert [type(step) for step in steps] == [Acknowledged, Settled, Absorbed]
    assert (one.position.stored, one.finished, one.outstanding) == (9, True, 0)
    assert one.position.cursor == UPPER


def test_a_reply_that_is_not_waited_for_is_not_believed():
    one = exchange()
    _, first = asked(one.request(ENTRIES[:2], 5, pages=False))
    _, second = asked(one.request(ENTRIES[2:4], 5, pages=False))
    one.receive(reply(second, 4), b"", [], [])
    assert one.outstanding == 0  # the checkpoint covers the first one too
    for name in (first, second, bytes(16)):
        with pytest.raises(Problem) as refused:
            one.receive(reply(name, 4), b"", [], [])
        assert refused.value.code == "sync.forged_reply"
    _, third = asked(one.request(ENTRIES[4:], 5))
    with pytest.raises(Problem) as refused:
        one.receive(reply(third, 9, pages=1), b"", [Page(second, 0, [], 40)], [])
    assert refused.value.code == "sync.forged_reply"


def test_what_got_lost_is_sent_again_from_what_is_stored():
    one = exchange()
    _, first = asked(one.request(ENTRIES[:2], 5, pages=False))
    _, second = asked(one.request(ENTRIES[2:4], 5, pages=False))
    one.receive(reply(first, 2), b"", [], [])
    one.lost()
    assert (one.next_entry, one.outstanding) == (3, 0)
    again, name = asked(one.request(ENTRIES[2:], 5))
    assert again.batch is not None
    assert (again.batch.first, again.batch.prev) == (3, head(2)[:8])
    with pytest.raises(Problem):
        one.receive(reply(second, 4), b"", [], [])
    one.receive(reply(name, 9), b"", [], [])
    assert one.finished


def test_a_reply_that_says_less_makes_the_rest_be_sent_again():
    """An unfinished transaction at the end of a batch is not stored."""
    one = exchange()
    _, first = asked(one.request(ENTRIES[:4], 5, pages=False))
    one.receive(reply(first, 3), b"", [], [])
    assert one.next_entry == 4
    _, last = asked(one.request(ENTRIES[3:], 5))
    one.receive(reply(last, 9), b"", [], [])
    assert one.finished


def test_a_reply_that_says_more_saves_sending_it():
    """An earlier sync delivered it and never heard so."""
    one = exchange()
    _, first = asked(one.request(ENTRIES[:1], 5, pages=False))
    one.receive(reply(first, 6), b"", [], [])
    assert one.next_entry == 7


def test_pages_that_nobody_asked_for_move_nothing():
    one = exchange()
    _, first = asked(one.request(ENTRIES[:1], 5, pages=False))
    steps = one.receive(reply(first, 1, pages=1), b"", [Page(first, 0, [], 40)], [])
    assert not any(isinstance(step, Absorbed) for step in steps)
    assert one.position.cursor == Cursor(INCARNATION)  # whose proof it is; nothing was read
    assert not one.finished


def test_a_log_that_another_one_follows_is_not_parted_again_and_ends():
    """Its other branch went on at central; files of it may still have to be sent."""
    for closed, parted in ((False, 9), (True, None)):
        one = exchange(stored=9)
        one.position = msgspec.structs.replace(one.position, closed=closed)
        _, name = asked(one.request([], 5))
        steps = one.receive(reply(name, 12, outcomes=[]), b"proof", [], [])
        assert (one.parted, one.finished) == (parted, True)
        assert [type(step) for step in steps] == [Absorbed]


def test_of_several_orders_the_earliest_parts_the_log_and_outcomes_beyond_it_are_not_ours():
    """Three laptops wrote on one log: each order is about another branch."""
    one = exchange(stored=2)
    _, first = asked(one.request(ENTRIES[2:5], 5, pages=False))
    _, last = asked(one.request(ENTRIES[5:], 5))
    orders = [Order(LOG, 1, "rotate", 3), Order(LOG, 2, "rotate", 6)]
    told = [Told(3, 5, "applied"), Told(6, 6, "held")]
    steps = one.receive(reply(first, 12, outcomes=told, more=True), b"proof", [], orders)
    assert one.parted == 3
    assert Settled((Told(3, 3, "applied"),)) in steps
    one.receive(reply(last, 12, outcomes=[]), b"proof", [], orders)
    assert one.parted == 3


def test_an_order_about_another_branch_proves_nothing_that_was_not_sent():
    """Nothing of ours beyond what this request carried has been compared yet."""
    one = exchange(stored=2)
    _, name = asked(one.request(ENTRIES[2:4], 5))
    one.receive(reply(name, 12, outcomes=[]), b"proof", [], [Order(LOG, 1, "rotate", 8)])
    assert one.parted == 4
