"""What the benches share: a town to measure in, requests of its people, some arithmetic.

The town is that of the tests: a real central and real laptops over real databases in a temporary
folder, with function calls for a road. Only bytes are measured in it, never time.
"""

from __future__ import annotations

import contextlib
import gc
import secrets
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from field_client.clock import Clock, Reading
from tests.requests import MIX, request_rows
from tests.town import Laptop, Town
from tests.village import Village, village

Row = dict[str, Any]


@contextlib.contextmanager
def town() -> Iterator[Town]:
    """A town with nobody in it yet."""
    with tempfile.TemporaryDirectory(prefix="jb-bench-", ignore_cleanup_errors=True) as folder:
        made = Town(Path(folder))
        try:
            yield made
        finally:
            made.close()


def new_laptop(here: Town) -> Laptop:
    """One that is enrolled and has nothing to say. Its machine was started at a random moment and
    has a random boot number, as machines do: both travel with every change."""
    laptop = here.laptop("sari", f"van {len(here.laptops) + 1}")
    started, boot = here.time.at - secrets.randbelow(30_000), secrets.randbits(32)
    laptop.house.desk.clock = Clock(
        lambda: Reading(here.time.at, here.time.at - started), lambda: boot
    )
    return laptop


def take(laptop: Laptop, rows: Sequence[Row]) -> None:
    """Take requests in at the time they say; those of one family in one transaction."""
    time = laptop.town.time
    for family in families(rows):
        moment = int(datetime.fromisoformat(family[0]["taken_at"]).timestamp())
        time.at = max(time.at, moment - 60)  # `take` lets a minute go by
        laptop.take(*family)


def families(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows of one family together, the others one by one."""
    group: list[Row] = []
    for row in rows:
        if group and (row.get("family") is None or row.get("family") != group[0].get("family")):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def rows_of(count: int, seed: int, mix: Mapping[str, int] = MIX) -> list[Row]:
    """Requests of people of an invented village, big enough for them; words no dictionary knows."""
    return request_rows(_village_for(count, seed, mix), count, seed, mix=mix)


def _village_for(count: int, seed: int, mix: Mapping[str, int]) -> Village:
    """Nobody is recorded yet where only enrolments are asked for; births need many couples."""
    only = list(mix) == ["ktp-new-enrolment"]
    births = list(mix) == ["birth"]
    size = max(1500, 14 * count) if births else max(400, 3 * count)
    return village(size, seed, recorded=not only)


def quantile(values: Sequence[float], part: float) -> float:
    """The value below which `part` (0 to 1) of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


@contextlib.contextmanager
def steady() -> Iterator[None]:
    """No garbage collection inside: what it costs hits one side or the other by chance."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
