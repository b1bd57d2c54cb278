"""`jemput serve` as the process it is: started, spoken to, killed in the middle of a form, started
again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.field import Hands, laptop
from tests.pages import forms_of
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
