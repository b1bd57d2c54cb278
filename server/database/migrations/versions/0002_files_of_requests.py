"""Files of requests: which log spoke of which, what each consists of, how much came on a day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables of files."""
    op.create_table(
        "announced",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("log", sa.LargeBinary(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("preview", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("city", "log", "blob", name="pk_announced"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_announced_record", "announced", ["city", "record"], unique=False)
    op.create_table(
        "blobs",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("covered", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("city", "id", name="pk_blobs"),
    )
    op.create_table(
        "blob_days",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("device", sa.LargeBinary(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("city", "device", "day", name="pk_blob_days"),
        sqlite_with_rowid=False,
    )
