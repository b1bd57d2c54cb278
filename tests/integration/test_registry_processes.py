"""Many at once, and killed at any moment: threads and real processes on one register."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.database.registry import Registry
from server.ledger import Ledger
from tests.architecture.source import ROOT
from tests.contract.registry_home import CENTRAL, CITY, NOW, Home, create, database_home, edit
from tests.simulation.laptop import Laptop

POSTGRES = pytest.param("postgresql", marks=pytest.mark.postgres)


@pytest.fixture(params=["sqlite", POSTGRES])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        found: str = request.getfixturevalue("postgres_url")
        return found
    return f"sqlite:///{(tmp_path / 'central.db').as_posix()}"


@pytest.fixture
def home(url: str) -> Iterator[Home]:
    made = database_home(url)
    yield made
    made.registry.close()  # type: ignore[attr-defined]


def worked(home: Home, laptops: int, requests: int) -> list[Laptop]:
    """Laptops with work on their disks: requests, and edits of their neighbours' ones."""
    found = [home.laptop() for _ in range(laptops)]
    records: list[bytes] = []
    for n in range(requests):
        for laptop in found:
            nik = f"827203{1 + n % 28:02}0190{laptop.number:02}{n:02}"
            records.append(create(laptop, n + 1, nik))
            other = records[(7 * n + laptop.number) % len(records)]
            edit(laptop, other, units={"applicant.phone": f"+62812{laptop.number:03}{n:05}"})
    return found


def checked(registry: Registry, laptops: list[Laptop]) -> None:
    """Everything is stored once and decided once; numbers have no gap; every chain holds."""
    with registry.read() as door:
        found = door.verify()
        assert found.broken == ()
        assert found.decisions == door.standing().server_seq
        told = 0
        for laptop in laptops:
            log = door.log(laptop.log)
            assert log is not None
            assert (log.seq, log.head) == (laptop.last, laptop.head)
            results = door.results(laptop.log, 1, laptop.last)
            assert [seq for seq, _ in results] == list(range(1, laptop.last + 1))
            assert not [seq for seq, result in results if result.state in ("waiting", "refused")]
            told += sum(
                d.log == laptop.log for d in door.pull(door.scope(laptop.device), 0, 1 << 30)[0]
            )
        assert told == found.decisions
        assert door.counts().waiting == 0


def test_threads_of_one_process_share_the_register(home: Home) -> None:
    laptops = worked(home, 6, 5)
    failures: list[BaseException] = []

    def push(laptop: Laptop) -> None:
        try:
            for first in range(1, laptop.last + 1, 3):
                home.send(laptop, first, first + 2)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=push, args=(laptop,)) for laptop in laptops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []
    registry = home.registry
    assert isinstance(registry, Registry)
    checked(registry, laptops)


# What a process of central does: takes the work of some laptops, in parcels of three entries,
# and says what it stored once it is stored. Where it is led, each line it reads is one parcel.
WORKER = """
import sys
from server.database.registry import open_registry
from tests.contract.registry_home import CITY, reopened
from tests.integration.test_registry_processes import rebuilt
url, laptops, requests, share, led = sys.argv[1], *map(int, sys.argv[2:6])
home = reopened(open_registry(url, CITY), url)
for laptop in rebuilt(laptops, requests):
    if share and laptop.number % 2 != share % 2:
        continue
    for first in range(1, laptop.last + 1, 3):
        led and sys.stdin.readline()
        home.send(laptop, first, first + 2)
        print(laptop.number, min(first + 2, laptop.last), flush=True)
"""


def rebuilt(laptops: int, requests: int) -> list[Laptop]:
    """The same laptops again, in another process: they are made from their numbers."""

    class Elsewhere(Home):
        def __init__(self) -> None:
            self.laptops = 0
            self.admit = lambda *_: None

    return worked(Elsewhere(), laptops, requests)


