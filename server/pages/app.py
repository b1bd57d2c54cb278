"""The pages put together: addresses, what handlers are given, and what is said when one refuses.

A new room adds one line to `HANDLERS` and one to `places.menu`.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote

from litestar import Request, Response, Router, get
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.response import Redirect

from models.pages.drawing import KEPT, built
from models.problems import Problem
from server.api.problems import unexpected as noted
from server.pages import (
    audit,
    batches,
    counter,
    dashboard,
    desk,
    devices,
    dispatch,
    duplicates,
    entry,
    handing,
    incidents,
    lists,
    me,
    people,
    printing,
    reconciling,
    scanning,
    services,
    sticks,
    verifying,
    visits,
)
from server.pages.drawing import PACKAGE, Here, make_form, make_here

HANDLERS = [
    *entry.HANDLERS,
    *desk.HANDLERS,
    *lists.HANDLERS,
    *verifying.HANDLERS,
    *reconciling.HANDLERS,
    *me.HANDLERS,
    *people.HANDLERS,
    *dashboard.HANDLERS,
    *audit.HANDLERS,
    *duplicates.HANDLERS,
    *incidents.HANDLERS,
    *batches.HANDLERS,
    *printing.HANDLERS,
    *dispatch.HANDLERS,
    *handing.HANDLERS,
    *sticks.HANDLERS,
    *counter.HANDLERS,
    *scanning.HANDLERS,
    *devices.HANDLERS,
    *visits.HANDLERS,
    *services.HANDLERS,
]


@get("/static/{name:str}", sync_to_thread=True)
def static(name: FromPath[str]) -> Response[bytes]:
    """A built file. Its name carries its hash, so it may be kept for ever."""
    found = built(PACKAGE, name)
    if found is None:
        raise HTTPException(status_code=404)
    return Response(found[0], media_type=found[1], headers={"cache-control": KEPT})


def pages_router(body_bytes_max: int) -> Router:
    """Everything under `/` that a person looks at. Handlers that take files say their own limit."""
    return Router(
        "/",
        route_handlers=[*HANDLERS, static],
        dependencies={
            "here": Provide(make_here, sync_to_thread=False),
            "form": Provide(make_form),
        },
        request_max_body_size=body_bytes_max,
        include_in_schema=False,
    )


# -- refusals


def refused(request: Request[Any, Any, Any], problem: Exception) -> Response[Any]:
    """A problem as a page: what happened, whose turn it is. Who is not signed in is asked to."""
    assert isinstance(problem, Problem)
    here = Here(request)
    if problem.code in ("auth.required", "auth.again"):
        return _to_sign_in(here, again=problem.code == "auth.again")
    if here.is_part:
        return here.page("parts/problem.html", problem=problem)
    return here.page("problem.html", status=problem.status, problem=problem)


def _to_sign_in(here: Here, *, again: bool) -> Response[Any]:
    """Back to the page that was asked for afterwards; a form has to be sent once more."""
    url = here.request.url
    wanted = url.path + (f"?{url.query}" if url.query else "")
    if here.request.method != "GET" or here.is_part:
        wanted = "/"
    address = f"/sign-in?next={quote(wanted)}" + ("&again=1" if again else "")
    if here.is_part:
        return Response("", status_code=200, headers={"HX-Redirect": address})
    return Redirect(address, status_code=303)


def not_served(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """An address that does not exist, a form that is too large."""
    assert isinstance(error, HTTPException)
    if error.status_code >= 500:
        return unexpected(request, error)
    codes = {404: "api.not_found", 405: "api.method", 413: "page.too_large"}
    return refused(request, Problem(codes.get(error.status_code, "page.malformed")))


def unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Our own mistake: an incident for the log, never its words, which may hold a citizen's
    data."""
    if os.environ.get("JEMPUT_TRACE"):
        raise error
    return refused(request, noted(request, error))
