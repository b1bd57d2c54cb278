"""A day of the van and a village, told with the real programs; the count at the end must be right.

    python3 scripts/demo.py                        central on SQLite
    python3 scripts/demo.py --postgres             central on a real PostgreSQL
    python3 scripts/demo.py --once --json          a summary as one JSON line last, nothing left
    python3 scripts/demo.py --roster FILE --village 82.72.03.2002      a real list of residents

Nothing is simulated: central and both laptops are processes of their own with data of their own, on
roads that stall, and they are killed without warning. What is lost or doubled is found by comparing
what the laptops said on standard output with what central lists. Exit code 0: everything is as
promised; 1: it is not; 2: it could not be told.

At the end both houses stay open in the browser until Ctrl-C, with what the story left in them; not
with --once or --json.
"""

from __future__ import annotations

import home

home.enter()

import argparse
import contextlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import assets
from acts import Acts
from doors import Doors
from houses import Failed, Laptop, Office, postgres
from models.problems import Problem
from story import Story, from_sheet, invented, the_day
from tally import Tally

MEANINGS = {
    "queued": "requests that the laptops acknowledged on standard output",
    "stored_at_central": "requests that central lists",
    "lost": "acknowledged and not at central",
    "duplicated": "stored twice, or stored and never acknowledged",
    "cases": "matters for people: a disputed name, a citizen who asked twice",
    "resolved": "of them decided",
    "audit_ok": "every chain at central verifies",
    "receipts_ok": "receipts verify elsewhere without a network; a changed one does not",
    "bytes_up": "bytes that went up, killed attempts included",
    "round_trips": "round trips",
    "seconds": "seconds",
}


def main() -> int:
    """Tell the day; give the exit code."""
    wanted = _arguments()
    assets.ensure()  # so that the pages have their look afterwards
    out = sys.stderr if wanted.json else sys.stdout
    began = time.monotonic()

    def speak(line: str = "") -> None:
        print(line, file=out, flush=True)

    folder = Path(tempfile.mkdtemp(prefix="jemput-demo-"))
    if wanted.postgres:
        folder.chmod(0o755)  # PostgreSQL's own system user has to get through
    stays = not (wanted.once or wanted.json)
    keep = stays and not wanted.roster
    try:
        tally = _told(wanted, folder, speak, began, stays=stays)
    except Problem as problem:
        print(f"\nThe story could not be told: {problem.words('en')}", file=sys.stderr)
        return 2
    except (Failed, ValueError, OSError) as error:
        print(f"\nThe story could not be told: {error}", file=sys.stderr)
        return 2
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    if keep:
        speak(f"\nTheir folders are still there, to look around: {folder}")
        speak(f"  JEMPUT_DATA={folder}/van/data JEMPUT_PIN_FILE={folder}/van/pin.txt jemput status")
    if wanted.json:
        print(json.dumps(tally.summary()), flush=True)
    return 0 if tally.right else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--once", action="store_true", help="tell it once, open no doors, leave nothing behind"
    )
    parser.add_argument("--json", action="store_true", help="the summary as one JSON line last")
    parser.add_argument("--postgres", action="store_true", help="central on a real PostgreSQL")
    parser.add_argument("--roster", type=Path, help="a real sheet of residents")
    parser.add_argument("--village", help="the village's code, with --roster")
    parser.add_argument("--lang", choices=("id", "en"), default="id", help="of the programs' words")
    found = parser.parse_args()
    if bool(found.roster) != bool(found.village):
        parser.error("--roster FILE and --village CODE belong together")
    return found


def _story(wanted: argparse.Namespace, folder: Path) -> Story:
    today = the_day(time.time())
    if wanted.roster:
        return from_sheet(wanted.roster, wanted.village, today)
    return invented(folder, today)


def _told(
    wanted: argparse.Namespace,
    folder: Path,
    speak: Callable[[str], None],
    began: float,
    *,
    stays: bool,
) -> Tally:
    """Every act, then the count. stays: then both houses stay open until Ctrl-C."""
    story = _story(wanted, folder)
    with _database(wanted, folder) as url:
        office = Office(folder / "office", url, wanted.lang)
        van = Laptop(folder / "van", "sari", wanted.lang)
        village = Laptop(folder / "village", "rusli", wanted.lang)
        acts = Acts(story, office, van, village, folder, speak)
        try:
            for act in acts.all():
                act()
        finally:
            acts.close()
        acts.tally.seconds = round(time.monotonic() - began, 1)
        _close(acts.tally, speak)
        if stays:
            _left_open(office, van, village, speak)
    return acts.tally


def _left_open(office: Office, van: Laptop, village: Laptop, speak: Callable[[str], None]) -> None:
    """Serve what the story left, until Ctrl-C."""
    doors = Doors(office)
    try:
        doors.open(("the van's laptop", van), ("the village's laptop", village))
        doors.tell(speak)
        doors.wait()
    except KeyboardInterrupt:
        speak("")  # while the doors were being opened
    finally:
        doors.close()


@contextlib.contextmanager
def _database(wanted: argparse.Namespace, folder: Path) -> Iterator[str]:
    if not wanted.postgres:
        yield ""
        return
    with postgres(folder / "postgres") as url:
        yield url


def _close(tally: Tally, speak: Callable[[str], None]) -> None:
    """The summary table, and what is wrong with it."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="The day in numbers", title_justify="left", box=None, pad_edge=False)
    for head in ("count", "promised", "what"):
        table.add_column(head, justify="left" if head == "what" else "right")
    for name, value in tally.summary().items():
        table.add_row(_shown(value), _shown(tally.promised().get(name, "")), MEANINGS[name])
    console = Console(width=100, highlight=False)
    with console.capture() as caught:
        console.print(table)
    speak("\n" + "\n".join(line.rstrip() for line in caught.get().splitlines()))
    for one in tally.wrong():
        speak(f"\nNOT AS PROMISED: {one}")
    if tally.right:
        speak("\nEverything is as promised.")


def _shown(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    raise SystemExit(main())
