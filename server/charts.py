"""Charts: pictures of figures, drawn at the office as SVG or PNG, without a script in the page.

Altair says what is drawn, vl-convert draws it with an engine of its own inside this process. Both
are loaded with the first picture, in the one thread that draws: a start without a chart pays
nothing, and pages never wait for a picture. What was drawn is kept by its content.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

KEPT = 200
"""Pictures in memory, some 20 kB each."""
WIDTH = 640
BRAND, WARM, COOL, GREY = "#0b4f6c", "#b04a00", "#0f6b45", "#6b7280"
COLOURS = (BRAND, "#e08e45", "#5b2a86", COOL, "#b3141d", GREY)
AGES = (COOL, BRAND, "#e08e45", "#b3141d")
"""From fresh to late."""
NONE = "#ffffff"
FONT = "Noto Sans, Arial, sans-serif"

DAYS = "slice(datum.label, 8, 10) + '-' + slice(datum.label, 5, 7)"
"""An ISO day on an axis, as day and month."""

Datum = dict[str, str | int | float]


class Chart(msgspec.Struct, frozen=True):
    """What is drawn. form: a key of `FORMS`. x, y, colour: what axes and legend are called. data:
    rows of the names that the form knows; order: of what is named, as it is read; colours: of the
    parts, where they say something."""

    form: str
    data: Sequence[Datum]
    x: str = ""
    y: str = ""
    colour: str = ""
    order: Sequence[str] = ()
    colours: Sequence[str] = COLOURS

    @property
    def digest(self) -> str:
        """Names the picture: another one for other content."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


class Painter:
    """Draws, in a thread of its own, what nobody drew before."""

    def __init__(self) -> None:
        self._drawn: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._hand = ThreadPoolExecutor(1, thread_name_prefix="charts")

    def svg(self, chart: Chart) -> bytes:
        """As SVG."""
        return self._kept(chart, "svg")

    def png(self, chart: Chart) -> bytes:
        """As PNG of double size, for paper."""
        return self._kept(chart, "png")

    def _kept(self, chart: Chart, kind: str) -> bytes:
        name = (chart.digest, kind)
        with self._lock:
            if name in self._drawn:
                self._drawn.move_to_end(name)
                return self._drawn[name]
        made = self._hand.submit(_draw, chart, kind).result()
        with self._lock:
            self._drawn[name] = made
            while len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
        return made

    def close(self) -> None:
        """Let a picture that is being drawn be finished."""
        self._hand.shutdown()


def _draw(chart: Chart, kind: str) -> bytes:
    import altair
    import vl_convert

    drawn = FORMS[chart.form](altair, chart).configure(
        font=FONT,
        background="white",
        padding={"left": 36, "right": 24, "top": 4, "bottom": 4},  # other fonts are wider
        view={"stroke": None},
    )
    drawn = drawn.configure_axis(labelFontSize=12, titleFontSize=12, labelLimit=220)
    drawn = drawn.configure_axisX(labelFlush=False)
    spec = drawn.configure_legend(labelFontSize=12, titleFontSize=12, columnPadding=24).to_dict()
    if kind == "svg":
        return vl_convert.vegalite_to_svg(spec).encode()
    png: bytes = vl_convert.vegalite_to_png(spec, scale=2)
    return png


# -- forms


def _bars(alt: Any, chart: Chart) -> Any:
    """Lying bars, one below the other, parts of one colour each: name, part, n."""
    parts = list(dict.fromkeys(str(row["part"]) for row in chart.data))
    return _of(alt, chart).mark_bar().encode(
        y=alt.Y("name:N", sort=list(chart.order) or None, title=None),
        x=alt.X("n:Q", title=chart.x, axis=alt.Axis(tickMinStep=1, format="d")),
        color=alt.Color(
            "part:N",
            title=chart.colour or None,
            sort=parts,
            scale=alt.Scale(domain=parts, range=list(chart.colours[: len(parts)])),
            legend=alt.Legend(orient="top") if len(parts) > 1 else None,
        ),
        order=alt.Order("rank:Q"),
    ).properties(width=WIDTH - 200, height=alt.Step(22))  # fmt: skip


