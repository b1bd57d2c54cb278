"""Writes the lock files: exact versions with the hashes of every release file, and no address.

    python3 scripts/lock.py              keep what is locked, add what is new
    python3 scripts/lock.py --upgrade    take the newest versions allowed by pyproject.toml

`requirements.lock` is for developers and CI, `requirements-field.lock` for a laptop (without
SQLAlchemy), `requirements-server.lock` for the office. One resolution serves all three, for Linux,
Windows and macOS at once. uv makes it; it is fetched into a throwaway environment. The registry is
whatever pip's or uv's own settings on this machine name; nothing of that is written down.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EVERYTHING = "requirements.lock"
LOCKS = {
    EVERYTHING: ("field", "server", "dev"),
    "requirements-field.lock": ("field",),
    "requirements-server.lock": ("server",),
}
LEFT_OUT = {
    "requirements-field.lock": (
        "faker",
        "polyfactory",
        "markdown-it-py",
        "mdurl",
        "pygments",
        "rich-click",
        "pycparser",
    )
}
"""What comes along with something else and is never loaded there: 22 MB of invented names and
addresses, with which Litestar draws examples into an API's description, its own commands, 10 MB
with which rich colours program text and draws Markdown, and a reader of C, with which cffi builds
what is built already. A laptop does none of it."""

HEADER = """\
# Made by scripts/lock.py for: {extras}. Do not edit by hand.
# Install with: pip install --require-hashes --only-binary :all: {more}-r {name}
"""
OPTIONS = [
    "--universal",  # one file for every platform and Python, by markers
    "--python-version=3.11",
    "--generate-hashes",
    "--only-binary=:all:",  # nothing is built on a laptop
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-header",
    "--no-annotate",
    "--quiet",
]


def main() -> int:
    """Write all lock files; the number of packages of each on standard output."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--upgrade", action="store_true", help="take the newest versions")
    upgrade = arguments.parse_args().upgrade
    with tempfile.TemporaryDirectory() as folder:
        uv = _fetch_uv(Path(folder))
        for name, extras in LOCKS.items():
            wanted = [f"--extra={extra}" for extra in extras]
            if name != EVERYTHING:  # the same versions as in the full lock, only fewer
                wanted += [f"--constraints={EVERYTHING}", "--upgrade"]
            elif upgrade:
                wanted += ["--upgrade"]
            output = Path(folder) / name
            if (ROOT / name).exists():
                output.write_bytes((ROOT / name).read_bytes())
            command = [str(uv), "pip", "compile", *OPTIONS, *wanted, "pyproject.toml", "-o"]
            subprocess.run([*command, str(output)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            _write(ROOT / name, output.read_text(encoding="utf-8"), extras)
    return 0


def _fetch_uv(folder: Path) -> Path:
    venv.create(folder / "tool", with_pip=True)
    binaries = folder / "tool" / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run([str(binaries / "python"), "-m", "pip", "install", "-q", "uv"], check=True)
    return binaries / "uv"


def _write(path: Path, text: str, extras: tuple[str, ...]) -> None:
    if "://" in text:
        raise SystemExit(f"{path.name}: an address got into the lock; nothing was written")
    left_out = LEFT_OUT.get(path.name, ())
    for name in left_out:
        text = re.sub(rf"^{name}==.*\n(?: .*\n)*", "", text, flags=re.MULTILINE)
    packages = len(re.findall(r"^[a-z0-9].*==", text, flags=re.MULTILINE))
    more = "--no-deps " if left_out else ""
    header = HEADER.format(extras=", ".join(extras), name=path.name, more=more)
    path.write_text(header + text, encoding="utf-8", newline="\n")
    print(f"{path.name}: {packages} packages, {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    raise SystemExit(main())
