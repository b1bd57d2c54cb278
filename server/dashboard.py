"""Dashboard: how the service stands, as panels, and the same as files to hand on.

Nothing in it names a citizen; the lists behind its numbers do, and are read under one's own name
(`Reports.members`). Panels are kept in memory until something new was counted.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TypeVar, cast

from models import words
from models.calendar import Calendar
from models.people import Act, require
from models.problems import Problem
from models.regions import CITY, full_name, region
from server import panels, watching
from server.auth import areas, roles
from server.charts import Painter
from server.database.people import Person
from server.database.registry import Registry
from server.database.reports import ReportMark
from server.figures import day_of
from server.reports import villages_within
from server.scene import Panel, Scene, View, first_month, rights_of
from server.spreadsheets import xlsx_file

MONTHS = (1, 3, 12)
KEPT = 100
_Panel = Callable[[Scene], Panel]
PANELS: tuple[_Panel, ...] = (
    panels.services,
    panels.tiles,
    panels.ages,
    panels.waits,
    panels.flow,
    panels.stages,
    panels.times,
    panels.returns,
    panels.cases,
    panels.uncollected,
    watching.coverage,
    watching.targets,
    watching.laptops,
    watching.evidence,
)

ANYWHERE = frozenset({panels.tiles, watching.laptops, watching.signals})
"""Panels that are the same whatever place is looked at."""

_Key = tuple[object, ...]


class Board:
    """Everything that was counted, as it is shown. areas: of whom it was drawn up for. at: of the
    newest decision in it."""

    def __init__(
        self, view: View, areas: tuple[str, ...], found: list[Panel], mark: ReportMark
    ) -> None:
        self.view = view
        self.areas = areas
        self.panels = found
        self.at = mark.at

    def panel(self, key: str) -> Panel:
        """One of them. Problem report.unknown."""
        for one in self.panels:
            if one.key == key:
                return one
        raise Problem("report.unknown", figure=key[:40])


_Drawn = TypeVar("_Drawn", Board, Panel)


class Dashboard:
    """Draws up the board for whoever may read reports. calendar: of working days."""

    def __init__(self, registry: Registry, clock: Callable[[], int], calendar: Calendar) -> None:
        self.registry = registry
        self.clock = clock
        self.calendar = calendar
        self.painter = Painter()
        self._kept: OrderedDict[_Key, Board | Panel] = OrderedDict()
        self._lock = threading.Lock()

    def view(self, month: str = "", months: str = "", place: str = "") -> View:
        """What is asked for, or what is shown first: the city, the last three months. Problem
        report.unknown."""
        today = day_of(self.clock())[:7]
        try:
            asked = date.fromisoformat(f"{month}-01").isoformat()[:7] if month else today
            count = int(months) if months else MONTHS[1]
        except ValueError:
            raise Problem("report.unknown", figure=f"{month} {months}"[:40]) from None
        found = region(place) if place else None
        if count not in MONTHS or (place and (found is None or len(place) < 8)):
            raise Problem("report.unknown", figure=(place or months)[:40])
        return View(min(asked, today), count, found.code if found is not None else "")

    def board(self, me: Person, view: View, lang: str = "id") -> Board:
        """The panels, of somebody's own area alone. Signals are for supervisors. Problem auth.area
        where nothing of the place is theirs."""
        require(roles(me), Act.READ_REPORTS)
        within = villages_within(me, view.place)
        rights = rights_of(me)
        now = self.clock()
        with self.registry.read() as door:
            mark = door.report_mark()
            # Laptops call all the time, and ages grow by the hour: a minute is new enough.
            minute = f"{day_of(now)} {now // 60}"
            when = (view.month, view.months, areas(me), rights, lang, mark.upto, minute)

            def draw() -> Board:
                scene = Scene(door, me, view, within, self.calendar, lang, now)
                wanted = (*PANELS, watching.signals) if Act.APPROVE_CASE in rights else PANELS
                found = [self._panel(panel, scene, when) for panel in wanted]
                return Board(view, areas(me), found, mark)

            return self._once(("board", view.place, *when), draw)

    def _panel(self, panel: _Panel, scene: Scene, when: _Key) -> Panel:
        if panel not in ANYWHERE:
            return panel(scene)
        return self._once((panel.__name__, *when), partial(panel, scene))

    def _once(self, key: _Key, draw: Callable[[], _Drawn]) -> _Drawn:
        """What was drawn of that before, or is drawn now. key: everything it depends on."""
        with self._lock:
            if key in self._kept:
                return cast(_Drawn, self._kept[key])
        drawn = draw()
        with self._lock:
            self._kept[key] = drawn
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return drawn

    def chart(self, me: Person, view: View, key: str, lang: str = "id") -> bytes:
        """The picture of one panel, SVG. Problem report.unknown where it has none."""
        panel = self.board(me, view, lang).panel(key)
        if panel.chart is None:
            raise Problem("report.unknown", figure=key[:40])
        return self.painter.svg(panel.chart)

    def close(self) -> None:
        """Let what is being drawn be finished."""
        self.painter.close()

    # -- files

    def xlsx(self, me: Person, view: View, lang: str = "id") -> bytes:
        """All panels, a sheet each, and first what they are of."""
        board = self.board(me, view, lang)
        about = [[name, text] for name, text in self.about(board, lang)]
        about += [[one.title, f"{one.said} {one.note}".strip()] for one in board.panels]
        first = (words.say("Tentang", lang), [words.say("Tabel", lang), ""], about)
        sheets = [
            (p.title, p.heads, [[c.words for c in row] for row in p.rows]) for p in board.panels
        ]
        self._note(me, view, "xlsx")
        return xlsx_file([first, *sheets])

    def pdf(self, me: Person, view: View, lang: str = "id") -> bytes:
        """All panels with their charts, for paper."""
        from server.boardpaper import paper

        board = self.board(me, view, lang)
        pictures = {p.key: self.painter.png(p.chart) for p in board.panels if p.chart is not None}
        self._note(me, view, "pdf")
        return paper(self.about(board, lang), board.panels, pictures, lang)

    def about(self, board: Board, lang: str) -> list[tuple[str, str]]:
        """What a board is of, in words."""
        view = board.view
        first, last = (words.month(one, lang) for one in (first_month(view), view.month))
        places = [view.place] if view.place else board.areas or [CITY]
        return [
            (words.say("Wilayah", lang), "; ".join(map(full_name, places))),
            (words.say("Masa", lang), f"{first} – {last}" if first != last else last),
            (words.say("Dihitung sampai", lang), shown_at(board.at)),
            (words.say("Dibuat", lang), shown_at(self.clock())),
        ]

    def _note(self, me: Person, view: View, kind: str) -> None:
        """An export is written down, as everything that leaves the office."""
        details = {"kind": kind, "place": view.place, "month": view.month, "months": view.months}
        with self.registry.write() as door:
            door.audit(me.login, "report.export", "", details, self.clock())


def shown_at(at: int) -> str:
    """Unix seconds for people; a dash before anything was counted."""
    return words.moment_at(at) if at else "–"
