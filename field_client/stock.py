"""The stock book of blank cards: received, used, spoiled, given back, counted on this laptop.

Blanks are numbered and scarce, and a spoiled one must be accounted for. The book is the laptop's
own; central keeps its own of what it gave out, and the paper recap shows both to be compared.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from field_client.vault.store import Store
from models.problems import Problem

Act = Literal["receive", "use", "spoil", "return"]
Kind = Literal["KTP", "KIA"]
ACTS: tuple[Act, ...] = get_args(Act)
KINDS: tuple[Kind, ...] = get_args(Kind)
COUNT_MAX = 10_000
LINES_MAX = 1000
"""Lines of the book that are kept singly; older ones are added up."""


class Moved(msgspec.Struct, frozen=True):
    """A line of the book. at: Unix seconds. note: serial numbers, or why one was spoiled."""

    at: int
    operator: str
    kind: Kind
    act: Act
    count: int
    note: str = ""


class StockBook(msgspec.Struct, frozen=True):
    """All lines, oldest first. before: what older lines add up to, by kind and act."""

    lines: tuple[Moved, ...] = ()
    before: dict[str, int] = {}


class Balance(msgspec.Struct, frozen=True):
    """What the book adds up to for one kind of blank."""

    kind: str
    received: int = 0
    used: int = 0
    spoiled: int = 0
    returned: int = 0

    @property
    def left(self) -> int:
        """Blanks that should lie in the box."""
        return self.received - self.used - self.spoiled - self.returned


def book(store: Store) -> StockBook:
    """The book as it stands."""
    return store.recall(StockBook) or StockBook()


def moved(at: int, operator: str, kind: str, act: str, count: int, why: str = "") -> Moved:
    """A line as it was typed. Problems stock.unknown, stock.count."""
    if not 1 <= count <= COUNT_MAX:
        raise Problem("stock.count", limit=COUNT_MAX)
    for known_kind in KINDS:
        for known_act in ACTS:
            if (kind, act) == (known_kind, known_act):
                return Moved(at, operator, known_kind, known_act, count, why.strip()[:200])
    raise Problem("stock.unknown", kinds=", ".join(KINDS), acts=", ".join(ACTS))


def note(store: Store, line: Moved) -> Balance:
    """Write a line; gives the balance. Problem stock.short where there are not so many."""
    now = book(store)
    left = balance(now, line.kind).left
    if line.act != "receive" and line.count > left:
        raise Problem("stock.short", kind=line.kind, left=left)
    now = _shortened(StockBook((*now.lines, line), now.before))
    store.remember(now)
    return balance(now, line.kind)


def balances(store: Store) -> tuple[Balance, ...]:
    """The balance of every kind that occurs in the book."""
    now = book(store)
    found = (balance(now, kind) for kind in KINDS)
    return tuple(one for one in found if one.received)


def balance(now: StockBook, kind: str) -> Balance:
    """What the lines of one kind add up to."""
    sums = {act: now.before.get(f"{kind}.{act}", 0) for act in ACTS}
    for line in now.lines:
        if line.kind == kind:
            sums[line.act] += line.count
    return Balance(kind, sums["receive"], sums["use"], sums["spoil"], sums["return"])


def _shortened(now: StockBook) -> StockBook:
    """Older lines added up, so that the book never grows without bound."""
    if len(now.lines) <= LINES_MAX:
        return now
    half = len(now.lines) // 2
    before = dict(now.before)
    for line in now.lines[:half]:
        key = f"{line.kind}.{line.act}"
        before[key] = before.get(key, 0) + line.count
    return StockBook(now.lines[half:], before)
