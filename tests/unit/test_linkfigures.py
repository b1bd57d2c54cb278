"""What is told of shaped links is what was measured, and a missed bar is called one."""

from __future__ import annotations

import json

import pytest

import docs
import linkfigures

RUN = {
    "machine": "2 x CPU",
    "tls": False,
    "edge2g_200": {
        "runs": 15, "seconds": [2.3, 2.4, 6.1], "bound_s": [2.4, 2.5, 6.0], "first_s": 1.2,
        "bytes_ratio": 0.93, "time_ratio": 1.2, "bytes_up": [15000, 15400, 16000],
        "bytes_down": [2300, 2400, 2500], "bound_bytes": [18800, 18900, 20000],
    },
    "plot_4g": {"seconds": [0.4, 0.5, 0.6], "bound_s": [0.1, 0.2, 0.2], "rest_s": 15.0},
}  # fmt: skip


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(linkfigures, "FILE", tmp_path / "links.json")
    found = linkfigures.merged(linkfigures.kept(), RUN, "2026-11-21")
    found = linkfigures.merged(found, RUN | {"tls": True}, "2026-11-21")
    linkfigures.FILE.write_text(json.dumps(found), encoding="utf-8")
    return found


def test_figures_come_together_key_by_key(kept):
    again = linkfigures.merged(kept, {"machine": "2 x CPU", "tls": False, "x": {}}, "2026-11-21")
    assert set(again["links"]) == {"edge2g_200", "x"}
    assert set(again["plot"]) == {"4g"}
    assert again["machines"] == ["2026-11-21: 2 x CPU"]


def test_a_missed_bar_is_called_one(kept):
    (line,) = [line for line in linkfigures.table().splitlines() if "`edge2g_200`" in line]
    assert "0.93, 1.2 **missed**, 1.2 |" in line
    assert "2.40 (2.30-6.10)" in line
    assert "| 15 | 2.40 (2.30-6.10) | 2.40" in linkfigures.tls_table()
    assert "| 0.93 | 1.2 | 1.2 |  |  |  | 15.4 | 2.4 | 18.9 |" in linkfigures.details()


def test_the_plot_is_drawn_from_the_figures(kept):
    drawn = linkfigures.plot()
    assert all(f">{value}</text>" in drawn for value in ("0.2", "0.5", "15"))
    assert drawn.count("<polyline") == 3


def test_the_page_and_the_plot_show_what_is_kept():
    assert linkfigures.PLOT.read_text("utf-8") == linkfigures.plot()
    page = (docs.ROOT / "docs" / "performance.md").read_text("utf-8")
    assert docs.redrawn(page) == page
    assert set(linkfigures.kept()["links"]) <= set(linkfigures.LINK_BARS)
