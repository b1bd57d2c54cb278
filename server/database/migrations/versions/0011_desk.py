"""Batches for SIAK, claims, and lists that people keep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def _binary(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def upgrade() -> None:
    """All of them are empty."""
    op.create_table(
        "siak_batches",
        _text("city"),
        _binary("id"),
        _number("number"),
        _text("state"),
        _number("frozen_at"),
        _text("frozen_by"),
        _text("proposed_by"),
        _number("closed_at"),
        _text("closed_by"),
        sa.PrimaryKeyConstraint("city", "id", name=op.f("pk_siak_batches")),
    )
    op.create_index("uq_siak_batches_number", "siak_batches", ["city", "number"], unique=True)
    op.create_table(
        "siak_rows",
        _text("city"),
        _binary("batch"),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        _binary("record"),
        _number("seen"),
        _binary("data"),
        _text("state"),
        _text("reference"),
        _text("reason"),
        _text("by"),
        sa.PrimaryKeyConstraint("city", "batch", "n", name=op.f("pk_siak_rows")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_siak_rows_record", "siak_rows", ["city", "record"])
    op.create_table(
        "claims",
        _text("city"),
        _binary("record"),
        _text("login"),
        _number("until"),
        sa.PrimaryKeyConstraint("city", "record", name=op.f("pk_claims")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_claims_login", "claims", ["city", "login"])
    op.create_table(
        "saved_filters",
        _text("city"),
        _text("login"),
        _text("name"),
        _binary("data"),
        sa.PrimaryKeyConstraint("city", "login", "name", name=op.f("pk_saved_filters")),
        sqlite_with_rowid=False,
    )
