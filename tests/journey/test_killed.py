"""Real processes at both ends, killed with -9 at moments of chance: nothing lost, nothing twice.

The van is killed while it takes requests in, and while it syncs behind a road that stops at a byte
of chance on the way up or down; central is killed while a van waits for its answer, and the van
gets through by itself once central is back.
"""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from houses import kill
from tests.day import Day, write_rows
from tests.proxy import Way
from tests.requests import request_rows
from tests.village import village

ROUNDS = 15
ROWS = 9
PATIENCE = 120.0


class Killer:
    """Ends programs of a day without warning."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.chance = random.Random(20261121)

    def queue(self, file: Path) -> None:
        """Take in a file, killed after an answer of chance."""
        self.day.van.queue(file, kill_after=self.chance.randint(1, ROWS))

    def stopped_sync(self) -> tuple[subprocess.Popen[str], bool]:
        """A sync that stands still at a byte of chance; False if it came through before."""
        way: Way = self.chance.choice(("up", "down"))
        # down: well within the shortest answer, so that the kills do fall into syncing
        self.day.road.stall(after=self.chance.randint(0, 900 if way == "up" else 400), way=way)
        running = self.day.van.start_sync()
        until = time.monotonic() + PATIENCE
        while not self.day.road.held.wait(0.02) and running.poll() is None:
            assert time.monotonic() < until, "neither stopped nor done"
        return running, running.poll() is None

    def kill_van(self) -> bool:
        """Kill the van in the middle of a sync."""
        running, busy = self.stopped_sync()
        kill(running)
        self.day.road.clear()
        self.day.road.drop()
        return busy

    def kill_central(self) -> bool:
        """Kill central while the van waits; the van has to get through when it is back."""
        running, busy = self.stopped_sync()
        self.day.office.kill()
        self.day.road.clear()
        self.day.road.drop()
        time.sleep(self.chance.random() * 0.5)
        self.day.office.open()
        report = self.day.van.end_sync(running)
        assert report["pending"] == 0
        return busy


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    made = Day(tmp_path / "van", tmp_path / "office")
    yield made
    made.close()


def files(folder: Path) -> tuple[list[Path], Path, int]:
    """A file of rows for each round, families whole; all rows in one file; how many they are."""
    rows = request_rows(village(900, seed=5), ROUNDS * ROWS, seed=5)
    parts: list[list[dict[str, Any]]] = [[]]
    for number, row in enumerate(rows):
        same = number and row.get("family") and row["family"] == rows[number - 1].get("family")
        if len(parts[-1]) >= ROWS and not same:
            parts.append([])
        parts[-1].append(row)
    written = [write_rows(folder / f"{number}.jsonl", part) for number, part in enumerate(parts)]
    return written, write_rows(folder / "all.jsonl", rows), len(rows)


@pytest.mark.timeout(600)  # sixty processes and a few restarts, beside the rest of the run
def test_everything_is_killed_again_and_again_and_every_request_is_there_once(
    day: Day, tmp_path: Path
) -> None:
    parts, everything, count = files(tmp_path)
    killer = Killer(day)
    busy = {"van": 0, "central": 0}
    for number in range(ROUNDS):
        if number < len(parts):
            killer.queue(parts[number])
        who = "central" if number % 3 == 2 else "van"
        busy[who] += killer.kill_central() if who == "central" else killer.kill_van()
    assert min(busy.values()) >= ROUNDS // 6, "the kills have to fall into syncing"
    promised = day.van.acknowledged
    day.van.queue(everything)
    said = day.van.acknowledged
    assert {ref: said[ref] for ref in promised} == promised
    assert len(said) == len(set(said.values())) == count
    assert day.van.sync()["pending"] == 0
    stored = day.stored()
    assert len(stored) == count
    assert set(stored) == set(said.values())
    assert not day.central.evidence.verify(None).broken
    quiet = day.van.sync()
    assert (quiet["pushed"], quiet["received"]) == (0, 0)
    for check in day.van.run("doctor", "--json").lines:
        assert check["ok"], check
    (status,) = day.van.run("status", "--json").lines
    assert status["requests"] == {"received": count}
