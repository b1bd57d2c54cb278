"""Every number of the dashboard leads to just what it counts, and agrees with the clocks of the
requests, for whoever looks; on SQLite and on PostgreSQL."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from models.calendar import SUNDAY
from models.changes import Body
from models.clock import Bucket, Clock
from models.words import WIT
from server.clocks import clocks
from server.watching import unread_of
from server.worklist import Filter
from sync.messages import Branch
from tests.pusat import DAY, GROUP, OTHER_VILLAGE, PROTECTED, VILLAGE, Pusat, Van, pusat
from tests.windows import Window, window

PHONE = "applicant.phone"
ROAD = (
    ("take", "in_verification"),
    ("approve", "verified"),
    ("add_to_batch", "in_batch"),
    ("close_batch", "in_siak"),
    ("release_card", "print_ready"),
    ("print", "printed"),
    ("dispatch", "ready_for_handover"),
    ("hand_over", "handed_over"),
)
BUCKETS: tuple[Bucket, ...] = ("fresh", "midway", "late_soon", "late")
ENDED = {"handed_over", "completed", "rejected"}
LATE = Filter(age="late")
DERIVED = {
    "Masuk per 1.000 penduduk",
    "Janji",
    "Tertua sejak",
    "Median",
    "9 dari 10 paling lama",
    "Bagian",
    "Bersama yang di atas",
    "Hari",
    "Hari sejak itu",
    "Rencana berikutnya",
    "Daftar per",
    "Nilai",
    "Belum perekaman",  # people of a list, of whom nobody has asked for anything
    "Tanpa NIK",
}
"""Columns that are worked out of the numbers beside them, or count no requests."""
SAID = {"tiles", "laptops", "coverage", "targets", "evidence", "signals", "times"}
"""Panels whose sentence counts villages, laptops or people, each a row of their table."""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def office(tmp_path_factory, request) -> Iterator[Pusat]:
    """Five weeks of an office: everything that a number of the dashboard can count is there."""
    kind = request.param
    url = request.getfixturevalue("postgres_module_url") if kind == "postgres" else ""
    with pusat(tmp_path_factory.mktemp("pusat") / kind, url) as opened:
        _weeks(opened)
        opened.central.reports.follow(99)
        yield opened


def _weeks(office: Pusat) -> None:
    one, two = office.van("Si Jola 1", VILLAGE, OTHER_VILLAGE), office.van("Kantor Woda", VILLAGE)
    records = [one.take_in(n, **_person(n)) for n in range(1, 9)]
    office.sync(one)
    _walk(office, records[0], 7)
    _to(office, weekday=SUNDAY)  # the last day of a week
    _step(office, records[0], "hand_over", "ready_for_handover", "handed_over")
    _walk(office, records[1], 7)
    office.clock.at += 7 * DAY
    one.clock = office.clock.at - 9 * DAY  # it was away for as long
    records += [two.take_in(n, **_person(n + 10)) for n in range(1, 4)]
    records += [one.take_in(n, **_person(n + 20)) for n in range(11, 14)]
    office.sync(one)
    office.sync(two)
    _elsewhere(office, one, records[4], records[5])
    _walk(office, records[4], 7)
    for record in records[2:4]:
        _walk(office, record, 1)
        _step(office, record, "return", "in_verification", "needs_correction", "DOC_MISSING: KK")
    asking, tono = office.central.verification, office.people["tono"]
    asking.ask(tono, records[8].hex(), "text", "", "Nomor rumahnya berapa?", _seen(office))
    case = asking.escalate(office.people["rina"], records[9].hex(), "satu nomor HP", _seen(office))
    office.central.casework.resolve(tono, case.id, "noted", "boleh", _seen(office))
    asking.escalate(office.people["rina"], records[10].hex(), "satu nomor HP", _seen(office))
    _to(office)
    one.edit(records[2], Body(action="correct", move=("needs_correction", "submitted")))
    office.sync(one)
    _quarrel(office, one, two, records[6])
    office.clock.at += 3 * DAY + 3661


def _person(n: int) -> dict[str, dict[str, str]]:
    who = {"name": f"WARGA {n}", "nik": f"82720309020900{n:02}", "kk": f"82720317030900{n:02}"}
    return {PROTECTED: who}


def _seen(office: Pusat) -> int:
    with office.central.registry.read() as door:
        return door.standing().server_seq


def _walk(office: Pusat, record: bytes, steps: int) -> None:
    """Along the road of a card, eight hours a step."""
    status = "received"
    for action, target in ROAD[:steps]:
        office.clock.at += 8 * 3600
        _step(office, record, action, status, target)
        status = target


def _step(
    office: Pusat, record: bytes, action: str, source: str, target: str, reason: str = ""
) -> None:
    body = Body(action=action, move=(source, target), reason=reason)
    with office.central.registry.write() as door:
        seen = door.standing().server_seq
        office.central.casework.write(door, "edit", record, body, seen, "siak")


def _elsewhere(office: Pusat, van: Van, outside: bytes, moved: bytes) -> None:
    """One lives outside the city, one moves to the other village."""
    away = {"address": "Jalan Batu", "rt": "001", "rw": "002", "outside": "Sofifi"}
    van.edit(outside, Body(set={GROUP: away}))
    here = {"address": "Kota", "rt": "001", "rw": "002", "village": OTHER_VILLAGE}
    van.edit(moved, Body(set={GROUP: here}))
    office.sync(van)


def _to(office: Pusat, weekday: int | None = None) -> None:
    """The second before a day ends at the office, which is in the afternoon in UTC: the next one,
    or the next of that weekday."""
    here = datetime.fromtimestamp(office.clock.at, WIT)
    days = (weekday - here.weekday()) % 7 if weekday is not None else 0
    seconds = here.hour * 3600 + here.minute * 60 + here.second
    office.clock.at += (days + 1) * DAY - 1 - seconds


def _quarrel(office: Pusat, one: Van, two: Van, record: bytes) -> None:
    office.sync(two)
    for van, name in ((one, "NAMA SATU"), (two, "NAMA DUA")):
        van.edit(record, Body(set={PROTECTED: {"name": name, "nik": "8272030902090007"}}))
    office.sync(one)
    office.clock.at += 1
    office.sync(two)


# -- a page, read


class Board(HTMLParser):
    """The panels of a dashboard: of each its sentence and its rows, cell by cell as (words,
    link)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.heads: dict[str, list[str]] = {}
        self.rows: dict[str, list[list[tuple[str, str]]]] = {}
        self.said: dict[str, list[tuple[str, str]]] = {}
        self.panel, self.link, self.head = "", "", False
        self.cell: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        if tag == "section":
            self.panel = given["aria-labelledby"]
            self.heads[self.panel], self.rows[self.panel] = [], []
            self.said[self.panel] = []
        elif self.panel and tag in ("th", "td"):
            self.cell, self.link = "", ""
            self.head = given.get("scope") == "col"
        elif self.panel and tag == "tr":
            self.rows[self.panel].append([])
        elif self.panel and tag == "p" and given.get("class") == "govuk-body":
            self.cell, self.link = "", ""
        elif self.panel and tag == "a":
            if self.cell is not None and not self.rows[self.panel]:
                self._told()
            self.link = given["href"]

    def handle_data(self, data: str) -> None:
        if self.cell is not None:
            self.cell += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "section":
            self.rows[self.panel] = [row for row in self.rows[self.panel] if row]
            self.panel = ""
        elif self.panel and tag in ("th", "td") and self.cell is not None:
            if self.head:
                self.heads[self.panel].append(self.cell.strip())
            else:
                self.rows[self.panel][-1].append((self.cell.strip(), self.link))
            self.cell = None
        elif self.panel and self.cell is not None and tag in ("a", "p"):
            if not self.rows[self.panel]:
                self._told()
            self.cell = None if tag == "p" else self.cell

    def _told(self) -> None:
        if self.cell:
            self.said[self.panel].append((self.cell, self.link))
        self.cell, self.link = "", ""


