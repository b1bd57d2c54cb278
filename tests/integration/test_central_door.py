"""Bad input at central's door for laptops: each gets its problem, and nothing is stored of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import cbor2
import msgspec
import pytest

from models.problems import Problem
from sync import bundle, seal, wire
from sync.identity import Identity
from sync.messages import (
    Batch,
    Chunk,
    Contents,
    Cursor,
    Manifest,
    Request,
    Sight,
    Span,
    encode,
)
from tests.pusat import OCTETS, VILLAGE, Pusat, Van, pusat

LIMIT = 300_000


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Iterator[Pusat]:
    with pusat(
        tmp_path_factory.mktemp("door") / "pusat",
        sync_body_bytes_max=LIMIT,
        sync_stream_bytes_max=LIMIT,
    ) as opened:
        yield opened


@pytest.fixture(scope="module")
def van(office) -> Van:
    van = office.van("Si Jola 1")
    van.take_in(1)
    office.sync(van)
    van.take_in(2)
    return van


def standing(office: Pusat) -> Any:
    """All that must not move."""
    with office.central.registry.read() as door:
        logs = [door.logs(device.id) for device in door.devices()]
        counts = door.counts()
        return (
            door.standing().server_seq,
            [(log.id, log.seq, log.head) for found in logs for log in found],
            counts.requests,
            counts.cases,
            counts.waiting,
            len(door.trail(limit=10_000)),
        )


@pytest.fixture
def unmoved(office) -> Iterator[None]:
    before = standing(office)
    yield
    assert standing(office) == before


def code(answer) -> str:
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    problem = answer.json()
    assert problem["detail"]
    assert problem["status"] == answer.status_code
    return problem["code"]


def body(van: Van) -> bytes:
    """The next request of the van, made without moving it."""
    exchange = van.exchange()
    return van.request_body(exchange)


def sealed_by(signer: Identity, van: Van, payload: bytes, dictionary: int = 0) -> bytes:
    """A request of `van`'s log that somebody else signed."""
    to = seal.audience(van.invitation.seal_key)
    header = seal.Header(van.log, "request", to, dictionary)
    token = seal.sign(wire.pack(payload, dictionary), signer, header)
    return wire.join_frames([seal.seal(token, van.invitation.seal_key, "request")])


def plain(van: Van, batch: Batch | None = None) -> bytes:
    return encode(Request(99, "test", 0, Cursor(), 1000, batch))


def test_a_wrong_signature(office, van, unmoved):
    thief = Identity(b"q" * 32, b"r" * 32)
    assert code(office.push(sealed_by(thief, van, plain(van)))) == "sync.signature"


def test_an_unknown_device(office, van):
    stranger = office.invited("Orang asing")
    before = standing(office)
    assert code(office.push(body(stranger))) == "sync.unknown_device"
    assert standing(office) == before


def test_a_message_sealed_to_somebody_else(office, van, unmoved):
    other = Identity(b"u" * 32, b"v" * 32)
    token = seal.sign(b"x", van.identity, seal.Header(van.log, "request", b"12345678"))
    frames = wire.join_frames([seal.seal(token, other.seal_key, "request")])
    assert code(office.push(frames)) == "sync.seal"


def test_every_flipped_bit_is_refused(office, van, unmoved):
    whole = body(van)
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        broken = bytearray(whole)
        broken[at] ^= 0x10
        answer = office.push(bytes(broken))
        assert answer.status_code >= 400, at
        assert code(answer).startswith("sync.")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_body(office, van, unmoved, share):
    whole = body(van)
    answer = office.push(whole[: int(len(whole) * share)])
    assert code(answer) in ("sync.truncated", "sync.malformed")


def test_a_frame_beyond_the_limit_is_not_read(office, van, unmoved):
    answer = office.push((LIMIT + 1).to_bytes(4, "big") + bytes(100))
    assert (answer.status_code, code(answer)) == (413, "sync.too_large")


def test_a_body_without_a_length_is_cut_at_the_limit(office, van, unmoved):
    def endless() -> Iterator[bytes]:
        yield LIMIT.to_bytes(4, "big")
        for _ in range(20):
            yield b"\0" * 50_000

    answer = office.client.post("/v1/sync", content=endless(), headers=OCTETS)
    assert (answer.status_code, code(answer)) == (413, "sync.too_large")


def test_a_decompression_bomb(office, van, unmoved):
    bomb = van.sealed(b"\0" * (wire.UNPACKED_BYTES_MAX + 1))
    assert len(bomb) < LIMIT
    answer = office.push(bomb)
    assert (answer.status_code, code(answer)) == (413, "sync.bomb")


