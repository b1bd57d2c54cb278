"""People at central: who may sign in, and who is signed in."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, select

from server.database.tables import PersonRow, StaffSessionRow
from server.database.work import Work, table_of

_people = table_of(PersonRow)
_sessions = table_of(StaffSessionRow)


class Person(msgspec.Struct, frozen=True):
    """One of central's staff. secret: the password's hash in PHC form. failures: wrong passwords in
    a row; locked_until: Unix seconds before which none is tried."""

    login: str
    name: str
    role: str
    secret: str
    active: bool = True
    failures: int = 0
    locked_until: int = 0


class People(Work):
    """What may be asked and done about people."""

    def person(self, login: str) -> Person | None:
        """The person with that login."""
        here = (_people.c.city == self.city) & (_people.c.login == login)
        row = self.one(select(_people).where(here))
        return msgspec.convert(row, Person, from_attributes=True) if row is not None else None

    def people(self) -> list[Person]:
        """Everybody, by login."""
        found = select(_people).where(_people.c.city == self.city).order_by(_people.c.login)
        return [msgspec.convert(row, Person, from_attributes=True) for row in self.rows(found)]

    def keep_person(self, person: Person) -> None:
        """Add a person, or change the one with this login."""
        row = msgspec.structs.asdict(person)
        if self.person(person.login) is None:
            self.insert(_people, [row])
        else:
            self.update(_people, ["login"], [row])

    # -- signed in

    def session(self, digest: bytes) -> tuple[str, int] | None:
        """Login, and until when (Unix seconds), of the session with this token digest."""
        here = (_sessions.c.city == self.city) & (_sessions.c.digest == digest)
        row = self.one(select(_sessions.c.login, _sessions.c.until).where(here))
        return (row.login, row.until) if row is not None else None

    def keep_session(self, digest: bytes, login: str, until: int) -> None:
        """Somebody signed in."""
        self.insert(_sessions, [{"digest": digest, "login": login, "until": until}])

    def drop_session(self, digest: bytes) -> None:
        """They signed out."""
        here = (_sessions.c.city == self.city) & (_sessions.c.digest == digest)
        self.run(delete(_sessions).where(here))

    def drop_sessions_of(self, login: str) -> None:
        """Sign a person out everywhere."""
        here = (_sessions.c.city == self.city) & (_sessions.c.login == login)
        self.run(delete(_sessions).where(here))

    def drop_old_sessions(self, at: int) -> int:
        """Forget sessions that had run out at `at`; gives how many."""
        here = (_sessions.c.city == self.city) & (_sessions.c.until <= at)
        return self.run(delete(_sessions).where(here))
