"""What stands around the entries that a batch brings to a log: what they have to fit, what waits
beyond a gap, and what another laptop wrote on the same log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.problems import Problem
from sync.intake import Accepted, follows, whole
from sync.known import Known, LogState
from sync.logs import Entry, chain, hole_in, next_head
from sync.messages import Batch

if TYPE_CHECKING:
    from server.ledger import Door


def remade(door: Door, known: Known) -> set[tuple[bytes, int, bytes] | None]:
    """What was made again of the requests that the loaded, waiting entries speak of."""
    by_log: dict[bytes, list[Entry]] = {}
    for (log, _), entry in known.entries.items():
        by_log.setdefault(log, []).append(entry)
    return set().union(*(door.remade(known.logs[k], e, late=True) for k, e in by_log.items()))


def stored_near(door: Door, name: bytes, batch: Batch, last: int) -> dict[int, Entry]:
    """The stored entries that a batch has to fit: see `accept`."""
    hole = hole_in(batch.entries[0]) if batch.entries else None
    near = door.entries(name, batch.first - 1, last)
    if hole is not None and 1 <= hole.first < batch.first:
        near |= door.entries(name, hole.first - 1, hole.first - 1)
    return near


def fit(found: Accepted, batch: Batch) -> None:
    """Raise sync.chain unless the entries continue what is stored and end where the batch says that
    they do. Of a fork, and of what waits beyond a gap, the end cannot be known yet."""
    ends = found.fresh or found.late or found.again
    if found.broken:
        raise Problem("sync.chain", seq=batch.first)
    if ends and not found.fork and not found.ahead and not ends[-1].head.startswith(batch.head):
        raise Problem("sync.chain", seq=batch.first)


def of_a_branch(door: Door, log: LogState, batch: Batch) -> list[Entry]:
    """The entries of a batch that goes on from another branch of the log that is kept already."""
    for kept in door.forks(log.id):
        if kept.seq == batch.first - 1 and kept.head.startswith(batch.prev):
            return list(chain(log.id, batch.first, kept.head, batch.entries))
    return []


def whole_prefix(entries: list[Entry]) -> list[Entry]:
    """Entries up to the last complete transaction; the rest comes again with the next batch."""
    return [entry for group in whole(entries) for entry, _ in group]


def going_on(door: Door, log: LogState, last: Entry) -> list[Entry]:
    """Entries kept beyond the gap that `last` now closes, of the branch that it belongs to."""
    found: list[Entry] = []
    for kept in door.ahead(log.id):
        if kept.seq > last.seq + 1:
            break
        if kept.seq == last.seq + 1 and follows(kept, last):
            last = Entry(kept.seq, kept.data, next_head(log.id, last.head, kept.data))
            found.append(last)
    return whole_prefix(found)


def strays_of(door: Door, log: LogState, fresh: list[Entry]) -> list[Entry]:
    """Entries kept beyond a gap that turn out to be of another branch than `fresh`, with what
    follows them. Their place in the chain is not known, so they stand under their own hash."""
    stored = {entry.seq: entry.data for entry in fresh}
    found: list[Entry] = []
    for kept in door.ahead(log.id):
        other = kept.seq in stored and stored[kept.seq] != kept.data
        if other or any(kept.head == stray.head for stray in found):
            found.append(Entry(kept.seq, kept.data, kept.digest))
    return found
