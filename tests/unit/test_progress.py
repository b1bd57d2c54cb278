"""What the operator sees while a sync runs: what central proved, how fast, how long still."""

from __future__ import annotations

import pytest

from field_client.cli.sync import _Bar
from field_client.courier import Progress

HALFWAY = Progress("send", 30, 60, 6_000, 12_000, rate=100.0, file_bytes=0, file_bytes_left=1_500)


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (HALFWAY, ("30 dari 60", "100 B/dtk", "sisa 1:15")),
        (Progress("send", 0, 60, 0, 12_000), ("0 dari 60", "0 B/dtk")),
        (Progress("wait", wait=7.4), ("coba lagi 7 dtk",)),
        (Progress("enrol"), ("Mengenalkan",)),
    ],
)
def test_the_bar_says_how_far_it_is(progress, words):
    bar = _Bar("id")
    bar(progress)
    (task,) = bar.rich.tasks
    assert all(part in task.description for part in words), task.description
    if progress is HALFWAY:
        assert (task.completed, task.total) == (6_000, 13_500)


def test_nothing_is_foretold_before_anything_is_known():
    assert Progress("send", 0, 60, 0, 12_000).seconds_left is None
    assert HALFWAY.seconds_left == 75
