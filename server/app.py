"""Central's web application: `create_app` wires the rooms to the doors and starts the jobs.

Handlers run in a few threads, never in the event loop: they wait for disk and database. With
several processes on one database everything here may run in each of them; the register's lock
orders what they write, and the jobs are harmless when they run twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from litestar import Litestar, Request, Response, Router
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from models.problems import Problem
from server import VERSION
from server.api.batches import BATCHES
from server.api.bundles import BUNDLES
from server.api.cases import CASES
from server.api.duplicates import DUPLICATES
from server.api.laptops import enrol, sync
from server.api.open import health, keys, sign_in, sign_out
from server.api.problems import http_response, problem_response, unexpected_response
from server.api.requests import REQUESTS
from server.api.stock import STOCK
from server.api.work import WORK
from server.central import Central, open_central
from server.jobs import Jobs
from server.pages.app import not_served, pages_router, refused, unexpected
from server.pages.door import close, is_page
from server.pages.drawing import UPLOADS_AT_ONCE
from server.settings import Place, ServerSettings


def create_app(place: Place, opened: Callable[[Place], Central] = open_central) -> Litestar:
    """The application over the central at `place`. Raises Problem when it is not ready to work."""
    central = opened(place)
    app = doors(central.settings)
    app.state.central = central
    return app


def doors(settings: ServerSettings) -> Litestar:
    """The application before its central: whoever serves it puts one into `state.central`."""
    return Litestar(
        route_handlers=_routers(settings),
        lifespan=[_lifespan],
        openapi_config=_openapi(),
        exception_handlers={
            Problem: _answered(problem_response, refused),
            HTTPException: _answered(http_response, not_served),
            Exception: _answered(unexpected_response, unexpected),
        },
        before_send=[close],
        logging_config=None,
    )


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncIterator[None]:
    central: Central = app.state.central
    app.state.threads = anyio.CapacityLimiter(central.settings.threads)
    # A semaphore: a form is read in one task and let go in another.
    app.state.uploads = anyio.Semaphore(UPLOADS_AT_ONCE)
    jobs = Jobs(central)
    jobs.start()
    try:
        yield
    finally:
        jobs.stop()
        central.close()


def _routers(settings: ServerSettings) -> list[Router]:
    laptops = Router(
        "/v1",
        route_handlers=[sync, enrol, *BUNDLES],
        request_max_body_size=settings.sync_body_bytes_max,
    )
    people = Router(
        "/v1",
        route_handlers=[
            health,
            keys,
            sign_in,
            sign_out,
            *REQUESTS,
            *CASES,
            *DUPLICATES,
            *BATCHES,
            *WORK,
            *STOCK,
        ],
        request_max_body_size=settings.api_body_bytes_max,
    )
    return [laptops, people, pages_router(settings.api_body_bytes_max)]


Answering = Callable[[Request[Any, Any, Any], Exception], Response[Any]]


def _answered(program: Answering, page: Answering) -> Answering:
    """A refusal as JSON at a program's door, as a page everywhere else."""

    def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        return (page if is_page(request.scope["path"]) else program)(request, error)

    return answer


def _openapi() -> OpenAPIConfig:
    """What the API takes and gives, as JSON alone: the framework's own pages about it load scripts
    from elsewhere, at the very address where staff are signed in."""
    bearer = SecurityScheme(type="http", scheme="bearer")
    return OpenAPIConfig(
        title="Jemput Bola: central",
        version=VERSION,
        path="/schema",
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        components=Components(security_schemes={"bearer": bearer}),
    )
