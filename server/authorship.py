"""Authorship: who at the office typed what stands in a request. Nobody approves their own work."""

from __future__ import annotations

from server.database.registry import Door
from sync.state import ELEMENT, Created, Effect, Held, Moved, Wrote

CORRECT = "correct_at_office"
"""The step that ends a correction at the counter."""


def typists(door: Door, central: bytes, record: bytes) -> list[str]:
    """Who took a request in at the counter, corrected it there, or put files to it; as decisions
    name them. central: the office's own log."""
    own = [one for one in door.history(record) if one.log == central]
    return [one.actor for one in own if any(_typed(e, record) for e in one.effects)]


def _typed(effect: Effect, record: bytes) -> bool:
    """Of the office's own log: is it the work of a counter? What verifiers write there are steps,
    reasons and decided cases; a value is offered and a file put at the counter alone."""
    match effect:
        case Created() | Held():
            typed = True
        case Moved(action=action):
            typed = action == CORRECT
        case Wrote(unit=unit):
            typed = ELEMENT in unit
        case _:
            return False
    return typed and effect.record == record
