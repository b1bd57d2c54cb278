"""A real Chromium at the pages of one invented central, for every test of tests/browser/central."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
import uvicorn
from litestar import Litestar
from playwright.sync_api import BrowserContext, Page

from server.app import create_app
from server.central import Central, found, open_central
from server.settings import load
from tests.blank import lay
from tests.browsing import PATIENCE_MS
from tests.pusat import PASSWORD, PROTECTED, Clock, Pusat, Van, hired
from tests.village import Person as Citizen
from tests.village import village

REQUESTS = 24
"""Taken in by one van before the browser comes: received, none decided yet."""


class Client(httpx.Client):
    """A program's way to a served application, known like the test client of Litestar."""

    def __init__(self, app: Litestar, base: str) -> None:
        super().__init__(base_url=base, timeout=PATIENCE_MS / 1000)
        self.app = app


class Desks:
    """One central that answers at `base`. office: the same central over its JSON API, laptops too.
    records: ids of what the van took in. watched: what browsers did that they must not."""

    def __init__(self, office: Pusat, base: str, records: list[bytes]) -> None:
        self.office = office
        self.central: Central = office.central
        self.base = base
        self.records = records
        self.watched: list[str] = []

    def open(self, context: BrowserContext) -> Page:
        """A window where nobody is signed in."""
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: self.watched.append(f"error {error}"))
        page.on("console", self._heard)
        page.on("request", self._asked)
        return page

    def enter(self, context: BrowserContext, login: str) -> Page:
        """A window at the desk of somebody."""
        page = self.open(context)
        page.goto(f"{self.base}/sign-in")
        page.fill("#login", login)
        page.fill("#password", PASSWORD)
        page.click("main button")
        page.wait_for_url(f"{self.base}/")
        return page

    def _heard(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.watched.append(f"console {message.text}")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.watched.append(f"asked {request.url}")


@contextmanager
def desks(folder: Path) -> Iterator[Desks]:
    """Found a central with everybody of tests/pusat.py in it and a van's requests, and serve it
    from a thread."""
    clock = Clock()
    # Tests search when they want: a case that opens by itself stops what another one is doing.
    place = load(folder, {"JEMPUT_PUSAT_DUPLICATE_MINUTES": "1440"})
    lay(folder)
    found(place, folder / "recovery-key.json", clock)
    app = create_app(place, lambda where: open_central(where, clock, secrets.token_bytes))
    with patch.multiple("server.auth", MEMORY_KIB=64, PASSES=1), serving(app) as base:
        staff = app.state.central.staff
        people = hired(app.state.central)
        people["loket"] = staff.add(people["admin"], "loket", "Lia", ["operator"], PASSWORD)
        with Client(app, base) as client:
            office = Pusat(client, clock, people)
            yield Desks(office, base, _taken_in(office.van("Si Jola 1"), office))


def _taken_in(van: Van, office: Pusat) -> list[bytes]:
    """Requests of grown people of the invented village."""
    grown = [one for one in village(60).people if one.age > 17 and one.nik]
    found = [van.take_in(n, **_told_by(one)) for n, one in enumerate(grown[:REQUESTS], 1)]
    office.sync(van)
    return found


def _told_by(one: Citizen) -> dict[str, dict[str, str]]:
    """What somebody says of themselves."""
    return {
        PROTECTED: {"name": one.name, "nik": one.nik, "kk": one.kk},
        "ktp_enrolment_queue.identity": {
            "birth_date": one.birth_date.isoformat(),
            "sex": one.sex,
        },
    }


@contextmanager
def serving(app: Litestar) -> Iterator[str]:
    """Serve an application on a free port; gives its address."""
    door = socket.socket(proto=socket.IPPROTO_TCP)  # else each answer waits 40 ms
    door.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", ws="none")
    server = uvicorn.Server(config)
    ready = threading.Event()
    startup = server.startup

    async def announced(*given: Any, **named: Any) -> None:
        await startup(*given, **named)
        ready.set()

    server.startup = announced  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    try:
        assert ready.wait(PATIENCE_MS / 1000)
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    """One central for all these tests: leave what others' tests may count on as it was."""
    with desks(tmp_path_factory.mktemp("central")) as made:
        yield made


@pytest.fixture
def rina(central: Desks, context: Callable[..., BrowserContext]) -> Page:
    """A verifier's window at her desk."""
    return central.enter(context(), "rina")
