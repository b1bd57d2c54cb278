#!/usr/bin/env python3
"""Plant faults in the production code, one by one, and see that each is noticed.

    python3 scripts/mutate.py
    python3 scripts/mutate.py --only "last writer" --json

Nothing on the disk is changed. A fault that neither the simulator nor a named law check notices is
listed, and the exit code is 1; so it is when the code as it stands does not pass.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import home

home.enter()

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.simulation.mutations import MUTATIONS
from tests.simulation.planting import Mutation, caught


def sound(mutations: list[Mutation]) -> None:
    """The code as it stands passes every check that is asked."""
    for check in dict.fromkeys(mutation.check for mutation in mutations):
        check()


def play(mutations: list[Mutation], tell: bool) -> dict[str, object]:
    """Plant each, between two runs of the code as it is."""
    began = time.monotonic()
    sound(mutations)
    survivors: list[str] = []
    for mutation in mutations:
        start = time.monotonic()
        found = caught(mutation)
        if not found:
            survivors.append(mutation.name)
        if tell:
            seconds = time.monotonic() - start
            print(f"law {mutation.law:>2}  {mutation.name}: {found or 'SURVIVED'}  {seconds:.1f} s")
    sound(mutations[:1])
    return {
        "planted": len(mutations),
        "caught": len(mutations) - len(survivors),
        "survivors": survivors,
        "laws": sorted({mutation.law for mutation in mutations}, key=int),
        "seconds": round(time.monotonic() - began, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="only faults with these words in their name")
    parser.add_argument("--json", action="store_true", help="one line of figures")
    options = parser.parse_args()
    report = play([m for m in MUTATIONS if options.only in m.name], tell=not options.json)
    print(json.dumps(report))
    return 1 if report["survivors"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
