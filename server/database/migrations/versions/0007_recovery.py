"""The second journal, and what a restore lost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def _binary(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def upgrade() -> None:
    """No journal is kept until the setting says where."""
    op.create_table(
        "journal",
        _text("city"),
        _binary("name"),
        _number("segment"),
        _number("size"),
        _number("n"),
        _binary("head"),
        _number("backed"),
        _binary("follows"),
        sa.PrimaryKeyConstraint("city", name=op.f("pk_journal")),
    )
    op.create_table(
        "recoveries",
        _text("city"),
        _binary("incarnation"),
        _binary("case_id"),
        _binary("data"),
        sa.PrimaryKeyConstraint("city", "incarnation", name=op.f("pk_recoveries")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "returned_logs",
        _text("city"),
        _binary("incarnation"),
        _binary("log"),
        _number("stored"),
        _number("had"),
        _number("read"),
        _number("at"),
        sa.PrimaryKeyConstraint("city", "incarnation", "log", name=op.f("pk_returned_logs")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lost_decisions",
        _text("city"),
        _binary("incarnation"),
        _number("number"),
        _binary("record"),
        _text("actor"),
        _text("action"),
        _number("at"),
        sa.PrimaryKeyConstraint(
            "city", "incarnation", "number", "record", name=op.f("pk_lost_decisions")
        ),
        sqlite_with_rowid=False,
    )
