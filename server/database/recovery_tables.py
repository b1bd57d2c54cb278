"""Tables about central's own safety: where the second journal stands, and what a restore lost."""

from __future__ import annotations

from server.database.tables import NARROW, Table, big, big_pk, pk


class JournalRow(Table, table=True):
    """Where the second journal stands (server.journal.Mark), written in the transaction that it
    tells of. No row where none was ever kept."""

    __tablename__ = "journal"
    city: str = pk()
    name: bytes
    segment: int = big()
    size: int = big()
    n: int = big()
    head: bytes
    backed: int = big()
    follows: bytes = b""


class RecoveryRow(Table, table=True):
    """What is known of a restore: data is msgpack of server.database.recoveries.Facts. case_id:
    whose closing closes the report."""

    __tablename__ = "recoveries"
    __table_args__ = (NARROW,)
    city: str = pk()
    incarnation: bytes = pk()
    case_id: bytes
    data: bytes


class ReturnedRow(Table, table=True):
    """A log since a restore, see server.database.recoveries.Returned."""

    __tablename__ = "returned_logs"
    __table_args__ = (NARROW,)
    city: str = pk()
    incarnation: bytes = pk()
    log: bytes = pk()
    stored: int = big()
    had: int = big()
    read: int = big()
    at: int = big()


class LostRow(Table, table=True):
    """A decision that a restore lost, see server.database.recoveries.Lost."""

    __tablename__ = "lost_decisions"
    __table_args__ = (NARROW,)
    city: str = pk()
    incarnation: bytes = pk()
    number: int = big_pk()
    record: bytes = pk()
    actor: str
    action: str
    at: int = big()
