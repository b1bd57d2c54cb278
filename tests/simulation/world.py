"""The simulated world: central, laptops, staff and a bad road, all drawn from one seed.

Central is the production Ledger, Reception and intake over a register in memory; laptops run the
production Exchange; merging, folding and notices are the production code of both houses. Sealing
takes no given entropy, so messages travel packed but unsealed: same seed, same world, byte for
byte. Every fault is a named probability, every fault that fires is counted.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import msgspec

from field_client.envelopes import whole_frames
from models.changes import Body, Change, Choice, encode, raw
from models.problems import Problem
from models.services import Service, catalogue
from server import telling
from server.ledger import Ledger
from server.reception import Reception
from sync import messages, wire
from sync.cases import TAKES
from sync.exchange import Exchange
from sync.identity import Identity
from sync.known import LogState
from sync.logs import Entry, log_id
from sync.messages import Order, Page, Reply, Request
from sync.state import ELEMENT, STATUS_UNIT, Case, Record
from tests.simulation.laptop import Laptop, Screen
from tests.simulation.memory import MemoryDoor, MemoryRegistry

VILLAGES = ("82.72.03.2001", "82.72.06.2001", "82.72.02.2001")

SERVICES = ("ktp-new-enrolment", "birth", "ktp-reprint-lost")

FAULTS: dict[str, float] = {
    "drop_request": 0.10,
    "drop_reply": 0.10,
    "duplicate": 0.10,
    "reorder": 0.08,
    "stale_reply": 0.06,
    "truncate_request": 0.05,
    "truncate_reply": 0.05,
    "crash_before_commit": 0.04,
    "crash_after_commit": 0.04,
    "laptop_crash": 0.08,
    "clock_jump": 0.06,
    "stale_save": 0.25,
    "follow_up": 0.15,
    "stale_decision": 0.20,
    "poison_unknown": 0.02,
    "poison_malformed": 0.02,
    "poison_killer": 0.01,
    "same_citizen": 0.10,
    "same_person": 0.15,
}
"""Probability of each fault at the step where it can happen."""


PAGE_BYTES = 4096


@contextmanager
def small_pages() -> Iterator[None]:
    """Replies have several pages here, though nobody in these worlds has written much."""
    usual, telling.PAGE_BYTES = telling.PAGE_BYTES, PAGE_BYTES
    try:
        yield
    finally:
        telling.PAGE_BYTES = usual


class Killed(BaseException):
    """Central's process died here."""


class Broken(AssertionError):
    """A law does not hold."""


