"""Staff: who works at the office. The first person is added by whoever prepares central."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from models.people import Act, Role, require
from models.people import roles as checked_roles
from models.problems import Problem
from server.auth import checked_login, hash_password, roles
from server.database.people import Person
from server.database.registry import Registry
from server.keys import Entropy

NAME_MAX = 100


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
        given = sorted(checked_roles(held))
        if not given:
            raise Problem("person.role", role="-", roles=[str(role) for role in Role])
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

    def close(self, me: Person, login: str) -> Person:
        """The person no longer works here: no sign-in, and every open session ends."""
        require(roles(me), Act.ADD_PERSON)
        with self.registry.write() as door:
            person = door.person(login)
            if person is None:
                raise Problem("person.unknown", login=login[:NAME_MAX])
            person = msgspec.structs.replace(person, active=False)
            door.keep_person(person)
            door.drop_sessions_of(login)
            door.audit(me.login, "person.close", login, {}, self.clock())
        return person
