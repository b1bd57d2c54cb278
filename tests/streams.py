"""Central behind a real socket, and a laptop on the real network road to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import uvicorn

from field_client.courier import Courier
from field_client.transports.stream import StreamRoad
from server.app import create_app
from tests.requests import request_rows
from tests.town import Laptop, Town


@contextmanager
def serving(town: Town, **tls: Any) -> Iterator[int]:
    """The town's central at a free port of this machine; gives the port."""
    app = create_app(town.central.place, lambda place: town.central)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, access_log=False,
        timeout_graceful_shutdown=1, lifespan="on", **tls,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 120
    while not server.started:
        assert thread.is_alive(), "central did not start"
        assert time.monotonic() < until, "central does not start"
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)


def courier(laptop: Laptop, url: str, **settings: Any) -> Courier:
    """A courier on the stream road, which waits in no test."""
    place = laptop.place
    place = msgspec.structs.replace(
        place, settings=msgspec.structs.replace(place.settings, **settings)
    )
    return Courier(
        laptop.house.desk, StreamRoad(url, place.settings), place,
        sleep=lambda seconds: None, chance=lambda: 0.5,
    )  # fmt: skip


def taken(town: Town, laptop: Laptop, count: int, seed: int = 7) -> set[str]:
    """Take in so many requests, each in a transaction of its own; their names."""
    rows = request_rows(town.village, count, seed)
    return {one.record.hex() for row in rows for one in laptop.take(row)}
