"""Reception: central's side of a sync, whatever road the bytes took.

Open, verify, store, and only then answer: a signed reply says nothing that was not committed. A key
that central once certified goes through the whole of intake whatever became of its laptop; the
laptop's state changes outcomes, not the willingness to keep what it brings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from models.problems import Problem
from server.arrivals import Arrivals
from server.ledger import Door, Ledger, Registry, Scope, Standing, Stored
from server.recents import Recents, pages_with
from server.reference import pieces
from server.telling import PAGE_BYTES, differing, echoed, fills, pages_of, visible_parts
from server.visit import Visit
from sync import messages, seal, wire
from sync.identity import Identity
from sync.known import LogState
from sync.lineage import BLOCK_BITS
from sync.logs import HEAD_WIRE_BYTES, log_id
from sync.messages import (
    OWN,
    BlobState,
    Checkpoint,
    Chunk,
    Cursor,
    Echo,
    Manifest,
    Order,
    Page,
    Reply,
    Request,
    Sight,
    Territory,
)
from sync.pull import runs

REPLY_BYTES_MAX = 2 * 1024 * 1024

SERVER_SEQ_MAX = 1 << 62
"""No database numbers further."""

OUT_OF_HAND = ("lost", "retired")
"""States of a laptop that may be in anybody's hands: nothing personal goes to it any more."""


