"""Holes: entries of the own log that this laptop's disk has lost or damaged.

A lost entry that central has is not lost. One that it does not have is declared: a signed `hole`
entry at the end of the log says which numbers are gone and what the chain goes on from. What lies
between them and is whole is made again behind it, each change naming its origin, so nothing that
can still be read is lost and nothing counts twice. Central opens a case with an owner, and the log
goes on.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from field_client import succession
from field_client.desk import Desk
from field_client.vault.logs import OwnLog
from field_client.vault.store import Store
from models.changes import Hole, decode_change
from models.problems import Problem
from sync.logs import Entry, next_head

REASON_MAX = 300


class Damage(msgspec.Struct, frozen=True):
    """Numbers of a log that are gone or do not fit. stored: those that central has; lost: those
    that nobody has any more. first: where the transaction of the first of them begins. whole:
    entries from there on that can be made again."""

    log: OwnLog
    stored: tuple[int, ...]
    lost: tuple[int, ...]
    first: int
    whole: tuple[Entry, ...]


def damage(store: Store, log: bytes) -> Damage | None:
    """What is damaged of an own log; None where nothing is."""
    own = store.log(log)
    entries = {entry.seq: entry for entry in store.entries(own.id)}
    bad = [seq for seq in store.numbers(own.id) if not _fits(own, entries, seq)]
    if not bad:
        return None
    lost = tuple(seq for seq in bad if seq > own.stored)
    first = begins(entries, lost[0]) if lost else own.seq + 1
    after = [entries[seq] for seq in sorted(entries) if seq >= first]
    whole = tuple(entry for entry in after if entry.seq not in lost)
    return Damage(own, tuple(seq for seq in bad if seq <= own.stored), lost, first, whole)


def begins(entries: Mapping[int, Entry], lost: int) -> int:
    """Number of the first entry of the transaction that a lost one stood in: half a family is never
    sent, so a hole behind it would not be reached."""
    before = entries.get(lost - 1)
    change = decode_change(before.data) if before is not None else None
    if change is None or change.i == change.n - 1:
        return lost
    return lost - 1 - change.i


def _fits(own: OwnLog, entries: dict[int, Entry], seq: int) -> bool:
    """Is the entry there, and does it follow from the one before it, if that is there?"""
    entry, before = entries.get(seq), entries.get(seq - 1)
    if entry is None or (seq == own.seq and entry.head != own.head):
        return False
    return before is None or next_head(own.id, before.head, entry.data) == entry.head


def declare(desk: Desk, found: Damage, reason: str) -> Hole:
    """Declare what is lost of the newest log and make the rest again, in one commit. Problems:
    hole.none where nothing is lost, hole.older for a log that another one follows,
    reason.required, reason.too_long."""
    own = desk.store.log()
    if not found.lost:
        raise Problem("hole.none")
    if own.id != found.log.id or own.seq != found.log.seq:
        raise Problem("hole.older")
    if not reason.strip():
        raise Problem("reason.required")
    if len(reason) > REASON_MAX:
        raise Problem("reason.too_long", limit=REASON_MAX, n=len(reason))
    numbers = ranges(found.lost)
    hole = Hole(found.first, own.seq, own.head, f"{numbers}: {reason.strip()}")
    with desk.saving(hole) as (saving, session, _):
        for fresh in succession.again(found.log, found.whole, session, desk.grant(), own.block):
            for change in fresh:
                saving.append(change)
        saving.lay_aside(hole.first, hole.last)
    return hole


def ranges(numbers: tuple[int, ...]) -> str:
    """`118–121, 125` of numbers in order."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"{p[0]}–{p[-1]}" if len(p) > 1 else str(p[0]) for p in parts)
