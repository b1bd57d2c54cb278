"""Rosters: lists of residents that the office gives to laptops of their village, by stick.

The office keeps the village's own spreadsheet as it is, sealed, until the last day it may be kept,
and sends it along with return bundles and voyage packs; the laptop reads it with its own reader. A
list never travels by network, where it would take the place of work, and goes to nobody else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

from models import lifecycle, regions
from models.people import Act, require
from models.problems import Problem
from models.roster import Resident, roster_of, target_list
from models.roster.sheets import sheets_in
from models.services import catalogue
from models.words import WIT
from server.auth import roles
from server.database.people import Person
from server.database.registry import Registry
from server.database.rosters import KeptRoster
from server.database.targets import TargetList
from server.figures import day_of
from server.files import disk_problems
from sync.atrest import Locker, house_key
from sync.messages import RosterPage, Terms
from sync.transfer import chunk_count

FILE_BYTES_MAX = 20 * 1024 * 1024
KEEP_DAYS_MAX = 366
AGE_DAYS_MAX = 5 * 366
PAGE_BYTES = 256 * 1024
TEXT_MAX = 200
NAME_BYTES = 8
"""Of the digest, by which a laptop says that it holds a list."""
COUNTED_SECONDS = 20 * 3600
"""How far a target list is served is counted once a day."""


class Rosters:
    """What is kept for laptops. `clock` gives Unix seconds; secret: of central alone."""

    def __init__(self, registry: Registry, secret: bytes, clock: Callable[[], int]) -> None:
        self.registry = registry
        self.clock = clock
        self._key = house_key(secret, b"rosters")

    def keep(self, me: Person, file: Path, terms: Terms) -> KeptRoster:
        """Keep a list for the laptops of its village; a newer one of the same source takes the
        place of the older. Problems: auth.forbidden, roster.village, roster.terms,
        roster.list_date, roster.expiry, roster.empty, roster.file_too_large, disk.*."""
        require(roles(me), Act.KEEP_ROSTER)
        _check(terms, self._today())
        with disk_problems(file), file.open("rb") as stream:
            data = stream.read(FILE_BYTES_MAX + 1)
        if len(data) > FILE_BYTES_MAX:
            raise Problem("roster.file_too_large", file=file.name, megabytes=FILE_BYTES_MAX >> 20)
        if not data:
            raise Problem("roster.empty")
        digest, at = hashlib.sha256(data).digest(), self.clock()
        kept = KeptRoster(digest, terms, len(data), at, me.login)
        sealed = Locker(self._key, digest, len(data)).whole(data)
        with self.registry.write() as door:
            door.keep_roster(kept, sealed)
            detail = {"village": terms.village, "source": terms.source, "expires": terms.expires}
            door.audit(me.login, Act.KEEP_ROSTER, digest.hex(), detail, at)
        return kept

    def kept(self, me: Person) -> list[KeptRoster]:
        """All lists that may still be kept."""
        require(roles(me), Act.KEEP_ROSTER)
        with self.registry.write() as door:
            found = door.kept_rosters(None, self._today().isoformat())
            door.audit(me.login, "roster.list", "", {"n": len(found)}, self.clock())
        return found

    def remove(self, me: Person, name: str) -> None:
        """Delete a list, named by the beginning of its digest in hex. Problem roster.unkept."""
        require(roles(me), Act.KEEP_ROSTER)
        with self.registry.write() as door:
            found = door.kept_rosters(None, "")
            mine = [one for one in found if name and one.digest.hex().startswith(name.lower())]
            if len(mine) != 1:
                raise Problem("roster.unkept", roster=name[:64])
            door.forget_roster(mine[0].digest)
            door.audit(me.login, "roster.remove", mine[0].digest.hex(), {}, self.clock())

    def forget(self) -> int:
        """Delete those whose last day is over."""
        with self.registry.write() as door:
            return door.forget_expired_rosters(self._today().isoformat())

    def pages(
        self, villages: Collection[str], held: Collection[bytes], answer_name: bytes
    ) -> list[RosterPage]:
        """The lists of these villages but those held, as pages of a bundle."""
        with self.registry.read() as door:
            found = door.kept_rosters(villages, self._today().isoformat())
            fresh = [one for one in found if one.digest[:NAME_BYTES] not in held]
            files = [(one, self._opened(one, door.roster_data(one.digest))) for one in fresh]
        return [
            RosterPage(answer_name, one.digest, one.size, at, data[at : at + PAGE_BYTES], one.terms)
            for one, data in files
            for at in range(0, len(data), PAGE_BYTES)
        ]

    # -- how far they are served

    def count(self) -> bool:
        """See who of a list's target list has asked for a card since: of the list that was never
        counted, or longest ago. True when all are of today. It reads the list as a laptop does."""
        at, today = self.clock(), self._today()
        with self.registry.write() as door:
            door.forget_target_lists(door.unkept_target_lists())
        with self.registry.read() as door:
            counted = {one.digest: one.at for one in door.target_lists()}
            kept = door.kept_rosters(None, today.isoformat())
            due = [one for one in kept if at - counted.get(one.digest, 0) >= COUNTED_SECONDS]
            if not due:
                return True
            one = min(due, key=lambda one: (counted.get(one.digest, 0), one.digest))
            data = door.roster_data(one.digest)
        wanted = self._wanted(one, data, today)
        niks = {person.nik for person in wanted or () if person.nik}
        terms = one.terms
        since = datetime.combine(date.fromisoformat(terms.list_date), time(0), WIT).timestamp()
        with self.registry.write() as door:
            if one.digest not in [kept.digest for kept in door.kept_rosters([terms.village], "")]:
                return False  # it was removed meanwhile
            found = door.asked_since(niks, _card_services(), terms.village, int(since))
            told = TargetList(
                one.digest,
                terms.village,
                terms.list_date,
                -1 if wanted is None else len(wanted),
                sum(not person.nik for person in wanted or ()),
                len(found),
                at,
            )
            door.keep_target_list(told, [(name, day_of(came)) for name, came in found.values()])
        return len(due) == 1

    def _wanted(self, kept: KeptRoster, sealed: bytes, today: date) -> Sequence[Resident] | None:
        """Card-liable people of a list who are not recorded; None for one that cannot be read."""
        data, terms = self._opened(kept, sealed), kept.terms
        try:
            sheets = sheets_in(lambda _: data, terms.source)
            roster = roster_of(sheets, as_of=date.fromisoformat(terms.list_date))
        except Problem:
            return None
        return target_list(roster.residents, today).not_enrolled

    def _opened(self, kept: KeptRoster, sealed: bytes) -> bytes:
        """The file; empty for one that was altered on the disk, which is then not given."""
        locker = Locker(self._key, kept.digest, kept.size)
        parts: list[bytes] = []
        for index in range(chunk_count(kept.size)):
            start, length = locker.place(index)
            part = locker.open(index, sealed[start : start + length])
            if part is None:
                return b""
            parts.append(part)
        return b"".join(parts)

    def _today(self) -> date:
        return datetime.fromtimestamp(self.clock(), WIT).date()


def _card_services() -> list[str]:
    return [one.slug for one in catalogue().services() if one.group in lifecycle.KTP]


def _check(terms: Terms, today: date) -> None:
    """As the laptop will check it when it takes the list in."""
    place = regions.region(terms.village)
    if place is None or not place.is_village or place.code != terms.village:
        raise Problem("roster.village", village=terms.village)
    for name, text in (("--source", terms.source), ("--basis", terms.legal_basis)):
        if not 3 <= len(text.strip()) <= TEXT_MAX:
            raise Problem("roster.terms", missing=name)
    day, last = _day(terms.list_date, "--date"), _day(terms.expires, "--until")
    oldest = today - timedelta(days=AGE_DAYS_MAX)
    if not oldest <= day <= today:
        raise Problem("roster.list_date", date=day, oldest=oldest)
    if not max(today, day) < last <= today + timedelta(days=KEEP_DAYS_MAX):
        raise Problem("roster.expiry", expires=last, limit=KEEP_DAYS_MAX)


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Problem("roster.terms", missing=name) from None
