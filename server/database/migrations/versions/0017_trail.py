"""The trail is searched by who did it, by what was done, and by the time."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """It had an index by what it was done to alone."""
    op.create_index("ix_audit_actor", "audit", ["city", "actor", "n"])
    op.create_index("ix_audit_action", "audit", ["city", "action", "n"])
    op.create_index("ix_audit_at", "audit", ["city", "at"])
