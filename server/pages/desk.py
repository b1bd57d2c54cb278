"""Desk: the first page, with what waits for whoever is signed in."""

from __future__ import annotations

from litestar import Response

from server.pages.drawing import Here
from server.pages.routes import show


@show("/")
def desk(here: Here) -> Response[str]:
    """My queues, what I have taken, the next one."""
    return here.page("desk.html")


HANDLERS = [desk]
