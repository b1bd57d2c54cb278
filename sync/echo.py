"""Echo: a laptop is not told again what it said itself.

A request that was taken in as it came has a decision made of nothing but the laptop's own words.
Both houses have the entry and the same judge, so central says only "decided as you said", for a
whole run at once, with a hash of what the laptop has to come to. Where the two judges are of
different editions the hashes differ, and the laptop asks for the decisions in full.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

import msgspec

from models.changes import encode
from sync.intake import Transaction, whole
from sync.judge import Judge, Refusal, Wait, author_of, judge_change
from sync.known import Known, LogState, Result
from sync.logs import Entry
from sync.messages import Echo
from sync.state import Decision

PROOF_BYTES = 8
READ_BYTES = 256 * 1024


class Author(msgspec.Struct, frozen=True):
    """Whose words they are: a log, its device, and its block of tracking codes."""

    log: bytes
    device: bytes
    block: int


class Differs(Exception):
    """What came out is not what central decided."""


def expected(author: Author, transaction: Transaction, server_seq: int, at: int) -> Decision | None:
    """The decision on a transaction that meets nothing: new requests, operators, sessions. None for
    any other."""
    first = transaction[0][0].seq
    log = LogState(author.log, author.device, first - 1, b"", block=author.block)
    known = Known(server_seq - 1, b"", {author.log: log})
    judge = Judge(known, log, first, len(transaction), at)
    try:
        for entry, change in transaction:
            if change is None or change.origin is not None:
                return None
            if change.kind in ("operator", "session"):
                judge.settle(log.id, entry.seq, Result("applied"))
            elif change.kind == "create":
                by = author_of(known, log, first, entry.seq, change)
                judge_change(judge, entry, change, by)
            else:
                return None
    except (Refusal, Wait):
        return None
    return judge.finish()


def shorten(
    decisions: Sequence[Decision], author: Author, entries: Sequence[Entry]
) -> tuple[list[Decision], list[Echo]]:
    """The decisions that have to be told in full, and the others as runs. entries: of the author's
    log, those that the decisions are about."""
    said = {group[0][0].seq: group for group in whole(list(entries))}
    full: list[Decision] = []
    runs: list[_Run] = []
    for decision in decisions:
        data = _as_said(decision, author, said)
        if data is None:
            full.append(decision)
            continue
        if not runs or not runs[-1].goes_on(decision):
            runs.append(_Run(decision))
        runs[-1].add(decision, data)
    return full, [run.echo() for run in runs]


def _as_said(decision: Decision, author: Author, said: dict[int, Transaction]) -> bytes | None:
    """The decision's bytes where it is what the author expects, else None."""
    if decision.log != author.log or decision.first not in said:
        return None
    mine = expected(author, said[decision.first], decision.server_seq, decision.at)
    data = encode(decision)
    return data if mine is not None and encode(mine) == data else None


class _Run:
    """Decisions one after the other, on transactions one after the other, at one time."""

    def __init__(self, first: Decision) -> None:
        self._first = self._last = first
        self._count = 0
        self._hash = hashlib.sha256()

    def goes_on(self, decision: Decision) -> bool:
        """Does this decision follow the last one?"""
        last = self._last
        next_ = (last.server_seq + 1, last.first + last.n, last.at)
        return (decision.server_seq, decision.first, decision.at) == next_

    def add(self, decision: Decision, data: bytes) -> None:
        self._last = decision
        self._count += 1
        self._hash.update(data)

    def echo(self) -> Echo:
        first, proof = self._first, self._hash.digest()[:PROOF_BYTES]
        return Echo(first.server_seq, first.first, self._count, first.at, proof)


class Own(msgspec.Struct, frozen=True):
    """A laptop's own words, to read echoes with. entries: gives those of its log from a number on,
    about so many bytes of them in whole transactions."""

    author: Author
    entries: Callable[[int, int], Sequence[Entry]]

    def hear(self, echoes: Iterable[Echo]) -> list[Decision]:
        """The decisions of all runs. Raises Differs."""
        return [decision for echo in echoes for decision in self._run(echo)]

    def _run(self, echo: Echo) -> list[Decision]:
        entries: list[Entry] = []
        first = echo.first
        while sum(1 for group in whole(entries)) < echo.count:
            more = self.entries(first, READ_BYTES)
            if not more:
                raise Differs
            entries += more
            first = more[-1].seq + 1
        return expand(echo, self.author, entries)


def expand(echo: Echo, author: Author, entries: Iterable[Entry]) -> list[Decision]:
    """The decisions of a run. entries: of the author's log, from the run's first one on. Raises
    Differs when they are not those that central made."""
    found: list[Decision] = []
    proof = hashlib.sha256()
    for group in whole(list(entries))[: echo.count]:
        decision = expected(author, group, echo.server_seq + len(found), echo.at)
        if decision is None:
            raise Differs
        found.append(decision)
        proof.update(encode(decision))
    if len(found) != echo.count or proof.digest()[:PROOF_BYTES] != echo.proof:
        raise Differs
    return found
