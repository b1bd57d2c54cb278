"""Passage: one log's exchange over one connection that moves both ways at once.

Requests go out as long as the pace allows, each made (read, packed, signed, sealed) while those
before it are on the road; every answer is a commit. When the connection breaks or stands still the
passage ends with what central proved; the next one goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from field_client.attachments.sending import Sending
from field_client.envelopes import Answers, Envelopes, Opened, is_ack
from field_client.transports.http import Unreached
from field_client.transports.stream import refusal_in
from field_client.vault.logs import OwnLog
from field_client.vault.store import Store
from models.problems import Problem
from sync import pace as pacing
from sync.exchange import Exchange
from sync.logs import Entry
from sync.messages import Checkpoint
from sync.pace import Pace
from sync.transfer import CHUNK_BYTES

LOOK_SECONDS = 0.25
"""How often a passage that waits looks whether it shall stop."""

ENDING_SECONDS = 1.0
_FRAMING = 12
"""Bytes that a frame's length and HTTP's chunk add."""


class Carrier(Protocol):
    """What a passage needs of `transports.stream.Line`."""

    bytes_up: int
    bytes_down: int
    connect_seconds: float
    head_bytes: int

    @property
    def unsent(self) -> int: ...

    def retry_within(self, seconds: float) -> None: ...

    def put(self, frame: bytes) -> None: ...

    def end(self) -> None: ...

    def step(self, seconds: float) -> list[bytes]: ...


class Passage:
    """Carries `exchange` over `line`. wrote: called with each answer, commits it. at: the laptop's
    wall clock for requests. sending: called with the bytes that are about to be sent; raises
    Problem where they are not to be. files: follow when no entry waits any more.
    told: called when central said more of them. doubt: what the last connection carried without
    an answer may have arrived: the first answer is waited for before more is sent."""

    def __init__(
        self,
        store: Store,
        log: OwnLog,
        exchange: Exchange,
        envelopes: Envelopes,
        line: Carrier,
        pace: Pace,
        *,
        wrote: Callable[[Opened], None],
        at: Callable[[], int],
        stop: Callable[[], bool],
        sending: Callable[[int], None],
        files: Sending,
        told: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        doubt: bool = False,
    ) -> None:
        self.store = store
        self.log = log
        self.exchange = exchange
        self.envelopes = envelopes
        self.line = line
        self.pace = pace
        self.wrote = wrote
        self.at = at
        self.stop = stop
        self.sending = sending
        self.files = files
        self.told = told
        self.clock = clock
        self.doubt = doubt
        self.answers = Answers(envelopes)
        self.kept = 0
        self._asked = False
        self._packing = 0.16  # bytes sent for a byte of entries, as seen so far
        self._left = 0  # bytes of entries still to be sent
        self._checkpoint: Checkpoint | None = None
        self._looked = 0.0

    def run(self) -> None:
        """Until the exchange is finished or is to stop. Raises Unreached, Problem."""
        self.envelopes.begin()
        self._left = self.store.log(self.log.id).unsent
        self.pace.connected(self.line.connect_seconds, self.clock())
        try:
            while not self._through() and not self.stop():
                self._fill()
                self._step()
        except Unreached:
            self.pace.failed()
            self._use_rest()
            raise
        self._end()

    def _through(self) -> bool:
        """Nothing is left to say, and nothing of files is left to send or waits for its answer."""
        return self.exchange.finished and (self.files.idle or self.exchange.over)

    # -- up

    def _fill(self) -> None:
        if self._asked and not self.exchange.outstanding and not self.exchange.finished:
            self._asked = False  # pages remain, or entries have to be sent again
        while not self._asked and self.pace.room and not self._waits:
            entries = self._next()
            self._asked = not entries or entries[-1].seq >= self.exchange.position.last
            asks = self.files.asks() if self._asked else []
            request = self.exchange.request(entries, self.at(), pages=self._asked, blobs=asks)
            self.store.requested(self.exchange.position.number, self.log.id)
            frame = self.envelopes.frame(request)
            self._put(frame)
            plain = sum(len(entry.data) for entry in entries)
            self._left = max(0, self._left - plain)
            if plain > 2 * pacing.FIRST_BYTES:
                self._packing += 0.5 * (len(frame) / plain - self._packing)
            self._move(0.0)
        if self._asked:
            self._fill_files()

    def _next(self) -> list[Entry]:
        """Entries for the next frame."""
        if self.exchange.asks_first:
            return []
        return self.store.pending(self.exchange.next_entry - 1, self._budget(), self.log.id)

    @property
    def _waits(self) -> bool:
        """Is the answer that ends the doubt on its way?"""
        return self.doubt and self._checkpoint is None and self.exchange.outstanding > 0

    def _fill_files(self) -> None:
        """One piece after the other, as long as nobody saves anything more urgent."""
        self.files.announced(self.exchange.sent)
        while self.files.waiting and self.pace.room and not self._overtaken():
            size = self.pace.piece_bytes(CHUNK_BYTES)
            for frame in self.files.frames(size, size):
                self._put(frame)
            self._move(0.0)

    def _overtaken(self) -> bool:
        """Was an entry appended meanwhile? It goes before the next piece of a file."""
        if self.clock() < self._looked + LOOK_SECONDS:
            return not self._asked
        self._looked = self.clock()
        last = self.store.log(self.log.id).seq
        if last > self.exchange.position.last:
            self.exchange.grew(last)
            self._asked = False
        return not self._asked

    def _put(self, frame: bytes) -> None:
        self.sending(len(frame))
        self.line.put(frame)
        self.pace.put(len(frame), self.clock())

    def _budget(self) -> int:
        """Bytes of entries for the next frame."""
        if self.exchange.sent == self.exchange.position.stored and not self.pace.in_flight:
            return pacing.FIRST_BYTES
        left = int(self._left * self._packing)
        size = pacing.share(self.pace.frame_bytes, left)
        return int(size / self._packing) if size < left else self._left + pacing.FRAME_BYTES_MAX

    # -- down

    def _step(self) -> None:
        deadline = self.pace.deadline()
        now = self.clock()
        if deadline is not None and now > deadline:
            raise Unreached(Problem("sync.timeout"))
        self._move(LOOK_SECONDS if deadline is None else min(LOOK_SECONDS, deadline - now))

    def _move(self, seconds: float) -> None:
        unsent, heard = self.line.unsent, self.line.bytes_down
        frames = self.line.step(seconds)
        if self.line.bytes_down > heard or self.line.unsent < unsent:
            self.pace.alive(self.clock())
        self._hear(frames)

    def _hear(self, frames: Sequence[bytes]) -> None:
        for frame in frames:
            refused = refusal_in(frame)
            if refused is not None:
                raise refused
            if is_ack(frame):
                ack = self.envelopes.ack(frame)
                self._acknowledged()
                if self._checkpoint is not None:
                    self.files.acknowledged(ack.blobs, self._checkpoint)
                    self.told()
                continue
            opened = self.answers.take(frame)
            if opened is not None:
                self._acknowledged()
                self._answered(opened)

    def _acknowledged(self) -> None:
        self.kept += self.pace.acknowledged(self.clock()) + _FRAMING
        self.line.retry_within(self.pace.retry_seconds)

    def _answered(self, opened: Opened) -> None:
        self.wrote(opened)
        self._checkpoint = opened.reply.checkpoint
        if not self.exchange.outstanding:
            self.files.answered(opened.reply.blobs, opened.reply.checkpoint)

    def _use_rest(self) -> None:
        """Pages that came before the road broke."""
        opened = self.answers.rest()
        if opened is not None:
            self.wrote(opened)

    def _end(self) -> None:
        """Say that this was all; nobody waits for an answer to that."""
        self.line.end()
        until = self.clock() + ENDING_SECONDS
        try:
            while self.line.unsent and self.clock() < until:
                self.line.step(LOOK_SECONDS)
        except (Unreached, Problem):
            return
