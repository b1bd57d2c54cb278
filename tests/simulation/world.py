"""The simulated world: central, laptops, staff, couriers and bad roads, all drawn from one seed.

Central is the production Ledger, Reception, Devices, Bundles and Arrivals over a register and a
shelf in memory; laptops run the production Exchange, bundle judge and succession. Every step of the
world (a tick) draws its chance from the seed and its own number, so a world can be played again
with some ticks left out. Every fault is a named probability, every fault that fires is counted.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any, cast

import msgspec

from field_client import holes, succession
from field_client.envelopes import Opened
from models.changes import Hole, encode, raw
from models.problems import Problem
from server import telling
from sync import messages, seal, wire
from sync.identity import Identity
from sync.logs import Entry, hole_in, log_id
from sync.messages import Order, Page, Reply, Request
from tests.simulation.books import Book
from tests.simulation.central import RATNA, Backup, Central, Killed
from tests.simulation.desk import Desk
from tests.simulation.faults import FAULTS, drawn
from tests.simulation.laptop import Laptop
from tests.simulation.people import (
    MANY_VANS,
    MORE_VILLAGES,
    VILLAGES,
    Operators,
    Staff,
    open_cases,
)
from tests.simulation.road import Broken, Plain, Road
from tests.simulation.sticks import Sticks, introduction

PAGE_BYTES = 4096
LEVEL = wire._P.compression_level
SEALED_EVERY = 10
"""Every tenth seed is a world with real signatures and seals on every frame of the network."""

STEPS = {
    "create": 30, "show": 40, "save": 45, "sync": 50, "staff": 25, "export": 3, "sticks": 4,
    "return": 3, "trouble": 8,
}  # fmt: skip


STEADY = {
    name: 0.0
    for name in FAULTS
    if name.startswith(("truncate_", "corrupt_", "file_", "volume_", "stick_", "crash_in_file"))
}
"""A mix for comparing worlds under other clocks: bytes have no length of their own there."""


@contextmanager
def small_pages() -> Iterator[None]:
    """Replies have several pages here, though nobody in these worlds has written much; and what is
    sealed is packed in haste: how small it gets is no matter of these worlds."""
    usual, telling.PAGE_BYTES = telling.PAGE_BYTES, PAGE_BYTES
    thorough, wire.OPTIONS[LEVEL] = wire.OPTIONS[LEVEL], 1
    try:
        yield
    finally:
        telling.PAGE_BYTES = usual
        wire.OPTIONS[LEVEL] = thorough


class World:
    """Everything of one seed. `run` plays it and brings it to rest; `replay` plays some ticks."""

    def __init__(
        self,
        seed: int,
        vans: int,
        changes: int,
        *,
        clocks: int = 0,
        faulty: bool = True,
        mix: dict[str, float] | None = None,
        sealed: bool | None = None,
    ) -> None:
        self.seed = seed
        self.clock_seed = clocks
        self.rng = Random(f"world-{seed}")
        self.clocks = Random(f"clocks-{seed}-{clocks}")
        self.faulty = faulty
        self.mix = drawn(seed) | (mix or {})
        self.sealed = seed % SEALED_EVERY == 7 if sealed is None else sealed
        self.fired: Counter[str] = Counter()
        self.laws: Counter[str] = Counter()
        self.trace: list[str] = []
        self.sent = hashlib.sha256()
        self.ticks: list[int] = []
        self.budget = vans * changes
        self.written = 0
        self.shown: dict[bytes, int] = {}
        self.rightful: set[bytes] = set()
        self.withdrawn: dict[bytes, str] = {}
        self.now = 1_770_000_000
        self.villages = VILLAGES if vans <= MANY_VANS else MORE_VILLAGES
        self.central = Central(self)
        self.road = Road(self)
        self.sticks = Sticks(self)
        self.operators = Operators(self)
        self.staff = Staff(self)
        self.laptops = [self._laptop(i) for i in range(vans)]
        self.images: list[tuple[Laptop, Laptop]] = []
        self.silent: Backup | None = None

    def clock(self) -> int:
        return self.now

    @property
    def registry(self) -> Any:
        return self.central.registry

    @property
    def name(self) -> bytes:
        return self.central.name

    def drawn_bytes(self, what: str, size: int) -> bytes:
        return hashlib.shake_256(f"{self.seed}/{what}".encode()).digest(size)

    def _laptop(self, number: int) -> Laptop:
        home = self.villages[number % len(self.villages)]
        other = self.villages[self.rng.randrange(len(self.villages))]
        villages = tuple({home: 0, other: 0})
        seed = self.drawn_bytes(f"laptop-{number}", 128)
        laptop = Laptop(number, seed, villages, self.clocks.getrandbits(32), number + 1)
        laptop.clock = self.now + self.clocks.randrange(-(10**6), 10**6)
        laptop.booted = laptop.clock - 1000
        self.central.admit(laptop, villages)
        laptop.open_session()
        return laptop

    def fires(self, fault: str) -> bool:
        """Does this fault happen now? Counted when it does."""
        if not self.faulty or self.rng.random() >= self.mix[fault]:
            return False
        self.fired[fault] += 1
        return True

    def note(self, text: str) -> None:
        self.trace.append(text)

    def hashed(self, message: bytes) -> None:
        """What is sent, before it is sealed: the same seed sends the same."""
        self.sent.update(message)

    def flipped(self, data: bytes) -> bytes:
        """The same bytes with one bit turned."""
        if not data:
            return data
        at = self.rng.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << self.rng.randrange(8)]) + data[at + 1 :]

    def made(self, laptop: Laptop, entries: Sequence[Entry]) -> None:
        self.written += len(entries)

    # -- playing

    def run(self) -> None:
        """Until the laptops have used their share of changes."""
        with small_pages():
            while self.written < self.budget:
                self._tick(len(self.ticks))
            self.settle()

    def replay(self, ticks: Sequence[int]) -> None:
        """Only these ticks, each with the chance it had."""
        with small_pages():
            for tick in ticks:
                self._tick(tick)
            self.settle()

    def _tick(self, tick: int) -> None:
        self.ticks.append(tick)
        self.rng = rng = Random(f"{self.seed}/{tick}")
        self.clocks = Random(f"{self.seed}/{self.clock_seed}/{tick}")
        self.now += rng.randrange(1, 600)
        laptop = rng.choice(self.laptops)
        laptop.clock += self.clocks.randrange(1, 600)
        if self.fires("clock_jump"):
            laptop.clock += self.clocks.randrange(-(10**8), 10**8)
            laptop.booted = laptop.clock - 500
        step = rng.choices(tuple(STEPS), tuple(STEPS.values()))[0]
        if laptop.is_restored:
            succession.after_copy(cast(Any, Desk(laptop)))
            Desk(laptop).session_opened()
        match step:
            case "create":
                self.operators.create(laptop)
            case "show":
                self.operators.show(laptop)
            case "save":
                self.operators.save()
            case "sync":
                laptop.compares = rng.random() < 0.05
                self.road.sync(laptop)
            case "staff":
                self.staff.work()
            case "export":
                self.sticks.export(laptop)
            case "sticks":
                self.sticks.arrive()
                self.sticks.deliver()
            case "return":
                self.sticks.make_return(laptop)
            case "trouble":
                self._trouble(laptop)

    # -- what happens to laptops

    def commit(
        self, laptop: Laptop, put: Callable[[], object], fault: str = "laptop_crash"
    ) -> bool:
        """One commit of a laptop. It may die before, with what it wrote lost, torn, or there though
        it never knew; False then."""
        if not self.fires(fault):
            put()
            return True
        fate = self.rng.choice(("lost_write", "torn_write", "unanswered_write"))
        self.fired[fate] += 1
        if fate == "unanswered_write":
            before = laptop.last
            put()
            self.made(laptop, laptop.entries[before:])
        self.crashed(laptop)
        return False

    def crashed(self, laptop: Laptop) -> None:
        """Its program ended: screens are gone."""
        self.note(f"{laptop.number} crashed")
        screens = self.operators.screens
        screens[:] = [one for one in screens if one[0] is not laptop]

    def died(self) -> None:
        """Central's process died, and is started anew."""
        from tests.simulation.laws import proofs_hold

        self.note("central died")
        self.central.start()
        proofs_hold(self)

    def introduce(self, laptop: Laptop, book: Book) -> bool:
        """A new log asks to be known."""
        if book.id in laptop.known or book is laptop.books[0]:
            return True
        try:
            for earlier in laptop.books[1 : laptop.books.index(book) + 1]:
                if earlier.id not in laptop.known:
                    self.central.devices.enrol(introduction(self, laptop, earlier))
                    laptop.known.add(earlier.id)
        except Killed:
            self.died()
            return False
        except Problem as problem:
            self.note(f"{laptop.number} is not let in: {problem.code}")
            if problem.code == "sync.unknown_device":
                self.forgotten(laptop)  # nor is the log it follows known any more
            if problem.code == "sync.rate" and not self.faulty:
                self.now += problem.details["seconds"]  # it calls again once it may
            return False
        return True

    def forgotten(self, laptop: Laptop) -> None:
        """Central was put back to a time before it knew a log: all are introduced once more."""
        laptop.known.clear()

    def obey(self, laptop: Laptop) -> bool:
        """Carry out the orders that came; True where a new log was opened."""
        rotated = False
        orders, laptop.orders = laptop.orders, []
        for order in orders:
            if order.kind == "rotate":
                self.part(laptop, laptop.find(order.log), 0)  # as `field_client.orders`
                rotated = True
        return rotated

    def part(self, laptop: Laptop, book: Book, upto: int) -> None:
        """The production succession opens the next log and makes again what has to be."""
        self.note(f"{laptop.number} goes on in a new log after {upto}")
        self.fired["fork"] += 1
        desk = Desk(laptop)
        succession.after_fork(cast(Any, desk), book.id, upto)
        desk.session_opened()

    def forge(self, line: Plain, book: Book, one: Opened) -> Opened:
        """Somebody puts an order of their own beside the answer: it is not believed (law 32)."""
        thief = Identity(self.drawn_bytes("thief", 32), self.drawn_bytes("thief-seal", 32))
        order = Order(book.id, book.acted + 7, "rotate", 0)
        header = seal.Header(log_id(thief.sign_key), "order", seal.audience(book.identity.seal_key))
        token = seal.sign(messages.encode(order), thief, header)
        try:
            line.order(token)
        except Problem:
            self.laws["32"] += 1
            return one
        raise Broken("law 32: an order that central did not sign was believed")

    # -- trouble

    def _trouble(self, laptop: Laptop) -> None:
        """What does not happen every day."""
        if self.fires("backup"):
            self.central.backup()
        if self.fires("clone"):
            twin = laptop.image()
            twin.number, twin.boot = len(self.laptops), self.clocks.getrandbits(32)
            self.laptops.append(twin)
            self.note(f"{laptop.number} is cloned: {twin.number}")
        if self.rng.random() < 0.5:
            self.images = [*self.images[-3:], (laptop, laptop.image())]
        if self.images and self.fires("disk_image"):
            self._put_back(whole=True)
        if self.images and self.fires("database_image"):
            self._put_back(whole=False)
        if len(laptop.book.rows(laptop.book.stored)) > 1 and self.fires("hole"):
            self._lose(laptop)
        if self.fires("rotate"):
            self._office(lambda: self._order_rotate(laptop))
        self._withdraw(laptop)
        self._rescope(laptop)
        if self.rng.random() < 0.5:
            self._office(lambda: self.central.ledger.retry(self.now))
        if self.central.backups and self.fires("restore"):
            self._restore(-1)
        if self.central.backups and self.fires("old_restore"):
            self._restore(self.rng.randrange(len(self.central.backups)))
        if self.central.backups and self.silent is None and self.fires("silent_restore"):
            self.silent = self.rng.choice(self.central.backups)
            self.note(f"somebody puts {self.silent.position.server_seq} back by hand")
            self.central.put_copy(self.silent)

    def _put_back(self, *, whole: bool) -> None:
        """A laptop comes back from an image of its disk; or of its database alone, which is behind
        the mark beside it."""
        laptop, image = self.rng.choice(self.images)
        mark, drawn_, number, boot = laptop.mark, laptop.drawn, laptop.number, laptop.boot
        other = image.image()
        laptop.__dict__.update(other.__dict__)
        laptop.drawn, laptop.number, laptop.boot = drawn_, number, boot
        if not whole:
            laptop.mark = mark
        self.crashed(laptop)

    def _lose(self, laptop: Laptop) -> None:
        """Part of what it did not send is gone from its disk. It says so, and makes again what is
        whole behind that (as `field_client.holes`)."""
        book, last = laptop.book, laptop.last
        unsent = book.rows(book.stored)
        lost = {entry.seq for entry in self.rng.sample(unsent, k=self.rng.choice((1, 1, 2)))}
        # Where the entry is lost that declared others so, those are missing once more.
        lost |= {h.first for e in unsent if e.seq in lost and (h := hole_in(e.data)) is not None}
        first = holes.begins({e.seq: e for e in unsent}, min(lost))
        whole = [e for e in unsent if e.seq >= first and e.seq not in lost]
        self.crashed(laptop)
        laptop.papers.forget(book.id, lost)
        hole = Hole(first, last, book.head, f"{sorted(lost)}: hujan")
        book.gone |= set(range(first, last + 1))
        laptop.append([laptop.change("hole", hole)])
        laptop.open_session()
        for fresh in succession.again(cast(Any, book), whole, laptop.session, 1, book.block):
            for change in fresh:
                Desk(laptop).append(change)
        self.made(laptop, laptop.entries[last:])
        self.note(f"{laptop.number} lost {sorted(lost)}")

    def _office(self, act: Callable[[], Any]) -> None:
        """Something done at central by people."""
        try:
            act()
        except Killed:
            self.died()
        except Problem as problem:
            self.note(f"the office cannot: {problem.code}")

    def _order_rotate(self, laptop: Laptop) -> None:
        with self.registry.write() as door:
            log = door.log(laptop.log)
            if log is not None:
                door.order(log.id, "rotate", log.seq)

    def _withdraw(self, laptop: Laptop) -> None:
        devices, name = self.central.devices, self._name(laptop)
        upto = None
        if self.fires("lost"):
            self._office(lambda: devices.lose(RATNA, name, "hilang", upto))
        if self.fires("suspended"):
            self._office(lambda: devices.suspend(RATNA, name, "dicurigai", upto))
        if self.fires("resumed"):
            self._office(lambda: devices.resume(RATNA, name, "ditemukan"))

    def _name(self, laptop: Laptop) -> str:
        device = self.registry.tables["devices"][laptop.device]
        return cast(str, device.name)

    def _rescope(self, laptop: Laptop) -> None:
        devices, name = self.central.devices, self._name(laptop)
        if self.fires("scope_changed"):
            villages = self.rng.sample(self.villages, self.rng.choice((1, 2)))
            self._office(lambda: devices.scope(RATNA, name, villages))
        if self.fires("village_lent"):
            village, until = (
                self.rng.choice(self.villages),
                self.now + self.rng.randrange(600, 20_000),
            )
            self._office(lambda: devices.scope(RATNA, name, [village], until))

    def _restore(self, which: int) -> None:
        """Central's disk is lost, or somebody puts an older copy back."""
        backup = self.silent or self.central.backups[which]
        newest = which in (-1, len(self.central.backups) - 1) and self.silent is None
        self.silent = None
        self.note(f"central is put back to {backup.position.server_seq}")
        faulty, self.faulty = self.faulty, False
        self.now += 60  # nobody restores twice in a minute
        copied = ("clone", "disk_image", "database_image", "silent_restore", "hole")
        if any(self.fired[copies] for copies in copied):
            self.road.deliveries.clear()  # of work that may be nowhere any more
        self.central.restore(backup, site_lost=newest)
        self.central.confirm()
        self.faulty = faulty

    def alarm(self) -> None:
        """A laptop shows that the database is a copy put back by hand: the supervisor is called,
        and restores it in due form."""
        if self.silent is not None:
            self.fired["silence_noticed"] += 1
            self._restore(-1)

    # -- what central said, looked at as it leaves

    def told(self, log: bytes, request: Request, reply: Reply, pages: Sequence[Page]) -> None:
        """Law 15: nothing leaves that the laptop may not see."""
        if self.rng.random() < 0.2:
            from tests.simulation.laws import only_in_scope

            only_in_scope(self, log, pages)

    # -- rest

    def settle(self) -> None:
        """No more faults: everything arrives, every case is decided, everybody reads the rest."""
        self.faulty = False
        self.rng = Random(f"{self.seed}/rest")
        for laptop in self.laptops:
            if laptop.is_restored:
                succession.after_copy(cast(Any, Desk(laptop)))
                Desk(laptop).session_opened()
        if self.silent is not None:
            self._restore(-1)  # nobody was ahead: it is found at the end of the year
        self.now += 40_000  # loans are over
        self.road.clear()
        for _ in range(20 + 4 * len(self.registry.killers)):  # until it ends the process no more
            self.sticks.arrive()
        self.sticks.deliver()
        for _ in range(100):
            self._sync_all()
            cases = open_cases(self)
            if not cases:
                return self._compare_all()
            for case in cases:
                fresh = self.registry.tables["cases"][case.id]
                if fresh.state != "closed":
                    self.staff.decide(fresh)
        raise Broken("law 33: cases are never all decided")

    def _compare_all(self) -> None:
        """One full exchange after quiet: all compare their cells. Before it, who has not read what
        the last ones brought does so; after it, who missed something reads that again."""
        newest = self.registry.position.server_seq
        self._sync_all([one for one in self.laptops if one.cursor.server_seq != newest])
        for laptop in self.laptops:
            laptop.compares = True
        self._sync_all()
        self._sync_all([one for one in self.laptops if one.marks])

    def _sync_all(self, laptops: Sequence[Laptop] | None = None) -> None:
        """All of them, or these."""
        deaths = 4 * len(self.registry.killers)
        for laptop in self.laptops if laptops is None else laptops:
            for _ in range(20 + deaths):
                if self.road.sync(laptop):
                    break
            else:
                if self.out_of_hand(laptop):
                    continue
                raise Broken(f"law 18: laptop {laptop.number} never ends its sync")
        for _ in range(1 + deaths):  # a job of central's: it may end the process too
            self._office(lambda: self.central.ledger.retry(self.now))

    def out_of_hand(self, laptop: Laptop) -> bool:
        """Of a lost laptop no new log is let in."""
        return bool(self.registry.tables["devices"][laptop.device].state in ("lost", "retired"))

    def digest(self) -> str:
        """Everything central decided, as one hash: same seed, same world."""
        whole = hashlib.sha256()
        for number in sorted(self.registry.tables["decisions"]):
            whole.update(self.registry.tables["decisions"][number][0])
        return whole.hexdigest()

    def trace_digest(self) -> str:
        """Everything that was sent, before it was sealed, and everything that happened."""
        whole = self.sent.copy()
        whole.update("\n".join(self.trace).encode())
        whole.update(self.digest().encode())
        return whole.hexdigest()


def same(a: Any, b: Any) -> bool:
    return bool(msgspec.to_builtins(a) == msgspec.to_builtins(b))


__all__ = ["FAULTS", "Broken", "World", "encode", "raw", "same"]
