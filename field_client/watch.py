"""Watch: a laptop that syncs by itself when there is a road, and leaves the road alone otherwise.

What was saved goes out with the next look; news is asked for now and then. While nobody answers it
tries ever less often, each time after another moment, so that vans that lost one mast do not all
come back in the same second. APScheduler does the looking (`Jobs`); all thinking is in `Watch`.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from field_client.courier import Courier, Report
from field_client.vault.store import Store
from models.problems import Problem
from sync import backoff

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

LOOK_SECONDS = 5
LOOK_JITTER_SECONDS = 2
"""How often it looks whether a sync is due."""

REST_SECONDS = 10.0
"""The least time between two syncs, whatever happens."""

BUDGET_SECONDS = 900.0
"""When to look again after the day's share was used up."""

_NO_ROAD = ("sync.unreachable", "sync.timeout")


class Heard(msgspec.Struct, frozen=True):
    """What a look brought. problem: why it did not end. wait: seconds until the next try."""

    report: Report
    problem: Problem | None
    wait: float


class Watch:
    """Decides when to sync, and does it. courier: makes a new one. every: seconds between asking
    for news while there is nothing to send. longest: of the pause while nobody answers."""

    def __init__(
        self,
        store: Store,
        courier: Callable[[], Courier],
        every: float,
        longest: float,
        told: Callable[[Heard], None],
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.store = store
        self.courier = courier
        self.every = every
        self.longest = longest
        self.told = told
        self.clock = clock
        self.chance = chance
        self.failures = 0
        self._next = self._rested = clock()
        self._unsent = 0

    @property
    def due(self) -> bool:
        """Is it time? Something new to send does not wait for the next asking, but it does wait
        while there is no road."""
        now = self.clock()
        if now >= self._next:
            return True
        fresh = self.store.standing().unsent > self._unsent
        return fresh and not self.failures and now >= self._rested

    def look(self) -> Heard | None:
        """Sync if it is due. Problems are told, never raised."""
        if not self.due:
            return None
        courier = self.courier()
        problem: Problem | None = None
        try:
            courier.sync()
        except Problem as found:
            problem = found
        wait = self._pause(problem, courier.asked_to_wait)
        now = self.clock()
        self._next, self._rested = now + wait, now + REST_SECONDS
        self._unsent = self.store.standing().unsent
        heard = Heard(courier.report, problem, wait)
        self.told(heard)
        return heard

    def _pause(self, problem: Problem | None, asked: float) -> float:
        """Seconds until the next try."""
        if problem is not None and problem.code in _NO_ROAD:
            self.failures += 1
            pause = backoff.pause(self.failures, self.chance(), asked, self.longest)
            return max(REST_SECONDS, pause)
        self.failures = 0
        if problem is not None and problem.code == "sync.budget":
            return BUDGET_SECONDS
        return asked + max(REST_SECONDS, self.every * (0.75 + 0.5 * self.chance()))


class Jobs:
    """What a laptop does by the clock while it is open, in a thread beside its desk."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.stopping = threading.Event()
        self._scheduler: BackgroundScheduler | None = None

    def start(self) -> None:
        """Begin; the first look is at once."""
        from datetime import UTC, datetime

        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone="UTC",
        )
        self._scheduler.add_job(
            self.watch.look,
            "interval",
            seconds=LOOK_SECONDS,
            jitter=LOOK_JITTER_SECONDS,
            next_run_time=datetime.now(UTC),
        )
        self._scheduler.start()

    def rest(self, seconds: float) -> None:
        """Sleep, unless it is to stop."""
        self.stopping.wait(seconds)

    def stop(self) -> None:
        """A sync that runs ends at its next step, with everything that was proved."""
        self.stopping.set()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
            self._scheduler = None
