"""Draws the screens of the manuals in docs/ with invented people, in a real Chromium.

    python3 scripts/screens.py            both houses
    python3 scripts/screens.py central    docs/panduan-pusat.md alone; `field`: panduan-petugas.md

Run it after a page has changed, and commit docs/screens/. No real person is in them.
"""

from __future__ import annotations

import home

home.enter()

import io
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

import assets
from field_client import phone
from models.changes import Attached, Body
from sync.attaching import Photo
from sync.messages import Health
from tests.browser.central.laid import (
    a_batch,
    a_dispute,
    a_document,
    a_form,
    a_manifest,
    a_pair,
    a_request,
    a_voyage,
    an_incident,
)
from tests.browser.test_journeys import PAPER, begin, take_in
from tests.browsing import CHROMIUM, QUIET, Served, serving
from tests.desks import Desks, desks
from tests.integration.test_central_outreach import say_health
from tests.pictures import jpeg, photo
from tests.pusat import DAY, OTHER_VILLAGE
from tests.vaults import PASSPHRASE
from tests.village import village

SCREENS = home.ROOT / "docs" / "screens"
SIZE = {"width": 1000, "height": 700}
WIDE = {"width": 1280, "height": 760}
NAME = "Gamlamo"
"""A family of the invented village."""
COLOURS = 64
"""Enough for flat screens, and a tenth of the bytes."""


def main() -> int:
    """Draw every screen again, or those of one house."""
    wanted = sys.argv[1:] or ["field", "central"]
    assets.build()
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        raise SystemExit("chromium is missing: python3 scripts/test.py installs it")
    SCREENS.mkdir(exist_ok=True)
    houses: dict[str, Callable[[Path, Browser], None]] = {"field": field, "central": central}
    with tempfile.TemporaryDirectory(prefix="jb-screens-") as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=QUIET)
        for name in wanted:
            houses[name](Path(folder) / name, browser)
        browser.close()
    return 0


def field(folder: Path, browser: Browser) -> None:
    """A laptop's pages."""
    context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    with serving(folder) as served:
        page = served.open(context)
        page.goto(f"{served.base}/unlock")
        draw(page, "masuk")
        walk(served, served.enter(context))


def central(folder: Path, browser: Browser) -> None:
    """Central's pages. A chapter of docs/panduan-pusat.md adds its screens in a function of its
    own, called here."""
    with desks(folder) as found:

        def window(login: str) -> Page:
            context = browser.new_context(viewport=WIDE)  # type: ignore[arg-type]
            return found.enter(context, login) if login else found.open(context)

        desk_screens(found, window)
        check_screens(found, window)
        room_screens(found, window)
        outreach_screens(found, window)
        board_screens(found, window)


def desk_screens(desk: Desks, window: Callable[[str], Page]) -> None:
    """Signing in, the desk, lists, search, people."""
    page = window("")
    page.goto(f"{desk.base}/sign-in")
    draw(page, "pusat-masuk")
    rina = window("rina")
    rina.click("text=Ambil berikutnya")
    rina.wait_for_load_state()
    for address, name in (("/", "pusat-meja"), ("/me", "pusat-saya")):
        rina.goto(desk.base + address)
        draw(rina, name)
    rina.fill("#find", NAME)
    rina.keyboard.press("Enter")
    rina.wait_for_url("**/search")
    draw(rina, "pusat-cari")
    tono = window("tono")
    tono.goto(f"{desk.base}/requests")
    tono.keyboard.press("j")
    draw(tono, "pusat-daftar")
    admin = window("admin")
    admin.goto(f"{desk.base}/people")
    draw(admin, "pusat-pegawai")


def board_screens(desk: Desks, window: Callable[[str], Page]) -> None:
    """The dashboard, the records behind a number, the trail."""
    desk.central.reports.follow(99)
    tono, mata = window("tono"), window("mata")
    tono.goto(f"{desk.base}/dashboard")
    for picture in tono.locator("img.jb-chart").all():
        picture.evaluate("one => { one.scrollIntoView(); return one.decode() }")
    tono.evaluate("document.querySelector('#services').scrollIntoView()")
    draw(tono, "pusat-dasbor")
    tono.goto(f"{desk.base}/dashboard/records?figure=arrived")
    draw(tono, "pusat-angka")
    desk.central.evidence.verify(None)
    mata.goto(f"{desk.base}/audit")
    draw(mata, "pusat-jejak")


def check_screens(desk: Desks, window: Callable[[str], Page]) -> None:
    """A request beside its papers, a return, a question, a dispute with a look at the result."""
    rina, at = window("rina"), a_request(desk)
    rina.goto(f"{desk.base}{at}?zoom=150")
    draw(rina, "pusat-periksa")
    rina.goto(f"{desk.base}{at}/accept")
    rina.select_option("#code", "ORIGINAL")
    rina.fill("#text", "formulir bertanda tangan ada di map kertas")
    draw(rina, "pusat-setujui")
    rina.goto(f"{desk.base}{at}/return")
    rina.select_option('select[name="code:doc.KK"]', "DOC_UNREADABLE")
    rina.fill('input[name="text:doc.KK"]', "foto ulang, bagian bawah terpotong")
    rina.keyboard.press("Control+Enter")
    rina.wait_for_selector(".govuk-inset-text")
    draw(rina, "pusat-kembalikan")
    rina.goto(f"{desk.base}{at}/ask?kind=photo&about=doc.KK")
    draw(rina, "pusat-tanya")
    rina.goto(desk.base + a_dispute(desk))
    rina.keyboard.press("2")
    rina.select_option("#code", "ORIGINAL")
    rina.fill("#reason", "Kutipan akta kelahiran")
    rina.evaluate("() => scrollTo(0, 120)")
    draw(rina, "pusat-beda")
    rina.keyboard.press("Control+Enter")
    rina.wait_for_selector("#preview")
    rina.locator("#preview").evaluate("one => one.scrollIntoView()")
    draw(rina, "pusat-pratinjau")