def _listed(window: Window, link: str) -> int:
    """How many are behind a link, counted page by page; the page says the same number."""
    window.go(link)
    (told,) = re.findall(r": <strong>([\d.]+)</strong>", window.page.text)
    found: list[str] = []
    while True:
        page = window.page.text
        found += re.findall(r'<td><a [^>]*href="/requests/([0-9a-f]{32})"', page)
        found += re.findall(r'data-case="([0-9a-f]{32})"', page)
        following = re.search(r'href="([^"]*)" rel="next"', page)
        if following is None:
            break
        window.go(unescape(following[1]))
    assert int(told.replace(".", "")) == len(found), link
    return len(found)


class Crawler:
    """Follows every number of a board; `seen` figures, each link once."""

    def __init__(self, window: Window, path: str) -> None:
        self.window = window
        window.go(path)
        self.board = Board(window.page.text)
        self.figures: Counter[str] = Counter()
        self.counted: dict[str, int] = {}

    def follow(self) -> None:
        for panel, rows in self.board.rows.items():
            for row in rows:
                for head, (words, link) in zip(self.board.heads[panel][1:], row[1:], strict=True):
                    if head not in DERIVED:
                        self.number(panel, head, words, link)
            for words, link in self.board.said[panel]:
                if link:
                    self.number(panel, "", words, link)
                elif panel not in SAID:  # a share, or a span of days
                    assert not re.search(r"[1-9](?![\d,.]* (%|hari))", words), (panel, words)

    def number(self, panel: str, head: str, words: str, link: str) -> None:
        plain = words.replace(".", "")
        if link.startswith("/dashboard/records"):
            self.figures[re.findall(r"figure=(\w+)", link)[0]] += 1
            if link not in self.counted:
                self.counted[link] = _listed(self.window, link)
            if plain.isdigit() and head != "Keluarga berbeda":
                assert self.counted[link] == int(plain), (panel, head, words, link)
            else:
                assert self.counted[link], (panel, head, words, link)
        elif link.startswith("/devices/"):
            self.window.go(link)
        elif link.startswith("/dashboard/served"):
            self.window.go(link)
            (told,) = re.findall(r"(\d+) dari (\d+) desa dilayani", self.window.text)
            assert words in told
        elif link:
            self.window.go(link)
        else:
            assert not plain.isdigit() or plain == "0", (panel, head, words)


