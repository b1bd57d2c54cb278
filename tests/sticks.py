"""Sticks for tests: the verbs of the USB road, and a small real filesystem to write on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from field_client.bundles import Bundles, Exported
from field_client.inbox import Taken
from server.bundles import Imported
from server.returns import Given
from tests.requests import request_rows
from tests.town import Laptop, Town


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


SMALL = 3000
"""Bytes of a volume, so that little work fills several."""


def stick(town: Town, name: str = "stick") -> Path:
    folder = town.folder / name
    folder.mkdir(exist_ok=True)
    return folder


def bundles(laptop: Laptop) -> Bundles:
    return Bundles(laptop.house.desk, laptop.place)


def export(laptop: Laptop, folder: Path, volume_bytes: int = 4 * 1024 * 1024) -> Exported:
    laptop.town.time.goes_on()
    return bundles(laptop).export(folder, volume_bytes=volume_bytes)


def several(monkeypatch: pytest.MonkeyPatch, laptop: Laptop, folder: Path) -> list[Path]:
    """An export of small batches in small volumes."""
    monkeypatch.setattr("field_client.loading.BATCH_BYTES", 600)
    made = export(laptop, folder, SMALL)
    assert len(made.files) > 2
    return [folder / name for name in made.files]


def bring(town: Town, *files: Path, by: str = "nurlaila") -> list[Imported]:
    town.time.goes_on()
    found = [file for f in files for file in (sorted(f.glob("*.jbb")) if f.is_dir() else [f])]
    return [town.central.bundles.take(town.staff[by], f.read_bytes(), f.name) for f in found]


def give(town: Town, laptop: Laptop, folder: Path, **more: Any) -> Given:
    town.time.goes_on()
    made = town.central.returns.give(town.staff["nurlaila"], device=laptop.name, **more)
    for name, data in made.files:
        (folder / name).write_bytes(data)
    return made


def read(laptop: Laptop, *places: Path) -> list[Taken]:
    taken, refused = bundles(laptop).take(places)
    assert not refused
    return taken


def refusal(laptop: Laptop, *places: Path) -> str:
    taken, refused = bundles(laptop).take(places)
    assert not taken
    assert len(refused) == 1
    return refused[0].problem.code


def rows(town: Town, n: int, seed: int = 1) -> list[dict[str, Any]]:
    return request_rows(town.village, n, seed)


def decisions(town: Town) -> int:
    return town.central.status().server_seq
