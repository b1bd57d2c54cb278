"""An open transaction: the few kinds of statement that everything in the register is made of.

Many rows go in one statement (`insert`, `update`), and what is looked up by a list is asked in
pieces, since both databases bound the number of parameters.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    insert,
    update,
)
from sqlmodel import Session

from server.database import steps
from server.database.steps import Step

IN_MAX = 500
"""Values in one `in` list."""


class Work:
    """A transaction on the rows of one city."""

    written: list[Step] | None = None
    """What was written, for the journal; None where none is kept."""

    def __init__(self, session: Session, city: str) -> None:
        self._session = session
        self.city = city

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of the transaction that an error undoes alone."""
        begun = len(self.written or ())
        try:
            with self._session.begin_nested():
                yield
        except BaseException:
            if self.written is not None:
                del self.written[begun:]
            raise

    def insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows, all with the same columns; `city` is filled in."""
        if not rows:
            return
        whole = [{"city": self.city, **row} for row in rows]
        self._session.execute(insert(table), whole)
        if self.written is not None:
            self.written.append(steps.inserted(table, whole))

    def add(
        self, table: Table, keys: Sequence[str], name: str, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Add to the number `name` of the rows with these `keys`; those that are not there begin
        with it."""
        if not rows:
            return
        whole = [{"city": self.city, **row} for row in rows]
        connection = self._session.connection()
        made = insert_for(connection.dialect.name, table)
        more = {name: table.c[name] + made.excluded[name]}
        made = made.on_conflict_do_update(index_elements=["city", *keys], set_=more)
        connection.execute(made, whole)
        if self.written is not None:
            self.written.append(steps.added(table, keys, name, whole))

    def update(self, table: Table, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        """Change existing rows: those columns of `rows` that are not in `keys`."""
        if not rows:
            return
        here = [table.c.city == self.city, *(table.c[k] == bindparam(f"_{k}") for k in keys)]
        names: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name not in keys}
        statement = update(table).where(and_(*here)).values(names)
        renamed = [{f"_{k}" if k in keys else k: v for k, v in row.items()} for row in rows]
        # By the connection: a session would take several rows for an update by primary key.
        self._session.connection().execute(statement, renamed)
        if self.written is not None:
            self.written.append(steps.updated(table, self.city, keys, rows))

    def delete(self, table: Table, keys: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        """Remove the rows with these `keys`."""
        if rows:
            here = [table.c.city == self.city, *(table.c[k] == bindparam(f"_{k}") for k in keys)]
            named = [{f"_{k}": row[k] for k in keys} for row in rows]
            self._session.connection().execute(delete(table).where(and_(*here)), named)
            if self.written is not None:
                self.written.append(steps.deleted(table, self.city, keys, rows))

    def run(self, statement: Executable) -> int:
        """Carry out a statement; gives the number of rows it touched."""
        result = self._session.execute(statement)
        if self.written is not None:
            self.written.append(steps.ran(statement))
        return result.rowcount if isinstance(result, CursorResult) else 0

    def rows(self, statement: Executable) -> list[Any]:
        """All rows of a query."""
        return list(self._session.execute(statement))

    def one(self, statement: Executable) -> Any | None:
        """The first row of a query, or None."""
        return self._session.execute(statement).first()

    def value(self, statement: Executable) -> Any:
        """First column of the first row of a query, or None."""
        return self._session.execute(statement).scalar()

    def each(
        self, statement: Select[Any], column: ColumnElement[Any], values: Collection[Any]
    ) -> Iterator[Any]:
        """Rows of the query whose `column` is one of `values`, asked in pieces."""
        for piece in pieces(values, IN_MAX):
            yield from self._session.execute(statement.where(column.in_(piece)))


def pieces(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """`values` cut into lists of at most `size`."""
    piece: list[Any] = []
    for value in values:
        piece.append(value)
        if len(piece) == size:
            yield piece
            piece = []
    if piece:
        yield piece


def insert_for(database: str, table: Table) -> Any:
    """An `insert` that may change rows that are there, as SQLAlchemy's dialect of that name has it.
    Only that one is loaded: with the other one every start of central took longer."""
    if database == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def table_of(row: Any) -> Table:
    """The table behind a row class."""
    table = row.__table__
    assert isinstance(table, Table)
    return table
