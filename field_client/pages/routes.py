"""Routes: how a handler becomes an address. `show` asks, `act` changes; both run at the desk."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, cast, get_type_hints

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from field_client.reserve import finishing

Handler = Callable[..., Any]
GIVEN = ("here", "form")


def show(path: str, **options: Any) -> Callable[[Handler], HTTPRouteHandler]:
    """A page that only shows. The function takes `here` and the parts of the path."""
    return lambda function: get(path, **options)(_at_the_desk(function))


def act(path: str, finishes: bool = False, **options: Any) -> Callable[[Handler], HTTPRouteHandler]:
    """What a form does. The function takes `here`, `form` and the parts of the path. finishes: it
    goes on with something begun, for which room is kept on the disk; it may run twice."""
    return lambda function: post(path, status_code=200, **options)(
        _at_the_desk(_with_reserve(function) if finishes else function)
    )


def _with_reserve(function: Handler) -> Handler:
    @functools.wraps(function)
    def run(**values: Any) -> Any:
        folder = values["here"].counter.place.folder
        return finishing(folder, functools.partial(function, **values))

    return run


def _at_the_desk(function: Handler) -> Handler:
    """Run in the desk's own thread, never in the event loop. Where each argument comes from is told
    here once: `here` and `form` are given by the application, all others are parts of the path."""
    hints = get_type_hints(function)
    given, part = cast(Any, NamedDependency), cast(Any, FromPath)
    marked: dict[str, Any] = {
        name: (given if name in GIVEN else part)[hint]
        for name, hint in hints.items()
        if name != "return"
    }

    async def run(**values: Any) -> Any:
        return await values["here"].counter.run(functools.partial(function, **values))

    run.__name__, run.__doc__, run.__module__ = (
        function.__name__, function.__doc__, function.__module__,
    )  # fmt: skip
    run.__annotations__ = marked | {"return": hints["return"]}
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=hint)
            for name, hint in marked.items()
        ],
        return_annotation=hints["return"],
    )
    return run
