"""Tables of the desk: batches for SIAK, who has taken what, lists people keep for themselves."""

from __future__ import annotations

from sqlalchemy import Index

from server.database.tables import NARROW, Table, big, big_pk, pk


class SiakBatchRow(Table, table=True):
    """Requests that are typed into SIAK together. number: of this office, from 1. state: "frozen",
    "proposed" (somebody asks to close it) or "closed"."""

    __tablename__ = "siak_batches"
    __table_args__ = (Index("uq_siak_batches_number", "city", "number", unique=True),)
    city: str = pk()
    id: bytes = pk()
    number: int = big()
    state: str
    frozen_at: int = big()
    frozen_by: str
    proposed_by: str = ""
    closed_at: int = big()
    closed_by: str = ""


class SiakRowRow(Table, table=True):
    """One request of a batch, as it was when the batch was frozen. seen: number of the register
    then. data: msgpack of server.batches.Frozen. state: "waiting", "entered" (reference: what SIAK
    answered) or "failed" (reason)."""

    __tablename__ = "siak_rows"
    __table_args__ = (Index("ix_siak_rows_record", "city", "record"), NARROW)
    city: str = pk()
    batch: bytes = pk()
    n: int = big_pk()
    record: bytes
    seen: int = big()
    data: bytes
    state: str
    reference: str = ""
    reason: str = ""
    by: str = ""


class ClaimRow(Table, table=True):
    """Somebody has taken a request for a while; until: Unix seconds."""

    __tablename__ = "claims"
    __table_args__ = (Index("ix_claims_login", "city", "login"), NARROW)
    city: str = pk()
    record: bytes = pk()
    login: str
    until: int = big()


class SavedFilterRow(Table, table=True):
    """A list that somebody keeps under a name. data: msgpack of server.worklist.Filter."""

    __tablename__ = "saved_filters"
    __table_args__ = (NARROW,)
    city: str = pk()
    login: str = pk()
    name: str = pk()
    data: bytes
