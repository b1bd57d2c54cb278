"""Bench `central`: what staff and the office's own search wait for.

`page_…`, `growth_…`, `intake_…`: the pages on registers of 20,000 and 200,000 requests, on SQLite
and PostgreSQL (bench_pages.py; needs 15 GB of disk for a while).

`dedup_…`: the matcher on registers of invented people in which it is known who stands there twice
(labelled.py, seeds that nothing was fitted on). Everything is in it: reading the profiles, keys,
comparing, bands. One process, as in central's job.
"""

from __future__ import annotations

from typing import Any

import bench_pages
from duplicates import judge, rates
from labelled import JUDGED

SIZES = (10_000, 50_000, 200_000)


PAGES = ("page_p95_ms", "growth_ratio", "intake_ratio_while_browsing")


def run(only: str = "", *, quick: bool = False) -> dict[str, Any]:
    """The keys that begin with `only`; all by default. quick: small registers."""
    pairs = "dedup_".startswith(only) or only.startswith("dedup_")
    pages = any(key.startswith(only) for key in PAGES)
    if not pairs and not pages:
        raise SystemExit(f"bench central has no key {only}")
    found: dict[str, Any] = {}
    if pages:
        sizes = (240, 480) if quick else bench_pages.SIZES
        found |= bench_pages.run(sizes, 3 if quick else bench_pages.ASKED, quick=quick)
    if pairs:
        found |= dedup(sizes=(500, 1000), judged=600) if quick else dedup()
    return found


def dedup(sizes: tuple[int, ...] = SIZES, judged: int = 10_000) -> dict[str, Any]:
    """Precision and recall over all judged seeds; seconds and pairs by size of the register."""
    told = rates([judge(seed, judged) for seed in JUDGED])
    found: dict[str, Any] = {f"dedup_{name}": told[name] for name in ("precision", "recall")}
    found |= {f"dedup_{name}": value for name, value in told.items() if "_" in name}
    grown = [judge(JUDGED[0], n) for n in sizes]
    for one in grown:
        of = rates([one])
        size = f"{one.n // 1000}k" if one.n % 1000 == 0 else str(one.n)
        found[f"dedup_{size}"] = {
            "seconds": one.seconds,
            "pairs_per_request": round(one.compared / one.n, 1),
            "precision": of["precision"],
            "recall": of["recall"],
        }
    last, first = grown[-1], grown[0]
    found["dedup_pairs_per_s"] = round(last.compared / last.seconds)
    found["dedup_requests_per_s"] = round(last.n / last.seconds)
    found["dedup_growth_ratio"] = round((last.seconds / last.n) / (first.seconds / first.n), 2)
    return found
