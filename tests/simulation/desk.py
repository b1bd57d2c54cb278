"""What the production `succession` needs of a desk and its store, over a simulated laptop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from models.changes import Change
from sync.logs import Entry, Open
from tests.simulation.books import body_of
from tests.simulation.laptop import Laptop


class Desk:
    """What the production `succession` asks of a desk and its store."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self.store = self

    def log(self, name: bytes = b"") -> Any:
        laptop = self.laptop
        return laptop.find(name) if name else laptop.book

    def pending(self, after: int, budget: int, log: bytes = b"") -> list[Entry]:
        entries = self.log(log).rows(after)
        return entries[:1] if budget == 1 else entries

    def open_log(self, sign_seed: bytes, seal_seed: bytes, opening: bytes, block: int) -> Any:
        """Keys are the world's, not chance's."""
        asked = msgspec.msgpack.decode(opening, type=Open)
        parent = (asked.parent, asked.parent_seq, asked.parent_head)
        laptop = self.laptop
        book = laptop.open_book(laptop.draw_identity(), parent, asked.reason, block)
        laptop.mark = (book.id, 0, book.head)
        return book

    def close_log(self, log: bytes, after: int) -> None:
        book = self.laptop.find(log)
        after = after if book.closed is None else min(after, book.closed)
        head = book.head_at(after)
        assert head is not None
        book.closed, book.stored, book.stored_head = after, after, head

    @contextmanager
    def saving(self) -> Iterator[tuple[Desk, int, None]]:
        if not self.laptop.session:
            self.laptop.open_session()
        yield self, self.laptop.session, None

    def session_opened(self) -> None:
        """A new log begins with its operator and a session."""
        if not self.laptop.session:
            self.laptop.open_session()

    def append(self, change: Change) -> int:
        """Also notes which files the entry speaks of from now on."""
        laptop = self.laptop
        (entry,) = laptop.append([change])
        body = body_of(entry)
        for file in body.attach if body is not None else ():
            for name in (file.blob, file.preview):
                if name in laptop.papers.files:
                    paper = laptop.papers.files[name]
                    paper.log, paper.seq = laptop.log, laptop.last
        return laptop.last

    def grant(self) -> int:
        return 1
