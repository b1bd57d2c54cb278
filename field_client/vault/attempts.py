"""Wrong PINs: a growing wait, kept on disk. A courtesy, not a lock.

It stops a curious colleague from trying PINs at the keyboard. It stops nobody who has the files:
whoever copies the folder can put this file back. What holds against them is the cost of Argon2id
and the machine secret or the length of the passphrase.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from field_client.vault.files import write_atomically
from models.problems import Problem

FREE_MISSES = 2
LONGEST_WAIT = 300


class Misses(msgspec.Struct, frozen=True):
    """Wrong PINs of one operator in a row, and when the last one was (Unix seconds)."""

    count: int
    at: int


def wait_after(misses: int) -> int:
    """Seconds to wait after so many misses in a row: 0, 0, 1, 2, 4, … 300."""
    if misses <= FREE_MISSES:
        return 0
    return min(LONGEST_WAIT, 1 << min(misses - FREE_MISSES - 1, 16))


class Attempts:
    """`attempts.json`: operator name -> Misses. Its loss is harmless, so it is read leniently."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def check(self, operator: str, now: int) -> None:
        """Raise Problem `pin.wait` (details: seconds) while the operator has to wait.

        now: Unix seconds. A clock that went back starts the wait anew instead of stretching it to
        years.
        """
        everyone = self._read()
        misses = everyone.get(operator)
        if misses is None:
            return
        if now < misses.at:
            misses = Misses(misses.count, now)
            self._write(everyone | {operator: misses})
        left = misses.at + wait_after(misses.count) - now
        if left > 0:
            raise Problem("pin.wait", seconds=left)

    def missed(self, operator: str, now: int) -> tuple[int, int]:
        """Count one more wrong PIN; returns how many in a row and the seconds to wait."""
        everyone = self._read()
        count = everyone[operator].count + 1 if operator in everyone else 1
        self._write(everyone | {operator: Misses(count, now)})
        return count, wait_after(count)

    def clear(self, operator: str) -> None:
        """Forget the misses of one operator: the PIN was right."""
        everyone = self._read()
        if everyone.pop(operator, None) is not None:
            self._write(everyone)

    def _read(self) -> dict[str, Misses]:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=dict[str, Misses])
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return {}

    def _write(self, everyone: dict[str, Misses]) -> None:
        # A full disk must not turn "wrong PIN" into another message, nor keep a right PIN out.
        with contextlib.suppress(Problem):
            write_atomically(self.path, msgspec.json.encode(everyone))
