"""Papers from van to office with the real programs: altered on the way, killed, out of room."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from houses import kill
from tests import pictures
from tests.day import VERIFIER, Day, write_rows
from tests.disks import fill, small_disk
from tests.pictures import CANARY, put
from tests.proxy import Way
from tests.requests import request_rows
from tests.village import village

SIZE = (1300, 1840)
CHUNK = 16 * 1024
EXTRA = 1.12
"""What frames, changes and a question may add to the bytes of files."""

PATIENCE = 120.0


def row() -> dict[str, Any]:
    (only,) = request_rows(village(600), 1, seed=5)
    return {name: value for name, value in only.items() if name != "family"}


class Story:
    """A van with one request and papers to it."""

    def __init__(self, folder: Path, van: Path | None = None) -> None:
        self.folder = folder
        self.day = Day(van or folder / "van", folder / "office")
        self.van, self.road = self.day.van, self.day.road
        self.van.queue(write_rows(folder / "row.jsonl", [row()]))
        (self.request,) = self.van.acknowledged.values()

    def attach(self, count: int = 2, ok: tuple[int, ...] = (0,)) -> list[dict[str, Any]]:
        paths = []
        for n in range(count):
            sheet = pictures.page(n + 1, SIZE)
            data = pictures.written(sheet, "PNG", compress_level=1)
            paths.append(str(put(self.folder, f"{CANARY}-{n}.png", data)))
        return self.van.run("attach", self.request, "KK", *paths, "--json", ok=ok).lines

    def files(self) -> list[dict[str, Any]]:
        (data,) = self.van.run("request", "show", self.request, "--json").lines
        found: list[dict[str, Any]] = data["attachments"]
        return found

    def at_office(self) -> list[int]:
        """How much of each paper is at the office, in percent."""
        sheet = self.day.central.casework.request(VERIFIER, self.request)
        return [file.percent for file in sheet.files]

    def stopped_at(self, after: int, way: Way = "up") -> subprocess.Popen[str]:
        """A sync that stands still after so many bytes."""
        self.road.stall(after, way)
        running = self.van.start_sync()
        until = time.monotonic() + PATIENCE
        while not self.road.held.wait(0.02):
            assert running.poll() is None, "it came through before"
            assert time.monotonic() < until
        return running

    def bytes_up(self, do: Callable[[], object]) -> int:
        before = self.road.passed["up"]
        do()
        return self.road.passed["up"] - before

    def close(self) -> None:
        self.day.close()


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    made = Story(tmp_path)
    yield made
    made.close()


def test_papers_arrive_whole_and_cost_little_more_than_their_bytes(story: Story) -> None:
    made = story.attach()
    up = story.bytes_up(story.van.sync)
    assert story.at_office() == [100, 100]
    assert [file["state"] for file in story.files()] == ["verified", "verified"]
    size = sum(file["bytes"] for file in made)
    assert up < size * EXTRA + 2 * 12_000 + 4_000
    for file in made:
        line, data = story.day.central.casework.attachment(VERIFIER, story.request, file["blob"])
        assert len(data) == file["bytes"] == line.bytes
    assert story.van.sync()["files"]["files"] == 0, "nothing goes twice"
    assert not story.day.central.evidence.verify(None).broken


def test_one_byte_altered_on_the_way_costs_one_chunk(story: Story) -> None:
    made = story.attach()
    size = sum(file["bytes"] for file in made)
    story.road.spoil(after=size // 2)
    up = story.bytes_up(story.van.sync)
    assert story.road.held.is_set(), "a byte was altered"
    assert story.at_office() == [100, 100]
    report = story.van.syncs[-1]["files"]
    assert (report["files"], report["left"]) == (4, 0)
    assert report["altered"] == 1
    assert up < size * EXTRA + 2 * 12_000 + 4_000 + 2 * CHUNK


def test_a_van_killed_in_the_middle_of_a_paper_goes_on_at_the_piece(story: Story) -> None:
    made = story.attach()
    size = sum(file["bytes"] for file in made)
    first = story.bytes_up(lambda: kill(story.stopped_at(size // 2)))
    story.road.clear()
    story.road.drop()
    arrived = story.at_office()
    assert arrived != [100, 100]
    second = story.bytes_up(story.van.sync)
    assert story.at_office() == [100, 100]
    assert first > size // 3
    assert first + second < size * EXTRA + 2 * 12_000 + 8_000 + 4 * CHUNK, "little went twice"


def test_central_killed_in_the_middle_of_a_paper_is_asked_what_it_has(story: Story) -> None:
    made = story.attach()
    size = sum(file["bytes"] for file in made)
    before = story.road.passed["up"]
    running = story.stopped_at(size // 2)
    story.day.office.kill()
    story.road.clear()
    story.road.drop()
    story.day.office.open()
    report = story.van.end_sync(running)
    assert report["files"]["left"] == 0
    assert story.at_office() == [100, 100]
    up = story.road.passed["up"] - before
    assert up < size * EXTRA + 2 * 12_000 + 12_000 + 6 * CHUNK


def test_nothing_of_a_paper_lies_open_on_any_disk(story: Story) -> None:
    """Not on the laptop, not at the office, not while it is half sent."""
    made = story.attach()
    kill(story.stopped_at(60_000))
    story.road.clear()
    story.road.drop()
    story.van.sync()
    secrets = [b"WEBP", b"RIFF", CANARY.encode()]
    for file in made:
        _, data = story.day.central.casework.attachment(VERIFIER, story.request, file["blob"])
        secrets += [data[place : place + 20] for place in range(500, len(data) - 20, 4999)]
        secrets.append(file["blob"].encode())
    seen = 0
    for root in (story.van.folder / "data", story.folder / "office"):
        for path in root.rglob("*"):
            assert CANARY not in path.name
            if path.is_file():
                kept = path.read_bytes()
                seen += len(kept)
                if path.suffix not in (".db", ".db-wal") or "central" not in path.name:
                    assert not [one for one in secrets if one in kept], path
    assert seen > 2 * sum(file["bytes"] for file in made)


# -- out of room


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    yield from small_disk(tmp_path / "disk", 6)


def test_a_van_without_room_for_a_paper_keeps_the_request_whole(tmp_path: Path, disk: Path) -> None:
    story = Story(tmp_path, van=disk / "van")
    try:
        ballast = fill(disk, leave=60_000)
        said = story.attach(ok=(1,))
        assert said[-1]["problem"]["code"] == "disk.full"
        assert story.files() == [], "not one of two"
        ballast.unlink()
        story.attach()
        story.van.sync()
        assert story.at_office() == [100, 100]
    finally:
        story.close()


def test_an_office_without_room_for_papers_takes_the_changes(tmp_path: Path, disk: Path) -> None:
    story = Story(tmp_path)
    try:
        story.day.office.close()
        story.day.office.program.environment["JEMPUT_PUSAT_FILES_FOLDER"] = str(disk / "files")
        story.day.office.open()
        ballast = fill(disk, leave=50_000)
        story.attach()
        report = story.van.sync()
        assert report["pending"] == 0
        assert report["files"]["stopped"] == ["disk.full"]
        assert report["files"]["left"] > 0
        assert "waiting" in {file["state"] for file in story.files()}
        ballast.unlink()
        report = story.van.sync()
        assert (report["files"]["left"], report["files"]["stopped"]) == (0, [])
        assert {file["state"] for file in story.files()} == {"verified"}
    finally:
        story.close()
