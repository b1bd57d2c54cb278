"""How far target lists are served; counted by the clock from the lists that are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """None is counted so far."""
    op.create_table(
        "target_lists",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("village", sa.String(), nullable=False),
        sa.Column("listed", sa.String(), nullable=False),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("unnamed", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("city", "digest", name=op.f("pk_target_lists")),
    )
    op.create_table(
        "target_requests",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("city", "digest", "record", name=op.f("pk_target_requests")),
    )
