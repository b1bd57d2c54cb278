"""`jemput serve` as the process it is: started, spoken to, killed in the middle of a form, started
again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from litestar.testing import TestClient

from field_client.pages.app import create_app
from field_client.pages.counter import Counter
from field_client.pages.door import Secrets
from field_client.pages.serving import _listening
from field_client.settings import FieldSettings, Place
from models.services import catalogue
from tests.field import Hands, keys, laptop
from tests.integration.test_pages_services import fill, flat
from tests.pages import ORIGIN, PORT, Browser, forms_of
from tests.vaults import PASSPHRASE

COMMAND = [sys.executable, "-c", "from field_client.cli import main; main()"]


class Process:
    """`jemput serve`, with the address it told."""

    def __init__(self, folder: Path) -> None:
        environment = os.environ | {"JEMPUT_DATA": str(folder), "PYTHONUTF8": "1"}
        self.running = subprocess.Popen(
            [*COMMAND, "serve", "--no-browser", "--port", "0", "--json"],
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        assert self.running.stdout is not None
        self.url = str(json.loads(self.running.stdout.readline())["url"])

    def browser(self) -> httpx.Client:
        """Let in and unlocked."""
        parts = urlsplit(self.url)
        base = f"{parts.scheme}://{parts.netloc}"
        client = httpx.Client(
            base_url=base, follow_redirects=True, headers={"Origin": base}, timeout=60
        )
        page = client.get(self.url)
        if page.url.path == "/unlock":
            (form,) = [f for f in forms_of(page.text) if f.action == "/unlock"]
            form.put("pin", PASSPHRASE)
            page = client.post(form.action, data=dict(form.fields))
        assert page.url.path == "/", page.text
        return client

    def kill(self) -> None:
        """As a power cut does, from the program's side."""
        self.running.kill()
        self.running.wait()

    def stop(self) -> int:
        """Ctrl-C."""
        self.running.send_signal(signal.SIGINT)
        return self.running.wait(timeout=60)


@contextmanager
def serving(folder: Path) -> Iterator[Process]:
    found = Process(folder)
    try:
        yield found
    finally:
        if found.running.poll() is None:
            found.kill()
        if found.running.stdout is not None:
            found.running.stdout.close()


def test_a_page_is_sent_at_once(tmp_path: Path) -> None:
    """asyncio switches off the kernel's waiting for more (40 ms a page) only on such a socket."""
    with _listening(Place(tmp_path, FieldSettings()), 0) as door:
        assert door.proto == socket.IPPROTO_TCP


def main_form(client: httpx.Client, path: str) -> Any:
    return next(f for f in forms_of(client.get(path).text) if f.action == path)


def test_killed_in_the_middle_of_a_form_it_opens_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    laptop(folder, Hands(), url="http://127.0.0.1:9").close()
    with serving(folder) as first:
        client = first.browser()
        form = next(f for f in forms_of(client.get("/serve/all").text) if f.action == "/drafts")
        form.put("service", "village-domicile-letter")
        tasks = client.post("/drafts", data=form.fields_as_dict()).url.path
        path = f"{tasks}/0/applicant/0"
        form = main_form(client, path)
        form.put("0|applicant.name", "Salma Kader")
        saved = client.post(f"{path}/save", data=form.fields_as_dict())
        assert "Tersimpan di laptop ini" in saved.text
        first.kill()
    with serving(folder) as second:
        client = second.browser()
        assert "Lanjutkan isian terakhir?" in client.get("/").text
        assert ("0|applicant.name", "Salma Kader") in main_form(client, path).fields
        with serving(folder) as third:  # opens the pages that run already
            assert third.running.wait(timeout=60) == 0
            assert urlsplit(third.url).netloc == urlsplit(second.url).netloc
            assert third.url != second.url
            assert third.browser().get("/").status_code == 200
        assert second.stop() == 0
    assert not (folder / "serve.json").exists()
    kept = list((folder / "templates").iterdir())  # compiled once, for the next start
    assert len(kept) > 10
    assert all(one.stat().st_mode & 0o77 == 0 for one in kept) or os.name == "nt"


def test_left_after_any_step_without_a_word_it_opens_where_it_was(tmp_path: Path) -> None:
    """A new program after each step, the old one never told: what a kill leaves on the disk, at
    every step of a form."""
    folder, hands = tmp_path / "data", Hands()
    laptop(folder, hands).close()
    tasks, service = "", catalogue().service("village-domicile-letter")
    answers = flat(service)

    def begin(browser: Browser) -> None:
        nonlocal tasks
        browser.go("/serve/all")
        form = browser.form("/drafts")
        form.put("service", service.slug)
        browser.send(form)
        tasks = browser.path

    def papers(browser: Browser) -> None:
        browser.go(f"{tasks}/documents")
        form = browser.form()
        form.put("paper", *service.example.documents)
        browser.send(form)

    def page(section: str) -> Callable[[Browser], None]:
        def step(browser: Browser) -> None:
            browser.go(f"{tasks}/0/{section}/0")
            form = browser.form()
            fill(form, answers, section, 0)
            browser.send(form)

        return step

    def submit(browser: Browser) -> None:
        browser.go(f"{tasks}/check")
        form = browser.form()
        form.put("declared", "yes")
        browser.send(form)

    sections = ("applicant", "address", "village_letter")
    steps = [begin, papers, *(page(section) for section in sections), submit]
    for number, step in enumerate(steps):
        browser = abandoned(folder, hands)
        assert ("Lanjutkan isian terakhir?" in browser.text) == (number > 0)
        step(browser)
    browser = abandoned(folder, hands)
    assert "Lanjutkan isian terakhir?" not in browser.text
    browser.go(tasks)
    assert browser.path.endswith("/receipt")
    found = browser.counter.desk.open(bytes.fromhex(browser.path.split("/")[2]))
    assert found.answers == service.check(answers, today=service.example.day).answers
    assert found.documents == tuple(sorted(service.example.documents))


def abandoned(folder: Path, hands: Hands) -> Browser:
    """The pages in a program of their own that nobody will close, unlocked, at home."""
    counter, own = Counter(Place(folder, FieldSettings()), hands.clock(), keys(folder)), Secrets()
    counter.syncing.start = lambda house: None  # type: ignore[method-assign]
    client = TestClient(create_app(counter, own, PORT), base_url=ORIGIN)
    browser = Browser(client, counter, own)
    browser.unlock()
    browser.go("/")
    return browser
