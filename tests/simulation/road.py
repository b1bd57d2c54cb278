"""The network road of the simulated world: frames up, frames down, and all that happens to them.

Most worlds close their frames with a keyed hash in place of signature and seal, which
take no given chance; some are sealed and signed for real. What the frames say is the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

import msgspec

from field_client.envelopes import Answers, Envelopes, Opened, is_ack, whole_frames
from models.problems import Problem
from sync import messages, seal, wire
from sync.exchange import Exchange
from sync.messages import Ack, BlobState, Checkpoint, Chunk, Manifest, Order, Page, Reply, Request
from sync.transfer import Piece
from tests.simulation.books import Book
from tests.simulation.central import Killed
from tests.simulation.laptop import Laptop

if TYPE_CHECKING:
    from tests.simulation.world import World

TAG_BYTES = 8
PIECE_BYTES = 16 * 1024
SLOW_BYTES = 600
"""What a link of 2 kbit/s carries in about two seconds."""

LACKING = 99
"""A dictionary of a later edition."""

SUSPICIOUS = ("sync.future_cursor", "sync.checkpoint", "sync.chain")
"""What people call the office about."""


class Broken(AssertionError):
    """A law does not hold."""


def closed(payload: bytes, key: bytes, purpose: str) -> bytes:
    """A message in a frame that only who holds the key can make."""
    return _tag(payload, key, purpose) + payload


def opened(frame: bytes, key: bytes, purpose: str) -> bytes:
    """The message in such a frame. Problem sync.seal for any other."""
    tag, payload = frame[:TAG_BYTES], frame[TAG_BYTES:]
    if tag != _tag(payload, key, purpose):
        raise Problem("sync.seal")
    return payload


def _tag(payload: bytes, key: bytes, purpose: str) -> bytes:
    return hashlib.blake2b(purpose.encode() + payload, key=key, digest_size=TAG_BYTES).digest()


class Plain:
    """Both ends of a connection of one log, without ciphers."""

    def __init__(self, world: World, book: Book) -> None:
        self.world = world
        self.book = book
        self.refused = False

    @cached_property
    def checks(self) -> Envelopes:
        """The laptop's own code; most answers here have no order, and are not sealed."""
        return Envelopes(self.book.identity, self.world.central.invitation())

    def request(self, data: bytes) -> bytes:
        return closed(data, self.book.id, "request")

    def piece(self, manifest: Manifest | None, chunk: Chunk) -> list[bytes]:
        said = ([("manifest", manifest)] if manifest else []) + [("chunk", chunk)]
        return [closed(messages.encode(m), self.book.id, kind) for kind, m in said if m]

    def serve(self, body: bytes) -> tuple[list[bytes], bool]:
        """Central's answers to a body, frame by frame, as far as they got; True if it died."""
        answers: list[bytes] = []
        name = b""
        try:
            for frame in whole_frames(body)[0]:
                for purpose in ("request", "manifest", "chunk"):
                    try:
                        data = opened(frame, self.book.id, purpose)
                    except Problem:
                        continue
                    break
                else:
                    return answers, False
                if purpose == "request":
                    name = messages.name_of(data)
                    answers += self._request(data, name)
                elif name:
                    answers.append(self._piece(data, purpose, name))
        except Killed:
            return answers, True
        except Problem as problem:
            self.refused = True
            self.world.note(f"central refuses: {problem.code}")
            if problem.code in SUSPICIOUS:
                self.world.alarm()
        return answers, False

    def _request(self, data: bytes, name: bytes) -> list[bytes]:
        central = self.world.central
        central.reception.known(self.book.id)
        request = messages.decode(data, Request)
        reply, pages = central.reception.respond(self.book.id, request, name)
        self.world.told(self.book.id, request, reply, pages)
        frames = [closed(messages.encode(reply), self.book.id, "reply")]
        return frames + [closed(messages.encode(p), self.book.id, "page") for p in pages]

    def _piece(self, data: bytes, purpose: str, name: bytes) -> bytes:
        central = self.world.central
        log = central.reception.known(self.book.id)
        manifests = [messages.decode(data, Manifest)] if purpose == "manifest" else []
        chunks = [messages.decode(data, Chunk)] if purpose == "chunk" else []
        states = central.reception.files(log, manifests, chunks, self.world.now)
        return closed(messages.encode(Ack(name, states)), self.book.id, "ack")

    def read(self, body: bytes) -> tuple[list[Opened], list[BlobState]]:
        """What came back, as far as it is whole and central's."""
        found: list[Opened] = []
        states: list[BlobState] = []
        reply: Reply | None = None
        proof, pages = b"", list[Page]()
        for frame in whole_frames(body)[0]:
            try:
                states += messages.decode(opened(frame, self.book.id, "ack"), Ack).blobs
                continue
            except Problem:
                pass
            if reply is None:
                proof = opened(frame, self.book.id, "reply")
                reply = messages.decode(proof, Reply)
            else:
                pages.append(messages.decode(opened(frame, self.book.id, "page"), Page))
            if len(pages) >= reply.pages:
                found.append(self._whole(reply, proof, pages, cut=False))
                reply, pages = None, []
        if reply is not None:
            found.append(self._whole(reply, proof, pages, cut=True))
        return found, states

    def _whole(self, reply: Reply, proof: bytes, pages: Sequence[Page], *, cut: bool) -> Opened:
        orders = tuple(self.order(token) for token in reply.orders)
        return Opened(reply, proof, tuple(pages), orders, cut)

    def order(self, token: bytes) -> Order:
        """An order is signed by itself, in every world; the laptop's own code looks."""
        return self.checks._order(token)


