"""Succession: a new log goes on where another one had to stop.

After a fork (two laptops wrote on one log) central orders it; after the database came back from a
copy the laptop does it by itself. The new log has keys of its own and names the old one as its
parent. What central has not decided of the old log is made again in the new one, each change naming
its origin, so that it is known as the same and never counts twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from field_client.desk import Desk
from field_client.enrolment import open_log
from field_client.vault.logs import OwnLog
from models.changes import (
    TRANSACTION_BYTES_MAX,
    Change,
    decode_body,
    decode_change,
    encode,
    raw,
    record_of,
)
from models.problems import Problem
from sync.logs import Entry, Open, opening_head
from sync.messages import decode

_EVERYTHING = 1 << 62
_ORIGIN_BYTES = 8


def opening_of(log: OwnLog) -> Open:
    """The first entry of a log."""
    return decode(log.opening, Open)


def head_at(desk: Desk, seq: int, log: bytes) -> bytes | None:
    """Chain value of an own log after entry `seq`; h_0 for 0, None where there is no such entry."""
    if seq == 0:
        return opening_head(desk.store.log(log).opening)
    found = desk.store.pending(seq - 1, 1, log)
    return found[0].head if found and found[0].seq == seq else None


def after_copy(desk: Desk) -> None:
    """The database came back from a copy: go on in a new log. Entries of the old one that central
    lacks are still sent; those it has and we lost come back with its decisions."""
    old = desk.store.log()
    open_log(desk.store, opening_of(old).device, old.block, "restored", (old.id, old.seq, old.head))


def after_fork(desk: Desk, log: bytes, upto: int) -> None:
    """Central keeps `log` up to entry `upto` and wants the rest in a new one. Doing it again after
    a crash goes on where it stopped. What central proved to hold is not made again: of two laptops
    that wrote on one log, one finds its own branch kept."""
    old = desk.store.log(log)
    upto = min(max(upto, old.stored), old.seq)
    while upto and head_at(desk, upto, log) is None:
        upto -= 1  # what a hole took out was made again behind it
    if desk.store.log().id == log:
        head = head_at(desk, upto, log)
        if head is None:
            raise Problem("sync.chain", first=upto, seq=upto)
        open_log(desk.store, opening_of(old).device, old.block, "fork", (log, upto, head))
    _make_again(desk, old, upto)
    desk.store.close_log(log, upto)


def _make_again(desk: Desk, old: OwnLog, upto: int) -> None:
    """Append what the old log has beyond `upto` to the newest one, in one commit."""
    here = desk.store.log()
    done = {change.origin for change in _changes(desk.store.pending(0, _EVERYTHING, here.id))}
    entries = desk.store.pending(upto, _EVERYTHING, old.id)
    with desk.saving() as (saving, session, _):
        for fresh in again(old, entries, session, desk.grant(), here.block):
            left = [change for change in fresh if change.origin not in done]
            if len(left) < len(fresh):  # of a family, others were made again one by one
                left = [msgspec.structs.replace(change, i=0, n=1) for change in left]
            for change in left:
                saving.append(change)


def again(
    old: OwnLog, entries: Sequence[Entry], session: int, grant: int, block: int
) -> Iterator[list[Change]]:
    """Work of a log as transactions to be appended elsewhere, each change with its origin. block:
    of tracking codes there."""
    for transaction in _transactions(entries):
        fresh = [_again(old, entry, session, grant, block) for entry in transaction]
        if fresh[0].kind not in ("create", "edit"):
            continue
        places = [(change.i, change.n) for change in fresh]
        whole = places == [(i, len(fresh)) for i in range(len(fresh))]
        if not whole or sum(len(encode(change)) for change in fresh) > TRANSACTION_BYTES_MAX:
            # A member is lost, or origins made a full family a little too large: one by one.
            fresh = [msgspec.structs.replace(change, i=0, n=1) for change in fresh]
            yield from ([change] for change in fresh)
        else:
            yield fresh


def after_used_invitation(desk: Desk, old: OwnLog) -> None:
    """Central let in another laptop by the invitation that this log began with, so the log never
    becomes known. The newest log, of another invitation, takes over all of its work, with the
    tracking codes that were given out. Doing it again after a crash goes on where it stopped."""
    _make_again(desk, old, 0)
    desk.store.close_log(old.id, 0)


def _again(old: OwnLog, entry: Entry, session: int, grant: int, block: int) -> Change:
    change = decode_change(entry.data)
    if change.kind == "create" and old.block != block:
        body = decode_body(change.body)
        moved = msgspec.structs.replace(body, block=body.block or old.block)
        change = msgspec.structs.replace(change, body=raw(moved))
    return msgspec.structs.replace(
        change,
        record=record_of(old.id, entry.seq, change, entry.data),
        session=session,
        grant=grant,
        own=None,
        origin=change.origin or (old.id, entry.seq, entry.digest[:_ORIGIN_BYTES]),
    )


def _changes(entries: Sequence[Entry]) -> list[Change]:
    return [decode_change(entry.data) for entry in entries]


def _transactions(entries: Sequence[Entry]) -> list[list[Entry]]:
    groups: list[list[Entry]] = []
    for entry in entries:
        follows = bool(groups) and groups[-1][-1].seq == entry.seq - 1
        if decode_change(entry.data).i == 0 or not follows:
            groups.append([])
        groups[-1].append(entry)
    return groups
