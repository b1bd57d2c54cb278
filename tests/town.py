"""Both houses in one process: a real central, real laptops, and a road made of function calls.

The vaults are encrypted files and the register is a database, as in the field and at the office;
only the network and the clocks are the test's. The people are those of the invented village.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from field_client.app import House, keys_of, open_house
from field_client.clock import Clock, Reading
from field_client.courier import ENROL_PATH, Courier, Report
from field_client.desk import Prepared, Taken, Wanted
from field_client.enrolment import enrol
from field_client.settings import FieldSettings
from field_client.settings import Place as FieldPlace
from field_client.sheet import Sheet
from field_client.transports.http import BUSY, Unreached
from field_client.vault.keys import Keys
from models.problems import Problem
from models.words import WIT
from server.casework import Done
from server.central import found, open_central
from server.database.people import Person as Member
from server.settings import load
from server.sheets import CaseLine, CaseSheet, RequestSheet
from sync.notices import Notice
from tests.blank import lay
from tests.vaults import CHEAP, PASSPHRASE
from tests.village import PLACE, STAFF, Person, Village, village
from tests.village import Staff as Worker

_village = cache(village)  # nothing in it changes
MORNING = int(datetime(2026, 11, 21, 8, 0, tzinfo=WIT).timestamp())


class Time:
    """One clock for everybody, in Unix seconds; laptops may add their own error."""

    def __init__(self) -> None:
        self.at = MORNING

    def __call__(self) -> int:
        return self.at

    def goes_on(self, minutes: int = 1) -> None:
        self.at += minutes * 60


class Town:
    """The office, its staff and the laptops it invited. database_url: "" for SQLite."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        self.folder = folder
        self.time = Time()
        self.village: Village = _village()
        place = load(folder / "central", {}, database_url=database_url or None)
        if not database_url:
            lay(place.folder)
        found(place, folder / "recovery-key.json", self.time)
        self.central = open_central(place, self.time)
        self.staff: dict[str, Member] = {}
        for worker in STAFF.values():
            if worker.office == "central":
                self._hire(worker)
        self.laptops: list[Laptop] = []

    def _hire(self, worker: Worker) -> None:
        """Without a password: hashing one takes a tenth of a second, and nobody signs in here."""
        with self.central.registry.write() as door:
            member = Member(worker.username, worker.name, worker.role, "-")
            door.keep_person(member)
        self.staff[worker.username] = member

    def person(self, part: str) -> Person:
        """A character of the story."""
        return self.village.cast[part]

    def laptop(
        self,
        username: str,
        name: str = "",
        villages: tuple[str, ...] = (PLACE,),
        *,
        enrolled: bool = True,
    ) -> Laptop:
        """A new laptop with its first operator, known to central unless told otherwise."""
        worker = STAFF[username]
        name = name or f"laptop {username}"
        invited = self.central.devices.invite(
            self.staff["ratna"], name, worker.office, name, villages, worker.name
        )
        laptop = Laptop(self, self.folder / name.replace(" ", "-"), username, name)
        laptop.enrol(invited.file)
        self.laptops.append(laptop)
        if enrolled:
            with laptop.house.desk.saving():  # the first PIN: a session of the log
                pass
            laptop.sync()
        return laptop

    # -- at the office

    def sheet(self, record: bytes, by: str = "nurlaila") -> RequestSheet:
        """A request as somebody at the office opens it."""
        return self.central.casework.request(self.staff[by], record.hex())

    def cases(self, kind: str = "", state: str = "open") -> list[CaseLine]:
        return self.central.casework.cases(self.staff["nurlaila"], state=state, kind=kind)

    def case(self, line: CaseLine, by: str = "nurlaila") -> CaseSheet:
        return self.central.casework.case(self.staff[by], line.id)

    def resolve(
        self, line: CaseLine, take: str, reason: str, by: str = "nurlaila", **more: Any
    ) -> Done:
        """Open a case and decide what was seen."""
        seen = self.case(line, by).seen
        return self.central.casework.resolve(self.staff[by], line.id, take, reason, seen, **more)

    def approve(self, line: CaseLine, reason: str, by: str = "idham") -> Done:
        seen = self.case(line, by).seen
        return self.central.casework.approve(self.staff[by], line.id, reason, seen)

    def accept(self, record: bytes, by: str = "nurlaila") -> Done:
        seen = self.sheet(record, by).seen
        reason = "formulir bertanda tangan di kertas"
        return self.central.casework.accept(self.staff[by], record.hex(), seen, reason)

    def send_back(self, record: bytes, code: str, text: str, by: str = "nurlaila") -> Done:
        seen = self.sheet(record, by).seen
        return self.central.casework.send_back(self.staff[by], record.hex(), code, text, seen)

    def stored(self) -> dict[str, str]:
        """Id -> status of every request at central."""
        found: dict[str, str] = {}
        after = ""
        while page := self.central.casework.requests(
            self.staff["nurlaila"], after=after, limit=200
        ):
            found |= {line.id: line.status for line in page}
            after = page[-1].id
        return found

    def is_whole(self) -> bool:
        """Every chain at central verifies, and both ends' sums are those of their requests."""
        if self.central.evidence.verify(None).broken:
            return False
        with self.central.registry.read() as door:
            now, cells = door.standing().server_seq, {PLACE.encode()}
            cells |= {device.id for device in door.devices()}
            sums = door.sums(cells, now)
            right = all(sums[cell] == door.recounted(cell) for cell in cells)
        stores = (one.house.store for one in self.laptops)
        return right and all(s.sums_are_right() for s in stores if s.engine.path.exists())

    def close(self) -> None:
        for laptop in self.laptops:
            laptop.house.close()
        self.central.close()


