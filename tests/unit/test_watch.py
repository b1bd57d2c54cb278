"""When a laptop syncs by itself: soon after a save, seldom for news, ever less without a road."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from field_client.courier import Report
from field_client.watch import BUDGET_SECONDS, REST_SECONDS, Heard, Watch
from models.problems import Problem


class Road:
    """A store and its couriers as far as `Watch` knows them."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.unsent = 0
        self.problem: Problem | None = None
        self.asked_to_wait = 0.0
        self.syncs: list[float] = []
        self.heard: list[Heard] = []

    def standing(self) -> Any:
        return SimpleNamespace(unsent=self.unsent)

    def sync(self) -> Report:
        self.syncs.append(self.now)
        if self.problem is not None:
            raise self.problem
        self.unsent = 0
        return Report()

    @property
    def report(self) -> Report:
        return Report()

    def watch(self) -> Watch:
        return Watch(
            self, lambda: self, 300, 600, self.heard.append,  # type: ignore[arg-type, return-value]
            lambda: self.now, lambda: 0.5,
        )  # fmt: skip

    def live(self, watch: Watch, seconds: int) -> list[float]:
        """Look every second for so long; the moments of syncs."""
        before = len(self.syncs)
        for _ in range(seconds):
            watch.look()
            self.now += 1
        return self.syncs[before:]


@pytest.fixture
def road() -> Road:
    return Road()


def test_news_is_asked_for_now_and_then(road):
    moments = road.live(road.watch(), 3000)
    assert moments[0] == 1000
    gaps = [b - a for a, b in pairwise(moments)]
    assert gaps == [300] * 9


def test_what_was_saved_goes_out_soon_but_never_twice_in_ten_seconds(road):
    watch = road.watch()
    road.live(watch, 60)
    road.unsent = 1
    assert road.live(watch, 5) == [1060]
    road.unsent = 1
    assert road.live(watch, 30) == [1060 + REST_SECONDS]


def test_without_a_road_it_tries_ever_less_often_also_when_more_is_saved(road):
    watch = road.watch()
    road.problem = Problem("sync.unreachable", why="x")
    road.unsent = 1
    moments = []
    for saved in range(2, 12):
        moments += road.live(watch, 300)
        road.unsent = saved
    gaps = [b - a for a, b in pairwise(moments)]
    assert gaps == sorted(gaps)
    assert (gaps[0], gaps[-1]) == (REST_SECONDS, 300)
    road.problem = None
    road.live(watch, 700)
    assert road.unsent == 0
    assert watch.failures == 0


def test_jitter_spreads_the_tries(road):
    waits = []
    for chance in (0.0, 0.4, 0.9):
        watch = Watch(
            road, lambda: road, 300, 600, road.heard.append, lambda: 0.0, partial(float, chance)
        )
        watch.look()
        waits.append(road.heard[-1].wait)
    assert waits == [225, 285, 360]


def test_what_central_asks_for_is_kept_to(road):
    watch = road.watch()
    road.problem, road.asked_to_wait = Problem("sync.rate", seconds=120), 120.0
    watch.look()
    assert road.heard[-1].wait == 120 + 300
    road.problem = Problem("sync.timeout")
    watch.look()
    road.now += 1000
    watch.look()
    assert road.heard[-1].wait > 120


def test_a_used_up_share_of_the_day_is_looked_at_again_later(road):
    watch = road.watch()
    road.problem = Problem("sync.budget", limit=1000)
    road.unsent = 5
    watch.look()
    assert (road.heard[-1].wait, road.heard[-1].problem) == (BUDGET_SECONDS, road.problem)
