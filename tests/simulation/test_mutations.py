"""Faults planted in production code are noticed, every one of them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.simulation.mutations import MUTATIONS
from tests.simulation.planting import ROOT, Mutation, Unplantable, caught, planted


def test_every_planted_fault_is_noticed() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "mutate.py", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["survivors"] == []
    assert report["planted"] == report["caught"] == len(MUTATIONS) >= 12
    assert done.returncode == 0, done.stderr


def test_a_fault_is_gone_when_its_block_ends_and_one_that_does_nothing_survives() -> None:
    from sync.merge import is_current
    from tests.simulation.planting import _same

    code = is_current.__code__
    harmless = Mutation(
        "harmless",
        "8",
        (
            (
                "sync/merge.py",
                "write.server_seq <= author.seen",
                "not write.server_seq > author.seen",
            ),
        ),
        lambda: None,
    )
    with planted(harmless):
        assert not _same(is_current.__code__, code)
    assert is_current.__code__ is code
    assert caught(harmless) == ""


def test_a_fault_whose_place_is_gone_is_no_fault() -> None:
    lost = Mutation("lost", "8", (("sync/merge.py", "no such line", "pass"),), lambda: None)
    with pytest.raises(Unplantable):
        caught(lost)
