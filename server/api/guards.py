"""Who is asking: the person behind the bearer token, and work done in the office's threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import anyio
from litestar import Request
from litestar.datastructures import State

from server.auth import roles
from server.central import Central
from server.database.people import Person

Result = TypeVar("Result")
AnyRequest = Request[Any, Any, State]


def bearer(http_request: AnyRequest) -> str:
    """The token of the Authorization header, or empty."""
    kind, _, token = http_request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def central_of(http_request: AnyRequest) -> Central:
    """The office behind the application."""
    central: Central = http_request.app.state.central
    return central


async def as_person(http_request: AnyRequest, work: Callable[[Central, Person], Result]) -> Result:
    """Do `work` as the person who holds the token; Problem auth.required or auth.again."""
    central = central_of(http_request)

    def do() -> Result:
        return work(central, central.doorkeeper.whoever(bearer(http_request)))

    return await anyio.to_thread.run_sync(do, limiter=http_request.app.state.threads)


async def in_thread(http_request: AnyRequest, work: Callable[[Central], Result]) -> Result:
    """Do `work` without asking who it is for."""
    central = central_of(http_request)
    return await anyio.to_thread.run_sync(
        lambda: work(central), limiter=http_request.app.state.threads
    )


def seen_roles(person: Person) -> list[str]:
    """A person's roles as JSON."""
    return list(roles(person))
