"""Routes: how a handler becomes an address. `show` asks, `act` changes; both run at the desk."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from litestar import get, post
from litestar.handlers import HTTPRouteHandler

Handler = Callable[..., Any]


def show(path: str, **options: Any) -> Callable[[Handler], HTTPRouteHandler]:
    """A page that only shows. The function takes `here` and the parts of the path."""
    return lambda function: get(path, **options)(_at_the_desk(function))


def act(path: str, **options: Any) -> Callable[[Handler], HTTPRouteHandler]:
    """What a form does. The function takes `here`, `form` and the parts of the path."""
    return lambda function: post(path, status_code=200, **options)(_at_the_desk(function))


def _at_the_desk(function: Handler) -> Handler:
    """Run in the desk's own thread, never in the event loop."""

    @functools.wraps(function)
    async def run(**given: Any) -> Any:
        return await given["here"].counter.run(functools.partial(function, **given))

    return run
