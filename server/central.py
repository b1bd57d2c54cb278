"""Central: the office put together from its parts, for the app, the command line and the jobs."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from models.problems import Problem
from server import VERSION, backup
from server import keys as keys_file
from server import settings as settings_file
from server.account import Account
from server.arrivals import Arrivals, Limits
from server.auth import Doorkeeper
from server.batches import Batches
from server.blobs import FolderShelf
from server.bundles import Bundles
from server.cargo import Cargo
from server.casework import Casework
from server.counter import Counter as Front
from server.dashboard import Dashboard
from server.database import migrations
from server.database.registry import Registry, open_registry
from server.disputes import Disputes
from server.duplicates import Duplicates
from server.enrolment import Devices
from server.evidence import Evidence
from server.files import private_folder
from server.fleet import Fleet
from server.handing import Handing
from server.incidents import Incidents
from server.journal import Journal, Mark
from server.keys import Entropy, Keys
from server.ledger import Ledger
from server.people import Staff
from server.promise import read_calendar
from server.recents import Recents
from server.reception import Reception
from server.reference import Reference
from server.reports import Reports
from server.restoring import Intake
from server.returns import Returns
from server.rosters import Rosters
from server.scans import Scans
from server.settings import CALENDAR_FOLDER, Place
from server.stock import Stock
from server.tidying import Tidying
from server.trail import Trail
from server.verification import Verification
from server.voyages import Voyages
from server.worklist import Worklist
from sync.atrest import house_key
from sync.known import LogState
from sync.logs import opening_head

INCARNATION_BYTES = 8
"""Travels with every cursor; drawn once in the life of a database, so 64 random bits are plenty."""


def now() -> int:
    """Central's clock, Unix seconds. It labels; it decides nothing between laptops."""
    return int(time.time())


class Status(msgspec.Struct, frozen=True):
    """requests: by status; open_cases: by kind; devices: by state. recovery_key_here: the recovery
    key has not been taken away yet. journal: the second one is "off", "begun" (it lacks what came
    before: no backup was made since) or "on"."""

    version: str
    city: str
    database: str
    server_seq: int
    durable_seq: int
    incarnation: str
    people: int
    devices: dict[str, int]
    requests: dict[str, int]
    open_cases: dict[str, int]
    waiting: int
    recovery_key_here: bool
    journal: str = "off"


class Central:
    """One object per room of the house."""

    def __init__(
        self,
        place: Place,
        keys: Keys,
        registry: Registry,
        clock: Callable[[], int] = now,
        entropy: Entropy = secrets.token_bytes,
    ) -> None:
        self.place = place
        self.settings = place.settings
        self.keys = keys
        self.registry = registry
        self.clock = clock
        self.ledger = Ledger(registry, keys.log)
        shelf = FolderShelf(place.files_folder, [keys.files_key], entropy)
        self.arrivals = Arrivals(
            registry,
            shelf,
            Limits(place.settings.file_day_bytes_max, place.settings.file_request_bytes_max),
            _spare(place, keys),
        )
        self.intake = Intake(registry)
        self.reception = Reception(
            registry,
            self.ledger,
            keys.identity,
            clock,
            self.arrivals,
            self.intake.check,
            Recents(house_key(keys.seal, b"recent"), place.settings.recent_days),
        )
        self.devices = Devices(registry, self.ledger, keys, place.settings, clock, entropy)
        cargo = Cargo(registry, self.reception, place.folder)
        self.bundles = Bundles(
            registry, self.ledger, self.reception, self.devices, cargo, keys, clock
        )
        self.tidying = Tidying(registry, self.arrivals, shelf, cargo, clock)
        self.rosters = Rosters(registry, keys.seal, clock)
        self.returns = Returns(
            registry, self.reception, self.devices, keys, clock, entropy, self.rosters
        )
        factor_key = house_key(keys.seal, b"second-factor")
        self.doorkeeper = Doorkeeper(registry, place.settings, clock, entropy, factor_key)
        self.account = Account(self.doorkeeper)
        self.staff = Staff(registry, clock, entropy)
        self.reference = Reference(registry, keys, clock)
        self.reference.refresh()
        self.fleet = Fleet(registry, self.bundles, clock)
        self.voyages = Voyages(registry, self.reference, clock, entropy)
        calendar = read_calendar(place.folder / CALENDAR_FOLDER).over(self.reference.decrees())
        self.casework = Casework(registry, self.ledger, clock, self.arrivals, calendar)
        self.verification = Verification(self.casework)
        self.disputes = Disputes(self.casework)
        self.duplicates = Duplicates(
            registry, self.ledger, self.casework, clock, house_key(keys.seal, b"duplicates")
        )
        self.incidents = Incidents(registry, self.casework, clock)
        self.counter = Front(
            registry, self.ledger, keys, place.settings.office_name, clock, entropy
        )
        self.scans = Scans(registry, self.ledger, self.arrivals, clock)
        self.stock = Stock(registry, self.casework, clock)
        self.worklist = Worklist(registry, self.casework, clock)
        self.batches = Batches(registry, self.casework, clock, entropy)
        self.evidence = Evidence(registry, keys, clock)
        self.handing = Handing(self.casework, self.evidence, self.arrivals, clock)
        self.reports = Reports(registry, clock, calendar, house_key(keys.seal, b"reports"))
        self.trail = Trail(registry, self.evidence, keys, clock)
        self.dashboard = Dashboard(registry, clock, calendar)

    def status(self) -> Status:
        """How central stands, in numbers."""
        with self.registry.read() as door:
            counts, standing, mark = door.counts(), door.standing(), door.journal()
            devices = Counter(str(device.state) for device in door.devices())
            people = len(door.people())
        return Status(
            version=VERSION,
            city=self.settings.city,
            database="postgresql" if "postgresql" in self.place.database_url else "sqlite",
            server_seq=standing.server_seq,
            durable_seq=standing.durable_seq,
            incarnation=standing.incarnation.hex(),
            people=people,
            devices=dict(devices),
            requests=counts.requests,
            open_cases=counts.cases,
            waiting=counts.waiting,
            recovery_key_here=bool(list(self.place.folder.glob("recovery-key*"))),
            journal=_how(self.registry, mark),
        )

    def close(self) -> None:
        """Give the database back."""
        self.dashboard.close()
        self.registry.close()