class Lane:
    """A road of function calls. before, after: what happens to a body on the way there and to an
    answer on the way back; either may raise Unreached."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.before: Callable[[str, bytes], bytes] = lambda path, body: body
        self.after: Callable[[str, bytes], bytes] = lambda path, body: body
        self.posts = 0

    def post(self, path: str, body: bytes, arrived: Callable[[int], None] | None = None) -> bytes:
        """As `HttpRoad.post`: the same refusals, the same two kinds of failure."""
        self.posts += 1
        central = self.town.central
        body = self.before(path, body)
        try:
            enrols = path == ENROL_PATH
            answer = central.devices.enrol(body) if enrols else central.reception.answer(body)
        except Problem as problem:
            raise Unreached(problem) if problem.status in BUSY else problem from None
        answer = self.after(path, answer)
        if arrived is not None:
            arrived(len(answer))
        return answer

    def close(self) -> None:
        """Nothing is kept open."""


class Laptop:
    """One laptop in a folder. clock_error: seconds its clock is ahead."""

    def __init__(self, town: Town, folder: Path, username: str, name: str) -> None:
        self.town = town
        self.folder = folder
        self.username = username
        self.name = name
        self.lane = Lane(town)
        self.clock_error = 0
        self.place = FieldPlace(folder, FieldSettings())
        self.house: House

    # -- the laptop itself

    @property
    def clock(self) -> Clock:
        def read() -> Reading:
            at = self.town.time.at
            return Reading(at + self.clock_error, at - MORNING + 3600)

        return Clock(read, lambda: 7)

    @property
    def keys(self) -> Keys:
        """Without a key store, so that a folder that is copied is a whole clone."""
        return Keys(self.folder, None)

    def enrol(self, token: bytes) -> None:
        self.house = enrol(
            self.place, token, self.username, PASSPHRASE, self.clock, self.keys, CHEAP
        )

    def open(self, username: str = "", secret: str = PASSPHRASE) -> None:
        """Close the laptop and open it again, as whoever works next."""
        self.house.close()
        self.house = open_house(
            self.place, username or self.username, secret, self.clock, self.keys
        )
        self.house.begin()

    def clone(self) -> Laptop:
        """A second laptop from a copy of this one's folder, as a disk image gives it."""
        self.house.close()
        folder = self.folder.with_name(f"{self.folder.name}-copy")
        shutil.copytree(self.folder, folder)
        other = Laptop(self.town, folder, self.username, f"{self.name} copy")
        for laptop in (self, other):
            laptop.house = open_house(
                laptop.place, laptop.username, PASSPHRASE, laptop.clock, laptop.keys
            )
            laptop.house.begin()
        self.town.laptops.append(other)
        return other

    # -- at the desk

    def prepare(self, row: dict[str, Any]) -> Prepared:
        """A form as it is typed. row: of tests.requests."""
        kept = {k: row[k] for k in ("service", "answers", "documents", "reasons", "nik")}
        return self.house.desk.prepare(Wanted(**kept))

    def take(self, *rows: dict[str, Any]) -> list[Taken]:
        """Take requests in, all in one transaction."""
        self.town.time.goes_on()
        return self.house.desk.submit(*(self.prepare(row) for row in rows))

    def open_sheet(self, record: bytes) -> Sheet:
        return self.house.desk.open(record)

    def edit(
        self, record: bytes, page: Sheet | None = None, reason: str = "", **answers: Any
    ) -> None:
        """Correct answers: `applicant__phone="…"`. page: what was shown."""
        self.town.time.goes_on()
        typed = {key.replace("__", "."): value for key, value in answers.items()}
        page = page or self.open_sheet(record)
        self.house.desk.edit(page, typed, reason=reason)

    def withdraw(self, record: bytes, reason: str) -> None:
        self.town.time.goes_on()
        self.house.desk.withdraw(self.open_sheet(record), reason)

    # -- on the road

    def courier(self) -> Courier:
        return Courier(
            self.house.desk, self.lane, self.place, sleep=lambda seconds: None, chance=lambda: 0.5
        )

    def sync(self) -> Report:
        self.town.time.goes_on()
        return self.courier().sync()

    # -- what it knows

    def status(self, record: bytes) -> str:
        return self.open_sheet(record).status

    def answer(self, record: bytes, key: str) -> Any:
        return self.open_sheet(record).answers.get(key)

    def notices(self, kind: str = "") -> list[Notice]:
        """Everything this laptop was ever told, oldest first."""
        told = [one.notice for one in reversed(self.house.store.notices.newest())]
        return [notice for notice in told if not kind or notice.kind == kind]


__all__ = ["PLACE", "Lane", "Laptop", "Time", "Town", "keys_of"]