@pytest.mark.parametrize("payload", [b"", b"\xc1", b"\x93\x01\x02\x03", b"\x00" * 50])
def test_a_signed_message_that_is_none(office, van, unmoved, payload):
    assert code(office.push(van.sealed(payload))) == "sync.malformed"


def test_an_unknown_dictionary(office, van, unmoved):
    to = seal.audience(van.invitation.seal_key)
    header = seal.Header(van.log, "request", to, 99)
    token = seal.sign(wire.pack(plain(van), 0), van.identity, header)
    frames = wire.join_frames([seal.seal(token, van.invitation.seal_key, "request")])
    assert code(office.push(frames)) == "sync.dictionary"


def test_a_chain_that_does_not_fit(office, van, unmoved):
    batch = Batch(van.proved + 1, b"wrong---", b"wrong---", [van.entries[-1].data])
    assert code(office.push(van.sealed(plain(van, batch)))) == "sync.chain"


def test_what_an_enrolment_is_for_is_not_a_request(office, van, unmoved):
    assert code(office.push(wire.join_frames([van.asking()]))) in ("sync.seal", "sync.signature")
    assert code(office.enrol(body(van))).startswith("sync.")


def test_anything_at_all_posted_to_enrol(office, van, unmoved):
    for junk in (b"", b"{}", b"\0" * 1000, b"\x01\x05" + b"x" * 400):
        assert code(office.enrol(junk)).startswith("sync.")


def test_the_same_request_twice_has_one_effect(office):
    van = office.van("Si Jola 2")
    record = van.take_in(7)
    first = body(van)
    assert office.push(first).status_code == 200
    before = standing(office)
    assert office.push(first).status_code == 200
    assert standing(office) == before
    office.sync(van)
    assert van.outcome(van.last).state == "applied"
    assert record in van.snapshot.records


def test_a_forged_reply_is_refused_by_the_laptop(office):
    """The other direction: what no key of central signed for this request acts on nothing."""
    van = office.van("Si Jola 3")
    van.take_in(1)
    exchange = van.exchange()
    real = office.push(van.request_body(exchange)).content
    (frame, *_) = wire.split_frames(real)
    token = seal.unseal(frame, van.identity, "reply")
    header, packed = seal.verify(
        token, van.invitation.sign_key, "reply", seal.audience(van.identity.seal_key)
    )
    fake = Identity(b"k" * 32, b"l" * 32)
    forged = seal.sign(packed, fake, header)
    resealed = wire.join_frames([seal.seal(forged, van.identity.seal_key, "reply")])
    with pytest.raises(Problem) as refused:
        van.receive(exchange, resealed)
    assert refused.value.code == "sync.signature"
    assert van.proved == 0
    other = van.exchange()
    other.request([], van.clock)
    with pytest.raises(Problem) as refused:
        van.receive(other, real)
    assert refused.value.code in ("sync.forged_reply", "sync.not_for_us")
    assert van.proved == 0
    van.receive(exchange, real)
    assert van.proved == van.last


# -- numbers and names that no program of ours says

HUGE, LEAST = (1 << 64) - 1, -(1 << 63)
CANARY = "827203KENARI0001"
NAME = hashlib.shake_256(b"name").digest(20_000)


def saying(**about: Any) -> Request:
    cursor = about.pop("cursor", Cursor())
    return msgspec.structs.replace(
        Request(1, "b", 0, cursor, 1 << 20, None, sight=Sight()), **about
    )


STRANGE = {
    "number": saying(number=HUGE, budget=HUGE, at=HUGE),
    "least": saying(number=LEAST, budget=LEAST, at=LEAST),
    "build": saying(build="\0" * 5000),
    "beyond": saying(cursor=Cursor(b"", HUGE)),
    "before": saying(cursor=Cursor(b"", LEAST)),
    "elsewhere": saying(cursor=Cursor(NAME, HUGE, NAME)),
    "files": saying(blobs=[NAME, b""] * 400),
    "scope": saying(sight=Sight(HUGE, [(VILLAGE, HUGE)])),
    "marks": saying(sight=Sight(LEAST, [(VILLAGE, LEAST)])),
    "cells": saying(sight=Sight(1, [(CANARY, 0), ("\0", 5), (VILLAGE, 0), (VILLAGE, 7)])),
    "sums": saying(sight=Sight(1, [], total=NAME, repairs=[CANARY, "\0"] * 400)),
    "repairs": saying(sight=Sight(1, [(CANARY, 0)] * 900, repairs=[CANARY])),
    "recent": saying(sight=Sight(1, recent=(HUGE, HUGE))),
    "recent-before": saying(sight=Sight(1, recent=(LEAST, LEAST))),
    "reference": saying(sight=Sight(1, reference=(0, HUGE, HUGE), rosters=[NAME, b""])),
    "reference-before": saying(sight=Sight(1, reference=(LEAST, LEAST, LEAST))),
}


