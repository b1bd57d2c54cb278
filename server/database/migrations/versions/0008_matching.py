"""An index to find requests of one person by; it fills itself from the decisions there are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _city() -> sa.Column[str]:
    return sa.Column("city", sa.String(), nullable=False)


def upgrade() -> None:
    """The search begins at the first decision."""
    op.create_table(
        "match_keys",
        _city(),
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("city", "key", "record", name=op.f("pk_match_keys")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_match_keys_record", "match_keys", ["city", "record"])
    op.create_table(
        "match_words",
        _city(),
        sa.Column("word", sa.BigInteger(), autoincrement=False, nullable=False),
        _number("n"),
        sa.PrimaryKeyConstraint("city", "word", name=op.f("pk_match_words")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "match_marks",
        _city(),
        _number("upto"),
        _number("n"),
        sa.PrimaryKeyConstraint("city", name=op.f("pk_match_marks")),
    )
