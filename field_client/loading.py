"""Loading: what goes on a stick, in the order of its worth, as the network would carry it.

First the entries of the log in signed requests, then the files of requests: everybody's previews,
then the papers by the day they are due. A stick carries whatever central has not proved to hold,
also what an earlier stick or a broken connection may have brought already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from field_client.build import version
from field_client.desk import Desk
from field_client.vault.logs import OwnLog
from models.problems import Problem
from models.words import size as in_words
from sync import bundle, messages, seal
from sync.logs import HEAD_WIRE_BYTES
from sync.messages import Batch, Chunk, Manifest, Request, Span
from sync.transfer import Piece, in_order, next_pieces

BATCH_BYTES = 512 * 1024
"""Of entries in one request on a stick, before compression."""

PIECE_BYTES = 64 * 1024
FILES_MAX = 20_000
FRAME_LENGTH = 4
_FILE_EXTRA = 200
"""What a piece of a file takes beside its bytes and the hashes of its manifest, at most."""

_SPAN_BYTES = 40


class Load(msgspec.Struct, frozen=True):
    """Frames that go together. size: theirs with their lengths, at most; make: gives them when
    their turn has come. span: the entries they carry."""

    size: int
    make: Callable[[], list[bytes]]
    span: Span | None = None


def requests(desk: Desk, log: OwnLog) -> list[Load]:
    """The log's unproved entries; at least one request, so that central hears how far this laptop
    has read."""
    store = desk.store
    position = store.position(log.id)
    number, after, prev = position.number, position.stored, position.stored_head
    loads: list[Load] = []
    while True:
        entries = store.pending(after, BATCH_BYTES, log.id)
        if not entries and loads:
            break
        number += 1
        span = batch = None
        if entries:
            first, last, head = entries[0].seq, entries[-1].seq, entries[-1].head
            data = [entry.data for entry in entries]
            batch = Batch(first, prev[:HEAD_WIRE_BYTES], head[:HEAD_WIRE_BYTES], data)
            span, after, prev = Span(log.id, first, last), last, head
        at = desk.facts().at
        request = messages.encode(Request(number, version(), at, position.cursor, 0, batch))
        frame = bundle.frame(request, "request", log.identity, desk.invitation().seal_key)
        loads.append(Load(len(frame) + FRAME_LENGTH, _just(frame), span))
        if not entries:
            break
    store.requested(number, log.id)
    return loads


def _just(frame: bytes) -> Callable[[], list[bytes]]:
    return lambda: [frame]


def files(desk: Desk, logs: Sequence[OwnLog]) -> list[Load]:
    """Pieces of the files that these logs speak of and central lacks."""
    attached, central = desk.store.attached, desk.invitation().seal_key
    attached.begin(desk.store.position().cursor.incarnation)
    parcels = {p.blob: p for log in logs for p in attached.parcels(log.id, log.seq, FILES_MAX)}
    ordered = in_order(list(parcels.values()))
    room = sum(parcel.size for parcel in ordered)
    return [_piece(desk, piece, central) for piece in next_pieces(ordered, room, PIECE_BYTES)]


def _piece(desk: Desk, piece: Piece, central: bytes) -> Load:
    """A piece brings its manifest along, so that its volume can be read before the others."""
    manifest = desk.store.attached.manifest(piece.blob)
    assert manifest is not None
    size = len(manifest.hashes) + piece.end - piece.start + _FILE_EXTRA + 2 * FRAME_LENGTH
    return Load(size, lambda: _framed(desk, manifest, piece, central))


def _framed(desk: Desk, manifest: Manifest, piece: Piece, central: bytes) -> list[bytes]:
    """Nothing for a file whose copy here is damaged: the others go on."""
    try:
        data = desk.blobs.read(piece.blob, manifest.size, piece.start, piece.end)
    except Problem:
        return []
    desk.store.attached.sending([piece.blob])
    said = {"manifest": manifest, "chunk": Chunk(piece.blob, piece.start, data)}
    return [seal.seal(messages.encode(one), central, kind) for kind, one in said.items()]


# -- how much


def within(loads: Sequence[Load], lead: int, limit: int | None, most: int) -> list[Load]:
    """As many loads from the beginning as fit into `limit` bytes of volumes; at least one. lead:
    bytes that every volume begins with; most: bytes of a volume."""
    if limit is None:
        return list(loads)
    used = volumes = 0
    kept: list[Load] = []
    for load in loads:
        used += load.size
        volumes = used // max(1, most // 2) + 1
        room = lead + contents_room(len(kept) + 1, used, most) + bundle.OVERHEAD
        if used + volumes * room > limit:
            break
        kept.append(load)
    if not kept:
        raise Problem("usb.full", need=in_words(used + lead), free=in_words(limit))
    return kept


def contents_room(spans: int, size: int, most: int) -> int:
    """Bytes that the list of contents takes at most in every volume."""
    return 768 + _SPAN_BYTES * spans + 4 * (2 * size // max(most, 1) + 2)
