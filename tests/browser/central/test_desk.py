"""A day at the desk: by keyboard alone, with scripts off, and two people at one request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_journeys import choose, reach
from tests.desks import Desks
from tests.pusat import PASSWORD

pytestmark = pytest.mark.browser
Make = Callable[..., BrowserContext]


def code(central: Desks, place: int) -> str:
    """Tracking code of the request at this place of the list."""
    with central.central.registry.read() as door:
        row = door.request_line(central.records[place])
    assert row is not None
    lines = central.central.worklist.search(central.office.people["tono"], row.nik)
    return lines[0].request.code


def free(central: Desks, *logins: str) -> None:
    """Nobody of them holds anything any more."""
    for login in logins:
        me = central.office.people[login]
        for one in central.central.worklist.mine(me):
            central.central.worklist.release(me, one.request.id)


def test_the_day_begins_without_a_mouse(central: Desks, context: Make) -> None:
    page = central.open(context())
    page.goto(f"{central.base}/sign-in")
    # A browser hands the focus out with its first picture, which a busy machine paints late.
    expect(page.locator("#login")).to_be_focused()
    page.keyboard.type("yusuf")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{central.base}/")

    page.keyboard.press("?")
    expect(page.locator("dialog[data-help]")).to_be_visible()
    page.keyboard.press("n")  # nothing happens behind the list of keys
    page.keyboard.press("Escape")
    expect(page.locator("dialog[data-help]")).to_be_hidden()
    assert page.url == f"{central.base}/"

    page.keyboard.press("/")
    page.keyboard.type(code(central, -1))  # letters of the code press no keys
    page.keyboard.press("Enter")
    page.wait_for_url("**/search")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/requests/{central.records[-1].hex()}")

    page.goto(central.base)
    page.keyboard.press("n")
    page.wait_for_url("**/requests/*")
    taken = page.url.rsplit("/", 1)[1]
    page.goto(central.base)
    expect(page.locator(f'a[href="/requests/{taken}"]')).to_be_visible()
    reach(page, f'form[action="/requests/{taken}/release"] button')
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("[data-focus]")).to_be_focused()
    assert not central.watched


def test_a_list_is_walked_and_given_out_by_keys(central: Desks, context: Make) -> None:
    page = central.enter(context(), "tono")
    page.goto(f"{central.base}/requests?order=newest")
    rows = page.locator("[data-rows] tbody tr")
    for key in ("j", "j", "k", "j"):
        page.keyboard.press(key)
    expect(rows.nth(1)).to_have_attribute("data-at", "")
    page.keyboard.press("x")
    expect(rows.nth(1).locator("input")).to_be_checked()
    page.keyboard.press("k")
    page.keyboard.press("x")
    ticked = page.locator("[data-rows] input[name=pick]:checked")
    expect(ticked).to_have_count(2)
    picked = {box.get_attribute("value") for box in ticked.all()}
    reach(page, "#login")
    choose(page, page.locator("#login option", has_text="Yusuf"))
    reach(page, 'button[name="all"][value=""]')
    page.keyboard.press("Enter")
    expect(page.locator("[data-focus]")).to_contain_text("2 berkas dibagikan")
    mine = central.central.worklist.mine(central.office.people["yusuf"])
    assert {one.request.id for one in mine} == picked
    free(central, "yusuf")


def test_the_desk_works_with_scripts_off(central: Desks, context: Make) -> None:
    page = central.enter(context(java_script_enabled=False), "tono")
    page.click('a[href="/requests?status=received"]')
    page.select_option("#order", "newest")
    page.click("text=Tampilkan")
    page.wait_for_url("**order=newest**")
    page.fill("#list-name", "Terbaru")
    page.click("text=Simpan daftar >> nth=-1")
    expect(page.locator("main")).to_contain_text("Daftar tersimpan")
    page.goto(central.base)
    page.click("text=Terbaru")
    with page.expect_download() as caught:
        page.click("text=Unduh XLSX")
    assert caught.value.suggested_filename == "berkas.xlsx"
    page.click("text=Hapus daftar ini")
    page.fill("#find", "tidak ada orang ini")
    page.click(".jb-search button")
    expect(page.locator("main")).to_contain_text("belum terkirim")
    page.click("text=Tombol")
    expect(page.locator("main")).to_contain_text("Ambil berikutnya")
    page.click("text=English")
    expect(page.locator("main")).to_contain_text("Take the next one")
    page.click("text=Sign out")
    page.wait_for_url("**/sign-in")


def test_two_people_see_who_has_what(central: Desks, context: Make) -> None:
    rina, yusuf = central.enter(context(), "rina"), central.enter(context(), "yusuf")
    taken = []
    for page in (rina, yusuf):
        page.keyboard.press("n")
        page.wait_for_url("**/requests/*")
        taken.append(page.url.rsplit("/", 1)[1])
    assert taken[0] != taken[1]
    yusuf.goto(f"{central.base}/requests")
    row = yusuf.locator("tr", has=yusuf.locator(f'a[href="/requests/{taken[0]}"]'))
    expect(row).to_contain_text("Rina")
    free(central, "rina", "yusuf")


def test_a_session_ended_elsewhere_asks_to_sign_in_and_comes_back(
    central: Desks, context: Make
) -> None:
    here = central.enter(context(), "wati")
    there = central.enter(context(), "wati")
    here.goto(f"{central.base}/me")
    ends(here)
    there.goto(f"{central.base}/requests?order=newest")
    there.wait_for_url("**/sign-in?**")
    there.fill("#login", "wati")
    there.fill("#password", PASSWORD)
    there.keyboard.press("Enter")
    there.wait_for_url("**/requests?order=newest")


def ends(page: Page) -> None:
    """End every other session."""
    buttons: Any = page.locator('form[action^="/me/sessions/"] button')
    for left in reversed(range(buttons.count())):
        buttons.first.click()
        expect(buttons).to_have_count(left)
