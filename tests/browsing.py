"""A real Chromium at the pages of an invented laptop, with the list of its invented village."""

from __future__ import annotations

import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from field_client.pages.app import behind_door, pages
from field_client.pages.counter import Counter
from field_client.pages.door import Secrets
from field_client.settings import FieldSettings, Place
from models.roster.residents import Resident
from models.roster.source import RosterSource
from tests.field import Hands, keys, laptop
from tests.vaults import PASSPHRASE
from tests.village import PLACE, Person, village

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
]  # fmt: skip
"""No host is looked up, and the camera is a drawn one."""

PATIENCE_MS = 120_000
"""How long a page may take on a machine that others use too."""

expect.set_options(timeout=PATIENCE_MS)


class Served:
    """Pages that answer on a port of their own. watched: what browsers did that they must not."""

    def __init__(self, app: Litestar, own: Secrets, port: int) -> None:
        self.app = app
        self.counter: Counter = app.state.counter
        self.own = own
        self.base = f"http://127.0.0.1:{port}"
        self.watched: list[str] = []

    def enter(self, context: BrowserContext, operator: str = "sari") -> Page:
        """A window that is unlocked and stands at home."""
        page = self.open(context)
        page.goto(f"{self.base}/unlock?who={operator}")
        page.fill("#pin", PASSPHRASE)
        page.click("main button")
        page.wait_for_url(f"{self.base}/")
        return page

    def open(self, context: BrowserContext) -> Page:
        """A window that was let in."""
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: self.watched.append(f"error {error}"))
        page.on("console", self._heard)
        page.on("request", self._asked)
        page.goto(f"{self.base}/enter?key={self.own.invite()}")
        return page

    def _heard(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.watched.append(f"console {message.text}")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.watched.append(f"asked {request.url}")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. It is never skipped: without it these tests fail."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert found, "chromium is missing: python3 scripts/test.py installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET, timeout=PATIENCE_MS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One laptop for a module; its operators are `sari` and `jul`."""
    with serving(tmp_path_factory.mktemp("laptop")) as found:
        yield found


@pytest.fixture
def context(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser contexts (`java_script_enabled=False`, `viewport=…`), closed afterwards."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        made.append(
            chromium.new_context(**({"viewport": {"width": 1366, "height": 768}} | options))
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


@contextmanager
def serving(folder: Path, **settings: Any) -> Iterator[Served]:
    """Enrol a laptop, give it the village's list, and serve its pages from a thread."""
    hands = Hands()
    house = laptop(folder, hands)
    house.store.roster.take_in(LIST, residents())
    house.keys.add(house.unlocked.database_key, "jul", PASSPHRASE, _cheap())
    house.close()
    counter = Counter(Place(folder, FieldSettings(**settings)), hands.clock(), keys(folder))
    counter.syncing.start = lambda house: None  # type: ignore[method-assign]
    own, door = Secrets(), socket.socket(proto=socket.IPPROTO_TCP)  # as the real one: at once
    door.bind(("127.0.0.1", 0))
    port = int(door.getsockname()[1])
    app = pages()
    config = uvicorn.Config(behind_door(app, counter, own, port), log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    try:
        yield Served(app, own, port)
    finally:
        server.should_exit = True
        thread.join()


def _cheap() -> Any:
    from tests.vaults import CHEAP

    return CHEAP


def unseen(handlers: Sequence[HTTPRouteHandler], addresses: Iterable[str]) -> set[str]:
    """Paths of pages to which none of these addresses leads. What gives bytes is no page."""
    shown = [one for one in handlers if one.http_methods & {"GET"}]
    files = {path for one in shown for path in one.paths if _gives(one) == Response[bytes]}
    paths = sorted((path for one in shown for path in one.paths), key=lambda path: path.count("{"))
    seen = {next(path for path in paths if _leads(path, one)) for one in addresses}
    return set(paths) - files - seen


def _gives(handler: HTTPRouteHandler) -> object:
    return handler.fn.__annotations__["return"]


def _leads(path: str, address: str) -> bool:
    wanted = re.sub(r"\{\w+:\w+\}", "[^/]+", path)
    return re.fullmatch(wanted, address.partition("?")[0]) is not None


LIST = RosterSource(PLACE, "Kantor desa", date(2026, 10, 1), "Perjanjian 2026", date(2027, 1, 31))


def residents() -> list[Resident]:
    """The invented village as its list tells it."""
    return [resident(number, one) for number, one in enumerate(village(60).people)]


def resident(number: int, one: Person) -> Resident:
    """A person as a line of the list."""
    told = msgspec.structs.asdict(one)
    same = {name: told[name] for name in Resident.__struct_fields__ if name in told}
    same |= {"enrolment": "unknown", "residence": "resident"}
    return Resident(key=f"{number:032x}", **same)
