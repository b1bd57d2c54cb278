"""Crossing: how the exchange of one log gets over the road, again and again until it is through.

By streams where the road has them, else (or where something between swallows them) by single posts.
After a failure everything begins from what the store knows, as after a start. The link's rate and
the size of what to send are remembered from one sync to the next.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

from field_client import succession
from field_client.attachments.sending import Sending, lanes_of
from field_client.build import version
from field_client.envelopes import Envelopes
from field_client.health import health
from field_client.passage import Carrier, Passage
from field_client.transports.http import Unreached
from field_client.vault.logs import OwnLog
from models.problems import Problem
from sync import backoff
from sync.echo import Author, Own
from sync.exchange import Exchange
from sync.pace import Pace
from sync.transfer import CHUNK_BYTES

if TYPE_CHECKING:
    from field_client.courier import Courier

SYNC_PATH = "/v1/sync"
SILENT_MAX = 2
"""Streams in a row on which not a byte came back, before a single post is tried instead."""


@runtime_checkable
class Streaming(Protocol):
    """A road that can carry both ways at once."""

    def line(self, path: str) -> Carrier | None: ...

    def hang_up(self) -> None: ...


class Link(msgspec.Struct, frozen=True):
    """What this laptop's roads taught: size of the batch to begin with (bytes of entries), and the
    rate last measured (bytes a second, 0 for none)."""

    batch_bytes: int
    rate: float = 0.0


class Spent(msgspec.Struct, frozen=True):
    """Bytes moved on a day (ISO), both ways together."""

    day: str = ""
    size: int = 0


class Crossing:
    """Carries one log's exchange for a courier."""

    def __init__(self, courier: Courier, log: OwnLog) -> None:
        self.courier = courier
        self.store = courier.store
        self.log = log
        self.settings = courier.place.settings
        link = self.store.recall(Link)
        self.size = link.batch_bytes if link is not None else self.settings.batch_bytes
        self.pace = Pace(link.rate if link is not None else 0.0)
        central = courier.desk.invitation()
        self.envelopes = Envelopes(log.identity, central)
        self.files = Sending(
            self.store, courier.desk.blobs, log.id, central.seal_key,
            lanes_of(self.settings.changes_only),
        )  # fmt: skip
        self._silent = 0
        self._doubt = False
        self._opened: deque[float] = deque()

    def run(self) -> Exchange:
        """Until the exchange is finished, or the courier is to stop. Raises Problem when it gives
        up for now."""
        exchange = self._begin()
        failures = 0
        while not self._through(exchange) and not self.courier.stop():
            before = self._where(exchange)
            try:
                cut = self._cross(exchange)
            except (Unreached, Problem) as failure:
                moved = self._where(exchange) != before
                failures = 1 if moved else failures + 1
                self._after(failure, failures, moved)
                exchange = self._begin()
                continue
            moved = self._where(exchange) != before
            failures = failures + 1 if cut and not moved else 0
            if failures >= self.settings.tries:
                raise Problem("sync.timeout")
        self._remember()
        return exchange

    def last_word(self) -> None:
        """One request that brings nothing and wants nothing, but says how the laptop is. A single
        try; nobody reads the answer."""
        exchange = self._begin()
        request = exchange.request([], self.courier.desk.facts().at, pages=False)
        self.store.requested(exchange.position.number, self.log.id)
        with contextlib.suppress(Unreached, Problem):
            self.courier.post(SYNC_PATH, self.envelopes.close(request))

    def _begin(self) -> Exchange:
        """An exchange from what the store knows: after any failure the same as after a start."""
        desk, log = self.courier.desk, self.log.id
        position = self.store.position(log)
        self.files.begin()
        author = Author(log, desk.invitation().device, self.log.block)
        return Exchange(
            position,
            version(),
            lambda seq: succession.head_at(desk, seq, log),
            self.store.sight,
            Own(author, lambda first, size: self.store.pending(first - 1, size, log)),
            health(self.store, self.courier.place.folder),
        )

    def _through(self, exchange: Exchange) -> bool:
        return exchange.finished and (self.files.idle or exchange.over)

    def _where(self, exchange: Exchange) -> tuple[object, ...]:
        """What moves when a connection was not in vain."""
        position, sent = exchange.position, self.files.sent
        return position.stored, position.cursor, sent.files, sent.bytes

    def _remember(self) -> None:
        link = Link(self.size, round(self.pace.rate))
        if self.store.recall(Link) != link:
            self.store.remember(link)

    # -- one way or the other

    def _cross(self, exchange: Exchange) -> bool:
        """Over one connection as far as it goes. True where an answer was cut short."""
        self._cap()
        road = self.courier.road
        if isinstance(road, Streaming) and self._silent < SILENT_MAX:
            line = road.line(SYNC_PATH)
            if line is not None:
                self._stream(exchange, line, road)
                return False
        began = time.monotonic()
        cut = self._post(exchange)
        if not cut:
            self.size = backoff.next_size(self.size, time.monotonic() - began)
        return cut

    def _stream(self, exchange: Exchange, line: Carrier, road: Streaming) -> None:
        courier = self.courier
        passage = Passage(
            self.store, self.log, exchange, self.envelopes, line, self.pace,
            wrote=lambda opened: courier.absorb(exchange, opened, self.log),
            at=lambda: courier.desk.facts().at,
            stop=courier.stop,
            sending=self._spend,
            files=self.files,
            told=lambda: courier.tell("send", self.log),
            doubt=self._doubt,
        )  # fmt: skip
        courier.tell("send", self.log)
        try:
            passage.run()
        finally:
            courier.report.bytes_up += line.bytes_up
            courier.report.bytes_down += line.bytes_down
            courier.report.connections += 1
            courier.report.bytes_kept += passage.kept + line.head_bytes
            self._spend(line.bytes_down, ask=False)
            self._silent = 0 if line.bytes_down else self._silent + 1
            self._doubt = exchange.outstanding > 0
            road.hang_up()

    def _post(self, exchange: Exchange) -> bool:
        """One round trip, and its commits. True where the answer was cut short."""
        after = exchange.next_entry - 1
        entries = [] if exchange.asks_first else self.store.pending(after, self.size, self.log.id)
        request = exchange.request(entries, self.courier.desk.facts().at, blobs=self.files.asks())
        body = self.envelopes.close(request, self._file_frames(exchange))
        self.store.requested(exchange.position.number, self.log.id)
        self._spend(len(body))
        self.courier.tell("send", self.log)
        try:
            answer = self.courier.post(SYNC_PATH, body)
        except Unreached as failure:
            self._silent = 0  # the next try may be a stream again
            if not failure.arrived:
                raise
            answer = failure.arrived
        self._spend(len(answer), ask=False)
        opened = self.envelopes.open(answer)
        if opened is None:
            raise Unreached(Problem("sync.timeout"))
        self.courier.absorb(exchange, opened, self.log)
        for ack in opened.acks:
            self.files.acknowledged(ack.blobs, opened.reply.checkpoint)
        self.files.answered(opened.reply.blobs, opened.reply.checkpoint)
        if opened.cut:
            self.files.begin()
        return opened.cut

    def _file_frames(self, exchange: Exchange) -> list[bytes]:
        """What of files goes along in a single post: nothing while entries wait."""
        if exchange.sent < exchange.position.last:
            return []
        self.files.announced(exchange.sent)
        return self.files.frames(self.size, CHUNK_BYTES)

    # -- after a failure

    def _after(self, failure: Unreached | Problem, failures: int, moved: bool) -> None:
        """Wait, or give up for now by raising. failures: in a row, this one too."""
        if isinstance(failure, Problem):
            self._mend(failure)
            return
        self.courier.wait(failure, failures, soon=moved)
        if failure.problem.code == "sync.timeout":
            self.size = backoff.smaller(self.size)

    def _mend(self, problem: Problem) -> None:
        """Refusals that the next try can avoid: too large, or a dictionary central lacks."""
        if problem.code in ("sync.too_large", "api.too_large"):
            if self.size > backoff.BATCH_BYTES_MIN:
                self.size = backoff.smaller(self.size)
                self.pace.failed()
                return
        elif problem.code == "sync.dictionary" and self.envelopes.plainer():
            return
        raise problem

    def _cap(self) -> None:
        """Never more than so many connections a minute, whatever fails how quickly."""
        now = time.monotonic()
        while self._opened and self._opened[0] <= now - backoff.CAP_SECONDS:
            self._opened.popleft()
        if len(self._opened) >= backoff.CAP_TRIES:
            self.courier.sleep(self._opened[0] + backoff.CAP_SECONDS - now)
        self._opened.append(now)

    # -- the day's share

    def _spend(self, size: int, *, ask: bool = True) -> None:
        """Count bytes, durably, before they move. ask: raise sync.budget where that is too much."""
        limit = self.settings.bytes_per_day
        if not limit:
            return
        today = self.courier.desk.today().isoformat()
        spent = self.store.recall(Spent)
        before = spent.size if spent is not None and spent.day == today else 0
        if ask and before + size > limit:
            raise Problem("sync.budget", limit=limit)
        self.store.remember(Spent(today, before + size))
