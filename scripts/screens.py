"""Draws the screens of docs/panduan-petugas.md from the invented village, in a real Chromium.

    python3 scripts/screens.py

Run it after a page has changed, and commit docs/screens/. No real person is in them.
"""

from __future__ import annotations

import home

home.enter()

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

import assets
from tests.browser.test_journeys import begin, take_in
from tests.browsing import CHROMIUM, QUIET, Served, serving
from tests.village import village

SCREENS = home.ROOT / "docs" / "screens"
SIZE = {"width": 1000, "height": 700}
COLOURS = 64
"""Enough for flat screens, and a tenth of the bytes."""


def main() -> int:
    """Draw every screen again."""
    assets.build()
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        raise SystemExit("chromium is missing: python3 scripts/test.py installs it")
    SCREENS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="jb-screens-") as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=QUIET)
        context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
        with serving(Path(folder)) as served:
            page = served.open(context)
            page.goto(f"{served.base}/unlock")
            draw(page, "masuk")
            walk(served, served.enter(context))
        browser.close()
    return 0


def walk(served: Served, page: Page) -> None:
    """One citizen from the first screen to the receipt."""
    begin(page, served)
    take_in(page)
    receipt = page.url
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
    page.goto(receipt.removesuffix("/receipt") + "/files")
    draw(page, "lampiran")


def draw(page: Page, name: str) -> None:
    """One screen as a small PNG."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS).save(SCREENS / f"{name}.png", optimize=True)
    print(f"docs/screens/{name}.png")


if __name__ == "__main__":
    raise SystemExit(main())
