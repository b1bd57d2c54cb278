"""Tables of what leaves the office: blank cards, and manifests of what is carried to villages."""

from __future__ import annotations

from sqlalchemy import Index

from server.database.tables import NARROW, Table, big, big_pk, pk


class BlankRow(Table, table=True):
    """A numbered blank card. state: "stock", "used" (record: for whose request) or "spoiled"
    (reason). at, by: of the last step."""

    __tablename__ = "blanks"
    __table_args__ = (Index("ix_blanks_record", "city", "record"), NARROW)
    city: str = pk()
    serial: str = pk()
    kind: str
    state: str
    record: bytes = b""
    reason: str = ""
    at: int = big()
    by: str = ""


class ManifestRow(Table, table=True):
    """Documents that are carried to one place together. state: "sent" or "received"."""

    __tablename__ = "manifests"
    __table_args__ = (NARROW,)
    city: str = pk()
    number: int = big_pk()
    place: str
    carrier: str
    state: str
    sent_at: int = big()
    sent_by: str = ""
    received_at: int = big()
    received_by: str = ""


class ManifestItemRow(Table, table=True):
    """One document of a manifest. state: "sent", "received" or "missing"."""

    __tablename__ = "manifest_items"
    __table_args__ = (Index("ix_manifest_items_record", "city", "record"), NARROW)
    city: str = pk()
    number: int = big_pk()
    record: bytes = pk()
    state: str
