"""Account: what somebody does about their own sign-in: password, second factor, open sessions."""

from __future__ import annotations

import msgspec

from models.problems import Problem
from server import factor
from server.auth import Doorkeeper, digest, hash_password
from server.database.people import Person, Session
from server.keys import Entropy

_NONCE_BYTES = 12
NAME_DIGITS = 12


class OpenSession(msgspec.Struct, frozen=True):
    """A session as its owner sees it. name: to end it by. begun, used, until: Unix seconds. mine:
    the one that asks."""

    name: str
    begun: int
    used: int
    until: int
    address: str
    agent: str
    mine: bool


class Account:
    """Everybody's own sign-in. What an admin does about others is `Staff`'s."""

    def __init__(self, doorkeeper: Doorkeeper) -> None:
        self.doorkeeper = doorkeeper
        self.registry = doorkeeper.registry
        self.clock = doorkeeper.clock
        self.entropy: Entropy = doorkeeper.entropy

    # -- sessions

    def sessions(self, me: Person, token: str) -> list[OpenSession]:
        """Where I am signed in, the newest first. token: of the session that asks."""
        with self.registry.read() as door:
            found = door.sessions_of(me.login, self.clock())
        return [_shown(one, digest(token)) for one in found]

    def end(self, me: Person, name: str) -> None:
        """End one of my sessions. Problem auth.session where there is none of that name."""
        with self.registry.write() as door:
            for one in door.sessions_of(me.login, self.clock()):
                if _name(one) == name:
                    door.drop_session(one.digest)
                    door.audit(me.login, "session.end", me.login, {}, self.clock())
                    return
        raise Problem("auth.session")

    # -- the password

    def change_password(self, me: Person, old: str, new: str, token: str) -> None:
        """A new password; every other session of mine ends. Problems of `Doorkeeper.check`, and
        person.password for a new one that is too short."""
        self.doorkeeper.check(me.login, old)
        secret = hash_password(new, self.entropy)
        at, mine = self.clock(), digest(token)
        with self.registry.write() as door:
            door.keep_person(msgspec.structs.replace(_me(door.person(me.login)), secret=secret))
            for one in door.sessions_of(me.login, at):
                if one.digest != mine:
                    door.drop_session(one.digest)
            door.audit(me.login, "password.change", me.login, {}, at)

    # -- the second factor

    def new_secret(self) -> bytes:
        """A secret for an app; nothing is kept until its digits were typed once."""
        return self.entropy(factor.SECRET_BYTES)

    def begin_second(self, me: Person, secret: bytes, code: str, password: str) -> None:
        """From now on the digits are asked for, those of a new telephone instead of the old one's:
        therefore the password is asked for once more, or an unwatched session would be enough to
        take an account over. Problems of `Doorkeeper.check`, and auth.code_new while the digits do
        not fit; nothing is changed before they do."""
        self.doorkeeper.check(me.login, password)
        at = self.clock()
        step = factor.step_of(secret, code, at, 0) if len(secret) == factor.SECRET_BYTES else 0
        if not step:
            raise Problem("auth.code_new")
        key = self.doorkeeper.factor_key
        kept = factor.sealed(secret, me.login, key, self.entropy(_NONCE_BYTES))
        self._keep_second(me, kept, step, "second-factor.begin")

    def end_second(self, me: Person, password: str) -> None:
        """The password alone is enough again; it is asked for once more here."""
        self.doorkeeper.check(me.login, password)
        self._keep_second(me, b"", 0, "second-factor.end")

    def _keep_second(self, me: Person, kept: bytes, used: int, act: str) -> None:
        with self.registry.write() as door:
            person = _me(door.person(me.login))
            door.keep_person(msgspec.structs.replace(person, second=kept, second_used=used))
            door.audit(me.login, act, me.login, {}, self.clock())


def _me(person: Person | None) -> Person:
    if person is None:
        raise Problem("auth.again")
    return person


def _name(session: Session) -> str:
    return session.digest.hex()[:NAME_DIGITS]


def _shown(one: Session, mine: bytes) -> OpenSession:
    told = (one.begun, one.used, one.until, one.address, one.agent)
    return OpenSession(_name(one), *told, one.digest == mine)
