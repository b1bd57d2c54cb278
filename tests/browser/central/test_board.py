"""From a number of the dashboard to its requests; from a search of the trail to a file that an
auditor verifies: in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from server import verify_audit
from tests.desks import Desks

pytestmark = pytest.mark.browser
Make = Callable[..., BrowserContext]


def test_a_number_leads_to_its_requests_and_to_one_of_them(central: Desks, context: Make) -> None:
    central.central.reports.follow(99)
    page = central.enter(context(), "tono")
    page.goto(f"{central.base}/dashboard")
    picture = page.locator('section[aria-labelledby="services"] img')
    drawn = "one => { one.scrollIntoView(); return one.decode().then(() => one.naturalWidth) }"
    assert picture.evaluate(drawn) > 300
    assert "berkas masuk" in (picture.get_attribute("alt") or "")
    page.get_by_role("main").locator("li", has_text="berkas terbuka").get_by_role(
        "link"
    ).first.click()
    expect(page.locator("main strong")).to_have_text(re.compile(r"^[1-9]\d*$"))
    page.go_back()
    page.click("text=Tabel: Layanan per wilayah")
    number = page.get_by_role("row", name="Oba", exact=False).filter(
        has=page.get_by_role("rowheader", name="Oba", exact=True)
    )
    link = number.get_by_role("link").nth(1)
    told = int(link.inner_text())
    assert told >= len(central.records) - 5
    with page.expect_navigation():  # its script answers the keys
        link.click()
    expect(page.locator("h1")).to_have_text("Berkas di balik angka")
    expect(page.locator("table.jb-table tbody tr")).to_have_count(min(told, 50))
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/requests/*")
    assert not central.watched


def test_a_search_of_the_trail_leaves_as_a_file(
    central: Desks, context: Make, tmp_path: Path
) -> None:
    with central.central.registry.read() as door:
        line = door.request_line(central.records[-1])
    assert line is not None
    asked = central.central.casework.request(central.office.people["yusuf"], line.id.hex())
    page = central.enter(context(), "mata")
    page.goto(f"{central.base}/audit")
    page.fill("#about", asked.code)
    page.fill("#actor", "yusuf")
    page.get_by_role("main").get_by_role("button", name="Cari").click()
    expect(page.locator("table.jb-table tbody tr").first).to_contain_text("membuka berkas")
    assert asked.code not in page.url
    with page.expect_download() as found:
        page.click("text=Unduh jejak")
    path = tmp_path / "trail.jsonl"
    found.value.save_as(path)
    said, whole = verify_audit.check(str(path), central.central.keys.identity.sign_key.hex())
    assert whole, said
    assert not central.watched
