"""The second journal keeps what goes through `Work`; nothing else may write to the register."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.architecture.source import ROOT

MAY_WRITE = {
    "work.py": "here the steps are noted",
    "steps.py": "here they are carried out again",
    "journaled.py": "the journal's own row",
    "engine.py": "how a connection is set up",
    "leading.py": "locks of PostgreSQL, no rows",
    "registry.py": "attempts, which a restore has no use for",
}
"""Module of server/database -> why it may speak to a session or connection itself."""


def direct(path: Path) -> list[int]:
    """Lines that hand a statement to a session or connection."""
    calls = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if _executes(node))
    return sorted(node.lineno for node in calls if isinstance(node, ast.Call))


def _executes(node: ast.AST) -> bool:
    names = ("execute", "exec_driver_sql", "scalars", "add_all", "merge", "bulk_insert_mappings")
    return isinstance(node, ast.Call) and (
        isinstance(node.func, ast.Attribute) and node.func.attr in names
    )


def test_everything_that_is_written_goes_to_the_journal_too() -> None:
    folder = ROOT / "server" / "database"
    found = {path.name: direct(path) for path in folder.glob("*.py") if path.name not in MAY_WRITE}
    assert {name: lines for name, lines in found.items() if lines} == {}
    there = [folder / name for name in MAY_WRITE if (folder / name).exists()]
    assert all(direct(path) for path in there)


def test_a_statement_past_the_journal_would_be_found(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("def f(door, s):\n    door._session.execute(s)\n")
    assert direct(planted) == [2]
