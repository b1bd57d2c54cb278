"""Every page: nothing serious by axe, whole at 320 pixels, nothing asked of anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, ViewportSize

from field_client import folder, returned, visit
from field_client.attachments import drafting
from field_client.pages.app import HANDLERS
from field_client.pages.unlock import Kept
from field_client.stickwork import Step, StickWork
from models.pages import topics
from models.problems import Problem
from models.services import catalogue
from sync.attaching import Photo
from tests import pictures
from tests.architecture.source import ROOT
from tests.browser.test_journeys import LETTER, begin, take_in
from tests.browsing import Served, unseen
from tests.integration.test_pages_asked import questioned
from tests.integration.test_pages_services import flat
from tests.requests_pages import READY, RETURNED, VERIFIED, led, submitted
from tests.village import PLACE

pytestmark = pytest.mark.browser
AXE = ROOT / "assets" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
WINDOW: ViewportSize = {"width": 1000, "height": 800}
NARROW: ViewportSize = {"width": 320, "height": 640}
WIDE: ViewportSize = {"width": 1366, "height": 768}
ZOOMED: ViewportSize = {"width": 683, "height": 384}
"""The usual laptop's window at 200 %: a browser lays out half as many points."""

SPILLS = """letters => {
  document.documentElement.style.fontSize = letters
  const width = document.documentElement.clientWidth
  const found = document.scrollingElement.scrollWidth > width ? ["the page"] : []
  for (const one of document.querySelectorAll("main a, main button, main input, main select")) {
    const box = one.getBoundingClientRect()
    if (box.width && (box.left < -1 || box.right > width + 1) && !one.closest(".jb-scroll"))
      found.push(one.outerHTML.slice(0, 80))
  }
  document.documentElement.style.fontSize = ""
  return found
}"""
"""What does not fit beside the edge with letters of that size; tables scroll within themselves."""


@pytest.fixture(scope="module")
def window(chromium: Any, served: Served) -> Iterator[Page]:
    """A window at home, with one request taken in and one form begun."""
    context: BrowserContext = chromium.new_context(viewport=WINDOW)
    page = served.enter(context)
    begin(page, served)
    take_in(page)
    begin(page, served, "birth")
    yield page
    context.close()


def request(served: Served) -> str:
    return served.counter.desk.store.requests.newest()[0].record.hex()


def draft(served: Served) -> str:
    return served.counter.desk.store.drafts.of("sari")[0].id.hex()


def open_photographed(served: Served) -> str:
    """A form with a paper photographed."""
    found = folder.open_folder(served.counter.desk, bytes.fromhex(draft(served)))
    places = drafting.places(topics.look(found), "id")
    if not served.counter.desk.store.draft_files.of(found.name):
        drafting.attach(found, places[-1], [PAPER])
    return f"/drafts/{found.name.hex()}/files"


def open_returned(served: Served) -> str:
    """A request that came back, with somebody called about it."""
    desk = served.counter.desk
    record = led(desk, "ktp-reprint-lost", RETURNED, "DOC_UNREADABLE: foto buram")
    returned.note_call(desk, desk.open(record), "Salma Kader", "coming", "besok")
    return "/returned"


def open_asked(served: Served) -> str:
    """A question of the office about a request."""
    questioned(served.counter.desk)
    return "/asked"


def open_letter(served: Served) -> str:
    """A letter to be signed by the village head."""
    return f"/requests/{led(served.counter.desk, LETTER.slug, VERIFIED).hex()}/letter"


def open_giving(served: Served) -> str:
    """A document that lies ready."""
    record = led(served.counter.desk, LETTER.slug, READY)
    return f"/requests/{record.hex()}/handover"


def open_ready(served: Served) -> str:
    """Documents that lie ready, by village."""
    open_giving(served)
    return "/handover"


def open_correction(served: Served) -> str:
    """A correction that is looked at once more before it is kept."""
    desk = served.counter.desk
    begun = folder.begin_correction(desk, submitted(desk, LETTER.slug))
    begun.put({0: {"applicant.phone": "0812 4000 7788"}})
    return f"/drafts/{begun.name.hex()}/check"


def open_family(served: Served) -> str:
    """What became of a family's two forms."""
    forms = [catalogue().service(slug) for slug in (LETTER.slug, "village-poverty-letter")]
    begun = folder.begin(served.counter.desk, [form.slug for form in forms])
    begun.put(
        {n: flat(form) for n, form in enumerate(forms)},
        {n: form.example.documents for n, form in enumerate(forms)},
        {n: {"duplicate": "diminta lagi"} for n in range(2)},
    )
    begun.submit()
    return f"/drafts/{begun.name.hex()}/done"


