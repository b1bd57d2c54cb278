"""Bringing a database to the shape this program needs.

Each step is one transaction, so a kill in the middle leaves the shape before or after it.
sqlite-utils is loaded only when a step is due: it costs 0.3 s and 24 MB, once in a laptop's life.
"""

from __future__ import annotations

from field_client.vault.engine import Engine
from models.problems import Problem

VERSION = 11
"""Number of steps in `migrations`, kept as `pragma user_version`: one read tells if one is due."""


def upgrade(engine: Engine) -> None:
    """Apply the steps that are due. Problem `vault.newer` for a database of a newer program."""
    version = _version(engine)
    if version > VERSION:
        raise Problem("vault.newer")
    if version == VERSION:
        return
    with engine.alone():
        if _version(engine) < VERSION:  # another process may just have done it
            from field_client.vault.migrations import STEPS

            STEPS.apply(engine.database())
            engine.read(f"pragma user_version = {VERSION}")


def _version(engine: Engine) -> int:
    row = engine.one("pragma user_version")
    return int(row[0]) if row is not None else 0
