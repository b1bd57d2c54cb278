"""Builds what the pages look like from `assets/`: hashed files, never committed.

    python3 scripts/assets.py            build what is not current
    python3 scripts/assets.py --check    build nothing; 1 if something is not current

The npm packages named in assets/package.json (exact versions, package-lock.json with hashes and
without addresses) are fetched by npm; sass makes the style, esbuild the script. Both land in
`<house>/pages/static/` as files whose names carry their hash, beside `manifest.json`, which says
from what they were made: a second call only compares and takes milliseconds. Standard library only.

Where npm is missing it is installed (on Debian, as root), or that is said: pages work without.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "assets"
PACKAGES = SOURCES / "node_modules"
STAMP = PACKAGES / ".built-from"
HOUSES = {
    "field": ROOT / "field_client" / "pages" / "static",
    "central": ROOT / "server" / "pages" / "static",
}
"""Folder of assets/ with `<name>.scss` and `<name>.js` -> where its built files lie."""
COMMON = "common"
"""Folder of assets/ with what both use."""

IN_THEM = ("govuk-frontend", "htmx.org")
"""Packages of which parts end up in the built files; whose they are stands beside them."""
MANIFEST = "manifest.json"


def ensure() -> bool:
    """Build what is not current; False (and a line that says why) where it cannot be done."""
    if not stale():
        return True
    try:
        build()
    except NotBuilt as problem:
        say(f"assets: {problem}\nassets: the pages work without them, but look plain")
        return False
    return True


class NotBuilt(Exception):
    """Why the assets cannot be built here."""


def stale() -> list[str]:
    """Houses whose built files are not made from what lies in assets/ now."""
    return [house for house, target in HOUSES.items() if _made_from(target) != fingerprint(house)]


def build() -> None:
    """Build the houses that are not current. Raises NotBuilt."""
    npm = _npm()
    _fetch(npm)
    for house in stale():
        _build(house, HOUSES[house])
        files = _manifest(HOUSES[house])["files"]
        say(f"assets: {house}: " + ", ".join(f"{n} {z} B gz" for n, (_, z) in files.items()))


def sizes(house: str) -> dict[str, float]:
    """kB of each built file as it would be compressed, by its plain name."""
    files = _manifest(HOUSES[house])["files"]
    return {name: round(size / 1000, 1) for name, (_, size) in files.items()}


def fingerprint(house: str) -> str:
    """Hash over everything a house's files are made from, this script too."""
    found = hashlib.sha256()
    paths = [SOURCES / "package.json", SOURCES / "package-lock.json", Path(__file__)]
    for folder in (COMMON, house):
        paths += sorted(path for path in (SOURCES / folder).rglob("*") if path.is_file())
    for path in paths:
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def say(line: str) -> None:
    """One plain line of progress."""
    print(line, file=sys.stderr, flush=True)


def _made_from(target: Path) -> str:
    manifest = _manifest(target)
    whole = all((target / name).is_file() for name, _ in manifest.get("files", {}).values())
    return str(manifest.get("made_from", "")) if whole else ""


def _manifest(target: Path) -> dict[str, Any]:
    try:
        found = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _npm() -> str:
    """Where npm is; installed first where this is a Debian and we may."""
    found = shutil.which("npm")
    if found is None:
        import home

        try:
            home.need_command("npm", "npm")
        except SystemExit as problem:
            raise NotBuilt(str(problem)) from None
        found = shutil.which("npm")
    if found is None:
        raise NotBuilt("npm is missing")
    return found


def _fetch(npm: str) -> None:
    """The packages of the lock, unless they are there already."""
    wanted = hashlib.sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == wanted:
        return
    say("assets: fetching the packages of assets/package-lock.json (hashes checked)")
    _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"])
    STAMP.write_text(wanted, encoding="utf-8")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=SOURCES, capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        raise NotBuilt(
            f"{Path(command[0]).name} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )


def _build(house: str, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=SOURCES) as folder:
        made = Path(folder)
        _style(SOURCES / house / f"{house}.scss", made / f"{house}.css")
        _script(SOURCES / house / f"{house}.js", made / f"{house}.js")
        found = {path.name: path.read_bytes() for path in sorted(made.iterdir())}
    target.mkdir(parents=True, exist_ok=True)
    files = {name: _write(target, name, data) for name, data in found.items()}
    (target / "NOTICE.txt").write_text(_notice(), encoding="utf-8")
    manifest = {"made_from": fingerprint(house), "files": files}
    fresh = target / f"{MANIFEST}.new"
    fresh.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    fresh.replace(target / MANIFEST)
    for path in target.glob(f"{house}.*.*"):
        if path.name not in {name for name, _ in files.values()}:
            path.unlink()


def _notice() -> str:
    """Whose work the built files hold, under what licence."""
    lines = ["Parts of these packages are in the files of this folder:"]
    for name in IN_THEM:
        about = json.loads((PACKAGES / name / "package.json").read_text(encoding="utf-8"))
        lines.append(f"{name} {about['version']}, licence {about['license']}")
    return "\n".join(lines) + "\n"


def _write(target: Path, name: str, data: bytes) -> tuple[str, int]:
    """Write a file under a name with its hash; gives that name and its size compressed."""
    stem, _, ending = name.partition(".")
    hashed = f"{stem}.{hashlib.sha256(data).hexdigest()[:12]}.{ending}"
    (target / hashed).write_bytes(data)
    return hashed, len(gzip.compress(data, 9))


def _style(source: Path, target: Path) -> None:
    sass = PACKAGES / "sass" / "sass.js"
    _run([
        _node(), str(sass), "--style=compressed", "--no-source-map", "--quiet-deps",
        "--pkg-importer=node", str(source), str(target),
    ])  # fmt: skip


def _script(source: Path, target: Path) -> None:
    esbuild = PACKAGES / "esbuild" / "bin" / "esbuild"
    _run([
        _node(), str(esbuild), str(source), "--bundle", "--minify", "--format=esm",
        "--target=chrome109,firefox115", "--legal-comments=none", f"--outfile={target}",
    ])  # fmt: skip


def _node() -> str:
    found = shutil.which("node") or shutil.which("nodejs")
    if found is None:
        raise NotBuilt("node is missing")
    return found


def main() -> int:
    """Build, or look."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="build nothing; 1 if stale")
    if parser.parse_args().check:
        found = stale()
        print("\n".join(f"{house}: not current" for house in found) or "current")
        return 1 if found else 0
    os.environ.setdefault("NO_UPDATE_NOTIFIER", "1")
    return 0 if ensure() else 1


if __name__ == "__main__":
    raise SystemExit(main())
