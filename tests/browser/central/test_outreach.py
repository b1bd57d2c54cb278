"""A day's work in a real browser: somebody comes to the counter, and a laptop is gone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models.changes import Attached, Body
from models.services import catalogue
from sync.messages import Health
from tests.browser.central.laid import a_document
from tests.desks import Desks
from tests.integration.test_central_counter import flat
from tests.integration.test_central_outreach import say_health
from tests.pictures import jpeg, page
from tests.pusat import DAY, OTHER_VILLAGE

pytestmark = pytest.mark.browser

Contexts = Callable[..., BrowserContext]


def test_a_newborn_is_taken_in_at_the_counter(central: Desks, context: Contexts) -> None:
    lia = central.enter(context(), "loket")
    lia.goto(f"{central.base}/counter")
    lia.get_by_role("link", name=re.compile("Bayi|lahir", re.I)).first.click()
    lia.wait_for_url("**/counter/for/**")
    ticked = lia.get_by_role("checkbox", checked=True)
    while ticked.count():
        ticked.first.uncheck()
    lia.check("input[value='birth']")
    lia.get_by_role("button", name="Lanjut").click()
    lia.wait_for_url(re.compile(r"/counter/drafts/[0-9a-f]{32}$"))
    base = lia.url
    lia.locator(".govuk-task-list__link").nth(1).click()
    lia.get_by_role("button", name="Simpan & lanjut").click()  # nothing typed: it says what lacks
    expect(lia.locator("#summary")).to_contain_text("belum lengkap")
    with lia.expect_response(re.compile(r"/save$")) as said:  # kept while it is typed
        lia.fill("[name='0|applicant.name']", "Salma Kader")
    assert said.value.ok
    with lia.expect_navigation():  # the next page says the same
        lia.get_by_role("button", name="Simpan & lanjut").click()  # overtakes its own save
    expect(lia.locator("#summary")).to_contain_text("belum lengkap")
    expect(lia.locator("[name='0|applicant.name']")).to_have_value("Salma Kader")
    # The rest is typed as the integration tests type it; here the last steps are looked at.
    counter, me = central.central.counter, central.office.people["loket"]
    folder = counter.open(me, bytes.fromhex(base.rpartition("/")[2]))
    answers = flat(catalogue().service("birth"), **{"subject.name": "Nurlela Idris"})
    counter.put(me, folder, {0: answers}, {0: ["BIRTH_LETTER", "MARRIAGE", "KK"]})
    lia.goto(f"{base}/check")
    expect(lia.locator("main")).to_contain_text("Nurlela Idris")
    lia.get_by_role("button", name="Ajukan berkas").click()
    expect(lia.locator("#summary")).to_be_visible()
    lia.check("#declared")
    for why in lia.locator("input[name^='why|']").all():
        why.fill("sudah ditanyakan kepada ibunya")
    lia.get_by_role("button", name="Ajukan berkas").click()
    lia.wait_for_url(f"{base}/done")
    expect(lia.locator(".jb-number")).to_have_text(re.compile(r"^0000-"))
    expect(lia.locator(".jb-qr svg")).to_be_visible()
    lia.get_by_role("button", name="Lampirkan dokumen").click()
    lia.select_option("#place", label="Kartu keluarga")
    paper = jpeg(page(1, (310, 438)))
    lia.set_input_files("#file", {"name": "kk.jpg", "mimeType": "image/jpeg", "buffer": paper})
    lia.get_by_role("button", name="Lampirkan", exact=True).click()
    expect(lia.get_by_role("alert")).to_contain_text("1 lampiran tersimpan; ")
    expect(lia.get_by_role("alert")).to_contain_text("terlalu kecil")
    small = lia.locator(".jb-thumb img")
    expect(small).to_be_visible()
    lia.wait_for_function("document.querySelector('.jb-thumb img').naturalWidth > 0")
    lia.locator(".govuk-details__summary", has_text="Lepas").click()
    lia.get_by_label("Alasan", exact=True).fill("foto orang lain")
    lia.get_by_role("button", name="Lepas").click()
    expect(lia.locator("main")).to_contain_text("Belum ada lampiran.")
    _a_card_is_signed_for(central, lia)
    assert not central.watched


def _a_card_is_signed_for(central: Desks, lia: Page) -> None:
    """At the same desk, on the screen."""
    at = a_document(central, 3)
    code = central.central.casework.request(central.office.people["loket"], at[10:]).code
    lia.goto(f"{central.base}/uncollected")
    lia.fill("#q", code)
    lia.get_by_role("button", name="Lanjut").click()
    lia.wait_for_url(f"**{at}/handover")
    lia.check("#seen-KTP")
    lia.fill("#serial", "AB0003")
    lia.fill("#reason", "NIK belum tercetak")
    pad = lia.locator("canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    lia.mouse.move(box["x"] + 40, box["y"] + 40)
    lia.mouse.down()
    for step in range(1, 12):
        lia.mouse.move(box["x"] + 40 + 20 * step, box["y"] + 40 + 40 * (step % 2))
    lia.mouse.up()
    lia.get_by_role("button", name="Pakai tanda tangan ini").click()
    expect(lia.locator("[data-pad] [data-told]")).to_contain_text("Tanda tangan siap")
    lia.get_by_role("button", name="Serahkan").click()
    lia.wait_for_url("**/uncollected")
    lia.goto(central.base + at)
    expect(lia.locator("main")).to_contain_text("Diserahkan")
    expect(lia.locator("main")).to_contain_text("dikenali dengan: KTP-el; blangko AB0003")
    expect(lia.locator("[data-pane] img").first).to_have_js_property("complete", True)


def test_a_laptop_is_lost_and_people_are_called(central: Desks, context: Contexts) -> None:
    office = central.office
    van = office.van("Si Jola Malam", OTHER_VILLAGE)
    record = van.take_in(71)
    van.edit(record, Body(attach=[Attached("documents", b"m" * 32, 80_000)]))
    office.sync(van)
    say_health(office, van, Health(4, office.clock.at - DAY, 1, 80_000, 8 << 30, 0, 60))
    tono = central.enter(context(), "tono")
    tono.goto(f"{central.base}/devices")
    tono.get_by_role("link", name="Si Jola Malam").click()
    expect(tono.locator("main")).to_contain_text("4 catatan")
    tono.get_by_role("button", name="Laporkan hilang").click()
    tono.wait_for_url("**/lost")
    tono.get_by_label("Semua yang sudah tersimpan").check()
    tono.get_by_label("Apa yang terjadi?").fill("dicuri di pelabuhan Rum")
    tono.get_by_role("button", name="Laporkan hilang").click()
    expect(tono.locator("main")).to_contain_text("paling lambat")
    expect(tono.locator("main")).to_contain_text("Cetak daftar telepon")
    tono.get_by_role("link", name=re.compile(r"^\d+ berkas$")).click()
    expect(tono.locator("table")).to_be_visible()
    assert not central.watched
