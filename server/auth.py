"""Central's staff: who they are, and that it is they.

Sign-in: password (Argon2id, RFC 9106), and the digits of an app from who chose to have a second
factor (`server.factor`), to a token: of the API's Authorization header or of a browser's cookie.

The register keeps the hash of the password and the hash of each token, never the things
themselves. After a number of wrong passwords in a row the name waits, and after many from one
address the address; a name that nobody has costs as much time, waits as long and gets the same
answers. Every sign-in is in the audit trail; of those that are refused to one name on one day the
1st, 5th, 25th … with their number, so that nobody can fill the trail from outside.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from collections.abc import Callable, Iterable
from functools import cached_property

import msgspec
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from models.problems import Problem
from server import factor
from server.database.matching import COMPARING
from server.database.people import Person, Session
from server.database.registry import Door, Registry
from server.keys import Entropy
from server.settings import ServerSettings
from sync.state import Case

PASSWORD_LEAST = 10
PASSWORD_MOST = 200
LOGIN_MAX = 40
TOKEN_BYTES = 32
_LOGIN = re.compile(r"[a-z][a-z0-9.-]{1,39}")
_SALT_BYTES = 16
MEMORY_KIB = 32 * 1024
PASSES = 3
"""About 0.1 s on the office's server, and memory for a few at a time."""

ADDRESS_TRIES = 20
"""An address may miss so many times more often than a name: an office has one for everybody."""

ADDRESS_MAX, AGENT_MAX = 45, 200
USED_SECONDS = 600
"""How exact it is kept when a session was used last: not every page is a write."""

_DAY_SECONDS = 86_400
_TOLD_BASE = 5


class SignedIn(msgspec.Struct, frozen=True):
    """The token, once, and until when it holds (Unix seconds)."""

    token: str
    until: int
    person: Person


class Doorkeeper:
    """Knows who somebody is. What they may do is for casework to say."""

    def __init__(
        self,
        registry: Registry,
        settings: ServerSettings,
        clock: Callable[[], int],
        entropy: Entropy,
        factor_key: bytes,
    ) -> None:
        self.registry = registry
        self.settings = settings
        self.clock = clock
        self.entropy = entropy
        self.factor_key = factor_key

    @cached_property
    def _nobody(self) -> str:
        return hash_password("nobody has this one", self.entropy)

    def check(
        self, login: str, password: str, address: str = "", *, code: str | None = None
    ) -> Person:
        """The person with that password; Problem auth.wrong, auth.code, auth.locked or
        person.inactive. address: where it comes from, empty for a command at central itself. code:
        digits of the second factor; None where none are asked for, at central itself: whoever runs
        commands there can read its keys."""
        at = self.clock()
        with self.registry.read() as door:
            person = door.person(login)
            shut = [door.shut_until(key) for key in (_of_name(login), *_of_address(address))]
        until = max(*shut, person.locked_until if person is not None else 0)
        if until > at:
            raise Problem("auth.locked", seconds=until - at)
        right = fits(password, person.secret if person is not None else self._nobody)
        if person is None or not right:
            self._wrong(login, person, address, at)
            raise Problem("auth.wrong")
        if not person.active:
            raise Problem("person.inactive", login=login)
        step = 0
        if person.second and code is not None:
            secret = factor.opened(person.second, login, self.factor_key)
            step = factor.step_of(secret, code, at, person.second_used) if secret else 0
            if not step:
                self._wrong(login, person, address, at)
                raise Problem("auth.code")
        return self._right(person, at, step)

    def _wrong(self, login: str, person: Person | None, address: str, at: int) -> None:
        most, until = self.settings.password_tries, at + self.settings.lockout_seconds
        day = at // _DAY_SECONDS
        with self.registry.write() as door:
            door.drop_old_misses(day, at)
            self._record(door, login if person is not None else "", day, at)
            for key in _of_address(address):
                if door.missed(key, day) % (most * ADDRESS_TRIES) == 0:
                    door.shut(key, until)
            current = door.person(login) if person is not None else None
            if current is None:
                name = _of_name(login)
                if door.missed(name, day) >= most:
                    door.forget_misses(name, day)
                    door.shut(name, until)
                return
            failures = current.failures + 1
            over = failures >= most
            door.keep_person(
                msgspec.structs.replace(
                    current, failures=0 if over else failures, locked_until=until if over else 0
                )
            )

    def _record(self, door: Door, login: str, day: int, at: int) -> None:
        """Say in the trail that somebody was refused: all names that nobody has are one."""
        count = door.missed(_key("told", login), day)
        if is_told(count):
            door.audit("system", "sign-in.refused", login, {"count": count}, at)

    def _right(self, person: Person, at: int, step: int) -> Person:
        with self.registry.write() as door:
            current = door.person(person.login)
            if current is None or not current.active or current.locked_until > at:
                raise Problem("auth.wrong")
            if step and step <= current.second_used:  # the same digits came twice at once
                raise Problem("auth.code")
            if current.failures or current.locked_until or step:
                used = step or current.second_used
                current = msgspec.structs.replace(
                    current, failures=0, locked_until=0, second_used=used
                )
                door.keep_person(current)
            door.audit(person.login, "sign-in", person.login, {}, at)
        return current

    def sign_in(
        self, login: str, password: str, address: str = "", *, code: str = "", agent: str = ""
    ) -> SignedIn:
        """A new token. agent: what the browser calls itself."""
        person = self.check(login, password, address, code=code)
        at = self.clock()
        until = at + self.settings.session_minutes * 60
        token = base64.urlsafe_b64encode(self.entropy(TOKEN_BYTES)).decode().rstrip("=")
        session = Session(
            digest(token), person.login, until, at, at, address[:ADDRESS_MAX], agent[:AGENT_MAX]
        )
        with self.registry.write() as door:
            door.keep_session(session)
        return SignedIn(token, until, person)

    def whoever(self, token: str) -> Person:
        """Who holds this token; auth.required for none, auth.again for one that ran out."""
        if not token:
            raise Problem("auth.required")
        at = self.clock()
        with self.registry.read() as door:
            session = door.session(digest(token))
            person = door.person(session.login) if session is not None else None
        if session is None or session.until <= at:
            raise Problem("auth.again")
        if person is None or not person.active:
            raise Problem("auth.again")
        if at - session.used > USED_SECONDS:
            with self.registry.write() as door:
                door.use_session(session.digest, at)
        return person

    def sign_out(self, token: str) -> None:
        """Forget the token."""
        with self.registry.write() as door:
            door.drop_session(digest(token))