# -- tests


@pytest.mark.parametrize(
    ("area", "place", "came"), [("", "", 14), ("", "82.72.03", 13), (OTHER_VILLAGE, "", 1)]
)
def test_every_number_leads_to_just_what_it_counts(office, area, place, came):
    """Walked as a person would: each cell of each table and each number of each sentence; for
    somebody of one village just hers, on paper and in the spreadsheet too."""
    office.central.staff.place(office.people["admin"], "tono", [area] if area else [])
    try:
        path = f"/dashboard?place={place}&months=3"
        crawler = Crawler(window(office, "tono"), path)
        crawler.follow()
        file = crawler.window.go(path.replace("dashboard", "dashboard/board.xlsx")).content
    finally:
        office.central.staff.place(office.people["admin"], "tono", [])
    board = crawler.board
    assert _said(board, "services").split()[0] == str(came)
    assert board.rows["waits"][1][1][0] == _said(board, "stages").split()[0]
    everything = {"arrived", "road", "open", "served", "backlog", "captured"}
    if not area and not place:
        everything |= {"running", "paused", "issued", "handed_over", "uncollected", "returned"}
        everything |= {"accepted", "closed", "case_opened", "case_open", "case_closed"}
        assert "place=elsewhere" in " ".join(crawler.counted)
    assert crawler.figures.keys() >= everything
    sheets = CalamineWorkbook.from_filelike(io.BytesIO(file))
    for name, rows in zip(sheets.sheet_names[1:], board.rows.values(), strict=True):
        found = sheets.get_sheet_by_name(name).to_python()[1:]
        assert found == [[words for words, _ in row] for row in rows], name


