"""What the registry's contract needs around a registry: central's log, laptops, and a ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from models.changes import Body, Change, Choice, decode_change, encode, raw, record_of
from models.services import catalogue
from server.database.registry import Device, open_registry
from server.database.registry import Registry as DatabaseRegistry
from server.ledger import Door, Ledger, Registry, Stored
from sync.known import LogState, Needs
from sync.logs import Open, log_id, opening_head
from sync.messages import Batch
from sync.pull import for_laptop
from sync.state import Case, Decision, Record, State
from tests.simulation.laptop import Laptop

CITY = "82.72"
VILLAGE, OTHER_VILLAGE = "82.72.03.2001", "82.72.03.2002"
NOW = 1_795_000_000
SLUG = "ktp-new-enrolment"
PROTECTED, FREE, GROUP = "applicant.identity", "applicant.phone", "address.address"
CENTRAL_OPENING = encode(Open(b"C" * 32, b"S" * 32, bytes(16), b"", 0, b"", "central"))
CENTRAL = log_id(b"C" * 32)
EVERYTHING = 1 << 30


class Home:
    """A register under test. admit: makes a log known, with the villages of its laptop; again: the
    same register as another program would open it, None where nothing outlives the process."""

    def __init__(
        self,
        registry: Any,
        admit: Callable[[LogState, bytes, tuple[str, ...]], None],
        again: Callable[[], Registry] | None = None,
    ) -> None:
        self.registry: Registry = registry
        self.ledger = Ledger(self.registry, CENTRAL)
        self.admit = admit
        self.again = again
        self.laptops = 0

    # -- laptops

    def laptop(self, *villages: str) -> Laptop:
        """An enrolled laptop whose operator opened a session (nothing is sent yet)."""
        self.laptops += 1
        seed = hashlib.shake_256(f"registry-{self.laptops}".encode()).digest(128)
        laptop = Laptop(self.laptops, seed, villages or (VILLAGE,), self.laptops)
        key, seal = laptop.identity.sign_key, laptop.identity.seal_key
        opening = encode(Open(key, seal, laptop.device, b"", 0, b"", "enrolled"))
        self.admit(laptop.log_state(self.laptops), opening, laptop.villages)
        laptop.clock = NOW - 100
        laptop.open_session()
        return laptop

    def batch(self, laptop: Laptop, first: int = 1, last: int | None = None) -> Batch:
        """Entries first..last of a laptop as it would send them."""
        entries = laptop.entries[first - 1 : last]
        prev = laptop.head_at(first - 1) or b""
        return Batch(first, prev[:8], entries[-1].head[:8], [e.data for e in entries])

    def send(self, laptop: Laptop, first: int = 1, last: int | None = None) -> Stored:
        """Hand entries first..last to central."""
        return self.ledger.store(laptop.log, self.batch(laptop, first, last), NOW)

    # -- central

    def write(self, kind: str, record: bytes, body: Any, seen: int | None = None) -> None:
        """Central's own change, made on the newest state unless `seen` says otherwise."""
        at = self.seq if seen is None else seen
        change = Change(kind, record, 0, 1, "", 0, 0, NOW, NOW, 0, 0, at, None, raw(body))
        self.ledger.write(change, NOW, "nur")

    def resolve(self, case: bytes, take: str, **more: Any) -> None:
        """A person's choice about a case."""
        self.write("resolve", b"", Choice(case, take, "sudah dicek", by="nur", **more))

    # -- looking

    @property
    def seq(self) -> int:
        """Number of the newest decision."""
        with self.registry.read() as door:
            return door.standing().server_seq

    def record(self, name: bytes) -> Record | None:
        with self.registry.read() as door:
            return door.load(Needs(records={name})).state.records.get(name)

    def case(self, name: bytes) -> Case:
        with self.registry.read() as door:
            return door.load(Needs(cases={name})).state.cases[name]

    def states(self, laptop: Laptop) -> list[str]:
        """Outcome of every stored entry of a laptop."""
        with self.registry.read() as door:
            return [result.state for _, result in door.results(laptop.log, 1, laptop.last)]

    def pulled(self, laptop: Laptop, after: int = 0) -> list[Decision]:
        with self.registry.read() as door:
            return door.pull(door.scope(laptop.device), after, EVERYTHING)[0]

    def told(self, laptop: Laptop, after: int = 0) -> list[Decision]:
        """The part of the decisions that a laptop is shown."""
        with self.registry.read() as door:
            scope = door.scope(laptop.device)
            found = door.pull(scope, after, EVERYTHING)[0]
            names = {n for d in found for e in d.effects for n in named_in(e)}
            see = door.visible(scope, names).__contains__
            before = door.whole_before
            parts = [for_laptop(d, see, scope.logs, scope.villages, before) for d in found]
        return [part for part in parts if part is not None]

    def shown(self, laptop: Laptop) -> State:
        """What a laptop knows after it read everything it may see."""
        state = State()
        for decision in self.told(laptop):
            state.fold(decision)
        return state

    def folded(self, *laptops: Laptop) -> State:
        """The fold of all decisions that these laptops are told, each once, in order."""
        found = {d.server_seq: d for laptop in laptops for d in self.pulled(laptop)}
        state = State()
        for number in sorted(found):
            state.fold(found[number])
        return state


