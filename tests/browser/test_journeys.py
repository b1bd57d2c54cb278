"""People at the pages: with script, without, by keyboard alone; what the pages keep for them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from field_client.folder import open_folder
from models.services import catalogue
from tests.browsing import Served
from tests.pictures import jpeg
from tests.pictures import page as picture
from tests.requests_pages import submitted
from tests.vaults import PASSPHRASE
from tests.village import village

pytestmark = pytest.mark.browser
Make = Callable[..., BrowserContext]
LETTER = catalogue().service("village-domicile-letter")
"""A short form: whose journey is told, not how long it is."""

PAPER = jpeg(picture(1, (1240, 1754)))


def key(name: str) -> str:
    return f'[name="0|{name}"]'


def answers() -> dict[str, dict[str, Any]]:
    return {section: dict(found) for section, found in LETTER.example.answers.items()}


def fill(page: Page, section: str) -> None:
    """Type the answers of one page with mouse and keyboard."""
    for name, value in answers()[section].items():
        at = f'[name="0|{section}.{name}"]'
        day = page.locator(f'[name="0|{section}.{name}|day"]')
        if day.count():
            for part, text in zip(("year", "month", "day"), str(value).split("-"), strict=True):
                page.fill(f'[name="0|{section}.{name}|{part}"]', text)
        elif page.locator(f"select{at}").count():
            page.select_option(at, str(value))
        elif page.locator(f"input[type=radio]{at}").count():
            page.check(f'{at}[value="{value}"]')
        elif page.locator(f"input[type=checkbox]{at}").count():
            for one in value:
                page.check(f'{at}[value="{one}"]')
        elif page.locator(at).count():
            page.fill(at, str(value))


def begin(page: Page, served: Served, service: str = LETTER.slug) -> None:
    page.goto(f"{served.base}/serve/all")
    page.check(f'input[value="{service}"]')
    page.click("main button")
    page.wait_for_url("**/drafts/*")


def take_in(page: Page) -> None:
    """From the task list to the receipt."""
    tasks = page.url
    page.click("text=Dokumen yang dibawa")
    for paper in LETTER.example.documents:
        page.check(f'input[value="{paper}"]')
    page.click("main button[value=photos]")
    page.wait_for_url(f"{tasks}/files")
    page.set_input_files("#file", {"name": "ktp.jpg", "mimeType": "image/jpeg", "buffer": PAPER})
    page.click("main form[enctype] button.govuk-button:text-is('Lampirkan')")
    page.wait_for_selector(".jb-thumb")
    page.goto(tasks)
    page.click(".govuk-task-list__link >> text=Pemohon")
    for section in ("applicant", "address", "village_letter"):
        page.wait_for_url(f"{tasks}/0/{section}/0*")
        fill(page, section)
        page.click("button[value=next]")
    page.wait_for_url(tasks)
    page.click("text=Periksa jawaban")
    page.wait_for_selector("main .jb-thumb")
    for doubt in page.locator('input[name^="why|"]').all():  # the same was asked before
        doubt.fill("permohonan kedua")
    page.check("#declared")
    page.click("text=Ajukan berkas")
    page.wait_for_url("**/receipt")


def test_a_citizen_is_served_with_script(served: Served, context: Make) -> None:
    page = served.enter(context())
    page.keyboard.press("F2")
    page.wait_for_url("**/serve")
    begin(page, served)
    take_in(page)
    code = page.locator(".govuk-panel__body strong").inner_text()
    assert page.locator("svg").count() == 1
    page.go_back()  # the form that became a request leads to its receipt, not to a second one
    page.wait_for_url("**/receipt")
    page.goto(f"{served.base}/requests")
    expect(page.locator("main")).to_contain_text(code)
    assert not served.watched


def test_a_citizen_is_served_without_script(served: Served, context: Make) -> None:
    page = served.enter(context(java_script_enabled=False))
    before = len(served.counter.desk.store.requests.newest())
    begin(page, served)
    take_in(page)
    assert len(served.counter.desk.store.requests.newest()) == before + 1
    page.click("text=Warga berikutnya")
    page.wait_for_url("**/serve")


def test_a_citizen_is_served_by_keyboard_alone(served: Served, context: Make) -> None:
    page = served.open(context())
    page.goto(f"{served.base}/unlock?who=sari")
    # A browser hands the focus out with its first picture, which a busy machine paints late.
    expect(page.locator("#pin")).to_be_focused()
    page.keyboard.type(PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{served.base}/")
    page.keyboard.press("F2")
    page.wait_for_url("**/serve")
    reach(page, 'a[href="/serve/all"]')
    page.keyboard.press("Enter")
    page.wait_for_url("**/serve/all")
    reach(page, f'input[value="{LETTER.slug}"]')
    page.keyboard.press("Space")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/drafts/*")
    tasks = page.url
    reach(page, 'a[href*="/0/applicant/0"]')
    page.keyboard.press("Enter")
    for section in ("applicant", "address", "village_letter"):
        page.wait_for_url(f"{tasks}/0/{section}/0*")
        for name, value in answers()[section].items():
            type_into(page, section, name, value)
        page.keyboard.press("Control+Enter")
    page.wait_for_url(tasks)
    photograph_by_keys(page, tasks)
    reach(page, 'a[href$="/check"]')
    page.keyboard.press("Enter")
    page.wait_for_url("**/check")
    for _ in range(2):  # papers that are missing first, then that the same was asked before
        for number in range(page.locator('input[name^="why|"]').count()):
            reach(page, f"#why-{number + 1}")
            page.keyboard.press("Control+a")
            page.keyboard.type("permohonan lagi, dokumen menyusul")
        reach(page, "#declared")
        page.keyboard.press("Space")
        reach(page, "main form button")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        if page.url.endswith("/receipt"):
            break
    page.wait_for_url("**/receipt")


def photograph_by_keys(page: Page, tasks: str) -> None:
    """A paper put to the form from the keyboard. Opening the system's own window is the browser's,
    and now and then the test heard nothing of it on a busy machine: the choice is given."""
    reach(page, 'a[href$="/files"]')
    page.keyboard.press("Enter")
    page.wait_for_url(f"{tasks}/files")
    reach(page, "#file")
    page.set_input_files("#file", {"name": "ktp.jpg", "mimeType": "image/jpeg", "buffer": PAPER})
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    page.wait_for_selector(".jb-thumb")
    reach(
        page, f'main a.govuk-button[href="{tasks.removeprefix(page.url.partition("/drafts")[0])}"]'
    )
    page.keyboard.press("Enter")
    page.wait_for_url(tasks)


def listening(page: Page) -> None:
    """Until the browser was told what is waited for: Playwright tells it without waiting for an
    answer, and what a key sets off may be quicker."""
    page.evaluate("0")


def reach(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus, as somebody without a mouse does."""
    for _ in range(200):
        if page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {selector}")


