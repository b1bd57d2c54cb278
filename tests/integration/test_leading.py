"""Several central processes on one PostgreSQL: the jobs of one of them run."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from server.database.engine import Database
from server.database.leading import Leader
from server.jobs import Jobs
from tests.architecture.source import ROOT
from tests.pusat import pusat

PROCESS = """
import sys
from server.database.engine import Database
from server.database.leading import Leader
leader = Leader(Database(sys.argv[1]), "82.72")
for _ in sys.stdin:
    print(leader.leads(), flush=True)
"""


CUT_OFF = """
select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'
and database = (select oid from pg_database where datname = current_database())
"""


class Other:
    """Another process that may lead."""

    def __init__(self, url: str) -> None:
        words = [sys.executable, "-c", PROCESS, url]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(words, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)

    def leads(self) -> bool:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline() == "True\n"


@contextmanager
def other(url: str) -> Iterator[Other]:
    made = Other(url)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.communicate()


def until(true: Callable[[], bool]) -> None:
    """The server needs a moment to notice."""
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.postgres
def test_one_of_two_processes_leads_and_the_other_takes_over_when_it_is_killed(
    postgres_url: str,
) -> None:
    with other(postgres_url) as first, other(postgres_url) as second:
        assert [first.leads(), second.leads(), first.leads()] == [True, False, True]
        first.process.kill()
        until(second.leads)


@pytest.mark.postgres
def test_a_leader_that_was_cut_off_or_resigned_leads_no_more(postgres_url: str) -> None:
    databases = [Database(postgres_url) for _ in range(3)]
    first, second, elsewhere = (
        Leader(database, city)
        for database, city in zip(databases, ("82.72", "82.72", "82.71"), strict=True)
    )
    assert [first.leads(), second.leads(), elsewhere.leads()] == [True, False, True]
    with databases[2].engine.connect() as one:
        one.execute(text(CUT_OFF))
    assert not first._still()
    assert second.leads()
    assert not first.leads()
    second.resign()
    assert first.leads()
    for leader, database in zip((first, second, elsewhere), databases, strict=True):
        leader.resign()
        database.close()


@pytest.mark.postgres
def test_a_process_that_does_not_lead_leaves_the_registers_jobs_alone(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pusat(tmp_path / "pusat", postgres_url) as office:
        done: list[int] = []

        def retry(at: int) -> int:
            done.append(at)
            return 0

        monkeypatch.setattr(office.central.ledger, "retry", retry)
        mine, theirs = Jobs(office.central), Jobs(office.central)
        for jobs in (mine, theirs, theirs, mine):
            jobs.retry()
        assert len(done) == 2
        mine.leader.resign()
        theirs.retry()
        assert len(done) == 3
        theirs.leader.resign()


def test_on_sqlite_everybody_runs_their_jobs(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{(tmp_path / 'central.db').as_posix()}")
    assert all(Leader(database, "82.72").leads() for _ in range(2))
    database.close()
