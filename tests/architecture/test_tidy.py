"""Taste that matters is a test: purity, size, first lines, nothing dead, no download address."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture import source

LONGEST_FILE_LINES = 600
# Started from outside: by a command, by Alembic, by a person, by an auditor elsewhere.
ENTRANCES = ("cli", "__main__", "env", "verify_audit")


def relative(path: Path) -> str:
    return path.relative_to(source.ROOT).as_posix()


@pytest.mark.parametrize("path", source.modules(), ids=relative)
def test_every_module_says_in_its_first_line_what_lives_there(path):
    docstring = ast.get_docstring(source.parsed(path))
    assert docstring, f"{relative(path)} has no docstring"
    first = docstring.splitlines()[0]
    assert len(first) >= 20, f"{relative(path)}: {first!r} says nothing"


@pytest.mark.parametrize("path", source.modules("models", "sync"), ids=relative)
def test_the_core_reads_no_clock_and_opens_no_file(path):
    for node in ast.walk(source.parsed(path)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        where = f"{relative(path)}:{node.lineno}"
        if isinstance(called, ast.Name):
            assert called.id not in {"open", "print", "input", "exec", "eval"}, where
        elif isinstance(called, ast.Attribute):
            assert called.attr not in {"now", "today", "utcnow"}, where
            assert called.attr not in {"write_text", "write_bytes", "touch", "unlink"}, where


def test_no_file_is_longer_than_a_person_reads():
    paths = [*source.modules(), *source.modules("tests", "scripts")]
    lengths = {relative(p): len(p.read_text(encoding="utf-8").splitlines()) for p in paths}
    too_long = {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE_LINES}
    assert not too_long, "split by noun, keeping one object in front"


def test_no_module_is_there_that_nobody_imports():
    imported: set[str] = set()
    for path in [*source.modules(), *source.modules("scripts")]:
        imported |= source.imports_of(path) - {source.name_of(path)}
    dead = [
        source.name_of(path)
        for path in source.modules()
        if path.stem not in ENTRANCES
        and "versions" not in path.parts  # Alembic finds its steps by folder
        and path.name != "__init__.py"
        and source.name_of(path) not in imported
    ]
    assert not dead


def test_no_tracked_file_names_a_place_to_download_from():
    hosts = ["pypi" + ".org", "python" + "hosted.org", "registry.npm" + "js.org"]
    hosts += ["npm" + "mirror.com", "deb.debian" + ".org", "/pypi" + "/simple"]
    options = ["--index" + "-url", "--extra-index" + "-url", "--find" + "-links", "index" + "_url"]
    pattern = re.compile("|".join(map(re.escape, hosts + options)).encode())
    named = [relative(path) for path in source.tracked() if pattern.search(path.read_bytes())]
    assert not named


def test_every_link_in_a_document_leads_to_a_file_of_this_project():
    broken = []
    for page in [path for path in source.tracked() if path.suffix == ".md"]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" in target:
                continue
            found = (page.parent / target).resolve()
            if not (found.exists() and found.is_relative_to(source.ROOT)):
                broken.append(f"{relative(page)}: {target}")
    assert not broken
