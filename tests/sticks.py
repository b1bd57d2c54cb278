"""Sticks for tests: a small real filesystem where this machine lets one be mounted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Stick:
    """A mounted stick of a known size. Files in memory, with the real errors of a filesystem."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Everything on it, hidden files too."""
        return sorted(path.name for path in self.folder.iterdir())

    def lock(self) -> None:
        """Slide the little switch."""
        _mount("-o", "remount,ro", str(self.folder))

    def unlock(self) -> None:
        _mount("-o", "remount,rw", str(self.folder))

    def fill(self) -> None:
        """Somebody copies a film onto it meanwhile."""
        free = shutil.disk_usage(self.folder).free
        (self.folder / "film.mp4").write_bytes(bytes(free))


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)


def can_mount() -> bool:
    """Root on Linux, and not in a container that forbids it."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mount") is not None


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Stick]:
    """A stick of that size; the test is skipped where nothing may be mounted."""
    folder.mkdir()
    try:
        if not can_mount():
            raise OSError("not root")
        _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no filesystem may be mounted here")
    try:
        yield Stick(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)
