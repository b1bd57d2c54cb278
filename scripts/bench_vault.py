"""Bench `vault`: what encryption costs a durable save, and whether `status` stays quick and small.

Two stores take the same changes in turns, one encrypted and one plain (the same library without a
key), so that whatever else the machine does hits both. A harsher figure stands beside it: of each
save the SQL statements alone, replayed on a plain file without anything the store does around them
(locks, encoding, telling the list line, the mark file).

`status` is asked of real processes, on 200 and on 20,000 requests; see bench_status.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import home
from bench_parts import Row, median, quantile, rows_of, steady, town
from field_client.clock import Clock, Reading
from field_client.enrolment import enrol
from field_client.settings import FieldSettings
from field_client.settings import Place as FieldPlace
from field_client.vault.engine import Connection, Engine
from field_client.vault.keys import Keys
from field_client.vault.store import Store
from models.changes import Body, Change, encode, raw
from models.services import catalogue
from models.writing import first_units
from sync.identity import Identity
from sync.logs import Open
from tests.vaults import DATABASE_KEY, PASSPHRASE, VAULT, PlainEngine
from tests.village import PLACE

ROUNDS = 5
SMALL = 200


def run(saves: int = 1000, requests: int = 20_000, seed: int = 1) -> dict[str, Any]:
    """saves: in each of five rounds. requests: in the larger store that is asked for its status."""
    changes = [change(row) for row in rows_of(ROUNDS * saves, seed)]
    return _saves(changes) | _status(rows_of(requests, seed + 1))


def change(row: Row) -> Change:
    """The creation of a request as the desk makes it."""
    service = catalogue().service(row["service"])
    day = date.fromisoformat(row["taken_at"][:10])
    checked = service.check(row["answers"], row["documents"], row["reasons"], today=day)
    plain, sets = first_units(service, checked)
    body = Body(Random(row["ref"]).randrange(2**25), plain, sets, reasons=row["reasons"])
    at = 1_795_220_000
    return Change(
        "create", b"", 0, 1, service.slug, service.edition, 2, at, at - 900, 7, 1, 40, None,
        raw(body),
    )  # fmt: skip


# -- saving


class Recorder:
    """A connection that notes what is asked of it. Only what a save uses."""

    def __init__(self, connection: Connection, heard: list[tuple[str, Any, bool]]) -> None:
        self._connection = connection
        self._heard = heard

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        self._heard.append((sql, values, False))
        return self._connection.execute(sql, values)

    def executemany(self, sql: str, values: Sequence[Any]) -> Any:
        self._heard.append((sql, values, True))
        return self._connection.executemany(sql, values)

    def commit(self) -> None:
        self._heard.append(("commit", (), False))
        self._connection.commit()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class RecordingEngine(PlainEngine):
    """A plain store that notes its statements in `heard`."""

    heard: list[tuple[str, Any, bool]]

    def connection(self) -> Any:
        if not hasattr(self, "heard"):
            self.heard = []
        return Recorder(super().connection(), self.heard)


def new_store(folder: Path, kind: type[Engine]) -> Store:
    """A store with an open log; the same keys in each, so that the entries are the same too."""
    folder.mkdir()
    store = Store(kind(folder / "vault.db", DATABASE_KEY, VAULT))
    seeds = bytes(range(32)), bytes(range(32, 64))
    identity = Identity(*seeds)
    opening = Open(identity.sign_key, identity.seal_key, bytes(16), b"", 0, b"", "enrolled")
    store.open_log(*seeds, encode(opening), block=7)
    return store


def save(store: Store, made: Change) -> None:
    """What the bench times: one durable save."""
    with store.saving() as saving:
        saving.append(made)


def _saves(changes: list[Change]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="jb-bench-") as name:
        folder = Path(name)
        encrypted = new_store(folder / "encrypted", Engine)
        plain = new_store(folder / "plain", PlainEngine)
        heard = new_store(folder / "heard", RecordingEngine)
        bare = new_store(folder / "bare", PlainEngine)
        statements = [_heard(heard, made) for made in changes]
        size = len(changes) // ROUNDS
        rounds = []
        for n in range(ROUNDS):
            part = slice(n * size, (n + 1) * size)
            rounds.append(_round(encrypted, plain, bare, changes[part], statements[part]))
        for store in (encrypted, plain, heard, bare):
            store.close()
    return _summary(rounds)


def _heard(store: Store, made: Change) -> list[tuple[str, Any, bool]]:
    engine = store.engine
    assert isinstance(engine, RecordingEngine)
    engine.heard.clear()
    save(store, made)
    return list(engine.heard)


def _round(
    encrypted: Store,
    plain: Store,
    bare: Store,
    changes: list[Change],
    statements: list[list[tuple[str, Any, bool]]],
) -> list[list[float]]:
    """Milliseconds of each save: encrypted, plain, statements alone. Who goes first takes turns."""
    connection = bare.engine.connection()
    times: list[list[float]] = [[], [], []]
    with steady():
        for turn, (made, heard) in enumerate(zip(changes, statements, strict=True)):
            tasks: list[Callable[[], None]] = [
                partial(save, encrypted, made),
                partial(save, plain, made),
                partial(_replay, connection, heard),
            ]
            for which in ((0, 1, 2), (1, 2, 0), (2, 0, 1))[turn % 3]:
                began = time.perf_counter()
                tasks[which]()
                times[which].append((time.perf_counter() - began) * 1000)
    return times


def _replay(connection: Connection, heard: list[tuple[str, Any, bool]]) -> None:
    for sql, values, many in heard:
        if many:
            connection.executemany(sql, values)
        else:
            connection.execute(sql, values).fetchall()


def _summary(rounds: list[list[list[float]]]) -> dict[str, Any]:
    every = [[ms for part in rounds for ms in part[which]] for which in range(3)]
    middle = [median(one) for one in every]
    tails = [[quantile(part[which], 0.99) for which in range(3)] for part in rounds]
    return {
        "save_p50_ratio": round(middle[0] / middle[1], 3),
        "save_p99_ratio": round(median([one[0] / one[1] for one in tails]), 3),
        "save_p50_ratio_to_statements": round(middle[0] / middle[2], 3),
        "save_p99_ratio_to_statements": round(median([one[0] / one[2] for one in tails]), 3),
        "save_p50_ms": round(middle[0], 3),
        "save_p99_ms": round(median([one[0] for one in tails]), 3),
        "plain_p50_ms": round(middle[1], 3),
        "statements_p50_ms": round(middle[2], 3),
        "saves": len(every[0]),
    }


# -- status


def _status(rows: list[Row]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="jb-bench-") as name:
        folder = Path(name)
        small = _fill(folder / "small", rows[:SMALL])
        large = _fill(folder / "large", rows)
        answers = [_ask(small), _ask(large), _ask(small), _ask(large)]
    little = min(answers[0]["ms"], answers[2]["ms"])
    much = min(answers[1]["ms"], answers[3]["ms"])
    megabytes = [answers[i]["rss_mb"] for i in (1, 3) if answers[i]["rss_mb"]]
    return {
        "status_rss_mb": max(megabytes, default=None),
        "status_growth_ratio": round(much / little, 3),
        "status_ms": round(much, 3),
        "status_requests": len(rows),
        "status_scans": sorted({scan for one in answers for scan in one["scans"]}),
    }


def _fill(folder: Path, rows: list[Row]) -> Path:
    """A laptop's folder with these requests, enrolled with the PIN's real cost."""
    with town() as here:
        me = here.staff["ratna"]
        invited = here.central.devices.invite(me, "van", "van", "van", (PLACE,), "Bu Sari")
        place, keys, at = FieldPlace(folder, FieldSettings()), Keys(folder, None), here.time.at
        clock = Clock(lambda: Reading(at, 3600))
        house = enrol(place, invited.file, "sari", PASSPHRASE, clock, keys)
    for start in range(0, len(rows), 500):
        with house.desk.saving() as (saving, _, _):
            for row in rows[start : start + 500]:
                saving.append(change(row))
    house.close()
    return folder


def _ask(folder: Path) -> dict[str, Any]:
    script = home.ROOT / "scripts" / "bench_status.py"
    done = subprocess.run(
        [sys.executable, str(script), str(folder), PASSPHRASE],
        capture_output=True,
        text=True,
        check=True,
        env=home.environment(),
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
