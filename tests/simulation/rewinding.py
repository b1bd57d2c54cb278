"""What a simulated laptop does when central was restored: as `field_client/vault/rewind.py`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sync.exchange import Rewound
from sync.lineage import clamp
from sync.logs import Entry
from sync.messages import Branch, Cursor
from sync.state import Record
from tests.simulation.books import Book, body_of, change_of, name_in


class Rewinding:
    """Mixed into the laptop."""

    books: list[Book]
    cursor: Cursor
    lineage: tuple[Branch, ...]
    asked: set[bytes] | None
    snapshot: Any
    scope: int
    told: dict[tuple[bytes, int], Any]
    absorbed: set[tuple[bytes, int]]
    voided: dict[tuple[bytes, int], str]
    departed: list[tuple[int, int]]

    def _rewind(self, step: Rewound, book: Book) -> None:
        upto = self.cursor.server_seq
        first = min(step.upto + 1, self._answered_from(step, book))
        if upto >= first:
            upto = self._beginning(first) - 1
            self._forget(upto)
        same = self.cursor.incarnation == step.incarnation
        self.asked = (self.asked or set()) if same else set()
        self.asked.add(book.id)
        self.cursor = Cursor(step.incarnation, upto, b"")
        self.lineage = step.lineage
        self.scope = -1 if self.scope else 0
        self._forget_outcomes()
        for entry in book.rows(step.stored, book.to_send):
            key = (book.id, entry.seq)
            if body_of(entry) is None:
                continue
            told = self.told.pop(key, None)
            self.absorbed.discard(key)
            if told is not None and told.state != "waiting":
                self.voided.setdefault(key, told.state)
        book.stored, book.stored_head = step.stored, step.head
        book.proofs = [p for p in book.proofs if p.seq <= step.stored]

    def _answered_from(self, step: Rewound, book: Book) -> int:
        found = [step.upto + 1]
        for each, entry, record in self._own():
            beyond = each is book and entry.seq > step.stored
            if (each.id, entry.seq) in self.absorbed and (beyond or record is None):
                seen = clamp(change_of(entry.data).seen, step.lineage)
                found.append(record.created if record is not None else seen + 1)
        return min(found)

    def _own(self) -> Iterator[tuple[Book, Entry, Record | None]]:
        """Own entries about requests, each with its request as far as that is here."""
        for book in self.books:
            for entry in book.rows(0, book.to_send):
                if body_of(entry) is not None:
                    name = name_in(book.id, entry.seq, entry.data)
                    yield book, entry, self.snapshot.records.get(name)

    def _beginning(self, first: int) -> int:
        spans = [(r.changed, r.created) for r in self.snapshot.records.values()]
        spans += [(max(c.changed, c.opened), c.opened) for c in self.snapshot.cases.values()]
        spans += self.departed
        for changed, began in sorted(spans, reverse=True):
            if changed >= first:
                first = min(first, began)
        return max(1, first)

    def _forget(self, upto: int) -> None:
        records, cases = self.snapshot.records, self.snapshot.cases
        gone = {name for name, record in records.items() if record.changed > upto}
        for name in gone:
            del records[name]
        for name in [n for n, c in cases.items() if max(c.changed, c.opened) > upto]:
            del cases[name]
        self.departed = [move for move in self.departed if move[0] <= upto]

    def _forget_outcomes(self) -> None:
        for book, entry, record in self._own():
            key = (book.id, entry.seq)
            if record is None or key not in self.absorbed:
                self.absorbed.discard(key)
                told = self.told.pop(key, None)
                if told is not None and told.state != "waiting":
                    self.voided.setdefault(key, told.state)