def _said(board: Board, panel: str) -> str:
    return "".join(words for words, _ in board.said[panel])


@pytest.mark.parametrize("later", [-DAY, -1, 0, 3600, DAY, 30 * DAY])
def test_ages_and_queues_say_what_the_clock_of_each_request_says(office, later):
    """To the second, and whatever stood still meanwhile: around the moment when one is due."""
    central, tono, before = office.central, office.people["tono"], office.clock.at
    try:
        with central.registry.read() as door:
            rows = door.requests(limit=200)
            last = clocks(door, rows, central.dashboard.calendar, office.clock.at)
            office.clock.at = max(one.due for one in last.values() if one.state == "runs") + later
            told = clocks(door, rows, central.dashboard.calendar, office.clock.at)
        view = central.dashboard.view()
        (ages,) = [one for one in central.dashboard.board(tono, view).panels if one.key == "ages"]
        queues = {one.status: one.late for one in central.worklist.queues(tono)}
        late, after = [], ""
        while lines := central.worklist.lines(tono, LATE, after=after, limit=2, clocked=True):
            late += lines
            after = lines[-1].request.id
    finally:
        office.clock.at = before
    runs = [one for one in told.values() if one.state == "runs"]
    buckets = Counter(one.bucket for one in runs)
    columns = [sum(int(row[n].words) for row in ages.rows) for n in range(2, 7)]
    open_ = sum(one.status not in ENDED for one in rows)
    assert columns == [*(buckets[name] for name in BUCKETS), open_ - len(runs)]
    over = {row.id.hex(): told[row.id].due for row in rows if told[row.id] in _late(runs)}
    assert [one.request.id for one in late] == sorted(over, key=lambda name: (over[name], name))
    assert all(one.clock.bucket == "late" for one in late)
    by = Counter(row.status for row in rows if row.id.hex() in over)
    assert queues == {status: by[status] for status in queues}


def _late(runs: list[Clock]) -> list[Clock]:
    return [one for one in runs if one.bucket == "late"]


def test_what_leaves_the_late_list_does_not_move_its_pages(office):
    """Two people work it from the top: whoever turns the page misses nothing."""
    central, tono, before = office.central, office.people["tono"], office.clock.at
    office.clock.at += 30 * DAY
    try:
        whole = [one.request.id for one in central.worklist.lines(tono, LATE)]
        first = central.worklist.lines(tono, LATE, limit=3)
        _step(office, bytes.fromhex(whole[2]), "take", "received", "in_verification")
        _step(office, bytes.fromhex(whole[2]), "reject", "in_verification", "rejected", "x: y")
        central.reports.follow(9)
        after = [one.request.id for one in central.worklist.lines(tono, LATE, after=whole[2])]
        assert central.worklist.behind() is None
    finally:
        office.clock.at = before
    assert [one.request.id for one in first] == whole[:3]
    assert after == whole[3:]


def test_what_a_laptop_has_not_read_is_without_what_restores_passed_over():
    """Restored twice: of 100 decisions 90 were kept, of the 50 after them 20."""
    one, two = 1 << 40, 2 << 40
    lineage = (Branch(b"b", b"a", 90, b"", one), Branch(b"c", b"b", one + 20, b"", two))
    upto = two + 7
    assert unread_of((), 40, 100) == 60
    assert unread_of(lineage, 40, upto) == 50 + 20 + 7
    assert unread_of(lineage, 95, upto) == 20 + 7, "what is gone cannot be read"
    assert unread_of(lineage, one + 5, upto) == 15 + 7
    assert unread_of(lineage, upto, upto) == 0
