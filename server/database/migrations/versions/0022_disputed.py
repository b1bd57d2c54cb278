"""Requests with open cases are listed without looking at all others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """They were looked for in the order of arrival, from the oldest of all on."""
    some = sa.text("cases > 0")
    op.create_index(
        "ix_records_disputed",
        "records",
        ["city", "created", "id"],
        sqlite_where=some,
        postgresql_where=some,
    )
