"""The register's side of the second journal: where it stands, and writing it again."""

from __future__ import annotations

from itertools import groupby

import msgspec
from sqlalchemy import insert, inspect, select, update
from sqlalchemy.exc import DBAPIError

from server.database import migrations, steps
from server.database.engine import Database
from server.database.recovery_tables import JournalRow
from server.database.work import Work, table_of
from server.journal import Mark, Reader, Replayed

_journal = table_of(JournalRow)


class Journaled(Work):
    """Where the journal stands. Its own row is not a part of what it keeps."""

    def journal(self) -> Mark:
        """As of this transaction."""
        row = self.one(select(_journal).where(_journal.c.city == self.city))
        return msgspec.convert(row, Mark, from_attributes=True) if row is not None else Mark()

    def keep_journal(self, mark: Mark) -> None:
        """It stands there once this transaction is committed."""
        row = msgspec.structs.asdict(mark)
        here = update(_journal).where(_journal.c.city == self.city).values(row)
        result = self._session.execute(here)
        if not getattr(result, "rowcount", 0):
            self._session.execute(insert(_journal).values(city=self.city, **row))

    def backed_up(self, copied: Mark) -> Mark:
        """A checked backup holds the journal up to `copied`: it goes on in a new file. Gives how it
        stood before."""
        before = self.journal()
        if before.name and before.name == copied.name:
            mark = msgspec.structs.replace(before, backed=copied.n)
            if before.size:
                mark = msgspec.structs.replace(mark, segment=before.n, size=0)
            self.keep_journal(mark)
        return before


def mark_of(database: Database, city: str) -> Mark:
    """Where the journal stood when this register was copied; it may be of an earlier version."""
    if not inspect(database.engine).has_table(_journal.name):
        return Mark()
    with database.reading() as session:
        return Journaled(session, city).journal()


def replay(database: Database, reader: Reader) -> Replayed:
    """Write the journal into a copy of the register, record by record, each in the shape that the
    tables had then. It ends at the first record that cannot be read or carried out."""
    for revision, records in groupby(reader, lambda written: written.revision):
        if migrations.current(database) != revision:
            migrations.migrate(database, revision)
        with database.writing() as session:
            for written in records:
                try:
                    with session.begin_nested():
                        steps.carry_out(session.connection(), written.steps)
                except DBAPIError:
                    reader.refuse()
                    return reader.found
    return reader.found
