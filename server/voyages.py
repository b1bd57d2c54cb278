"""Voyages: which van goes where and when, what is told to people and to laptops, and what came of
it.

    voyages.keep(me, plan)          a voyage is planned, or changed
    voyages.publish(me)             the days go to the laptops, as reference data (`visits.toml`)
    voyages.coverage(me)            villages, those that nobody reached longest first
    voyages.outcome(me, voyage)     what was planned beside what was taken in

A voyage belongs to the office: laptops hear only day, village and note, as before. What was done is
counted from the requests that the van's laptop brought: its visits themselves never leave it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b

import msgspec

from models import regions
from models.changes import decode_change
from models.overlay import VISITS_FILE
from models.people import Act, DeviceState, require
from models.problems import Problem
from models.words import WIT
from server.auth import areas, require_area, roles, sees
from server.database.outreach import KeptVoyage
from server.database.packages import Published
from server.database.people import Person
from server.database.registry import Door, Registry
from server.enrolment import named_device
from server.keys import Entropy
from server.reference import Reference

DAYS_MAX = 31
STOPS_MAX = 100
TEAM_MAX = 20
TEXT_MAX = 200
NOTE_MAX = 500
AHEAD_DAYS, BEHIND_DAYS = 366, 1830
TOLD_BEFORE, TOLD_AHEAD = 31, 366
"""Days of the past and the future that laptops are told."""

GAP_DAYS = 90
"""After so many days without anybody a village stands out."""

DAY_SECONDS = 86_400


class Stop(msgspec.Struct, frozen=True):
    """One day in one village. day: ISO. note: where, from when, what to bring."""

    day: str
    village: str
    note: str = ""


class Member(msgspec.Struct, frozen=True):
    """Somebody who goes along. number: NIP; duty: on this voyage."""

    name: str
    number: str = ""
    duty: str = ""


class Plan(msgspec.Struct, frozen=True):
    """A voyage as it was planned. letter: number of the travel order, "" until it has one. ground:
    what the order rests on. reason: why it was called off."""

    purpose: str
    stops: tuple[Stop, ...]
    team: tuple[Member, ...] = ()
    letter: str = ""
    ground: str = ""
    reason: str = ""


class Voyage(msgspec.Struct, frozen=True):
    """A voyage. id: hex. first, last: ISO days. device: name of the laptop that goes, "" where
    nobody said. state: "planned" or "cancelled". mark: of how it is kept, another one after every
    change."""

    id: str
    first: str
    last: str
    device: str
    state: str
    at: int
    by: str
    plan: Plan
    mark: str


class Coverage(msgspec.Struct, frozen=True):
    """How a village is reached. planned, next: newest day that is over and first one to come, ISO
    or "". taken: requests of the village in the last `GAP_DAYS`; newest: when its newest came, Unix
    seconds, 0 for never. days: since anything of both, None for never. gap: nobody was there for
    long and nobody is on the way."""

    village: str
    planned: str
    next: str
    taken: int
    newest: int
    days: int | None
    gap: bool


class Done(msgspec.Struct, frozen=True):
    """What came of a stop. taken: requests that the laptop took in there on that day; elsewhere: of
    other villages on that day."""

    stop: Stop
    taken: int
    elsewhere: int
    over: bool


class Voyages:
    """`clock` gives Unix seconds."""

    def __init__(
        self,
        registry: Registry,
        reference: Reference,
        clock: Callable[[], int],
        entropy: Entropy,
    ) -> None:
        self.registry = registry
        self.reference = reference
        self.clock = clock
        self.entropy = entropy

    # -- looking

    def between(self, me: Person, first: date, last: date) -> list[Voyage]:
        """Voyages that touch these days, by day; of the person's own area."""
        require(roles(me), Act.READ_VOYAGES)
        with self.registry.read() as door:
            names = _devices(door)
            found = [
                _voyage(kept, names) for kept in door.voyages(first.isoformat(), last.isoformat())
            ]
        return [one for one in found if _theirs(me, one.plan)]

    def voyage(self, me: Person, name: str) -> Voyage:
        """One voyage. Problem voyage.unknown, auth.area."""
        require(roles(me), Act.READ_VOYAGES)
        with self.registry.read() as door:
            found = _voyage(_kept(door, name), _devices(door))
        if not _theirs(me, found.plan):
            raise Problem("auth.area")
        return found

    def coverage(self, me: Person) -> list[Coverage]:
        """Every village of the city, those that nobody reached longest first."""
        require(roles(me), Act.READ_VOYAGES)
        at = self.clock()
        today = _day(at)
        with self.registry.read() as door:
            first = today - timedelta(days=BEHIND_DAYS)
            last = today + timedelta(days=AHEAD_DAYS)
            kept = door.voyages(first.isoformat(), last.isoformat())
            taken = door.taken_by_village(at - GAP_DAYS * DAY_SECONDS)
        past: dict[str, str] = {}
        ahead: dict[str, str] = {}
        for stop in _stops(kept):
            if stop.day < today.isoformat():
                past[stop.village] = max(stop.day, past.get(stop.village, ""))
            else:
                ahead[stop.village] = min(stop.day, ahead.get(stop.village, "9999"))
        found = []
        for place in regions.villages():
            if not sees(me, place.code):
                continue
            n, newest = taken.get(place.code, (0, 0))
            days = _days_since(past.get(place.code, ""), newest, today)
            gap = (days is None or days > GAP_DAYS) and place.code not in ahead
            before, coming = past.get(place.code, ""), ahead.get(place.code, "")
            found.append(Coverage(place.code, before, coming, n, newest, days, gap))
        return sorted(
            found, key=lambda one: (-(10**6 if one.days is None else one.days), one.village)
        )

    def outcome(self, me: Person, name: str) -> list[Done]:
        """What was planned beside what the van's laptop took in, stop by stop."""
        voyage = self.voyage(me, name)
        today = _day(self.clock()).isoformat()
        found: Counter[tuple[str, str]] = Counter()
        days: Counter[str] = Counter()
        with self.registry.read() as door:
            device = door.device_named(voyage.device) if voyage.device else None
            if device is not None:
                # It cannot have come before it was made; clocks that are a day off are forgiven.
                since = _begin(voyage.first) - DAY_SECONDS
                for data, village in door.created_entries(device.id, since):
                    day = _said_day(decode_change(data).at)
                    found[day, village] += 1
                    days[day] += 1
        return [
            Done(
                stop,
                found[stop.day, stop.village],
                days[stop.day] - found[stop.day, stop.village],
                stop.day < today,
            )
            for stop in voyage.plan.stops
        ]

    # -- planning

    def keep(
        self, me: Person, plan: Plan, device: str = "", name: str = "", seen: str | None = None
    ) -> Voyage:
        """Plan a voyage, or change the one of that id. device: name of the laptop that goes. seen:
        `Voyage.mark` as whoever changes it saw it. Problems voyage.*, device.unknown, auth.area."""
        require(roles(me), Act.PLAN_VOYAGE)
        at = self.clock()
        plan = _checked(plan, _day(at))
        for stop in plan.stops:
            require_area(me, stop.village)
        with self.registry.write() as door:
            before = _kept(door, name) if name else None
            if before is not None:
                _require_planned(me, before)
                if seen is not None and seen != _mark(before):
                    raise Problem("voyage.changed")
            goes = _goes(door, me, device.strip(), before)
            days = sorted(stop.day for stop in plan.stops)
            kept = KeptVoyage(
                before.id if before is not None else self.entropy(16), days[0], days[-1],
                goes, "planned", at, me.login,
                msgspec.msgpack.encode(plan),
            )  # fmt: skip
            door.keep_voyage(kept)
            detail = {"first": kept.first, "last": kept.last, "stops": len(plan.stops)}
            door.audit(me.login, Act.PLAN_VOYAGE, kept.id.hex(), detail, at)
            return _voyage(kept, _devices(door))

    def cancel(self, me: Person, name: str, reason: str) -> Voyage:
        """Call a voyage off. Problems reason.required, voyage.cancelled."""
        require(roles(me), Act.PLAN_VOYAGE)
        if not reason.strip():
            raise Problem("reason.required")
        at = self.clock()
        with self.registry.write() as door:
            kept = _kept(door, name)
            _require_planned(me, kept)
            plan = msgspec.structs.replace(_plan(kept), reason=reason.strip()[:NOTE_MAX])
            kept = msgspec.structs.replace(
                kept, state="cancelled", at=at, by=me.login, data=msgspec.msgpack.encode(plan)
            )
            door.keep_voyage(kept)
            door.audit(me.login, "voyage.cancel", kept.id.hex(), {"reason": plan.reason}, at)
            return _voyage(kept, _devices(door))

    def publish(self, me: Person) -> Published:
        """Tell the laptops the days: they hear them with their next sync or stick. Problem
        reference.nothing where they have heard the same already."""
        require(roles(me), Act.PLAN_VOYAGE)
        today = _day(self.clock())
        first = (today - timedelta(days=TOLD_BEFORE)).isoformat()
        last = (today + timedelta(days=TOLD_AHEAD)).isoformat()
        with self.registry.read() as door:
            stops = [s for s in _stops(door.voyages(first, last)) if first <= s.day <= last]
        title = f"Jadwal jemput bola {today.isoformat()}"
        return self.reference.publish_files(me, {VISITS_FILE: visits_file(stops)}, title)


