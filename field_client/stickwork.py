"""Stick work: an export or import that takes its time beside the desk, and how far it is.

    work = StickWork(house, "export", folder)
    work.start(before, after)    one thread of its own, at a desk of its own
    work.running, work.step      until it ended with `made`, `taken` or `problem`

A page that waits asks again; nobody has to keep it open.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from field_client.bundles import Bundles, Exported
from field_client.desk import Desk
from field_client.inbox import Refused, Taken
from models.problems import Problem, internal

if TYPE_CHECKING:
    from field_client.app import House

Doing = Literal["export", "import"]


class Step(msgspec.Struct, frozen=True):
    """How far it is. phase: "wait", "write", "verify" or "read"; done, of total, bytes or pages."""

    phase: str = "wait"
    done: int = 0
    total: int = 0

    @property
    def percent(self) -> int | None:
        """0-100; None where nothing is known yet."""
        return min(100, self.done * 100 // self.total) if self.total else None


class StickWork:
    """One export or import. limit: bytes the stick may take, None for all."""

    def __init__(self, house: House, doing: Doing, folder: Path, limit: int | None = None) -> None:
        self.doing: Doing = doing
        self.folder = folder
        self.limit = limit
        self.step = Step()
        self.made: Exported | None = None
        self.taken: list[Taken] = []
        self.refused: list[Refused] = []
        self.problem: Problem | None = None
        self.running = True
        self._house = house
        self._thread: threading.Thread | None = None

    def start(self, before: Callable[[], None], after: Callable[[], None]) -> None:
        """Begin. before, after: called in its thread, such as to make way for it."""
        self._thread = threading.Thread(
            target=self._run, args=(before, after), name="stick", daemon=True
        )
        self._thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Until it has ended, or so long."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self, before: Callable[[], None], after: Callable[[], None]) -> None:
        try:
            before()
            self._work()
        except Problem as problem:
            self.problem = problem
        except Exception as error:  # never in silence: the page would wait for ever
            logging.getLogger(__name__).error("stick: %s", type(error).__name__)
            self.problem = internal(error)
        finally:
            self.running = False
            after()

    def _work(self) -> None:
        house = self._house
        desk = Desk(house.store, house.unlocked, house.clock)
        bundles = Bundles(desk, house.place, self._moved)
        if self.doing == "export":
            self.made = bundles.export(self.folder, self.limit)
        else:
            self.taken, self.refused = bundles.take([self.folder])

    def _moved(self, phase: str, done: int, total: int) -> None:
        self.step = Step(phase, done, total)
