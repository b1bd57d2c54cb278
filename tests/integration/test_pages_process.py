"""`jemput serve` as the process it is: started, spoken to, killed in the middle of a form, started
again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from field_client.pages.serving import _listening
from field_client.settings import FieldSettings, Place
from models.services import catalogue
from tests.field import Hands, laptop
from tests.field import again as opened
from tests.integration.test_pages_services import fill, flat
from tests.pages import forms_of
from tests.pictures import jpeg
from tests.pictures import page as picture
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
            base_url=base, follow_redirects=True, headers={"Origin": base}, timeout=120
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
        return self.running.wait(timeout=120)


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


def test_killed_at_every_step_it_opens_where_it_was(tmp_path: Path) -> None:
    """SIGKILL after each step of a form, at last in the middle of taking it in."""
    folder, service = tmp_path / "data", catalogue().service("village-domicile-letter")
    laptop(folder, Hands(), url="http://127.0.0.1:9").close()
    answers, tasks = flat(service), ""
    typed: tuple[str, Any] | None = None
    for section in ("", "applicant", "address", "village_letter", ""):
        with serving(folder) as one:
            client = one.browser()
            assert ("Lanjutkan isian terakhir?" in client.get("/").text) == bool(tasks)
            if not tasks:
                tasks = _begun(client, service.slug)
            if typed is not None:  # what was typed before the kill is there, and goes on
                path, fields = typed
                found = main_form(client, path)
                assert set(found.fields) >= fields
                assert client.post(path, data=found.fields_as_dict()).status_code == 200
            if section:
                path = f"{tasks}/0/{section}/0"
                form = main_form(client, path)
                fill(form, answers, section, 0)
                saved = client.post(f"{path}/save", data=form.fields_as_dict())  # a field is left
                assert "Tersimpan di laptop ini" in saved.text
                typed = path, {pair for pair in form.fields if pair[0] not in FRESH}
            one.kill()
    with serving(folder) as second:
        client = second.browser()
        with serving(folder) as third:  # opens the pages that run already
            assert third.running.wait(timeout=120) == 0
            assert urlsplit(third.url).netloc == urlsplit(second.url).netloc
            assert third.url != second.url
            assert third.browser().get("/").status_code == 200
        form = main_form(client, f"{tasks}/documents")
        form.put("paper", *service.example.documents)
        client.post(form.action, data=form.fields_as_dict())
        taken = {"place": "document.KTP", "token": form.fields_as_dict()["token"]}
        photo = {"file": ("ktp.jpg", jpeg(picture(1, (1240, 1754))))}
        assert "1 foto tersimpan" in client.post(f"{tasks}/files", data=taken, files=photo).text
        last = next(f for f in forms_of(client.get(f"{tasks}/check").text)
                    if f.action.endswith("/submit"))  # fmt: skip
        last.put("declared", "yes")
        sending = threading.Thread(target=_sent, args=(client, last))
        sending.start()
        second.kill()
        sending.join(120)
    with serving(folder) as again:
        client = again.browser()
        page = client.get(tasks)
        if not page.url.path.endswith("/receipt"):  # it was killed before it was taken in
            last = next(f for f in forms_of(client.get(f"{tasks}/check").text)
                        if f.action.endswith("/submit"))  # fmt: skip
            last.put("declared", "yes")
            page = client.post(last.action, data=last.fields_as_dict())
        assert page.url.path.endswith("/receipt")
        assert "Lanjutkan isian terakhir?" not in client.get("/").text
        assert again.stop() == 0
    assert not (folder / "serve.json").exists()
    kept = list((folder / "templates").iterdir())  # compiled once, for the next start
    assert len(kept) > 10
    assert all(one.stat().st_mode & 0o77 == 0 for one in kept) or os.name == "nt"
    house = opened(folder)
    (line,) = house.store.requests.newest()
    found_there = house.desk.open(line.record)
    assert found_there.answers == service.check(answers, today=service.example.day).answers
    assert found_there.documents == tuple(sorted(service.example.documents))
    ((file, _),) = house.desk.files(found_there)
    assert file.unit == "document.KTP", "what was photographed before the kill came along"
    assert len(list(house.desk.blobs.folder.iterdir())) == 2, "and nothing else lies there"
    house.close()


FRESH = ("token", "version", "window")
"""What each drawing of a page has anew."""


def _begun(client: httpx.Client, service: str) -> str:
    form = next(f for f in forms_of(client.get("/serve/all").text) if f.action == "/drafts")
    form.put("service", service)
    return str(client.post("/drafts", data=form.fields_as_dict()).url.path)


def _sent(client: httpx.Client, form: Any) -> None:
    """Send a form to a program that is killed meanwhile."""
    with contextlib.suppress(httpx.TransportError):
        client.post(form.action, data=form.fields_as_dict())
