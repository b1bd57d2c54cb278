"""What is sent to central's pages is read only from who is known, and little of it at once."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import anyio
import msgspec
import pytest

from models.problems import Problem
from server.pages import drawing, sticks
from server.pages.routes import OPEN_BYTES_MAX
from tests.pusat import Pusat
from tests.windows import ORIGIN, OURS, Window, window, windows

BOUNDARY = "xxxx"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pusat]:
    with windows(tmp_path_factory.mktemp("uploads")) as found:
        yield found


class Sending:
    """Somebody who sends a form with files, up to the application's own door."""

    def __init__(self, office: Pusat, cookie: str, body: bytes = b"") -> None:
        self.app = office.client.app
        self.body = body
        self.cookie = cookie
        self.was_read = anyio.Event()
        self.goes_on = anyio.Event()
        self.status = 0
        self.said = b""
        self.where = ""

    async def __call__(self) -> None:
        """Send it; what is still on its way when `goes_on` is not set waits."""
        headers = {
            "host": ORIGIN.partition("//")[2], "origin": ORIGIN, "cookie": self.cookie,
            "content-type": f"multipart/form-data; boundary={BOUNDARY}",
        }  # fmt: skip
        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
            "scheme": "http", "path": "/usb/take", "raw_path": b"/usb/take", "query_string": b"",
            "root_path": "", "client": ("10.0.0.9", 1), "server": ("testserver.local", 80),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "state": {},
        }  # fmt: skip
        await self.app(scope, self._receive, self._send)

    async def _receive(self) -> Any:
        self.was_read.set()
        await self.goes_on.wait()
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.where = dict(message["headers"]).get(b"location", b"").decode()
        else:
            self.said += message.get("body", b"")


def signed_in(office: Pusat) -> tuple[str, bytes]:
    """A cookie, and a form without a file."""
    rina = window(office, "rina")
    rina.go("/usb")
    (token,) = rina.form("/usb/take").fields_as_dict()["token"]
    line = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="token"\r\n\r\n{token}\r\n'
    cookie = "; ".join(f"{name}={value}" for name, value in rina.cookies.items())
    return cookie, f"{line}--{BOUNDARY}--\r\n".encode()


@pytest.mark.parametrize("cookie", ["", "pusat=bukan-sesi"])
def test_nothing_is_read_of_what_a_stranger_sends(office: Pusat, cookie: str) -> None:
    async def work() -> Sending:
        stranger = Sending(office, cookie)
        stranger.goes_on.set()
        await stranger()
        return stranger

    with office.client.portal() as portal:
        stranger = portal.call(work)
    assert not stranger.was_read.is_set()
    assert (stranger.status, stranger.where[:8]) == (303, "/sign-in")


def test_two_forms_with_files_are_worked_on_and_others_wait(
    office: Pusat, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie, body = signed_in(office)
    uploads = office.client.app.state.uploads
    free: list[int] = []
    drawn = sticks._desk

    def noted(*given: Any) -> Any:
        free.append(uploads.value)
        return drawn(*given)

    monkeypatch.setattr(sticks, "_desk", noted)

    async def work() -> list[int]:
        senders = [Sending(office, cookie, body if n else b"torn") for n in range(4)]

        def begun() -> int:
            return sum(one.was_read.is_set() for one in senders)

        with anyio.fail_after(60):
            async with anyio.create_task_group() as group:
                for one in senders:
                    group.start_soon(one)
                while begun() + uploads.statistics().tasks_waiting < len(senders):
                    await anyio.sleep(0.001)
                assert begun() == drawing.UPLOADS_AT_ONCE
                for one in senders:
                    one.goes_on.set()
        return [one.status for one in senders]

    with office.client.portal() as portal:
        assert portal.call(work) == [400, 422, 422, 422]
    assert len(free) == 3
    assert max(free) < drawing.UPLOADS_AT_ONCE, "held until the form was worked on"
    assert uploads.value == drawing.UPLOADS_AT_ONCE


@pytest.mark.parametrize("limit", ["silence", "whole", "place"])
def test_a_form_that_takes_a_place_for_too_long_is_given_up(
    office: Pusat, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """Nothing comes; it comes for ever; others have the places. Each is said in words."""
    cookie, _ = signed_in(office)
    state = office.client.app.state
    central = state.central
    if limit == "silence":
        impatient = msgspec.structs.replace(central.settings, sync_idle_seconds=0)
        monkeypatch.setattr(central, "settings", impatient)
    monkeypatch.setattr(drawing, "UPLOAD_SECONDS", 0 if limit == "whole" else 60)
    monkeypatch.setattr(drawing, "PLACE_SECONDS", 0 if limit == "place" else 60)
    sender = Sending(office, cookie)

    async def work() -> None:
        taken = drawing.UPLOADS_AT_ONCE if limit == "place" else 0
        for _ in range(taken):
            state.uploads.acquire_nowait()
        with anyio.fail_after(60):
            await sender()
        for _ in range(taken):
            state.uploads.release()

    with office.client.portal() as portal:
        portal.call(work)
    code = "page.busy" if limit == "place" else "page.slow"
    problem = Problem(code)
    assert sender.status == problem.status
    assert escape(problem.words()) in sender.said.decode()
    assert state.uploads.value == drawing.UPLOADS_AT_ONCE


def test_anybody_may_send_little(office: Pusat) -> None:
    someone = Window(office)
    for path in ("/sign-in", "/language"):
        much = {"login": "x" * OPEN_BYTES_MAX}
        assert someone._send("POST", path, data=much, headers=OURS).status_code == 413
