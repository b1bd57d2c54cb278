"""Sending: which piece of which file goes next, and what central says became of it.

Files follow the changes: nothing of theirs is made while an entry of the log waits. Previews of
everybody come first, then the papers by the day they are due, one person finished before the next.
What was sent before a connection broke is asked about before any of it is sent again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec

from field_client.vault.blobs import Blobs
from field_client.vault.store import Store
from models.problems import Problem
from sync import messages, seal
from sync.messages import BlobState, Checkpoint, Chunk
from sync.transfer import (
    PREVIEWS,
    Parcel,
    Piece,
    by_blob,
    in_order,
    next_pieces,
    sane,
    united,
    without,
)

ALTERED_MAX = 30
"""Pieces of one sync that may come damaged before the road counts as broken."""


class Sent(msgspec.Struct):
    """What a sync did with files.

    files: proved whole by it. bytes: of pieces that central took. left, left_bytes: still to be
    sent. stopped: codes of why central takes no more of some for now. altered: pieces that were
    damaged on the way and sent again. damaged: files whose copy on this laptop cannot be read.
    deleted: gone from here after central and its backup have them.
    """

    files: int = 0
    bytes: int = 0
    left: int = 0
    left_bytes: int = 0
    stopped: list[str] = []
    altered: int = 0
    damaged: int = 0
    deleted: int = 0


class Sending:
    """The files of one log on one connection. Not for several threads at once.

    central: its X25519 key. lanes: only these; empty for all. After a broken connection call
    `begin` again.
    """

    def __init__(
        self, store: Store, blobs: Blobs, log: bytes, central: bytes, lanes: Sequence[int] = ()
    ) -> None:
        self.store = store
        self.blobs = blobs
        self.log = log
        self.central = central
        self.lanes = tuple(lanes)
        self.sent = Sent()
        self._queue: list[Parcel] = []
        self._on_the_way: deque[Piece | None] = deque()
        self._doubtful: set[bytes] = set()
        self._went: set[bytes] = set()
        self._left_out: set[bytes] = set()
        self._upto = 0

    def begin(self) -> None:
        """A new connection: what is on its way there is unknown until central says it."""
        self.store.attached.begin(self.store.position(self.log).cursor.incarnation)
        self._on_the_way.clear()
        self._went.clear()
        self._queue = []
        self._upto = 0
        self._doubtful = set(self.store.attached.doubtful())

    def asks(self) -> list[bytes]:
        """Files whose state has to be known before more of them is sent, for the next request."""
        return sorted(self._doubtful)

    def announced(self, upto: int) -> None:
        """Everything up to entry `upto` is on its way: what these speak of may follow."""
        if upto != self._upto:
            self._upto = upto
            self._load()

    @property
    def idle(self) -> bool:
        """Nothing is left to be sent and nothing waits for an answer."""
        return not (self._queue or self._on_the_way or self._doubtful)

    @property
    def waiting(self) -> bool:
        """Something could be sent now."""
        return any(parcel.missing for parcel in self._queue)

    # -- up

    def frames(self, room: int, most: int) -> list[bytes]:
        """Sealed frames with about `room` bytes of files and at least one piece, none of them with
        more than `most`; none when there is nothing to send."""
        pieces = next_pieces(self._queue, room, most, self.lanes)
        self.store.attached.sending({piece.blob for piece in pieces})
        self._went |= {piece.blob for piece in pieces}
        found: list[bytes] = []
        for piece in pieces:
            found += self._framed(piece)
        return found

    def _framed(self, piece: Piece) -> list[bytes]:
        place = next((n for n, p in enumerate(self._queue) if p.blob == piece.blob), None)
        if place is None:
            return []  # an earlier piece of it could not be read
        parcel = self._queue[place]
        try:
            data = self.blobs.read(piece.blob, parcel.size, piece.start, piece.end)
        except Problem:
            self._give_up(place)
            return []
        frames = []
        if piece.first:
            manifest = self.store.attached.manifest(piece.blob)
            assert manifest is not None
            frames.append(self._seal(manifest, "manifest"))
            self._on_the_way.append(None)
        frames.append(self._seal(Chunk(piece.blob, piece.start, data), "chunk"))
        self._on_the_way.append(piece)
        left = tuple(without(parcel.missing, [(piece.start, piece.end)]))
        self._queue[place] = msgspec.structs.replace(parcel, missing=left, known=True)
        return frames

    def _seal(self, message: msgspec.Struct, purpose: str) -> bytes:
        """Not signed: the name of the file stands in a signed change of this log."""
        return seal.seal(messages.encode(message), self.central, purpose)

    def _give_up(self, place: int) -> None:
        """A file that cannot be read here: the others go on, the operator is told."""
        self._left_out.add(self._queue[place].blob)
        del self._queue[place]
        self.sent.damaged += 1

    def _load(self) -> None:
        ready = self.store.attached.parcels(self.log, self._upto)
        left_out = self._doubtful | self._left_out
        self._queue = in_order(
            [
                p for p in ready
                if p.blob not in left_out and (not self.lanes or p.lane in self.lanes)
            ]
        )  # fmt: skip

    # -- down

    def acknowledged(self, states: Sequence[BlobState], checkpoint: Checkpoint) -> None:
        """Central's signed answer to the oldest frame on its way."""
        piece = self._on_the_way.popleft() if self._on_the_way else None
        if piece is not None:
            if not states:
                self._again(piece)
            else:
                self.sent.bytes += piece.end - piece.start
        self._hear(states, checkpoint)

    def _again(self, piece: Piece) -> None:
        """A piece was altered on the way. Problem sync.seal when the road does that to most."""
        self.sent.altered += 1
        if self.sent.altered > ALTERED_MAX:
            raise Problem("sync.seal")
        for place, parcel in enumerate(self._queue):
            if parcel.blob == piece.blob:
                missing = tuple(united([*parcel.missing, (piece.start, piece.end)]))
                self._queue[place] = msgspec.structs.replace(parcel, missing=missing)

    def answered(self, states: Sequence[BlobState], checkpoint: Checkpoint) -> None:
        """Central's signed answer to the request that asked about files. What it says unasked, of
        files that it lost, it says before it saw what went out meanwhile."""
        asked, self._doubtful = self._doubtful, set()
        news = [one for one in states if one.blob in asked or one.blob not in self._went]
        self._hear(news, checkpoint)
        if asked and self._upto:
            self._load()

    def _hear(self, states: Sequence[BlobState], checkpoint: Checkpoint) -> None:
        if not states:
            return
        self.sent.files += len(self.store.attached.hear(states, checkpoint))
        for name, state in by_blob(states).items():
            self._follow(name, state)
        refused = {state.problem for state in states if state.problem}
        self.sent.stopped = sorted({*self.sent.stopped, *refused})
        if not self._queue and self._upto:
            self._load()

    def _follow(self, name: bytes, state: BlobState) -> None:
        """Bring the queue in line with the word of central: what it lacks although it was sent
        before the piece that was just answered is sent again."""
        place = next((n for n, p in enumerate(self._queue) if p.blob == name), None)
        if place is None:
            return
        parcel = self._queue[place]
        flying = [(p.start, p.end) for p in self._on_the_way if p is not None and p.blob == name]
        wanted = state.missing if state.known else [(0, parcel.size)]
        missing = tuple(without(wanted, flying))
        over = state.verified or state.problem or not sane(state, parcel.size)
        if over or not (missing or flying):
            del self._queue[place]
            self._left_out |= set() if state.verified else {name}  # asked about at the next sync
            return
        known = state.known or bool(flying)
        self._queue[place] = msgspec.structs.replace(parcel, missing=missing, known=known)


def lanes_of(changes_only: bool) -> tuple[int, ...]:
    """Which lanes may be used: with `changes_only` previews, which are small, and no papers."""
    return (PREVIEWS,) if changes_only else ()
