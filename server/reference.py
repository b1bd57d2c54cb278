"""Reference data: what the office publishes to its laptops, and works by itself.

A folder with changed files is checked as a whole, laid over everything published before, signed,
and kept; laptops get it with their next sync or stick. Central itself takes it up when it starts
and then by the clock. A change of an edition that central has not taken up yet waits, and is judged
when it has.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from models import codes, services
from models.calendar import Decree, read_decree
from models.overlay import (
    FILE_BYTES_MAX,
    FILES_MAX,
    PACKAGE_BYTES_MAX,
    VISITS_FILE,
    Overlay,
    read_visits,
    vetted,
)
from models.people import Act, require
from models.problems import Problem
from models.services import Catalogue
from server.auth import roles
from server.database.packages import Published
from server.database.people import Person
from server.database.registry import Registry
from server.files import disk_problems
from server.keys import Keys
from server.ledger import Door
from sync import reference
from sync.known import forget_facts
from sync.messages import Piece, Sight
from sync.reference import Package

TITLE_MAX = 200


class Reference:
    """What is published. `clock` gives Unix seconds."""

    def __init__(self, registry: Registry, keys: Keys, clock: Callable[[], int]) -> None:
        self.registry = registry
        self.keys = keys
        self.clock = clock
        self.number = 0

    def publish(self, me: Person, folder: Path, title: str) -> Published:
        """Publish the files of a folder over what was published before; this program works by them
        from now on. Problems: auth.forbidden, reference.*, service.broken, calendar.decree; nothing
        is published then."""
        require(roles(me), Act.PUBLISH)
        return self.publish_files(me, _read_folder(folder), title)

    def publish_files(self, me: Person, files: dict[str, bytes], title: str) -> Published:
        """The same with files (by their path in the folder) that a program made."""
        require(roles(me), Act.PUBLISH)
        with self.registry.write() as door:
            before = self._newest(door.package())
            held = before.files if before is not None else {}
            today = Overlay(codes.packaged(), held)
            found = {**held, **vetted(today, files)}
            _all_read(found)
            number = before.number + 1 if before is not None else 1
            at = self.clock()
            package = Package(number, at, title.strip()[:TITLE_MAX], found)
            token = reference.issue(package, self.keys.identity)
            if len(token) > PACKAGE_BYTES_MAX:
                raise Problem("reference.too_large", limit=PACKAGE_BYTES_MAX)
            digest = reference.digest(token)
            published = Published(number, at, me.login, package.title, digest)
            door.keep_package(published, token)
            detail = {"number": number, "files": sorted(files), "digest": digest.hex()}
            door.audit(me.login, Act.PUBLISH, str(number), detail, at)
        self.refresh()
        return published

    def published(self, me: Person) -> list[Published]:
        """All packages, newest first."""
        require(roles(me), Act.LIST_DEVICES)
        with self.registry.write() as door:
            found = door.packages()
            door.audit(me.login, "reference.list", "", {"n": len(found)}, self.clock())
        return found

    def refresh(self) -> bool:
        """Work by the newest package; True where it is another one than before."""
        with self.registry.read() as door:
            number, token = door.package()
        if number == self.number:
            return False
        package = self._newest((number, token))
        services.adopt(package.files if package is not None else {})
        forget_facts()
        self.number = number
        return True

    def files(self) -> dict[str, bytes]:
        """Every file that was published, by its path."""
        with self.registry.read() as door:
            package = self._newest(door.package())
        return dict(package.files) if package is not None else {}

    def since(self) -> dict[str, Published]:
        """Path of each published file -> the package that brought it as it is now."""
        found: dict[str, Published] = {}
        with self.registry.read() as door:
            today = self.files()
            left = set(today)
            for published in door.packages():
                token = door.package_numbered(published.number)
                package = reference.read(token, self.keys.identity.sign_key)
                left = {path for path in left if package.files.get(path) == today[path]}
                found |= dict.fromkeys(left, published)
        return found

    def decrees(self) -> tuple[Decree, ...]:
        """Days off that were published."""
        files = self.files()
        return tuple(read_decree(d.decode()) for p, d in files.items() if p.startswith("calendar/"))

    def _newest(self, found: tuple[int, bytes]) -> Package | None:
        number, token = found
        return reference.read(token, self.keys.identity.sign_key) if number else None


def pieces(door: Door, sight: Sight | None, budget: int) -> tuple[list[Piece], bool]:
    """What a laptop lacks of the newest package, within `budget` bytes but at least a piece, and
    whether more remains."""
    if sight is None or sight.reference is None:
        return [], False
    have, coming, held = sight.reference
    number, token = door.package()
    if number <= have:
        return [], False
    offset = held if coming == number and 0 <= held < len(token) else 0
    found: list[Piece] = []
    while offset < len(token):
        if budget <= 0 and found:
            return found, True
        found.append(reference.piece(number, token, offset, budget))
        offset += len(found[-1].data)
        budget -= len(found[-1].data)
    return found, False


def _read_folder(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its path in it. Problem file.unreadable, reference.*"""
    files: dict[str, bytes] = {}
    with disk_problems(folder):
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        if not paths or len(paths) > FILES_MAX:
            raise Problem("reference.nothing" if not paths else "reference.too_large",
                          limit=PACKAGE_BYTES_MAX)  # fmt: skip
        for path in paths:
            with path.open("rb") as file:
                files[path.relative_to(folder).as_posix()] = file.read(FILE_BYTES_MAX + 1)
    return files


def _all_read(files: dict[str, bytes]) -> None:
    """Can every service be read with these files, in every edition, and the visits?"""
    whole = Catalogue(Overlay(codes.packaged(), files))
    whole.services()
    for path in files:
        folder, _, name = path.removesuffix(".toml").partition("/")
        slug, at, edition = name.partition("@")
        if folder == "services" and at:
            whole.service(slug, int(edition))
    for path in files:
        if path.startswith("codes/"):
            codes.read_list(Overlay(codes.packaged(), files), path[6:-5])
    if VISITS_FILE in files:
        read_visits(files[VISITS_FILE])
