"""Central in the simulated world: the production rooms over a register and a shelf in memory.

Its process may die at every commit; what was written and not synced then is lost, torn, or there
without anybody having been told. It is backed up while it works and put back from a backup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from models.problems import Problem
from server.arrivals import Arrivals, Limits
from server.bundles import Bundles
from server.cargo import Cargo
from server.database.devices import Device
from server.database.people import Person
from server.enrolment import Devices
from server.keys import Keys
from server.ledger import Ledger, Standing
from server.reception import Reception
from server.restoring import Intake, confirm, go_on
from server.returns import Returns
from server.settings import ServerSettings
from sync.known import LogState, Result, envelope
from sync.logs import opening_head
from sync.messages import Invitation
from sync.transfer import Part, chunk_count
from tests.simulation.laptop import Laptop
from tests.simulation.memory import MemoryDoor, MemoryRegistry

if TYPE_CHECKING:
    from tests.simulation.world import World

RATNA = Person("ratna", "Bu Ratna", "admin", "-")
IDHAM = Person("idham", "Pak Idham", "supervisor", "-")


class Killed(BaseException):
    """Central's process died here."""


class Registry(MemoryRegistry):
    """A register on a disk that keeps what was synced, in a process that can die."""

    def __init__(self, world: World) -> None:
        super().__init__(world.drawn_bytes("incarnation", 16))
        self.world = world
        self.killers: set[bytes] = set()
        self.dead = False

    def die(self) -> None:
        """The process ends here; what unwinds after it happens to nobody."""
        self.dead = True
        raise Killed

    def attempted(self, log: bytes, seq: int, scope: str) -> None:
        if not self.dead:
            super().attempted(log, seq, scope)

    @contextmanager
    def write(self) -> Iterator[MemoryDoor]:
        door = MemoryDoor(self)
        yield door
        world = self.world
        if self.killers and any(self._kills(door, key) for key in door.staged["results"]):
            self.die()
        if world.fires("disk_full"):
            raise Problem("disk.full", path="register", need="", free="")
        if world.fires("crash_before_commit"):
            # Written, not synced: nothing of it, a torn part that recovery drops, or all of it.
            fate = world.rng.choice(("lost_write", "torn_write", "unanswered_write"))
            world.fired[fate] += 1
            if fate == "unanswered_write":
                self.take_over(door)
            self.die()
        self.take_over(door)
        if world.fires("crash_after_commit"):
            self.die()

    def _kills(self, door: MemoryDoor, key: tuple[bytes, int]) -> bool:
        """Does an entry get its outcome in this transaction that ends the process when it is
        judged? One that was made again elsewhere is not judged any more."""
        before, after = self.tables["results"].get(key), door.staged["results"][key]
        if after.state == "waiting" or before == after:
            return False
        unjudged = self._parked(door, after) or (after.state, after.problem) == ("rejected", "")
        if unjudged or (before is not None and not self._unjudged(door, before)):
            return False
        entry = door.get("entries", key)
        if entry.data not in self.killers:
            return False
        made = (*key, entry.digest[:8])
        entries = (e for (_, n), e in door.rows("entries").items() if n)
        changes = (envelope(e) for e in entries) if after.state == "merged" else ()
        return not any(change is not None and change.origin == made for change in changes)

    def _unjudged(self, door: MemoryDoor, result: Result) -> bool:
        return result.state == "waiting" or self._parked(door, result)

    def _parked(self, door: MemoryDoor, result: Result) -> bool:
        """Is it kept for a person as it came?"""
        case = door.get("cases", result.case) if result.state == "held" else None
        return case is not None and case.kind in ("after-lost", "refused")

    def attempt(self, log: bytes, seq: int, scope: str) -> int:
        before = super().attempt(log, seq, scope)
        if self.world.fires("crash_in_attempt"):
            self.die()
        return before

    def copy(self) -> tuple[dict[str, dict[Any, Any]], Standing]:
        """What a backup holds: rows are never changed in place."""
        return {name: dict(rows) for name, rows in self.tables.items()}, self.position