def _spare(place: Place, keys: Keys) -> FolderShelf | None:
    """The copies of files beside the backups, which anybody may read again."""
    folder = place.settings.backup_folder
    return FolderShelf(Path(folder) / backup.FILES_FOLDER, [keys.files_key]) if folder else None


def _how(registry: Registry, mark: Mark) -> str:
    """How the second journal stands, in a word."""
    if registry.journal is None:
        return "off"
    return "on" if mark.name and mark.backed >= 0 else "begun"


class Founded(msgspec.Struct, frozen=True):
    """What `init` made."""

    place: Place
    log: bytes
    recovery_file: Path


def found(
    place: Place,
    recovery_file: Path,
    clock: Callable[[], int] = now,
    entropy: Entropy = secrets.token_bytes,
) -> Founded:
    """Prepare a new central: folder, keys, database, its own log. Nothing existing is replaced;
    where it stopped half way, running it again goes on with the keys that are there."""
    private_folder(place.folder)
    registry = open_registry(place.database_url, place.settings.city)
    try:
        registry.migrate()
        with registry.read() as door:
            if door.is_founded():
                raise Problem("office.exists")
        keys = _own_keys(place, recovery_file, entropy)
        settings_file.save(place)
        me = keys.identity
        head = opening_head(keys.opening())
        log = LogState(keys.log, bytes(16), 0, head, me.sign_key, me.seal_key, central=True)
        with registry.write() as door:
            door.found(log, keys.opening(), entropy(INCARNATION_BYTES), clock())
            door.audit("init", "office.found", keys.log.hex(), {"version": VERSION}, clock())
    finally:
        registry.close()
    return Founded(place, keys.log, recovery_file)


def _own_keys(place: Place, recovery_file: Path, entropy: Entropy) -> Keys:
    """New keys; the recovery file comes first, so that its key is never used without it."""
    if place.keys_file.exists():
        return keys_file.load(place.keys_file)
    keys, recovery = keys_file.draw(entropy)
    keys_file.save_recovery(recovery, recovery_file)
    keys_file.save(keys, place.keys_file)
    return keys


def open_central(
    place: Place,
    clock: Callable[[], int] = now,
    entropy: Entropy = secrets.token_bytes,
) -> Central:
    """The central that was founded at `place`. Raises Problem when it is not ready to work."""
    keys = keys_file.load(place.keys_file)
    registry = open_registry(place.database_url, place.settings.city)
    try:
        registry.check()
        _journaled(place, keys, registry, clock, entropy)
    except BaseException:
        registry.close()
        raise
    return Central(place, keys, registry, clock, entropy)


def _journaled(
    place: Place, keys: Keys, registry: Registry, clock: Callable[[], int], entropy: Entropy
) -> None:
    """Keep the second journal where the settings say. One that is not kept any more is closed, so
    that it never seems whole when it is kept again."""
    folder, city = place.settings.journal_folder, place.settings.city
    if folder:
        registry.journal = Journal(
            Path(folder), city, keys.log, keys.seal, migrations.newest(), entropy, clock
        )
        return
    with registry.read() as door:
        mark = door.journal()
    if mark.name:
        with registry.write() as door:
            door.keep_journal(mark.ended())
            door.audit("journal", "journal.off", mark.name.hex(), {"n": mark.n}, clock())
