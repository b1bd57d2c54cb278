"""Frames both ways at once: a laptop's body is read as it arrives, and each frame is answered when
what it brought is on the disk, while the next one is still on its way.

The response begins with the first answer, so a refusal of the first frame is an ordinary refusal.
A later one cannot change the status any more: it goes as a last frame, a zero byte and then the
same JSON (no sealed frame begins with zero). Where something between buffers, all is the same but
comes late.
"""

from __future__ import annotations

import asyncio
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

AHEAD_BYTES = 256 * 1024
"""Read ahead of what is being stored. It is the office's then: a connection that breaks takes what
the web server still holds with it."""


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
        self._ended = self._gone = False
        self._came, self._room = asyncio.Event(), asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Take what comes from now on, also while frames are being stored."""
        self._reader = asyncio.get_running_loop().create_task(self._read_ahead())

    def end(self) -> None:
        """Take nothing more."""
        if self._reader is not None:
            self._reader.cancel()

    async def next(self) -> bytes | None:
        """The next frame; None after the last, or when the laptop went away. Problems
        sync.truncated, sync.too_large, sync.timeout."""
        while len(self._kept) < self._wanted() and not self._ended:
            self._check()
            self._came.clear()
            with anyio.move_on_after(self._idle) as waiting:
                await self._came.wait()
            if waiting.cancelled_caught:
                raise Problem("sync.timeout")
        self._check()
        size = self._wanted()
        if len(self._kept) < size:
            if self._kept and not self._gone:
                raise Problem("sync.truncated")
            return None
        frame = bytes(self._kept[4:size])
        del self._kept[:size]
        self._room.set()
        return frame

    def _check(self) -> None:
        if self._left < 0:
            raise Problem("sync.too_large", limit=self._bytes_max)
        if self._wanted() > self._frame_max + 4:
            raise Problem("sync.too_large", limit=self._frame_max)

    async def _read_ahead(self) -> None:
        while not self._ended:
            if len(self._kept) > max(AHEAD_BYTES, min(self._wanted(), self._frame_max)):
                self._room.clear()
                await self._room.wait()
                continue
            event = await self._receive()
            if event["type"] == "http.request":
                self._kept += event["body"]
                self._left -= len(event["body"])
                self._ended = self._left < 0 or not event.get("more_body", False)
            else:
                self._ended = self._gone = True
            self._came.set()

    def _wanted(self) -> int:
        """Bytes of the next frame with its length; 4 as long as that is not here."""
        if len(self._kept) < 4:
            return 4
        return 4 + int.from_bytes(self._kept[:4], "big")


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
        except Exception as error:
            await _say(send, [refusal(self._http_request, error)])
        finally:
            self._frames.end()
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
