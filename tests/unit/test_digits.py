"""Digits told apart from words come together again, whatever the bytes; and it is worth it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.problems import Problem
from sync import digits, wire
from tests.requests import request_rows
from tests.village import village

LIKELY = st.lists(
    st.sampled_from([b"1", b"0937", b"9" * 300, b"\xc1", b"\xc1\x04", b"nama", b"\0"])
)


@given(st.one_of(st.binary(), LIKELY.map(b"".join)))
@example(b"")
@example(b"\xc1")
@example(b"7" * 255 + b"8")
def test_any_bytes_come_together_again(payload):
    words, numbers = digits.apart(payload)
    assert digits.together(words, numbers) == payload


def test_digits_go_two_to_a_byte_and_one_alone_stays():
    assert digits.apart(b"RT 005, no 7, 1980-05") == (
        b"RT \xc1\x03, no 7, \xc1\x04-\xc1\x02", b"\x00\x05\x19\x80\x05"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (b"a\xc1", b""),
        (b"\xc1\x04", b"\x12"),
        (b"\xc1\x04", b"\x12\x34\x56"),
        (b"\xc1\x02", b"\xab"),
        (b"", b"\x12"),
    ],
)
def test_what_was_never_taken_apart_is_refused(words, numbers):
    with pytest.raises(ValueError, match=r"digits|mark"):
        digits.together(words, numbers)


@pytest.fixture(scope="module")
def payloads() -> list[bytes]:
    """Five requests' worth of payload, small and large."""
    rows = request_rows(village(900, seed=3), 120, 3)
    cuts = (2, 40, 41, 80, 120)
    starts = (0, *cuts)
    return [
        msgspec.msgpack.encode(rows[start:end]) for start, end in zip(starts, cuts, strict=False)
    ]


def test_a_stream_of_words_and_digits_is_smaller_and_comes_back(payloads):
    packer, plain, reader = wire.Packer(), wire.Packer(apart=False), wire.Unpacker()
    sizes = [0, 0]
    said = []
    for payload in payloads:
        packed, number = packer.pack(payload)
        said.append(number)
        assert reader.unpack(packed, number) == payload
        sizes[0] += len(packed)
        sizes[1] += len(plain.pack(payload)[0])
    apart, joined = wire.CONTINUES_APART, wire.CONTINUES
    assert said == [wire.DICTIONARY, apart, joined, apart, apart]
    assert sizes[0] < 0.96 * sizes[1]


def test_a_stream_that_was_cut_altered_or_is_too_large_is_refused(payloads):
    packer = wire.Packer()
    first, large = packer.pack(payloads[0]), packer.pack(payloads[1])

    def code(packed: bytes, number: int, limit: int = wire.UNPACKED_BYTES_MAX) -> str:
        reader = wire.Unpacker()
        reader.unpack(*first)
        with pytest.raises(Problem) as found:
            reader.unpack(packed, number, limit)
        return found.value.code

    packed, number = large
    assert code(packed, number, limit=len(payloads[1]) - 1) == "sync.bomb"
    assert code(packed, number, limit=1000) == "sync.bomb"
    assert code(packed[:-200], number) == "sync.malformed"
    assert code(b"\0\0\0\0" + packed, number) == "sync.malformed"
    assert code(packed, -3) == "sync.dictionary"
    with pytest.raises(Problem):
        wire.Unpacker().unpack(packed, number)
