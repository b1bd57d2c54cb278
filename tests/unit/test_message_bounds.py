"""What a message may cost before anybody has looked at it: every list, window and word is bounded
before memory is taken for it.
"""

from __future__ import annotations

import inspect
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from field_client.transports.http import read_problem
from field_client.vault.attempts import Attempts
from models.changes import TRANSACTION_BYTES_MAX, Body, decode, encode
from models.problems import Problem
from sync import exchange, messages, wire
from sync.messages import Batch, Cursor, Fill, Page, Request

MILLIONS = 3_000_000
NOT_UTF8 = b"\xff\xfe\xfd"


def structs() -> list[type[msgspec.Struct]]:
    found = [s for s in vars(messages).values() if inspect.isclass(s)]
    ours = [s for s in found if s.__module__ == messages.__name__]
    return [s for s in ours if issubclass(s, msgspec.Struct)]


def lists(kind: Any) -> Iterator[msgspec.inspect.ListType]:
    """Every list inside a type."""
    if isinstance(kind, msgspec.inspect.ListType):
        yield kind
        yield from lists(kind.item_type)
    for inner in getattr(kind, "types", ()):
        yield from lists(inner)


@pytest.mark.parametrize("struct", structs(), ids=lambda s: s.__name__)
def test_every_list_in_a_message_is_bounded(struct: type[msgspec.Struct]) -> None:
    kind = msgspec.inspect.type_info(struct)
    assert isinstance(kind, msgspec.inspect.StructType)
    for field in kind.fields:
        for found in lists(field.type):
            assert found.max_length, f"{struct.__name__}.{field.name} may be of any length"


def test_a_list_of_millions_costs_nothing() -> None:
    plain = Request(1, "b", 0, Cursor(), 0, Batch(1, b"", b"", [b"here"]))
    many = b"\xdd" + MILLIONS.to_bytes(4, "big") + b"\xc4\x00" * MILLIONS
    payload = messages.encode(plain).replace(b"\x91\xc4\x04here", many)
    packed = wire.pack(payload, 0, fast=True)
    assert len(packed) < 10_000
    unpacked = wire.unpack(packed, 0)
    assert unpacked == payload
    tracemalloc.start()
    try:
        with pytest.raises(Problem, match=r"sync\.malformed"):
            messages.decode(unpacked, Request)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_as_many_entries_as_ever_are_fine() -> None:
    batch = Batch(1, b"", b"", [b"x"] * 5000)
    assert messages.decode(messages.encode(batch), Batch) == batch


def test_a_body_longer_than_a_transaction_is_not_even_read() -> None:
    body = encode(Body(add={"documents": ["KK"] * TRANSACTION_BYTES_MAX}))
    with pytest.raises(msgspec.DecodeError, match="longer"):
        decode(body, Body)


@pytest.mark.parametrize("log", [25, 27, 31])
def test_a_window_that_would_fill_the_memory_is_refused(log: int) -> None:
    """RFC 8878, 3.1.1.1: a frame without a size names the window its reader has to hold."""
    window = bytes([(log - 10) << 3])
    block = (1 << 3 | 1).to_bytes(3, "little") + b"x"
    with pytest.raises(Problem, match=r"sync\.malformed"):
        wire.unpack(b"\x00" + window + block, 0)
    assert wire.unpack(b"\x00" + bytes([10 << 3]) + block, 0) == b"x"


def test_words_that_are_none_are_malformed_in_pages_too() -> None:
    decision = b"\x98\x01" + b"\xc4\x00" + b"\x01\x01\x00\x01" + b"\xa3" + NOT_UTF8 + b"\x90"
    page = Page(b"", 0, [decision], 1)
    with pytest.raises(Problem, match=r"sync\.malformed"):
        [exchange._decision(one) for one in page.decisions]
    with pytest.raises(Problem, match=r"sync\.malformed"):
        exchange.filled(Fill("82", [b"\x91\xa3" + NOT_UTF8], 1, True))


def test_a_refusal_nested_a_thousandfold_is_no_problem_of_ours() -> None:
    deep = b"[" * 100_000
    assert read_problem(b'{"code": "sync.rate", "details": {"a": ' + deep + b"}}") is None


def test_misses_that_became_unreadable_keep_nobody_out(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path / "attempts.json")
    attempts.path.write_bytes(b'{"' + NOT_UTF8 + b'": {}}')
    attempts.clear("sari")


def test_millions_of_runs_of_digits_are_a_bomb() -> None:
    packer, unpacker = wire.Packer(0), wire.Unpacker()
    unpacker.unpack(*packer.pack(b"first"))
    packed, number = packer.pack(b"\xc1" * (wire.APART_UNPACKED_BYTES_MAX // 2 + 1))
    assert number == wire.CONTINUES_APART
    assert len(packed) < 1000
    with pytest.raises(Problem, match=r"sync\.bomb"):
        unpacker.unpack(packed, number)
