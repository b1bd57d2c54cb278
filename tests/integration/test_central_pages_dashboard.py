"""The dashboard's pages without script: panels, numbers that lead to their records, files."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import escape, unescape
from typing import Any

import pypdfium2
import pytest
from python_calamine import CalamineWorkbook

from models.changes import Body
from models.words import WIT
from server.voyages import Plan, Stop
from sync.messages import Terms
from tests.pusat import DAY, ON_PAPER, OTHER_VILLAGE, VILLAGE, Pusat
from tests.windows import Window, window, windows

RECORDS = re.compile(r'<a class="govuk-link" href="(/dashboard/records[^"]*)">([^<]*)</a>')
PHONE = "applicant.phone"


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Iterator[Pusat]:
    with windows(tmp_path_factory.mktemp("pusat") / "central") as opened:
        _days(opened)
        yield opened


def _days(office: Pusat) -> None:
    """Six people come to a van with one telephone; one goes back, one is accepted."""
    van = office.van("Si Jola 1", VILLAGE, OTHER_VILLAGE)
    records = [van.take_in(n, **_person(n)) for n in range(1, 7)]
    office.sync(van)
    work, rina = office.central.casework, office.people["rina"]
    with office.central.registry.read() as door:
        seen = door.standing().server_seq
    work.send_back(rina, records[0].hex(), "DOC_MISSING", "KK", seen)
    work.accept(rina, records[1].hex(), seen, ON_PAPER)
    office.central.verification.escalate(rina, records[4].hex(), "satu nomor HP", seen)
    office.clock.at += 5 * DAY
    today = datetime.fromtimestamp(office.clock.at, WIT).date()
    stop = Stop((today + timedelta(9)).isoformat(), "82.72.03.2003")
    office.central.voyages.keep(office.people["tono"], Plan("Pelayanan jemput bola", (stop,)))
    moved = {"address": "Kota", "rt": "001", "rw": "002", "village": OTHER_VILLAGE}
    van.edit(records[5], Body(set={"address.address": moved}))
    van.edit(records[2], Body(set={PHONE: "+6281240001111"}))
    office.sync(van)
    office.central.reports.follow(9)
    _wants(office)


def _wants(office: Pusat) -> None:
    """Lists of two villages: of five people of one, one is recorded, one has no NIK, one asked in
    another village, one asked; the other list is no list."""
    people = [
        ("8272030902090003", "WARGA TIGA", "BELUM REKAM"),
        ("8272030902090004", "WARGA EMPAT", "SUDAH REKAM"),
        ("8272030902090006", "WARGA ENAM", "BELUM REKAM"),
        ("8272030902090077", "WARGA LAIN", "BELUM REKAM"),
        ("", "WARGA TANPA", "BELUM REKAM"),
    ]
    lines = [f"{nik};{name};09-02-1990;{state}" for nik, name, state in people]
    file = office.central.place.folder / "warga.csv"
    rosters, tono = office.central.rosters, office.people["tono"]
    today = datetime.fromtimestamp(office.clock.at, WIT).date()
    days = [(today - timedelta(20)).isoformat(), (today + timedelta(60)).isoformat()]
    for village, text in (
        (VILLAGE, "\n".join(["NIK;Nama;Tanggal Lahir;Status Rekam", *lines])),
        (OTHER_VILLAGE, "kosong"),
    ):
        file.write_text(text, encoding="utf-8")
        rosters.keep(tono, file, Terms(village, "Kantor Desa", days[0], "Perjanjian 1", days[1]))
    assert [rosters.count(), rosters.count(), rosters.count()] == [False, True, True]


def _person(n: int) -> dict[str, Any]:
    nik = f"82720309020900{n:02}"
    who = {"name": f"WARGA {n}", "nik": nik, "kk": f"827203170309000{n}"}
    return {"applicant.identity": who, PHONE: "+6281240009999"}


@pytest.fixture
def tono(office) -> Window:
    return window(office, "tono")


def numbers(page: str) -> dict[str, str]:
    """Address -> number of every number of a page that leads to records."""
    return {unescape(path): words for path, words in RECORDS.findall(page)}


def test_of_a_village_that_is_not_theirs_nobody_is_shown_figures(office):
    office.central.staff.place(office.people["admin"], "tono", [OTHER_VILLAGE])
    try:
        tono = window(office, "tono")
        tono.go("/dashboard")
        found = numbers(tono.page.text)
        assert "1 berkas masuk." in tono.text
        assert f'value="{VILLAGE}"' not in tono.page.text
        tono.go(f"/dashboard?place={VILLAGE}", 403)
        tono.go("/dashboard/records?figure=arrived&place=elsewhere", 403)
    finally:
        office.central.staff.place(office.people["admin"], "tono", [])
    kinds = {re.search(r"figure=(\w+)", path).group(1) for path in found}  # type: ignore[union-attr]
    assert kinds.isdisjoint({"returned", "phone", "targets"})


def test_signals_and_lists_of_targets_lead_to_just_so_many_records(tono):
    tono.go("/dashboard")
    found = {k: v for k, v in numbers(tono.page.text).items() if re.search("phone|targets", k)}
    assert len(found) == 2
    for path, said in found.items():
        tono.go(path)
        assert len(re.findall(r'href="/requests/[0-9a-f]{32}"', tono.page.text)) == int(said), path


def test_a_page_of_a_list_knows_where_it_begins(tono):
    never_returned = "/dashboard/records?figure=accepted&value="
    tono.go(f"{never_returned}&after=0000-01-01.00")
    assert f'href="{escape(never_returned)}"' in tono.page.text


def test_every_link_of_the_dashboard_leads_somewhere(tono):
    tono.go("/dashboard", 200)
    links = {unescape(one) for one in re.findall(r'href="(/[^"#]*)"', tono.page.text)}
    assert "/disputes?kind=escalated" in links
    elsewhere = ("/static", "/language", "/dashboard/charts", "/dashboard/records")
    boards = sorted(one for one in links if one.startswith("/dashboard?"))
    assert len(boards) > 89
    for link in sorted(one for one in links - {*boards[3:]} if not one.startswith(elsewhere)):
        tono.go(link, 200)


def test_a_district_and_a_village_are_shown_by_themselves(tono):
    tono.go("/dashboard?place=82.72.03&months=1")
    assert "Desa atau kelurahan" in tono.text
    assert "6 berkas masuk" in tono.text
    tono.go("/dashboard?place=82.72.01")
    assert "0 berkas masuk" in tono.text
    assert "Belum ada data untuk pilihan ini. n = 0." in tono.text
    tono.go("/dashboard?place=99", 404)
    tono.go("/dashboard?months=7", 404)
    tono.go("/dashboard?month=kemarin", 404)


def test_panels_say_what_their_charts_show(tono):
    """Six requests: one went back, four wait since five days, beyond their promise."""
    tono.go("/dashboard")
    assert "6 berkas terbuka; 5 sudah lewat dari yang dijanjikan." in tono.text
    assert "1 pengembalian. 100,0 % dari berkas yang disetujui benar sejak pertama." in tono.text
    assert "1 tanda perlu ditinjau." in tono.text
    assert "87 dari 89 desa belum didatangi mobil keliling dalam 30 hari; 1 di" in tono.text
    pictures = re.findall(r'<img class="jb-chart" src="([^"]+)" alt="([^"]+)"', tono.page.text)
    assert len(pictures) >= 8
    for address, alt in pictures[:2]:
        assert "berkas" in alt
        tono.go(unescape(address))
        assert tono.page.headers["content-type"].startswith("image/svg+xml")
        assert tono.page.text.startswith("<svg")
        assert "<script" not in tono.page.text
    tono.go("/dashboard/charts/nothing", 404)
    tono.go("/dashboard/charts/signals", 404)


def test_a_target_list_says_who_has_asked_since(office, tono):
    tono.go("/dashboard")
    said = "1 dari 4 orang yang belum perekaman sudah mengajukan, menurut daftar dari 1 desa."
    assert said in tono.text
    assert "tidak terbaca" in tono.text
    (path,) = [path for path in numbers(tono.page.text) if "figure=targets" in path]
    tono.go(path)
    assert "8272030902090003" not in tono.page.text
    assert tono.page.text.count("WARGA 3") == 1
    office.central.rosters.remove(office.people["tono"], office.central.rosters.kept(
        office.people["tono"])[0].digest.hex())  # fmt: skip
    office.central.rosters.count()
    office.clock.at += 60
    tono.go("/dashboard")
    assert "0 dari 0 orang yang belum perekaman" in tono.text
    tono.go(path, 404)


def test_the_files_hold_what_the_page_shows(tono):
    tono.go("/dashboard/board.xlsx")
    book = CalamineWorkbook.from_filelike(io.BytesIO(tono.page.content))
    assert book.sheet_names[1] == "Layanan per wilayah"
    rows = {row[0]: row for row in book.get_sheet_by_name("Layanan per wilayah").to_python()}
    assert rows["Oba"][1:4] == ["6", "6", "0"]
    tono.go("/dashboard/board.pdf")
    pages = pypdfium2.PdfDocument(tono.page.content)
    text = "".join(page.get_textpage().get_text_range() for page in pages)
    assert "Peta petak desa" in text
    assert "6 berkas masuk" in text
    assert ("tono", "report.export") in tono.office.trail()


def test_signals_are_for_supervisors_and_lists_for_those_who_list(office, tono):
    rina = window(office, "rina")
    rina.go("/dashboard")
    assert "Sinyal calo" not in rina.text
    tono.go("/dashboard")
    (phone,) = [path for path in numbers(tono.page.text) if "figure=phone" in path]
    rina.go(phone, 403)
    assert "+628" not in tono.page.text
    admin = window(office, "admin")
    admin.go("/dashboard")
    assert numbers(admin.page.text) == {}
    admin.go("/dashboard/records?figure=arrived", 403)
    window(office, "siak").go("/dashboard", 403)
