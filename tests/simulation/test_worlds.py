"""Worlds by seed: every law holds, every fault fires, and planted faults are found."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sync import judge, merge
from sync.merge import Apply
from tests.simulation.laptop import Laptop
from tests.simulation.laws import LAWS, check, outcomes
from tests.simulation.memory import MemoryDoor
from tests.simulation.world import FAULTS, Broken, World

SEEDS = 200
CHUNK = 10


@pytest.mark.parametrize("start", range(0, SEEDS, CHUNK))
def test_laws_hold_and_every_fault_fires(start: int) -> None:
    fired: Counter[str] = Counter()
    laws: Counter[str] = Counter()
    for seed in range(start, start + CHUNK):
        world = World(seed, 3 + seed % 6, 40)
        world.run()
        check(world)
        fired.update(world.fired)
        laws.update(world.laws)
    world = World(start, 3, 40)
    twin = World(start, 3, 40, clocks=1)
    for each in (world, twin):
        each.run()
    laws["25"] += 1
    assert outcomes(world) == outcomes(twin), "law 25"
    expected = {*FAULTS, "pull_behind_screen", "held_follow_up"}
    rare = {"held_follow_up"}
    assert not {f for f in expected - rare if not fired[f]}
    assert not {law for law in LAWS if not laws[law]}


def test_two_hundred_vans_in_one_world() -> None:
    world = World(1_000_001, 200, 5)
    world.run()
    check(world)
    assert world.written >= 1000
    assert world.fired["held_follow_up"] + world.fired["stale_decision"] > 0


def test_the_same_seed_is_the_same_world_in_another_process() -> None:
    """Also under another hash seed: no order of a set may leak into a decision."""
    script = (
        "from tests.simulation.world import World\nw = World(42, 5, 30); w.run(); print(w.digest())"
    )
    root = Path(__file__).resolve().parents[2]
    found = set()
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=root,
            env={"PYTHONHASHSEED": hash_seed, "PATH": "", "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1


# -- planted faults: each breaks the code in one place; some world has to notice


def _overwrite_protected(monkeypatch: pytest.MonkeyPatch) -> None:
    real = merge.merge_unit

    def careless(record: Any, unit: str, guard: Any, *rest: Any, **more: Any) -> Any:
        verdict = real(record, unit, guard, *rest, **more)
        return Apply() if isinstance(verdict, merge.Hold) and guard == "protected" else verdict

    monkeypatch.setattr(judge, "merge_unit", careless)


def _base_taken_at_save(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Laptop.change

    def late(self: Laptop, *args: Any, **more: Any) -> Any:
        screen = more.get("screen")
        if screen is not None:
            more["screen"] = msgspec.structs.replace(screen, seen=self.cursor.server_seq)
        return real(self, *args, **more)

    monkeypatch.setattr(Laptop, "change", late)


def _drop_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    real = MemoryDoor.save

    def forgetful(self: Any, known: Any, log: Any, fresh: Any, *rest: Any) -> None:
        kept = [e for e in fresh if e.seq != 7]
        real(self, known, log, kept, *rest)

    monkeypatch.setattr(MemoryDoor, "save", forgetful)


def _apply_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Known entries are taken for fresh ones, as if the hash were never compared."""
    from server import ledger
    from sync.intake import accept

    def amnesiac(log: Any, first: int, prev: bytes, entries: Any, stored: Any) -> Any:
        found = accept(log, first, prev, entries, stored)
        found.fresh = [*found.again, *found.fresh]
        return found

    monkeypatch.setattr(ledger, "accept", amnesiac)


def _acknowledge_before_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Now and then central forgets, after its answer left, what it had just acknowledged."""
    real = World._handle

    def forgets(self: World, laptop: Laptop, body: bytes) -> bytes | None:
        tables = {name: dict(rows) for name, rows in self.registry.tables.items()}
        position = self.registry.position
        answer = real(self, laptop, body)
        if answer is not None and self.faulty and self.rng.random() < 0.05:
            self.registry.tables, self.registry.position = tables, position
        return answer

    monkeypatch.setattr(World, "_handle", forgets)


def _no_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.simulation.laptop.notices", lambda *_: [])


def _lose_the_loser(monkeypatch: pytest.MonkeyPatch) -> None:
    real = judge.carry_out

    def silent(j: Any, record: Any, unit: str, value: Any, verdict: Any, *a: Any, **k: Any) -> None:
        if not isinstance(verdict, merge.Override):
            real(j, record, unit, value, verdict, *a, **k)

    monkeypatch.setattr(judge, "carry_out", silent)


PLANTED: list[Callable[[pytest.MonkeyPatch], None]] = [
    _overwrite_protected,
    _base_taken_at_save,
    _drop_a_change,
    _apply_twice,
    _acknowledge_before_durable,
    _no_notice,
    _lose_the_loser,
]


@pytest.mark.parametrize("plant", PLANTED, ids=lambda f: f.__name__.strip("_"))
def test_a_planted_fault_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(Broken):
        _play(range(10))


def _play(seeds: range) -> None:
    for seed in seeds:
        world = World(seed, 5, 40)
        world.run()
        check(world)