def choose(page: Page, wanted: Locator) -> None:
    """Go down the list that has the focus to this option of it. Typing its name would count on a
    quick machine: between two slow letters a browser begins anew."""
    for _ in range(wanted.evaluate("one => one.closest('select').options.length")):
        if wanted.evaluate("one => one.selected"):
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError("the arrow does not reach it")


def type_into(page: Page, section: str, name: str, value: Any) -> None:
    """Reach a question by Tab and answer it by keys."""
    at = f'[name="0|{section}.{name}"]'
    if page.locator(f'[name="0|{section}.{name}|day"]').count():
        year, month, day = str(value).split("-")
        for part, text in (("day", day), ("month", month), ("year", year)):
            reach(page, f'[name="0|{section}.{name}|{part}"]')
            page.keyboard.type(text)
    elif page.locator(f"select{at}").count():
        reach(page, f"select{at}")
        choose(page, page.locator(f"select{at} option[value='{value}']"))
    elif page.locator(f"input[type=radio]{at}").count():
        reach(page, f"input[type=radio]{at}")
        for _ in range(20):
            if page.evaluate("document.activeElement.value") == str(value):
                break
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
    elif page.locator(at).count():
        reach(page, at)
        page.keyboard.press("Control+a")
        page.keyboard.type(str(value))


def test_what_is_typed_is_saved_on_leaving_the_field(served: Served, context: Make) -> None:
    page = served.enter(context())
    begin(page, served)
    page.goto(f"{page.url}/0/applicant/0")
    page.fill(key("applicant.name"), "Nurhayati <b>Ma'ruf</b>")
    with page.expect_response("**/save"):
        listening(page)
        page.keyboard.press("Tab")
    name = bytes.fromhex(page.url.split("/")[4])
    wanted = open_folder(served.counter.desk, name).sheets[0].wanted
    assert wanted.answers["applicant.name"] == "Nurhayati <b>Ma'ruf</b>"
    expect(page.locator("#saved")).to_contain_text("Tersimpan di laptop ini pukul")
    page.reload()
    assert page.input_value(key("applicant.name")) == "Nurhayati <b>Ma'ruf</b>"


def test_the_curtain_hides_the_page_and_keeps_what_was_typed(served: Served, context: Make) -> None:
    made = context()
    page = served.enter(made)
    page.clock.install()
    begin(page, served)
    page.goto(f"{page.url}/0/applicant/0")
    page.locator(key("applicant.name")).press_sequentially("Fat")
    page.clock.fast_forward("06:00")
    expect(page.locator(".jb-curtain")).to_be_visible()
    expect(page.locator("main")).to_be_hidden()
    page.fill("#curtain-pin", "pala sagu kora dua")
    page.keyboard.press("Enter")
    expect(page.locator(".jb-curtain")).to_contain_text("belum cocok")
    page.fill("#curtain-pin", PASSPHRASE)
    page.keyboard.press("Enter")
    expect(page.locator(".jb-curtain")).to_be_hidden()
    assert page.input_value(key("applicant.name")) == "Fat"