def named_in(effect: Any) -> set[bytes]:
    """Requests an effect speaks of."""
    names = {getattr(effect, "record", b""), getattr(effect, "kept", b"")}
    return (names | {*getattr(effect, "others", ())}) - {b""}


def filled(village: str = VILLAGE, nik: str = "", phone: str = "") -> dict[str, Any]:
    """Units of a complete request for an identity card."""
    form = catalogue().service(SLUG)
    answers = form.check(form.example.answers, (), today=form.example.day).answers
    units = {u: v for u, v in form.units(answers).items() if form.unit(u).shape != "set"}
    units[GROUP] = {**units[GROUP], "village": village}
    units[PROTECTED] = {**units[PROTECTED], **({"nik": nik} if nik else {})}
    return units | ({FREE: phone} if phone else {})


def created(
    laptop: Laptop, number: int = 1, nik: str = "", place: tuple[int, int] = (0, 1), **more: Any
) -> Change:
    """A change that takes a request in."""
    village = more.pop("village", laptop.villages[0])
    edition = more.pop("edition", catalogue().service(SLUG).edition)
    body = Body(number=number, set=filled(village, nik, **more), add={"documents": ["KK"]})
    return laptop.change("create", body, place=place, form=(SLUG, edition))


def create(laptop: Laptop, number: int = 1, nik: str = "", **more: Any) -> bytes:
    """Take a request in (not sent yet); gives the record."""
    (entry,) = laptop.append([created(laptop, number, nik, **more)])
    return record_of(laptop.log, entry.seq, decode_change(entry.data), entry.data)


def edit(laptop: Laptop, record: bytes, seen: int = 0, units: dict[str, Any] | None = None) -> int:
    """Change a request (not sent yet); gives the entry's number."""
    change = laptop.change("edit", Body(set=units or {}), record)
    laptop.append([msgspec.structs.replace(change, seen=seen)])
    return laptop.last


# -- on databases


def database_home(url: str, city: str = CITY) -> Home:
    """A new register of a city, in a database that may hold other cities already."""
    registry = open_registry(url, city)
    registry.migrate()
    central = LogState(
        CENTRAL, bytes(16), 0, opening_head(CENTRAL_OPENING), b"C" * 32, b"S" * 32, central=True
    )
    with registry.write() as door:
        door.found(central, CENTRAL_OPENING, b"incarnation-0001", NOW)
    registry.check()
    return reopened(registry, url)


def reopened(registry: DatabaseRegistry, url: str, laptops: int = 0) -> Home:
    """A home around a register that was founded already. laptops: how many it has."""

    def admit(log: LogState, opening: bytes, villages: tuple[str, ...]) -> None:
        admitted(registry, log, opening, villages)

    home = Home(registry, admit, lambda: open_registry(url, registry.city))
    home.laptops = laptops
    return home


def admitted(
    registry: DatabaseRegistry, log: LogState, opening: bytes, villages: tuple[str, ...]
) -> None:
    """A laptop with its first log."""
    with registry.write() as door:
        if door.device(log.device) is None:
            name, block = f"Si Jola {log.device.hex()[:4]}", door.next_block()
            facts = (name, "van", name, block, 1, villages, "active", "Sari", NOW, "nur", NOW)
            door.keep_device(Device(log.device, *facts))
        door.add_log(log, opening, b"", 0, b"escrow", NOW)


def needs_of(door: Door, *records: bytes) -> Any:
    """What is known for judging these requests."""
    return door.load(Needs(records=set(records)))
