"""The requests of a case are found by the case."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """They had an order by request alone."""
    op.create_index("ix_case_records_case", "case_records", ["city", "case_id", "record"])
