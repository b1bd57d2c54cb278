"""Trail: who saw and changed what, for people who ask, and as a file that proves itself.

An export is a piece of the trail without gaps, every entry with its link, signed by the office as a
whole. `server/verify_audit.py` checks it anywhere, without this program; an auditor who keeps each
export can show that nothing was rewritten between two of them.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from pathlib import Path

import msgspec

from models import audit
from models.audit import AuditEntry
from models.people import Act, require
from models.problems import Problem
from models.words import WIT
from server.auth import roles
from server.database.people import Person
from server.database.registry import Door, Registry
from server.evidence import Evidence
from server.finding import find_record
from server.keys import Keys
from server.sheets import line

EXPORT_MAX = 200_000
"""Entries of one file, some 50 MB."""
PAGE_MAX = 200
TEXT_MAX = 64
_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")
FORMAT = "jb1-audit-export"
VERIFIER = Path(__file__).with_name("verify_audit.py")


class Sought(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which entries. about: id of what it was done to, or a login. first, last: days, ISO; empty
    for all."""

    about: str = ""
    actor: str = ""
    action: str = ""
    first: str = ""
    last: str = ""


class Found(msgspec.Struct, frozen=True):
    """A page of them, the newest first. before: where the next one begins, 0 at the end."""

    entries: list[AuditEntry]
    before: int = 0


class Checked(msgspec.Struct, frozen=True):
    """The newest check of every chain. broken: how many places, of which some are named."""

    at: int
    by: str
    entries: int
    broken: int
    places: list[str] = []


class Trail:
    """Reads and proves the trail. `clock` gives Unix seconds."""

    def __init__(
        self, registry: Registry, evidence: Evidence, keys: Keys, clock: Callable[[], int]
    ) -> None:
        self.registry = registry
        self.evidence = evidence
        self.keys = keys
        self.clock = clock
        self._checking = threading.Lock()

    # -- reading

    def search(self, me: Person, sought: Sought, *, before: int = 0, limit: int = 50) -> Found:
        """Entries, the newest first. Reading them is an entry too. Problems audit.unknown,
        audit.day."""
        require(roles(me), Act.READ_AUDIT)
        limit = max(1, min(limit, PAGE_MAX))
        with self.registry.write() as door:
            _require_known(door, sought)
            found = door.trail_backwards(
                target=sought.about[:TEXT_MAX],
                actor=sought.actor[:TEXT_MAX],
                action=sought.action[:TEXT_MAX],
                numbers=_numbers(door, sought),
                before=before,
                limit=limit + 1,
            )
            shown = found[:limit]
            details: dict[str, object] = {"about": sought.about[:TEXT_MAX]}
            details |= {"by": sought.actor[:TEXT_MAX], "action": sought.action[:TEXT_MAX]}
            details |= {"before": before, "n": len(shown)}
            self._note(door, me, str(Act.READ_AUDIT), "", details)
        return Found(shown, shown[-1].n if len(found) > limit else 0)

    def typed(self, me: Person, sought: Sought) -> Sought:
        """What somebody typed, fit to stand in an address: `about` is the id of the request of that
        number or of the laptop of that name, or a login. Problems audit.unknown, audit.day."""
        require(roles(me), Act.READ_AUDIT)
        with self.registry.read() as door:
            about = _about(door, sought.about.strip())
            sought = msgspec.structs.replace(sought, about=about)
            _require_known(door, sought)
            _numbers(door, sought)
        return sought

    def named(self, me: Person, entries: Sequence[AuditEntry]) -> dict[str, str]:
        """What entries are about, as people call it: target -> number of a request, or name of a
        laptop. Others have no name but their id."""
        require(roles(me), Act.READ_AUDIT)
        ids = {
            bytes.fromhex(e.target)
            for e in entries
            if len(e.target) == 32 and _ID.fullmatch(e.target)
        }
        with self.registry.read() as door:
            lines = door.request_lines(list(ids))
            devices = [door.device(one) for one in ids - lines.keys()]
        found = {name.hex(): line(row).code for name, row in lines.items()}
        return found | {one.id.hex(): one.name for one in devices if one is not None}

    # -- proving

    def check(self, me: Person) -> bool:
        """Check every chain, beside whatever else is done; False while one is running already."""
        require(roles(me), Act.READ_AUDIT)
        if not self._checking.acquire(blocking=False):
            return False

        def run() -> None:
            try:
                self.evidence.verify(me)
            finally:
                self._checking.release()

        threading.Thread(target=run, name="audit-check", daemon=True).start()
        return True

    @property
    def checking(self) -> bool:
        """Is a check running in this process?"""
        return self._checking.locked()

    def checked(self, me: Person) -> Checked | None:
        """What the newest check found; None before the first one."""
        require(roles(me), Act.READ_AUDIT)
        with self.registry.read() as door:
            newest = door.trail_backwards(action="audit.verify", limit=1)
        if not newest:
            return None
        (entry,) = newest
        told = msgspec.json.decode(entry.detail)
        places = [str(place) for place in told.get("places", [])]
        return Checked(entry.at, entry.actor, told["audit"], told["broken"], places)

    def export(self, me: Person, first: str = "", last: str = "") -> bytes:
        """The entries of these days (ISO; empty for all) as a file for an auditor. Problem
        audit.too_many."""
        require(roles(me), Act.READ_AUDIT)
        with self.registry.read() as door:
            numbers = _numbers(door, Sought(first=first, last=last))
            start, end = numbers if numbers is not None else (1, door.trail_end()[0])
            if end - start >= EXPORT_MAX:
                raise Problem("audit.too_many", n=end - start + 1, limit=EXPORT_MAX)
            data = self._file(door, me, start, end)
        with self.registry.write() as door:  # before it is given; nobody waits for the reading
            self._note(door, me, "audit.export", "", {"first": start, "last": end})
        return data

    def _file(self, door: Door, me: Person, first: int, last: int) -> bytes:
        lines, after = [], b""
        for entry, link in door.trail_links(first, last):
            lines.append(_line([*msgspec.structs.astuple(entry), link.hex()]))
            after = link
        before = audit.opening(door.city)
        for _, link in door.trail_links(first - 1, first - 1):
            before = link
        head = {
            "format": FORMAT,
            "city": door.city,
            "first": first,
            "count": len(lines),
            "before": before.hex(),
            "after": (after or before).hex(),
            "total": door.trail_end()[0],
            "made_at": self.clock(),
            "made_by": me.login,
            "key": self.keys.identity.sign_key.hex(),
        }
        body = b"".join([_line(head), *lines])
        proof = self.keys.identity.sign(FORMAT.encode() + hashlib.sha256(body).digest())
        return body + _line({"signature": proof.hex()})

    def fingerprint(self) -> str:
        """What an auditor compares the key by, as the verifier prints it."""
        digest = hashlib.sha256(self.keys.identity.sign_key).hexdigest()[:32]
        return " ".join(digest[i : i + 4] for i in range(0, 32, 4))

    def verifier(self) -> bytes:
        """The program an auditor checks an export with."""
        return VERIFIER.read_bytes()

    def _note(
        self, door: Door, me: Person, act: str, target: str, details: dict[str, object]
    ) -> None:
        door.audit(me.login, act, target, details, self.clock())


