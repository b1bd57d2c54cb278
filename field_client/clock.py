"""What the laptop's clocks say, noted with every change, and whether they can be believed.

No clock decides anything (protocol, §11); a wrong one is never a reason to refuse a citizen. But a
clock that jumped back, or away from the machine's own uptime, is shown to the operator, and the two
numbers written into each change let central see it too.
"""

from __future__ import annotations

import hashlib
import secrets
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from models.problems import Problem
from models.words import WIT

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
BACKWARDS_SECONDS = 60
"""Time servers step a clock by seconds; what goes back further was moved by somebody."""

EARLIEST = 1_795_186_800
"""21 November 2026, 00:00 WIT, when this edition was made: an earlier clock is wrong."""


class Reading(msgspec.Struct, frozen=True):
    """at: wall clock, Unix seconds. uptime: seconds since the machine started, sleep included."""

    at: int
    uptime: int


class ClockFacts(msgspec.Struct, frozen=True):
    """What goes into a change, and is kept to compare the next reading with.

    booted: wall clock minus uptime; it stays the same unless the clock is moved. boot: random
    number of this start of the machine. uptime: as read.
    """

    at: int
    booted: int
    boot: int
    uptime: int


class Known(msgspec.Struct, frozen=True):
    """The newest reading that was used, and the newest time that central signed (0: none)."""

    facts: ClockFacts | None
    central: int = 0


def read_clocks() -> Reading:
    """Both clocks of this machine."""
    return Reading(int(time.time()), int(_uptime()))


def _uptime() -> float:
    """Seconds since the start. CLOCK_MONOTONIC stands still during sleep on Linux and not on
    macOS; Windows' monotonic clock counts sleep."""
    name = "CLOCK_BOOTTIME" if sys.platform == "linux" else "CLOCK_MONOTONIC"
    clock = getattr(time, name, None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def boot_number() -> int | None:
    """32 bits that name this start of the machine, or None where the system gives no such name."""
    try:
        text = BOOT_ID.read_bytes()
    except OSError:
        return None
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big")


class Clock:
    """Gives the clock facts of a change. `read` and `boot` are replaced in tests."""

    def __init__(
        self,
        read: Callable[[], Reading] = read_clocks,
        boot: Callable[[], int | None] = boot_number,
        drift_seconds: int = 600,
    ) -> None:
        self.read = read
        self.boot = boot
        self.drift_seconds = drift_seconds

    def facts(self, before: ClockFacts | None) -> ClockFacts:
        """The facts now. before: the newest facts used, for the boot number where the system gives
        none: a start is a new one when the uptime went back."""
        now = self.read()
        boot = self.boot()
        if boot is None:
            same = before is not None and now.uptime >= before.uptime
            boot = before.boot if same and before is not None else secrets.randbits(32)
        return ClockFacts(now.at, now.at - now.uptime, boot, now.uptime)

    def doubt(self, now: ClockFacts, known: Known) -> Problem | None:
        """Why the operator is asked to look at the clock, or None: it went back, moved against the
        uptime, lies before central's last signed time, or before this program was made."""
        shown = datetime.fromtimestamp(now.at, UTC)
        before = known.facts
        wrong = now.at < EARLIEST or now.at < known.central - self.drift_seconds
        if before is not None:
            wrong = wrong or now.at < before.at - BACKWARDS_SECONDS
            moved = abs(now.booted - before.booted) > self.drift_seconds
            wrong = wrong or (now.boot == before.boot and moved)
        return Problem("clock.wrong", shown=shown) if wrong else None


def today(now: ClockFacts, known: Known) -> date:
    """The day for checking a form. Of a clock that stands behind, the newest time known to be past
    counts, so that a birth of last week is not "in the future"."""
    at = max(now.at, known.central, EARLIEST)
    return datetime.fromtimestamp(at, WIT).date()
