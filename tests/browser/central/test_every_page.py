"""Every page of central: nothing serious by axe, whole at 320 pixels, nothing asked of elsewhere.

A new page adds a line to `PAGES`: its name -> who looks, and at which address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from server.pages.app import HANDLERS
from tests.browser.central.laid import (
    a_batch,
    a_dispute,
    a_document,
    a_form,
    a_laptop,
    a_manifest,
    a_pair,
    a_receipt,
    a_request,
    a_voyage,
    a_word,
    an_incident,
)
from tests.browser.test_every_page import NARROW, faults
from tests.browsing import unseen
from tests.desks import Desks

pytestmark = pytest.mark.browser

PAGES: dict[str, tuple[str, Callable[[Desks], str]]] = {
    "sign in": ("", lambda _: "/sign-in"),
    "desk": ("rina", lambda _: "/"),
    "list": ("tono", lambda _: "/requests"),
    "empty list": ("tono", lambda _: "/requests?status=printed"),
    "search": ("rina", lambda _: "/search"),
    "my sign-in": ("rina", lambda _: "/me"),
    "two steps": ("rina", lambda _: "/me/second"),
    "people": ("admin", lambda _: "/people"),
    "colleague": ("admin", lambda _: "/people/rina"),
    "keys": ("rina", lambda _: "/help"),
    "dashboard": ("tono", lambda _: "/dashboard"),
    "records of a number": ("tono", lambda _: "/dashboard/records?figure=arrived"),
    "cases of a number": ("tono", lambda _: "/dashboard/records?figure=case_opened"),
    "villages that were served": ("tono", lambda _: "/dashboard/served"),
    "audit trail": ("mata", lambda _: "/audit"),
    "request": ("rina", a_request),
    "request, larger": ("rina", lambda central: f"{a_request(central)}?zoom=200&turn=90"),
    "return": ("rina", lambda central: f"{a_request(central)}/return"),
    "accept with a reason": ("rina", lambda central: f"{a_request(central)}/accept"),
    "ask the field": ("rina", lambda central: f"{a_request(central)}/ask"),
    "ask a supervisor": ("rina", lambda central: f"{a_request(central)}/escalate"),
    "what a supervisor is asked": ("tono", a_word),
    "disputes": ("tono", lambda _: "/disputes"),
    "one dispute": ("tono", a_dispute),
    "pairs": ("rina", lambda _: "/duplicates"),
    "one pair": ("rina", a_pair),
    "incidents": ("rina", lambda _: "/incidents"),
    "one incident": ("rina", an_incident),
    "batches": ("siak", lambda _: "/batches"),
    "one batch": ("siak", a_batch),
    "a row of a batch": ("siak", lambda central: f"{a_batch(central)}/rows/1"),
    "ready to print": ("tono", lambda _: "/print"),
    "blanks": ("tono", lambda _: "/blanks"),
    "manifests": ("tono", lambda _: "/manifests"),
    "one manifest": ("tono", a_manifest),
    "new manifest": ("kurir", lambda central: f"{a_manifest(central).rpartition('/')[0]}/new"),
    "uncollected": ("loket", lambda _: "/uncollected"),
    "handing over": ("loket", lambda central: f"{a_document(central)}/handover"),
    "USB desk": ("rina", lambda _: "/usb"),
    "counter": ("loket", lambda _: "/counter"),
    "services to choose": ("loket", lambda _: "/counter/for/all"),
    "task list": ("loket", a_form),
    "questions": ("loket", lambda central: f"{a_form(central)}/0/parents/0?look=1"),
    "papers": ("loket", lambda central: f"{a_form(central)}/documents"),
    "last check": ("loket", lambda central: f"{a_form(central)}/check"),
    "receipts": ("loket", a_receipt),
    "drop a draft": ("loket", lambda central: f"{a_form(central)}/drop"),
    "scans": ("loket", lambda central: f"/counter{a_request(central)}/files"),
    "laptops": ("tono", lambda _: "/devices"),
    "one laptop": ("tono", a_laptop),
    "a laptop is lost": ("tono", lambda central: f"{a_laptop(central)}/lost"),
    "what a laptop holds": ("tono", lambda central: f"{a_laptop(central)}/held"),
    "villages of a laptop": ("tono", lambda central: f"{a_laptop(central)}/villages"),
    "invite": ("admin", lambda _: "/devices/new/invite"),
    "voyages": ("tono", lambda _: "/visits?month=2026-11"),
    "villages nobody reached": ("tono", lambda _: "/visits/coverage"),
    "plan a voyage": ("tono", lambda _: "/visits/new"),
    "one voyage": ("tono", a_voyage),
    "a voyage is changed": ("tono", lambda central: f"{a_voyage(central)}/change"),
    "services": ("rina", lambda _: "/services"),
    "a form as a clerk sees it": ("rina", lambda _: "/services/birth?filled=1"),
}


@pytest.fixture(scope="module")
def windows(chromium: Any, central: Desks) -> Iterator[Callable[[str], Page]]:
    """A window for each person, signed in once."""
    made: dict[str, Page] = {}

    def window(login: str) -> Page:
        if login not in made:
            context = chromium.new_context(viewport={"width": 1366, "height": 768})
            made[login] = central.enter(context, login) if login else central.open(context)
        return made[login]

    yield window
    for page in made.values():
        page.context.close()


@pytest.mark.parametrize("name", [*PAGES, "nothing there"])
def test_a_page_is_for_everybody(central: Desks, windows: Callable[[str], Page], name: str) -> None:
    login, find = PAGES.get(name, ("rina", lambda _: "/nothing"))
    address = find(central)  # may hire who looks at it
    page = windows(login)
    central.watched.clear()
    page.goto(central.base + address)
    assert page.locator("h1").count() == 1
    assert faults(page) == []
    page.set_viewport_size(NARROW)
    wide = page.evaluate("document.scrollingElement.scrollWidth")
    page.set_viewport_size({"width": 1366, "height": 768})
    assert wide <= NARROW["width"]
    assert not central.watched


def test_no_page_is_forgotten(central: Desks) -> None:
    assert not unseen(HANDLERS, (address(central) for _, address in PAGES.values()))
