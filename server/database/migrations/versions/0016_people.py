"""Where somebody works, their second factor, and what a session says of itself."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_KINDS: dict[str, Any] = {"text": sa.String(), "number": sa.BigInteger(), "bytes": sa.LargeBinary()}
_EMPTY: dict[str, Any] = {"text": "", "number": 0, "bytes": b""}


def _add(table: str, columns: dict[str, str]) -> None:
    """Columns that may not be empty, filled for the rows that are there already."""
    with op.batch_alter_table(table) as changed:
        for name, kind in columns.items():
            changed.add_column(sa.Column(name, _KINDS[kind], nullable=True))
    rows = sa.table(table, *(sa.column(name, _KINDS[kind]) for name, kind in columns.items()))
    op.execute(rows.update().values({name: _EMPTY[kind] for name, kind in columns.items()}))
    with op.batch_alter_table(table) as changed:
        for name, kind in columns.items():
            changed.alter_column(name, existing_type=_KINDS[kind], nullable=False)


def upgrade() -> None:
    """Everybody works everywhere and has a password alone; old sessions say nothing."""
    _add("people", {"villages": "text", "second": "bytes", "second_used": "number"})
    _add(
        "staff_sessions", {"begun": "number", "used": "number", "address": "text", "agent": "text"}
    )
