"""A laptop's villages may change, and be lent to it for a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Every laptop so far has the scope it was invited with, number 1, and nothing lent."""
    lent = sa.Column("lent", sa.LargeBinary(), nullable=True)
    number = sa.Column("scope_no", sa.Integer(), nullable=False, server_default="1")
    with op.batch_alter_table("devices") as devices:
        devices.add_column(lent)
        devices.add_column(number)
    table = sa.table("devices", sa.column("lent", sa.LargeBinary()))
    op.execute(table.update().values(lent=b"\x90"))
    with op.batch_alter_table("devices") as devices:
        devices.alter_column("lent", existing_type=sa.LargeBinary(), nullable=False)
        devices.alter_column("scope_no", existing_type=sa.Integer(), server_default=None)