@pytest.mark.parametrize("name", STRANGE)
def test_whatever_a_laptop_says_of_itself_central_answers_and_goes_on(office, van, name):
    request = STRANGE[name]
    for cursor in (
        request.cursor,
        msgspec.structs.replace(request.cursor, incarnation=here(office)),
    ):
        asked = msgspec.structs.replace(request, cursor=cursor)
        answer = office.push(van.sealed(encode(asked)))
        if answer.status_code != 200:
            assert code(answer) in ("sync.malformed", "sync.future_cursor"), answer.text
    office.sync(office.van(f"Sesudah {name}"))
    with office.central.registry.read() as door:
        assert CANARY not in str(door.trail(limit=10_000)), "a laptop writes nothing into the trail"


def here(office: Pusat) -> bytes:
    with office.central.registry.read() as door:
        return door.standing().incarnation


def test_a_laptop_that_reads_again_for_ever_does_not_fill_the_trail(office, van, monkeypatch):
    monkeypatch.setattr("server.database.registry.REPAIRS_A_DAY", 2)
    again = saying(sight=Sight(1, [(VILLAGE, 0)], repairs=[VILLAGE]))
    for _ in range(4):
        assert office.push(van.sealed(encode(again))).status_code == 200
    with office.central.registry.read() as door:
        trail = door.trail(target=van.device.hex(), limit=100)
    assert [e.action for e in trail].count("cell.repair") == 2


@pytest.mark.parametrize("version", [2, -1, 1 << 40_000, "x" * 9000, None, [1]], ids="abcdef")
def test_a_version_that_is_none_is_told_apart(office, van, version):
    """Before anything is verified: whoever has central's public key can send this."""
    about = [version, 0, b"12345678", 0]
    protected = cbor2.dumps({1: -8, 4: van.log, "jb": about})
    token = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, b"", bytes(64)]))
    frame = seal.seal(token, van.invitation.seal_key, "request")
    assert code(office.push(wire.join_frames([frame]))) == "sync.version"


@pytest.mark.parametrize("dictionary", [-5, 1 << 80, -(1 << 80), 7])
def test_a_dictionary_that_is_none_is_refused(office, van, unmoved, dictionary):
    to = seal.audience(van.invitation.seal_key)
    header = seal.Header(van.log, "request", to, dictionary)
    token = seal.sign(b"", van.identity, header)
    frame = seal.seal(token, van.invitation.seal_key, "request")
    answer = office.push(wire.join_frames([frame]))
    assert code(answer) in ("sync.dictionary", "sync.malformed")


def volume(van: Van, contents: Contents, *requests: Request) -> bytes:
    """A bundle of one volume, as the laptop's own key would close it."""
    to = van.invitation.seal_key
    frames = [bundle.frame(encode(contents), "contents", van.identity, to)]
    frames += [bundle.frame(encode(one), "request", van.identity, to) for one in requests]
    return bundle.close(frames, bundle.WORK, contents.bundle, 1, 1, to)


@pytest.mark.parametrize("name", STRANGE)
def test_whatever_a_stick_says_central_answers_and_goes_on(office, van, name):
    request = STRANGE[name]
    spans = [Span(NAME, LEAST, HUGE), Span(van.log, LEAST, HUGE)] * 100
    sight = request.sight or Sight()
    contents = Contents(name.encode()[:8].ljust(8, b"-"), HUGE, [spans], sight)
    answer = office.client.post(
        "/v1/bundles", content=volume(van, contents, request), headers=OCTETS
    )
    assert answer.status_code < 500, answer.text
    returned = office.client.get(f"/v1/bundles/{van.log.hex()}/return")
    assert returned.status_code < 500, returned.text
    with office.central.registry.read() as door:
        assert CANARY not in str(door.trail(limit=10_000))


@pytest.mark.parametrize("number", [LEAST, -1, HUGE])
def test_pieces_of_a_file_from_anywhere_are_no_reason_to_stop(office, van, number):
    """Not signed: anybody who has listened could put such a frame behind the laptop's first."""
    to = van.invitation.seal_key
    strange = [
        ("manifest", Manifest(NAME, number, NAME)),
        ("manifest", Manifest(b"m" * 32, number, b"h" * 32)),
        ("chunk", Chunk(NAME, number, b"x")),
        ("chunk", Chunk(b"m" * 32, number, b"")),
    ]
    frames = [seal.seal(encode(message), to, purpose) for purpose, message in strange]
    answer = office.push(body(van) + wire.join_frames(frames))
    assert answer.status_code == 200
    acks = wire.split_frames(answer.content)[-len(frames) :]
    assert all(frame[:1] != b"\0" for frame in acks), "no refusal, and each has its answer"
