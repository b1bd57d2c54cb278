#!/usr/bin/env python3
"""Play worlds of vans, villages, staff and bad roads, by seed, and check the protocol's laws.

    python3 scripts/simulate.py --seeds 200
    python3 scripts/simulate.py --seeds 1 --start 4711 --trace
    python3 scripts/simulate.py --seeds 1 --vans 200 --changes 10 --json

The production exchange, intake, merge, ledger and reception run in one process. The same seed is
the same world. A broken law prints the seed and the last steps before it; exit code 1.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import home

home.enter()

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.simulation.faults import FAULTS
from tests.simulation.laws import LAWS, check, outcomes
from tests.simulation.road import Broken
from tests.simulation.shrink import law_of, shortest
from tests.simulation.world import STEADY, World

CLOCKS_EVERY = 5
"""Every fifth seed is played again under other clocks (law 25); it costs a second world."""


def play(
    seed: int, vans: int, changes: int, fired: Counter[str], laws: Counter[str], shrink: float = 0
) -> World:
    """One world to its end, with every law checked. shrink: seconds spent on a shorter trace."""
    world = World(seed, vans, changes)
    try:
        world.run()
        check(world)
    except Exception as error:
        if shrink:
            world = _shorter(world, vans, changes, error, shrink)
        steps = "\n  ".join(world.trace[-40:] if shrink else world.trace[-15:])
        ticks = f"{len(world.ticks)} steps"
        raise Broken(f"seed {seed}, {ticks}: {error!r}\n  {steps}") from error
    if seed % CLOCKS_EVERY == 0:
        _other_clocks(seed, vans, changes, laws)
    fired.update(world.fired)
    laws.update(world.laws)
    return world


def _shorter(world: World, vans: int, changes: int, error: Exception, seconds: float) -> World:
    law = law_of(error)

    def breaks(ticks: Sequence[int]) -> bool:
        again = World(world.seed, vans, changes)
        try:
            again.replay(ticks)
            check(again)
        except Exception as other:
            return law_of(other) == law
        return False

    ticks = shortest(world.ticks, breaks, seconds)
    short = World(world.seed, vans, changes)
    with contextlib.suppress(Exception):
        short.replay(ticks)
    return short


def _other_clocks(seed: int, vans: int, changes: int, laws: Counter[str]) -> None:
    world, twin = (World(seed, vans, changes, clocks=c, mix=STEADY, sealed=False) for c in (0, 1))
    for each in (world, twin):
        each.run()
    laws["25"] += 1
    if outcomes(world) != outcomes(twin):
        raise Broken(f"seed {seed}: law 25: other clocks, other outcomes")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=20, help="how many worlds")
    parser.add_argument("--start", type=int, default=0, help="first seed")
    parser.add_argument("--vans", type=int, default=0, help="laptops (0: 3 to 8, by seed)")
    parser.add_argument("--changes", type=int, default=40, help="changes a laptop makes")
    parser.add_argument("--json", action="store_true", help="one line of figures at the end")
    parser.add_argument("--shrink", type=float, default=20, help="seconds for a shorter trace")
    parser.add_argument("--trace", action="store_true", help="print every step of the last world")
    options = parser.parse_args()
    fired: Counter[str] = Counter()
    laws: Counter[str] = Counter()
    violations: list[str] = []
    began, vans, changes = time.monotonic(), 0, 0
    world = None
    for seed in range(options.start, options.start + options.seeds):
        size = options.vans or 3 + seed % 6
        try:
            world = play(seed, size, options.changes, fired, laws, options.shrink)
            vans, changes = vans + size, changes + world.written
        except Broken as broken:
            violations.append(str(broken))
            print(f"BROKEN {broken}", file=sys.stderr)
        if not options.json and sys.stderr.isatty():
            print(f"\rseed {seed}: {changes} changes", end="", file=sys.stderr)
    if options.trace and world is not None:
        print("\n".join(world.trace))
    report = {
        "seeds": options.seeds,
        "vans": vans,
        "changes": changes,
        "faults": {name: fired[name] for name in sorted({*FAULTS, *fired})},
        "laws": {law: laws[law] for law in LAWS},
        "violations": violations,
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(report) if options.json else _table(report))
    return 1 if violations else 0


def _table(report: dict[str, object]) -> str:
    lines = []
    for key, value in report.items():
        if isinstance(value, dict):
            lines.append(f"{key}:")
            lines += [f"  {name:22} {count:>9}" for name, count in value.items()]
        else:
            lines.append(f"{key}: {value}")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
