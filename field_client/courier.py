"""Courier: carries the log to central and brings back what was decided, over any road.

Every reply frame is one commit and every request can be made again, so a sync may be stopped or
killed at any moment: what central proved stays proved, the rest is sent the next time. How a single
log's exchange gets over the road is told in `crossing`.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from field_client import succession, training
from field_client.attachments.sending import Sent
from field_client.crossing import Crossing
from field_client.desk import Desk
from field_client.editions import adopt
from field_client.envelopes import Opened
from field_client.introduction import introduction
from field_client.orders import obey, shred
from field_client.settings import Place
from field_client.transports.http import Unreached
from field_client.vault.files import FileLock
from field_client.vault.logs import OwnLog
from field_client.vault.rewind import Asked
from models.problems import Problem
from sync import backoff, enrolment
from sync.exchange import Absorbed, Exchange, Filled, Settled, Step
from sync.messages import Checkpoint
from sync.state import Outcome

ENROL_PATH = "/v1/enrol"


class Road(Protocol):
    """Carries a body there and brings the answer. Raises Unreached where another try may help."""

    def post(
        self, path: str, body: bytes, arrived: Callable[[int], None] | None = None
    ) -> bytes: ...

    def close(self) -> None: ...


class Progress(msgspec.Struct, frozen=True):
    """How far a sync is. phase: "enrol", "send", "wait" (for `wait` seconds) or "done". stored, of
    total: entries that central proved to hold, of those there were to send; so also the bytes.
    rate: bytes a second that central proved, since this began. file_bytes, file_bytes_left: of
    papers and photos, proved in this sync and still to send."""

    phase: str
    stored: int = 0
    total: int = 0
    bytes_stored: int = 0
    bytes_total: int = 0
    wait: float = 0.0
    rate: float = 0.0
    file_bytes: int = 0
    file_bytes_left: int = 0

    @property
    def seconds_left(self) -> float | None:
        """At this rate; None as long as nothing is known of it."""
        left = self.bytes_total - self.bytes_stored + self.file_bytes_left
        return left / self.rate if self.rate > 0 else None


class Confirmed(msgspec.Struct, frozen=True):
    """Logs that central certified."""

    logs: tuple[bytes, ...] = ()


class Report(msgspec.Struct):
    """What one sync did. pushed: own entries proved stored by it. outcomes: outcome -> own entries
    of which it was told. received: decisions taken in. notices: new ones. orders: kinds acted on.
    pending: entries still to send. round_trips: times it had to wait for an answer before it could
    go on. connections: made for that. seconds: wall clock. files: papers and photos.
    reference: it brought new forms, lists or days."""

    pushed: int = 0
    outcomes: dict[str, int] = {}
    received: int = 0
    notices: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    round_trips: int = 0
    connections: int = 0
    bytes_kept: int = 0
    seconds: float = 0.0
    enrolled: bool = False
    orders: list[str] = []
    pending: int = 0
    files: Sent = msgspec.field(default_factory=Sent)
    reference: bool = False


class Courier:
    """Runs exchanges for one laptop. progress: called after each step, must be quick. stop: asked
    all the time; what was proved until then stands. asked_to_wait: seconds that central wanted when
    the courier gave up. Not for several threads at once."""

    def __init__(
        self,
        desk: Desk,
        road: Road,
        place: Place,
        progress: Callable[[Progress], None] | None = None,
        stop: Callable[[], bool] = lambda: False,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.desk = desk
        self.store = desk.store
        self.road = road
        self.place = place
        self.progress = progress or _unwatched
        self.stop = stop
        self.sleep = sleep
        self.chance = chance
        self.report = Report()
        self.asked_to_wait = 0.0
        self._states: dict[tuple[bytes, int], str] = {}
        self._total = self._total_bytes = 0
        self._files = Sent()
        self._began = time.monotonic()

    # -- the verbs

    def sync(self) -> Report:
        """Send everything and hear everything. Problems: sync.busy, sync.unreachable, sync.timeout,
        sync.forged_reply, vault.shredded (by order, at the end), or what central refuses; `report`
        holds what was done until then."""
        began = time.monotonic()
        unread = self.store.standing().unread
        with self._alone():
            try:
                self._exchange_all()
                self._let_files_go()
                self.report.reference = adopt(self.store)
                shred(self.desk, delivered=not self.stop(), last_word=self._last_word)
            except Problem as problem:
                # Cut off after the last entry, or no log of it is let in any more: also delivered.
                shut = problem.code == "device.lost"
                shred(self.desk, delivered=shut, last_word=self._last_word if shut else _nothing)
                raise
            finally:
                self.road.close()
                standing = self.store.standing()
                self.report.notices = standing.unread - unread
                self.report.pending = standing.unsent
                self.report.outcomes = dict(sorted(Counter(self._states.values()).items()))
                self.report.seconds = round(time.monotonic() - began, 3)
        return self.report

    def _last_word(self) -> None:
        """It locked itself: the office hears so, by the newest log that it knows."""
        confirmed = self.store.recall(Confirmed) or Confirmed()
        known = [log for log in self.store.logs() if log.id in confirmed.logs]
        if known:
            Crossing(self, known[-1]).last_word()

    def enrol(self) -> Report:
        """Only make the newest log known to central; a single try."""
        with self._alone():
            try:
                self._confirm(self.store.log(), tries=1)
            finally:
                self.road.close()
        return self.report

    def _alone(self) -> FileLock:
        """Two syncs at once would only send everything twice. Problem training.never_sent."""
        training.refuse(self.store)
        return SyncLock(self.place.folder / "sync.lock", wait=0)

    def _exchange_all(self) -> None:
        if self.store.restored:
            succession.after_copy(self.desk)
        self.report.orders += obey(self.desk)
        while not self.stop():
            parted = False
            for log in self._due():
                parted = self._met(log) or parted
            fresh = obey(self.desk)
            self.report.orders += fresh
            if not parted and "rotate" not in fresh:
                return

    def _due(self) -> list[OwnLog]:
        """Older logs that still have something to send, then the newest."""
        *older, newest = self.store.logs()
        asked = self.store.recall(Asked)  # after a restore of central: what it knows of each
        known = asked.logs if asked is not None else [log.id for log in older]
        files = self.store.attached.logs_waiting()
        due = (log.stored < log.seq or log.id not in known or log.id in files for log in older)
        return [log for log, is_due in zip(older, due, strict=True) if is_due] + [newest]

    # -- being known

    def _confirm(self, log: OwnLog, tries: int = 0) -> None:
        """Ask central to certify the log, once. Asking again after a lost answer is harmless."""
        confirmed = self.store.recall(Confirmed) or Confirmed()
        if log.id in confirmed.logs:
            return
        self.progress(Progress("enrol"))
        central = self.desk.invitation()
        body = enrolment.ask(
            introduction(self.desk, self.place.folder, log), log.identity, central.seal_key
        )
        answer = self._patiently(lambda: self.post(ENROL_PATH, body), tries)
        try:
            certificate = enrolment.read_certificate(answer, log.identity, central.sign_key)
        except Problem as problem:
            raise Problem("sync.forged_reply") from problem
        self.store.remember(certificate, Confirmed((*confirmed.logs, log.id)))
        self.report.enrolled = True

    def _met(self, log: OwnLog) -> bool:
        """Make the log known and exchange. A central that was put back to a time before it knew
        this log, or the one that it follows, certifies them once more."""
        try:
            self._confirm(log)
            return self._exchange(log)
        except Problem as problem:
            if problem.code != "sync.unknown_device":
                raise
            confirmed = self.store.recall(Confirmed) or Confirmed()
            self.store.remember(Confirmed())
            try:
                for earlier in self.store.logs():
                    self._confirm(earlier)
            except Problem as refusal:
                self.store.remember(confirmed)
                raise problem from refusal
            return self._exchange(log)

    # -- exchanging

    def _exchange(self, log: OwnLog) -> bool:
        """Send and hear everything about one log. True where it has to be done
        again: a new log goes on, or central was restored."""
        self._total, self._total_bytes = log.seq - log.stored, log.unsent
        self._began = time.monotonic()
        crossing = Crossing(self, log)
        self._files = crossing.files.sent
        try:
            exchange = crossing.run()
        finally:
            self._count_files(crossing.files.sent)
        if exchange.parted is None:
            return exchange.rewound
        succession.after_fork(self.desk, log.id, exchange.parted)
        return True

    def _count_files(self, sent: Sent) -> None:
        """Add up what became of files, log by log."""
        mine, self._files = self.report.files, Sent()
        self.report.files = Sent(
            files=mine.files + sent.files,
            bytes=mine.bytes + sent.bytes,
            stopped=sorted({*mine.stopped, *sent.stopped}),
            altered=mine.altered + sent.altered,
            damaged=mine.damaged + sent.damaged,
        )
        left = self.store.attached.left()
        self.report.files.left, self.report.files.left_bytes = left.files, left.bytes

    def _let_files_go(self) -> None:
        """Delete copies of files that central and its backup have, once their days are over."""
        checkpoint = self.store.recall(Checkpoint)
        if checkpoint is None:
            return
        gone = self.store.attached.may_go(checkpoint, self.place.settings.file_days)
        self.store.attached.gone(gone)
        for blob in gone:
            self.desk.blobs.drop(blob)
        self.report.files.deleted = len(gone)

    def absorb(self, exchange: Exchange, opened: Opened, log: OwnLog) -> None:
        """Write what an answer says; each frame of it is one commit."""
        before = exchange.position.stored
        steps = exchange.receive(opened.reply, opened.proof, opened.pages, opened.orders)
        self._write(steps, log)
        self.report.pushed += exchange.position.stored - before
        self.report.round_trips += exchange.outstanding == 0
        self.tell("send", log)

    def _write(self, steps: Sequence[Step], log: OwnLog) -> None:
        """One commit for the first frame, one for each page."""
        first = [step for step in steps if not isinstance(step, Absorbed | Filled)]
        self.store.apply(*first, log=log.id)
        for step in first:
            if isinstance(step, Settled):
                for told in step.outcomes:
                    for seq in range(told.first, told.last + 1):
                        self._states[log.id, seq] = told.state
        own = {one.id for one in self.store.logs()}
        for page in (step for step in steps if isinstance(step, Absorbed | Filled)):
            self.store.apply(page, log=log.id)
            if isinstance(page, Filled):
                continue
            self.report.received += len(page.decisions)
            for effect in (e for decision in page.decisions for e in decision.effects):
                if isinstance(effect, Outcome) and effect.log in own:
                    self._states[effect.log, effect.seq] = effect.state

    def tell(self, phase: str, log: OwnLog, wait: float = 0.0) -> None:
        """Show how far it is."""
        now = self.store.log(log.id)
        left, left_bytes = now.seq - now.stored, now.unsent
        stored, stored_bytes = self._total - left, self._total_bytes - left_bytes
        seconds = time.monotonic() - self._began
        proved = max(0, stored_bytes) + self._files.bytes
        self.progress(
            Progress(
                phase,
                max(0, stored),
                self._total,
                max(0, stored_bytes),
                self._total_bytes,
                wait,
                proved / seconds if seconds > 0 else 0.0,
                self._files.bytes,
                self.store.attached.left().bytes,
            )
        )

    # -- the road

    def post(self, path: str, body: bytes) -> bytes:
        """One round trip by a single post."""
        self.report.bytes_up += len(body)
        self.report.connections += 1
        return self.road.post(path, body, self._arrived)

    def _arrived(self, size: int) -> None:
        self.report.bytes_down += size

    def _patiently(self, post: Callable[[], bytes], tries: int) -> bytes:
        """Try until it works or the tries are used up (0: as many as the settings allow)."""
        failures = 0
        while True:
            try:
                return post()
            except Unreached as failure:
                failures += 1
                self.wait(failure, failures, tries)

    def wait(
        self, failure: Unreached, failures: int, tries: int = 0, *, soon: bool = False
    ) -> None:
        """Wait before the next try, or give up for now by raising. soon: the road was good until
        just now, so it is tried again at once."""
        if failures >= (tries or self.place.settings.tries) or self.stop():
            self.asked_to_wait = failure.wait
            raise failure.problem from failure
        longest = self.place.settings.longest_pause_seconds
        wait = backoff.pause(failures, self.chance(), failure.wait, longest)
        if soon:
            wait = failure.wait + self.chance() * backoff.SOON_SECONDS
        self.progress(Progress("wait", wait=wait))
        self.sleep(wait)


def _nothing() -> None:
    """There is nothing to say."""


def _unwatched(progress: Progress) -> None:
    """Nobody watches."""


class SyncLock(FileLock):
    """The lock that one sync holds; its refusal says so."""

    def __enter__(self) -> SyncLock:
        try:
            super().__enter__()
        except Problem as problem:
            if problem.code == "vault.busy":
                raise Problem("sync.busy") from problem
            raise
        return self