def is_told(count: int) -> bool:
    """Is the so-maniest refusal of a day written down? The 1st, 5th, 25th, 125th … are."""
    while count > 1 and count % _TOLD_BASE == 0:
        count //= _TOLD_BASE
    return count == 1


def _key(kind: str, text: str) -> bytes:
    return hashlib.sha256(f"jb1-{kind}\0{text}".encode()).digest()[:16]


def _of_name(login: str) -> bytes:
    return _key("name", login[: LOGIN_MAX + 1])


def _of_address(address: str) -> list[bytes]:
    """Keys of an address; of IPv6 the network counts, since a machine there has any number."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return []
    size = 32 if found.version == 4 else 64
    return [_key("address", str(ipaddress.ip_network((int(found), size), strict=False)))]


def who(person: Person) -> str:
    """How a person is named in decisions, to authors and in the history: name and login."""
    return f"{person.name} ({person.login})"


def roles(person: Person) -> tuple[str, ...]:
    """A person's roles; they are kept as one text, separated by commas."""
    return tuple(person.role.split(","))


def areas(person: Person) -> tuple[str, ...]:
    """Villages and districts somebody works for, by code; empty for everywhere."""
    return tuple(filter(None, person.villages.split(",")))


def sees(person: Person, village: str) -> bool:
    """Whether a request of this village is somebody's to look at."""
    mine = areas(person)
    return not mine or any(village == one or village.startswith(f"{one}.") for one in mine)


def require_area(person: Person, village: str) -> None:
    """Raise `auth.area` unless `sees`."""
    if not sees(person, village):
        raise Problem("auth.area")


def require_request(door: Door, person: Person, *records: bytes) -> None:
    """Raise `auth.area` unless one of these requests is of somebody's area."""
    if areas(person):
        lines = [line for one in records if (line := door.request_line(one)) is not None]
        if not any(sees(person, line.village) for line in lines):
            raise Problem("auth.area")


def of_area(door: Door, person: Person, records: Iterable[bytes]) -> list[bytes]:
    """Those of these requests that are of somebody's area, each once and in order."""
    wanted, mine = list(dict.fromkeys(records)), areas(person)
    if not mine:
        return wanted
    known = door.known_requests(wanted, mine)
    return [record for record in wanted if record in known]


def require_requests(door: Door, person: Person, records: Iterable[bytes]) -> None:
    """Raise `auth.area` unless every one of these requests is of somebody's area."""
    wanted = set(records)
    if len(of_area(door, person, wanted)) < len(wanted):
        raise Problem("auth.area")


def require_case(door: Door, person: Person, case: Case) -> None:
    """Raise auth.area for a case of no area of theirs. Requests that are put side by side can be
    told apart only by who may open each: case.area, unless all are of somebody's area."""
    names = [name for name in (case.record, *case.others) if name]
    if case.kind not in COMPARING:
        require_request(door, person, *names)
    elif len(of_area(door, person, names)) < len(set(names)):
        raise Problem("case.area")


def checked_login(login: str) -> str:
    """`login` if it is one, else Problem("person.login")."""
    if not _LOGIN.fullmatch(login):
        raise Problem("person.login", limit=LOGIN_MAX)
    return login


def hash_password(password: str, entropy: Entropy) -> str:
    """The PHC string of a password; Problem("person.password") for one that is too short."""
    if not PASSWORD_LEAST <= len(password) <= PASSWORD_MOST:
        raise Problem("person.password", least=PASSWORD_LEAST)
    salt = entropy(_SALT_BYTES)
    kdf = Argon2id(salt=salt, length=32, iterations=PASSES, lanes=1, memory_cost=MEMORY_KIB)
    return kdf.derive_phc_encoded(password.encode())


def fits(password: str, phc: str) -> bool:
    """Is `phc` of this password?"""
    try:
        Argon2id.verify_phc_encoded(password[:PASSWORD_MOST].encode(), phc)
    except (InvalidKey, ValueError):
        return False
    return True


def digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(b"jb1-session-token" + token.encode()).digest()