class CrashingRegistry(MemoryRegistry):
    """A register whose process can die around a commit, or at an entry that kills it."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.killers: set[bytes] = set()
        self.dead = False

    def before_commit(self, door: MemoryDoor) -> None:
        for (log, seq), entry in door.staged["entries"].items():
            result = door.staged["results"].get((log, seq))
            if entry.data in self.killers and result is not None and result.state != "waiting":
                self._die()
        if self.world.fires("crash_before_commit"):
            self._die()

    def after_commit(self, door: MemoryDoor) -> None:
        if self.world.fires("crash_after_commit"):
            self._die()

    def attempted(self, log: bytes, seq: int, scope: str) -> None:
        if not self.dead:
            super().attempted(log, seq, scope)

    def _die(self) -> None:
        self.dead = True
        raise Killed


class World:
    """Everything of one seed. `run` plays it; `settle` brings it to rest."""

    def __init__(
        self,
        seed: int,
        vans: int,
        changes: int,
        *,
        clocks: int = 0,
        faulty: bool = True,
        mix: dict[str, float] | None = None,
    ) -> None:
        self.seed = seed
        self.rng = Random(f"world-{seed}")
        self.clocks = Random(f"clocks-{seed}-{clocks}")
        self.faulty = faulty
        self.mix = FAULTS | (mix or {})
        self.fired: Counter[str] = Counter()
        self.laws: Counter[str] = Counter()
        self.trace: list[str] = []
        self.registry = CrashingRegistry(self)
        self.central = Identity(self._seed("central", 32), self._seed("central-seal", 32))
        self.name = log_id(self.central.sign_key)
        root = LogState(self.name, b"central", 0, b"\0" * 32, self.central.sign_key, central=True)
        self.registry.add_log(root)
        self.now = 1_760_000_000
        self.ledger = Ledger(self.registry, self.name)
        self.reception = Reception(self.registry, self.ledger, self.central, lambda: self.now)
        self.laptops = [self._laptop(i) for i in range(vans)]
        self.budget = vans * changes
        self.niks: list[str] = []
        self.screens: list[tuple[Laptop, Screen]] = []
        self.staff_screens: list[tuple[bytes, int]] = []
        self.air: list[tuple[Laptop, bytes]] = []
        self.old_replies: list[tuple[Laptop, bytes]] = []
        self.stale = b""
        self.deliveries: list[tuple[bytes, bytes]] = []
        self.forms = [catalogue().service(slug) for slug in SERVICES]
        self.made: dict[bytes, tuple[int, int]] = {}
        self.written = 0
        self.shown: dict[tuple[bytes, int], int] = {}

    def _seed(self, what: str, size: int) -> bytes:
        return hashlib.shake_256(f"{self.seed}/{what}".encode()).digest(size)

    def _laptop(self, number: int) -> Laptop:
        home = VILLAGES[number % len(VILLAGES)]
        other = VILLAGES[self.rng.randrange(len(VILLAGES))]
        seed = self._seed(f"laptop-{number}", 128)
        laptop = Laptop(number, seed, tuple({home: 0, other: 0}), self.clocks.getrandbits(32))
        laptop.clock = self.now + self.clocks.randrange(-(10**6), 10**6)
        laptop.booted = laptop.clock - 1000
        self.registry.add_log(laptop.log_state(number + 1), laptop.villages)
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

    # -- playing

    def run(self) -> None:
        """Until every laptop has used its share of changes."""
        with small_pages():
            while self.written < self.budget:
                self._tick()
            self.settle()

    def _tick(self) -> None:
        self.now += self.rng.randrange(1, 600)
        laptop = self.rng.choice(self.laptops)
        laptop.clock += self.clocks.randrange(1, 600)
        if self.fires("clock_jump"):
            laptop.clock += self.clocks.randrange(-(10**8), 10**8)
            laptop.booted = laptop.clock - 500
        match self.rng.choices(("create", "show", "save", "sync", "staff"), (3, 4, 4, 5, 2))[0]:
            case "create":
                self._create(laptop)
            case "show":
                self._show(laptop)
            case "save":
                self._save()
            case "sync":
                self.sync(laptop)
            case "staff":
                self._staff()

    # -- people at laptops

    def _create(self, laptop: Laptop) -> None:
        if self.fires("poison_malformed"):
            return self._poison(laptop, "create", {"set": 5})
        if self.fires("poison_unknown"):
            return self._poison(laptop, "prophecy", {"x": 1})
        rows = [self._units() for _ in range(self.rng.choice((1, 1, 1, 2, 3)))]
        changes = []
        for i, (form, units) in enumerate(rows):
            number = self.rng.getrandbits(25)
            body = Body(number=number, set=units, add={"documents": ["KK"]})
            place = (i, len(rows))
            changes.append(
                laptop.change("create", body, place=place, form=(form.slug, form.edition))
            )
        entries = laptop.append(changes)
        self.written += len(entries)
        self.note(f"{laptop.number} creates {entries[0].seq}+{len(entries)}")
        if self.fires("poison_killer"):
            self.registry.killers.add(entries[0].data)
        return None

    def _poison(self, laptop: Laptop, kind: str, body: Any) -> None:
        laptop.append([laptop.change(kind, body, form=("birth", 1))])
        self.written += 1
        self.note(f"{laptop.number} poison {kind} {laptop.last}")

    def _units(self) -> tuple[Service, dict[str, Any]]:
        form = self.rng.choice(self.forms)
        example = form.example
        units = dict(form.units(example_answers(form), example.documents))
        units.pop("documents", None)
        for unit in units:
            if isinstance(units[unit], dict) and "nik" in units[unit]:
                units[unit] = units[unit] | {"nik": self._nik(), "name": f"WARGA {self.written}"}
        if "parents.mother" in units:
            units["parents.mother"] = units["parents.mother"] | {"mother_nik": self._nik()}
        if "address.address" in units:
            village = self.rng.choice(VILLAGES)
            units["address.address"] = units["address.address"] | {"village": village}
        return form, {u: v for u, v in units.items() if form.unit(u).shape != "set"}

    def _nik(self) -> str:
        if self.niks and self.fires("same_citizen"):
            return self.rng.choice(self.niks)
        nik = f"827203{self.rng.randrange(1, 29):02}{self.rng.randrange(1, 13):02}"
        nik += f"{self.rng.randrange(50, 99)}{self.rng.randrange(1, 9999):04}"
        self.niks.append(nik)
        return nik

    def _show(self, laptop: Laptop) -> None:
        own = [e.seq for e in laptop.entries]
        names = list(laptop.snapshot.records)
        if own and self.rng.random() < 0.3:
            names = list(self._made_by(laptop)) or names
        if not names:
            return
        screen = laptop.display(self.rng.choice(names))
        if screen is not None and screen.units:
            self.screens.append((laptop, screen))

    def _made_by(self, laptop: Laptop) -> list[bytes]:
        from models.changes import decode_change, record_of

        found = []
        for entry in laptop.entries:
            change = decode_change(entry.data)
            if change.kind == "create" and laptop.told.get(entry.seq) is None:
                found.append(record_of(laptop.log, entry.seq, change, entry.data))
        return found

    def _save(self) -> None:
        if not self.screens:
            return
        at = 0 if self.fires("stale_save") else len(self.screens) - 1
        laptop, screen = self.screens.pop(at)
        body = self._edit(screen)
        if body is None:
            return
        change = laptop.change("edit", body, screen.record, screen=screen)
        if screen.seen < laptop.cursor.server_seq:
            self.fired["pull_behind_screen"] += 1
        if self._follows_held(laptop, screen, body):
            self.fired["held_follow_up"] += 1
        laptop.append([change])
        self.shown[laptop.log, laptop.last] = screen.seen
        self.written += 1
        self.note(f"{laptop.number} edits {laptop.last} {screen.record.hex()[:6]} {list(body.set)}")
        self._check_reading(laptop, screen.record, body)
        if self.fires("follow_up"):
            again = laptop.display(screen.record)
            if again is not None:
                self.screens.append((laptop, again))

    def _follows_held(self, laptop: Laptop, screen: Screen, body: Body) -> bool:
        record = laptop.snapshot.records.get(screen.record)
        held = {} if record is None else record.disputes
        cases = [laptop.snapshot.cases.get(held[u]) for u in body.set if u in held]
        return any(o.log == laptop.log for c in cases if c for o in c.offers)

    def _edit(self, screen: Screen) -> Body | None:
        roll = self.rng.random()
        if roll < 0.08:
            action = {"submitted": "withdraw", "received": "withdraw"}.get(screen.status)
            if action:
                return Body(action=action, move=(screen.status, "cancelled"), reason="batal")
        if roll < 0.16 and screen.status == "needs_correction":
            return Body(action="correct", move=("needs_correction", "submitted"))
        if roll < 0.26:
            papers = {"documents": [self.rng.choice(("KK", "KTP", "BIRTH_DEED"))]}
            return Body(add=papers) if self.rng.random() < 0.6 else Body(remove=papers)
        units = [u for u, v in screen.units.items() if not isinstance(v, list)]
        if not units:
            return None
        chosen = self.rng.sample(sorted(units), k=min(len(units), self.rng.choice((1, 1, 2))))
        return Body(set={u: self._other(screen.units[u]) for u in chosen})

    def _other(self, value: Any) -> Any:
        """Another value of the same shape; sometimes one that somebody else may pick too."""
        mark = str(self.rng.randrange(3) if self.rng.random() < 0.2 else self.rng.getrandbits(40))
        if isinstance(value, dict):
            first, *rest = sorted(value)
            kept = {k: v for k, v in value.items() if k != first and k not in rest[2:3]}
            return (kept if self.rng.random() < 0.2 else value) | {first: f"nilai {mark}"}
        return f"nilai {mark}"

    def _check_reading(self, laptop: Laptop, record: bytes, body: Body) -> None:
        """Law 14: what was just written is read back."""
        shown = laptop.look(record)
        self.laws["14"] += 1
        if shown is None or any(shown.units.get(u) != v for u, v in body.set.items()):
            raise Broken(f"law 14: laptop {laptop.number} does not read its own write")

    # -- the road

    def sync(self, laptop: Laptop) -> bool:
        """One sync attempt; True when it came to its end."""
        self._late_arrivals()
        exchange = laptop.exchange()
        for _ in range(50):
            most = self.rng.choice((1, 3, 10, 50))
            data = exchange.request(laptop.pending(exchange.next_entry, most), laptop.clock)
            body = wire.join_frames([wire.pack(data, 0, fast=True)])
            answer = self._carry(laptop, body)
            if answer is None or not self._read(laptop, exchange, answer):
                return False
            if exchange.finished:
                return True
        return False

    def _late_arrivals(self) -> None:
        """Requests that were held up arrive now, out of order; nobody waits for their answers."""
        while self.air and self.rng.random() < 0.5:
            laptop, body = self.air.pop(self.rng.randrange(len(self.air)))
            answer = self._handle(laptop, body)
            if answer is not None:
                self.old_replies.append((laptop, answer))

    def _carry(self, laptop: Laptop, body: bytes) -> bytes | None:
        if self.fires("drop_request"):
            return None
        if self.fires("reorder"):
            self.air.append((laptop, body))
            return None
        if self.fires("truncate_request"):
            body = body[: self.rng.randrange(len(body))]
        if self.fires("duplicate"):
            self._handle(laptop, body)
        answer = self._handle(laptop, body)
        if answer is None or self.fires("drop_reply"):
            return None
        if self.fires("truncate_reply"):
            return answer[: self.rng.randrange(len(answer))]
        mine = [a for owner, a in self.old_replies if owner is laptop]
        if mine and self.fires("stale_reply"):
            self.stale = self.rng.choice(mine)
            return self.stale
        self.old_replies = [*self.old_replies[-20:], (laptop, answer)]
        return answer

    def _handle(self, laptop: Laptop, body: bytes) -> bytes | None:
        """Central's process takes a body; it may die, and is then started anew."""
        self.deliveries.append((laptop.log, body))
        try:
            (frame,) = wire.split_frames(body)
            payload = wire.unpack(frame, 0)
            request = messages.decode(payload, Request)
            reply, pages = self.reception.respond(laptop.log, request, messages.name_of(payload))
        except Killed:
            self.registry.dead = False
            self.note("central died")
            return None
        except (Problem, ValueError):
            return None
        frames = [wire.pack(messages.encode(m), 0, fast=True) for m in (reply, *pages)]
        return wire.join_frames(frames)

    def _read(self, laptop: Laptop, exchange: Exchange, answer: bytes) -> bool:
        try:
            payloads = [wire.unpack(f, 0) for f in whole_frames(answer)[0]]
            if not payloads:
                return False
            reply = messages.decode(payloads[0], Reply)
            pages = [messages.decode(p, Page) for p in payloads[1:]]
            orders = [messages.decode(o, Order) for o in reply.orders[:0]]
            steps = exchange.receive(reply, payloads[0], pages, orders)
        except Problem:
            self.laws["32"] += answer is self.stale
            return False
        if answer is self.stale:
            raise Broken("law 32: the answer to another request was taken")
        for step in steps:
            if self.fires("laptop_crash"):
                self.note(f"{laptop.number} crashed while reading")
                return False
            laptop.apply(step)
        return True

    # -- staff

    def _staff(self) -> None:
        records: dict[bytes, Record] = self.registry.tables["records"]
        cases = [c for c in self.registry.tables["cases"].values() if c.state != "closed"]
        if cases and self.rng.random() < 0.5:
            self.decide(self.rng.choice(sorted(cases, key=opening_order)))
            return
        if not records:
            return
        name = self.rng.choice(sorted(records, key=lambda n: records[n].created))
        self.staff_screens.append((name, self.registry.position.server_seq))
        at = 0 if self.fires("stale_decision") else len(self.staff_screens) - 1
        name, seen = self.staff_screens.pop(at)
        self._office_step(records[name], seen)

    def _office_step(self, record: Record, seen: int) -> None:
        steps = {
            "received": ("take", "in_verification", ""),
            "in_verification": self.rng.choice(
                (("approve", "verified", ""), ("return", "needs_correction", "foto buram"))
            ),
        }
        step = steps.get(record.status)
        if step is None or self.rng.random() < 0.3:
            units = [u for u, w in record.units.items() if isinstance(w.value, (str, dict))]
            plain = [u for u in sorted(units) if u != STATUS_UNIT and ELEMENT not in u]
            if plain and not record.disputes:
                unit = self.rng.choice(plain)
                self.central_change(
                    "edit", Body(set={unit: self._other(record.units[unit].value)}), seen, record.id
                )
            return
        action, target, reason = step
        body = Body(action=action, move=(record.status, target), reason=reason)
        self.central_change("edit", body, seen, record.id)

    def central_change(self, kind: str, body: Any, seen: int, record: bytes = b"") -> bool:
        """A decision of staff through central's own log. False when it was refused as stale."""
        change = Change(
            kind, record, 0, 1, "", 0, 0, self.now, self.now, 0, 0, seen, None, raw(body)
        )
        try:
            self.ledger.write(change, self.now, "Bu Nur")
        except Killed:
            self.registry.dead = False
            return False
        except Problem:
            self.fired["refused_decision"] += 1
            return False
        return True

    def decide(self, case: Case) -> None:
        """Close a case as people do: protected ones with four eyes, sometimes on stale data."""
        seen = self.registry.position.server_seq
        if self.fires("stale_decision"):
            seen = max(0, case.changed - 1)
        take = self.rng.choice(TAKES[case.kind])
        more: dict[str, Any] = {}
        if take == "offer":
            offer = self.rng.choice(case.offers)
            more = {"log": offer.log, "seq": offer.seq}
        if take == "value":
            if case.unit == STATUS_UNIT or ELEMENT in case.unit:
                take = "current"
            else:
                more = {"value": self._other(case.offers[0].value)}
        first = "propose" if case.protected else "decide"
        second = "nur" if self.fires("same_person") else "amir"
        choice = Choice(case.id, take, "diperiksa", first, by="nur", **more)
        if self.central_change("resolve", choice, seen) and case.protected:
            seen = self.registry.position.server_seq
            again = Choice(case.id, take, "setuju", "approve", by=second, **more)
            self.central_change("resolve", again, seen)

    # -- rest

    def settle(self) -> None:
        """No more faults: everything arrives, every case is decided, everybody reads the rest."""
        self.faulty = False
        while self.air:
            laptop, body = self.air.pop()
            self._handle(laptop, body)
        for _ in range(100):
            self._sync_all()
            cases = [c for c in self.registry.tables["cases"].values() if c.state != "closed"]
            if not cases:
                self._sync_all()  # the first laptops have not read yet what the last ones brought
                return
            for case in sorted(cases, key=opening_order):
                fresh = self.registry.tables["cases"][case.id]
                if fresh.state != "closed":
                    self.decide(fresh)
        raise Broken("cases are never all decided")

    def _sync_all(self) -> None:
        for laptop in self.laptops:
            for _ in range(20):
                if self.sync(laptop):
                    break
            else:
                raise Broken(f"law 18: laptop {laptop.number} never ends its sync")

    def digest(self) -> str:
        """Everything central decided, as one hash: same seed, same world."""
        whole = hashlib.sha256()
        for number in sorted(self.registry.tables["decisions"]):
            whole.update(self.registry.tables["decisions"][number][0])
        return whole.hexdigest()


def opening_order(case: Case) -> tuple[int, str, int]:
    """An order of cases that no id, and so no clock, takes part in."""
    return case.opened, case.unit, len(case.offers)


def example_answers(form: Service) -> dict[str, Any]:
    """The example of a service as flat answers."""
    found: Any = form.example.answers
    flat: dict[str, Any] = {}
    for section, fields in found.items():
        rows = enumerate(fields, 1) if isinstance(fields, list) else [(0, fields)]
        for number, row in rows:
            prefix = f"{section}.{number}" if number else section
            flat.update({f"{prefix}.{name}": value for name, value in row.items()})
    return flat


def entry_of(world: World, log: bytes, seq: int) -> Entry:
    """A stored entry at central."""
    found: Entry = world.registry.tables["entries"][log, seq]
    return found


def encoded(value: Any) -> bytes:
    return encode(value)


def same(a: Any, b: Any) -> bool:
    return msgspec.to_builtins(a) == msgspec.to_builtins(b)
