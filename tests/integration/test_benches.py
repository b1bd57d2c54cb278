"""The benches run and give the figures they promise; how good those are is not asked here."""

import contextlib

import pytest

import bench
import bench_central
import bench_copies
import bench_field
import bench_intake
import bench_pages
import bench_vault
import bench_wire

PROMISED = {
    "vault": ("save_p50_ratio", "save_p99_ratio", "status_rss_mb", "status_growth_ratio"),
    "wire": (
        "enrolment_bytes",
        "birth_bytes",
        "day_120_ratio",
        "nothing_new_bytes",
        "nothing_new_round_trips",
        "floor_bytes",
    ),
    "intake": ("records_per_s", "baseline_records_per_s", "ratio"),
    "field": (
        "first_page_s",
        "idle_rss_mb",
        "save_on_blur_p99_ms",
        "search_p99_ms",
        "page_p95_ms",
        "html_kb_max",
        "css_gz_kb",
        "js_gz_kb",
    ),
    "central": ("dedup_precision", "dedup_recall", "dedup_pairs_per_s"),
}


def numbers(name, figures):
    """The promised figures, which are all numbers above zero."""
    found = {key: figures[key] for key in PROMISED[name]}
    assert all(isinstance(value, int | float) and value > 0 for value in found.values()), found
    return found


def test_wire_counts_bytes_and_they_are_few():
    """Bytes do not depend on the machine, so these bars may be held here."""
    figures = bench_wire.run(people=5, day=20, floor=100)
    numbers("wire", figures)
    held = ("enrolment_bytes", "birth_bytes", "nothing_new_bytes", "nothing_new_round_trips")
    assert not set(bench.misses(figures)) & set(held), figures
    parts = bench_wire.parts()
    whole = sum(size for name, size in parts.items() if name != "message before packing")
    assert figures["enrolment_median_bytes"] == pytest.approx(whole, abs=60)


def test_vault_compares_the_same_saves():
    figures = bench_vault.run(saves=4, requests=250)
    numbers("vault", figures)
    assert figures["saves"] == 20
    assert figures["status_scans"] == []


def test_intake_reaches_both_servers():
    figures = bench_intake.run(devices=2, each=10, rounds=1)
    numbers("intake", figures)


def test_a_missed_bar_is_named():
    assert bench.misses({"enrolment_bytes": 441, "birth_bytes": 600}) == ["enrolment_bytes"]
    assert bench.misses({"ratio": 0.5, "day_120_ratio": 1.2}) == ["day_120_ratio", "ratio"]
    assert bench.misses({"ratio": 1.0, "status_rss_mb": None}) == []


def test_copies_are_measured_and_small():
    figures = bench_copies.run(1, (1134, 1512), 1)
    assert not bench.misses(figures)
    assert figures["webp_50_kb"] < figures["jpeg_75_kb"]
    assert figures["arrival_mb_per_s"] > 0


def test_central_pages_are_asked_for_as_staff_do(tmp_path):
    with contextlib.closing(bench_pages.Filled(tmp_path / "small", 240, laptops=False)) as filled:
        assert filled.loaded["changes"] > 1000
        found = filled.pages(1)
    kinds = ("list", "search", "record", "case", "dashboard", "members")
    assert all(found[f"{kind}_p95_ms"] > 0 for kind in kinds), found
    assert bench.misses({"page_p95_ms": 301}, bench.bars_of("central")) == ["page_p95_ms"]
    assert bench.misses({"page_p95_ms": 151}) == ["page_p95_ms"]


def test_central_counts_right_and_wrong_pairs_and_how_fast_they_are_found():
    figures = bench_central.run("dedup_", quick=True)
    numbers("central", figures)
    assert figures["dedup_1k"]["pairs_per_request"] > 0


def test_field_asks_every_page():
    """Sizes do not depend on the machine, so their bars may be held here."""
    figures = bench_field.run(30, 30, 1, quick=True)
    numbers("field", figures)
    held = ("html_kb_max", "css_gz_kb", "js_gz_kb")
    assert not set(bench.misses(figures)) & set(held), figures
