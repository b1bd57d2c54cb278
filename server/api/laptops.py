"""The door for laptops: bytes in, bytes out. Reception and enrolment know what they mean."""

from __future__ import annotations

from typing import Any

import anyio
from litestar import Request, Response, post
from litestar.datastructures import State

from models.problems import Problem
from server.api.stream import OCTETS as OCTETS
from server.api.stream import Answers, Frames, taken
from server.central import Central


@post("/sync", media_type=OCTETS, status_code=200, summary="One sync of a laptop", laptops=True)
async def sync(request: Request[Any, Any, State]) -> Answers:
    """Take sealed frames as they arrive, answer each with sealed frames (docs/protocol.md)."""
    central: Central = request.app.state.central
    settings = central.settings
    frames = Frames(
        request,
        settings.sync_stream_bytes_max,
        settings.sync_body_bytes_max,
        settings.sync_idle_seconds,
    )
    visit = central.reception.visit()
    frames.begin()
    try:
        first = await frames.next()
        if first is None:
            raise Problem("sync.malformed")
        return Answers(request, frames, visit, await taken(request, visit, first))
    except BaseException:
        frames.end()
        raise


@post(
    "/enrol", media_type=OCTETS, status_code=200, summary="A new log asks to be known", laptops=True
)
async def enrol(request: Request[Any, Any, State]) -> Response[bytes]:
    """Take a sealed Enrolment, answer with a sealed Certificate (docs/protocol.md)."""
    central: Central = request.app.state.central
    body = await request.body()
    answer = await anyio.to_thread.run_sync(
        central.devices.enrol, body, limiter=request.app.state.threads
    )
    return Response(answer, media_type=OCTETS)
