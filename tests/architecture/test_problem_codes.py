"""Every problem raised anywhere is in the catalogue, with the details its words need."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator

from models.problems import problems
from tests.architecture import source

# What makes a problem or a finding -> how many arguments stand before its code.
MAKERS = {"Problem": 0, "finding": 1}
# Raised bare inside, and given the file's name and limits at the one door of the module.
COMPLETED_AT_THE_DOOR = {"models/roster/sheets.py"}


def made(tree: ast.Module) -> Iterator[tuple[int, str, set[str] | None]]:
    """Line, code and details of each problem made with a literal code; details None if unknown."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        place = MAKERS.get(name)
        if place is None or len(node.args) <= place:
            continue
        code = node.args[place]
        if isinstance(code, ast.Constant) and isinstance(code.value, str):
            named = [one.arg for one in node.keywords]
            yield node.lineno, code.value, None if None in named else {str(one) for one in named}


def needed(code: str) -> set[str]:
    """The placeholders of both languages."""
    entry = problems()[code]
    parts = [*string.Formatter().parse(entry.id), *string.Formatter().parse(entry.en)]
    return {name for _, name, _, _ in parts if name}


def faults(tree: ast.Module, where: str) -> list[str]:
    found = []
    for line, code, details in made(tree):
        if code not in problems():
            found.append(f"{where}:{line}: {code} is not in models/data/problems.toml")
        elif details is None or (not details and where in COMPLETED_AT_THE_DOOR):
            continue
        elif not needed(code) <= details | {"label"}:
            found.append(f"{where}:{line}: {code} needs {needed(code) - details}")
    return found


def test_every_problem_made_is_in_the_catalogue_with_its_details():
    found = []
    for path in source.modules():
        found += faults(source.parsed(path), path.relative_to(source.ROOT).as_posix())
    assert not found


def test_the_test_above_would_see_both_faults():
    tree = ast.parse("Problem('no.such')\nfinding(key, 'nik.length')\nProblem('nik.length', **x)")
    assert faults(tree, "x.py") == [
        "x.py:1: no.such is not in models/data/problems.toml",
        "x.py:2: nik.length needs {'n'}",
    ]
