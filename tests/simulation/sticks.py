"""The USB road of the simulated world: couriers carry volumes, lose them, and bring them twice.

Volumes are the production `sync.bundle`, sealed and signed for real; central reads and makes them
with its production rooms, laptops judge them with the production inbox and `bundle.judge`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

import msgspec

from field_client import inbox
from models.problems import Problem
from sync import bundle, enrolment, messages, seal
from sync.bundle import Volume
from sync.logs import Open
from sync.messages import Chunk, Contents, Enrolment, Return, Span
from tests.simulation.books import Book
from tests.simulation.central import RATNA, Killed
from tests.simulation.laptop import Laptop

if TYPE_CHECKING:
    from tests.simulation.world import World

VOLUME_BYTES = 5000
PIECE_BYTES = 2048


class Load(msgspec.Struct):
    """Frames that go together, and the entries they carry."""

    frames: list[bytes]
    span: Span | None = None

    @property
    def size(self) -> int:
        return sum(len(frame) + 4 for frame in self.frames)


class Sticks:
    """What is on its way in somebody's pocket."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.to_central: list[bytes] = []
        self.to_laptops: list[tuple[Laptop, bytes]] = []
        self.inboxes: dict[tuple[int, bytes], dict[int, Volume]] = {}
        self.taken: set[tuple[int, bytes]] = set()

    # -- to central

    def export(self, laptop: Laptop) -> None:
        """Write everything central has not proved to hold onto a stick."""
        world = self.world
        world.obey(laptop)
        central = world.central.keys.identity.seal_key
        loads = [load for book in laptop.due() for load in self._requests(laptop, book)]
        loads += self._papers(laptop)
        lead = [self._introduction(laptop, book) for book in laptop.books[1:]]
        name = world.rng.randbytes(bundle.NAME_BYTES)
        room = sum(len(f) + 4 for f in lead) + 700 + 60 * len(loads)
        most = VOLUME_BYTES + room + max(load.size for load in loads)
        cuts = bundle.cut([load.size for load in loads], room, most)
        spans = [[s for i in cut if (s := loads[i].span) is not None] for cut in cuts]
        contents = messages.encode(Contents(name, laptop.clock, spans, laptop.sight()))
        world.hashed(contents)
        cover = bundle.frame(contents, "contents", laptop.identity, central)
        for k, cut in enumerate(cuts, 1):
            frames = [cover, *lead, *(f for i in cut for f in loads[i].frames)]
            data = bundle.close(frames, bundle.WORK, name, k, len(cuts), central)
            self._hand(data)
        world.note(f"{laptop.number} exports {len(cuts)} volumes")

    def _requests(self, laptop: Laptop, book: Book) -> list[Load]:
        """Its unproved entries; at least one request, so that central hears how far it has read."""
        central = self.world.central.keys.identity.seal_key
        exchange = laptop.exchange(book)
        loads: list[Load] = []
        while True:
            first = exchange.next_entry
            entries = laptop.pending(first, self.world.rng.choice((2, 5, 20)), book)
            if not entries and loads:
                break
            data = exchange.request(entries, laptop.clock, pages=False)
            self.world.hashed(data)
            frame = bundle.frame(data, "request", book.identity, central)
            span = Span(book.id, first, entries[-1].seq) if entries else None
            loads.append(Load([frame], span))
            if not entries:
                break
        book.requests = exchange.position.number
        return loads

    def _papers(self, laptop: Laptop) -> list[Load]:
        central = self.world.central.keys.identity.seal_key
        loads: list[Load] = []
        for book in laptop.books:
            for piece in laptop.papers.next(book.id, book.seq, 8 * PIECE_BYTES, PIECE_BYTES):
                paper = laptop.papers.files[piece.blob]
                chunk = Chunk(piece.blob, piece.start, paper.data[piece.start : piece.end])
                said: dict[str, Any] = {"manifest": paper.manifest, "chunk": chunk}
                frames = [seal.seal(messages.encode(m), central, kind) for kind, m in said.items()]
                loads.append(Load(frames))
        return loads

    def _introduction(self, laptop: Laptop, book: Book) -> bytes:
        return introduction(self.world, laptop, book)

    def _hand(self, data: bytes) -> None:
        """A volume goes with somebody."""
        world = self.world
        if world.fires("stick_lost") or world.fires("volume_missing"):
            return
        if world.fires("volume_cut"):
            data = data[: world.rng.randrange(len(data))]
        elif world.fires("volume_flipped"):
            data = world.flipped(data)
        if world.fires("stick_relayed"):
            try:
                bundle.parse(data)  # who carries for others looks whether it is whole
            except Problem:
                return
        self.to_central += [data] * (2 if world.fires("stick_twice") else 1)

    def arrive(self) -> None:
        """Some of what is on its way comes to the office, in any order."""
        world = self.world
        if world.fires("stick_foreign"):
            self._take(world.rng.randbytes(200))
        waiting, self.to_central = self.to_central, []
        world.rng.shuffle(waiting)
        for data in waiting:
            if world.fires("stick_late"):
                self.to_central.append(data)
            else:
                self._take(data)

    def _take(self, data: bytes) -> None:
        world = self.world
        try:
            world.central.bundles.take(RATNA, data, "")
            world.fired["volume_taken"] += 1
        except Killed:
            world.died()
            self.to_central.append(data)  # the clerk tries again
        except Problem as problem:
            world.note(f"a volume is refused: {problem.code}")
            if problem.code in ("disk.full", "office.unconfirmed", "sync.future_cursor"):
                self.to_central.append(data)
            if problem.code == "sync.future_cursor":
                world.alarm()

    # -- to laptops

    def make_return(self, laptop: Laptop) -> None:
        """A bundle for a laptop, as central last heard of it."""
        world = self.world
        book = world.rng.choice(laptop.books)
        try:
            given = world.central.returns.give(None, log=book.id, most=60_000)
        except Killed:
            world.died()
            return
        except Problem:
            return
        for _, data in given.files:
            if not world.fires("volume_missing"):
                self.to_laptops.append((laptop, data))

    def deliver(self) -> None:
        """Some return bundles come to their laptops, in any order, some twice."""
        world = self.world
        waiting, self.to_laptops = self.to_laptops, []
        world.rng.shuffle(waiting)
        for laptop, data in waiting:
            if world.fires("stick_late") or world.fires("stick_twice"):
                self.to_laptops.append((laptop, data))
            if world.fires("volume_flipped"):
                data = world.flipped(data)
            self._put(laptop, data)

    def _put(self, laptop: Laptop, data: bytes) -> None:
        try:
            volume = bundle.parse(data)
        except Problem:
            return
        header = volume.header
        own = {seal.audience(book.identity.seal_key): book for book in laptop.books}
        book = own.get(header.recipient)
        if book is None:
            return
        here = self.inboxes.setdefault((id(laptop), header.name), {})
        here[header.k] = volume
        try:
            self._read(laptop, book, [here[k] for k in sorted(here)])
        except Problem as problem:
            self.world.note(f"{laptop.number} refuses a bundle: {problem.code}")

    def _read(self, laptop: Laptop, book: Book, volumes: list[Volume]) -> None:
        world = self.world
        invitation = world.central.invitation()
        frames = [f for v in volumes for f in bundle.frames_of(v, book.identity)]
        opened = inbox._read(invitation, cast(Any, book), volumes, frames)
        told = opened.told
        first = opened.parts[0] if opened.parts else None
        orders = inbox._orders(invitation, cast(Any, book), first) if first else []
        verdict = self._judged(laptop, book, told, opened.parts, orders)
        if verdict.state == "rewound":
            for step in verdict.steps:
                if not world.commit(laptop, partial(laptop.apply, step, book)):
                    return
            verdict = self._judged(laptop, book, told, opened.parts, orders)
        world.fired["return_again"] += verdict.state == "known"
        world.fired["return_gap"] += verdict.state == "gap"
        world.fired["return_taken"] += verdict.state == "fresh"
        for step in verdict.steps:
            if not world.commit(laptop, partial(laptop.apply, step, book)):
                return
        if verdict.proof is not None:
            laptop.papers.hear(verdict.files, verdict.proof)
        world.obey(laptop)

    def _judged(
        self, laptop: Laptop, book: Book, told: Return, parts: Any, orders: Any
    ) -> bundle.Verdict:
        known = max(
            (p for b in laptop.books for p in b.proofs),
            key=lambda p: (p.at, p.server_seq),
            default=None,
        )
        position = laptop.exchange(book).position
        return bundle.judge(position, book.head_at, known, told, parts, orders)


def introduction(world: World, laptop: Laptop, book: Book) -> bytes:
    """What a later log says to be let in: the log before it vouches for it."""
    asked = msgspec.msgpack.decode(book.opening, type=Open)
    parent = laptop.find(asked.parent)
    proof = parent.identity.sign(enrolment.succession(book.opening))
    said = Enrolment(b"", book.opening, proof, b"")
    return enrolment.ask(said, book.identity, world.central.keys.identity.seal_key)
