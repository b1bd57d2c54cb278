"""A small office in memory: the production ledger with a few laptops, for tests of merging.

No road and no faults: what a laptop wrote is handed to the ledger directly, in the order a test
wants.
"""

from __future__ import annotations

import hashlib
from typing import Any

from models.changes import Body, Change, Choice, decode_change, raw, record_of
from models.services import catalogue
from server.ledger import Ledger
from sync.known import LogState, Result
from sync.messages import Batch
from sync.state import Case, Decision, Record
from tests.simulation.books import Screen
from tests.simulation.laptop import Laptop
from tests.simulation.memory import MemoryRegistry
from tests.simulation.people import example_answers

VILLAGE = "82.72.03.2001"
NOW = 1_760_000_000
CENTRAL = b"central-log-0001"
SLUG = "ktp-new-enrolment"
PROTECTED = "applicant.identity"
FREE = "applicant.phone"
GROUP = "address.address"


class Office:
    """Central with `laptops` laptops of one village; everything decided is in `decisions`."""

    def __init__(self, laptops: int = 2) -> None:
        self.registry = MemoryRegistry()
        self.registry.add_log(LogState(CENTRAL, b"central", 0, b"\0" * 32, central=True))
        self.ledger = Ledger(self.registry, CENTRAL)
        self.laptops = [self._laptop(i) for i in range(laptops)]
        self.sent = {laptop.log: 0 for laptop in self.laptops}

    def _laptop(self, number: int) -> Laptop:
        seed = hashlib.shake_256(f"office-{number}".encode()).digest(128)
        laptop = Laptop(number, seed, (VILLAGE,), number)
        self.registry.add_log(laptop.log_state(number + 1), laptop.villages)
        laptop.open_session()
        return laptop

    # -- at a laptop

    def create(self, laptop: Laptop, number: int = 1, **units: Any) -> bytes:
        """Take a request in (not sent yet); gives the record."""
        form = catalogue().service(SLUG)
        found = dict(form.units(example_answers(form), ()))
        found = {u: v for u, v in found.items() if form.unit(u).shape != "set"} | units
        body = Body(number=number, set=found, add={"documents": ["KK"]})
        change = laptop.change("create", body, form=(SLUG, form.edition))
        (entry,) = laptop.append([change])
        return record_of(laptop.log, entry.seq, decode_change(entry.data), entry.data)

    def edit(
        self, laptop: Laptop, record: bytes, body: Body, screen: Screen | None = None
    ) -> tuple[bytes, int]:
        """Save an edit (not sent yet); gives (log, entry number)."""
        change = laptop.change("edit", body, record, screen=screen or laptop.display(record))
        laptop.append([change])
        return laptop.log, laptop.last

    # -- between

    def send(self, laptop: Laptop, upto: int | None = None) -> list[tuple[int, Result]]:
        """Hand everything unsent (up to an entry number) to central."""
        first = self.sent[laptop.log] + 1
        last = laptop.last if upto is None else upto
        entries = laptop.entries[first - 1 : last]
        if not entries:
            return []
        prev = laptop.head_at(first - 1) or b""
        batch = Batch(first, prev[:8], entries[-1].head[:8], [e.data for e in entries])
        self.sent[laptop.log] = last
        return self.ledger.store(laptop.log, batch, NOW).results

    def pull(self, laptop: Laptop) -> None:
        """Let a laptop read all it may see."""
        from sync.exchange import Absorbed
        from sync.messages import Cursor
        from sync.pull import for_laptop

        with self.registry.read() as door:
            scope = door.scope(laptop.device)
            found, upto, head, _ = door.pull(scope, laptop.cursor.server_seq, 1 << 30)
            names = set(self.registry.tables["records"])
            visible = door.visible(scope, names)
        before = door.whole_before
        see = visible.__contains__
        shown = [for_laptop(d, see, scope.logs, scope.villages, before) for d in found]
        cursor = Cursor(b"sim-0001", upto, head[:8])
        laptop.apply(Absorbed(tuple(d for d in shown if d is not None), cursor))

    # -- at central

    def staff(self, body: Body, record: bytes, seen: int | None = None) -> Result:
        """A change by staff, made on the newest state unless `seen` says otherwise."""
        at = self.registry.position.server_seq if seen is None else seen
        change = Change("edit", record, 0, 1, "", 0, 0, NOW, NOW, 0, 0, at, None, raw(body))
        return self.ledger.write(change, NOW, "nur")[0]

    def resolve(self, choice: Choice, seen: int | None = None) -> list[Decision]:
        """A person's choice about a case."""
        at = self.registry.position.server_seq if seen is None else seen
        change = Change("resolve", b"", 0, 1, "", 0, 0, NOW, NOW, 0, 0, at, None, raw(choice))
        return self.ledger.write(change, NOW, choice.by)[1]

    def record(self, name: bytes) -> Record:
        found: Record = self.registry.tables["records"][name]
        return found

    def cases(self, kind: str = "") -> list[Case]:
        """Cases in the order they were opened."""
        found = sorted(self.registry.tables["cases"].values(), key=lambda c: c.opened)
        return [c for c in found if not kind or c.kind == kind]

    def result(self, log: bytes, seq: int) -> Result:
        found: Result = self.registry.tables["results"][log, seq]
        return found

    def value(self, name: bytes, unit: str) -> Any:
        write = self.record(name).units.get(unit)
        return write.value if write is not None else None
