"""Real programs in real trouble: a full disk at either end, a request that ends the process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import home
from houses import json_lines
from tests.day import Day, write_rows
from tests.disks import fill, small_disk
from tests.requests import request_rows
from tests.village import village

pytestmark = pytest.mark.timeout(600)  # real processes, beside the rest of the run
MEGABYTE = 1_000_000
POISON = "+6281243009999"

# A program with a fault: whatever speaks of this phone number ends it.
FAULTY = f"""
import os
from server import ledger
taken = ledger.take
def take(known, log, fresh, *more):
    for entry in fresh:
        if {POISON.encode()!r} in entry.data and (log.id, entry.seq) not in known.poisoned:
            os._exit(9)
    return taken(known, log, fresh, *more)
ledger.take = take
from server.cli import main
main()
"""


def rows_of(count: int, seed: int = 3) -> list[dict[str, Any]]:
    """Single requests, no families: each stands for itself."""
    rows = request_rows(village(600), count, seed)
    return [{name: value for name, value in row.items() if name != "family"} for row in rows]


@pytest.fixture
def van_disk(tmp_path: Path) -> Iterator[Path]:
    yield from small_disk(tmp_path / "van-disk", 6)


@pytest.fixture
def office_disk(tmp_path: Path) -> Iterator[Path]:
    yield from small_disk(tmp_path / "office-disk", 12)


def set_tries(day: Day, tries: int) -> None:
    """How often the van tries before it gives up for now."""
    settings = day.van.folder / "data" / "jemput.toml"
    settings.write_text(settings.read_text().replace("tries = 1000", f"tries = {tries}"))


def test_a_van_whose_disk_is_full_says_so_and_goes_on_later(tmp_path: Path, van_disk: Path) -> None:
    day = Day(van_disk, tmp_path / "office")
    try:
        rows = rows_of(120)
        file = write_rows(tmp_path / "rows.jsonl", rows)
        ballast = fill(van_disk, leave=MEGABYTE)
        said = day.van.run("queue", "--from", str(file), "--json", ok=(1,))
        assert "[disk.full]" in said.err
        assert "penuh" in said.err
        taken = [one for one in said.lines if one.get("outcome") == "queued"]
        assert 0 < len(taken) < len(rows)
        (status,) = day.van.run("status", "--json").lines  # what was stored can still be read
        assert status["requests"] == {"submitted": len(taken)}
        ballast.unlink()
        day.van.queue(file)
        again = day.van.answers
        assert again[: len(taken)] == taken
        day.van.sync()
        assert set(day.stored()) == {one["id"] for one in again}
        assert len(day.stored()) == len(rows)
    finally:
        day.close()


def test_a_van_is_told_that_the_offices_disk_is_full_not_its_own(
    tmp_path: Path, office_disk: Path
) -> None:
    day = Day(tmp_path / "van", office_disk)
    try:
        day.van.queue(write_rows(tmp_path / "rows.jsonl", rows_of(60)))
        day.van.sync()
        before = day.stored()
        day.van.queue(write_rows(tmp_path / "more.jsonl", rows_of(60, seed=4)), ok=(0, 3))
        set_tries(day, 2)
        ballast = fill(office_disk, leave=20_000)
        said = day.van.run("sync", "--json", ok=(5,))
        assert "[sync.office_trouble]" in said.err
        assert "aman di laptop" in said.err
        ballast.unlink()
        if not day.office.runs:
            day.office.open()  # it ends itself when it does not know what is on its disk
        assert set(before) <= set(day.stored())
        assert day.van.sync()["pending"] == 0
        assert set(day.stored()) == set(day.van.acknowledged.values())
        assert not day.central.evidence.verify(None).broken
    finally:
        day.close()


def test_a_request_that_ends_central_delays_nobody_else(tmp_path: Path) -> None:
    day = Day(tmp_path / "van", tmp_path / "office")
    try:
        day.office.close()
        day.office.command = [str(home.interpreter()), "-c", FAULTY]
        day.office.open()
        rows = rows_of(6)
        rows[3]["answers"]["applicant"]["phone"] = POISON
        day.van.queue(write_rows(tmp_path / "rows.jsonl", rows))
        set_tries(day, 1)
        deaths = 0
        while day.van.run("sync", "--json", ok=(0, 5)).code != 0:
            if day.office.runs:
                continue  # too slow for the van on a busy machine, or not quite gone yet
            deaths += 1
            assert deaths <= 12, "it is never set aside"
            day.office.open()
        # Three times as a transaction, and once for each batch in which it came.
        assert deaths >= 4
        assert day.van.sync()["pending"] == 0, "stored, though not judged yet"
        (status,) = day.van.run("status", "--json").lines
        assert status["outcomes"].keys() == {"applied", "waiting"}
        assert status["outcomes"]["waiting"] == 1
        poisoned = next(a["id"] for a in day.van.answers if a["ref"] == rows[3]["ref"])
        acknowledged = set(day.van.acknowledged.values())
        assert set(day.stored()) == acknowledged - {poisoned}
        assert day.central.status().waiting == 1

        day.office.close()
        day.office.command = [str(home.tool("jemput-pusat"))]  # the mended program
        day.office.open()
        with day.central.registry.write() as door:
            ((_, log, seq),) = door.waiting()
            door.let_try(log, seq)
        assert day.central.ledger.retry(int(time.time())) == 1
        assert set(day.stored()) == acknowledged
        assert day.van.sync()["received"] >= 1
        (status,) = day.van.run("status", "--json").lines
        assert status["requests"] == {"received": len(rows)}
    finally:
        day.close()


def test_what_a_killed_program_left_unfinished_is_no_answer() -> None:
    """The test's own reading of output: half a line acknowledges nothing."""
    assert json_lines('{"a": 1}\n{"b": 2}\n{"c"') == [{"a": 1}, {"b": 2}]
