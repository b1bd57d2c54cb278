"""The figures know when each request is due, and what was open at the end of each week; they are
counted again from the first decision on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """What was counted is forgotten."""
    for table in ("journeys", "milestones", "tallies", "report_marks"):
        op.execute(f"delete from {table}")  # noqa: S608 - names of ours
    op.add_column("milestones", sa.Column("since", sa.String(), nullable=False, server_default=""))