class Sealed(Plain):
    """The same connection with the real envelopes of both houses."""

    def request(self, data: bytes) -> bytes:
        return self.checks.frame(data)

    def piece(self, manifest: Manifest | None, chunk: Chunk) -> list[bytes]:
        to = self.world.central.keys.identity.seal_key
        said = ([("manifest", manifest)] if manifest else []) + [("chunk", chunk)]
        return [seal.seal(messages.encode(m), to, kind) for kind, m in said if m]

    def serve(self, body: bytes) -> tuple[list[bytes], bool]:
        answers: list[bytes] = []
        try:
            visit = self.world.central.reception.visit()
            for frame in whole_frames(body)[0]:
                answers += visit.take(frame)
        except Killed:
            return answers, True
        except Problem as problem:
            self.refused = True
            self.world.note(f"central refuses: {problem.code}")
            if problem.code in SUSPICIOUS:
                self.world.alarm()
        return answers, False

    def read(self, body: bytes) -> tuple[list[Opened], list[BlobState]]:
        answers = Answers(self.checks)
        found: list[Opened] = []
        states: list[BlobState] = []
        for frame in whole_frames(body)[0]:
            if is_ack(frame):
                states += self.checks.ack(frame).blobs
            else:
                one = answers.take(frame)
                found += [one] if one is not None else []
        rest = answers.rest()
        return found + ([rest] if rest is not None else []), states