def start(
    url: str, laptops: int, requests: int, share: int = 0, led: bool = False
) -> subprocess.Popen[str]:
    numbers = map(str, (laptops, requests, share, int(led)))
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, url, *numbers],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_share_the_register(home: Home, url: str) -> None:
    laptops = worked(home, 4, 6)
    workers = [start(url, 4, 6, share) for share in (1, 2)]
    for worker in workers:
        worker.communicate(timeout=120)
    assert [worker.returncode for worker in workers] == [0, 0]
    registry = home.registry
    assert isinstance(registry, Registry)
    checked(registry, laptops)


def test_a_process_killed_at_any_moment_loses_nothing_it_confirmed(home: Home, url: str) -> None:
    laptops = worked(home, 3, 10)
    by_number = {laptop.number: laptop for laptop in laptops}
    registry = home.registry
    assert isinstance(registry, Registry)
    chance = random.Random(20261121)
    parcels = 0
    for _ in range(4):
        parcels += chance.randint(1, 5)  # what the ones before it stored comes again, and is quick
        worker = start(url, 3, 10, led=True)
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write("\n" * parcels)
        worker.stdin.flush()
        said = [worker.stdout.readline() for _ in range(parcels - 1)]
        time.sleep(chance.uniform(0, 0.03))  # somewhere in the last parcel; anywhere is right
        worker.kill()
        said += worker.communicate()[0].splitlines()
        assert worker.returncode == -signal.SIGKILL
        with registry.read() as door:
            for line in said:
                number, seq = map(int, line.split())
                log = door.log(by_number[number].log)
                assert log is not None
                assert log.seq >= seq
            assert door.verify().broken == ()
    for laptop in laptops:
        home.send(laptop)
    checked(registry, laptops)


# A program with a fault: whatever speaks of this phone number ends the process.
POISONED = """
import os, sys
from server import ledger
from server.database.registry import open_registry
from tests.contract.registry_home import CITY, reopened
from tests.integration.test_registry_processes import rebuilt
taken = ledger.take
def take(known, log, fresh, *more):
    for entry in fresh:
        if b"+6281200300002" in entry.data and (log.id, entry.seq) not in known.poisoned:
            os._exit(9)
    return taken(known, log, fresh, *more)
ledger.take = take
url = sys.argv[1]
home = reopened(open_registry(url, CITY), url)
(laptop,) = [each for each in rebuilt(3, 4) if each.number == 3]
home.send(laptop)
print("answered")
"""


@pytest.mark.parametrize("url", [POSTGRES], indirect=True)  # on SQLite: tests/journey/test_trouble
def test_a_change_that_ends_the_process_delays_only_what_depends_on_it(
    home: Home, url: str
) -> None:
    laptops = worked(home, 3, 4)
    for laptop in laptops[:2]:
        home.send(laptop)
    deaths = 0
    for _ in range(6):
        done = subprocess.run(
            [sys.executable, "-c", POISONED, url],
            cwd=ROOT, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        if done.returncode == 0:
            break
        assert done.returncode == 9, done.stderr
        deaths += 1
    assert done.stdout == "answered\n"
    assert deaths == 4  # once as a batch, three times as a transaction
    states = home.states(laptops[2])
    assert len(states) == laptops[2].last
    assert states.count("waiting") == 1
    registry = home.registry
    assert isinstance(registry, Registry)
    with registry.write() as door:
        ((_, log, seq),) = door.waiting()
        door.let_try(log, seq)
    assert Ledger(registry, CENTRAL).retry(NOW) == 1
    checked(registry, laptops)


def test_an_attempt_is_remembered_by_the_next_process(home: Home, url: str) -> None:
    script = (
        "import os, sys; from server.database.registry import open_registry;"
        "open_registry(sys.argv[1], sys.argv[2]).attempt(b'l' * 16, 5, 'batch'); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", script, url, CITY], cwd=ROOT).returncode == 9
    assert [home.registry.attempt(b"l" * 16, 5, "batch") for _ in range(2)] == [1, 2]
