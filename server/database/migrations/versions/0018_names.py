"""Requests are found by the words of a name; what is late in a queue is counted in its index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from models.names import search_words  # what is searched for goes through it too

revision = "0018"
down_revision = "0017"
AT_ONCE = 2000


def upgrade() -> None:
    """The words of every name that is there, and an index that knows when each arrived."""
    op.drop_index("ix_records_status", "records")
    columns = ["city", "status", "created", "id", "created_at"]
    op.create_index("ix_records_status", "records", columns)
    words = op.create_table(
        "record_names",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("word", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("city", "word", "created", "record", name=op.f("pk_record_names")),
        sqlite_with_rowid=False,
    )
    assert words is not None
    op.create_index("ix_record_names_record", "record_names", ["city", "record", "word"])
    records = sa.table("records", *map(sa.column, ("city", "id", "name", "created")))
    door = op.get_bind()
    found = door.execute(sa.select(records.c.city, records.c.id, records.c.name, records.c.created))
    while part := found.fetchmany(AT_ONCE):
        rows = [
            {"city": city, "word": word.encode(), "created": created, "record": record}
            for city, record, name, created in part
            for word in search_words(name)
        ]
        if rows:
            door.execute(sa.insert(words), rows)
