"""Notices: what central decided about the own work, until somebody has read it."""

# ruff: noqa: S608 - SQL is put together from our own column names only; values are always bound

from __future__ import annotations

import msgspec

from field_client.vault.engine import Engine
from models import lifecycle
from models.changes import RecordId
from sync.notices import Notice

NOTICES_LISTED = 200


class Told(msgspec.Struct, frozen=True):
    """A notice with its local number and whether nobody has read it yet."""

    number: int
    unread: bool
    notice: Notice


class Notices:
    """Notices are written with the decisions they speak of; here they are read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def unread(self, limit: int = NOTICES_LISTED) -> list[Told]:
        """Oldest first: they are read in the order things happened."""
        return self._told("where unread = 1 order by number limit ?", limit)

    def newest(self, before: int = 0, limit: int = NOTICES_LISTED) -> list[Told]:
        """All, newest first. before: `number` of the last one of the page before."""
        return self._told("where number < ? order by number desc limit ?", before or 1 << 62, limit)

    def of(self, record: RecordId) -> list[Told]:
        """Those about one request, oldest first."""
        return self._told("where record = ? order by number", record)

    def asked(self) -> list[Told]:
        """What central asked about requests that have not ended, newest first."""
        rows = self._engine.read(
            "select n.number, n.unread, n.data, r.status from notices n"
            " join requests r on r.record = n.record where n.kind = 'asked' order by n.number desc"
        )
        return [_told(*row) for *row, status in rows if not lifecycle.ended(status)]

    def read(self, *numbers: int) -> None:
        """Somebody has read these."""
        with self._engine.writing() as connection:
            connection.executemany(
                "update notices set unread = 0 where number = ?", [(number,) for number in numbers]
            )

    def _told(self, rest: str, *values: object) -> list[Told]:
        rows = self._engine.read(f"select number, unread, data from notices {rest}", *values)
        return [_told(*row) for row in rows]


def _told(number: int, unread: int, data: bytes) -> Told:
    return Told(number, bool(unread), msgspec.msgpack.decode(data, type=Notice))
