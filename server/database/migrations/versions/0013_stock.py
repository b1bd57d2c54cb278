"""Blank cards, and manifests of what is carried to villages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _key_number() -> sa.Column[int]:
    return sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False)


def _record() -> sa.Column[bytes]:
    return sa.Column("record", sa.LargeBinary(), nullable=False)


def upgrade() -> None:
    """The office begins with no blanks; what it has is received once."""
    op.create_table(
        "blanks",
        _text("city"),
        _text("serial"),
        _text("kind"),
        _text("state"),
        _record(),
        _text("reason"),
        _number("at"),
        _text("by"),
        sa.PrimaryKeyConstraint("city", "serial", name=op.f("pk_blanks")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_blanks_record", "blanks", ["city", "record"])
    op.create_table(
        "manifests",
        _text("city"),
        _key_number(),
        _text("place"),
        _text("carrier"),
        _text("state"),
        _number("sent_at"),
        _text("sent_by"),
        _number("received_at"),
        _text("received_by"),
        sa.PrimaryKeyConstraint("city", "number", name=op.f("pk_manifests")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "manifest_items",
        _text("city"),
        _key_number(),
        _record(),
        _text("state"),
        sa.PrimaryKeyConstraint("city", "number", "record", name=op.f("pk_manifest_items")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_manifest_items_record", "manifest_items", ["city", "record"])
