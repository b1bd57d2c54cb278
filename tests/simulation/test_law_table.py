"""The table of laws in `docs/simulation.md` names every law, and only tests that exist."""

from __future__ import annotations

import re

from tests.simulation.laws import LAWS
from tests.simulation.planting import ROOT


def test_every_law_is_checked_somewhere_that_exists() -> None:
    text = (ROOT / "docs" / "simulation.md").read_text("utf-8")
    found: dict[int, str] = {}
    for row in re.findall(r"^\| ([0-9, ]+) \| (.+) \|$", text, re.MULTILINE):
        found |= {int(number): row[1] for number in row[0].split(",")}
    assert sorted(found) == list(range(1, 34))
    for number, where in found.items():
        assert ("world" in where) == (str(number) in LAWS), number
        for file, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", where):
            assert f"def {name}(" in (ROOT / file).read_text("utf-8"), name
