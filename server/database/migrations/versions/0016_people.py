"""Where somebody works, their second factor, and what a session says of itself."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_KINDS: dict[str, Any] = {"text": sa.String(), "number": sa.BigInteger(), "bytes": sa.LargeBinary()}
_EMPTY = {"text": "''", "number": "0", "bytes": "''"}


def _add(table: str, columns: dict[str, str]) -> None:
    """Columns that may not be empty, filled for the rows that are there already.

    By a default, not by a rebuilt table: SQLite drops no table that others point to once it
    holds rows."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    empty = {**_EMPTY, "bytes": "x''"} if sqlite else _EMPTY
    for name, kind in columns.items():
        default = sa.text(empty[kind])
        op.add_column(table, sa.Column(name, _KINDS[kind], nullable=False, server_default=default))
        if not sqlite:
            op.alter_column(table, name, server_default=None)


def upgrade() -> None:
    """Everybody works everywhere and has a password alone; old sessions say nothing."""
    _add("people", {"villages": "text", "second": "bytes", "second_used": "number"})
    _add(
        "staff_sessions", {"begun": "number", "used": "number", "address": "text", "agent": "text"}
    )
