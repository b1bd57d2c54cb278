"""Scans: the folder that a scanner's own program or a memory card fills (`scan_folder`).

Any scanner works, because none is driven from here: its program saves into a folder, and what is
new there is offered on the page of files. What was attached is removed from the folder, since it
lies there unsealed.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from field_client.attachments.attaching import photo_of
from models.pages.uploads import UPLOAD_BYTES_MAX
from models.problems import Problem
from sync.attaching import Photo

SUFFIXES = (".jpg", ".jpeg", ".png", ".heic", ".pdf")
SHOWN_MAX = 30
"""Newest files of the folder that are offered."""

LOOKED_MAX = 2000


class Scan(msgspec.Struct, frozen=True):
    """A file in the folder. at: when it was last written, Unix seconds."""

    name: str
    size: int
    at: int


def listed(folder: str) -> list[Scan]:
    """What could be attached, newest first; nothing where no folder is set or it is gone."""
    if not folder:
        return []
    found: list[Scan] = []
    with contextlib.suppress(OSError):
        for number, path in enumerate(Path(folder).iterdir()):
            if number >= LOOKED_MAX:
                break
            if path.suffix.lower() in SUFFIXES and not path.is_symlink() and path.is_file():
                facts = path.stat()
                if 0 < facts.st_size <= UPLOAD_BYTES_MAX:
                    found.append(Scan(path.name, facts.st_size, int(facts.st_mtime)))
    return sorted(found, key=lambda one: (-one.at, one.name))[:SHOWN_MAX]


def read(folder: str, names: list[str]) -> list[Photo]:
    """The files chosen, in memory. Only what is offered can be named. Problem file.unreadable."""
    offered = {one.name for one in listed(folder)}
    for name in names:
        if name not in offered:
            raise Problem("file.unreadable", file=name[:100])
    return [photo_of(Path(folder) / name) for name in names]


def remove(folder: str, photos: list[Photo]) -> None:
    """They are attached: the open copies go. What a scanner saved under the same name meanwhile is
    something else, and stays."""
    for photo in photos:
        path = Path(folder) / photo.name
        with contextlib.suppress(OSError):
            if path.stat().st_size == len(photo.data) and path.read_bytes() == photo.data:
                path.unlink()
