"""Statements are compiled once in a test process, and not again for every database in it.

SQLAlchemy keeps what it compiled for each engine, by the engine's own dialect object; a central has
one engine for years. Here hundreds of small registers come and go, and compiling the same sixty
statements for each took a third of the time of some suites. All engines of a kind are made alike
(`server.database.engine`), so they may take each other's.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

STATEMENTS = 2000
_KEPT: dict[type, Any] = {}


def share() -> None:
    """From now on."""
    make = Engine.__init__

    def made(self: Engine, *given: Any, **named: Any) -> None:
        make(self, *given, **named)
        self._compiled_cache = _KEPT.setdefault(type(self.dialect), LRUCache(STATEMENTS))

    DefaultDialect.__eq__ = lambda one, other: type(one) is type(other)  # type: ignore[method-assign]
    DefaultDialect.__hash__ = lambda one: hash(type(one))  # type: ignore[method-assign, assignment]
    Engine.__init__ = made  # type: ignore[method-assign]
