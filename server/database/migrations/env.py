"""Run by Alembic: the steps on the connection that `migrate` gives."""

from __future__ import annotations

from alembic import context

from server.database.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
