"""Pace: how much to send in one frame and how much at once, learned from acknowledgements.

Pure: times are seconds of any clock that does not jump, given by the caller; sizes are bytes on the
wire. The first frame is small so that something is safe at once. Frames then take about a second of
the measured link: short enough that a broken connection costs little, long enough that signatures
are few. Enough of them are on their way to keep the link busy, and no more, since what lies in a
buffer when the link dies was sent for nothing.
"""

from __future__ import annotations

from collections import deque

import msgspec

FIRST_BYTES = 1024
"""Entries of the first frame, before compression: who works here, and the first request."""

FRAME_SECONDS = 1.0
FRAME_BYTES_MIN = 1500
FRAME_BYTES_MAX = 64 * 1024
FRAME_BYTES_UNKNOWN = 7 * 1024
"""As long as no link was measured."""

PIECE_SECONDS = 3.0
"""A piece of a file is a whole chunk where the link carries that in so long: parts of one cost more
seals and answers."""

SHARES = 4
SHARE_BYTES_MIN = 5000
"""A frame holds at most such a part of what is left, unless that is small anyway."""

WINDOW_SECONDS = 6.0
WINDOW_BYTES_MIN = 64 * 1024
WINDOW_BYTES_MAX = 1024 * 1024
"""Handed to the connection at most: enough to go on with while a lost packet is missed, sent again
and waited for, during which no answer comes."""

PATIENCE_SECONDS = 7.0
EXPLAINED_SECONDS_MAX = 10.0
"""Without a sign of life for so long, beyond what round trip and size explain (at most the second
number), a connection is given up."""

RETRY_SECONDS_MIN, RETRY_SECONDS_MAX = 1.5, 60.0
RETRY_BYTES = 3000
"""Two packets: what TCP has on its way when it tries whether the link is back."""

SLOWEST = 250.0
"""Bytes a second; a link is never taken for slower."""

_MEMORY = 0.7
"""Share of what was measured before that still counts at each acknowledgement."""


def share(frame_bytes: int, left: int) -> int:
    """Bytes of the next frame when so many are left: a short sync is several frames too, a long one
    ends with small ones, and no crumb is sent by itself."""
    wanted = min(frame_bytes, max(SHARE_BYTES_MIN, left // SHARES))
    return left if left <= wanted * 1.3 else wanted


class _Frame(msgspec.Struct, frozen=True):
    size: int
    at: float


class Pace:
    """What one connection teaches. rate: bytes a second as last measured, 0 for not yet. most: of a
    frame; halved at each failure, doubled as frames arrive. rtt: a round trip, in seconds."""

    def __init__(self, rate: float = 0.0, most: int = FRAME_BYTES_MAX, rtt: float = 1.0) -> None:
        self.rate = rate
        self.most = most
        self.rtt = rtt
        self._flight: deque[_Frame] = deque()
        self._bytes = self._seconds = 0.0
        self._alive = self._last = 0.0

    # -- how much

    @property
    def frame_bytes(self) -> int:
        """Bytes the next frame should have."""
        wanted = int(self.rate * FRAME_SECONDS) if self.rate else FRAME_BYTES_UNKNOWN
        return max(FRAME_BYTES_MIN, min(wanted, self.most, FRAME_BYTES_MAX))

    def piece_bytes(self, whole: int) -> int:
        """Bytes of a file the next frame should have. whole: of a chunk."""
        swift = self.rate * PIECE_SECONDS >= whole and self.most >= whole // 2
        return whole if swift else min(whole, self.frame_bytes)

    @property
    def window(self) -> int:
        """Bytes that may be on their way."""
        wanted = int(self.rate * (self.rtt + WINDOW_SECONDS))
        return max(WINDOW_BYTES_MIN, min(wanted, WINDOW_BYTES_MAX))

    @property
    def in_flight(self) -> int:
        """Bytes sent and not acknowledged."""
        return sum(frame.size for frame in self._flight)

    @property
    def room(self) -> bool:
        """May another frame be sent?"""
        return self.in_flight < self.window

    # -- what happened

    def connected(self, seconds: float, at: float) -> None:
        """A connection stands; making it took so long, about one round trip. Nothing is on its way
        on it yet."""
        self._flight.clear()
        self.rtt = max(0.01, seconds)
        self._alive = self._last = at

    def put(self, size: int, at: float) -> None:
        """A frame was handed to the connection."""
        self._flight.append(_Frame(size, at))

    def alive(self, at: float) -> None:
        """Bytes moved."""
        self._alive = at

    def acknowledged(self, at: float) -> int:
        """The oldest frame has its answer; gives its size."""
        if not self._flight:
            return 0
        frame = self._flight.popleft()
        waited = at - max(self._last, frame.at)
        if frame.at > self._last:
            waited -= self.rtt  # the link was idle before: this is not its rate
        self._bytes = self._bytes * _MEMORY + frame.size
        self._seconds = self._seconds * _MEMORY + max(waited, 0.001)
        if self._bytes > FRAME_BYTES_MIN:  # a few bytes measure nothing
            self.rate = max(SLOWEST, self._bytes / self._seconds)
        self.most = min(FRAME_BYTES_MAX, self.most * 2)
        self._alive = self._last = at
        return frame.size

    def failed(self) -> None:
        """The connection broke or stood still: nothing of it is waited for, frames get smaller."""
        self._flight.clear()
        self._bytes = self._seconds = 0.0
        self.most = max(FRAME_BYTES_MIN, self.frame_bytes // 2)

    # -- how long

    @property
    def retry_seconds(self) -> float:
        """How late TCP may try again after an outage: not before an answer could be here; in steps
        of half a second."""
        answer = 2 * self.rtt + RETRY_BYTES / max(self.rate, SLOWEST)
        return max(RETRY_SECONDS_MIN, min(round(answer * 2) / 2, RETRY_SECONDS_MAX))

    def deadline(self) -> float | None:
        """When to give the connection up unless something moves; None while nothing is due."""
        if not self._flight:
            return None
        oldest = self._flight[0]
        explained = self.rtt + oldest.size / max(self.rate, SLOWEST)
        since = max(self._alive, oldest.at)
        return since + PATIENCE_SECONDS + min(explained, EXPLAINED_SECONDS_MAX)
