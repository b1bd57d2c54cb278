"""Reference data that came after the program: files laid over those it was packaged with.

The office changes a form, a list of codes, the days off of a year, or the round of the vans more
often than anybody can install a program. What it publishes is checked here as a whole, against what
holds today, before any laptop hears of it:

- a service that changes gets a higher edition, and the edition before stays readable beside it
  (`services/<slug>@<edition>.toml`), since requests of it are on their way;
- a block of questions may be added and never changed, since old editions ask it too;
- a code may be added to a list, or worded otherwise, and never taken away;
- every service has to read, with all it leans on.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from datetime import date
from importlib.resources.abc import Traversable
from typing import Any

import msgspec

from models.calendar import read_decree
from models.problems import Problem

FILES_MAX = 400
FILE_BYTES_MAX = 64 * 1024
PACKAGE_BYTES_MAX = 2 * 1024 * 1024
VISITS_FILE = "visits.toml"
PATH = re.compile(
    r"services/[a-z0-9-]{1,60}(@\d{1,6})?\.toml|blocks/[a-z0-9_]{1,60}\.toml"
    r"|codes/[a-z0-9_]{1,60}\.toml|calendar/\d{4}\.toml|visits\.toml"
)


class Visit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A day on which a van comes. village: region code; note: where, from when, what to bring."""

    day: date
    village: str
    note: str = ""


class Visits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The round of the vans, as `[[visit]]` tables."""

    visit: tuple[Visit, ...] = ()


class Overlay(Traversable):
    """A data folder: some files over those of another one. path: inside of it, "" for the top."""

    def __init__(self, base: Traversable, files: Mapping[str, bytes], path: str = "") -> None:
        self._base = base
        self._files = files
        self._path = path

    @property
    def name(self) -> str:
        return self._path.rpartition("/")[2]

    def joinpath(self, *descendants: Any) -> Overlay:
        """The file or folder of that name in this folder."""
        base, path = self._base, self._path
        for name in descendants:
            base = base / str(name)
            path = f"{path}/{name}" if path else str(name)
        return Overlay(base, self._files, path)

    def __truediv__(self, child: Any) -> Overlay:
        return self.joinpath(child)

    def iterdir(self) -> Iterator[Overlay]:
        """What is in this folder, of both."""
        start = f"{self._path}/" if self._path else ""
        names = {file.name for file in self._base.iterdir()} if self._base.is_dir() else set()
        laid = (path.removeprefix(start) for path in self._files if path.startswith(start))
        names |= {path.partition("/")[0] for path in laid}
        return (self / name for name in sorted(names))

    def is_file(self) -> bool:
        return self._path in self._files or self._base.is_file()

    def is_dir(self) -> bool:
        start = f"{self._path}/" if self._path else ""
        return self._base.is_dir() or any(path.startswith(start) for path in self._files)

    def read_bytes(self) -> bytes:
        laid = self._files.get(self._path)
        return self._base.read_bytes() if laid is None else laid

    def read_text(self, encoding: str | None = None) -> str:
        return self.read_bytes().decode(encoding or "utf-8")

    def open(self, mode: str = "r", *_: Any, **__: Any) -> Any:
        """For readers of streams."""
        data = io.BytesIO(self.read_bytes())
        return data if "b" in mode else io.TextIOWrapper(data, encoding="utf-8")


class _Edition(msgspec.Struct):
    """What has to be known of a service's file before it is read as one."""

    slug: str
    edition: int


class _Codes(msgspec.Struct):
    codes: dict[str, Any]


def vetted(today: Traversable, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a package as they may be published over the data of `today`, with the editions
    they put an end to beside them; those that say what holds already are left out.

    Problems reference.* name the file. That all services can be read is for the caller to check.
    """
    if len(files) > FILES_MAX or sum(map(len, files.values())) > PACKAGE_BYTES_MAX:
        raise Problem("reference.too_large", limit=PACKAGE_BYTES_MAX)
    found: dict[str, bytes] = {}
    for path, data in sorted(files.items()):
        if not PATH.fullmatch(path) or len(data) > FILE_BYTES_MAX:
            raise Problem("reference.file", file=path[:80], limit=FILE_BYTES_MAX)
        old = _today(today, path)
        if old == data:
            continue
        found[path] = data
        kind = path.partition("/")[0]
        if kind == "services":
            found |= _service(path, data, old, today)
        elif kind == "blocks" and old is not None:
            raise Problem("reference.block", file=path)
        elif kind == "codes" and old is not None:
            gone = _codes(path, old) - _codes(path, data)
            if gone:
                raise Problem("reference.code", file=path, codes=", ".join(sorted(gone)))
        elif kind == "calendar":
            _calendar(path, data)
        elif path == VISITS_FILE:
            read_visits(data)
    if not found:
        raise Problem("reference.nothing")
    return found


def _today(today: Traversable, path: str) -> bytes | None:
    file = today.joinpath(*path.split("/"))
    return file.read_bytes() if file.is_file() else None


def _service(path: str, data: bytes, old: bytes | None, today: Traversable) -> dict[str, bytes]:
    """The edition that this one follows, to be kept."""
    new = _edition(path, data)
    if old is None:
        return {}
    before = _edition(path, old)
    if "@" in path or new <= before:
        raise Problem("reference.edition", file=path, edition=before)
    kept = f"{path.removesuffix('.toml')}@{before}.toml"
    return {} if _today(today, kept) is not None else {kept: old}


def _edition(path: str, data: bytes) -> int:
    try:
        return msgspec.toml.decode(data, type=_Edition).edition
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem("reference.broken", file=path, why=str(error)[:200]) from None


def _codes(path: str, data: bytes) -> set[str]:
    try:
        return set(msgspec.toml.decode(data, type=_Codes).codes)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem("reference.broken", file=path, why=str(error)[:200]) from None


def _calendar(path: str, data: bytes) -> None:
    try:
        decree = read_decree(data.decode())
    except UnicodeDecodeError as error:
        raise Problem("reference.broken", file=path, why=str(error)[:200]) from None
    if path != f"calendar/{decree.year}.toml":
        raise Problem("reference.broken", file=path, why=str(decree.year))


def read_visits(data: bytes) -> Visits:
    """The round of the vans. Problem reference.broken."""
    try:
        return msgspec.toml.decode(data, type=Visits)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem("reference.broken", file=VISITS_FILE, why=str(error)[:200]) from None
