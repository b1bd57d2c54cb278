"""Measures what the project promises in numbers. Never part of the test run: machines differ.

    python3 scripts/bench.py wire              bytes on the road
    python3 scripts/bench.py vault             a durable save, and `status` on a big store
    python3 scripts/bench.py intake            changes a second at central
    python3 scripts/bench.py intake --postgres the same with central on PostgreSQL
    python3 scripts/bench.py copies            what a photographed paper costs
    python3 scripts/bench.py field             the pages: start, memory, saving, search
    python3 scripts/bench.py links             over shaped links (Linux, as root; long)
    python3 scripts/bench.py roads             ways of talking over HTTP (Linux, as root)
    python3 scripts/bench.py wire --parts      where the bytes of one enrolment go
    python3 scripts/bench.py central --only dedup_   finding duplicates (some minutes)
    python3 scripts/bench.py central --only page_    central's pages on big registers (long)

`--json` prints one line. `--quick` takes small numbers: to see that it works, not how fast.
What each figure means stands in docs/benchmarks.md.
"""

from __future__ import annotations

import home

home.enter()

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from linkfigures import LINK_BARS, meets

Figures = dict[str, Any]

BARS = {
    "enrolment_bytes": "<= 440",
    "birth_bytes": "<= 600",
    "day_120_ratio": "<= 1.0",
    "nothing_new_bytes": "<= 800",
    "nothing_new_round_trips": "<= 1",
    "save_p50_ratio": "<= 2.0",
    "save_p99_ratio": "<= 2.5",
    "status_rss_mb": "<= 80",
    "status_growth_ratio": "<= 1.5",
    "ratio": ">= 1.0",
    "page_kb_max": "<= 350",
    "preview_kb": "<= 12",
    "portrait_kb": "<= 150",
    "first_page_s": "<= 3.0",
    "idle_rss_mb": "<= 90",
    "save_on_blur_p99_ms": "<= 50",
    "search_p99_ms": "<= 100",
    "page_p95_ms": "<= 150",
    "html_kb_max": "<= 40",
    "css_gz_kb": "<= 18",
    "js_gz_kb": "<= 30",
    "installed_mb": "<= 130",
    "dedup_precision": ">= 0.98",
    "dedup_recall": ">= 0.95",
}
"""What a figure should be; the others are told for their own sake."""

CENTRAL_BARS = {
    "page_p95_ms": "<= 300",
    "growth_ratio": "<= 1.5",
    "intake_ratio_while_browsing": ">= 0.8",
}
"""The office's pages ask of 200,000 requests what a laptop's ask of a few hundred."""


def wire(options: argparse.Namespace) -> Figures:
    import bench_wire

    if options.parts:
        return bench_wire.parts()
    return bench_wire.run(people=5, day=12, floor=200) if options.quick else bench_wire.run()


def vault(options: argparse.Namespace) -> Figures:
    import bench_vault

    return bench_vault.run(saves=20, requests=300) if options.quick else bench_vault.run()


def intake(options: argparse.Namespace) -> Figures:
    import bench_intake

    size = {"devices": 2, "each": 20, "rounds": 1} if options.quick else {}
    return bench_intake.run(postgres=options.postgres, **size)


def links(options: argparse.Namespace) -> Figures:
    import bench_links

    return bench_links.run(options.only, 1 if options.quick else options.runs, tls=options.tls)


def copies(options: argparse.Namespace) -> Figures:
    import bench_copies

    return bench_copies.run(1, (1134, 1512), 2) if options.quick else bench_copies.run()


def field(options: argparse.Namespace) -> Figures:
    import bench_field

    return bench_field.run(300, 300, 2, quick=True) if options.quick else bench_field.run()


def roads(options: argparse.Namespace) -> Figures:
    import bench_roads

    return bench_roads.run(1 if options.quick else options.runs)


def central(options: argparse.Namespace) -> Figures:
    import bench_central

    return bench_central.run(options.only, quick=options.quick)


BENCHES: dict[str, Callable[[argparse.Namespace], Figures]] = {
    "wire": wire,
    "vault": vault,
    "intake": intake,
    "copies": copies,
    "field": field,
    "links": links,
    "roads": roads,
    "central": central,
}


def bars_of(name: str) -> dict[str, str]:
    """What the figures of a bench should be."""
    return BARS | CENTRAL_BARS if name == "central" else BARS


def misses(figures: Figures, bars: dict[str, str] = BARS) -> list[str]:
    """Names of the figures that are not what they should be."""
    found = _missed(figures, bars)
    for key, bars in LINK_BARS.items():
        found += [f"{key}.{name}" for name in _missed(figures.get(key, {}), bars)]
    return found


def _missed(figures: Figures, bars: dict[str, str]) -> list[str]:
    """What could not be measured here (None) is not missed."""
    held = {name: bar for name, bar in bars.items() if figures.get(name) is not None}
    return [name for name, bar in held.items() if not meets(figures[name], bar)]


def told(figures: Figures, bars: dict[str, str], missed: list[str], of: str = "") -> None:
    """Print figures, each with its bar."""
    for name, value in figures.items():
        if isinstance(value, dict):
            print(name)
            told(value, LINK_BARS.get(name, {}), missed, f"{name}.")
            continue
        note = f"   should be {bars[name]}" if name in bars else ""
        mark = "   MISSED" if of + name in missed else ""
        print(f"{'  ' if of else ''}{name:32} {value}{note}{mark}")


def main() -> int:
    """Print the figures. A missed bar is said, not failed: that is for a person to judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=BENCHES)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument("--quick", action="store_true", help="small numbers")
    parser.add_argument("--parts", action="store_true", help="wire: the bytes of one enrolment")
    parser.add_argument("--postgres", action="store_true", help="intake: central on PostgreSQL")
    parser.add_argument("--only", default="", help="links, central: one key, or how keys begin")
    parser.add_argument("--runs", type=int, default=0, help="links: how often each is measured")
    parser.add_argument("--tls", action="store_true", help="links: everything inside TLS")
    options = parser.parse_args()
    figures = BENCHES[options.name](options)
    bars = bars_of(options.name)
    missed = misses(figures, bars)
    if options.json:
        print(json.dumps(figures))
    else:
        told(figures, bars, missed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
