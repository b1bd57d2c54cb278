"""The sync command as a process: it stays and syncs by itself, and stops when it is told to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.day import Day, write_rows
from tests.requests import request_rows
from tests.village import village

MANY = 40
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are another matter there")


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    made = Day(tmp_path / "van", tmp_path / "office")
    yield made
    made.close()


def queue(day: Day, folder: Path, count: int = MANY) -> None:
    """Take in so many requests."""
    rows = request_rows(village(900, seed=5), count, seed=5)
    assert day.van.queue(write_rows(folder / "rows.jsonl", rows)) == count


@contextmanager
def started(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process whose pipes are closed in the end, and which lives no longer than its test."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def lines(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


@posix
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_sync_that_is_told_to_stop_ends_and_keeps_what_was_proved(day, tmp_path, sign):
    queue(day, tmp_path)
    day.road.stall(after=2500)
    with started(day.van.start_sync()) as running:
        assert day.road.held.wait(120)
        until = time.monotonic() + 120
        while not day.stored():
            assert time.monotonic() < until
            time.sleep(0.05)
        running.send_signal(sign)
        out, err = running.communicate(timeout=120)
    assert running.returncode == 130, (out, err)
    report = json.loads(out.splitlines()[-1])
    assert report["pending"] > 0
    assert "Dihentikan" in err
    stored = len(day.stored())
    assert 0 < stored < MANY
    day.road.clear()
    assert day.van.sync()["pending"] == 0
    assert len(day.stored()) == MANY
    assert not day.central.evidence.verify(None).broken


@posix
def test_watching_waits_for_a_road_sends_what_is_saved_and_ends_when_told(day, tmp_path):
    day.office.close()
    queue(day, tmp_path, 6)
    day.van.program.environment["JEMPUT_TRIES"] = "1"
    with started(day.van.program.start("sync", "--watch", "--json")) as running:
        heard = lines(running)
        first = next(heard)
        assert first["problem"]["code"] in ("sync.unreachable", "sync.timeout")
        assert first["sync"]["pending"] > 0
        day.office.open()
        until = time.monotonic() + 120
        for told in heard:
            assert time.monotonic() < until
            if "problem" not in told:
                break
        assert told["sync"]["pending"] == 0
        assert len(day.stored()) == 6
        rows = request_rows(village(900, seed=5), 9, seed=5)[6:]
        day.van.queue(write_rows(tmp_path / "more.jsonl", rows))
        assert next(heard)["sync"]["pushed"] > 0, "what was saved goes out without being asked"
        assert len(day.stored()) == 9
        running.send_signal(signal.SIGTERM)
        assert running.wait(120) == 0


def test_the_share_of_the_day_holds_for_every_sync_of_it(day, tmp_path):
    queue(day, tmp_path)
    day.van.program.environment["JEMPUT_BYTES_PER_DAY"] = "1500"
    for _ in range(2):
        said = day.van.run("sync", "--json", ok=(1,))
        assert said.last["problem"]["code"] == "sync.budget"
    assert day.road.passed["up"] < 4000
    day.van.program.environment["JEMPUT_BYTES_PER_DAY"] = "0"
    assert day.van.sync()["pending"] == 0
    assert len(day.stored()) == MANY
