"""Imports go one way, and the contracts that say so would notice if they did not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture import source

# One planted import for each contract in pyproject.toml.
PLANTS = {
    "houses never import each": ("field_client/planted.py", "import server"),
    "models has no clock": ("models/planted.py", "import time"),
    "sync has no clock": ("sync/planted.py", "import secrets"),
    "never loads SQLModel": ("field_client/planted_too.py", "import sqlalchemy.orm"),
    "touch cryptography": ("sync/planted_too.py", "from cryptography import x509"),
}


def contracts_report(folder: Path) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"},
    )


def test_every_import_goes_the_allowed_way():
    done = contracts_report(source.ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_import_against_each_contract_is_caught(tmp_path):
    for package in source.PACKAGES:
        skip = shutil.ignore_patterns("__pycache__", "*.toml", "*.po")
        shutil.copytree(source.ROOT / package, tmp_path / package, ignore=skip)
    shutil.copy(source.ROOT / "pyproject.toml", tmp_path)
    for name, line in PLANTS.values():
        (tmp_path / name).write_text(f'"""Planted by a test."""\n\n{line}\n', encoding="utf-8")

    done = contracts_report(tmp_path)

    assert done.returncode != 0
    broken = [line for line in done.stdout.splitlines() if " BROKEN" in line]
    missed = [words for words in PLANTS if not any(words in line for line in broken)]
    assert not missed, done.stdout
    assert len(broken) == len(PLANTS), done.stdout


def test_a_laptop_never_loads_the_database_library_of_the_office():
    """The contracts read the source; this looks at what really got loaded, libraries included."""
    names = [source.name_of(path) for path in source.modules("field_client")]
    assert "field_client.cli" in names
    program = (
        f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
        "print([name for name in ('sqlalchemy', 'sqlmodel', 'server') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
