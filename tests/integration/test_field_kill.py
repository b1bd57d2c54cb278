"""Real processes, killed at random moments: what was acknowledged is there, once."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from field_client.settings import FieldSettings, Place
from server.central import found, open_central
from server.settings import load
from tests.field import Hands, Jemput, again, example, invitation, keys, rows
from tests.vaults import CHEAP, PASSPHRASE

ROUNDS = 15
JEMPUT = [sys.executable, "-c", "from field_client.cli import main; main()"]
PUSAT = [sys.executable, "-c", "from server.cli import main; main()"]
SERVICES = ("ktp-new-enrolment", "birth", "kk-change", "death", "village-domicile-letter")


def start(van: Jemput, *words: str, **more: Any) -> subprocess.Popen[str]:
    environment = {**os.environ, **van.environment(), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [*JEMPUT, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, **more,
    )  # fmt: skip


def run(van: Jemput, *words: str, code: int = 0) -> list[Any]:
    """A command as a process of its own; the JSON lines it gave."""
    process = start(van, *words)
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, (words, out, err)
    return [json.loads(line) for line in out.splitlines()]


def day(count: int) -> list[dict[str, Any]]:
    """Rows of a long day: single ones and families."""
    found = []
    for number in range(count):
        row = example(SERVICES[number % len(SERVICES)])
        row |= {"ref": f"r{number}", "reasons": {"duplicate": "uji"}}
        if number % 7 in (2, 3, 4):
            row["family"] = f"f{number // 7}"
        found.append(row)
    return found


def enrolled(folder: Path, token: bytes) -> Jemput:
    """A laptop with cheap keys, so that a process opens it at once."""
    from field_client.enrolment import enrol

    place = Place(folder, FieldSettings())
    hands = Hands(int(time.time()))
    enrol(place, token, "sari", PASSPHRASE, hands.clock(), keys(folder), CHEAP).close()
    return Jemput(folder)


def test_a_queue_that_is_killed_again_and_again_loses_nothing_and_repeats_nothing(tmp_path):
    chance = random.Random(20261121)
    van = enrolled(tmp_path / "van", invitation(expires=int(time.time()) + 86400))
    wanted = day(210)
    file = tmp_path / "rows.jsonl"
    file.write_text(rows(*wanted), encoding="utf-8")
    acknowledged: dict[str, str] = {}
    for _ in range(ROUNDS):
        process = start(van, "queue", "--from", str(file))
        assert process.stdout is not None
        fresh = 0
        stop_after = chance.randrange(1, 16)
        for line in process.stdout:
            answer = json.loads(line)
            assert answer["outcome"] == "queued", answer
            fresh += answer["ref"] not in acknowledged
            known = acknowledged.setdefault(answer["ref"], answer["id"])
            assert known == answer["id"], "the same ref gives the same request"
            if fresh >= stop_after:
                break
        time.sleep(chance.random() * 0.01)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        process.communicate()
    answers = run(van, "queue", "--from", str(file))
    last = {a["ref"]: a["id"] for a in answers}
    assert {ref: last[ref] for ref in acknowledged} == acknowledged
    ids = [a["id"] for a in answers]
    assert len(set(ids)) == len(wanted)
    with again(van.folder, Hands(int(time.time()))) as house:
        assert house.store.standing().requests == {"submitted": len(wanted)}
        assert house.store.broken_at(house.store.log().id) is None
        assert house.store.engine.check() == []
        created = [e for e in house.store.pending(0, 1 << 40) if _kind(e.data) == "create"]
    assert len(created) == len(wanted)


def _kind(data: bytes) -> str:
    from models.changes import decode_change

    return decode_change(data).kind


# -- syncing


class Central:
    """`jemput-pusat serve` as a process, behind a road that a test can make slow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.door = Proxy(self.port)
        place = load(folder, {}, port=self.port, public_url=self.door.url)
        from server.settings import save

        found(place, folder / "recovery-key.json", lambda: int(time.time()))
        save(place)
        central = open_central(place, lambda: int(time.time()))
        admin = central.staff.add(None, "admin", "Ibu Admin", ["admin"], "kora kora berlayar")
        self.invited = central.devices.invite(
            admin, "van", "van", "Si Jola 1", ("82.72.03.2001",), "Sari"
        ).file
        central.close()
        environment = {**os.environ, "JEMPUT_PUSAT_DATA": str(folder)}
        self.process = subprocess.Popen(
            [*PUSAT, "serve"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self.port, self.process)

    def records(self) -> list[str]:
        """Ids of every request at central, as its database holds them."""
        import sqlite3

        with sqlite3.connect(self.folder / "central.db") as database:
            return [row[0].hex() for row in database.execute("select id from records")]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)
        self.door.close()


class Proxy:
    """A slow road: bytes pass in small pieces with pauses between them."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.pause = 0.0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.to))
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(200):
                time.sleep(self.pause)
                target.sendall(piece)
        except OSError:
            pass
        for end in (source, target):
            end.close()

    def close(self) -> None:
        self.listener.close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "central did not start"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("central does not listen")


@pytest.fixture
def central(tmp_path: Path) -> Iterator[Central]:
    made = Central(tmp_path / "central")
    yield made
    made.close()


def test_a_sync_that_is_killed_again_and_again_brings_everything_once(tmp_path, central):
    chance = random.Random(20261121)
    van = enrolled(tmp_path / "van", central.invited)
    settings = "batch_bytes = 3000\nanswer_seconds = 20\n"
    (van.folder / "jemput.toml").write_text(settings, encoding="utf-8")
    file = tmp_path / "rows.jsonl"
    file.write_text(rows(*day(140)), encoding="utf-8")
    acknowledged = {a["id"] for a in run(van, "queue", "--from", str(file))}
    central.door.pause = 0.004
    killed_busy = 0
    for _ in range(ROUNDS):
        process = start(van, "sync", "--json")
        time.sleep(0.5 + chance.random() * 0.8)
        killed_busy += process.poll() is None
        process.kill()
        process.communicate()
    assert killed_busy > ROUNDS // 3, "the kills have to fall into syncing"
    central.door.pause = 0.0
    (report,) = run(van, "sync", "--json")
    assert report["pending"] == 0
    stored = central.records()
    assert len(stored) == len(set(stored)) == len(acknowledged)
    assert set(stored) == acknowledged
    (status,) = run(van, "status", "--json")
    assert status["requests"] == {"received": len(acknowledged)}
    assert status["unsent"] == 0
    assert set(status["outcomes"]) == {"applied"}
    (nothing,) = run(van, "sync", "--json")
    assert (nothing["pushed"], nothing["received"], nothing["round_trips"]) == (0, 0, 1)
    assert nothing["bytes_up"] + nothing["bytes_down"] <= 800