def visits_file(stops: Iterable[Stop]) -> bytes:
    """Stops as laptops read them (`models.overlay.Visits`)."""
    tables = [
        f"[[visit]]\nday = {stop.day}\nvillage = {_quoted(stop.village)}\n"
        f"note = {_quoted(stop.note)}\n"
        for stop in sorted(stops, key=lambda one: (one.day, one.village))
    ]
    return "\n".join(tables).encode()


def _quoted(text: str) -> str:
    """A TOML string in one line."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _stops(voyages: Sequence[KeptVoyage]) -> list[Stop]:
    """Days of the voyages that were not called off."""
    return [s for kept in voyages if kept.state == "planned" for s in _plan(kept).stops]


def _days_since(planned: str, newest: int, today: date) -> int | None:
    days = [date.fromisoformat(planned)] if planned else []
    days += [_day(newest)] if newest else []
    return max(0, (today - max(days)).days) if days else None


# -- checking


def _checked(plan: Plan, today: date) -> Plan:
    """The plan in its tidy form. Problems voyage.*, region.unknown."""
    if not plan.purpose.strip():
        raise Problem("voyage.purpose")
    if not 0 < len(plan.stops) <= STOPS_MAX:
        raise Problem("voyage.stops", limit=STOPS_MAX)
    stops = tuple(
        sorted({_stop(one, today) for one in plan.stops}, key=lambda s: (s.day, s.village))
    )
    first, last = date.fromisoformat(stops[0].day), date.fromisoformat(stops[-1].day)
    if (last - first).days >= DAYS_MAX:
        raise Problem("voyage.long", limit=DAYS_MAX)
    team = tuple(_member(one) for one in plan.team if one.name.strip())
    if len(team) > TEAM_MAX:
        raise Problem("voyage.team", limit=TEAM_MAX)
    return Plan(
        plan.purpose.strip()[:TEXT_MAX], stops, team, plan.letter.strip()[:TEXT_MAX],
        plan.ground.strip()[:NOTE_MAX],
    )  # fmt: skip


def _stop(stop: Stop, today: date) -> Stop:
    try:
        day = date.fromisoformat(stop.day)
    except ValueError:
        raise Problem("voyage.day", day=stop.day[:20]) from None
    if not today - timedelta(days=BEHIND_DAYS) <= day <= today + timedelta(days=AHEAD_DAYS):
        raise Problem("voyage.day", day=stop.day[:20])
    place = regions.region(stop.village)
    if place is None or not place.is_village or place.code != stop.village:
        raise Problem("region.unknown", code=stop.village[:20])
    return Stop(day.isoformat(), place.code, " ".join(stop.note.split())[:NOTE_MAX])


def _member(one: Member) -> Member:
    return Member(one.name.strip()[:TEXT_MAX], one.number.strip()[:40], one.duty.strip()[:TEXT_MAX])


def _goes(door: Door, me: Person, name: str, before: KeptVoyage | None) -> bytes:
    """Id of the laptop that goes, empty for none: one of the person's area, or the one that the
    voyage had before. Problems device.unknown, auth.area."""
    if not name:
        return b""
    kept = door.device_named(name)
    if before is not None and kept is not None and kept.id == before.device:
        return kept.id
    found = named_device(door, me, name)
    if found.state == DeviceState.RETIRED:
        raise Problem("device.unknown", device=name[:40])
    return found.id


def _require_planned(me: Person, kept: KeptVoyage) -> None:
    if kept.state != "planned":
        raise Problem("voyage.cancelled")
    for stop in _plan(kept).stops:
        require_area(me, stop.village)


def _theirs(me: Person, plan: Plan) -> bool:
    return not areas(me) or any(sees(me, stop.village) for stop in plan.stops)


# -- reading


def _kept(door: Door, name: str) -> KeptVoyage:
    try:
        found = door.voyage(bytes.fromhex(name))
    except ValueError:
        found = None
    if found is None:
        raise Problem("voyage.unknown", voyage=name[:32])
    return found


def _devices(door: Door) -> dict[bytes, str]:
    return {device.id: device.name for device in door.devices()}


def _plan(kept: KeptVoyage) -> Plan:
    return msgspec.msgpack.decode(kept.data, type=Plan)


def _voyage(kept: KeptVoyage, names: dict[bytes, str]) -> Voyage:
    return Voyage(
        kept.id.hex(), kept.first, kept.last, names.get(kept.device, ""), kept.state, kept.at,
        kept.by, _plan(kept), _mark(kept),
    )  # fmt: skip


def _mark(kept: KeptVoyage) -> str:
    return blake2b(kept.device + kept.data, digest_size=8).hexdigest()


def _day(at: int) -> date:
    return datetime.fromtimestamp(at, UTC).astimezone(WIT).date()


def _said_day(at: int) -> str:
    """The day that a laptop's clock said, ISO; "–" for a time that no calendar has."""
    try:
        return _day(at).isoformat()
    except (ValueError, OverflowError, OSError):
        return "–"


def _begin(day: str) -> int:
    """The Unix second in which a day of eastern Indonesia begins."""
    return int(datetime.combine(date.fromisoformat(day), datetime.min.time(), WIT).timestamp())
