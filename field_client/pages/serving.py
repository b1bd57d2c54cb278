"""Serving: one process a laptop answers on 127.0.0.1, and a second start opens the first one."""

from __future__ import annotations

import contextlib
import http.client
import logging
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from field_client import reserve
from field_client.pages.app import create_app
from field_client.pages.counter import Counter
from field_client.pages.door import INVITE_HEADER, INVITE_PATH, Secrets
from field_client.pages.drawing import keep_compiled
from field_client.settings import Place
from field_client.vault.files import FileLock, private_folder, write_atomically
from models.problems import Problem

HOST = "127.0.0.1"
LOCK_FILE, RUNNING_FILE = "serve.lock", "serve.json"
ASK_SECONDS = 5.0


class Running(msgspec.Struct, frozen=True):
    """Where the pages of this data folder are served, and what another start by the same person
    says to be let in. In a file that only its owner reads."""

    port: int
    word: str


def serve_pages(place: Place, port: int | None, told: Callable[[str], None]) -> None:
    """Serve until stopped. told: gets the address with a one-time key once it can be opened.
    Problems: page.running, page.port."""
    private_folder(place.folder)
    with _alone(place.folder), _listening(place, port) as door:
        number = int(door.getsockname()[1])
        own = Secrets()
        running = Running(number, own.word)
        write_atomically(place.folder / RUNNING_FILE, msgspec.json.encode(running))
        # A sync that takes longer than the pause between two looks is nothing to report.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        reserve.keep(place.folder)
        keep_compiled(place.folder / "templates")
        app = create_app(Counter(place), own, number)
        config = uvicorn.Config(
            app, log_level="error", access_log=False, server_header=False, date_header=False,
            http="h11", ws="none", loop="asyncio", lifespan="on", timeout_graceful_shutdown=10,
        )  # fmt: skip
        address = f"http://{HOST}:{number}/enter?key={own.invite()}"
        # uvicorn hands a signal on once it has shut down; to us both mean: it was stopped.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with contextlib.suppress(KeyboardInterrupt):
                _Server(config, lambda: told(address)).run(sockets=[door])
        finally:
            (place.folder / RUNNING_FILE).unlink(missing_ok=True)


def invite_again(place: Place) -> str:
    """The address of the pages that run already, with a key of its own; "" if nobody answers."""
    try:
        running = msgspec.json.decode((place.folder / RUNNING_FILE).read_bytes(), type=Running)
        road = http.client.HTTPConnection(HOST, running.port, timeout=ASK_SECONDS)
        with contextlib.closing(road):
            origin = f"http://{HOST}:{running.port}"
            headers = {INVITE_HEADER: running.word, "Origin": origin}
            road.request("POST", INVITE_PATH, headers=headers)
            answer = road.getresponse()
            key = answer.read(200).decode()
    except (OSError, http.client.HTTPException, msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return f"{origin}/enter?key={key}" if answer.status == 200 else ""


class _Server(uvicorn.Server):
    """Says when it can be spoken to."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets=sockets)
        if self.started:
            self.ready()


class _Held(FileLock):
    """Held as long as the pages are served."""

    def __enter__(self) -> Any:
        try:
            return super().__enter__()
        except Problem as problem:
            if problem.code == "vault.busy":
                raise Problem("page.running") from problem
            raise


def _alone(folder: Path) -> _Held:
    return _Held(folder / LOCK_FILE, wait=0)


@contextlib.contextmanager
def _listening(place: Place, port: int | None) -> Any:
    """A socket on the loopback address. A port that was asked for is taken or refused; the usual
    one gives way to any free one."""
    wanted = place.settings.port if port is None else port
    # The protocol is named: only then does asyncio send what it has at once (TCP_NODELAY). Without
    # it a page of two pieces waits 40 ms for the browser's acknowledgement of the first.
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        try:
            door.bind((HOST, wanted))
        except OSError as error:
            if port is not None:
                raise Problem("page.port", port=wanted) from error
            door.bind((HOST, 0))
        yield door
    finally:
        door.close()
