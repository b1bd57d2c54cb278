"""Applications that serve one house after another.

Putting one together reads the signature of every handler anew: 0.1 s for the laptop's pages,
0.3 s for central. What they know of their house stands in `state`, which each house gets fresh.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from litestar import Litestar
from litestar.datastructures import State

from field_client.pages.app import pages
from server.app import doors
from server.settings import ServerSettings

_IDLE: dict[tuple[int, ...], list[Litestar]] = {}
"""By what differs between them: the limits they were put together with."""


@contextmanager
def for_central(settings: ServerSettings) -> Iterator[Litestar]:
    """Central's application, without its central."""
    limits = (settings.sync_body_bytes_max, settings.api_body_bytes_max)
    idle = _IDLE.setdefault(limits, [])
    app = idle.pop() if idle else doors(settings)
    yield from _lent(app, idle)


@contextmanager
def for_laptop() -> Iterator[Litestar]:
    """The laptop's application, without its laptop."""
    idle = _IDLE.setdefault((), [])
    app = idle.pop() if idle else pages()
    yield from _lent(app, idle)


def _lent(app: Litestar, idle: list[Litestar]) -> Iterator[Litestar]:
    """Whoever fails while they have it does not give it back."""
    app.state = State()
    yield app
    app.state = State()
    idle.append(app)
