"""Routes: how a handler becomes an address. `show` asks, `act` changes; both run in the office's
threads, as the person who is signed in."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, cast, get_type_hints

import anyio
from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from server.pages.drawing import Here

Handler = Callable[..., Any]
GIVEN = ("here", "form")
OPEN_BYTES_MAX = 16 * 1024
"""Of a form that anybody may send: a name, a password, a language."""


def show(path: str, *, anybody: bool = False, **options: Any) -> Callable[[Handler], Any]:
    """A page that only shows. The function takes `here` and the parts of the path. anybody: also
    who is not signed in."""

    def made(function: Handler) -> HTTPRouteHandler:
        return get(path, **options)(_at_the_desk(function, anybody))

    return made


def act(path: str, *, anybody: bool = False, **options: Any) -> Callable[[Handler], Any]:
    """What a form does. The function takes `here`, `form` and the parts of the path. Nothing is
    read of a form before it is known who sends it, unless anybody may, and then little."""
    if anybody:
        options["request_max_body_size"] = OPEN_BYTES_MAX
    options["opt"] = {"anybody": anybody}

    def made(function: Handler) -> HTTPRouteHandler:
        return post(path, status_code=200, **options)(_at_the_desk(function, anybody))

    return made


def _at_the_desk(function: Handler, anybody: bool) -> Handler:
    """Run in one of the office's threads, never in the event loop. Where each argument comes from
    is told here once: `here` and `form` are given by the application, all others are parts of the
    path."""
    hints = get_type_hints(function)
    given, part = cast(Any, NamedDependency), cast(Any, FromPath)
    marked: dict[str, Any] = {
        name: (given if name in GIVEN else part)[hint]
        for name, hint in hints.items()
        if name != "return"
    }

    async def run(**values: Any) -> Any:
        here: Here = values["here"]

        def work() -> Any:
            here.enter(anybody=anybody)
            return function(**values)

        return await anyio.to_thread.run_sync(work, limiter=here.request.app.state.threads)

    functools.update_wrapper(run, function, ("__name__", "__doc__", "__module__"), ())
    del run.__wrapped__  # type: ignore[attr-defined] # its arguments are told below
    run.__annotations__ = marked | {"return": hints["return"]}
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=hint)
            for name, hint in marked.items()
        ],
        return_annotation=hints["return"],
    )
    return run
