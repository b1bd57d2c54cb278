"""The rows that the bench loads are those the ledger writes: same entries, same tables."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

import bench_load
from bench_load import Laptop, begun, settle, year
from models.changes import decode_body, decode_change
from server.database.registry import open_registry
from server.database.tables import Table
from server.ledger import Ledger
from sync.known import LogState
from sync.messages import Batch
from tests.contract.registry_home import CENTRAL, CITY, NOW, Home, database_home

VILLAGES = ("82.72.03.2001", "82.72.03.2002", "82.72.05.2001")


def home(path: Path) -> tuple[Home, list[Laptop]]:
    """A register with two laptops whose sessions are open; the same each time."""
    made = database_home(f"sqlite:///{path.as_posix()}")
    laptops = []
    for _ in range(2):
        laptop = made.laptop(*VILLAGES)
        made.send(laptop)
        with made.registry.read() as door:
            log = door.log(laptop.log)
        assert isinstance(log, LogState)
        laptops.append(Laptop(log, laptop.session, VILLAGES))
    return made, laptops


def rows(path: Path) -> dict[str, list[Any]]:
    with sqlite3.connect(path) as here:
        return {
            name: sorted(here.execute(f'select * from "{name}"').fetchall(), key=repr)
            for name in Table.metadata.tables
        }


def loaded(path: Path) -> int:
    made, laptops = home(path)
    loader, connection = begun(made.registry, CENTRAL)  # type: ignore[arg-type]
    with patch.object(bench_load, "BATCH", 3):
        changes = year(loader, laptops, 10, NOW)
    settle(made.registry, loader, connection, laptops)  # type: ignore[arg-type]
    made.registry.close()  # type: ignore[attr-defined]
    return changes


def taken_in(path: Path, entries: list[Any], actors: dict[int, str], at: dict[int, int]) -> None:
    """The same entries, by the ledger: laptops' in their batches, central's one by one."""
    made, _ = home(path)
    ledger: Ledger = made.ledger
    waiting: list[Any] = []
    for n, (log, seq, data, decided) in enumerate(entries):
        change = decode_change(data)
        if log == CENTRAL:
            with made.registry.write() as door:
                by = actors[decided]
                ledger.write_in(door, change, at[decided], by)
                _, source, target = next(
                    row for row in bench_load.ROAD if f"{row[0]}" == action_of(change)
                )
                detail = {"from": source, "to": target, "actor": by}
                name, act = change.record.hex(), f"request.{action_of(change)}"
                door.audit(by, act, name, detail, at[decided])  # type: ignore[attr-defined]
            continue
        waiting.append((log, seq, data, decided))
        following = entries[n + 1] if n + 1 < len(entries) else None
        goes_on = (
            change.kind == "create"
            and following is not None
            and following[0] == log
            and decode_change(following[2]).kind == "create"
            and at[following[3]] == at[decided]
        )
        if not goes_on:
            send(made, waiting, at[decided])
            waiting = []
    with made.registry.write() as door:  # as the office's own job does
        door.forget_recents(NOW - 90 * bench_load.DAY)  # type: ignore[attr-defined]
    made.registry.close()  # type: ignore[attr-defined]


def action_of(change: Any) -> str:
    return decode_body(change.body).action


def send(made: Home, waiting: list[Any], at: int) -> None:
    log = waiting[0][0]
    with made.registry.read() as door:
        standing = door.log(log)
        assert standing is not None
        head = standing.head
    batch = Batch(waiting[0][1], head[:8], b"", [data for _, _, data, _ in waiting])
    made.ledger.store(log, batch, at)


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[dict[str, list[Any]], dict[str, list[Any]], int, Path]:
    folder = tmp_path_factory.mktemp("load")
    changes = loaded(folder / "loaded.db")
    before, _ = home(folder / "before.db")
    first = before.seq
    before.registry.close()  # type: ignore[attr-defined]
    with sqlite3.connect(folder / "loaded.db") as here:
        entries = here.execute(
            "select log, seq, data, decided from entries where decided > ? order by decided",
            (first,),
        ).fetchall()
        told = here.execute("select server_seq, actor, at from decisions").fetchall()
    actors = {number: actor for number, actor, _ in told}
    taken_in(folder / "real.db", entries, actors, {number: at for number, _, at in told})
    return rows(folder / "loaded.db"), rows(folder / "real.db"), changes, folder


def test_every_table_is_the_same(both):
    loaded_rows, real, changes, _ = both
    assert changes > 60
    for name, found in real.items():
        assert loaded_rows[name] == found, name
    for name in (
        "entries",
        "decisions",
        "decision_cells",
        "records",
        "record_names",
        "record_keys",
        "audit",
    ):
        assert real[name], name


def test_the_loaded_register_proves_itself(both):
    registry = open_registry(f"sqlite:///{(both[3] / 'loaded.db').as_posix()}", CITY)
    with registry.read() as door:
        found = door.verify()
    registry.close()
    assert found.broken == ()
    assert found.requests == 10
