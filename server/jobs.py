"""What central does by the clock: look again at what waits, and check its own trail.

Memory store: the jobs are registered anew at every start. Of several processes on one PostgreSQL
one runs those that are about the register (`server.database.leading`); what is about a process's
own memory and folder runs in each.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from server.central import Central
from server.database.leading import Leader
from sync.recent import DAY_SECONDS

CHUNKS = 50
"""Of the search for duplicates (200 decisions each) or of the figures (500) in one run, so that no
run lasts for ever."""
RESTS = 2.0
"""After each chunk, in times of what it took: what a large import or a restore brings is worked off
for hours, and pages and intake are not to wait for it. Threads of one process share a core."""

log_lines = structlog.get_logger(__name__)


class Jobs:
    """Runs in threads of its own beside the application."""

    def __init__(self, central: Central) -> None:
        self.central = central
        self._stopping = threading.Event()
        self.leader = Leader(central.registry.database, central.settings.city)
        self.scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 60},
            timezone="UTC",
        )

    def start(self) -> None:
        """Begin; the first runs come after one full interval."""
        settings = self.central.settings
        self.scheduler.add_job(self.retry, "interval", minutes=settings.retry_minutes)
        self.scheduler.add_job(self.check, "interval", hours=settings.audit_check_hours)
        self.scheduler.add_job(self.forget, "interval", hours=settings.audit_check_hours)
        self.scheduler.add_job(self.tidy, "interval", hours=settings.audit_check_hours)
        self.scheduler.add_job(self.duplicates, "interval", minutes=settings.duplicate_minutes)
        self.scheduler.add_job(self.count, "interval", minutes=settings.report_minutes)
        self.scheduler.add_job(self.targets, "interval", hours=1)
        self.scheduler.start()

    def stop(self) -> None:
        """Let a running job end its chunk and begin no other."""
        self._stopping.set()
        self.scheduler.shutdown(wait=True)
        self.leader.resign()

    def retry(self) -> None:
        """Judge again what waits: a newer edition of central may understand it by now."""
        self.central.reference.refresh()
        if self.leader.leads():
            decided = self.central.ledger.retry(self.central.clock())
            if decided:
                log_lines.info("retried", decided=decided)
        self.central.bundles.retry()

    def forget(self) -> None:
        """Drop what the index of recent requests is made of, lists of residents, forms that were
        begun at the counter, and what sessions say of staff, once their time is over."""
        if not self.leader.leads():
            return
        days = self.central.settings.recent_days
        with self.central.registry.write() as door:
            door.forget_recents(self.central.clock() - days * DAY_SECONDS)
            door.drop_old_sessions(self.central.clock())
        self.central.rosters.forget()
        self.central.counter.forget()

    def tidy(self) -> None:
        """Remove sealed files that nothing names, once they are old."""
        if self.leader.leads():
            self.central.tidying.run()

    def duplicates(self) -> None:
        """Look for requests of one person among what is new."""
        if not self.leader.leads():
            return

        def chunk() -> bool:
            found = self.central.duplicates.scan()
            if found.opened:
                log_lines.info("duplicates_found", opened=found.opened, compared=found.compared)
            return found.done

        self._in_chunks(chunk)

    def count(self) -> None:
        """Take what is new into the figures."""
        if self.leader.leads():
            self._in_chunks(lambda: self.central.reports.follow().done)

    def targets(self) -> None:
        """See how far target lists are served, those that were not counted today."""
        if self.leader.leads():
            self._in_chunks(self.central.rosters.count)

    def _in_chunks(self, chunk: Callable[[], bool]) -> None:
        """Do a long piece of work with rests, until a chunk says that there is nothing more."""
        for _ in range(CHUNKS):
            began = time.monotonic()
            if chunk() or self._stopping.wait(RESTS * (time.monotonic() - began)):
                return

    def check(self) -> None:
        """Verify every chain. What is broken is reported by number; nothing is repaired."""
        if not self.leader.leads():
            return
        for broken in self.central.evidence.verify(None).broken:
            log_lines.error(
                "audit_broken", chain=broken.chain, number=broken.number, log=broken.log.hex()
            )
