"""The journeys beside serving a citizen (test_journeys.py): what came back is corrected, a day out,
a stick, a document given. Each once without script by mouse, once by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from playwright.sync_api import BrowserContext, Page

from field_client import visit
from tests.browser.test_journeys import key, reach
from tests.browsing import Served
from tests.requests_pages import READY, RETURNED, led
from tests.village import PLACE

pytestmark = pytest.mark.browser
LETTER = "village-domicile-letter"


class Mouse:
    """Somebody who clicks, in a browser whose scripts are off."""

    options: ClassVar[dict[str, Any]] = {"java_script_enabled": False}

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, at: str) -> None:
        """Follow a link, press a button; the page it leads to is there afterwards."""
        with self.page.expect_navigation():
            self.page.locator(at).first.click()

    def tick(self, at: str) -> None:
        """Choose a radio button, tick a box."""
        self.page.check(at)

    def type(self, at: str, text: str) -> None:
        """Type instead of what is there."""
        self.page.fill(at, text)


class Keyboard(Mouse):
    """Somebody who has no mouse."""

    options: ClassVar[dict[str, Any]] = {}

    def press(self, at: str) -> None:
        self._reach(at)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def tick(self, at: str) -> None:
        one = self.page.locator(at)
        self._reach(f'input[name="{one.get_attribute("name")}"]')
        for _ in range(20):  # Tab stops at one radio button of several
            if one.evaluate("one => one === document.activeElement"):
                break
            self.page.keyboard.press("ArrowDown")
        self.page.keyboard.press("Space")

    def type(self, at: str, text: str) -> None:
        self._reach(at)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def _reach(self, at: str) -> None:
        reach(self.page, at)


@pytest.mark.parametrize("hands", [Mouse, Keyboard])
def test_every_errand_is_run(
    served: Served, context: Callable[..., BrowserContext], tmp_path: Path, hands: type[Mouse]
) -> None:
    page = served.enter(context(**hands.options))
    one = hands(page)
    what_came_back(served, one)
    a_day_out(served, one)
    a_stick(served, one, tmp_path)
    a_document(served, one)
    assert not served.watched


def what_came_back(served: Served, one: Mouse) -> None:
    """From the home page to the question that the office asks about, and sent again."""
    desk, page = served.counter.desk, one.page
    record = led(desk, LETTER, RETURNED, "OTHER: lengkapi\n@applicant.phone OTHER: nomor mati")
    page.goto(f"{served.base}/")
    one.press('main a[href="/returned"]')
    assert "nomor mati" in page.inner_text("main")
    one.press('button[value="applicant.phone"]')
    page.wait_for_url("**/0/applicant/0#*")
    one.type(key("applicant.phone"), "0813 4000 5566")
    one.press('button[value="next"]')
    page.goto(f"{page.url.partition('/0/')[0]}/check")
    one.press('form[action$="/submit"] button')
    page.wait_for_url(f"**/requests/{record.hex()}")
    assert "Perbaikan tersimpan" in page.inner_text("main")
    sheet = desk.open(record)
    assert (sheet.answers["applicant.phone"], sheet.status) == ("+6281340005566", "submitted")


def a_day_out(served: Served, one: Mouse) -> None:
    """Opened, one citizen called, closed."""
    page = one.page
    page.goto(f"{served.base}/visit")
    assert page.input_value("#village") == PLACE
    one.press('form[action="/visit"] button')
    one.press('button[value="A"]')
    assert "A-001" in page.inner_text("main")
    one.press('button[value="next"]')
    one.press('button[value="done"]')
    one.press('form[action="/visit/close"] button')
    assert "Kegiatan ditutup" in page.inner_text("main")
    assert visit.current(served.counter.desk.store) is None


def a_stick(served: Served, one: Mouse, folder: Path) -> None:
    """What waits goes onto a stick; four words say so."""
    page = one.page
    page.goto(f"{served.base}/sending")
    one.press('main a[href="/usb"]')
    one.type("#folder", str(folder))
    one.press('button[value="export"]')
    work = served.counter.stick
    assert work is not None
    work.wait(60)
    page.goto(f"{served.base}/usb/work")
    assert "USB boleh dicabut" in page.inner_text("main")
    assert list(folder.iterdir())


def a_document(served: Served, one: Mouse) -> None:
    """Given to who was recognised and signed."""
    record, page = led(served.counter.desk, LETTER, READY), one.page
    page.goto(f"{served.base}/handover")
    one.type("#q", served.counter.desk.open(record).code)
    one.press('form[action="/handover"] button')
    page.wait_for_url("**/handover")
    one.tick("#seen-KNOWN")
    one.tick("#listed")
    one.press("main form button.govuk-button:not([type=button])")
    page.wait_for_url(f"{served.base}/handover")
    assert "sudah diserahkan" in page.inner_text("main")
    assert served.counter.desk.open(record).status == "handed_over"
