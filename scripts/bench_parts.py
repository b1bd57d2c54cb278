"""What the benches share: a central and its laptops as they really are, a clock, some arithmetic.

Everything is the production code over real databases in a temporary folder; only the network is
left out (`Direct`) where it is not what is measured.
"""

from __future__ import annotations

import contextlib
import gc
import secrets
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from field_client import enrolment
from field_client import settings as field_settings
from field_client.app import House
from field_client.clock import Clock, Reading
from field_client.courier import ENROL_PATH, SYNC_PATH, Courier, Road
from field_client.desk import Wanted
from field_client.vault.keyfile import Cost
from field_client.vault.keys import Keys
from models.people import Role
from server import central as office
from server import settings as server_settings
from server.central import Central
from tests.requests import MIX, request_rows
from tests.village import PLACE, Village, village

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
"""The PIN's derivation is slow on purpose and is not what is measured here."""

PIN = "pala sagu kora"
Row = dict[str, Any]


class BenchClock:
    """The laptop's clock, set to the moment a row says it was taken."""

    def __init__(self) -> None:
        self.at = 1_795_220_000
        self.started = self.at - 7000
        self.boot = secrets.randbits(32)

    def set(self, row: Row) -> None:
        """Never back: a van's requests come one after the other."""
        self.at = max(self.at + 1, int(datetime.fromisoformat(row["taken_at"]).timestamp()))

    def clock(self) -> Clock:
        """As the desk wants it."""
        return Clock(lambda: Reading(self.at, self.at - self.started), lambda: self.boot)


class Direct:
    """A road without a network: the body is given to central, as its HTTP handlers give it."""

    def __init__(self, central: Central) -> None:
        self.central = central
        self.bodies: list[tuple[bytes, bytes]] = []

    def post(self, path: str, body: bytes, arrived: Callable[[int], None] | None = None) -> bytes:
        """Central's answer; both are kept in `bodies`."""
        handlers = {
            SYNC_PATH: self.central.reception.answer,
            ENROL_PATH: self.central.devices.enrol,
        }
        answer = handlers[path](body)
        if arrived is not None:
            arrived(len(answer))
        self.bodies.append((body, answer))
        return answer

    def close(self) -> None:
        """Nothing is open."""


class MemoryKeyStore:
    """The system's key store, without a desktop."""

    def __init__(self) -> None:
        self.secrets: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        return self.secrets.get(name)

    def put(self, name: str, secret: bytes) -> None:
        self.secrets[name] = secret


class Laptop:
    """An enrolled laptop with its operator at the desk."""

    def __init__(self, house: House, clock: BenchClock, road: Road) -> None:
        self.house = house
        self.clock = clock
        self.road = road

    def take(self, rows: Sequence[Row]) -> None:
        """Take requests in; rows of one family stand in one transaction."""
        for family in families(rows):
            self.clock.set(family[0])
            prepared = [self.house.desk.prepare(wanted(row)) for row in family]
            self.house.desk.submit(*prepared)

    def courier(self) -> Courier:
        """A new sync."""
        return Courier(self.house.desk, self.road, self.house.place)


class Town:
    """A central in `folder`, and the laptops that were invited to it."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        self.folder = folder
        place = server_settings.load(folder / "central", {}, database_url=database_url)
        office.found(place, folder / "recovery.json")
        self.central = office.open_central(place)
        roles = [role for role in Role if role == Role.ADMIN]
        self.admin = self.central.staff.add(None, "bench", "Petugas Uji", roles, PIN)
        self.laptops = 0

    def invite(self, villages: Sequence[str] = (PLACE,)) -> bytes:
        """A signed invitation for a new laptop."""
        self.laptops += 1
        name = f"van-{self.laptops}"
        return self.central.devices.invite(
            self.admin, name, "van", name, villages, "Petugas Uji"
        ).file

    def laptop(self, villages: Sequence[str] = (PLACE,), road: Road | None = None) -> Laptop:
        """A laptop that has just been enrolled and knows nothing yet."""
        token = self.invite(villages)
        place = field_settings.load(self.folder / f"laptop-{self.laptops}", {})
        clock = BenchClock()
        keys = Keys(place.folder, MemoryKeyStore())
        house = enrolment.enrol(place, token, "", PIN, clock.clock(), keys, CHEAP)
        return Laptop(house, clock, road or Direct(self.central))

    def close(self) -> None:
        """Give the database back."""
        self.central.close()


@contextlib.contextmanager
def town(database_url: str = "") -> Iterator[Town]:
    """A town in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="jb-bench-", ignore_cleanup_errors=True) as folder:
        made = Town(Path(folder), database_url)
        try:
            yield made
        finally:
            made.close()


def families(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows of one family together, the others one by one."""
    group: list[Row] = []
    for row in rows:
        if group and (row.get("family") is None or row.get("family") != group[0].get("family")):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def wanted(row: Row) -> Wanted:
    """The row as an operator types it."""
    return Wanted(row["service"], row["answers"], row["documents"], row["reasons"])


def rows_of(count: int, seed: int, mix: Mapping[str, int] = MIX) -> list[Row]:
    """Requests of people of an invented village, big enough for them; words no dictionary knows."""
    return request_rows(_village_for(count, seed, mix), count, seed, mix=mix)


def _village_for(count: int, seed: int, mix: Mapping[str, int]) -> Village:
    """Nobody is recorded yet where only enrolments are asked for; births need many couples."""
    only = list(mix) == ["ktp-new-enrolment"]
    births = list(mix) == ["birth"]
    size = max(1500, 14 * count) if births else max(400, 3 * count)
    return village(size, seed, recorded=not only)


def quantile(values: Sequence[float], part: float) -> float:
    """The value below which `part` (0 to 1) of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


@contextlib.contextmanager
def steady() -> Iterator[None]:
    """No garbage collection inside: what it costs hits one side or the other by chance."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
