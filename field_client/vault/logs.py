"""Rows about logs, shared by the store and what it is made of."""

# ruff: noqa: S608 - SQL is put together from our own column names only; values are always bound

from __future__ import annotations

from typing import TypeVar

import msgspec

from field_client.vault.engine import Connection
from sync.identity import Identity
from sync.messages import Cursor

Kept = TypeVar("Kept", bound=msgspec.Struct)


class OwnLog(msgspec.Struct, frozen=True):
    """A log this laptop has written. block: of its tracking codes. seq, head: its newest entry.
    stored, stored_head: newest entry that central proved to hold. unsent: bytes beyond that.
    request: number of the last request made; acted: of the last order met. A closed log, whose tail
    was made again in a later one, has nothing to send: `stored` stands at its end."""

    id: bytes
    sign_seed: bytes
    seal_seed: bytes
    opening: bytes
    block: int
    seq: int
    head: bytes
    stored: int
    stored_head: bytes
    request: int
    acted: int
    unsent: int

    @property
    def identity(self) -> Identity:
        """Its keys, to sign batches and to open what is sealed to it."""
        return Identity(self.sign_seed, self.seal_seed)


COLUMNS = ", ".join(OwnLog.__struct_fields__)


def find_log(connection: Connection, log: bytes = b"") -> OwnLog | None:
    """The named log, or the newest one."""
    sql = f"select {COLUMNS} from logs"
    if log:
        row = connection.execute(f"{sql} where id = ?", (log,)).fetchone()
    else:
        row = connection.execute(f"{sql} order by number desc limit 1").fetchone()
    return None if row is None else OwnLog(*row)


def remember(connection: Connection, value: msgspec.Struct) -> None:
    """Keep a struct under its own name."""
    connection.execute(
        "insert into settings (name, value) values (?, ?)"
        " on conflict (name) do update set value = excluded.value",
        (type(value).__name__, msgspec.msgpack.encode(value)),
    )


def find(connection: Connection, kind: type[Kept]) -> Kept | None:
    """A struct kept with `remember`."""
    row = connection.execute(
        "select value from settings where name = ?", (kind.__name__,)
    ).fetchone()
    return None if row is None else msgspec.msgpack.decode(row[0], type=kind)


def read_cursor(connection: Connection) -> Cursor:
    """How far central was read; the zero cursor at the beginning."""
    row = connection.execute("select value from settings where name = 'Cursor'").fetchone()
    return Cursor() if row is None else msgspec.msgpack.decode(row[0], type=Cursor)
