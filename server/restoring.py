"""Restoring: central goes on from a backup, and nobody is told that nothing happened.

What was decided after the backup is void. Laptops bring their work again; central gets a new name
and fresh numbers, so that nothing of the two histories is ever mixed up (sync/lineage.py). An open
case says what happened, and intake stays closed until a supervisor looked at the list of laptops: a
laptop that was reported lost after the backup would be trusted again otherwise.
"""

from __future__ import annotations

from models.changes import Change, Incident, raw
from models.people import Act, require
from models.problems import Problem
from server.auth import roles
from server.database.people import Person
from server.database.registry import Registry
from server.keys import Entropy
from server.ledger import Ledger
from sync.lineage import fresh_base
from sync.logs import HEAD_WIRE_BYTES
from sync.messages import Branch

INCARNATION_BYTES = 16
BLOCKS_SKIPPED = 256
"""Blocks of tracking codes that may have been given out after the backup."""

ORDERS_SKIPPED = 1000
"""Orders a log may have been given after the backup; a number is acted on once."""


class Intake:
    """Is work taken in? Asked before every request; once open it stays open for this process."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._open = False

    def check(self) -> None:
        """Problem office.unconfirmed after a restore that nobody confirmed."""
        if self._open:
            return
        with self.registry.read() as door:
            if door.unconfirmed() is not None:
                raise Problem("office.unconfirmed")
        self._open = True


def go_on(registry: Registry, central: bytes, entropy: Entropy, at: int) -> Branch:
    """Make a register that was put back into the next history of central, in one commit. central:
    id of its own log."""
    with registry.write() as door:
        before = door.standing()
        base = fresh_base(before.server_seq, entropy(1)[0])
        name, head = entropy(INCARNATION_BYTES), before.head[:HEAD_WIRE_BYTES]
        branch = Branch(name, before.incarnation, before.server_seq, head, base)
        door.restored(branch, before.head, at)
        door.jump(BLOCKS_SKIPPED, ORDERS_SKIPPED)
        door.lock()
        note = f"{before.incarnation.hex()} {before.server_seq} -> {name.hex()} {base}"
        incident = Change(
            "incident", b"", 0, 1, "", 0, 0, at, at, 0, 0, 0, None, raw(Incident("restore", note))
        )
        Ledger(registry, central).write_in(door, incident, at, "system")
        door.audit("restore", "office.restored", name.hex(), {"from": before.server_seq}, at)
    return branch


def confirm(registry: Registry, me: Person, at: int) -> list[str]:
    """A supervisor has looked at the list of laptops: open intake. Gives their names; Problem
    restore.none where nothing waits for that."""
    require(roles(me), Act.CONFIRM_RESTORE)
    with registry.write() as door:
        branch = door.unconfirmed()
        if branch is None:
            raise Problem("restore.none")
        names = [device.name for device in door.devices()]
        door.confirm(branch.incarnation, me.login)
        target = branch.incarnation.hex()
        door.audit(me.login, Act.CONFIRM_RESTORE, target, {"n": len(names)}, at)
    return names
