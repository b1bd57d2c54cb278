"""What central does by the clock: look again at what waits, and check its own trail.

Memory store: the jobs are registered anew at every start. Of several processes on one PostgreSQL
one runs those that are about the register (`server.database.leading`); what is about a process's
own memory and folder runs in each.
"""

from __future__ import annotations

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from server.central import Central
from server.database.leading import Leader
from sync.recent import DAY_SECONDS

CHUNKS = 50
"""Of the search for duplicates (200 decisions each) or of the figures (500) in one run, so that no
run lasts for ever."""

log_lines = structlog.get_logger(__name__)


class Jobs:
    """Runs in threads of its own beside the application."""

    def __init__(self, central: Central) -> None:
        self.central = central
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
        self.scheduler.add_job(self.duplicates, "interval", minutes=settings.duplicate_minutes)
        self.scheduler.add_job(self.count, "interval", minutes=settings.report_minutes)
        self.scheduler.start()

    def stop(self) -> None:
        """Let a running job end and begin no other."""
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
        """Drop what the index of recent requests is made of, lists of residents, and forms that
        were begun at the counter, once their days are over."""
        if not self.leader.leads():
            return
        days = self.central.settings.recent_days
        with self.central.registry.write() as door:
            door.forget_recents(self.central.clock() - days * DAY_SECONDS)
        self.central.rosters.forget()
        self.central.counter.forget()

    def duplicates(self) -> None:
        """Look for requests of one person among what is new."""
        if not self.leader.leads():
            return
        found = self.central.duplicates.scan(CHUNKS)
        if found.opened:
            log_lines.info("duplicates_found", opened=found.opened, compared=found.compared)

    def count(self) -> None:
        """Take what is new into the figures."""
        if self.leader.leads():
            self.central.reports.follow(CHUNKS)

    def check(self) -> None:
        """Verify every chain. What is broken is reported by number; nothing is repaired."""
        if not self.leader.leads():
            return
        for broken in self.central.evidence.verify(None).broken:
            log_lines.error(
                "audit_broken", chain=broken.chain, number=broken.number, log=broken.log.hex()
            )
