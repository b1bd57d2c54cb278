"""Reveals: each time somebody had personal data shown unmasked, printed or exported.

A chain of hashes runs through them, so a line taken out or altered inside the file shows. Whoever
holds a PIN can still rebuild the whole chain: it is a record among colleagues, not a proof.
"""

from __future__ import annotations

import hashlib

import msgspec

from field_client.vault.engine import Engine


class Reveal(msgspec.Struct, frozen=True):
    """at: Unix seconds. action: what was asked for. record: 16 bytes, empty for a whole list."""

    number: int
    at: int
    operator: str
    action: str
    record: bytes
    head: bytes


class Reveals:
    """Appends and verifies."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, at: int, operator: str, action: str, record: bytes = b"") -> None:
        """Note one, before the data is shown."""
        with self._engine.writing() as connection:
            row = connection.execute(
                "select number, head from reveals where number > 0 order by number desc limit 1"
            ).fetchone()
            number, head = (row[0] + 1, row[1]) if row else (1, b"")
            head = next_reveal(head, number, at, operator, action, record)
            connection.execute(
                "insert into reveals (number, at, operator, action, record, head)"
                " values (?, ?, ?, ?, ?, ?)",
                (number, at, operator, action, record, head),
            )

    def newest(self, limit: int = 200) -> list[Reveal]:
        """Newest first."""
        rows = self._engine.read(
            "select number, at, operator, action, record, head from reveals"
            " order by number desc limit ?",
            limit,
        )
        return [Reveal(*row) for row in rows]

    def times(self, action: str, record: bytes) -> int:
        """How often this was done with this request."""
        row = self._engine.one(
            "select count(*) from reveals where record = ? and action = ?", record, action
        )
        return int(row[0]) if row is not None else 0

    def broken_at(self) -> int | None:
        """Number of the first line that does not fit the chain, or None."""
        rows = self._engine.read(
            "select number, at, operator, action, record, head from reveals order by number"
        )
        head = b""
        for place, row in enumerate(rows, start=1):
            head = next_reveal(head, *row[:5])
            if row[0] != place or row[5] != head:
                return place
        return None


def next_reveal(
    head: bytes, number: int, at: int, operator: str, action: str, record: bytes
) -> bytes:
    """Chain value after one line."""
    line = msgspec.msgpack.encode((number, at, operator, action, record))
    return hashlib.sha256(b"jb1-reveal" + head + line).digest()
