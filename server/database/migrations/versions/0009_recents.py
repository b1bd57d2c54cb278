"""Recent requests by who they are about, for the index that laptops carry."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """It fills with the requests that come from now on."""
    op.create_table(
        "recents",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("trace", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("city", "record", "trace", name="pk_recents"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_recents_number", "recents", ["city", "number"], unique=False)
    op.create_index("ix_recents_at", "recents", ["city", "at"], unique=False)
