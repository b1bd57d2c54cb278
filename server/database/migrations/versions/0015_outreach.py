"""What laptops say of themselves, voyages of the vans, and forms begun at the counter."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def upgrade() -> None:
    """No laptop has said anything of itself yet, and no voyage is planned."""
    # A default, not a rebuilt table: SQLite drops no table that others point to once it holds rows.
    sqlite = op.get_bind().dialect.name == "sqlite"
    empty = sa.text("x''" if sqlite else "''")
    op.add_column(
        "logs", sa.Column("heard_health", sa.LargeBinary(), nullable=False, server_default=empty)
    )
    if not sqlite:
        op.alter_column("logs", "heard_health", server_default=None)
    op.create_table(
        "voyages",
        _text("city"),
        _bytes("id"),
        _text("first"),
        _text("last"),
        _bytes("device"),
        _text("state"),
        _number("at"),
        _text("by"),
        _bytes("data"),
        sa.PrimaryKeyConstraint("city", "id", name=op.f("pk_voyages")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_voyages_first", "voyages", ["city", "first"])
    op.create_table(
        "counter_drafts",
        _text("city"),
        _bytes("id"),
        _text("login"),
        _number("at"),
        _number("version"),
        _bytes("data"),
        _bytes("became"),
        sa.PrimaryKeyConstraint("city", "id", name=op.f("pk_counter_drafts")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_counter_drafts_login", "counter_drafts", ["city", "login", "at"])
