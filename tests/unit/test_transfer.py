"""Files in pieces: any order, duplication and damage end with the same file or a precise list."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.problems import Problem
from sync import transfer
from sync.messages import BlobState, Chunk, Manifest
from sync.transfer import (
    CHUNK_BYTES,
    PAPERS,
    PREVIEWS,
    Arrival,
    Parcel,
    Piece,
    in_order,
    manifest_of,
    next_pieces,
)


def some_bytes(size: int, salt: int = 0) -> bytes:
    """Bytes that differ from chunk to chunk."""
    return hashlib.shake_256(f"{salt}-{size}".encode()).digest(size)


DATA = some_bytes(3 * CHUNK_BYTES + 1234)
MANIFEST = manifest_of(DATA)


def chunk(start: int, end: int, data: bytes = DATA) -> Chunk:
    return Chunk(MANIFEST.blob, start, data[start:end])


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


# -- names


def test_a_name_is_the_hash_of_size_and_chunk_hashes():
    hashes = b"".join(hashlib.sha256(c).digest() for c in transfer.split(DATA))
    size = len(DATA).to_bytes(8, "big")
    assert MANIFEST.blob == hashlib.sha256(size + hashes).digest()
    assert len(transfer.split(DATA)) == transfer.chunk_count(len(DATA)) == 4
    transfer.check_manifest(MANIFEST)


@pytest.mark.parametrize(
    "other",
    [
        Manifest(MANIFEST.blob, MANIFEST.size + 1, MANIFEST.hashes),
        Manifest(MANIFEST.blob, MANIFEST.size, flipped(MANIFEST.hashes, 40)),
        Manifest(MANIFEST.blob, MANIFEST.size, MANIFEST.hashes[:-32]),
        Manifest(flipped(MANIFEST.blob, 0), MANIFEST.size, MANIFEST.hashes),
        Manifest(MANIFEST.blob, 0, b""),
        Manifest(MANIFEST.blob, -5, b""),
        Manifest(MANIFEST.blob, 1 << 60, MANIFEST.hashes),
    ],
)
def test_a_manifest_that_is_not_of_the_name_is_refused(other):
    with pytest.raises(Problem, match=r"blob\.manifest"):
        transfer.check_manifest(other)


# -- ranges


RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def members(ranges):
    return {n for a, b in ranges for n in range(a, b)}


@given(RANGES, RANGES)
def test_ranges_are_sets_of_bytes(some, others):
    left = transfer.without(some, others)
    assert members(left) == members(some) - members(others)
    assert members(transfer.united(some)) == members(some)
    assert transfer.amount(transfer.united(some)) == len(members(some))
    assert transfer.united(left) == left


# -- coming in


def test_whole_chunks_in_order_make_the_file():
    arrival = Arrival(MANIFEST)
    stored: dict[int, bytes] = {}
    for index in range(4):
        stored |= dict(arrival.take(chunk(*transfer.chunk_range(len(DATA), index))).chunks)
    assert arrival.complete
    assert arrival.missing == []
    assert transfer.is_whole(MANIFEST, [stored[i] for i in range(4)])


def test_a_damaged_chunk_is_asked_for_again_alone():
    arrival = Arrival(MANIFEST)
    bad = flipped(DATA, CHUNK_BYTES + 7)
    taken = arrival.take(chunk(0, len(DATA), bad))
    assert taken.damaged == [1]
    assert [index for index, _ in taken.chunks] == [0, 2, 3]
    assert arrival.missing == [(CHUNK_BYTES, 2 * CHUNK_BYTES)]
    again = arrival.take(chunk(CHUNK_BYTES, 2 * CHUNK_BYTES))
    assert [index for index, _ in again.chunks] == [1]
    assert arrival.complete


def test_pieces_smaller_than_a_chunk_add_up_also_after_a_restart():
    arrival = Arrival(MANIFEST)
    kept = arrival.take(chunk(0, 5000)).parts
    kept += arrival.take(chunk(9000, 12000)).parts
    assert arrival.missing[0] == (5000, 9000)
    later = Arrival(MANIFEST, arrival.have, kept)
    assert later.missing == arrival.missing
    taken = later.take(chunk(5000, 9000))
    assert not taken.chunks
    (done,) = later.take(chunk(12000, CHUNK_BYTES)).chunks
    assert done == (0, DATA[:CHUNK_BYTES])


def test_parts_that_add_up_to_a_chunk_nobody_stored_are_wanted_again():
    parts = [transfer.Part(0, 0, DATA[:9000]), transfer.Part(0, 9000, DATA[9000:CHUNK_BYTES])]
    arrival = Arrival(MANIFEST, {1, 2, 3}, parts)
    assert arrival.missing == [(0, CHUNK_BYTES)]
    assert [index for index, _ in arrival.take(chunk(0, CHUNK_BYTES)).chunks] == [0]


def test_a_damaged_part_costs_its_own_chunk_only():
    arrival = Arrival(MANIFEST)
    arrival.take(chunk(0, 5000, flipped(DATA, 17)))
    taken = arrival.take(chunk(5000, CHUNK_BYTES))
    assert taken.damaged == [0]
    assert arrival.missing == [(0, len(DATA))]


@pytest.mark.parametrize("offset", [-1, len(DATA), len(DATA) - 3])
def test_bytes_outside_of_the_file_are_refused(offset):
    arrival = Arrival(MANIFEST)
    with pytest.raises(Problem, match=r"blob\.manifest"):
        arrival.take(Chunk(MANIFEST.blob, offset, b"1234"))


def test_a_file_that_is_only_the_right_chunks_in_another_order_is_not_whole():
    parts = transfer.split(DATA)
    assert not transfer.is_whole(MANIFEST, [parts[1], parts[0], *parts[2:]])
    assert not transfer.is_whole(MANIFEST, [*parts[:3], None])


@given(
    st.integers(1, 5 * CHUNK_BYTES),
    st.lists(
        st.tuples(st.integers(0, 5 * CHUNK_BYTES), st.integers(1, 40_000), st.booleans()),
        max_size=25,
    ),
    st.booleans(),
)
def test_any_pieces_end_with_the_file_or_a_precise_list_of_what_is_wanted(size, pieces, restart):
    """Pieces of any place and length, some twice, some damaged; sometimes the process ends."""
    data = some_bytes(size)
    manifest = manifest_of(data)
    arrival = Arrival(manifest)
    stored: dict[int, bytes] = {}
    parts: list[transfer.Part] = []

    def give(start: int, end: int, wrong: bool) -> None:
        sent = flipped(data, start) if wrong else data
        taken = arrival.take(Chunk(manifest.blob, start, sent[start:end]))
        stored.update(taken.chunks)
        finished = {*stored, *taken.damaged}
        parts[:] = [p for p in [*parts, *taken.parts] if p.index not in finished]

    for start, length, wrong in pieces:
        start %= size
        give(start, min(size, start + length), wrong)
        if restart:
            arrival = Arrival(manifest, stored, parts)
        for index, chunk_ in stored.items():
            first, last = transfer.chunk_range(size, index)
            assert chunk_ == data[first:last]
    for _ in range(3):  # parts that were wrong show when their chunk is complete
        for start, end in arrival.missing:
            give(start, end, False)
    assert arrival.complete
    assert transfer.is_whole(manifest, [stored[i] for i in range(transfer.chunk_count(size))])
    assert b"".join(stored[i] for i in sorted(stored)) == data


# -- going out


def parcel(number, lane=PAPERS, person=b"a", due="", size=40_000, missing=None, known=False):
    missing = ((0, size),) if missing is None else missing
    return Parcel(bytes([number]) * 32, lane, due, person, number, size, missing, known)


def order(parcels):
    return [p.number for p in in_order(parcels)]


def test_previews_of_everybody_go_before_the_first_paper():
    mine = [parcel(1), parcel(2, PREVIEWS), parcel(3, person=b"b"), parcel(4, PREVIEWS, b"b")]
    assert order(mine) == [2, 4, 1, 3]


def test_papers_go_by_due_date_and_person_by_person():
    late, soon = "2026-12-30", "2026-12-01"
    mine = [
        parcel(1, person=b"a", due=late),
        parcel(2, person=b"b", due=soon),
        parcel(3, person=b"a", due=late),
        parcel(4, person=b"c"),
        parcel(5, person=b"b", due=late),
    ]
    assert order(mine) == [2, 5, 1, 3, 4]


def test_a_person_who_was_begun_is_finished_first():
    begun = parcel(2, person=b"b", missing=((CHUNK_BYTES, 40_000),), known=True)
    mine = [parcel(1, person=b"a", due="2026-12-01"), parcel(3, person=b"b"), begun]
    assert order(mine) == [2, 3, 1]


def test_a_person_of_whom_something_arrived_is_finished_first():
    mine = [
        parcel(1, person=b"a", due="2026-12-01"),
        msgspec.structs.replace(parcel(2, person=b"b"), follows=True),
    ]
    assert order(mine) == [2, 1]


def test_pieces_end_at_chunks_and_fit_the_room():
    found = next_pieces([parcel(1), parcel(2)], room=50_000, most=CHUNK_BYTES)
    one, two = bytes([1]) * 32, bytes([2]) * 32
    assert found == [
        Piece(one, 0, 16384, True),
        Piece(one, 16384, 32768),
        Piece(one, 32768, 40000),
        Piece(two, 0, 16384, True),
    ]


def test_a_slow_link_gets_pieces_smaller_than_a_chunk():
    most = transfer.piece_bytes(250.0)  # 2 kbit/s
    assert most == 2500
    (only,) = next_pieces([parcel(1)], room=1, most=most)
    assert (only.start, only.end) == (0, 2500)
    assert transfer.piece_bytes(12_500.0) == 7 * CHUNK_BYTES
    assert transfer.piece_bytes(0.0) == transfer.PIECE_BYTES_MIN


def test_only_the_lanes_that_were_asked_for():
    mine = in_order([parcel(1), parcel(2, PREVIEWS)])
    assert {p.blob[0] for p in next_pieces(mine, 1 << 30, lanes=[PREVIEWS])} == {2}


@given(st.integers(1, 100_000), st.integers(1, 60_000), RANGES)
def test_pieces_cover_exactly_what_is_missing(size, most, holes):
    missing = tuple(transfer.united((a * 1500, b * 1500) for a, b in holes))
    one = parcel(1, size=100_000, missing=missing)
    found = next_pieces([one], 1 << 30, most)
    assert transfer.united((p.start, p.end) for p in found) == list(missing)
    assert sum(p.end - p.start for p in found) == transfer.amount(missing)
    assert all(0 < p.end - p.start <= most for p in found)


def test_a_parcel_follows_the_word_of_central():
    one = parcel(1)
    partly = transfer.after(one, BlobState(one.blob, [(5, 10)], known=True))
    assert (partly.missing, partly.known, partly.begun) == (((5, 10),), True, True)
    assert transfer.after(partly, BlobState(one.blob, [])).missing == ((0, 40_000),)
    assert transfer.after(partly, BlobState(one.blob, [], verified=True)).missing == ()
    assert not transfer.sane(BlobState(one.blob, [(0, 40_001)]), 40_000)
