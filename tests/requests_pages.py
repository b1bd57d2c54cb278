"""Requests that were taken in at the desk, and what central made of them, for tests of pages."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from field_client.desk import Desk, Wanted
from models.changes import decode_body, decode_change
from sync.exchange import Absorbed
from sync.messages import Cursor
from sync.state import Created, Decision, Moved, Outcome, Wrote
from tests.field import NOW, example

STEPS = {"received": "receive", "in_verification": "take", "needs_correction": "return"}
VERIFIED = ("submitted", "received", "in_verification", "verified")
RETURNED = (*VERIFIED[:3], "needs_correction")
READY = (*VERIFIED, "signed", "ready_for_handover")


def submitted(desk: Desk, service: str) -> bytes:
    """The example of a service, taken in; gives its record."""
    row = example(service)
    reasons = {**row["reasons"], "duplicate": "diminta lagi"}
    wanted = Wanted(row["service"], row["answers"], row["documents"], reasons)
    (taken,) = desk.submit(desk.prepare(wanted))
    return taken.record


def led(desk: Desk, service: str, statuses: tuple[str, ...], reason: str = "") -> bytes:
    """The same, led by central from the first of these statuses to the last; gives its record.
    reason: of the last step."""
    record, own = submitted(desk, service), desk.store.log()
    change = decode_change(desk.store.pending(own.seq - 1, 1)[0].data)
    body, mine = decode_body(change.body), (own.id, own.seq)
    number = desk.store.standing().cursor.server_seq + 1
    effects: list[Any] = [
        Created(record, service, change.edition, b"d" * 16, (7, body.number), mine),
        *(Wrote(record, unit, value, None, mine) for unit, value in body.set.items()),
        Outcome(own.id, own.seq, "applied"),
        *(
            Moved(record, STEPS.get(after, "move"), before, after,
                  reason if after == statuses[-1] else "")
            for before, after in pairwise(statuses)
        ),
    ]  # fmt: skip
    decision = Decision(number, b"central-log-0001", number, 1, NOW, 1, "rina", tuple(effects))
    desk.store.apply(Absorbed((decision,), Cursor(b"incarnat", number, b"h" * 8)))
    return record
