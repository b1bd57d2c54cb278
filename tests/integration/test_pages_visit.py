"""A day out by pages: chosen, its queue called, targets, blanks, closed with a recap; the same by
command."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pypdfium2

from field_client import visit
from field_client.desk import Wanted
from models import regions
from models.roster.residents import Resident
from models.roster.source import RosterSource
from tests.field import Hands, Jemput, again, example, laptop
from tests.pages import Browser, pages
from tests.requests_pages import submitted
from tests.village import PLACE

LIST = RosterSource(PLACE, "Kantor desa", date(2026, 11, 1), "PKS 2026", date(2027, 1, 1))
PEOPLE = [
    Resident(key="k1", name="Salma Kader", nik="8272034503900021", birth_date=date(1990, 3, 5),
             enrolment="not_enrolled"),
    Resident(key="k2", name="Bahar Soleman", nik="8272033003900005", birth_date=date(1990, 3, 30),
             enrolment="not_enrolled"),
]  # fmt: skip


def call(browser: Browser, do: str, number: str = "") -> None:
    browser.go("/visit")
    browser.send(browser.form("/visit/call"), do=do, number=number)


def test_a_day_out(tmp_path: Path) -> None:
    hands = Hands()
    with pages(tmp_path / "laptop", hands) as browser:
        browser.unlock()
        browser.go("/visit/targets", 409)
        browser.go("/visit")
        shown = set(re.findall(r'<option value="([\d.]+)"', browser.page.text))
        assert shown == {one.code for one in regions.villages()}
        assert len(re.findall("<optgroup", browser.page.text)) == 8
        form = browser.form("/visit")
        assert form.fields_as_dict()["village"] == [PLACE], "what this laptop is for"
        browser.send(form, 422, target="many")
        assert "Sasaran harus angka" in browser.text
        browser.send(form, 422, village="82.72")
        browser.send(form, team="Sari, Rina", venue="Balai desa", target="40")
        assert "Sari, Rina" in browser.text
        browser.send(form, 409)

        for line in ("A", "A", "P"):
            hands.goes_on(60)
            browser.go("/visit")
            browser.send(browser.form("/visit/number"), line=line)
        assert "P-001" in browser.text
        paper = browser.send(browser.form("/visit/slip"))
        assert "P-001" in text_of(paper.content)
        call(browser, "next")
        assert "Panggil P-001" in browser.text, "who is old goes before who came earlier"
        call(browser, "done", "P-001")
        call(browser, "next")
        assert "Panggil A-001" in browser.text
        call(browser, "absent", "A-001")
        assert "Tidak hadir: A-001" in browser.text
        form = browser.form("/visit/call")
        browser.send(form, 404, do="done", number="A-009")
        browser.send(form, 404, do="eaten", number="A-001")
        browser.send(form, do="next")
        browser.go("/visit")
        browser.send(form, 404, do="next")

        browser.go("/visit/targets")
        assert "belum ada di laptop" in browser.text
        desk = browser.counter.desk
        desk.store.roster.take_in(LIST, PEOPLE)
        browser.go("/visit/targets")
        assert "0 dari 2 orang" in browser.text
        row = example("ktp-reprint-lost")
        wanted = Wanted("ktp-reprint-lost", row["answers"], row["documents"], row["reasons"])
        hands.at -= 400 * 86_400  # the laptop's clock is put back: the visit is noted all the same
        (taken,) = desk.submit(desk.prepare(wanted))
        hands.at += 400 * 86_400
        browser.go(f"/requests/{taken.record.hex()}")
        assert "Kegiatan: Desa" in browser.text

        browser.go("/visit/targets")
        assert "1 dari 2 orang" in browser.text
        assert "✓ sudah · Salma Kader" in browser.text
        browser.go("/visit")
        assert "1 dari 40" in browser.text
        browser.send(browser.form("/visit/stock"), act="receive", count="20")
        browser.go("/visit")
        browser.send(browser.form("/visit/stock"), act="spoil", count="2", why="sobek")
        assert "sisa 18, dipakai 0, rusak 2" in browser.text
        browser.send(browser.form("/visit/stock"), 422, act="spoil", count="x")
        browser.go("/visit")
        close = browser.form("/visit/close")
        browser.send(close)
        assert "Kegiatan ditutup" in browser.text
        assert "1 permohonan" in browser.text
        paper = browser.send(browser.form("/visit/recap"))
        told = text_of(paper.content)
        for words in ("REKAP KEGIATAN", "Balai desa", "Sari, Rina", "Nomor antrean diberikan"):
            assert words in told
        browser.send(close, 409)
        kept = visit.before(desk.store)[0].plan.counts
        assert kept is not None
        assert (kept.requests, kept.given, kept.first, kept.done, kept.absent) == (1, 3, 1, 1, 1)

    van = Jemput(tmp_path / "laptop")
    van.one("visit", "start", PLACE, "--team", "Sari")
    van.run("visit", "start", PLACE, code=1)
    assert van.one("visit", "number", "--first")["number"] == "P-001", "numbers begin again"
    assert van.one("visit", "next")["state"] == "called"
    assert van.one("visit", "absent", "p-1")["state"] == "absent"
    assert van.one("visit", "close")["absent"] == 1


def text_of(data: bytes) -> str:
    file = pypdfium2.PdfDocument(data)
    return re.sub(r"\s+", " ", " ".join(p.get_textpage().get_text_bounded() for p in file))


def test_what_was_taken_in_before_the_laptop_noted_visits_is_in_the_one_that_is_open(
    tmp_path: Path,
) -> None:
    """A vault of eight steps, brought to the newest shape in the middle of a day."""
    hands = Hands()
    with laptop(tmp_path / "laptop", hands) as house:
        submitted(house.desk, "village-domicile-letter")
        hands.goes_on(60)
        visit.start(house.desk, visit.Plan(PLACE))
        hands.goes_on(60)
        first = submitted(house.desk, "village-domicile-letter")
        with house.store.engine.writing() as connection:
            connection.execute("drop table visited")
            connection.execute("drop index notices_asked")
            connection.execute("delete from _sqlite_migrations where name in ('step_9', 'step_10')")
        house.store.engine.read("pragma user_version = 8")
    with again(tmp_path / "laptop", hands) as house:
        second = submitted(house.desk, "village-domicile-letter")
        now = visit.opened(house.store)
        assert [one.record for one in visit.taken_in(house.desk, now)] == [second, first]
