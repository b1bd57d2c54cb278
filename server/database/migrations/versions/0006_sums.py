"""Cells add up to something, and the requests of a laptop are found by it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Sums come with the next decision in each cell."""
    with op.batch_alter_table("decision_cells") as cells:
        cells.add_column(sa.Column("total", sa.LargeBinary(), nullable=True))
    columns = ["city", "device", "created", "id"]
    op.create_index("ix_records_device", "records", columns, unique=False)
