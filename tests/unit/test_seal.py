"""Signed and sealed: any flipped bit, any other key, purpose or audience fails."""

from __future__ import annotations

import hashlib
from typing import Any

import cbor2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.problems import Problem
from sync import messages, receipt, seal, wire
from sync.identity import Identity, sign, verifies
from sync.logs import log_id, thumbprint
from sync.receipt import Receipt

ME, OTHER = (
    Identity(hashlib.sha256(f"{who}-sign".encode()).digest(), hashlib.sha256(who.encode()).digest())
    for who in ("laptop", "pusat")
)
TO = seal.audience(OTHER.seal_key)
HEADER = seal.Header(log_id(ME.sign_key), "request", TO, 0)
TOKEN = seal.sign(b"isi" * 40, ME, HEADER)
SEALED = seal.seal(TOKEN, OTHER.seal_key, "request")
TOKEN_OF_RECEIPT = receipt.issue(
    Receipt(b"r" * 16, (17, 123_456), "ktp-new-enrolment", 1, 42, b"h" * 32), ME
)


def test_what_was_sealed_opens_for_its_recipient_only() -> None:
    assert seal.unseal(SEALED, OTHER, "request") == TOKEN
    header, payload = seal.verify(TOKEN, ME.sign_key, "request", TO)
    assert (header, payload) == (HEADER, b"isi" * 40)
    with pytest.raises(Problem, match=r"sync\.seal"):
        seal.unseal(SEALED, ME, "request")
    with pytest.raises(Problem, match=r"sync\.seal"):
        seal.unseal(SEALED, OTHER, "reply")


@given(st.integers(0, len(SEALED) * 8 - 1))
def test_any_flipped_bit_of_a_sealed_message_fails(bit: int) -> None:
    altered = bytearray(SEALED)
    altered[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Problem):
        seal.unseal(bytes(altered), OTHER, "request")


@given(st.integers(0, len(TOKEN) * 8 - 1))
def test_any_flipped_bit_of_a_signed_message_fails(bit: int) -> None:
    altered = bytearray(TOKEN)
    altered[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Problem):
        seal.verify(bytes(altered), ME.sign_key, "request", TO)


@given(st.integers(0, len(TOKEN_OF_RECEIPT) * 8 - 1))
def test_any_flipped_bit_of_a_receipt_fails(bit: int) -> None:
    altered = bytearray(TOKEN_OF_RECEIPT)
    altered[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Problem):
        receipt.check(bytes(altered), ME.sign_key)


def test_a_receipt_says_what_was_taken_in_and_fits_a_qr() -> None:
    found = receipt.check(TOKEN_OF_RECEIPT, ME.sign_key)
    assert found == Receipt(b"r" * 16, (17, 123_456), "ktp-new-enrolment", 1, 42, b"h" * 8)
    assert receipt.signer(TOKEN_OF_RECEIPT) == log_id(ME.sign_key)
    assert len(TOKEN_OF_RECEIPT) < 200
    with pytest.raises(Problem, match=r"receipt\.forged"):
        receipt.check(TOKEN_OF_RECEIPT, OTHER.sign_key)


@pytest.mark.parametrize(
    ("key", "purpose", "to"),
    [
        (OTHER.sign_key, "request", TO),
        (ME.sign_key, "reply", TO),
        (ME.sign_key, "request", b"12345678"),
    ],
)
def test_key_purpose_and_audience_are_part_of_the_signature(
    key: bytes, purpose: str, to: bytes
) -> None:
    with pytest.raises(Problem, match=r"sync\.signature"):
        seal.verify(TOKEN, key, purpose, to)


HEAD = cbor2.dumps({1: -8, 4: HEADER.signer, "jb": [1, 0, TO, 0]})
KEYS_OF_ONE_HASH = {n * ((1 << 61) - 1): 0 for n in range(1, 400)}
"""Four megabytes of such numbers keep a reader of CBOR busy for ten minutes."""


