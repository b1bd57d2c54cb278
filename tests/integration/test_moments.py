"""Moments of failure that have no other test: what the person at the laptop sees, and what holds.

The whole list, with the test that shows each, stands in docs/pages.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from field_client import battery
from field_client.attachments import attaching
from field_client.battery import Battery
from field_client.desk import Wanted
from models.changes import Attached
from models.services import Service, catalogue
from sync.attaching import Photo
from tests.architecture.source import ROOT
from tests.field import NOW, Hands, laptop
from tests.integration.test_pages_services import fill, flat
from tests.pages import Browser, pages, served
from tests.pictures import jpeg, page
from tests.sticks import rows
from tests.town import Town

OTHER = "82.72.03.2001"
"""A village whose laptop is not told of ours."""

LETTER = catalogue().service("village-domicile-letter")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with pages(tmp_path_factory.mktemp("laptop")) as found:
        found.unlock()
        yield found


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


def begin(browser: Browser, service: str = LETTER.slug) -> str:
    browser.go("/serve/all")
    form = browser.form("/drafts")
    form.put("service", service)
    browser.send(form)
    return browser.path


def serve(browser: Browser, service: Service = LETTER) -> str:
    """A citizen from the first page to the receipt; gives the record."""
    tasks, answers = begin(browser, service.slug), flat(service)
    browser.go(f"{tasks}/documents")
    form = browser.form()
    form.put("paper", *service.example.documents)
    browser.send(form)
    for section in ("applicant", "address", "village_letter"):
        browser.go(f"{tasks}/0/{section}/0")
        form = browser.form()
        fill(form, answers, section, 0)
        browser.send(form)
    browser.go(f"{tasks}/check")
    form = browser.form()
    form.put("declared", "yes")
    for name in form.names():
        if name.startswith("why|"):
            form.put(name, "diminta lagi")
    browser.send(form)
    assert browser.path.endswith("/receipt"), browser.text
    return browser.path.split("/")[2]


def test_every_moment_names_a_test_that_exists() -> None:
    told = (ROOT / "docs" / "pages.md").read_text(encoding="utf-8")
    part = told[told.index("## Moments of failure") : told.index("## Assets")]
    lines = [line for line in part.splitlines() if "::" in line]
    named = [re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", line) for line in lines]
    assert all(named)
    assert [line.split("|")[1].strip() for line in lines][:18] == [str(n) for n in range(1, 19)]
    for path, name in (one for found in named for one in found):
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), (path, name)


def test_a_clock_that_shows_an_old_year_is_told_and_stops_nobody(tmp_path: Path) -> None:
    hands = Hands()
    laptop(tmp_path / "laptop", hands).close()
    hands.at = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())
    hands.uptime, hands.boot = 60, 8  # the battery of the clock is empty
    with served(tmp_path / "laptop", hands) as browser:
        browser.unlock()
        browser.go("/")
        assert "⏱ Jam laptop meragukan" in browser.text
        browser.go("/readiness")
        assert "Perbaiki jam laptop" in browser.text
        assert "Mulai melayani" in browser.text, "it does not block"
        record = serve(browser)
        desk = browser.counter.desk
        assert desk.today() >= datetime.fromtimestamp(NOW, UTC).date(), "ages are counted by it"
        assert (
            desk.open(bytes.fromhex(record)).answers
            == LETTER.check(flat(LETTER), today=LETTER.example.day).answers
        )


def test_without_a_printer_the_number_is_there_to_be_written_or_photographed(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = serve(browser)
    code = browser.counter.desk.open(bytes.fromhex(record)).code
    monkeypatch.setattr("field_client.pages.papers.printers", list)
    monkeypatch.setattr("field_client.printing.printers.printers", list)
    browser.go(f"/requests/{record}/receipt")
    assert code in browser.text
    assert "<svg" in browser.page.text
    browser.go(f"/requests/{record}/papers")
    browser.send(browser.form(), 503, to="printer")
    assert "Printer tidak ditemukan. Tidak ada yang hilang" in browser.text
    browser.go(f"/requests/{record}/receipt")
    assert code in browser.text, "what could not be printed is there as before"


def test_the_same_citizen_asked_elsewhere_is_told_and_stops_nobody(town: Town) -> None:
    van, clerk = town.laptop("sari"), town.laptop("rusli", villages=(OTHER,))
    asked = rows(town, 1)[0]
    van.take(asked)
    van.sync()
    clerk.sync()
    hands = Hands(town.time.at + 60)
    desk = clerk.house.desk
    kept = {key: asked[key] for key in ("service", "answers", "documents", "reasons", "nik")}
    name = desk.keep(Wanted(**kept))
    clerk.house.close()
    town.laptops.remove(clerk)
    with served(clerk.folder, hands) as browser:
        browser.unlock("rusli")
        browser.go(f"/drafts/{name.hex()}/check")
        assert f"sudah dibuat di {van.name}" in browser.text
        form = browser.form()
        form.put("declared", "yes")
        for field in form.names():
            if field.startswith("why|"):
                form.put(field, "diminta lagi oleh pemohon")
        browser.send(form)
        assert browser.path.endswith("/receipt"), browser.text


def test_who_has_no_nik_is_served(browser: Browser) -> None:
    cover = catalogue().service("village-cover-letter")
    assert flat(cover)["applicant.no_nik_reason"] == "never_recorded"
    tasks = begin(browser, cover.slug)
    browser.go(f"{tasks}/0/applicant/0")
    assert "Belum pernah didata" in browser.text, "why there is none is chosen, not typed"
    form = browser.form()
    fill(form, flat(cover), "applicant", 0)
    form.put("0|applicant.no_nik_reason", "")
    browser.send(form)
    browser.go(f"{tasks}/0/applicant/0?look=1")
    assert "Isi NIK pemohon." in browser.text, "neither a number nor a reason"
    answers = browser.counter.desk.open(bytes.fromhex(serve(browser, cover))).answers
    assert "applicant.nik" not in answers


def test_a_low_battery_is_told_above_every_page(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = tmp_path / "BAT0"
    one.mkdir()
    for percent, status, low in ((12, "Discharging", True), (12, "Charging", False),
                                 (80, "Discharging", False)):  # fmt: skip
        (one / "capacity").write_text(f"{percent}\n")
        (one / "status").write_text(f"{status}\n")
        monkeypatch.setattr(battery, "SUPPLIES", tmp_path)
        assert battery.battery() == Battery(percent, status != "Discharging")
        browser.go("/")
        assert ("▭ Baterai 12 %" in browser.text) == low
        browser.go("/readiness")
        assert ("semua yang diketik sudah tersimpan" in browser.text) == low
    (one / "capacity").write_text("?")
    assert battery.battery() is None


def test_who_goes_home_with_half_the_papers_knows_what_to_bring(browser: Browser) -> None:
    tasks = begin(browser, "birth")
    browser.go(tasks)
    browser.go(f"{tasks}/waiting")
    assert "Yang masih perlu dibawa" in browser.text
    assert "Waktu penyelesaian dihitung sejak berkas diajukan" in browser.text
    missing = browser.page.text.count("<li>")
    assert missing > 1
    browser.go(f"{tasks}/documents")
    form = browser.form()
    form.put("paper", *catalogue().service("birth").example.documents)
    browser.send(form)
    browser.go(f"{tasks}/waiting")
    assert browser.page.text.count("<li>") < missing
    browser.go("/")
    assert "Lanjutkan isian terakhir?" in browser.text


def moving(record: bytes, file: Attached) -> str:
    """Where the form goes that moves a file of this request."""
    return f"/requests/{record.hex()}/files/{file.blob.hex()}/move"


def test_a_photo_of_somebody_else_is_moved_and_moved_back(town: Town) -> None:
    van = town.laptop("sari")
    wrong, right = (van.take(row)[0].record for row in rows(town, 2))
    desk = van.house.desk
    desk.attach(desk.open(wrong), "KK", [Photo("kk.jpg", jpeg(page(1, (1240, 1754))))])
    ((file, _),) = desk.files(desk.open(wrong))
    van.house.close()
    town.laptops.remove(van)
    with served(van.folder, Hands(town.time.at + 60)) as browser:
        browser.unlock()
        desk = browser.counter.desk
        browser.go(f"/requests/{wrong.hex()}/files")
        browser.send(browser.form(moving(wrong, file)), 422, code="nobody")
        for one, other in ((wrong, right), (right, wrong), (wrong, right)):
            browser.go(f"/requests/{one.hex()}/files")
            browser.send(browser.form(moving(one, file)), code=desk.open(other).code)
            assert browser.path == f"/requests/{other.hex()}/files"
            assert "Pindahkan kembali dari sana" in browser.text
            assert not desk.files(desk.open(one))
            assert desk.picture(desk.open(other), file.blob.hex())
    van.open()
    town.laptops.append(van)
    van.sync()
    assert [len(town.sheet(one).files) for one in (wrong, right)] == [0, 1]
    assert van.house.store.attached.left().files == 0, "its bytes arrived once"
    desk = van.house.desk
    for now, before in ((right, wrong), (wrong, right)):  # who the office misses a file for
        with town.central.registry.read() as door:
            assert (len(door.blobs_of(now)), len(door.blobs_of(before))) == (2, 0)
        if now == right:
            attaching.move(desk, desk.open(now), file.blob.hex(), desk.open(before))
            van.sync()
