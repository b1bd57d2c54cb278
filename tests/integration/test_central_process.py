"""Central as a process: it says when it is ready, stops when told, survives being killed, and two
of them work on one database.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.central import found as found_central
from server.central import open_central
from server.database.registry import Verified
from server.settings import load
from sync import enrolment
from tests.pusat import OCTETS, PASSWORD, VILLAGE, Van

PROGRAM = Path(sys.executable).with_name("jemput-pusat")
TOOLS = (
    [str(PROGRAM)]
    if PROGRAM.exists()
    else [sys.executable, "-c", "from server.start import main; main()"]
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def folder(tmp_path, request) -> Path:
    """A founded central on either database."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    return founded(tmp_path, url)


def founded(place: Path, url: str | None = None) -> Path:
    made = load(place / "pusat", {}, database_url=url)
    found_central(made, place / "recovery-key.json")
    return made.folder


class Served:
    """A running process and its address."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url

    def push(self, path: str, body: bytes) -> httpx.Response:
        return httpx.post(self.url + path, content=body, headers=OCTETS, timeout=120)


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    words = [*TOOLS, "serve", "--data", str(folder), "--port", "0", "--json"]
    errors = (folder / "stderr").open("ab")
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "stderr").read_text()
        ready = json.loads(line)
        assert ready["ready"] is True
        yield Served(process, ready["url"])
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        errors.close()


def run(folder: Path, *words: str, login: str = "") -> dict[str, Any]:
    """The JSON line of a command run beside the server."""
    secret = folder / "password"
    secret.write_text(PASSWORD)
    given = [*TOOLS, *words, "--data", str(folder), "--json"]
    given += ["--as", login, "--password-file", str(secret)] if login else []
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def staffed(folder: Path, vans: int) -> list[Van]:
    """Add people, and invite laptops."""
    central = open_central(load(folder, {}))
    try:
        admin = central.staff.add(None, "admin", "Ibu Admin", ["admin"], PASSWORD)
        central.staff.add(admin, "rina", "Rina", ["verifier", "supervisor"], PASSWORD)
        invite = central.devices.invite
        tokens = [
            invite(admin, f"Van {number}", "van", "", [VILLAGE], "").file for number in range(vans)
        ]
    finally:
        central.close()
    return [Van(n, enrolment.read_invitation(token), token) for n, token in enumerate(tokens)]


def verified(folder: Path) -> Verified:
    """Every chain, checked from outside the server."""
    central = open_central(load(folder, {}))
    try:
        return central.evidence.verify(None)
    finally:
        central.close()


def requests_at(folder: Path) -> int:
    """How many requests central has, seen from outside the server."""
    central = open_central(load(folder, {}))
    try:
        return sum(central.status().requests.values())
    finally:
        central.close()


def sync(served: Served, van: Van) -> None:
    exchange = van.exchange()
    while not exchange.finished:
        answer = served.push("/v1/sync", van.request_body(exchange))
        assert answer.status_code == 200, answer.text
        van.receive(exchange, answer.content)


def test_it_says_when_it_is_ready_whose_address_it_is_and_stops_when_told(tmp_path):
    folder = founded(tmp_path)
    with serving(folder) as served:
        health = httpx.get(f"{served.url}/v1/health", timeout=120).json()
        assert health["ready"] is True
        port = served.url.rsplit(":", 1)[1]
        words = [*TOOLS, "serve", "--data", str(folder), "--port", port, "--json"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 1
        assert json.loads(done.stdout)["problem"]["code"] == "office.address"
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(120) == 0


def test_commands_work_beside_a_running_server(tmp_path):
    """On SQLite, where they share a file; two that share PostgreSQL are below."""
    folder = founded(tmp_path)
    (van,) = staffed(folder, 1)
    with serving(folder) as served:
        assert served.push("/v1/enrol", van.asking()).status_code == 200
        record = van.take_in(1).hex()
        sync(served, van)
        (line,) = run(folder, "requests", "list", login="rina")["requests"]
        assert line["id"] == record
        seen = run(folder, "requests", "show", record, login="rina")["seen"]
        why = ("--seen", str(seen), "--reason", "berkasnya dilihat di meja")
        run(folder, "requests", "accept", record, *why, login="rina")
        sync(served, van)
        assert van.snapshot.records[bytes.fromhex(record)].status == "verified"


def test_what_was_acknowledged_survives_kill_9(folder):
    (van,) = staffed(folder, 1)
    numbers = iter(range(1, 1000))
    for _ in range(2):
        with serving(folder) as served:
            assert served.push("/v1/enrol", van.asking()).status_code == 200
            van.take_in(next(numbers))
            sync(served, van)
            van.take_in(next(numbers))
            # Killed while a request is on its way: whatever was not answered is sent again.
            killer = threading.Timer(0.02, os.kill, (served.process.pid, signal.SIGKILL))
            killer.start()
            with suppress(httpx.HTTPError):
                sync(served, van)
            killer.join()
    with serving(folder) as served:
        sync(served, van)
        assert van.proved == van.last
        assert len(van.told) == van.last
    assert requests_at(folder) == 4
    assert verified(folder).broken == ()


def test_two_processes_share_one_database(folder):
    vans = staffed(folder, 4)
    failures: list[BaseException] = []

    def work(served: Served, van: Van) -> None:
        try:
            assert served.push("/v1/enrol", van.asking()).status_code == 200
            for number in range(1, 4):
                van.take_in(number)
                sync(served, van)
        except BaseException as error:
            failures.append(error)

    with serving(folder) as one, serving(folder) as two:
        both = [one, two, one, two]
        threads = [
            threading.Thread(target=work, args=pair) for pair in zip(both, vans, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        for van in vans:
            sync(one, van)
    assert requests_at(folder) == 12
    found = verified(folder)
    assert (found.broken, found.entries) == ((), sum(van.last for van in vans))