def open_visit(served: Served) -> str:
    """A visit with somebody called, somebody who waits and somebody who did not come."""
    desk = served.counter.desk
    if visit.current(desk.store) is None:
        visit.start(desk, visit.Plan(PLACE))
        for first in (True, False, False):
            visit.take_number(desk, first=first)
        visit.settle(desk, visit.call_next(desk).name, visit.ABSENT)
        visit.call_next(desk)
    return "/visit"


def open_stick_work(served: Served) -> str:
    """A stick that is being written."""
    counter = served.counter
    assert counter.house is not None
    counter.stick = StickWork(counter.house, "export", Path("stick"))
    counter.stick.step = Step("write", 3, 9)
    return "/usb/work"


def open_stick_refused(served: Served) -> str:
    """A stick that was too small."""
    open_stick_work(served)
    work = served.counter.stick
    assert work is not None
    work.running, work.problem = False, Problem("usb.full", need="96 MB", free="40 MB")
    return "/usb/work"


def open_kept(served: Served) -> str:
    """A form that was sent while the laptop was locked."""
    served.counter.kept = Kept("sari", "/settings", [("idle", "5")])
    return "/unlock/again"


PAPER = Photo("kk.jpg", pictures.jpeg(pictures.page(1, (1240, 1754))))
PARTS = {"/bar", "/requests/{record:str}/tray", "/drafts/{name:str}/tray"}
"""Drawn into pages by a script; seen there."""

PAGES: dict[str, Callable[[Served], str]] = {
    "home": lambda _: "/",
    "unlock": lambda _: "/unlock?who=sari",
    "tiles": lambda _: "/unlock",
    "kept behind the curtain": open_kept,
    "readiness": lambda _: "/readiness",
    "backup": lambda _: "/readiness/backup",
    "requests": lambda _: "/requests",
    "request": lambda s: f"/requests/{request(s)}",
    "files": lambda s: f"/requests/{request(s)}/files",
    "receipt": lambda s: f"/requests/{request(s)}/receipt",
    "papers": lambda s: f"/requests/{request(s)}/papers",
    "lists of the day": lambda _: "/papers",
    "handover": open_ready,
    "giving": open_giving,
    "letter": open_letter,
    "correction": open_correction,
    "family": open_family,
    "help": lambda _: "/help",
    "serve": lambda _: "/serve",
    "event": lambda _: "/serve/birth",
    "tasks": lambda s: f"/drafts/{draft(s)}",
    "topic": lambda s: f"/drafts/{draft(s)}/0/birth/0",
    "topic with errors": lambda s: f"/drafts/{draft(s)}/0/birth/0?look=1",
    "documents": lambda s: f"/drafts/{draft(s)}/documents",
    "photos of a form": open_photographed,
    "drafts": lambda _: "/drafts",
    "training": lambda _: "/training",
    "half papers": lambda s: f"/drafts/{draft(s)}/waiting",
    "check": lambda s: f"/drafts/{draft(s)}/check",
    "drop": lambda s: f"/drafts/{draft(s)}/drop",
    "sending": lambda _: "/sending",
    "usb": lambda _: "/usb",
    "usb at work": open_stick_work,
    "usb too small": open_stick_refused,
    "room on the disk": lambda _: "/readiness/room",
    "returned": open_returned,
    "asked": open_asked,
    "settings": lambda _: "/settings",
    "visit to come": lambda _: "/visit",
    "visit": open_visit,
    "targets": lambda _: "/visit/targets",
    "notices": lambda _: "/notices",
}


@pytest.mark.parametrize("name", [*PAGES, "nothing there"])
def test_a_page_is_for_everybody(served: Served, window: Page, name: str) -> None:
    served.watched.clear()
    window.goto(served.base + PAGES.get(name, lambda _: "/nothing")(served))
    assert window.locator("h1").count() == 1
    assert faults(window) == []
    for size, letters in ((NARROW, "100%"), (ZOOMED, "100%"), (WIDE, "200%")):
        window.set_viewport_size(size)
        assert window.evaluate(SPILLS, letters) == [], (size, letters)
    window.set_viewport_size(WINDOW)
    assert not served.watched


@pytest.mark.usefixtures("window")
def test_no_page_is_forgotten(served: Served) -> None:
    assert unseen(HANDLERS, (address(served) for address in PAGES.values())) == PARTS


def faults(page: Page) -> list[str]:
    """What axe finds serious: rule, and where."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]
