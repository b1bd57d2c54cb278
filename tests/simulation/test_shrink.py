"""A failing world is told by few steps, which break the same law when they are played again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.simulation.laws import check
from tests.simulation.mutations import MUTATIONS
from tests.simulation.planting import planted
from tests.simulation.shrink import law_of, shortest
from tests.simulation.world import World

QUIET = {"clone": 0.0, "hole": 0.0, "restore": 0.0, "crash_in_attempt": 0.0}


def broken_by(seed: int, ticks: Sequence[int] | None) -> tuple[str, World]:
    """The law that a small world breaks, all of it or some of its steps; empty for none."""
    world = World(seed, 3, 12, mix=QUIET, sealed=False)
    try:
        world.run() if ticks is None else world.replay(ticks)
        check(world)
    except Exception as error:
        return law_of(error), world
    return "", world


def test_a_broken_law_is_told_by_few_steps() -> None:
    (fault,) = [m for m in MUTATIONS if m.name == "the loser is not kept"]
    with planted(fault):
        for seed in range(20):
            law, world = broken_by(seed, None)
            if law:
                break
        else:
            pytest.fail("no world noticed the fault")
        steps = list(world.ticks)
        left = shortest(steps, lambda fewer: broken_by(seed, fewer)[0] == law, 300)
        assert broken_by(seed, left)[0] == law
    assert law == "law 10"
    assert set(left) < set(steps)
    assert len(left) * 3 < len(steps)
    assert broken_by(seed, left)[0] == "", "without the fault the same steps break nothing"
