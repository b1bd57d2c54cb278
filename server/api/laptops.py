"""The door for laptops: bytes in, bytes out. Reception and enrolment know what they mean."""

from __future__ import annotations

from typing import Any

import anyio
from litestar import Request, Response, post
from litestar.datastructures import State

from server.central import Central

OCTETS = "application/octet-stream"


@post(
    "/sync", media_type=OCTETS, status_code=200, summary="One round trip of a laptop", laptops=True
)
async def sync(request: Request[Any, Any, State]) -> Response[bytes]:
    """Take a sealed request, answer with sealed frames (docs/protocol.md)."""
    central: Central = request.app.state.central
    body = await request.body()
    answer = await anyio.to_thread.run_sync(
        central.reception.answer, body, limiter=request.app.state.threads
    )
    return Response(answer, media_type=OCTETS)


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
