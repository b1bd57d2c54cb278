"""Serving until told to stop: what `jemput-pusat serve` alone needs of the web, so that no other
command loads it."""

from __future__ import annotations

import contextlib
import signal
import sys
from types import FrameType

import uvicorn

from models.problems import Problem
from models.words import say
from server import VERSION
from server.app import create_app
from server.central import open_central
from server.settings import Place
from server.terminal import Terminal


def serve(place: Place, terminal: Terminal) -> None:
    """Answer laptops, pages and programs. Raises Problem office.address."""
    config = uvicorn.Config(
        create_app(place, open_central),
        host=place.settings.host,
        port=place.settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    server = Announced(config, terminal)
    # uvicorn raises the signal that stopped it once more when it is done.
    signal.signal(signal.SIGTERM, _done)
    signal.signal(signal.SIGINT, _done)
    with contextlib.suppress(SystemExit):  # uvicorn's answer to an address in use
        server.run()
    if not server.started:
        raise Problem("office.address", host=place.settings.host, port=place.settings.port)


def _done(_: int, __: FrameType | None) -> None:
    """Stopping when asked to is not an error."""


class Announced(uvicorn.Server):
    """Says in one line that it is ready, and where."""

    def __init__(self, config: uvicorn.Config, terminal: Terminal) -> None:
        super().__init__(config)
        self.terminal = terminal

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Listen, then say so."""
        await super().startup(sockets)  # type: ignore[arg-type]
        if not self.started:
            return
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        url = f"http://{host}:{port}"
        if self.terminal.json:
            self.terminal.give({"ready": True, "url": url, "version": VERSION})
        else:
            words = say("Pusat siap melayani di {url}", self.terminal.lang, url=url)
            sys.stdout.write(words + "\n")
            sys.stdout.flush()