class Road:
    """Syncs laptops over a bad network."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.air: list[tuple[Laptop, Book, bytes]] = []
        self.old: list[tuple[Book, bytes]] = []
        self.stale = b""
        self.deliveries: list[tuple[Book, bytes]] = []

    def line(self, book: Book) -> Plain:
        return Sealed(self.world, book) if self.world.sealed else Plain(self.world, book)

    def sync(self, laptop: Laptop) -> bool:
        """One sync attempt of all that is due; True when it came to its end."""
        self._late_arrivals()
        self.world.obey(laptop)
        for _ in range(6):
            again = False
            for book in laptop.due():
                if not self.world.introduce(laptop, book):
                    return False
                ended = self._exchange(laptop, book)
                if ended is None:
                    return False
                again = ended or again
            rotated = self.world.obey(laptop)
            if not again and not rotated:
                return True
        return False

    def _exchange(self, laptop: Laptop, book: Book) -> bool | None:
        """One log: None when the road broke, True when it has to be done again."""
        world = self.world
        exchange = laptop.exchange(book)
        one_frame, slow = world.fires("one_frame"), world.fires("slow_link")
        if world.fires("dictionary_missing"):
            self._unreadable(book)
        for _ in range(60):
            line = self.line(book)
            frames: list[bytes] = []
            while True:
                most = 1 if slow else world.rng.choice((1, 3, 10, 50))
                entries = laptop.pending(exchange.next_entry, most, book)
                entries = [] if exchange.asks_first else entries
                last = len(frames) == 2 or exchange.sent + len(entries) >= exchange.position.last
                pages = last or one_frame or slow or world.rng.random() < 0.7
                data = exchange.request(entries, laptop.clock, pages=pages)
                world.hashed(data)
                frames.append(line.request(data))
                if pages:
                    break
            book.requests = exchange.position.number
            answer = self._carry(laptop, book, line, wire.join_frames(frames))
            if answer is None or not self._read(laptop, book, line, exchange, answer):
                exchange.lost()
                return None
            if exchange.parted is not None:
                world.part(laptop, book, exchange.parted)
                return True
            if exchange.rewound:
                return True
            if exchange.finished:
                self._files(laptop, book, SLOW_BYTES if slow else PIECE_BYTES)
                return False
            if one_frame and world.faulty:
                return None  # the link passed one piece and is gone
            if exchange.outstanding:
                exchange.lost()
        return None

    def _unreadable(self, book: Book) -> None:
        """A laptop of a later edition packs with a dictionary that central lacks. It is told so,
        nothing is stored, and the same goes out again without."""
        me, central = book.identity, self.world.central
        to = central.keys.identity.seal_key
        header = seal.Header(book.id, "request", seal.audience(to), LACKING)
        frame = seal.seal(seal.sign(b"packed", me, header), to, "request")
        try:
            central.reception.visit().take(frame)
        except Problem as problem:
            self.world.laws["24"] += problem.code == "sync.dictionary"
            if problem.code in ("sync.dictionary", "sync.unknown_device"):
                return
        raise Broken("law 24: a dictionary that central lacks is not named")

    def _late_arrivals(self) -> None:
        """Requests that were held up arrive now, out of order; nobody waits for their answers."""
        while self.air and self.world.rng.random() < 0.5:
            laptop, book, body = self.air.pop(self.world.rng.randrange(len(self.air)))
            self._serve(laptop, book, self.line(book), body)

    def clear(self) -> None:
        """Everything that is still on its way arrives."""
        while self.air:
            laptop, book, body = self.air.pop()
            self._serve(laptop, book, self.line(book), body)

    def _carry(self, laptop: Laptop, book: Book, line: Plain, body: bytes) -> bytes | None:
        world = self.world
        if world.fires("drop_request"):
            return None
        if world.fires("reorder"):
            self.air.append((laptop, book, body))
            return None
        if world.fires("truncate_request"):
            body = body[: world.rng.randrange(len(body))]
        if world.fires("corrupt_request"):
            body = world.flipped(body)
        if world.fires("duplicate"):
            self._serve(laptop, book, line, body)
        answer = self._serve(laptop, book, line, body)
        if answer is None or world.fires("drop_reply"):
            return None
        return self._back(book, answer)

    def _back(self, book: Book, answer: bytes) -> bytes:
        world = self.world
        mine = [a for owner, a in self.old if owner is book]
        others = [a for owner, a in self.old if owner.id != book.id]
        self.old = [*self.old[-20:], (book, answer)]
        if world.fires("truncate_reply"):
            return answer[: world.rng.randrange(len(answer) + 1)]
        if world.fires("corrupt_reply"):
            return world.flipped(answer)
        if mine and world.fires("stale_reply"):
            self.stale = world.rng.choice(mine)
            return self.stale
        if others and world.fires("foreign_reply"):
            self.stale = world.rng.choice(others)
            return self.stale
        return answer

    def _serve(self, laptop: Laptop, book: Book, line: Plain, body: bytes) -> bytes | None:
        """Central's process takes a body; it may die, and is then started anew."""
        answers, died = line.serve(body)
        if not died and not line.refused:
            self.deliveries.append((book, body))
        if book.id not in self.world.registry.tables["logs"]:
            self.world.forgotten(laptop)
        if died:
            self.world.died()
        return wire.join_frames(answers) if answers else None

    def _read(
        self, laptop: Laptop, book: Book, line: Plain, exchange: Exchange, answer: bytes
    ) -> bool:
        world = self.world
        try:
            found, _ = line.read(answer)
        except Problem:
            world.laws["32"] += 1
            return False
        if not found:
            return False
        for one in found:
            if world.fires("forged_order"):
                one = world.forge(line, book, one)
            try:
                steps = exchange.receive(one.reply, one.proof, one.pages, one.orders)
            except Problem as problem:
                world.note(f"{laptop.number} refuses an answer: {problem.code}")
                if problem.code in SUSPICIOUS:
                    world.alarm()
                world.laws["32"] += answer is self.stale
                return False
            if answer is self.stale:
                raise Broken("law 32: the answer to another request was taken")
            for step in steps:
                if not world.commit(laptop, partial(laptop.apply, step, book)):
                    return False
            if exchange.over:
                return True
        return True

    # -- files

    def _files(self, laptop: Laptop, book: Book, most: int) -> None:
        """Pieces of files, as long as there are any; changes have gone before them."""
        world = self.world
        if not laptop.papers.files:
            return
        laptop.papers.begin(laptop.cursor.incarnation)
        for _ in range(40):
            stored = min(book.stored, book.to_send)
            pieces = laptop.papers.next(book.id, stored, 3 * most, most)
            if not pieces:
                return
            if book.stored < book.to_send:
                raise Broken("law 19: a file went before a change")
            heard = self._send(laptop, book, pieces)
            if heard is None:
                return
            world.commit(laptop, partial(laptop.papers.hear, *heard))

    def _send(
        self, laptop: Laptop, book: Book, pieces: Sequence[Piece]
    ) -> tuple[list[BlobState], Checkpoint] | None:
        """The states of files that came back, with the proof they came with."""
        world = self.world
        line = self.line(book)
        exchange = laptop.exchange(book)
        data = exchange.request([], laptop.clock, pages=False, blobs=[p.blob for p in pieces])
        book.requests = exchange.position.number
        frames = []
        for piece in pieces:
            paper = laptop.papers.files[piece.blob]
            chunk = Chunk(piece.blob, piece.start, paper.data[piece.start : piece.end])
            if world.fires("file_piece_lost"):
                continue
            if world.fires("file_piece_damaged"):
                chunk = msgspec.structs.replace(chunk, data=world.flipped(chunk.data))
            more = line.piece(paper.manifest, chunk)
            frames += more * (2 if world.fires("file_piece_twice") else 1)
        first = line.request(data)
        body = wire.join_frames([first, *frames])
        answer = self._serve(laptop, book, line, body)
        if answer is None or world.fires("drop_reply"):
            return None
        try:
            found, states = line.read(answer)
        except Problem:
            return None
        if len(found) != 1 or found[0].reply.checkpoint.incarnation != laptop.cursor.incarnation:
            return None
        reply = found[0].reply
        return [*reply.blobs, *states], reply.checkpoint
