"""Numbers and incarnations after central was put back from a backup."""

from __future__ import annotations

import msgspec

from sync.exchange import Acknowledged, Exchange, Position, Rewound
from sync.lineage import clamp, common, fresh_base
from sync.messages import Branch, Checkpoint, Cursor, Reply, Request, decode, name_of
from tests.unit.test_exchange import LOG, head

A, B, C = b"a" * 16, b"b" * 16, b"c" * 16
BLOCK = 1 << 40
FROM_A = Branch(B, A, 60, b"h" * 8, BLOCK)
FROM_B = Branch(C, B, BLOCK + 5, b"g" * 8, 3 * BLOCK)


def test_what_was_seen_beyond_a_branch_point_counts_as_the_branch_point():
    assert [clamp(n, ()) for n in (0, 59, BLOCK - 1)] == [0, 59, BLOCK - 1]
    assert [clamp(n, (FROM_A,)) for n in (59, 60, 61, BLOCK - 1)] == [59, 60, 60, 60]
    assert clamp(BLOCK + 7, (FROM_A,)) == BLOCK + 7
    assert clamp(BLOCK + 7, (FROM_A, FROM_B)) == BLOCK + 5
    assert clamp(61, (FROM_A, FROM_B)) == 60


def test_a_number_of_a_history_that_was_given_up_counts_as_nothing_seen():
    assert clamp(2 * BLOCK + 9, (FROM_A, FROM_B)) == 0
    assert clamp(9 * BLOCK, ()) == 0


def test_a_fresh_block_is_never_one_that_was_begun():
    assert fresh_base(60, 0) == BLOCK
    assert fresh_base(BLOCK, 0) == 2 * BLOCK
    assert fresh_base(BLOCK + 5, 255) == 257 * BLOCK


def test_two_histories_agree_up_to_the_first_restore_that_parts_them():
    assert common(A, (), B, (FROM_A,)) == 60
    assert common(A, (), C, (FROM_A, FROM_B)) == 60
    assert common(B, (FROM_A,), C, (FROM_A, FROM_B)) == BLOCK + 5
    sibling = Branch(C, A, 40, b"h" * 8, 7 * BLOCK)
    assert common(B, (FROM_A,), C, (sibling,)) == 40
    assert common(b"x" * 16, (), C, (sibling,)) == 0


def exchange(cursor: Cursor, stored: int = 9, *, doubtful: bool = False) -> Exchange:
    position = Position(LOG, stored, head(stored), 9, cursor, 1, doubtful=doubtful)
    return Exchange(position, "test", lambda seq: head(seq) if seq <= 9 else None)


def answered(
    one: Exchange, seq: int, *, of: bytes = B, at: bytes = b"", pages: bool = True
) -> list[object]:
    data = one.request([], 5, pages=pages)
    checkpoint = Checkpoint(LOG, seq, at or head(seq), of, BLOCK, b"h" * 8, 0, 1)
    upper = Cursor(of, BLOCK, b"")
    reply = Reply(name_of(data), checkpoint, [], None, [], 0, upper, of == B, lineage=[FROM_A])
    assert decode(data, Request).batch is None
    return list(one.receive(reply, b"proof", [], []))


def test_a_laptop_that_read_what_was_lost_goes_back_to_the_branch_point():
    one = exchange(Cursor(A, 70, b"x" * 8))
    assert answered(one, 4) == [Rewound(B, 60, (FROM_A,), 4, head(4))]
    assert (one.rewound, one.finished) == (True, True)


def test_central_holding_another_entry_is_sent_everything_so_that_the_fork_shows():
    one = exchange(Cursor(A, 70, b""))
    assert answered(one, 4, at=b"other" * 6 + b"xx") == [Rewound(B, 60, (FROM_A,), 0, head(0))]


def test_central_holding_more_than_was_written_here_is_sent_everything_too():
    """A clone came first after the restore: that all of ours is among it is not to be seen."""
    one = exchange(Cursor(A, 70, b""))
    assert answered(one, 12) == [Rewound(B, 60, (FROM_A,), 0, head(0))]


def test_an_older_log_is_believed_only_after_the_restored_central_spoke_of_it():
    told = answered(exchange(Cursor(B, 60, b""), doubtful=True), 4)
    assert told == [Rewound(B, 60, (FROM_A,), 4, head(4))]
    whole = exchange(Cursor(B, 60, b""), doubtful=True)
    assert whole.asks_first  # a copy may have sent it others: no entry goes out before
    assert next(type(step) for step in answered(whole, 9)) is Acknowledged
    assert not whole.rewound
    assert not whole.asks_first


def test_whose_proof_it_is_is_known_before_anything_was_read():
    """Central was put back to a time before that proof."""
    one = exchange(Cursor(), 0)
    answered(one, 9, of=A, pages=False)
    assert (one.position.stored, one.position.cursor) == (9, Cursor(A))
    assert answered(one, 4) == [Rewound(B, 60, (FROM_A,), 4, head(4))]


def test_a_closed_log_of_which_a_restored_central_has_another_branch_is_sent_again():
    """What it proved of that log is void, though it holds as many entries."""
    one = exchange(Cursor(B, 60, b""), doubtful=True)
    assert answered(one, 12, at=b"other" * 6 + b"xx") == [Rewound(B, 60, (FROM_A,), 0, head(0))]


def test_a_reply_without_restores_costs_one_byte_more():
    upper, checkpoint = Cursor(A, 4, b""), Checkpoint(LOG, 1, head(1), A, 4, b"", 0, 1)
    plain = Reply(b"n" * 16, checkpoint, [], None, [], 0, upper, False)
    told = msgspec.structs.replace(plain, lineage=[FROM_A])
    size = len(msgspec.msgpack.encode(told)) - len(msgspec.msgpack.encode(plain))
    assert size == len(msgspec.msgpack.encode([FROM_A])) - 1
