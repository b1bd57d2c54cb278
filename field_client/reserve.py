"""Reserve: room on the disk that is kept so that what was begun can be finished.

    keep(folder)                  take the room, while there is plenty
    finishing(folder, work)       do the work; on a full disk give the room back and do it once more

A laptop fills up in the middle of a form, with the citizen before it. The reserve is a file of
nothing beside the database: giving it back lets that form be saved and submitted. Nothing new is
begun then (`room_for_more`), so the room is not spent on the next citizen.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from models.problems import Problem

BYTES = 64 * 1024 * 1024
DISK_BYTES_FULL = 200 * 1000 * 1000
"""Below this nothing new is begun."""

_FILE = "reserve.bin"
_PIECE = 1024 * 1024
Result = TypeVar("Result")


def free_bytes(folder: Path) -> int:
    """Room on the disk of a data folder, without the reserve."""
    return shutil.disk_usage(folder).free


def room_for_more(folder: Path) -> None:
    """Problem disk.finish_first where there is too little room to begin with another citizen."""
    free = free_bytes(folder)
    if free < DISK_BYTES_FULL:
        raise Problem("disk.finish_first", mb=free // 1_000_000)


def is_kept(folder: Path) -> bool:
    """Whether the room is held."""
    return (folder / _FILE).exists()


def keep(folder: Path) -> bool:
    """Take the room if there is plenty; gives whether it is held."""
    if is_kept(folder):
        return True
    path = folder / _FILE
    if free_bytes(folder) < DISK_BYTES_FULL + BYTES:
        return False
    half = path.with_suffix(".tmp")
    try:
        with half.open("wb") as file:
            _allocate(file.fileno())
        half.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            half.unlink()
        return False
    return True


def spend(folder: Path) -> bool:
    """Give the room back; gives whether there was any."""
    try:
        (folder / _FILE).unlink()
    except OSError:
        return False
    return True


def finishing(folder: Path, work: Callable[[], Result]) -> Result:
    """Do what finishes something begun. `work` may run twice: all of it is saved or nothing."""
    try:
        return work()
    except Problem as problem:
        if problem.code != "disk.full" or not spend(folder):
            raise
    return work()


def _allocate(descriptor: int) -> None:
    """Blocks of the disk, not only a length: a file with a hole would hold no room."""
    if hasattr(os, "posix_fallocate"):
        with contextlib.suppress(OSError):  # a file system that cannot is written to
            os.posix_fallocate(descriptor, 0, BYTES)
            return
    for _ in range(BYTES // _PIECE):
        os.write(descriptor, bytes(_PIECE))
