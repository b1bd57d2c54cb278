"""Backoff: how long to wait before the next try, and how much to send in one go.

Pure: the random number and the seconds measured are arguments. A road that fails is tried
again for ever, ever less often; a batch that did not get through is halved until a single
transaction is left, so that any link that passes one piece between two failures gets on.
"""

from __future__ import annotations

FIRST_PAUSE = 2.0
LONGEST_PAUSE = 300.0
"""Seconds."""

SOON_SECONDS = 0.4
"""Longest pause after a road broke that had carried something just before."""

CAP_TRIES, CAP_SECONDS = 20, 60.0
"""Never more connections than this in such a time."""

BATCH_BYTES = 256 * 1024
BATCH_BYTES_MIN = 1024
BATCH_BYTES_MAX = 2 * 1024 * 1024
"""Bytes of entries before compression; a batch always holds one whole transaction at least."""

COMFORTABLE_SECONDS = 10.0
"""A round trip that took no longer may carry twice as much the next time."""


def pause(
    failures: int, chance: float, asked: float = 0.0, longest: float = LONGEST_PAUSE
) -> float:
    """Seconds to wait after so many failures in a row (1 or more).

    Doubling, with full jitter: vans that lost the same mast do not come back in the same second.
    chance: a random number in [0, 1). asked: what the other side asked us to wait; it is kept to,
    however long, with the jitter on top.
    """
    bound = min(longest, FIRST_PAUSE * 2.0 ** min(max(failures, 1) - 1, 30))
    return asked + max(0.0, min(chance, 1.0)) * bound


def smaller(batch_bytes: int) -> int:
    """Size to try after a batch of this size did not get through."""
    return max(BATCH_BYTES_MIN, batch_bytes // 2)


def next_size(batch_bytes: int, seconds: float, most: int = BATCH_BYTES_MAX) -> int:
    """Size for the next batch after one that got through in so many seconds."""
    if seconds > COMFORTABLE_SECONDS:
        return batch_bytes
    return min(most, batch_bytes * 2)
