"""Figures of the office; they are made from the decisions there are, from the first one on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def upgrade() -> None:
    """Counting begins at the first decision."""
    op.create_table(
        "journeys",
        _text("city"),
        _bytes("record"),
        _bytes("data"),
        sa.PrimaryKeyConstraint("city", "record", name=op.f("pk_journeys")),
    )
    op.create_table(
        "milestones",
        _text("city"),
        _text("figure"),
        _text("day"),
        _bytes("record"),
        _text("value"),
        _text("village"),
        _text("service"),
        sa.PrimaryKeyConstraint(
            "city", "figure", "day", "record", "value", name=op.f("pk_milestones")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_milestones_record", "milestones", ["city", "record"])
    op.create_index(
        "ix_milestones_village", "milestones", ["city", "figure", "village", "day", "record"]
    )
    op.create_table(
        "tallies",
        _text("city"),
        _text("figure"),
        _text("village"),
        _text("service"),
        _text("period"),
        _text("value"),
        _number("n"),
        sa.PrimaryKeyConstraint(
            "city", "figure", "village", "service", "period", "value", name=op.f("pk_tallies")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "report_marks",
        _text("city"),
        _number("upto"),
        _number("at"),
        sa.PrimaryKeyConstraint("city", name=op.f("pk_report_marks")),
    )
