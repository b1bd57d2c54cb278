"""Small file systems, to run out of room on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """A file system of that size. Mounting needs root, as in CI."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root on Linux")
    place.mkdir()
    size = f"size={megabytes}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path, leave: int) -> Path:
    """Fill the disk up to `leave` bytes; gives the file that takes the room."""
    ballast = place / "ballast"
    ballast.write_bytes(bytes(max(0, shutil.disk_usage(place).free - leave)))
    return ballast
