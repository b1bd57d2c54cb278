"""Custody: which bundle went through whose hands here, from export to hand-over.

A stick is carried by people, so each step is written down with who did it. A chain of hashes runs
through the lines, so one taken out or altered inside the file shows; it is a record among
colleagues, as the reveals are.
"""

from __future__ import annotations

import hashlib

import msgspec

from field_client.vault.engine import Engine

LISTED = 200
EXPORTED, RETURNED, CARRIED, HANDED, RELAYED = (
    "exported", "returned", "carried", "handed", "relayed",
)  # fmt: skip
"""Made here for central; read here; taken to be carried; handed on; delivered by network."""


class Slip(msgspec.Struct, frozen=True):
    """What is known of a bundle. volumes: numbers of those concerned, of n. size: their bytes.
    words: for the telephone, where all volumes were there. party: who gave or got it. log, last:
    the work it carries ends with this entry. entries: how many. number: of a return bundle."""

    purpose: str
    volumes: tuple[int, ...]
    n: int
    size: int
    words: tuple[str, ...] = ()
    party: str = ""
    log: bytes = b""
    last: int = 0
    entries: int = 0
    number: int = 0


class Handled(msgspec.Struct, frozen=True):
    """A line of the custody log. at: Unix seconds. bundle: its 8 bytes of name."""

    number: int
    at: int
    operator: str
    act: str
    bundle: bytes
    slip: Slip


class Custody:
    """Appends, lists and verifies."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, at: int, operator: str, act: str, bundle: bytes, slip: Slip) -> None:
        """Write down one step, after it is durable."""
        data = msgspec.msgpack.encode(slip)
        with self._engine.writing() as connection:
            row = connection.execute(
                "select number, head from custody order by number desc limit 1"
            ).fetchone()
            number, head = (row[0] + 1, row[1]) if row else (1, b"")
            head = next_line(head, number, at, operator, act, bundle, data)
            connection.execute(
                "insert into custody (number, at, operator, act, bundle, data, head)"
                " values (?, ?, ?, ?, ?, ?, ?)",
                (number, at, operator, act, bundle, data, head),
            )

    def newest(self, limit: int = LISTED) -> list[Handled]:
        """Newest first."""
        rows = self._engine.read(
            "select number, at, operator, act, bundle, data from custody"
            " order by number desc limit ?",
            limit,
        )
        return [_line(*row) for row in rows]

    def of(self, act: str, limit: int = LISTED) -> list[Handled]:
        """Lines of one kind, newest first."""
        rows = self._engine.read(
            "select number, at, operator, act, bundle, data from custody where act = ?"
            " order by number desc limit ?",
            act, limit,
        )  # fmt: skip
        return [_line(*row) for row in rows]

    def broken_at(self) -> int | None:
        """Number of the first line that does not fit the chain, or None."""
        rows = self._engine.read(
            "select number, at, operator, act, bundle, data, head from custody order by number"
        )
        head = b""
        for place, row in enumerate(rows, start=1):
            head = next_line(head, *row[:6])
            if row[0] != place or row[6] != head:
                return place
        return None


def next_line(
    head: bytes, number: int, at: int, operator: str, act: str, bundle: bytes, data: bytes
) -> bytes:
    """Chain value after one line."""
    line = msgspec.msgpack.encode((number, at, operator, act, bundle, data))
    return hashlib.sha256(b"jb1-custody" + head + line).digest()


def _line(number: int, at: int, operator: str, act: str, bundle: bytes, data: bytes) -> Handled:
    return Handled(number, at, operator, act, bundle, msgspec.msgpack.decode(data, type=Slip))
