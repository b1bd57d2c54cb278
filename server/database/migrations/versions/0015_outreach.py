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
    with op.batch_alter_table("logs") as logs:
        logs.add_column(sa.Column("heard_health", sa.LargeBinary(), nullable=True))
    table = sa.table("logs", sa.column("heard_health", sa.LargeBinary()))
    op.execute(table.update().values(heard_health=b""))
    with op.batch_alter_table("logs") as logs:
        logs.alter_column("heard_health", existing_type=sa.LargeBinary(), nullable=False)
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
