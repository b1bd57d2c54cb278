"""Tables of going out and of the counter: voyages of the vans, and forms begun at the office."""

from __future__ import annotations

from sqlalchemy import Index

from server.database.tables import NARROW, Table, big, pk


class VoyageRow(Table, table=True):
    """A voyage of a van. first, last: ISO dates; device: the laptop that goes, empty while nobody
    knows. state: "planned" or "cancelled". data: msgpack of server.voyages.Plan."""

    __tablename__ = "voyages"
    __table_args__ = (Index("ix_voyages_first", "city", "first"), NARROW)
    city: str = pk()
    id: bytes = pk()
    first: str
    last: str
    device: bytes = b""
    state: str
    at: int = big()
    by: str
    data: bytes


class CounterDraftRow(Table, table=True):
    """Forms that somebody began at the counter of the office. version: grows with every save. data:
    msgpack of server.counter.Forms; empty once they became requests. became: those, 16 bytes
    each."""

    __tablename__ = "counter_drafts"
    __table_args__ = (Index("ix_counter_drafts_login", "city", "login", "at"), NARROW)
    city: str = pk()
    id: bytes = pk()
    login: str
    at: int = big()
    version: int = big()
    data: bytes
    became: bytes = b""
