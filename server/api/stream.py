"""Frames both ways at once: a laptop's body is read as it arrives, and each frame is answered when
what it brought is on the disk, while the next one is still on its way.

The response begins with the first answer, so a refusal of the first frame is an ordinary refusal.
A later one cannot change the status any more: it goes as a last frame, a zero byte and then the
same JSON (no sealed frame begins with zero). Where something between buffers, all is the same but
comes late.
"""

from __future__ import annotations

from typing import Any

import anyio
import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Send

from models.problems import Problem
from server.api.problems import language, unexpected
from server.visit import Visit
from sync import wire

OCTETS = "application/octet-stream"
AnyRequest = Request[Any, Any, State]


class Gone(Exception):
    """The laptop went away: nobody is left to be told anything."""


class Frames:
    """The frames of a request's body as they arrive. bytes_max: of the whole body. frame_max: of
    one of them. idle_seconds: how long nothing may come."""

    def __init__(
        self, http_request: AnyRequest, bytes_max: int, frame_max: int, idle_seconds: float
    ) -> None:
        self._receive: Receive = http_request.receive
        self._left = bytes_max
        self._bytes_max = bytes_max
        self._frame_max = min(frame_max, wire.FRAME_BYTES_MAX)
        self._idle = idle_seconds
        self._kept = bytearray()
        self._ended = False

    async def next(self) -> bytes | None:
        """The next frame, or None after the last. Problems sync.truncated, sync.too_large,
        sync.timeout; Gone."""
        while len(self._kept) < self._wanted() and not self._ended:
            await self._more()
        if not self._kept:
            return None
        size = self._wanted()
        if len(self._kept) < size:
            raise Problem("sync.truncated")
        frame = bytes(self._kept[4:size])
        del self._kept[:size]
        return frame

    def _wanted(self) -> int:
        """Bytes of the next frame with its length; 4 as long as that is not here."""
        if len(self._kept) < 4:
            return 4
        size = int.from_bytes(self._kept[:4], "big")
        if size > self._frame_max:
            raise Problem("sync.too_large", limit=self._frame_max)
        return 4 + size

    async def _more(self) -> None:
        with anyio.move_on_after(self._idle) as waiting:
            event = await self._receive()
        if waiting.cancelled_caught:
            raise Problem("sync.timeout")
        if event["type"] != "http.request":
            raise Gone
        self._kept += event["body"]
        self._left -= len(event["body"])
        if self._left < 0:
            raise Problem("sync.too_large", limit=self._bytes_max)
        self._ended = not event.get("more_body", False)


class Answers(Response[bytes]):
    """The response that is written while the request is read. answers: those to the first frame."""

    def __init__(
        self, http_request: AnyRequest, frames: Frames, visit: Visit, answers: list[bytes]
    ) -> None:
        super().__init__(b"", media_type=OCTETS)
        self._stream = _Stream(http_request, frames, visit, answers)

    def to_asgi_response(self, app: Any, request: Any, **_: Any) -> ASGIResponse:
        """What the framework runs."""
        del app, request
        return self._stream


class _Stream(ASGIResponse):
    _should_set_content_length = False

    def __init__(
        self, http_request: AnyRequest, frames: Frames, visit: Visit, answers: list[bytes]
    ) -> None:
        super().__init__(media_type=OCTETS)
        self._http_request = http_request
        self._frames = frames
        self._visit = visit
        self._answers = answers

    async def send_body(self, send: Send, receive: Receive) -> None:
        """Answer frame by frame."""
        del receive  # `Frames` reads
        await _say(send, self._answers)
        try:
            while (frame := await self._frames.next()) is not None:
                await _say(send, await taken(self._http_request, self._visit, frame))
        except Gone:
            return
        except Exception as error:
            await _say(send, [refusal(self._http_request, error)])
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def taken(http_request: AnyRequest, visit: Visit, frame: bytes) -> list[bytes]:
    """Take a frame in one of the office's threads. A connection uses one thread at a time."""
    limiter = http_request.app.state.threads
    return await anyio.to_thread.run_sync(visit.take, frame, limiter=limiter)


def refusal(http_request: AnyRequest, error: Exception) -> bytes:
    """The last frame of a response that had begun."""
    problem = error if isinstance(error, Problem) else unexpected(http_request, error)
    return b"\0" + msgspec.json.encode(problem.as_dict(language(http_request)))


async def _say(send: Send, answers: list[bytes]) -> None:
    if answers:
        body = wire.join_frames(answers)
        await send({"type": "http.response.body", "body": body, "more_body": True})
