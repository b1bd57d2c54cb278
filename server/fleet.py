"""Fleet: how the laptops are, and what one holds and has not brought, for who looks after them.

Nothing is decided here; what is done to laptops is done by `server.enrolment`. A laptop says with
each sync how it is (`sync.messages.Health`); an older one says nothing and shows as unknown. One
that is on a voyage is expected to be silent until the day after its last stop.

Of a lost laptop two things are asked: what is known not to have arrived, so that citizens can be
called, and whose data it held, which is what the notice of UU 27/2022 art. 46 is about (3 x 24
hours).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from models.audit import AuditEntry
from models.ids import Code
from models.people import Act, DeviceState, Label, may, require
from models.problems import Problem
from models.services import catalogue
from models.words import WIT
from server import VERSION
from server.auth import roles
from server.bundles import Bundles
from server.database.outreach import KeptVoyage
from server.database.people import Person
from server.database.registry import Call, Device, Door, Registry
from server.database.rosters import KeptRoster
from server.enrolment import named_device, sees_device
from server.waits import Wait, waits
from sync.bundle import WORK
from sync.known import LogState
from sync.state import Record, values

DAY_SECONDS = 86_400
SILENT_DAYS = 3
SKEW_SECONDS = 300
DISK_BYTES_LOW = 2 * 1000 * 1000 * 1000
QUEUE_DAYS = 7
NOTICE_SECONDS = 3 * DAY_SECONDS
"""UU 27/2022 art. 46: written notice within 3 x 24 hours."""

ALARMS: Mapping[str, Label] = {
    "silent": Label("diam lebih dari 3 hari", "silent for over 3 days"),
    "clock": Label("jam salah", "clock is wrong"),
    "disk": Label("disk hampir penuh", "disk almost full"),
    "queue": Label("antrean lebih dari 7 hari", "queue over 7 days old"),
    "version": Label("versi lain", "other version"),
    "waits": Label("ada yang menunggu", "something waits"),
    "no_escrow": Label(
        "tanpa kunci kantor: kantor tidak dapat membukanya",
        "without the office's key: the office cannot open it",
    ),
    "shredded": Label(
        "sudah mengunci diri; hanya kantor yang membukanya",
        "has locked itself; only the office opens it",
    ),
}
"""What each alarm is called."""

HELD_MAX = 200
LATE_MAX = 500
ARRIVALS_MAX = 20
TRAIL_MAX = 200
IN_USE = (DeviceState.ACTIVE, DeviceState.SUSPENDED)


class Seen(msgspec.Struct, frozen=True):
    """A laptop in the list. stored: its entries that are here. call: the last of its logs' calls,
    None before any. stick: when its newest stick was read, 0 for never. heard: the later of both.
    skew: seconds by which its clock was ahead of ours when it called. voyage: the one it is on, or
    the next. away: it is out now. alarms: of `ALARMS`."""

    device: Device
    logs: list[LogState]
    stored: int
    call: Call | None
    stick: int
    heard: int
    skew: int
    voyage: KeptVoyage | None
    away: bool
    waiting: int
    alarms: tuple[str, ...]


class Late(msgspec.Struct, frozen=True):
    """A request with files that were announced and did not arrive. phone: to call."""

    id: str
    code: str
    service: str
    name: str
    phone: str
    village: str
    files: int
    bytes: int


class Arrival(msgspec.Struct, frozen=True):
    """Entries first..last of a log came at that time, Unix seconds."""

    log: str
    at: int
    first: int
    last: int


class Dossier(msgspec.Struct, frozen=True):
    """Everything about one laptop. operators: names of people with a key. waits: entries that are
    not here or not judged. arrivals: the newest. trail: what was done to it. held: how many
    requests it holds a copy of. rosters: lists of residents of its villages. sticks: how many
    bundles it was given, which may have carried them. notice: Unix second by which the notice about
    its loss is due, 0 where it is not lost."""

    seen: Seen
    operators: list[str]
    waits: list[Wait]
    late: list[Late]
    arrivals: list[Arrival]
    trail: list[AuditEntry]
    held: int
    rosters: list[KeptRoster]
    sticks: int
    notice: int


class Held(msgspec.Struct, frozen=True):
    """A request of which a laptop holds a copy. own: it took it in."""

    id: str
    code: str
    service: str
    name: str
    village: str
    status: str
    created_at: int
    own: bool


class HeldPage(msgspec.Struct, frozen=True):
    """One page of them. n: of all; next: to go on with, empty at the end."""

    device: Device
    n: int
    rows: list[Held]
    next: str


class Fleet:
    """`clock` gives Unix seconds."""

    def __init__(self, registry: Registry, bundles: Bundles, clock: Callable[[], int]) -> None:
        self.registry = registry
        self.bundles = bundles
        self.clock = clock

    def overview(self, me: Person) -> list[Seen]:
        """Every laptop: those with an alarm first, then by name."""
        require(roles(me), Act.LIST_DEVICES)
        at = self.clock()
        with self.registry.write() as door:
            found = [one for one in _Looker(door, at).all() if sees_device(me, one.device.villages)]
            door.audit(me.login, Act.LIST_DEVICES, "", {"n": len(found)}, at)
        return sorted(found, key=lambda one: (not one.alarms, one.device.name))

    def device(self, me: Person, name: str) -> Device:
        """One laptop, by name or id. Problems device.unknown, auth.area."""
        require(roles(me), Act.LIST_DEVICES)
        with self.registry.read() as door:
            return named_device(door, me, name)

    def dossier(self, me: Person, name: str) -> Dossier:
        """One laptop, by name or id, with what did not arrive."""
        require(roles(me), Act.LIST_DEVICES)
        at = self.clock()
        mine: list[Wait] = []
        if may(roles(me), Act.IMPORT_BUNDLE):
            called = self.device(me, name).name
            mine = [one for one in waits(self.bundles, me) if one.device == called]
        with self.registry.read() as door:
            device = named_device(door, me, name)
            seen = _Looker(door, at).one(device)
            logs = [log.id for log in seen.logs]
            people = {p.operator: p for log in logs for p in door.operators(log).values()}
            trail = door.trail(target=device.id.hex(), limit=TRAIL_MAX)
            lost = [e.at for e in trail if e.action == "device.lose"]
            today = _day(at).isoformat()
            dossier = Dossier(
                seen,
                sorted(person.name for person in people.values() if person.key),
                mine,
                _late(door, device),
                [
                    Arrival(row.log.hex(), row.at, row.first, row.last)
                    for row in door.arrivals(logs, ARRIVALS_MAX)
                ],
                list(reversed(trail)),
                door.held_count(device.id, device.villages_at(at)),
                door.kept_rosters(device.villages_at(at), today),
                door.bundles_given(device.id),
                lost[-1] + NOTICE_SECONDS if lost and device.state == DeviceState.LOST else 0,
            )
        with self.registry.write() as door:  # before it is shown; nobody waits for the reading
            detail = {"name": device.name, "late": len(dossier.late)}
            door.audit(me.login, "device.read", device.id.hex(), detail, at)
        return dossier

    def held(self, me: Person, name: str, after: str = "", limit: int = HELD_MAX) -> HeldPage:
        """Whose data the laptop holds: its own requests and those of its villages, by arrival.
        after: of the page before."""
        require(roles(me), Act.LIST_DEVICES)
        at = self.clock()
        limit = max(1, min(limit, HELD_MAX))
        with self.registry.read() as door:
            device = named_device(door, me, name)
            villages = device.villages_at(at)
            rows = door.held(device.id, villages, _after(after), limit + 1)
            n = door.held_count(device.id, villages)
        with self.registry.write() as door:
            detail = {"name": device.name, "n": len(rows[:limit])}
            door.audit(me.login, "device.held", device.id.hex(), detail, at)
        last = rows[limit - 1] if len(rows) > limit else None
        return HeldPage(
            device,
            n,
            [_held(row, device) for row in rows[:limit]],
            f"{last.created}.{last.id.hex()}" if last is not None else "",
        )


class _Looker:
    """Looks at laptops through one door, so that the whole list is one moment."""

    def __init__(self, door: Door, at: int) -> None:
        self.door = door
        self.at = at
        self.calls: dict[bytes, Call] = {}
        for call in reversed(door.calls()):  # the newest of a laptop stays
            self.calls[call.device] = call
        self.sticks: dict[bytes, int] = {}
        for one in door.bundles(WORK):
            self.sticks[one.device] = max(self.sticks.get(one.device, 0), one.at)
        self.waiting: dict[bytes, int] = {}
        for _, log, _seq in door.waiting():
            self.waiting[log] = self.waiting.get(log, 0) + 1
        today = _day(at)
        self.today = today.isoformat()
        later = (today + timedelta(days=366)).isoformat()
        self.voyages: dict[bytes, KeptVoyage] = {}
        for voyage in reversed(door.voyages((today - timedelta(days=1)).isoformat(), later)):
            if voyage.state == "planned" and voyage.device:  # the first of a laptop stays
                self.voyages[voyage.device] = voyage

    def all(self) -> list[Seen]:
        """Every laptop."""
        return [self.one(device) for device in self.door.devices()]

    def one(self, device: Device) -> Seen:
        """One laptop."""
        logs = self.door.logs(device.id)
        call, stick = self.calls.get(device.id), self.sticks.get(device.id, 0)
        heard = max(call.at if call is not None else 0, stick)
        voyage = self.voyages.get(device.id)
        away = voyage is not None and voyage.first <= self.today
        waiting = sum(self.waiting.get(log.id, 0) for log in logs)
        skew = call.clock - call.at if call is not None else 0
        seen = Seen(
            device, logs, sum(log.seq for log in logs), call, stick, heard, skew, voyage, away,
            waiting, (),
        )  # fmt: skip
        return msgspec.structs.replace(seen, alarms=tuple(_alarms(seen, self.at)))


def _alarms(seen: Seen, at: int) -> list[str]:
    """What somebody should look at. A laptop that is not in use alarms nobody but by its lock."""
    call = seen.call
    health = call.health if call is not None else None
    locked = health is not None and health.lock and seen.device.state != DeviceState.RETIRED
    found = [health.lock] if health is not None and locked else []
    if seen.device.state not in IN_USE:
        return found
    since = seen.heard or seen.device.invited_at
    if at - since > SILENT_DAYS * DAY_SECONDS and not seen.away:
        found.append("silent")
    if call is not None and abs(seen.skew) > SKEW_SECONDS:
        found.append("clock")
    if health is not None and health.disk < DISK_BYTES_LOW:
        found.append("disk")
    if health is not None and health.oldest and at - health.oldest > QUEUE_DAYS * DAY_SECONDS:
        found.append("queue")
    if call is not None and call.build not in ("", VERSION):
        found.append("version")
    if seen.waiting:
        found.append("waits")
    return found


def _late(door: Door, device: Device) -> list[Late]:
    """Requests with files that did not arrive, by village and name."""
    files: dict[bytes, tuple[int, int]] = {}
    for one in door.late_files(device.id, LATE_MAX):
        n, size = files.get(one.record, (0, 0))
        files[one.record] = n + 1, size + one.size
    lines, found = door.request_lines(list(files)), []
    for name, (n, size) in files.items():
        line, record = lines.get(name), door.record(name)
        if line is None or record is None:
            continue
        code = str(Code(*record.code)) if record.code is not None else ""
        found.append(
            Late(name.hex(), code, line.service, line.name, _phone(record), line.village, n, size)
        )
    return sorted(found, key=lambda one: (one.village, one.name))


def _phone(record: Record) -> str:
    try:
        form = catalogue().service(record.service, record.edition)
        answers, _ = form.answers(values(record))
    except Problem:
        return ""
    return str(answers.get("applicant.phone", ""))


def _held(row: Any, device: Device) -> Held:
    code = str(Code(row.block, row.number)) if row.block is not None else ""
    return Held(
        row.id.hex(), code, row.service, row.name, row.village, row.status, row.created_at,
        row.device == device.id,
    )  # fmt: skip


def _after(text: str) -> tuple[int, bytes]:
    number, _, name = text.partition(".")
    try:
        return (int(number), bytes.fromhex(name)) if text else (-1, b"")
    except ValueError:
        raise Problem("id.malformed", what="after", digits=32) from None


def _day(at: int) -> date:
    return datetime.fromtimestamp(at, WIT).date()
