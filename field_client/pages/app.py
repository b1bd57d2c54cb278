"""The pages put together: addresses, what handlers are given, and what is said when one refuses."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Request, Response, get
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.types import ASGIApp

from field_client.pages import (
    asking,
    choosing,
    drafts,
    files,
    handing,
    home,
    papers,
    photos,
    practising,
    requests,
    returning,
    scanning,
    settling,
    standing,
    sticks,
    trays,
    unlock,
    visiting,
)
from field_client.pages.counter import Counter
from field_client.pages.door import Door, Secrets
from field_client.pages.drawing import PACKAGE, Here, make_form, make_here
from models.pages.drawing import KEPT, built
from models.problems import Problem, internal

BODY_BYTES_MAX = 256 * 1024
"""Of a form; pages that take files say their own limit."""

OPEN = ("/unlock", "/lock", "/language", "/static/", "/training")
"""What is answered while nobody is unlocked."""

HANDLERS = [
    *unlock.HANDLERS,
    *home.HANDLERS,
    *requests.HANDLERS,
    *files.HANDLERS,
    *trays.HANDLERS,
    *papers.HANDLERS,
    *handing.HANDLERS,
    *scanning.HANDLERS,
    *choosing.HANDLERS,
    *drafts.HANDLERS,
    *photos.HANDLERS,
    *standing.HANDLERS,
    *sticks.HANDLERS,
    *returning.HANDLERS,
    *asking.HANDLERS,
    *visiting.HANDLERS,
    *settling.HANDLERS,
    *practising.HANDLERS,
]


def create_app(counter: Counter, own: Secrets, port: int) -> ASGIApp:
    """The application behind its door. port: where it will be served."""
    return behind_door(pages(), counter, own, port)


def behind_door(app: Litestar, counter: Counter, own: Secrets, port: int) -> ASGIApp:
    """The pages over one laptop, behind the door of its port."""
    app.state.counter, app.state.secrets = counter, own
    app.state.writers, app.state.corrected = {}, {}
    return Door(app, own, port)


def pages() -> Litestar:
    """The application before its laptop."""
    return Litestar(
        route_handlers=[*HANDLERS, static],
        dependencies={
            "here": Provide(make_here, sync_to_thread=False),
            "form": Provide(make_form),
        },
        before_request=gate,
        exception_handlers={
            Problem: refused,
            HTTPException: not_served,
            Exception: unexpected,
        },
        lifespan=[_lifespan],
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=None,
        logging_config=None,
    )


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncIterator[None]:
    try:
        yield
    finally:
        counter: Counter = app.state.counter
        (counter.real or counter).close()


async def gate(request: Request[Any, Any, Any]) -> Response[Any] | None:
    """To the unlock page while nobody is unlocked; the page that was wanted comes after it."""
    counter: Counter = request.app.state.counter
    path = request.url.path
    if path.startswith(OPEN):
        return None
    counter.look()
    if request.headers.get("hx-request") != "true":
        counter.touch()
    if counter.house is not None and not counter.locked:
        return None
    return await unlock.curtain(request)


# -- refusals


def refused(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    """A problem as a page: what happened, whose turn it is."""
    here = Here(request)
    if here.is_part:
        return here.page("parts/problem.html", 200, problem=problem)
    return here.page("problem.html", problem.status, problem=problem)


def not_served(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """An address that does not exist, a form that is too large."""
    codes = {404: "api.not_found", 405: "api.method", 413: "page.too_large"}
    code = codes.get(error.status_code, "page.malformed")
    details = {"path": request.url.path, "limit": "-"}
    return refused(request, Problem(code, **details))


def unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Our own mistake: type and place, never its words, which may hold a citizen's data."""
    if os.environ.get("JEMPUT_TRACE"):
        raise error
    return refused(request, internal(error))


# -- files


@get("/static/{name:str}", sync_to_thread=True)
def static(name: FromPath[str]) -> Response[bytes]:
    """A built file. Its name carries its hash, so it may be kept for ever."""
    found = built(PACKAGE, name)
    if found is None:
        raise HTTPException(status_code=404)
    return Response(found[0], media_type=found[1], headers={"cache-control": KEPT})
