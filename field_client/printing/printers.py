"""Printers of this machine: what is printed goes to them through standard input, never by way of a
file of ours. (The system's spooler keeps it until it is printed; that is the system's own room.)

On Linux and macOS that is CUPS: `lp`, `lpstat`. On Windows dots go to the spooler as they are; A4
pages are saved and printed by hand there, because Windows prints a PDF only from a file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from field_client.vault.files import write_atomically
from models.problems import Problem

PATIENCE_SECONDS = 60
_WHY_MAX = 160


def printers() -> list[str]:
    """Names of the printers that are set up, the system's own choice first."""
    if sys.platform == "win32":  # pragma: no cover - not tried
        from field_client.printing.windows import names

        return names()
    if not (shutil.which("lp") and shutil.which("lpstat")):
        return []
    names = [line.split()[0] for line in _run(["lpstat", "-e"]).splitlines() if line.strip()]
    usual = _run(["lpstat", "-d"]).rpartition(":")[2].strip()
    return sorted(names, key=lambda name: (name != usual, name))


def choose(name: str = "") -> str:
    """The printer of that name, or the usual one. Problems print.no_printer,
    print.unknown_printer."""
    known = printers()
    if not known:
        raise Problem("print.no_printer")
    if not name:
        return known[0]
    if name not in known:
        raise Problem("print.unknown_printer", name=name[:60], known=", ".join(known))
    return name


def send(printer: str, data: bytes, title: str, *, dots: bool) -> None:
    """Print. title: what the printer's queue shows; it must name nobody. dots: bytes for a thermal
    printer, not to be touched. Problems print.failed, print.only_file."""
    if sys.platform == "win32":  # pragma: no cover - not tried
        from field_client.printing.windows import send_raw

        if not dots:
            raise Problem("print.only_file")
        return send_raw(printer, data, title)
    words = ["lp", "-d", printer, "-t", title, *(["-o", "raw"] if dots else []), "-"]
    try:
        done = subprocess.run(
            words, input=data, capture_output=True, timeout=PATIENCE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Problem("print.failed", name=printer, why=type(error).__name__) from None
    if done.returncode:
        why = done.stderr.decode("utf-8", "replace").strip()[:_WHY_MAX]
        raise Problem("print.failed", name=printer, why=why or str(done.returncode))
    return None


def save(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read; whole, or not at all. Problems disk.*."""
    if not path.parent.is_dir():
        raise Problem("disk.error", path=path.name, error=f"{path.parent.name}/?")
    write_atomically(path, data)


def _run(words: list[str]) -> str:
    try:
        done = subprocess.run(
            words, capture_output=True, timeout=PATIENCE_SECONDS, check=False,
            env=_plain_environment(),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def _plain_environment() -> dict[str, str]:
    """The environment with the tools' own words, so that answers can be read."""
    return {**os.environ, "LC_ALL": "C"}
