"""The gate: style, types, directions and every test, on a machine with nothing prepared.

    python3 scripts/test.py                      everything, as CI does
    python3 scripts/test.py --only ruff,mypy     some of the steps
    python3 scripts/test.py -- -k merge -x       what follows `--` goes to pytest

All steps run even if one fails, so that one run shows everything; the exit code is 0 only if all
passed. A missing PostgreSQL is a failure, not a skip.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import assets
import home

BESIDE = {"mypy"}
"""Steps that run while the others do, in the moments when tests wait for disks and processes."""

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def steps(pytest_arguments: list[str]) -> dict[str, list[str]]:
    """Name of each step and the command it runs, in order."""
    python = str(home.interpreter())
    return {
        "ruff": [str(home.tool("ruff")), "check", "."],
        "format": [str(home.tool("ruff")), "format", "--check", "."],
        "mypy": [python, "-m", "mypy"],
        "directions": [str(home.tool("lint-imports")), "--no-cache"],
        "pytest": [python, "-m", "pytest", "-n", "4", "--dist", "worksteal", *pytest_arguments],
    }


def main() -> int:
    """Run the asked steps; 0 only if all of them passed."""
    arguments, for_pytest = _arguments()
    home.ensure()
    _system_needs()
    chosen = steps(for_pytest)
    if arguments.only:
        unknown = set(arguments.only) - set(chosen)
        if unknown:
            raise SystemExit(f"no such step: {', '.join(sorted(unknown))}; there are {[*chosen]}")
        chosen = {name: command for name, command in chosen.items() if name in arguments.only}
    results = _run_all(chosen)
    print("\n==== result ====", flush=True)
    for name, (code, seconds) in results.items():
        print(f"  {'ok    ' if code == 0 else 'FAILED'}  {name:<11} {seconds:6.1f} s")
    failed = [name for name, (code, _) in results.items() if code != 0]
    print("all passed" if not failed else f"failed: {', '.join(failed)}", flush=True)
    return 1 if failed else 0


def _arguments() -> tuple[argparse.Namespace, list[str]]:
    ours = sys.argv[1:]
    for_pytest: list[str] = []
    if "--" in ours:
        cut = ours.index("--")
        ours, for_pytest = ours[:cut], ours[cut + 1 :]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", type=lambda text: text.split(","), help="steps, by comma")
    return parser.parse_args(ours), for_pytest


def _system_needs() -> None:
    """What the tests need of the system beside Python packages."""
    home.need_command("git", "git")  # some tests read the list of tracked files
    if home.is_root():
        home.need_command("useradd", "passwd")  # PostgreSQL refuses to run as root
    if not any(shutil.which(name) for name in CHROMIUM):
        home.need_command("chromium", "chromium")  # the pages are tried in a real browser
    assets.ensure()


def _run_all(chosen: dict[str, list[str]]) -> dict[str, tuple[int, float]]:
    """Name -> (exit code, seconds), in the order of `chosen`. What BESIDE steps say is shown once
    all others ended."""
    with ThreadPoolExecutor() as pool:
        beside = {name: pool.submit(_quietly, chosen[name]) for name in BESIDE & chosen.keys()}
        if "pytest" in chosen:
            _compile_tests()
        results = {name: _run(name, chosen[name]) for name in chosen if name not in beside}
    for name, running in beside.items():
        code, seconds, said = running.result()
        print(f"{_title(name, chosen[name])}\n{said.rstrip()}", flush=True)
        results[name] = code, seconds
    return {name: results[name] for name in chosen}


def _compile_tests() -> None:
    """In a new copy: once, instead of by four processes at the same time."""
    if not any((home.ROOT / "tests" / "__pycache__").glob("conftest.*pytest*.pyc")):
        _quietly([str(home.interpreter()), "-m", "pytest", "--collect-only", "-q"])


def _run(name: str, command: list[str]) -> tuple[int, float]:
    print(_title(name, command), flush=True)
    started = time.monotonic()
    code = subprocess.run(command, cwd=home.ROOT, env=home.environment()).returncode
    return code, time.monotonic() - started


def _quietly(command: list[str]) -> tuple[int, float, str]:
    """(exit code, seconds, what it said)."""
    started = time.monotonic()
    ended = subprocess.run(
        command,
        cwd=home.ROOT,
        env=home.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    return ended.returncode, time.monotonic() - started, ended.stdout


def _title(name: str, command: list[str]) -> str:
    return f"\n==== {name}: {' '.join(command[1:] or command)} ===="


if __name__ == "__main__":
    raise SystemExit(main())