def room_screens(desk: Desks, window: Callable[[str], Page]) -> None:
    """Pairs, incidents, batches, the USB desk; printing and dispatch by who may see all of it."""
    rina, siak, tono = window("rina"), window("siak"), window("tono")
    for page, address, name in (
        (rina, a_pair(desk), "pusat-pasangan"),
        (rina, an_incident(desk), "pusat-kejadian"),
        (siak, "/batches", "pusat-batch"),
        (siak, f"{a_batch(desk)}/rows/1", "pusat-batch-baris"),
        (tono, a_manifest(desk), "pusat-manifes"),
        (tono, "/blanks", "pusat-blangko"),
        (rina, "/usb", "pusat-usb"),
    ):
        page.goto(desk.base + address)
        draw(page, name)


def outreach_screens(desk: Desks, window: Callable[[str], Page]) -> None:
    """The counter, voyages, laptops and services."""
    office, waits = desk.office, a_document(desk)
    office.clock.at += 5 * 3600  # for so long
    van = office.van("Si Jola 2", OTHER_VILLAGE)
    record = van.take_in(81)
    van.edit(record, Body(attach=[Attached("documents", b"s" * 32, 90_000)]))
    office.sync(van)
    say_health(office, van, Health(5, office.clock.at - 9 * DAY, 1, 90_000, 1_400_000_000, 2, 38))
    lia, tono = window("loket"), window("tono")
    asked, paper = a_request(desk), Photo("kk.jpg", jpeg(photo()))
    clerk = desk.office.people["loket"]
    desk.central.scans.attach(clerk, asked.rpartition("/")[2], "KK", [paper])
    for page, address, name in (
        (lia, "/counter", "pusat-loket"),
        (lia, f"{a_form(desk)}/0/parents/0", "pusat-loket-isian"),
        (lia, f"{a_form(desk)}/check", "pusat-loket-periksa"),
        (lia, f"/counter{asked}/files", "pusat-loket-lampiran"),
        (lia, f"{waits}/handover", "pusat-serah"),
        (lia, "/uncollected", "pusat-diambil"),
        (tono, a_voyage(desk), "pusat-perjalanan"),
        (tono, "/visits?month=2026-11", "pusat-jadwal"),
        (tono, "/visits/coverage", "pusat-terjangkau"),
        (tono, "/devices", "pusat-perangkat"),
        (tono, f"/devices/{van.device.hex()}/lost", "pusat-hilang"),
        (tono, "/services/birth", "pusat-layanan"),
    ):
        page.goto(desk.base + address)
        draw(page, name)


def walk(served: Served, page: Page) -> None:
    """One citizen from the first screen to the receipt."""
    begin(page, served)
    take_in(page)
    draw(page, "bukti")
    person = next(one for one in village(60).people if one.age > 17 and one.nik)
    page.goto(f"{served.base}/requests")
    page.fill("#q", person.name)
    page.click("main form button >> nth=0")
    page.wait_for_load_state()
    draw(page, "cari")
    page.goto(f"{served.base}/serve")
    draw(page, "keperluan")
    page.goto(f"{served.base}/serve/birth")
    draw(page, "layanan")
    page.click("main form >> text=Lanjut")
    page.wait_for_url("**/drafts/*")
    tasks = page.url
    draw(page, "tugas")
    page.goto(f"{tasks}/0/applicant/0")
    page.fill('[name="0|applicant.nik"]', "827203")
    page.click("button[value=next]")
    page.wait_for_load_state()
    draw(page, "isian")
    page.goto(f"{served.base}/")
    draw(page, "beranda")
    for address, name in (("/readiness", "kesiapan"), ("/sending", "antre")):
        page.goto(served.base + address)
        draw(page, name)
    page.goto(f"{served.base}/visit")
    page.click("main form >> text=Buka kegiatan")
    for line in ("A", "A", "P"):
        page.click(f'button[value="{line}"]')
    page.click('button[value="next"]')
    page.goto(f"{served.base}/visit")
    draw(page, "kegiatan")
    page.goto(f"{tasks}/files")
    page.select_option("#place", "document.KK")
    page.set_input_files("#file", {"name": "kk.jpg", "mimeType": "image/jpeg", "buffer": PAPER})
    page.click("main form[enctype] button.govuk-button:text-is('Lampirkan')")
    page.wait_for_selector(".jb-thumb")
    draw(page, "lampiran")
    phone.addresses = lambda: ["127.0.0.1"]  # no hotspot here
    page.click("text=Buka untuk HP")
    page.wait_for_load_state()
    page.locator("h2 >> text=HP sebagai kamera").evaluate("one => one.scrollIntoView()")
    draw(page, "hp")
    page.goto(f"{tasks}/check")
    page.locator("h2 >> text=Foto dokumen").evaluate("one => one.scrollIntoView()")
    draw(page, "periksa")
    page.goto(f"{served.base}/training")
    for name in ("#new", "#again"):
        page.fill(name, PASSPHRASE)
    page.click("text=Mulai latihan")
    page.wait_for_url(f"{served.base}/")
    draw(page, "latihan")


def draw(page: Page, name: str) -> None:
    """One screen as a small PNG."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS).save(SCREENS / f"{name}.png", optimize=True)
    print(f"docs/screens/{name}.png")


if __name__ == "__main__":
    raise SystemExit(main())