def _tiles(alt: Any, chart: Chart) -> Any:
    """A square for each village: name, column, row, n."""
    base = _of(alt, chart).encode(
        x=alt.X("column:O", axis=None), y=alt.Y("row:O", axis=None)
    )  # fmt: skip
    most = max((int(row["n"]) for row in chart.data), default=0)
    squares = base.mark_rect(stroke="#9ca3af", strokeWidth=1).encode(color=_deep(alt, chart))
    dark = alt.condition(f"datum.n > {max(1, most) * 0.6}", alt.value("white"), alt.value("black"))
    names = base.mark_text(fontSize=7, dy=-5, limit=46).encode(text="name:N", color=dark)
    numbers = base.mark_text(fontSize=10, dy=7).encode(text="n:Q", color=dark)
    return (squares + names + numbers).properties(width=alt.Step(50), height=alt.Step(34))


def _lines(alt: Any, chart: Chart) -> Any:
    """Lines over time: day (ISO), part, n. Told apart by dashes and points too."""
    parts = list(dict.fromkeys(str(row["part"]) for row in chart.data))
    legend = alt.Legend(orient="top")

    def look(channel: Any, **scale: Any) -> Any:  # equal legends are drawn as one
        told = {"title": None, "sort": parts, "legend": legend}
        return channel("part:N", scale=alt.Scale(domain=parts, **scale), **told)

    return _of(alt, chart).mark_line(point=True).encode(
        x=alt.X("day:O", title=chart.x,
                axis=alt.Axis(labelAngle=-45, labelOverlap=True, labelExpr=DAYS)),
        y=alt.Y("n:Q", title=chart.y, axis=alt.Axis(tickMinStep=1, format="d")),
        color=look(alt.Color, range=list(COLOURS[: len(parts)])),
        strokeDash=look(alt.StrokeDash),
        shape=look(alt.Shape),
    ).properties(width=WIDTH - 80, height=220)  # fmt: skip


def _strip(alt: Any, chart: Chart) -> Any:
    """Weeks beside each other, places below each other: name, day, n."""
    return _of(alt, chart).mark_rect(stroke="#e5e7eb").encode(
        x=alt.X("day:O", title=chart.x, axis=alt.Axis(labelAngle=-45, labelExpr=DAYS)),
        y=alt.Y("name:N", sort=list(chart.order) or None, title=None),
        color=_deep(alt, chart),
    ).properties(width=WIDTH - 220, height=alt.Step(13))  # fmt: skip


def _pareto(alt: Any, chart: Chart) -> Any:
    """Bars from the most to the least, and a line of how much they are together: name, n, share."""
    base = _of(alt, chart).encode(x=alt.X("name:N", sort=None, title=None,
                                          axis=alt.Axis(labelAngle=-40)))  # fmt: skip
    bars = base.mark_bar(color=BRAND).encode(
        y=alt.Y("n:Q", title=chart.y, axis=alt.Axis(tickMinStep=1, format="d"))
    )
    share = base.mark_line(color=WARM, point={"color": WARM}).encode(
        y=alt.Y("share:Q", title=chart.colour, scale=alt.Scale(domain=[0, 100]))
    )
    drawn = alt.layer(bars, share).resolve_scale(y="independent")
    return drawn.properties(width=WIDTH - 160, height=220)


def _spans(alt: Any, chart: Chart) -> Any:
    """From the median to nine in ten, for each name: name, median, most."""
    base = _of(alt, chart).encode(y=alt.Y("name:N", sort=list(chart.order), title=None))
    bar = base.mark_bar(color=BRAND, height=14).encode(x=alt.X("median:Q", title=chart.x))
    rule = base.mark_rule(color=WARM, strokeWidth=3).encode(x="median:Q", x2="most:Q")
    end = base.mark_tick(color=WARM, thickness=3, size=18).encode(x="most:Q")
    return (bar + rule + end).properties(width=WIDTH - 220, height=alt.Step(36))


def _deep(alt: Any, chart: Chart) -> Any:
    """The more, the deeper; none is white, which is told from a few."""
    most = max([1, *(int(row["n"]) for row in chart.data)])
    deep = alt.Color(
        "n:Q",
        title=chart.colour,
        scale=alt.Scale(scheme="blues", domain=[0, most]),
        legend=alt.Legend(orient="top"),
    )
    return alt.condition("datum.n > 0", deep, alt.value(NONE))


def _of(alt: Any, chart: Chart) -> Any:
    return alt.Chart(alt.Data(values=[dict(row) for row in chart.data]))


FORMS: dict[str, Callable[[Any, Chart], Any]] = {
    "bars": _bars,
    "tiles": _tiles,
    "lines": _lines,
    "strip": _strip,
    "pareto": _pareto,
    "spans": _spans,
}
