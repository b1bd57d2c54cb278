"""Rosters: the villages' own lists of residents, kept encrypted and only until they expire."""

# ruff: noqa: S608 - SQL is put together from our own column names only; values are always bound

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date

import msgspec

from field_client.vault.engine import Connection, Engine
from field_client.vault.listing import search_query, search_words
from models.roster.residents import Resident
from models.roster.source import RosterSource

FOUND_MAX = 50


class Kept(msgspec.Struct, frozen=True):
    """A list in the vault. number: local."""

    number: int
    people: int
    source: RosterSource


class Found(msgspec.Struct, frozen=True):
    """A resident and the list they stand in."""

    roster: int
    resident: Resident


class Rosters:
    """Import, search, expiry."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def take_in(self, source: RosterSource, residents: Iterable[Resident]) -> bool:
        """Take a whole list in, or nothing of it. A newer list of the same village and source takes
        the older one's place. False when this very list is here already: nothing is changed."""
        people = [(one, msgspec.msgpack.encode(one)) for one in residents]
        digest = hashlib.sha256(b"".join(data for _, data in people)).digest()
        said = msgspec.msgpack.encode(source)
        with self._engine.writing() as connection:
            row = connection.execute(
                "select number, digest, data from rosters where village = ? and source = ?",
                (source.village, source.source),
            ).fetchone()
            if row is not None and row[1:] == (digest, said):
                return False
            if row is not None and row[1] == digest:
                connection.execute(
                    "update rosters set expires = ?, data = ? where number = ?",
                    (source.expires.isoformat(), said, row[0]),
                )
                return True
            if row is not None:
                forget(connection, row[0])
            _insert(connection, source, digest, people)
        return True

    def lists(self) -> list[Kept]:
        """The lists held, by village."""
        rows = self._engine.read(
            "select number, people, data from rosters order by village, source"
        )
        return [
            Kept(number, people, msgspec.msgpack.decode(data, type=RosterSource))
            for number, people, data in rows
        ]

    def search(self, text: str, today: date, limit: int = FOUND_MAX) -> list[Found]:
        """By name: every word typed, the beginning of each is enough."""
        query = search_query(text)
        if not query:
            return []
        return self._found(
            "join resident_words w on w.rowid = r.number where resident_words match ?"
            " and s.expires >= ? order by w.rank limit ?",
            query, today.isoformat(), limit,
        )  # fmt: skip

    def by_nik(self, nik: str, today: date) -> list[Found]:
        """Everybody with this NIK, from whichever list."""
        return self._by("nik", nik, today)

    def by_kk(self, kk: str, today: date) -> list[Found]:
        """A family, in the order of the list."""
        return self._by("kk", kk, today)

    def residents(self, roster: int, today: date) -> Iterator[Resident]:
        """Everybody of one list, in its order; in portions, so that memory stays flat."""
        last = 0
        while True:
            rows = self._engine.read(
                "select r.number, r.data from residents r join rosters s on s.number = r.roster"
                " where r.roster = ? and r.number > ? and s.expires >= ?"
                " order by r.number limit 500",
                roster, last, today.isoformat(),
            )  # fmt: skip
            for last, data in rows:  # noqa: B007 - the next portion starts there
                yield msgspec.msgpack.decode(data, type=Resident)
            if not rows:
                return

    def remove(self, roster: int) -> None:
        """Delete one list and everything told from it."""
        with self._engine.writing() as connection:
            forget(connection, roster)
        self._engine.checkpoint()

    def purge(self, today: date) -> int:
        """Delete the lists that have expired; gives the number of people deleted. Deleted pages are
        overwritten (secure_delete) and the write-ahead log emptied."""
        rows = self._engine.read(
            "select number, people from rosters where expires < ?", today.isoformat()
        )
        if not rows:
            return 0
        with self._engine.writing() as connection:
            for number, _ in rows:
                forget(connection, number)
        self._engine.checkpoint()
        return sum(people for _, people in rows)

    def _by(self, column: str, value: str, today: date) -> list[Found]:
        return self._found(
            f"where r.{column} = ? and r.{column} != '' and s.expires >= ?"
            " order by r.number limit ?",
            value, today.isoformat(), FOUND_MAX,
        )  # fmt: skip

    def _found(self, rest: str, *values: object) -> list[Found]:
        rows = self._engine.read(
            "select r.roster, r.data from residents r"
            f" join rosters s on s.number = r.roster {rest}",
            *values,
        )
        return [Found(roster, msgspec.msgpack.decode(data, type=Resident)) for roster, data in rows]


def _insert(
    connection: Connection,
    source: RosterSource,
    digest: bytes,
    people: list[tuple[Resident, bytes]],
) -> None:
    said = msgspec.msgpack.encode(source)
    (roster,) = connection.execute(
        "insert into rosters (village, source, expires, digest, people, data)"
        " values (?, ?, ?, ?, ?, ?) returning number",
        (source.village, source.source, source.expires.isoformat(), digest, len(people), said),
    ).fetchone()
    for resident, data in people:
        (number,) = connection.execute(
            "insert into residents (roster, nik, kk, name, data) values (?, ?, ?, ?, ?)"
            " returning number",
            (roster, resident.nik, resident.kk, resident.name, data),
        ).fetchone()
        connection.execute(
            "insert into resident_words (rowid, words) values (?, ?)",
            (number, search_words(resident.name)),
        )


def forget(connection: Connection, roster: int) -> None:
    """Delete one list and everything told from it."""
    connection.execute(
        "delete from resident_words where rowid in (select number from residents where roster = ?)",
        (roster,),
    )
    # The index only marks its words as deleted until it is merged: merge it, so that they are gone.
    connection.execute("insert into resident_words (resident_words) values ('optimize')")
    connection.execute("delete from residents where roster = ?", (roster,))
    connection.execute("delete from rosters where number = ?", (roster,))
