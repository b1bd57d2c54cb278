"""Evidence: what central can prove. Chains that hold, receipts that are genuine, keys."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from models.audit import AuditEntry
from models.ids import Code
from models.people import Act, require
from server.auth import roles
from server.database.people import Person
from server.database.registry import Broken, Door, Registry, Verified
from server.keys import Keys
from sync import keylist, receipt
from sync.keylist import Key, KeyList

TRAIL_MAX = 1000
PLACES_MAX = 10
"""Places that do not hold, named in the trail by the check that found them."""


class Genuine(msgspec.Struct, frozen=True):
    """A receipt that its laptop's key signed. arrived: is its request here; status: how it stands.
    fits: the stored entry is the one the receipt speaks of."""

    record: str
    code: str
    service: str
    edition: int
    seq: int
    device: str
    arrived: bool
    fits: bool
    status: str


class Evidence:
    """Proofs. `clock` gives Unix seconds."""

    def __init__(self, registry: Registry, keys: Keys, clock: Callable[[], int]) -> None:
        self.registry = registry
        self.keys = keys
        self.clock = clock

    def key_list(self) -> bytes:
        """The signed list of every laptop's keys, for checking receipts without central."""
        with self.registry.read() as door:
            found = KeyList(self.clock(), self._keys(door))
        return keylist.issue(found, self.keys.identity)

    def _keys(self, door: Door) -> list[Key]:
        """Central's own, for receipts of its counter, and those of the laptops."""
        return [Key(self.keys.identity.sign_key), *_keys(door)]

    def receipt(self, token: bytes) -> Genuine:
        """What a receipt proves. Raises Problem when it proves nothing."""
        with self.registry.read() as door:
            told = keylist.check(token, KeyList(self.clock(), self._keys(door)))
            row = door.request_line(told.record)
            log = door.log(receipt.signer(token))
            assert log is not None
            device = door.device(log.device)
            stored = door.entry(log.id, told.seq)
        return Genuine(
            told.record.hex(),
            str(Code(*told.code)),
            told.service,
            told.edition,
            told.seq,
            device.name if device is not None else "",
            row is not None,
            stored is not None and stored.head.startswith(told.head),
            row.status if row is not None else "",
        )

    def trail(self, me: Person, target: str, after: int, limit: int) -> list[AuditEntry]:
        """Entries of the audit trail after a number, all or those about `target`."""
        require(roles(me), Act.READ_AUDIT)
        with self.registry.write() as door:
            found = door.trail(target=target, after=after, limit=max(1, min(limit, TRAIL_MAX)))
            details = {"about": target[:64], "after": after, "n": len(found)}
            door.audit(me.login, Act.READ_AUDIT, "", details, self.clock())
        return found

    def verify(self, me: Person | None) -> Verified:
        """Check every chain from its beginning; what is broken is named by number. me: None for the
        program itself."""
        if me is not None:
            require(roles(me), Act.READ_AUDIT)
        with self.registry.read() as door:
            found = door.verify()
        with self.registry.write() as door:
            details: dict[str, object] = {"audit": found.audit, "broken": len(found.broken)}
            if found.broken:
                details["places"] = [_place(one) for one in found.broken[:PLACES_MAX]]
            by = me.login if me is not None else "system"
            door.audit(by, "audit.verify", "", details, self.clock())
        return found


def _place(one: Broken) -> str:
    """Where something does not hold, for the trail."""
    return f"{one.chain} {one.number} {one.log.hex()}".strip()


def _keys(door: Door) -> list[Key]:
    return [Key(log.key, log.limit) for device in door.devices() for log in door.logs(device.id)]
