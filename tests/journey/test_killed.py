"""Real processes at both ends, killed with -9 at moments of chance: nothing lost, nothing twice.

The van is killed while it takes requests in, and while it syncs behind a road that stops at a byte
of chance on the way up or down; central is killed while a van waits for its answer, and the van
gets through by itself once central is back.
"""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from field_client.clock import Clock
from field_client.enrolment import enrol
from field_client.settings import FieldSettings, Place
from field_client.vault.keys import Keys
from houses import Laptop, Office, kill
from server.central import Central, found, open_central
from server.database.people import Person as Member
from server.settings import load
from tests.proxy import Proxy, Way
from tests.requests import request_rows
from tests.vaults import CHEAP, PASSPHRASE
from tests.village import PLACE, village

ROUNDS = 15
ROWS = 9
PATIENCE = 60.0
ADMIN = Member("ratna", "Ratna Kasuba", "admin", "-")
VERIFIER = Member("nurlaila", "Nurlaila Soamole", "verifier", "-")


class Day:
    """Central as a process, a van's laptop, and the road between them."""

    def __init__(self, folder: Path) -> None:
        self.office = Office(folder / "office")
        self.central = self._founded(folder)
        self.office.open()
        self.road = Proxy(self.office.port)
        self.van = self._enrolled(folder / "van")
        self.chance = random.Random(20261121)

    def _founded(self, folder: Path) -> Central:
        place = load(self.office.folder / "central", {})
        found(place, folder / "recovery-key.json")
        return open_central(place)

    def _enrolled(self, folder: Path) -> Laptop:
        """A laptop with cheap keys, so that each of many processes opens it at once."""
        invited = self.central.devices.invite(ADMIN, "van", "van", "Si Jola 1", [PLACE], "Sari")
        laptop = Laptop(folder, "sari")
        data = folder / "data"
        place = Place(data, FieldSettings())
        enrol(place, invited.file, "sari", PASSPHRASE, Clock(), Keys(data, None), CHEAP).close()
        settings = f'url = "{self.road.url}"\nlongest_pause_seconds = 1\ntries = 20\n'
        (data / "jemput.toml").write_text(settings, encoding="utf-8")
        return laptop

    def close(self) -> None:
        self.road.close()
        self.office.close()
        self.central.close()

    # -- killing

    def queue(self, file: Path) -> None:
        """Take in a file, killed after an answer of chance."""
        self.van.queue(file, kill_after=self.chance.randint(1, ROWS))

    def stopped_sync(self) -> tuple[subprocess.Popen[str], bool]:
        """A sync that stands still at a byte of chance; False if it came through before."""
        way: Way = self.chance.choice(("up", "down"))
        self.road.stall(after=self.chance.randint(0, 900), way=way)
        running = self.van.start_sync()
        until = time.monotonic() + PATIENCE
        while not self.road.held.wait(0.02) and running.poll() is None:
            assert time.monotonic() < until, "neither stopped nor done"
        return running, running.poll() is None

    def kill_van(self) -> bool:
        """Kill the van in the middle of a sync."""
        running, busy = self.stopped_sync()
        kill(running)
        self.road.clear()
        self.road.drop()
        return busy

    def kill_central(self) -> bool:
        """Kill central while the van waits; the van has to get through when it is back."""
        running, busy = self.stopped_sync()
        self.office.kill()
        self.road.clear()
        self.road.drop()
        time.sleep(self.chance.random() * 0.5)
        self.office.open()
        report = self.van.end_sync(running)
        assert report["pending"] == 0
        return busy

    # -- what came of it

    def stored(self) -> list[str]:
        """Ids of every request at central."""
        ids: list[str] = []
        after = ""
        while page := self.central.casework.requests(VERIFIER, after=after, limit=200):
            ids += [line.id for line in page]
            after = page[-1].id
        return ids


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    made = Day(tmp_path)
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
    written = [write(folder / f"{number}.jsonl", part) for number, part in enumerate(parts)]
    return written, write(folder / "all.jsonl", rows), len(rows)


def write(file: Path, rows: list[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def test_everything_is_killed_again_and_again_and_every_request_is_there_once(
    day: Day, tmp_path: Path
) -> None:
    parts, everything, count = files(tmp_path)
    busy = {"van": 0, "central": 0}
    for number in range(ROUNDS):
        if number < len(parts):
            day.queue(parts[number])
        who = "central" if number % 3 == 2 else "van"
        busy[who] += day.kill_central() if who == "central" else day.kill_van()
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
