"""Shrinking: of a world that breaks a law, the fewest steps that still break it.

A step draws its chance from the seed and its own number, so steps can be left out. Halves, then
quarters and so on are left out as long as the same law breaks; time is bounded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence


def law_of(error: BaseException) -> str:
    """What two failures have in common: the law, or the kind of error."""
    text = str(error)
    return text.split(":")[0] if text.startswith("law ") else type(error).__name__


def shortest(
    ticks: Sequence[int], breaks: Callable[[Sequence[int]], bool], seconds: float
) -> list[int]:
    """As few of these steps as time allows, with which `breaks` is still true."""
    left = list(ticks)
    end = time.monotonic() + seconds
    parts = 2
    while len(left) > 1 and parts <= len(left):
        size = -(-len(left) // parts)
        for start in range(0, len(left), size):
            if time.monotonic() > end:
                return left
            fewer = left[:start] + left[start + size :]
            if breaks(fewer):
                left, parts = fewer, max(2, parts - 1)
                break
        else:
            if size == 1:
                return left
            parts = min(len(left), parts * 2)
    return left
