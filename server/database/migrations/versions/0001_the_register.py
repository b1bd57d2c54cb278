"""The register as it was first built.

Every table but `counters` grows, and is keyed by city first.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "attempts",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("log", sa.LargeBinary(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("begun", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("city", "log", "seq", "scope", name="pk_attempts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("city", "n", name="pk_audit"),
    )
    op.create_index("ix_audit_target", "audit", ["city", "target", "n"], unique=False)
    op.create_table(
        "case_records",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("city", "record", "case_id", name="pk_case_records"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cases",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("city", "id", name="pk_cases"),
    )
    op.create_index("ix_cases_kind", "cases", ["city", "kind", "opened", "id"], unique=False)
    op.create_index("ix_cases_state", "cases", ["city", "state", "opened", "id"], unique=False)
    op.create_table(
        "confirmations",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("city", "record", name="pk_confirmations"),
    )
    op.create_table(
        "counters",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("incarnation", sa.LargeBinary(), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.Column("opening", sa.LargeBinary(), nullable=False),
        sa.Column("server_seq", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("durable_seq", sa.BigInteger(), nullable=False),
        sa.Column("next_block", sa.Integer(), nullable=False),
        sa.Column("audit_n", sa.BigInteger(), nullable=False),
        sa.Column("audit_head", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("city", name="pk_counters"),
    )
    op.create_table(
        "decision_cells",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("cell", sa.LargeBinary(), nullable=False),
        sa.Column("server_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("city", "cell", "server_seq", name="pk_decision_cells"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "decisions",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("server_seq", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("log", sa.LargeBinary(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("city", "server_seq", name="pk_decisions"),
    )
    op.create_table(
        "devices",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("office_kind", sa.String(), nullable=False),
        sa.Column("office_name", sa.String(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("grant_no", sa.Integer(), nullable=False),
        sa.Column("villages", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("invited_at", sa.BigInteger(), nullable=False),
        sa.Column("invited_by", sa.String(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("city", "id", name="pk_devices"),
    )
    op.create_index("uq_devices_block", "devices", ["city", "block"], unique=True)
    op.create_index("uq_devices_name", "devices", ["city", "name"], unique=True)
    op.create_table(
        "logs",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("device", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("seal_key", sa.LargeBinary(), nullable=False),
        sa.Column("opening", sa.LargeBinary(), nullable=False),
        sa.Column("parent", sa.LargeBinary(), nullable=False),
        sa.Column("parent_seq", sa.BigInteger(), nullable=False),
        sa.Column("escrow", sa.LargeBinary(), nullable=False),
        sa.Column("central", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("limit_seq", sa.BigInteger(), nullable=True),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("grant_no", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", sa.LargeBinary(), nullable=False),
        sa.Column("book", sa.LargeBinary(), nullable=False),
        sa.Column("orders_given", sa.Integer(), nullable=False),
        sa.Column("heard_at", sa.BigInteger(), nullable=False),
        sa.Column("heard_clock", sa.BigInteger(), nullable=False),
        sa.Column("heard_build", sa.String(), nullable=False),
        sa.Column("heard_cursor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("city", "id", name="pk_logs"),
    )
    op.create_index("ix_logs_device", "logs", ["city", "device", "opened_at"], unique=False)
    op.create_table(
        "people",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("city", "login", name="pk_people"),
    )
    op.create_table(
        "record_keys",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("city", "key", "record", name="pk_record_keys"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_record_keys_record", "record_keys", ["city", "record"], unique=False)
    op.create_table(
        "records",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("village", sa.String(), nullable=False),
        sa.Column("device", sa.LargeBinary(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("nik", sa.String(), nullable=False),
        sa.Column("kept", sa.LargeBinary(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("city", "id", name="pk_records"),
    )
    op.create_index("ix_records_created", "records", ["city", "created", "id"], unique=False)
    op.create_index("ix_records_nik", "records", ["city", "nik", "created", "id"], unique=False)
    op.create_index(
        "ix_records_service", "records", ["city", "service", "created", "id"], unique=False
    )
    op.create_index(
        "ix_records_status", "records", ["city", "status", "created", "id"], unique=False
    )
    op.create_index(
        "ix_records_village", "records", ["city", "village", "created", "id"], unique=False
    )
    op.create_index("uq_records_code", "records", ["city", "block", "number"], unique=True)
    op.create_table(
        "waiting",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("log", sa.LargeBinary(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("city", "record", "log", "seq", name="pk_waiting"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ahead",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("log", sa.LargeBinary(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["city", "log"], ["logs.city", "logs.id"], name="fk_ahead_logs"),
        sa.PrimaryKeyConstraint("city", "log", "seq", "digest", name="pk_ahead"),
    )
    op.create_table(
        "entries",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("log", sa.LargeBinary(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("case_id", sa.LargeBinary(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("mark", sa.Integer(), nullable=False),
        sa.Column("decided", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["city", "log"], ["logs.city", "logs.id"], name="fk_entries_logs"),
        sa.PrimaryKeyConstraint("city", "log", "seq", name="pk_entries"),
    )
    op.create_index(
        "ix_entries_operators",
        "entries",
        ["city", "log", "seq"],
        unique=False,
        sqlite_where=sa.text("kind = 'operator'"),
        postgresql_where=sa.text("kind = 'operator'"),
    )
    op.create_index("ix_entries_record", "entries", ["city", "record"], unique=False)
    op.create_table(
        "forks",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("log", sa.LargeBinary(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["city", "log"], ["logs.city", "logs.id"], name="fk_forks_logs"),
        sa.PrimaryKeyConstraint("city", "log", "seq", "head", name="pk_forks"),
    )
    op.create_table(
        "orders",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("log", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("argument", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["city", "log"], ["logs.city", "logs.id"], name="fk_orders_logs"),
        sa.PrimaryKeyConstraint("city", "log", "number", name="pk_orders"),
    )
    op.create_table(
        "staff_sessions",
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city", "login"], ["people.city", "people.login"], name="fk_staff_sessions_people"
        ),
        sa.PrimaryKeyConstraint("city", "digest", name="pk_staff_sessions"),
    )
    op.create_index("ix_staff_sessions_login", "staff_sessions", ["city", "login"], unique=False)
    op.create_index("ix_staff_sessions_until", "staff_sessions", ["city", "until"], unique=False)
