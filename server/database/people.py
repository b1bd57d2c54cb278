"""People at central: who may sign in, and who is signed in."""

from __future__ import annotations

import msgspec
from sqlalchemy import and_, delete, or_, select

from server.database.tables import AttemptRow, PersonRow, StaffSessionRow
from server.database.work import Work, table_of

_people = table_of(PersonRow)
_sessions = table_of(StaffSessionRow)
_attempts = table_of(AttemptRow)
MISSES, SHUT = "sign-in", "sign-in.shut"
"""What attempts of this kind are about: misses of a day (`seq` is the day), and a door that is shut
(`seq` is until when, Unix seconds)."""


class Person(msgspec.Struct, frozen=True):
    """One of central's staff. secret: the password's hash in PHC form. failures: wrong passwords in
    a row; locked_until: Unix seconds before which none is tried. villages, second, second_used: see
    PersonRow."""

    login: str
    name: str
    role: str
    secret: str
    active: bool = True
    failures: int = 0
    locked_until: int = 0
    villages: str = ""
    second: bytes = b""
    second_used: int = 0


class Session(msgspec.Struct, frozen=True):
    """Somebody is signed in; see StaffSessionRow."""

    digest: bytes
    login: str
    until: int
    begun: int = 0
    used: int = 0
    address: str = ""
    agent: str = ""


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

    def session(self, digest: bytes) -> Session | None:
        """The session with this token digest."""
        here = (_sessions.c.city == self.city) & (_sessions.c.digest == digest)
        row = self.one(select(_sessions).where(here))
        return msgspec.convert(row, Session, from_attributes=True) if row is not None else None

    def sessions_of(self, login: str, at: int) -> list[Session]:
        """Where somebody is signed in at that moment, the newest first."""
        here = (_sessions.c.city == self.city) & (_sessions.c.login == login)
        found = select(_sessions).where(here, _sessions.c.until > at)
        rows = self.rows(found.order_by(_sessions.c.begun.desc(), _sessions.c.digest))
        return [msgspec.convert(row, Session, from_attributes=True) for row in rows]

    def keep_session(self, session: Session) -> None:
        """Somebody signed in."""
        self.insert(_sessions, [msgspec.structs.asdict(session)])

    def use_session(self, digest: bytes, at: int) -> None:
        """The session was used at that moment."""
        self.update(_sessions, ["digest"], [{"digest": digest, "used": at}])

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

    # -- who tries to sign in; `key` stands for a name or an address that nobody has to be known by

    def shut_until(self, key: bytes) -> int:
        """Until when (Unix seconds) nothing is tried for this key; 0 where it may be."""
        here = and_(_attempts.c.city == self.city, _attempts.c.log == key)
        newest = select(_attempts.c.seq).where(here, _attempts.c.scope == SHUT)
        until: int | None = self.value(newest.order_by(_attempts.c.seq.desc()).limit(1))
        return until or 0

    def missed(self, key: bytes, day: int) -> int:
        """Count one more miss of this key on a day; gives how many there are now."""
        row = {"log": key, "seq": day, "scope": MISSES}
        here = [_attempts.c[name] == value for name, value in {"city": self.city, **row}.items()]
        before: int = self.value(select(_attempts.c.begun).where(*here)) or 0
        if before:
            self.update(_attempts, ["log", "seq", "scope"], [row | {"begun": before + 1}])
        else:
            self.insert(_attempts, [row | {"begun": 1}])
        return before + 1

    def forget_misses(self, key: bytes, day: int) -> None:
        """Count from 0 again."""
        row = {"log": key, "seq": day, "scope": MISSES}
        self.delete(_attempts, ["log", "seq", "scope"], [row])

    def shut(self, key: bytes, until: int) -> None:
        """Let nothing be tried for this key for a while."""
        if self.shut_until(key) < until:
            self.insert(_attempts, [{"log": key, "seq": until, "scope": SHUT, "begun": 1}])

    def drop_old_misses(self, day: int, at: int) -> None:
        """Forget what was before this day, and what is open again at `at`."""
        old = and_(_attempts.c.scope == MISSES, _attempts.c.seq < day)
        over = and_(_attempts.c.scope == SHUT, _attempts.c.seq <= at)
        self.run(delete(_attempts).where(_attempts.c.city == self.city, or_(old, over)))
