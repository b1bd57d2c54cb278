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

import assets
import home

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def steps(pytest_arguments: list[str]) -> dict[str, list[str]]:
    """Name of each step and the command it runs, in order; pytest last, for its closing line."""
    python = str(home.interpreter())
    return {
        "ruff": [str(home.tool("ruff")), "check", "."],
        "format": [str(home.tool("ruff")), "format", "--check", "."],
        "mypy": [python, "-m", "mypy"],
        "directions": [str(home.tool("lint-imports")), "--no-cache"],
        "pytest": [python, "-m", "pytest", "-n", "3", "--dist", "worksteal", *pytest_arguments],
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
    results = {name: _run(name, command) for name, command in chosen.items()}
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


def _run(name: str, command: list[str]) -> tuple[int, float]:
    print(f"\n==== {name}: {' '.join(command[1:] or command)} ====", flush=True)
    started = time.monotonic()
    code = subprocess.run(command, cwd=home.ROOT, env=home.environment()).returncode
    return code, time.monotonic() - started


if __name__ == "__main__":
    raise SystemExit(main())
