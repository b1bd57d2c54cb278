"""Transfer: files in pieces, by any road, in any order, any number of times.

A file is named by its content: the SHA-256 of its size and of the hashes of its chunks. The name
stands in a signed change, so nothing else has to be signed: the hashes prove the manifest, and each
hash its chunk. A chunk that was damaged on the way is seen at its own number and asked for again
alone. Only a file that hashes to its whole name counts as arrived.

Pure: what has to be read, written or sent is said as data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from models.problems import Problem
from sync.messages import BlobState, Chunk, Manifest

CHUNK_BYTES = 16 * 1024
HASH_BYTES = 32
BLOB_BYTES_MAX = 2 * 1024 * 1024
PIECE_SECONDS = 10
"""A piece takes at most so long on the measured link; nothing more urgent waits behind more."""

PIECE_BYTES_MIN = 1024
RANGES_MAX = 64
"""Ranges named at once; a file with more holes is asked for in several rounds."""

PREVIEWS, PAPERS = 2, 3
"""Lanes of files. 0 and 1 are outcomes, orders and changes, which always go first."""

Range = tuple[int, int]
"""Bytes [start, end) of a file."""


# -- names


def blob_name(size: int, hashes: bytes) -> bytes:
    """Name of a file: 32 bytes."""
    return hashlib.sha256(size.to_bytes(8, "big") + hashes).digest()


def manifest_of(data: bytes) -> Manifest:
    """What a file consists of."""
    hashes = b"".join(hashlib.sha256(chunk).digest() for chunk in split(data))
    return Manifest(blob_name(len(data), hashes), len(data), hashes)


def split(data: bytes) -> list[bytes]:
    """The chunks of a file."""
    return [data[i : i + CHUNK_BYTES] for i in range(0, len(data), CHUNK_BYTES)]


def chunk_count(size: int) -> int:
    """How many chunks a file of so many bytes has."""
    return -(-size // CHUNK_BYTES)


def chunk_range(size: int, index: int) -> Range:
    """Where chunk `index` lies."""
    return index * CHUNK_BYTES, min(size, (index + 1) * CHUNK_BYTES)


def check_manifest(manifest: Manifest) -> None:
    """Problem blob.manifest unless the hashes are those of the file of that name."""
    size, hashes = manifest.size, manifest.hashes
    if not 0 < size <= BLOB_BYTES_MAX or len(hashes) != chunk_count(size) * HASH_BYTES:
        raise Problem("blob.manifest")
    if blob_name(size, hashes) != manifest.blob:
        raise Problem("blob.manifest")


def chunk_hash(manifest: Manifest, index: int) -> bytes:
    """Hash of chunk `index`."""
    return manifest.hashes[index * HASH_BYTES : (index + 1) * HASH_BYTES]


def is_chunk(manifest: Manifest, index: int, data: bytes) -> bool:
    """Are these the bytes of chunk `index`?"""
    return hashlib.sha256(data).digest() == chunk_hash(manifest, index)


def is_whole(manifest: Manifest, chunks: Iterable[bytes | None]) -> bool:
    """Do these chunks, in order, hash to the file's name? None stands for one that is not there."""
    digest, size = b"", 0
    for chunk in chunks:
        if chunk is None:
            return False
        digest += hashlib.sha256(chunk).digest()
        size += len(chunk)
    return blob_name(size, digest) == manifest.blob


# -- ranges


