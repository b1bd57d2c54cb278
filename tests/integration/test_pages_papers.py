"""Papers through the pages: opened as PDF or printed, counted, and never by an address."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pypdfium2
import pytest

from field_client.desk import Wanted
from field_client.pages.counter import Counter
from tests.field import Hands, example
from tests.pages import Browser, pages


@pytest.fixture
def browser(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Browser]:
    empty = tmp_path_factory.mktemp("path")
    monkeypatch.setenv("PATH", str(empty))  # a machine without a printer
    with pages(tmp_path_factory.mktemp("laptop"), Hands()) as found:
        found.unlock()
        yield found


def take(counter: Counter, service: str) -> str:
    row = example(service)
    desk = counter.desk
    wanted = Wanted(service, row["answers"], row["documents"], row["reasons"])
    (taken,) = desk.submit(desk.prepare(wanted))
    return taken.record.hex()


def text_of(data: bytes) -> str:
    file = pypdfium2.PdfDocument(data)
    return re.sub(r"\s+", " ", " ".join(p.get_textpage().get_text_bounded() for p in file))


def opened(browser: Browser, **fields: str) -> str:
    """The PDF that a form of the page at hand opens."""
    form = browser.form(browser.path)
    before = browser.path
    found = browser.send(form, 200, to="file", **fields)
    assert found.headers["content-type"] == "application/pdf"
    assert found.headers["cache-control"] == "no-store"
    assert "Salma" not in found.headers["content-disposition"]
    text = text_of(found.content)
    browser.go(before)
    return text


def test_papers_of_a_request_are_opened_and_a_second_receipt_is_a_copy(browser):
    record = take(browser.counter, "birth")
    browser.go(f"/requests/{record}/receipt")
    assert f"/requests/{record}/papers" in browser.page.text
    browser.go(f"/requests/{record}/papers")
    assert "Belum pernah dicetak" in browser.text
    first = opened(browser)
    assert "BUKTI PENGAJUAN" in first
    assert "SALINAN" not in first
    assert "Sudah dicetak 1 kali" in browser.text
    assert "SALINAN 2" in opened(browser, paper="58")
    assert "KEBENARAN DATA KELAHIRAN" in opened(browser, what="F-2.03")
    assert "Cetak di" not in browser.text, "no printer is offered where there is none"
    form = browser.form(browser.path)
    browser.send(form, 503, to="printer")
    assert "Printer tidak ditemukan" in browser.text
    assert "--" not in browser.text, "no words of the command line"
    browser.go(f"/requests/{record}/papers")
    assert "Sudah dicetak 2 kali" in browser.text
    browser.send(form, 404, what="F-9.99", to="file")


def test_a_letter_and_the_lists_of_the_day_are_opened(browser):
    record = take(browser.counter, "village-domicile-letter")
    browser.go(f"/requests/{record}/papers")
    assert "DESA WODA" in opened(browser, what="letter")
    browser.go("/")
    assert 'href="/papers"' in browser.page.text
    browser.go("/papers")
    assert "REKAP KEGIATAN" in opened(
        browser, **{"day|day": "21", "day|month": "nov", "day|year": "2026"}
    )
    assert "Rekap kegiatan" in browser.text
    form = browser.form("/papers")
    browser.send(form, 404, what="calls", to="file")


def test_the_layout_program_is_loaded_only_to_print():
    code = "import sys, field_client.pages.papers; sys.exit('reportlab' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0
