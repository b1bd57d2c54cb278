"""A day's work in a real browser: a pair is joined and parted again, a batch is typed field by
field and closed by a second person."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.desks import Desks
from tests.integration.test_central_batches import verified
from tests.integration.test_central_duplicates import Town

pytestmark = pytest.mark.browser

Contexts = Callable[..., BrowserContext]


def test_a_pair_is_found_joined_and_parted_again(central: Desks, context: Contexts) -> None:
    town = Town(central.office, "Si Jola Ganda")
    one = town.comes("BURHAN SAPSUHA", "8272031602090081", "2009-02-16", "8272031703090082")
    two = town.comes("Boerhan SAPSUHA", "8272031602099081", "2009-02-16", "8272031703090082")
    town.scan()
    rina = central.enter(context(), "rina")
    rina.goto(f"{central.base}/duplicates")
    rina.keyboard.press("j")
    expect(rina.locator("tr[data-at]")).to_have_count(1)
    rina.locator("tr", has_text="BURHAN SAPSUHA").get_by_role("link").click()
    expect(rina.locator("main")).to_contain_text("sama bunyinya")
    rina.fill("#reason", "orang yang sama, dikenal petugas")
    rina.get_by_role("button", name="Gabungkan").click()
    expect(rina.locator("main")).to_contain_text("Kedua nomor bukti tetap berlaku")
    assert town.status(two) == ("merged", one.hex())
    tono = central.enter(context(), "tono")
    tono.goto(rina.url)
    tono.get_by_label("Mengapa ternyata dua orang?").fill("kembar")
    tono.get_by_role("button", name="Minta dipisahkan").click()
    wati = central.enter(context(), "wati")
    wati.goto(rina.url)
    wati.get_by_role("button", name="Setuju, pisahkan").click()
    expect(wati.locator("main")).to_contain_text("berjalan sendiri lagi")
    assert town.status(two) == ("received", "")
    assert not central.watched


def test_a_batch_from_freezing_to_closing_by_two_people(central: Desks, context: Contexts) -> None:
    names = verified(central.office, central.office.van("Si Jola Batch"), 2)
    desk = context()
    desk.grant_permissions(["clipboard-read", "clipboard-write"], origin=central.base)
    siak = central.enter(desk, "siak")
    siak.goto(f"{central.base}/batches")
    for name in names:
        siak.check(f"input[value='{name}']")
    siak.get_by_role("button", name="Bekukan yang dipilih").click()
    siak.wait_for_url(re.compile(r"/batches/\d+$"))
    batch = siak.url
    siak.keyboard.press("n")
    siak.wait_for_url("**/rows/1")
    assert copied(siak, "c") == siak.locator("#cell-1").inner_text()
    assert copied(siak, "c") == siak.locator("#cell-2").inner_text(), "the next one by itself"
    typed(siak, "SIAK-0001")
    siak.wait_for_url("**/rows/2")
    typed(siak, "SIAK-0002")
    siak.wait_for_url(batch)
    siak.get_by_role("button", name="Semua sudah diketik, minta ditutup").click()
    tono = central.enter(context(), "tono")
    tono.goto(batch)
    expect(tono.locator("table")).to_contain_text("SIAK-0002")
    tono.get_by_role("button", name="Tutup batch").click()
    expect(tono.locator("main")).to_contain_text("Batch ditutup")
    stands = [central.office.get("rina", f"/v1/requests/{name}").json()["status"] for name in names]
    assert stands == ["in_siak", "in_siak"]
    assert not central.watched


def test_of_a_whole_stick_only_the_bundles_are_sent(
    central: Desks, context: Contexts, tmp_path: Path
) -> None:
    (tmp_path / "film.mp4").write_bytes(b"x" * 1000)
    (tmp_path / "paket.jbb").write_bytes(b"bukan paket")
    rina = central.enter(context(), "rina")
    rina.goto(f"{central.base}/usb")
    rina.locator("#folder").set_input_files(tmp_path)
    sent = rina.evaluate("[...document.querySelector('#folder').files].map((file) => file.name)")
    assert sent == ["paket.jbb"]
    rina.get_by_role("button", name="Impor paket").click()
    expect(rina.locator("main table")).to_contain_text("tidak dapat dipakai")
    assert not central.watched


def copied(page: Page, key: str) -> str:
    """What a press of the key puts into the clipboard; the key has gone on to the next one."""
    mine = page.locator(f"[data-copy][data-key={key}]").get_attribute("data-copy")
    page.keyboard.press(key)
    expect(page.locator(f"[data-copy={mine}][data-copied]:not([data-key])")).to_have_count(1)
    return str(page.evaluate("navigator.clipboard.readText()"))


def typed(page: Page, reference: str) -> None:
    """The reference from SIAK, sent by the keyboard."""
    page.fill("#reference", reference)
    page.keyboard.press("Control+Enter")
