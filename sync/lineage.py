"""Lineage: which history of central a number belongs to, after central was put back from a backup.

A restored central goes on under a new incarnation: it keeps everything up to the branch point and
numbers what it decides from then on in a fresh block of 2^40. No number is therefore ever given
twice, and a number alone tells whether this central knows it: `seen` needs no incarnation beside it
on the wire.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sync.messages import Branch

BLOCK_BITS = 40
NUMBERS_END = 1 << 62
"""Above every number of a decision: where the history that is still written ends. Some sixteen
thousand restores; every column, message and program here holds 64 bits."""


def fresh_base(server_seq: int, chance: int) -> int:
    """Number after which a restored central goes on. chance: 0-255, drawn at random, so that the
    same backup restored twice does not give the same numbers twice."""
    return ((server_seq >> BLOCK_BITS) + 1 + chance) << BLOCK_BITS


def branch_head(head: bytes, incarnation: bytes) -> bytes:
    """Chain value before the first decision of a new incarnation, after `head` at its branch
    point."""
    return hashlib.sha256(b"jb1-central-branch" + head + incarnation).digest()


def clamp(seen: int, branches: Sequence[Branch]) -> int:
    """What an author who saw `seen` has seen of this history. branches: oldest first.

    Beyond a branch point it is the branch point; a number of a block that this history does not
    have (of a sibling that was restored from the same backup and given up) counts as nothing seen.
    """
    starts = [0, *(branch.base for branch in branches)]
    ends = [*(branch.number for branch in branches), NUMBERS_END]
    for start, end in zip(starts, ends, strict=True):
        if seen >> BLOCK_BITS == start >> BLOCK_BITS:
            return min(seen, end)
    return 0


def common(mine: bytes, known: Sequence[Branch], theirs: bytes, told: Sequence[Branch]) -> int:
    """Number up to which two incarnations have the same history: 0 where nothing shows that they
    share any, so that a laptop never stops for ever but reads everything again."""
    ours, other = _path(mine, [*told, *known]), _path(theirs, told)
    shared = 0
    for (name, end), (other_name, other_end) in zip(ours, other, strict=False):
        if name != other_name:
            break
        shared = min(end, other_end)
        if end != other_end:
            break
    return shared


def descends(incarnation: bytes, ancestor: bytes, branches: Sequence[Branch]) -> bool:
    """Does this incarnation go on from that one, by what these restores say?"""
    return ancestor in [name for name, _ in _path(incarnation, branches)][:-1]


def _path(incarnation: bytes, branches: Sequence[Branch]) -> list[tuple[bytes, int]]:
    """From the first incarnation to this one: each with the number up to which it counts."""
    by_name = {branch.incarnation: branch for branch in branches}
    path = [(incarnation, NUMBERS_END)]
    while path[0][0] in by_name and len(path) <= len(by_name):
        branch = by_name[path[0][0]]
        path.insert(0, (branch.parent, branch.number))
    return path
