"""A verifier's work by keyboard: scans beside data, a return, a dispute decided and undone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_journeys import choose
from tests.desks import Desks
from tests.pictures import page, written
from tests.pusat import Van
from tests.verifying import bring, disputed, status_of, taken_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def vans(central: Desks) -> tuple[Van, Van]:
    return central.office.van("Si Jola Verifikasi"), central.office.van("Kantor Desa Verifikasi")


@pytest.fixture(scope="module")
def scanned(central: Desks, vans: tuple[Van, Van]) -> str:
    """A request with two scans that can be read and one that cannot; its id."""
    record = taken_in(central.office, vans[0])
    for seed in (1, 2):
        bring(central.office, vans[0], record, written(page(seed, (620, 877)), "WEBP"))
    noise = b"RIFF" + (9_992).to_bytes(4, "little") + b"WEBPVP8 " + bytes(9_984)
    bring(central.office, vans[0], record, noise)
    return record.hex()


def test_a_request_is_checked_beside_its_scans_by_keyboard(
    central: Desks, rina: Page, scanned: str
) -> None:
    rina.goto(f"{central.base}/requests/{scanned}")
    pane, broken = rina.locator("[data-pane]"), rina.locator("[data-broken]")
    rina.set_viewport_size({"width": 1366, "height": 768})
    boxes = [rina.locator(one).first.bounding_box() for one in (".jb-part", "[data-pane]")]
    assert all(box and box["y"] < 600 for box in boxes), "data and scan are seen without scrolling"
    picture, seen = pane.locator("img"), []
    for _ in range(3):
        with rina.expect_navigation():
            rina.keyboard.press("d")
        expect(picture).to_have_js_property("complete", True)
        expect(broken.or_(pane).filter(visible=True)).to_have_count(1)
        seen.append(broken.is_visible())
    assert sorted(seen) == [False, False, True], "one of them is said to be broken"
    while broken.is_visible():
        with rina.expect_navigation():
            rina.keyboard.press("d")
        expect(broken.or_(pane).filter(visible=True)).to_have_count(1)
    rina.keyboard.press("+")
    rina.keyboard.press("+")
    rina.keyboard.press("-")
    rina.keyboard.press("+")
    rina.keyboard.press("o")
    expect(picture).to_have_class("jb-zoom-200 jb-turn-90")
    pane.focus()
    rina.keyboard.press("ArrowDown")
    expect(pane).not_to_have_js_property("scrollTop", 0)
    with rina.expect_navigation():
        rina.keyboard.press("s")
    expect(rina.locator(".jb-pane-frame")).to_have_count(2)
    rina.keyboard.press("j")
    rina.keyboard.press("j")
    expect(rina.locator("tr[data-at]")).to_have_count(1)


def test_a_return_is_written_by_keyboard_and_looked_at_first(
    central: Desks, rina: Page, scanned: str
) -> None:
    rina.goto(f"{central.base}/requests/{scanned}")
    rina.keyboard.press("r")
    rina.wait_for_url("**/return")
    why = rina.locator('select[name="code:doc.KK"]')
    why.focus()
    choose(rina, why.locator("option", has_text=re.compile("^Hasil")))
    rina.keyboard.press("Tab")
    rina.keyboard.type("foto ulang, bagian bawah terpotong")
    with rina.expect_navigation():  # its script answers the next keys
        rina.keyboard.press("Control+Enter")
    read = rina.locator(".govuk-inset-text")
    expect(read).to_contain_text("Pusat mengembalikan berkas ini")
    expect(read).to_contain_text("foto ulang, bagian bawah terpotong")
    rina.keyboard.press("Control+Enter")
    rina.wait_for_url(f"{central.base}/")
    assert status_of(central.office, bytes.fromhex(scanned)) == "needs_correction"


@pytest.fixture
def tono(central: Desks, context: Callable[..., BrowserContext]) -> Page:
    """A supervisor's window."""
    return central.enter(context(), "tono")


def test_a_dispute_is_decided_with_a_look_before_and_undone_after(
    central: Desks, rina: Page, tono: Page, vans: tuple[Van, Van]
) -> None:
    _, case = disputed(central.office, *vans)
    address = f"{central.base}/disputes/{case}"
    rina.goto(address)
    assert not rina.locator("input[name=take]:checked").count(), "nothing is chosen for her"
    rina.keyboard.press("2")
    expect(rina.locator("#take-2")).to_be_checked()
    rina.locator("#code").focus()
    choose(rina, rina.locator("#code option", has_text="Sesuai dok"))
    with rina.expect_navigation():
        rina.keyboard.press("Control+Enter")
    expect(rina.locator("#preview")).to_contain_text("Salmah Hamid")
    expect(rina.locator("#take-2")).to_be_checked()
    rina.locator("#reason").focus()
    rina.keyboard.press("Control+Enter")
    expect(rina.locator("main")).to_contain_text("Rina (rina) mengusulkan")
    tono.goto(address)
    tono.keyboard.press("y")
    expect(tono.locator("main")).to_contain_text("Diputuskan oleh Rina (rina) + Tono (tono)")
    rina.goto(address)
    rina.get_by_text("Batalkan putusan ini").click()
    rina.fill("#why", "salah membaca akta")
    rina.keyboard.press("Control+Enter")
    expect(rina.locator("main")).to_contain_text("Membatalkan putusan sebelumnya")
    assert rina.url != address
