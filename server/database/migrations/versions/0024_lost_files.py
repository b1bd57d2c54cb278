"""Files that were lost are found without reading all others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Every quarter of an hour they were looked for among all."""
    lost = sa.text("covered IS NULL AND at = 0")
    op.create_index(
        "ix_blobs_lost", "blobs", ["city", "id"], sqlite_where=lost, postgresql_where=lost
    )
