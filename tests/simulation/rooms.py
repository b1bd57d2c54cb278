"""More rooms of the register in memory: devices, restores, files, sticks.

The first half (`memory.py`) is what the ledger asks for; this is what the rest of central asks for:
enrolment, backups and restores, citizens' files, bundles. Rows live in the registry's tables, so a
backup of central is a copy of the tables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec

from server.database.custody import Bundle, VolumeHere
from server.database.devices import Device
from server.database.files import Announced, Blob, announcements
from server.ledger import Scope
from sync.bundle import WORK
from sync.known import LogState
from sync.lineage import branch_head
from sync.logs import Entry
from sync.messages import Branch, Sight

MORE_TABLES = (
    "devices", "reach", "openings", "branches", "restored", "announced", "blobs", "brought",
    "bundles",
    "volumes", "orders_given", "audit", "durable",
)  # fmt: skip


class Rooms:
    """Mixed into the door of the register in memory."""

    registry: Any
    position: Any
    get: Any
    put: Any
    rows: Any
    log: Any

    # -- devices

    def device(self, device: bytes) -> Device | None:
        found: Device | None = self.get("devices", device)
        return found

    def device_named(self, name: str) -> Device | None:
        return next((d for d in self.rows("devices").values() if d.name == name), None)

    def devices(self) -> list[Device]:
        return list(self.rows("devices").values())

    def keep_device(self, device: Device) -> None:
        self.put("devices", device.id, device)
        had = {*device.villages, *(village for village, _ in device.lent)}
        self.put("reach", device.id, self.get("reach", device.id, frozenset()) | had)

    def known_scope(self, device: bytes, at: int) -> Scope | None:
        """The scope of a device that was enrolled as such."""
        found = self.device(device)
        if found is None:
            return None
        logs = tuple(log.id for log in self.logs(device))
        return Scope(device, found.villages_at(at), logs, found.scope_number(at))

    def logs(self, device: bytes) -> list[LogState]:
        return [log for log in self.rows("logs").values() if log.device == device]

    def opening(self, log: bytes) -> bytes | None:
        found: bytes | None = self.get("openings", log)
        return found

    def add_log(
        self, log: LogState, opening: bytes, parent: bytes, parent_seq: int, escrow: bytes, at: int
    ) -> None:
        self.put("logs", log.id, log)
        self.put("entries", (log.id, 0), Entry(0, b"", log.head))
        self.put("openings", log.id, opening)

    # -- restores

    def lineage(self) -> tuple[Branch, ...]:
        branches = self.rows("branches")
        return tuple(branches[base][0] for base in sorted(branches))

    def restored(self, branch: Branch, head: bytes, at: int, durable: int = 0) -> None:
        self.put("branches", branch.base, (branch, ""))
        self.put("restored", branch.base, at)
        self.position = msgspec.structs.replace(
            self.position,
            server_seq=branch.base,
            head=branch_head(head, branch.incarnation),
            incarnation=branch.incarnation,
            durable_seq=durable,
        )

    def jump(self, blocks: int, orders: int) -> None:
        for log in self.rows("logs"):
            given = self.get("orders_given", log, 0)
            self.put("orders_given", log, given + orders)

    def durable(self, incarnation: bytes, number: int) -> None:
        if self.position.incarnation == incarnation and number > self.position.durable_seq:
            self.position = msgspec.structs.replace(self.position, durable_seq=number)

    def unconfirmed(self) -> Branch | None:
        open_ = [branch for branch, by in self.rows("branches").values() if not by]
        return open_[0] if open_ else None

    def confirm(self, incarnation: bytes, by: str) -> None:
        for base, (branch, _) in self.rows("branches").items():
            if branch.incarnation == incarnation:
                self.put("branches", base, (branch, by))

    def lock(self) -> None:
        """The memory has one writer anyway."""

    def await_logs(self, incarnation: bytes, had: dict[bytes, int]) -> None:
        """Which logs have called since a restore is not kept here."""

    def keep_recovery(self, incarnation: bytes, case: bytes, facts: Any) -> None:
        """Nor is the report of a restore."""

    def kept_rosters(self, village: Any, wanted: str) -> list[Any]:
        """Nor any list of residents."""
        return []

    def packages(self) -> list[Any]:
        """No reference data was published."""
        return []

    def keep_journal(self, mark: Any) -> None:
        """There is no second journal here."""

    def audit(self, by: str, act: str, target: str, details: Any, at: int) -> None:
        self.put("audit", len(self.rows("audit")), (by, str(act), target, at))

    def too_often(self, device: bytes, action: str, most: int, at: int) -> int:
        about = (action, device.hex())
        done = [row[3] for row in self.rows("audit").values() if row[1:3] == about][-most:]
        return max(0, done[0] + 86_400 - at) if len(done) == most else 0

    # -- files

    def announce(self, log: bytes, entries: Iterable[Entry]) -> None:
        for one in announcements(log, entries):
            if self.get("announced", (log, one.blob)) != one:
                self.put("announced", (log, one.blob), one)

    def announced(self, log: bytes, blobs: Collection[bytes]) -> dict[bytes, Announced]:
        found = {blob: self.get("announced", (log, blob)) for blob in blobs}
        return {blob: one for blob, one in found.items() if one is not None}

    def blobs(self, names: Collection[bytes]) -> dict[bytes, Blob]:
        found = {name: self.get("blobs", name) for name in names}
        return {name: blob for name, blob in found.items() if blob is not None}

    def keep_manifests(self, blobs: Sequence[Blob]) -> None:
        for blob in blobs:
            if self.get("blobs", blob.id) is None:
                self.put("blobs", blob.id, blob)

    def blobs_whole(self, names: Collection[bytes], at: int) -> int:
        covered: int = self.position.server_seq
        for name in sorted(names):
            blob = self.get("blobs", name)
            self.put("blobs", name, msgspec.structs.replace(blob, covered=covered, at=at))
        return covered

    def blob_torn(self, name: bytes) -> None:
        torn = msgspec.structs.replace(self.get("blobs", name), covered=None, at=0)
        self.put("blobs", name, torn)

    def lost_blobs(self) -> list[bytes]:
        lost = (
            blob for blob in self.rows("blobs").values() if blob.covered is None and not blob.at
        )
        return sorted(blob.id for blob in lost)

    def blobs_of(self, record: bytes) -> dict[bytes, Blob]:
        found = self.rows("announced").values()
        return self.blobs({one.blob for one in found if one.record == record})

    def whole_blobs(self) -> list[Blob]:
        return [blob for blob in self.rows("blobs").values() if blob.covered is not None]

    def brought(self, device: bytes, day: int) -> int:
        found: int = self.get("brought", (device, day), 0)
        return found

    def add_brought(self, device: bytes, day: int, amount: int) -> None:
        self.put("brought", (device, day), self.brought(device, day) + amount)

    def news_of_files(self, log: bytes, since: int) -> list[bytes]:
        mine = sorted(blob for name, blob in self.rows("announced") if name == log)
        found = self.blobs(mine)
        return [b for b in found if found[b].covered is None or (found[b].covered or 0) >= since]

    # -- sticks

    def bundle(self, name: bytes) -> Bundle | None:
        found: Bundle | None = self.get("bundles", name)
        return found

    def bundles(self, purpose: str, limit: int = 200) -> list[Bundle]:
        return [one for one in self.rows("bundles").values() if one.purpose == purpose]

    def keep_bundle(self, bundle: Bundle) -> None:
        if self.bundle(bundle.name) is None:
            self.put("bundles", bundle.name, bundle)

    def volumes(self, name: bytes) -> dict[int, VolumeHere]:
        return self.volumes_of([name])[name]

    def volumes_of(self, names: Collection[bytes]) -> dict[bytes, dict[int, VolumeHere]]:
        found = self.rows("volumes")
        return {name: {k: found[n, k] for n, k in sorted(found) if n == name} for name in names}

    def keep_volume(self, name: bytes, volume: VolumeHere) -> bool:
        if self.get("volumes", (name, volume.k)) is not None:
            return False
        self.put("volumes", (name, volume.k), volume)
        return True

    def newest_return(self, log: bytes) -> Bundle | None:
        made = [b for b in self.rows("bundles").values() if b.log == log and b.purpose != WORK]
        return max(made, key=lambda b: b.number, default=None)

    def newest_sight(self, log: bytes) -> Sight | None:
        came = [b for b in self.bundles(WORK) if b.log == log]
        newest = max(came, key=lambda b: b.number, default=None)
        return newest.sight if newest is not None else None

    def newest_number(self, purpose: str, log: bytes) -> int:
        return max((b.number for b in self.bundles(purpose) if b.log == log), default=0)

    def gaps(self) -> dict[bytes, int]:
        ahead = self.rows("ahead").items()
        return {log: min(seq for seq, _ in kept) for log, kept in ahead if kept}

    def heard_cursor(self, log: bytes) -> int:
        call = self.get("calls", log)
        return call[3] if call is not None else 0