class Shelf:
    """Chunks of citizens' files: one that was not synced when the process died may be torn."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.chunks: dict[tuple[bytes, int], bytes | None] = {}
        self.kept: dict[bytes, list[Part]] = {}

    def put(self, blob: bytes, size: int, chunks: Sequence[tuple[int, bytes]]) -> None:
        if self.world.fires("crash_in_file"):
            for index, chunk in chunks:
                fate = self.world.rng.random()
                if fate < 0.7:
                    self.chunks[blob, index] = None if fate < 0.4 else chunk
            raise Killed
        for index, chunk in chunks:
            self.chunks[blob, index] = chunk

    def present(self, blob: bytes, size: int) -> set[int]:
        return {n for n, chunk in enumerate(self.read(blob, size)) if chunk is not None}

    def read(self, blob: bytes, size: int) -> Iterator[bytes | None]:
        for index in range(chunk_count(size)):
            yield self.chunks.get((blob, index))

    def put_parts(self, blob: bytes, size: int, parts: Sequence[Part]) -> None:
        self.kept.setdefault(blob, []).extend(parts)

    def parts(self, blob: bytes, size: int) -> list[Part]:
        return list(self.kept.get(blob, []))

    def drop_parts(self, blob: bytes) -> None:
        self.kept.pop(blob, None)

    def delete(self, blob: bytes) -> None:
        for key in [key for key in self.chunks if key[0] == blob]:
            del self.chunks[key]


class Aside(Cargo):
    """Volumes laid aside, in memory."""

    def __init__(self, registry: Any, reception: Reception) -> None:
        super().__init__(registry, reception, Path())
        self.kept: dict[tuple[bytes, bytes, int], bytes] = {}

    def keep(self, device: bytes, name: bytes, k: int, data: bytes) -> None:
        self.kept.setdefault((device, name, k), data)

    def devices(self) -> list[bytes]:
        return sorted({device for device, _, _ in self.kept})

    def let_lie(self, path: Path) -> None:
        path.unlink()

    def volumes(self, device: bytes) -> list[tuple[Path, bytes]]:
        mine = [key for key in self.kept if key[0] == device]
        return [(cast(Path, _Place(self, key)), self.kept[key]) for key in mine]


class _Place:
    """Where a volume lies: it can only be removed."""

    def __init__(self, aside: Aside, key: tuple[bytes, bytes, int]) -> None:
        self.aside, self.key = aside, key

    def unlink(self, missing_ok: bool = False) -> None:
        self.aside.kept.pop(self.key, None)


class Backup(msgspec.Struct):
    """A checked copy elsewhere."""

    tables: dict[str, dict[Any, Any]]
    position: Standing
    chunks: dict[tuple[bytes, int], bytes | None]


class Central:
    """The office's program and its disk."""

    def __init__(self, world: World) -> None:
        self.world = world
        seal = world.drawn_bytes("central-seal", 32)
        self.keys = Keys(world.drawn_bytes("central", 32), seal, seal)
        self.name = self.keys.log
        self.registry = Registry(world)
        self.shelf = Shelf(world)
        self.backups: list[Backup] = []
        root = opening_head(self.keys.opening())
        key = self.keys.identity.sign_key
        self.registry.add_log(LogState(self.name, bytes(16), 0, root, key, central=True))
        self.settings = ServerSettings()
        self.drawn = 0
        self.start()

    def start(self) -> None:
        """The process starts anew: nothing but the disk is remembered."""
        registry: Any = self.registry
        self.registry.dead = False
        clock, keys = self.world.clock, self.keys
        self.ledger = Ledger(registry, self.name)
        arrivals = Arrivals(registry, self.shelf, Limits(1 << 40, 1 << 40))
        ready = Intake(registry).check
        self.reception = Reception(registry, self.ledger, keys.identity, clock, arrivals, ready)
        self.devices = Devices(registry, self.ledger, keys, self.settings, clock, self.entropy)
        aside = getattr(self, "aside", None)
        self.aside = Aside(registry, self.reception)
        if aside is not None:
            self.aside.kept = aside.kept
        self.bundles = Bundles(
            registry, self.ledger, self.reception, self.devices, self.aside, keys, clock
        )
        self.returns = Returns(registry, self.reception, self.devices, keys, clock, self.entropy)

    def entropy(self, size: int) -> bytes:
        """Chance, drawn from the seed."""
        self.drawn += 1
        return self.world.drawn_bytes(f"central-{self.drawn}", size)

    def admit(self, laptop: Laptop, villages: tuple[str, ...]) -> None:
        """A laptop that was enrolled before the world began."""
        number = laptop.number + 1
        name = f"laptop {laptop.number}"
        device = Device(
            laptop.device, name, "van", name, number, 1, villages, "active", "", 0, "", 1 << 40
        )
        state = laptop.log_state(number)
        state.villages = villages
        with MemoryRegistry.write(self.registry) as door:
            door.keep_device(device)
            door.add_log(state, laptop.book.opening, b"", 0, b"", 0)

    def invitation(self) -> Invitation:
        """As much of it as a laptop needs to know central by."""
        me = self.keys.identity
        return Invitation("", me.sign_key, me.seal_key, b"", b"", b"", "", "", 0, 0, [], "", b"", 0)

    # -- backups

    def backup(self) -> None:
        """A copy elsewhere, checked; only now something may be said to be durable."""
        tables, position = self.registry.copy()
        self.backups.append(Backup(tables, position, dict(self.shelf.chunks)))
        position = self.registry.position
        if position.server_seq > position.durable_seq:
            self.registry.position = msgspec.structs.replace(
                position, durable_seq=position.server_seq
            )

    def restore(self, backup: Backup, *, site_lost: bool) -> None:
        """Go on from a backup, with the ceremony of the production code, which works on a copy: a
        crash before its end leaves what was there. site_lost: the files here are gone too."""
        registry = self.registry
        registry.tables = {name: dict(rows) for name, rows in backup.tables.items()}
        registry.position = backup.position
        registry.attempts = {}
        if site_lost:
            self.shelf.chunks = dict(backup.chunks)
            self.shelf.kept = {}
            self.aside.kept = {}
        durable = backup.position.server_seq
        go_on(cast(Any, registry), self.name, self.entropy, self.world.now, durable)
        with MemoryRegistry.write(registry) as door:
            for blob in door.whole_blobs():
                if any(chunk is None for chunk in self.shelf.read(blob.id, blob.size)):
                    door.blob_torn(blob.id)
        self.backups = [b for b in self.backups if b is backup or _before(b, backup)]
        self.start()

    def put_copy(self, backup: Backup) -> None:
        """Somebody copies an older database back by hand, and tells nobody."""
        self.registry.tables = {name: dict(rows) for name, rows in backup.tables.items()}
        self.registry.position = backup.position
        self.registry.attempts = {}
        self.backups = [b for b in self.backups if b is backup or _before(b, backup)]
        self.start()

    def confirm(self) -> None:
        """A supervisor looked at the list of laptops: intake opens."""
        confirm(cast(Any, self.registry), IDHAM, self.world.now)


def _before(one: Backup, other: Backup) -> bool:
    return one.position.server_seq <= other.position.server_seq


__all__ = ["IDHAM", "RATNA", "Backup", "Central", "Killed", "Registry"]