class Reception:
    """Answers laptops. `clock` gives Unix seconds; it labels, it decides nothing. arrivals: takes
    files in. ready: raises Problem while intake is closed (after a restore). recents: of the index
    that laptops carry; None where there is none."""

    def __init__(
        self,
        registry: Registry,
        ledger: Ledger,
        identity: Identity,
        clock: Callable[[], int],
        arrivals: Arrivals | None = None,
        ready: Callable[[], None] = lambda: None,
        recents: Recents | None = None,
    ) -> None:
        self.registry = registry
        self.ledger = ledger
        self.identity = identity
        self.clock = clock
        self.arrivals = arrivals
        self.ready = ready
        self.recents = recents

    def visit(self) -> Visit:
        """A laptop begins to send: its frames go to what this gives, one at a time."""
        return Visit(self)

    def answer(self, body: bytes) -> bytes:
        """The sealed answers to a whole body, for roads that do not stream. Raises Problem at the
        first frame that is not in order; what the frames before it brought is stored."""
        visit = self.visit()
        frames = wire.split_frames(body)
        if not frames:
            raise Problem("sync.malformed")
        return wire.join_frames([answer for frame in frames for answer in visit.take(frame)])

    def known(self, name: bytes) -> LogState:
        """The log of that name. Problem sync.unknown_device where it is not a laptop's."""
        with self.registry.read() as door:
            log = door.log(name)
        if log is None or log.central:
            raise Problem("sync.unknown_device")
        return log

    def open(self, token: bytes) -> tuple[LogState, bytes]:
        """The log that signed a request and the request's payload, both verified."""
        log = self.known(seal.peek(token).signer)
        to = seal.audience(self.identity.seal_key)
        header, packed = seal.verify(token, log.key, "request", to)
        return log, wire.unpack(packed, header.dictionary)

    def respond(
        self, name: bytes, request: Request, request_name: bytes
    ) -> tuple[Reply, list[Page]]:
        """Store what the request brings, then say what central knows. Plain messages: signing and
        sealing are around this."""
        self.ready()
        at = self.clock()
        stored = None

        def note(door: Door) -> None:
            not_ahead(request.cursor, door.standing())
            not_aside(door, request.cursor)
            told = request.build, request.at, request.cursor.server_seq
            door.heard(name, at, *told, request.health)
            again = _begun_again(request.sight)
            log = door.log(name) if again else None
            if log is not None:  # words of a laptop's own choice have no place in the trail
                again &= {OWN, *door.scope(log.device, at).villages}
            if again:
                door.repairing(name, sorted(again), at)

        if request.batch is not None and request.batch.entries:
            stored = self._store(name, request, at, note)
        if stored is None:
            with self.registry.write() as door:
                note(door)
        with self.registry.read() as door:
            reply, pages = self._tell(door, name, request, request_name, stored, at)
        return self._with_files(reply, name, request, at), pages

    def _store(
        self, name: bytes, request: Request, at: int, note: Callable[[Door], None]
    ) -> Stored | None:
        """Store what it brings. None for entries that go on from what a restore took back, and a
        copy of the laptop wrote anew since: told of the restore, it begins where both agree."""
        assert request.batch is not None
        try:
            return self.ledger.store(name, request.batch, at, note)
        except Problem as problem:
            with self.registry.read() as door:
                here = door.standing().incarnation
            if problem.code != "sync.chain" or request.cursor.incarnation in (b"", here):
                raise
        return None

    def _with_files(self, reply: Reply, name: bytes, request: Request, at: int) -> Reply:
        """The answer with the state of the files that were asked about, or lost here."""
        if self.arrivals is None or not (request.blobs or self.arrivals.losses.any(at)):
            return reply
        states = self.arrivals.states(self.known(name), request.blobs, at)
        return msgspec.structs.replace(reply, blobs=states)

    # -- telling

    def tell(
        self,
        name: bytes,
        cursor: Cursor,
        answer_name: bytes,
        fills: Sequence[tuple[str, int]] = (),
        recent: tuple[int, int] | None = None,
        reference: tuple[int, int, int] | None = None,
    ) -> tuple[Reply, list[Page]]:
        """What a log is told that did not call: for a bundle that is carried to it. answer_name
        stands where the name of the request stands in an answer. fills: villages to be told whole,
        each from a mark on. recent, reference: see `Sight`."""
        at = self.clock()
        with self.registry.read() as door:
            scope, _ = self.reach(door, self.known(name), at)
            sight = Sight(scope.number, list(fills), recent=recent, reference=reference)
            asked = Request(0, "", at, cursor, REPLY_BYTES_MAX, None, sight=sight)
            reply, pages = self._tell(door, name, asked, answer_name, None, at)
        territory = Territory(scope.number, list(scope.villages))
        return msgspec.structs.replace(reply, scope=territory), pages

    def reach(self, door: Door, log: LogState, at: int) -> tuple[Scope, Scope]:
        """The scope of a log's laptop, and what it may be shown of it: of one that is out of our
        hands only what became of its own work, and nobody's data."""
        scope = reach = _numbered(door.scope(log.device, at), door.standing())
        if log.state in OUT_OF_HAND:
            scope = msgspec.structs.replace(scope, villages=())
            reach = msgspec.structs.replace(scope, device=b"")
        return scope, reach

    def _tell(
        self,
        door: Door,
        name: bytes,
        request: Request,
        request_name: bytes,
        stored: Stored | None,
        at: int,
    ) -> tuple[Reply, list[Page]]:
        log = door.log(name)
        assert log is not None
        standing = door.standing()
        not_ahead(request.cursor, standing)
        heard = request.cursor.incarnation
        same = heard == standing.incarnation
        lineage = () if same else door.lineage()
        scope, reach = self.reach(door, log, at)
        budget = max(0, min(request.budget, REPLY_BYTES_MAX))
        if budget and (same or not heard):
            found, upto, head, more = door.pull(scope, request.cursor.server_seq, budget)
        else:  # one of several in a row, of which the last one asks for pages; or it has read a
            # history that a restore ended, and finds its way into this one first
            found, upto, head, more = [], request.cursor.server_seq, request.cursor.head, True
        shown = visible_parts(door, reach, found, request.sight)
        echoes: list[Echo] = []
        if request.echo:
            shown, echoes = echoed(door, log, shown)
        pages = pages_of(shown, request_name, upto)
        territory = None
        if budget and request.sight is not None and request.sight.scope != scope.number:
            territory = Territory(scope.number, list(scope.villages))
            newer = request.sight.scope < scope.number  # a new village is asked for after this
            more = more or (newer and request.cursor.server_seq > 0)
        if budget and not more:
            filling, more = fills(door, scope, request, pages, request_name, upto)
            pages += filling
        if budget and not more and self.recents is not None and log.state not in OUT_OF_HAND:
            left = budget - sum(len(data) for page in pages for data in page.decisions)
            index, more = self.recents.pages(door, scope, request.sight, at, left)
            pages += pages_with(index, request_name, len(pages), upto)
        if budget and not more and log.state not in OUT_OF_HAND:
            left = budget - sum(len(data) for page in pages for data in page.decisions)
            parts, more = pieces(door, request.sight, left)
            first = len(pages)
            pages += [Page(request_name, first + i, [], upto, piece=p) for i, p in enumerate(parts)]
        sums: list[tuple[str, bytes]] = []
        if budget and log.state not in OUT_OF_HAND:
            sums = differing(door, scope, request, standing)
            more = more or bool(sums)
        checkpoint = Checkpoint(
            log.id,
            log.seq,
            log.head,
            standing.incarnation,
            standing.server_seq,
            standing.head[:HEAD_WIRE_BYTES],
            standing.durable_seq,
            at,
        )
        reply = Reply(
            request_name,
            checkpoint,
            runs(stored.results) if stored is not None else [],
            stored.missing if stored is not None else None,
            [self._order(log, order) for order in door.orders(name)],
            len(pages),
            Cursor(standing.incarnation, upto, head[:HEAD_WIRE_BYTES]),
            more,
            lineage=list(lineage),
            scope=territory,
            echoes=echoes,
            sums=sums,
        )
        return reply, pages

    def _order(self, log: LogState, order: tuple[int, str, int]) -> bytes:
        number, kind, argument = order
        payload = messages.encode(Order(log.id, number, kind, argument))
        return self._sign(payload, "order", log, 0)

    # -- closing

    def files(
        self, log: LogState, manifests: Sequence[Manifest], chunks: Sequence[Chunk], at: int
    ) -> list[BlobState]:
        """Keep pieces of files; gives the state of each file they belong to."""
        if self.arrivals is None:
            raise Problem("sync.malformed")
        return self.arrivals.take(log, manifests, chunks, at)

    def closed(self, log: LogState, reply: Reply, pages: Sequence[Page]) -> list[bytes]:
        """A reply and its pages, signed and sealed."""
        frames = [self.frame(messages.encode(reply), "reply", log)]
        return frames + [self.frame(messages.encode(page), "page", log) for page in pages]

    def frame(self, payload: bytes, purpose: str, log: LogState) -> bytes:
        """A message for a laptop, signed and sealed."""
        packed = wire.pack(payload, wire.DICTIONARY, fast=len(payload) > PAGE_BYTES // 4)
        token = self._sign(packed, purpose, log, wire.DICTIONARY)
        return seal.seal(token, log.seal_key, purpose)

    def _sign(self, payload: bytes, purpose: str, log: LogState, dictionary: int) -> bytes:
        me = log_id(self.identity.sign_key)
        header = seal.Header(me, purpose, seal.audience(log.seal_key), dictionary)
        return seal.sign(payload, self.identity, header)


def not_ahead(cursor: Cursor, standing: Standing) -> None:
    """A laptop that read more of this very history than there is shows that the database was put
    back without `restore`. Nothing is taken until somebody has done that: numbers would be given
    twice. The laptop keeps everything."""
    if not 0 <= cursor.server_seq <= SERVER_SEQ_MAX:
        raise Problem("sync.malformed")
    if cursor.incarnation == standing.incarnation and cursor.server_seq > standing.server_seq:
        raise Problem("sync.future_cursor")


def not_aside(door: Door, cursor: Cursor) -> None:
    """The same when such a central has decided as much again as the laptop had read: its cursor
    brings eight bytes of the chain value there, which are others then."""
    standing = door.standing()
    if cursor.incarnation != standing.incarnation or not cursor.head:
        return
    number = cursor.server_seq
    head = standing.head if number == standing.server_seq else door.head_at(number)
    if head is not None and not head.startswith(cursor.head):
        raise Problem("sync.future_cursor")


def _begun_again(sight: Sight | None) -> set[str]:
    """Cells that the laptop says it begins to read again, since their sums differed."""
    if sight is None:
        return set()
    return {cell for cell, mark in sight.fills if mark == 0}.intersection(sight.repairs)


def _numbered(scope: Scope, standing: Standing) -> Scope:
    """With a number that grows by a restore too, whatever the backup had not heard of."""
    restores = standing.server_seq >> BLOCK_BITS
    return msgspec.structs.replace(scope, number=scope.number + (restores << 20))