def test_two_windows_on_one_form_do_not_overwrite_each_other(served: Served, context: Make) -> None:
    made = context(java_script_enabled=False)
    one = served.enter(made)
    begin(one, served)
    address = f"{one.url}/0/applicant/0"
    one.goto(address)
    two = made.new_page()
    two.goto(address)
    one.fill(key("applicant.name"), "Salma Kader")
    one.click("button[value=next]")
    two.fill(key("applicant.phone"), "0812 4000 1122")
    two.click("button[value=next]")
    expect(two.locator("main")).to_contain_text("berubah di jendela lain")
    expect(two.locator(key("applicant.name"))).to_have_value("Salma Kader")
    expect(two.locator(".govuk-inset-text")).to_contain_text("0812 4000 1122")


def test_a_known_nik_fills_in_what_the_list_knows(served: Served, context: Make) -> None:
    person = next(one for one in village(60).people if one.age > 17 and one.nik)
    page = served.enter(context(java_script_enabled=False))
    begin(page, served)
    page.goto(f"{page.url}/0/applicant/0")
    page.fill(key("applicant.nik"), person.nik)
    page.click("button[value=fill]")
    expect(page.locator("main")).to_contain_text("Diisi dari daftar penduduk")
    expect(page.locator(key("applicant.name"))).to_have_value(person.name)


def test_a_colleague_takes_over_without_seeing_the_others_drafts(
    served: Served, context: Make
) -> None:
    page = served.enter(context())
    begin(page, served)
    draft = page.url
    page.keyboard.press("F10")
    page.wait_for_url(re.compile("/unlock"))
    page.click("text=jul")
    page.fill("#pin", PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{served.base}/")
    assert served.counter.operator == "jul"
    assert page.goto(draft).status == 404  # type: ignore[union-attr]


def test_somebody_is_found_in_the_list_and_served(served: Served, context: Make) -> None:
    person = next(one for one in village(60).people if one.age > 17 and one.nik)
    page = served.enter(context(java_script_enabled=False))
    page.goto(f"{served.base}/requests")
    page.fill("#q", person.nik)
    page.click("main button >> text=Cari")
    page.click(f"text=Layani {person.name}")
    page.wait_for_url("**/serve")
    expect(page.locator("main")).to_contain_text(person.name)
    page.click("text=Semua layanan")
    page.wait_for_url("**/serve/all")
    assert page.input_value("#nik") == person.nik
    page.check(f'input[value="{LETTER.slug}"]')
    page.click("main button")
    page.wait_for_url("**/drafts/*")
    page.goto(f"{page.url}/0/applicant/0")
    assert page.input_value(key("applicant.name")) == person.name
    assert person.nik not in page.url


def test_an_applicant_signs_on_the_screen(served: Served, context: Make) -> None:
    page = served.enter(context())
    record = submitted(served.counter.desk, "kia-new-under5")
    page.goto(f"{served.base}/requests/{record.hex()}/receipt")
    page.click("text=Tanda tangan pemohon")
    pad = page.locator("canvas")
    expect(pad).to_be_visible()
    page.click("text=Pakai tanda tangan ini")
    expect(page.locator("[data-pad] [data-told]")).to_contain_text("Belum ada tanda tangan")
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    for step in range(1, 12):
        page.mouse.move(box["x"] + 40 + 30 * step, box["y"] + 40 + 60 * (step % 2))
    page.mouse.up()
    page.click("text=Pakai tanda tangan ini")
    expect(page.locator("[data-pad] [data-told]")).to_contain_text("Tanda tangan siap")
    page.click("main form button.govuk-button:text-is('Lampirkan')")
    page.wait_for_selector(".jb-thumb")
    ((file, _),) = served.counter.desk.files(served.counter.desk.open(record))
    assert file.unit == "card.signature"
    assert not served.watched


def test_a_paper_is_photographed_with_the_laptops_camera(served: Served, context: Make) -> None:
    made = context(permissions=["camera"])
    page = served.enter(made)
    begin(page, served)
    name = page.url.rpartition("/")[2]
    page.goto(f"{page.url}/files")
    page.select_option("#place", f"document.{LETTER.documents[0].code}")
    page.click("text=Pakai kamera")
    expect(page.locator("video")).to_be_visible()
    frame = "getComputedStyle(document.querySelector('.jb-frame'), '::after').aspectRatio"
    assert page.evaluate(frame) == "297 / 210", "what is photographed has the shape of a page"
    page.evaluate("document.querySelector('[data-view]').classList.add('jb-portrait')")
    assert page.evaluate(frame) == "3 / 4"
    page.click("text=Ambil foto")
    expect(page.locator("main [data-told]")).to_contain_text("Foto diambil")
    page.click("main form button.govuk-button:has-text('Lampirkan')")
    page.wait_for_selector(".jb-thumb")
    (there,) = served.counter.desk.store.draft_files.of(bytes.fromhex(name))
    assert there.file.unit == f"document.{LETTER.documents[0].code}"
    assert not served.watched
