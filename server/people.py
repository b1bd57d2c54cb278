"""Staff: who works at the office. The first person is added by whoever prepares central."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from models.people import Act, Role, require
from models.people import roles as checked_roles
from models.problems import Problem
from models.regions import region
from server.auth import checked_login, hash_password, roles
from server.database.people import Person
from server.database.registry import Door, Registry
from server.keys import Entropy

NAME_MAX = 100
REASON_MAX = 200
"""Characters of why an account is opened again; it stands in the trail."""


class Staff:
    """What may be done about people at central."""

    def __init__(self, registry: Registry, clock: Callable[[], int], entropy: Entropy) -> None:
        self.registry = registry
        self.clock = clock
        self.entropy = entropy

    def add(
        self, me: Person | None, login: str, name: str, held: Collection[str], password: str
    ) -> Person:
        """Add a person. me: an admin; None for the very first person, who has to be one."""
        name = name.strip()
        if not 0 < len(name) <= NAME_MAX:
            raise Problem("person.name", limit=NAME_MAX)
        given = _given(held)
        secret = hash_password(password, self.entropy)
        person = Person(checked_login(login), name, ",".join(given), secret)
        if me is not None:
            require(roles(me), Act.ADD_PERSON)
        with self.registry.write() as door:
            if me is None and door.people():
                raise Problem("auth.required")
            if me is None and Role.ADMIN not in given:
                raise Problem("person.first")
            if door.person(person.login) is not None:
                raise Problem("person.exists", login=person.login)
            door.keep_person(person)
            by = me.login if me is not None else "init"
            door.audit(by, Act.ADD_PERSON, person.login, {"roles": given}, self.clock())
        return person

    def list(self, me: Person) -> list[Person]:
        """Everybody, by login."""
        require(roles(me), Act.LIST_PEOPLE)
        with self.registry.write() as door:
            found = door.people()
            door.audit(me.login, Act.LIST_PEOPLE, "", {"n": len(found)}, self.clock())
        return found

    def place(
        self, me: Person, login: str, villages: Collection[str], seen: str | None = None
    ) -> Person:
        """What this person works for: codes of villages and districts, none for everywhere. seen:
        `Person.villages` as whoever decided saw it. Problems person.changed, and person.area for a
        code that is no district or village of this city."""
        require(roles(me), Act.ADD_PERSON)
        wanted = sorted(set(villages))
        for code in wanted:
            one = region(code)
            if one is None or not code.startswith(f"{self.registry.city}."):
                raise Problem("person.area", village=code[:NAME_MAX])
        with self.registry.write() as door:
            old = _known(door, login)
            _still(old.villages, seen, login)
            person = msgspec.structs.replace(old, villages=",".join(wanted))
            door.keep_person(person)
            said = {"villages": wanted, "was": old.villages}
            door.audit(me.login, "person.place", login, said, self.clock())
        return person

    def entrust(
        self, me: Person, login: str, held: Collection[str], seen: str | None = None
    ) -> Person:
        """From now on these are the person's roles, also in sessions that are open. seen:
        `Person.role` as whoever decided saw it. Problems person.role, person.changed,
        person.last_admin."""
        require(roles(me), Act.ADD_PERSON)
        given = _given(held)
        with self.registry.write() as door:
            old = _known(door, login)
            _still(old.role, seen, login)
            person = msgspec.structs.replace(old, role=",".join(given))
            _still_an_admin(door, person)
            door.keep_person(person)
            said = {"roles": given, "was": old.role}
            door.audit(me.login, "person.entrust", login, said, self.clock())
        return person

    def renew(self, me: Person, login: str, password: str) -> Person:
        """A new password for somebody who has lost theirs, or their telephone: without lock and
        second factor, and every open session ends."""
        require(roles(me), Act.ADD_PERSON)
        secret = hash_password(password, self.entropy)
        with self.registry.write() as door:
            person = msgspec.structs.replace(
                _known(door, login), secret=secret, failures=0, locked_until=0,
                second=b"", second_used=0,
            )  # fmt: skip
            door.keep_person(person)
            door.drop_sessions_of(login)
            door.audit(me.login, "person.renew", login, {}, self.clock())
        return person

    def close(self, me: Person, login: str) -> Person:
        """The person no longer works here: no sign-in, and every open session ends. Problem
        person.last_admin."""
        require(roles(me), Act.ADD_PERSON)
        with self.registry.write() as door:
            person = msgspec.structs.replace(_known(door, login), active=False)
            _still_an_admin(door, person)
            door.keep_person(person)
            door.drop_sessions_of(login)
            door.audit(me.login, "person.close", login, {}, self.clock())
        return person

    def reopen(self, me: Person, login: str, password: str, reason: str) -> Person:
        """The person works here again, with the roles and the area they had, and a new password;
        without second factor. Problems person.active, reason.required, person.password."""
        require(roles(me), Act.ADD_PERSON)
        reason = reason.strip()
        if not reason:
            raise Problem("reason.required")
        if len(reason) > REASON_MAX:
            raise Problem("reason.too_long", limit=REASON_MAX, n=len(reason))
        secret = hash_password(password, self.entropy)
        with self.registry.write() as door:
            old = _known(door, login)
            if old.active:
                raise Problem("person.active", login=login)
            person = msgspec.structs.replace(
                old, active=True, secret=secret, failures=0, locked_until=0,
                second=b"", second_used=0,
            )  # fmt: skip
            door.keep_person(person)
            door.audit(me.login, "person.reopen", login, {"reason": reason}, self.clock())
        return person


def _given(held: Collection[str]) -> list[str]:
    """At least one role, in order."""
    given = sorted(map(str, checked_roles(held)))
    if not given:
        raise Problem("person.role", role="-", roles=[str(role) for role in Role])
    return given


def _still(now: str, seen: str | None, login: str) -> None:
    """Raise person.changed where a colleague decided meanwhile; a command has seen nothing."""
    if seen is not None and seen != now:
        raise Problem("person.changed", login=login)


def _still_an_admin(door: Door, changed: Person) -> None:
    """Raise person.last_admin where nobody could add people any more."""
    others = [one for one in door.people() if one.login != changed.login]
    if not any(one.active and Role.ADMIN in roles(one) for one in [*others, changed]):
        raise Problem("person.last_admin", login=changed.login)


def _known(door: Door, login: str) -> Person:
    person = door.person(login)
    if person is None:
        raise Problem("person.unknown", login=login[:NAME_MAX])
    return person