def _line(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _about(door: Door, text: str) -> str:
    try:
        return find_record(door, text).id.hex() if text else ""
    except Problem:
        device = door.device_named(text)
        return device.id.hex() if device is not None else text


def _require_known(door: Door, sought: Sought) -> None:
    """Raise audit.unknown for what the trail cannot be about: it may be a citizen's number or name,
    which belongs neither in an address nor in the trail, where what is sought is written down."""
    known = (
        (_ID.fullmatch(sought.about) or _is_known(door, sought.about))
        and _is_known(door, sought.actor)
        and (not sought.action or sought.action in audit.acts())
    )
    if not known:
        raise Problem("audit.unknown")


def _is_known(door: Door, text: str) -> bool:
    """Whether a text is "", somebody's login, or stands in the trail already."""
    if not text or door.person(text) is not None:
        return True
    if len(text) > TEXT_MAX:
        return False
    if door.trail_backwards(target=text, limit=1):
        return True
    return bool(door.trail_backwards(actor=text, limit=1))


def _numbers(door: Door, sought: Sought) -> tuple[int, int] | None:
    """First and last number of the days; None for all. Problem audit.day."""
    if not sought.first and not sought.last:
        return None
    try:
        first = date.fromisoformat(sought.first) if sought.first else date(2000, 1, 1)
        last = date.fromisoformat(sought.last) if sought.last else date(9000, 1, 1)
    except ValueError:
        raise Problem("audit.day", day=f"{sought.first} {sought.last}".strip()[:40]) from None
    return door.trail_numbers(_at(first, time.min), _at(last, time.max))


def _at(day: date, when: time) -> int:
    return int(datetime.combine(day, when, WIT).timestamp())