def united(ranges: Iterable[Range]) -> list[Range]:
    """The same bytes in as few ranges as possible, in order."""
    found: list[Range] = []
    for start, end in sorted(r for r in ranges if r[0] < r[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def without(ranges: Iterable[Range], gone: Iterable[Range]) -> list[Range]:
    """The bytes of `ranges` that are not in `gone`."""
    left = united(ranges)
    for start, end in united(gone):
        cut: list[Range] = []
        for a, b in left:
            cut += [(a, min(b, start)), (max(a, end), b)]
        left = [(a, b) for a, b in cut if a < b]
    return left


def amount(ranges: Iterable[Range]) -> int:
    """Number of bytes in disjoint ranges."""
    return sum(end - start for start, end in ranges)


# -- coming in


class Part(msgspec.Struct, frozen=True, array_like=True):
    """Bytes inside one chunk that is not complete: on slow links a piece is less than a chunk.
    start: counted from the beginning of the chunk."""

    index: int
    start: int
    data: bytes


class Taken(msgspec.Struct):
    """What some bytes brought. chunks: whole ones, proved by their hash, to be stored. parts: of
    chunks that are not complete, to be kept. damaged: chunks whose bytes were wrong; their parts
    are forgotten and they are wanted again. known: bytes that were there already."""

    chunks: list[tuple[int, bytes]] = []
    parts: list[Part] = []
    damaged: list[int] = []
    known: int = 0


class Arrival:
    """One file on its way in. `have`: chunks that are stored. `parts`: kept of incomplete ones."""

    def __init__(
        self, manifest: Manifest, have: Iterable[int] = (), parts: Iterable[Part] = ()
    ) -> None:
        check_manifest(manifest)
        self.manifest = manifest
        self.have = set(have)
        self._begun: dict[int, tuple[bytearray, list[Range]]] = {}
        for part in parts:
            if part.index in self.have or not self._fits(part):
                continue
            if self._put(part) is not None:  # complete, yet the chunk was not stored: once more
                del self._begun[part.index]

    def take(self, chunk: Chunk) -> Taken:
        """Sort bytes that came. Problem blob.manifest for bytes outside of the file."""
        end = chunk.offset + len(chunk.data)
        if chunk.blob != self.manifest.blob or not 0 <= chunk.offset < end <= self.manifest.size:
            raise Problem("blob.manifest")
        taken = Taken()
        for index in range(chunk.offset // CHUNK_BYTES, chunk_count(end)):
            first, last = chunk_range(self.manifest.size, index)
            start, stop = max(first, chunk.offset), min(last, end)
            data = chunk.data[start - chunk.offset : stop - chunk.offset]
            self._take_part(Part(index, start - first, data), taken)
        return taken

    def _take_part(self, part: Part, taken: Taken) -> None:
        if part.index in self.have:
            taken.known += len(part.data)
            return
        first, last = chunk_range(self.manifest.size, part.index)
        data = part.data if len(part.data) == last - first else self._put(part)
        if data is None:
            taken.parts.append(part)
            return
        self._begun.pop(part.index, None)
        if is_chunk(self.manifest, part.index, data):
            self.have.add(part.index)
            taken.chunks.append((part.index, data))
        else:
            taken.damaged.append(part.index)

    def _fits(self, part: Part) -> bool:
        count = chunk_count(self.manifest.size)
        first, last = chunk_range(self.manifest.size, part.index)
        return 0 <= part.index < count and 0 <= part.start < part.start + len(part.data) <= (
            last - first
        )

    def _put(self, part: Part) -> bytes | None:
        """Lay a part into its chunk; gives the chunk's bytes when all of them are there."""
        first, last = chunk_range(self.manifest.size, part.index)
        room, covered = self._begun.get(part.index, (bytearray(last - first), []))
        end = part.start + len(part.data)
        room[part.start : end] = part.data
        covered = united([*covered, (part.start, end)])
        self._begun[part.index] = (room, covered)
        return bytes(room) if covered == [(0, last - first)] else None

    @property
    def complete(self) -> bool:
        """Every chunk is stored. Whether it is the file is known when all were read back."""
        return len(self.have) == chunk_count(self.manifest.size)

    @property
    def missing(self) -> list[Range]:
        """Byte ranges still wanted."""
        size = self.manifest.size
        wanted: list[Range] = []
        for index in range(chunk_count(size)):
            if index in self.have:
                continue
            first, last = chunk_range(size, index)
            _, covered = self._begun.get(index, (b"", []))
            wanted += without([(first, last)], [(first + a, first + b) for a, b in covered])
        return united(wanted)


def state_of(arrival: Arrival) -> BlobState:
    """What central says of a file that is on its way."""
    return BlobState(arrival.manifest.blob, arrival.missing[:RANGES_MAX], known=True)


# -- going out


class Parcel(msgspec.Struct, frozen=True):
    """A file that central does not have yet.

    lane: PREVIEWS or PAPERS. due: last day for its request, ISO; empty when there is none. person:
    whose it is; all of one person's files go before the next one's. number: grows in the order the
    files were taken in. known: central has the manifest. missing: byte ranges to send. follows:
    another file of this person is at central already.
    """

    blob: bytes
    lane: int
    due: str
    person: bytes
    number: int
    size: int
    missing: tuple[Range, ...]
    known: bool = False
    follows: bool = False

    @property
    def begun(self) -> bool:
        """Part of it, or of what belongs to it, is at central."""
        return self.follows or (self.known and amount(self.missing) < self.size)


def in_order(parcels: Sequence[Parcel]) -> list[Parcel]:
    """As they are to be sent: previews of everybody, then the papers person by person, a person
    who was begun first, then by the day they are due."""
    places: dict[tuple[int, bytes], tuple[bool, str, int]] = {}
    for one in parcels:
        waits, due, number = places.get((one.lane, one.person), (True, "9", one.number))
        waits = waits and not one.begun
        places[one.lane, one.person] = waits, min(due, one.due or "9"), min(number, one.number)
    return sorted(
        parcels, key=lambda p: (p.lane, places[p.lane, p.person], p.person, not p.begun, p.number)
    )


class Piece(msgspec.Struct, frozen=True):
    """Bytes [start, end) of a file to be sent next; first: its manifest goes before them."""

    blob: bytes
    start: int
    end: int
    first: bool = False


def piece_bytes(rate: float) -> int:
    """Bytes of one piece on a link of `rate` bytes a second: whole chunks where it is fast."""
    room = int(rate * PIECE_SECONDS)
    if room >= CHUNK_BYTES:
        return room // CHUNK_BYTES * CHUNK_BYTES
    return max(PIECE_BYTES_MIN, room)


def next_pieces(
    ordered: Sequence[Parcel], room: int, most: int = CHUNK_BYTES, lanes: Sequence[int] = ()
) -> list[Piece]:
    """The next pieces, about `room` bytes of them and at least one, each at most `most` bytes and
    ending where a chunk ends if it can. ordered: as `in_order` gave it. lanes: only these."""
    found: list[Piece] = []
    for parcel in ordered:
        if lanes and parcel.lane not in lanes:
            continue
        first = not parcel.known
        for start, end in parcel.missing:
            at = start
            while at < end:
                if found and room <= 0:
                    return found
                stop = _stop(at, end, most)
                found.append(Piece(parcel.blob, at, stop, first))
                room -= stop - at
                first = False
                at = stop
    return found


def _stop(at: int, end: int, most: int) -> int:
    """End of a piece that begins at `at`: the last chunk boundary within reach, or just as far as
    it goes."""
    furthest = min(end, at + most)
    boundary = furthest // CHUNK_BYTES * CHUNK_BYTES
    return boundary if at < boundary < end else furthest


def after(parcel: Parcel, state: BlobState) -> Parcel:
    """The parcel as it stands after central's word on it."""
    missing = () if state.verified else tuple((a, b) for a, b in state.missing)
    if not state.verified and not state.known:
        missing = ((0, parcel.size),)
    return msgspec.structs.replace(parcel, known=state.known or state.verified, missing=missing)


def sane(state: BlobState, size: int) -> bool:
    """Does the state speak of bytes that the file has? Anything else is not acted upon."""
    return all(0 <= a < b <= size for a, b in state.missing)


def by_blob(states: Iterable[BlobState]) -> Mapping[bytes, BlobState]:
    """States by name; of two about one file the later one counts."""
    return {state.blob: state for state in states}
