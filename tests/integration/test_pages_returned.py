"""What central sent back, by pages: the reason, the page it is about, who was called."""

from __future__ import annotations

import re
from pathlib import Path

from field_client.desk import Desk
from field_client.returned import returned
from field_client.vault.migrations import STEPS
from field_client.vault.upgrade import VERSION
from models.names import masked
from tests.field import Hands, Jemput
from tests.integration.test_printing import text_of
from tests.pages import pages
from tests.requests_pages import RETURNED, led


def _back(desk: Desk, service: str, reason: str) -> str:
    return led(desk, service, RETURNED, reason).hex()


def test_a_returned_request_leads_to_the_page_of_its_reason(tmp_path: Path) -> None:
    with pages(tmp_path / "laptop", Hands()) as browser:
        browser.unlock()
        browser.go("/returned")
        assert "Tidak ada yang perlu diperbaiki" in browser.text
        desk = browser.counter.desk
        named = _back(desk, "birth", "NAME_MISMATCH: ejaan ibu")
        scanned = _back(desk, "ktp-reprint-lost", "DOC_UNREADABLE")
        browser.go("/")
        assert 'href="/returned"' in browser.page.text
        browser.go("/returned")
        assert "Nama berbeda dengan KK/SIAK: ejaan ibu" in browser.text
        assert "rina" in browser.text
        about = "OTHER: lengkapi\n@applicant.nik NIK_NOT_FOUND: cek KTP-nya\n@doc.KK DOC_UNREADABLE"
        each = _back(desk, "ktp-new-enrolment", about)
        browser.go("/returned")
        assert "Pemohon, NIK pemohon: NIK tidak ditemukan: cek KTP-nya" in browser.text
        assert "@doc" not in browser.text
        (named_there,) = [one for one in returned(desk) if one.line.record.hex() == each]
        assert [place.section for place in named_there.places] == ["documents", "applicant"]
        browser.go(f"/requests/{each}")
        assert "NIK tidak ditemukan: cek KTP-nya" in browser.text, "and in its history"
        browser.go("/returned")
        form = browser.form("/returned/call")
        browser.send(form, 422, record=named, result="shouted")
        browser.go("/returned")
        browser.send(form, record=named, who="Salma Kader", result="coming", note="besok pagi")
        assert browser.path == "/returned"
        assert "Salma Kader: akan datang (besok pagi) · sari" in browser.text
        fix = browser.form("/returned/fix")
        offered = re.findall(r'name="section" value="(\w+)"', browser.page.text)
        assert {"documents", "parents"} <= set(offered), offered
        browser.send(fix, record=each, key="applicant.nik")
        assert browser.page.url.fragment == "0-applicant-nik"
        assert 'id="0-applicant-nik"' in browser.page.text
        assert "Dari pusat: NIK tidak ditemukan: cek KTP-nya" in browser.text
        browser.send(fix, record=each, key="doc.KK")
        assert browser.path.endswith("/documents")
        assert "Dari pusat:" in browser.text
        browser.send(fix, record=named, section="parents")
        assert browser.path.endswith("/0/parents/0")
        assert browser.path.startswith("/drafts/")
        browser.send(fix, record=scanned, section="documents")
        assert browser.path.endswith("/documents")
        browser.send(fix, record=scanned, section="nothing")
        assert browser.path.count("/") == 2, "the task list"
    jemput, paper = Jemput(tmp_path / "laptop"), tmp_path / "calls.pdf"
    jemput.run("print", "calls", "--out", str(paper))
    listed = text_of(paper.read_bytes())
    assert "Nama berbeda dengan KK/SIAK" in listed
    assert "Salma Kader, akan datang" in listed, (
        "who was called stands on the list for the next call"
    )
    hidden = jemput.one("request", "called", named)
    who = masked("Salma Kader")
    assert (hidden["who"], hidden["result"], hidden["note"]) == (who, "coming", "")


def test_a_new_step_of_the_database_is_due_on_every_laptop() -> None:
    assert len(STEPS._migrations) == VERSION
