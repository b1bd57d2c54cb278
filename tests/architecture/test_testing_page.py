"""Every test that a page names exists, and the lists of bad input and kills are whole."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.source import ROOT

PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
PAGES = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
NAMED = {
    named
    for page in PAGES
    for named in re.findall(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`", page.read_text("utf-8"))
}
BAD_INPUT = (
    "wrong PIN", "corrupt database file", "full disk", "oversized batch", "decompression bomb",
    "wrong signature", "unknown device", "truncated body", "forged reply", "NIK with letters",
    "a broken sheet", "unknown service", "future birth date", "wrong clock",
    "a request that makes the worker die",
)  # fmt: skip


def functions(text: str) -> set[str]:
    """Names of the functions a module defines at its top."""
    return {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}


def test_the_named_tests_exist() -> None:
    there = {path for path, _ in NAMED if (ROOT / path).exists()}
    known = {path: functions((ROOT / path).read_text(encoding="utf-8")) for path in there}
    assert not [
        f"{path}::{name}"
        for path, name in NAMED
        if path not in known or (name and name not in known[path])
    ]


@pytest.mark.parametrize("what", BAD_INPUT)
def test_each_bad_input_has_its_tests(what: str) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {what} |")]
    assert "::test_" in row


def test_something_is_named() -> None:
    assert len(NAMED) > 30
