"""Steps: what a transaction wrote, as data that can be written again into a copy of the register.

The journal keeps them (server.journal). They are carried out by a restore, always on SQLite and
always on a copy that stands exactly where the first of them began; a PostgreSQL register is put
back through such a copy too. They name tables and columns themselves, so that a later shape of the
tables does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.expression import ClauseElement
from sqlalchemy.sql.schema import ScalarElementColumnDefault

Step = tuple[str, list[list[Any]]]
"""A statement in SQLite's words, and the values of each row it is carried out for."""

_DIALECT = sqlite.dialect()


def inserted(table: Table, rows: Sequence[Mapping[str, Any]]) -> Step:
    """Rows that were added, with what the table fills in by itself."""
    filled = _filled(table)
    names = [*filled.keys() - rows[0].keys(), *rows[0]]
    columns, marks = ", ".join(map(_quoted, names)), ", ".join("?" for _ in names)
    values = [[row[name] if name in row else filled[name] for name in names] for row in rows]
    return f"insert into {_quoted(table.name)} ({columns}) values ({marks})", values  # noqa: S608


def added(table: Table, keys: Sequence[str], name: str, rows: Sequence[Mapping[str, Any]]) -> Step:
    """Numbers that were added to, in rows that were made where they were not there."""
    sql, values = inserted(table, rows)
    there = ", ".join(map(_quoted, ("city", *keys)))
    more = f"{_quoted(name)} = {_quoted(name)} + excluded.{_quoted(name)}"
    return f"{sql} on conflict ({there}) do update set {more}", values


def updated(
    table: Table, city: str, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> Step:
    """Rows that were changed."""
    names = [name for name in rows[0] if name not in keys]
    changes = ", ".join(f"{_quoted(name)} = ?" for name in names)
    where = _where(keys)
    values = [[*(row[n] for n in names), city, *(row[k] for k in keys)] for row in rows]
    return f"update {_quoted(table.name)} set {changes} where {where}", values  # noqa: S608


def deleted(
    table: Table, city: str, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> Step:
    """Rows that were removed."""
    values = [[city, *(row[key] for key in keys)] for row in rows]
    return f"delete from {_quoted(table.name)} where {_where(keys)}", values  # noqa: S608


def ran(statement: Executable) -> Step:
    """Any other statement that changed something."""
    assert isinstance(statement, ClauseElement)
    made = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    names: Sequence[str] = getattr(made, "positiontup", None) or ()
    return str(made), [[made.params[name] for name in names]]


def carry_out(connection: Connection, steps: Sequence[Sequence[Any]]) -> None:
    """Write steps again, in their order."""
    for sql, rows in steps:
        connection.exec_driver_sql(sql, [tuple(row) for row in rows])


def _where(keys: Sequence[str]) -> str:
    return " and ".join(f"{_quoted(name)} = ?" for name in ("city", *keys))


def _quoted(name: str) -> str:
    return f'"{name}"'


def _filled(table: Table) -> dict[str, Any]:
    """Columns that get a value of their own where a row says none."""
    found = {column.name: column.default for column in table.columns}
    return {
        name: default.arg
        for name, default in found.items()
        if isinstance(default, ScalarElementColumnDefault)
    }
