"""Contacts: who was called about a request, when, what came of it. They never leave the laptop."""

from __future__ import annotations

import msgspec

from field_client.vault.engine import Engine
from models.changes import RecordId


class Contact(msgspec.Struct, frozen=True):
    """One try to reach somebody about a request. at: Unix seconds. result: one of
    `field_client.returned.RESULTS`."""

    number: int
    record: RecordId
    at: int
    operator: str
    who: str
    result: str
    note: str


class Contacts:
    """Written once, listed by request."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self, record: RecordId, at: int, operator: str, who: str, result: str, note: str
    ) -> None:
        """Write one down."""
        with self._engine.writing() as connection:
            connection.execute(
                "insert into contacts (record, at, operator, who, result, note)"
                " values (?, ?, ?, ?, ?, ?)",
                (record, at, operator, who, result, note),
            )

    def of(self, record: RecordId) -> list[Contact]:
        """Those about one request, newest first."""
        rows = self._engine.read(
            "select number, record, at, operator, who, result, note from contacts"
            " where record = ? order by number desc limit 100",
            record,
        )
        return [Contact(*row) for row in rows]
