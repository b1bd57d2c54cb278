"""What was measured over shaped links: kept in docs/performance/links.json, drawn in docs/.

    python3 scripts/bench.py links --json --only edge2g_200 > edge2g_200.json
    python3 scripts/linkfigures.py --on 2026-11-21 *.json     keep them, draw the plot
    python3 scripts/docs.py                                    draw the tables

Figures of several runs of the bench come together key by key; a newer one takes the place of an
older one of the same key. Nothing is drawn that is not in that file.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs" / "performance" / "links.json"
PLOT = ROOT / "docs" / "performance" / "links.svg"

Figures = dict[str, Any]

LINK_BARS = {
    "edge2g_200": {"bytes_ratio": "<= 1.0", "time_ratio": "<= 1.05", "first_s": "<= 2.2"},
    "edge2g_2000": {"time_ratio": "<= 0.95", "first_s": "<= 2.2"},
    "flaky_2000": {"time_ratio": "<= 1.1", "resent_ratio": "<= 0.05", "duplicates": "<= 0"},
    "nothing_new": {"round_trips": "<= 1", "most_up": "<= 1000", "most_down": "<= 1000"},
    "ten_edits": {
        "most_up": "<= 1800",
        "median_s": "<= 2.0",
        "up_ratio_to_small_history": "<= 1.1",
    },
    "vsat_photos": {"time_ratio": "<= 1.08"},
    "g3_photos": {"time_ratio": "<= 1.08"},
    "edge2g_photos": {"time_ratio": "<= 1.08", "photos_before_previews": "<= 0"},
}
"""What each key of `bench.py links` should give."""

WORK = {
    "edge2g_200": "200 requests, edge2g",
    "edge2g_2000": "2,000 requests, edge2g",
    "flaky_2000": "2,000 requests, flaky",
    "nothing_new": "nothing new, 20,000 in history, edge2g",
    "ten_edits": "10 edits, 20,000 in history, edge2g",
    "vsat_photos": "50 requests with two photos of 60 kB, vsat",
    "g3_photos": "the same, 3g",
    "edge2g_photos": "5 requests with two photos, edge2g",
}


def meets(value: float, bar: str) -> bool:
    """Is a figure what it should be? bar: as "<= 1.05"."""
    sign, limit = bar.split()
    return value <= float(limit) if sign == "<=" else value >= float(limit)


# -- keeping


def kept() -> Figures:
    """Everything that was kept: `links`, `tls` and `plot`, each by key, and where it was measured.
    Empty tables where nothing was measured yet."""
    empty: Figures = {"machines": [], "links": {}, "tls": {}, "plot": {}}
    return json.loads(FILE.read_text("utf-8")) if FILE.exists() else empty


def merged(before: Figures, told: Figures, on: str) -> Figures:
    """`before` with what one run of the bench told. on: the day, ISO."""
    machine = f"{on}: {told['machine']}"
    machines = sorted({*before["machines"], machine})
    made = before | {"machines": machines}
    for key, figures in told.items():
        if not isinstance(figures, dict):
            continue
        part, name = ("tls", key) if told["tls"] else ("links", key)
        if key.startswith("plot_"):
            part, name = "plot", key.removeprefix("plot_")
        made[part] = made[part] | {name: figures}
    return made


# -- tables


def seconds(spread: Sequence[float] | None) -> str:
    """Median, with least and most."""
    if spread is None:
        return ""
    low, middle, high = spread
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def table() -> str:
    """Every key with its bars."""
    head = ("Key", "Work", "Runs", "Ours, s", "Bound, s", "Should be", "Measured")
    lines = [f"| {' | '.join(head)} |", "|--|--|--|--|--|--|--|"]
    links = kept()["links"]
    for key, bars in LINK_BARS.items():
        if key not in links:
            continue
        one = links[key]
        said = []
        for name, bar in bars.items():
            mark = "" if meets(one[name], bar) else " **missed**"
            said.append(f"{one[name]:g}{mark}")
        wanted = [f"`{name}` {bar.replace('<=', '≤')}" for name, bar in bars.items()]
        cells = [f"`{key}`", WORK[key], str(one["runs"]), seconds(one["seconds"])]
        cells += [seconds(one.get("bound_s")), ", ".join(wanted), ", ".join(said)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


MORE = ("bytes_ratio", "time_ratio", "first_s", "resent_ratio", "duplicates", "round_trips")


def details() -> str:
    """The figures that every key has, where they apply, and bytes."""
    head = ("Key", *(f"`{name}`" for name in MORE), "kB up", "kB down", "kB of the bound")
    lines = [f"| {' | '.join(head)} |", "|" + "--|" * len(head)]
    for key, one in kept()["links"].items():
        cells = [f"`{key}`", *(f"{one[name]:g}" if name in one else "" for name in MORE)]
        cells += [f"{one[name][1] / 1000:.1f}" if name in one else ""
                  for name in ("bytes_up", "bytes_down", "bound_bytes")]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def tls_table() -> str:
    """What TLS adds to the same work."""
    both = kept()
    head = ("Key", "Runs", "Plain, s", "In TLS, s", "First, s", "First in TLS, s", "More bytes")
    lines = [f"| {' | '.join(head)} |", "|--|--|--|--|--|--|--|"]
    for key, one in both["tls"].items():
        plain = both["links"][key]
        more = sum(one[way][1] - plain[way][1] for way in ("bytes_up", "bytes_down"))
        cells = [f"`{key}`", str(one["runs"]), seconds(plain["seconds"]), seconds(one["seconds"])]
        cells += [f"{plain['first_s']:.2f}", f"{one['first_s']:.2f}", f"{more:,.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def machines() -> str:
    """Where and when."""
    return "".join(f"- {one}\n" for one in kept()["machines"])


# -- the plot

LINKS = ("4g", "3g", "vsat", "edge2g", "flaky")
SERIES = (("bound_s", "bound", "#666666"), ("seconds", "this project", "#0a7d4f"),
          ("rest_s", "one POST a record", "#b3261e"))  # fmt: skip
WIDTH, HEIGHT = 640, 380
LEFT, RIGHT, TOP, BOTTOM = 60, 610, 50, 330
LEAST, MOST = 0.1, 1000.0


def _y(value: float) -> float:
    """Height of so many seconds, on a scale of powers of ten."""
    share = math.log(max(value, LEAST) / LEAST) / math.log(MOST / LEAST)
    return round(BOTTOM - share * (BOTTOM - TOP), 1)


def _x(place: int) -> float:
    return round(LEFT + (place + 0.5) * (RIGHT - LEFT) / len(LINKS), 1)


def plot() -> str:
    """Seconds for 200 requests on each link, as an SVG."""
    figures = kept()["plot"]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        "<title>Seconds until 200 requests are durable at central, by link</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        *_grid(),
    ]
    for number, (name, label, colour) in enumerate(SERIES):
        parts += _line(figures, name, colour)
        x = LEFT + 10 + 190 * number
        parts.append(f'<rect x="{x}" y="18" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="28">{label}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _grid() -> list[str]:
    parts = []
    for power in range(-1, 4):
        value = 10.0**power
        y = _y(value)
        parts.append(f'<line x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}" stroke="#dddddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{value:g} s</text>')
    for place, link in enumerate(LINKS):
        at = f'x="{_x(place)}" y="{BOTTOM + 22}"'
        parts.append(f'<text {at} text-anchor="middle">{link}</text>')
    return parts


def _line(figures: Figures, name: str, colour: str) -> list[str]:
    """One line through the medians, with least and most where they are known."""
    parts, points = [], []
    for place, link in enumerate(LINKS):
        if link not in figures:
            continue
        value = figures[link][name]
        low, middle, high = value if isinstance(value, list) else (value, value, value)
        x, y = _x(place), _y(middle)
        points.append(f"{x},{y}")
        stroke = f'stroke="{colour}"'
        parts.append(f'<line x1="{x}" x2="{x}" y1="{_y(low)}" y2="{_y(high)}" {stroke}/>')
        parts.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>')
        below = 16 if name == "seconds" else -9
        parts.append(f'<text x="{x + 7}" y="{y + below}" fill="{colour}">{middle:.3g}</text>')
    line = f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}"/>'
    return [line, *parts]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, help="what `bench.py links --json` printed")
    parser.add_argument("--on", required=True, help="the day it was measured, ISO")
    given = parser.parse_args()
    found = kept()
    for file in given.files:
        found = merged(found, json.loads(file.read_text("utf-8").splitlines()[-1]), given.on)
    FILE.parent.mkdir(exist_ok=True)
    text = json.dumps(found, ensure_ascii=False, indent=1)
    FILE.write_text(text + "\n", encoding="utf-8", newline="\n")
    PLOT.write_text(plot(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