@pytest.mark.parametrize(
    "parts",
    [
        [HEAD, KEYS_OF_ONE_HASH, b"", bytes(64)],
        [HEAD, {}, KEYS_OF_ONE_HASH, bytes(64)],
        [HEAD, {}, b"", KEYS_OF_ONE_HASH],
        [HEAD, {}, b"", bytes(63)],
        [HEAD, {}, b"", bytes(64), 0],
        [HEAD + cbor2.dumps(KEYS_OF_ONE_HASH) * 4, {}, b"", bytes(64)],
    ],
    ids=["unprotected", "payload", "proof", "short", "five", "head"],
)
def test_nothing_but_the_form_that_we_write_is_read_at_all(parts: list[Any]) -> None:
    """Before anything is verified: whoever has central's public key can send it."""
    assert seal.peek(cbor2.dumps(cbor2.CBORTag(18, [HEAD, {}, b"", bytes(64)]))) == HEADER
    token = cbor2.dumps(cbor2.CBORTag(18, parts))
    for read in (seal.peek, seal.payload_of):
        with pytest.raises(Problem, match=r"sync\.malformed"):
            read(token)


@given(st.binary(max_size=300))
def test_any_bytes_are_answered_with_a_problem(data: bytes) -> None:
    for attempt in (
        lambda: seal.unseal(data, OTHER, "request"),
        lambda: seal.verify(data, ME.sign_key, "request", TO),
        lambda: messages.decode(data, messages.Request),
    ):
        with pytest.raises(Problem):
            attempt()


@given(st.binary(max_size=3000))
def test_frames_come_back_and_a_cut_body_is_named(data: bytes) -> None:
    body = wire.join_frames([data, b"", data[:7]])
    assert wire.split_frames(body) == [data, b"", data[:7]]
    if data:
        with pytest.raises(Problem, match=r"sync\.truncated"):
            wire.split_frames(body[: len(data) + 3])


@given(st.binary(max_size=3000))
def test_packing_loses_nothing(data: bytes) -> None:
    assert wire.unpack(wire.pack(data, 0), 0) == data


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = wire.pack(b"\0" * 50_000_000, 0, fast=True)
    assert len(bomb) < 10_000
    with pytest.raises(Problem, match=r"sync\.bomb"):
        wire.unpack(bomb, 0)


def test_an_unknown_dictionary_is_named() -> None:
    with pytest.raises(Problem, match=r"sync\.dictionary"):
        wire.unpack(b"anything", 9999)


def test_a_thumbprint_is_that_of_rfc_9679() -> None:
    """SHA-256 over the deterministic CBOR of {1: 1, -1: 6, -2: key}."""
    import cbor2

    key = ME.sign_key
    cose = cbor2.dumps({1: 1, -1: 6, -2: key}, canonical=True)
    assert thumbprint(key) == hashlib.sha256(cose).digest()


def test_signatures_of_operators() -> None:
    seed = hashlib.sha256(b"sari").digest()
    key = Identity(seed, seed).sign_key
    assert verifies(key, b"buka", sign(seed, b"buka"))
    assert not verifies(key, b"tutup", sign(seed, b"buka"))
    assert not verifies(b"", b"buka", sign(seed, b"buka"))


MESSAGES: list[msgspec.Struct] = [
    messages.Request(
        7,
        "2026.11.0",
        1_760_000_000,
        messages.Cursor(b"12345678", 99, b"headhead"),
        1024,
        messages.Batch(1, b"p" * 8, b"h" * 8, [b"\x93abc"]),
    ),
    messages.Request(1, "", 0, messages.Cursor(), 0, None),
    messages.Reply(
        b"n" * 16,
        messages.Checkpoint(b"l" * 16, 5, b"h" * 32, b"i" * 8, 9, b"s" * 8, 0, 1),
        [messages.Told(1, 4, "applied"), messages.Told(5, 5, "held", b"c" * 16, "x")],
        (2, 3),
        [b"order"],
        1,
        messages.Cursor(b"i" * 8, 9, b"s" * 8),
        True,
    ),
    messages.Page(b"n" * 16, 0, [b"d1", b"d2"], 9),
    messages.Order(b"l" * 16, 1, "rotate", 4),
    messages.Enrolment(b"inv", b"open", b"proof", b"escrow"),
    messages.Certificate(b"l" * 16, b"d" * 16, 3, 1, ["82.72.03.2001"], b"i" * 8, 1),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_every_message_survives_encoding(message: msgspec.Struct) -> None:
    assert messages.decode(messages.encode(message), type(message)) == message


def test_names_of_requests_differ_when_anything_does() -> None:
    plain = messages.encode(MESSAGES[0])
    later = messages.encode(msgspec.structs.replace(MESSAGES[0], number=8))
    assert messages.name_of(plain) != messages.name_of(later)
    assert messages.name_of(plain) == messages.name_of(bytes(plain))
