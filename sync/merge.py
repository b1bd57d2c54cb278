"""Merging: what one change may do to one unit of a request.

A unit is *current* for a change when its last write is one the author has seen: its number is at
most `seen`, or this very log wrote it with an entry number of at most `own`. Four questions, in
this order, decide; the answer is an ordinary value, since a disagreement between people is not an
error:

1. Is the request over, or the unit disputed?   -> Hold (it joins the open case)
2. Is the unit current?                         -> Apply; a protected one only when the request was
                                                   not verified after what the author saw
3. Does the same value stand there already?     -> Agree
4. Otherwise: a free unit                       -> Override (written, the loser kept, both told)
              a protected unit                  -> Hold (nothing written, neither favoured)

No clock takes part: only numbers that central gave, and the author's own numbering.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from sync.state import Record, Write

Guard = Literal["free", "protected", "central"]


class Author(msgspec.Struct, frozen=True):
    """Who asks: log and number of the change, what was on the screen, and whether it is central.

    seen: server_seq; own: number of the newest own entry shown; first: number of the first entry
    of the transaction, whose own writes it never disputes. before: earlier logs of the same laptop,
    each with the number up to which the author had it on the screen.
    """

    log: bytes
    seq: int
    seen: int
    own: int
    first: int
    central: bool = False
    before: tuple[tuple[bytes, int], ...] = ()


class Apply(msgspec.Struct, frozen=True):
    """Write it: the author knew what it replaces."""


class Agree(msgspec.Struct, frozen=True):
    """Nothing to write: the same value stands."""


class Override(msgspec.Struct, frozen=True):
    """Write it, keep `lost`, tell both authors."""

    lost: Write


class Ignore(msgspec.Struct, frozen=True):
    """Not the author's to set; noted."""

    why: str


class Hold(msgspec.Struct, frozen=True):
    """A person decides. case: the open case to join, empty to open one against `current`."""

    case: bytes
    current: Write | None


Verdict = Apply | Agree | Override | Ignore | Hold


def is_current(write: Write | None, author: Author) -> bool:
    """Had the author seen the last write of the unit? A unit never written is current."""
    if write is None or write.server_seq <= author.seen:
        return True
    makers = ((write.log, write.seq), *write.also)
    return any(
        log == author.log and (seq <= author.own or author.first <= seq <= author.seq)
        for log, seq in makers
    ) or any(log == name and seq <= upto for log, seq in makers for name, upto in author.before)


def merge_unit(
    record: Record, unit: str, guard: Guard, value: Any, author: Author, *, over: bool
) -> Verdict:
    """What may happen when `author` sets `unit` of `record` to `value`.

    over: the request has ended; nothing is written any more without a person.
    """
    if guard == "central" and not author.central:
        return Ignore("central")
    write = record.units.get(unit)
    disputed = record.disputes.get(unit, b"")
    if over or disputed:
        return Hold(disputed, write)
    if is_current(write, author):
        if guard == "protected" and _verified_since(record, author):
            return _agree_or_hold(write, value)
        return Agree() if write is not None and write.value == value else Apply()
    assert write is not None
    if write.value == value:
        return Agree()
    return Override(write) if guard == "free" else Hold(b"", write)


def merge_element(
    record: Record,
    unit: str,
    present: bool,
    author: Author,
    *,
    over: bool,
    guard: Guard = "free",
) -> Verdict:
    """Put an element into a set unit or take it out; `unit` is `unit+element`.

    Elements unite. A removal counts only against an element its author has seen, so that a paper
    added elsewhere meanwhile stays. A protected set does not change after a verification that its
    author had not seen.
    """
    if guard == "central" and not author.central:
        return Ignore("central")
    write = record.units.get(unit)
    disputed = record.disputes.get(unit, b"")
    if over or disputed:
        return Hold(disputed, write)
    if bool(write is not None and write.value) == present:
        return Agree()
    if not present and not is_current(write, author):
        return Ignore("unseen")
    if guard == "protected" and _verified_since(record, author):
        return Hold(b"", write)
    return Apply()


def _verified_since(record: Record, author: Author) -> bool:
    return not author.central and record.verified > author.seen


def _agree_or_hold(write: Write | None, value: Any) -> Verdict:
    if write is not None and write.value == value:
        return Agree()
    return Hold(b"", write)
