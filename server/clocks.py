"""Clocks: what the office promised of each request, and how long it has had it.

The rules stand in `models.clock`; here the turns of the clock are read out of what was decided.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from models import clock
from models.calendar import Calendar
from models.clock import Clock, Turn
from models.services import Service
from server.database.registry import Door, RequestLine
from server.turns import Turns, promised
from sync.state import Decision


def clock_of(
    door: Door, record: bytes, form: Service | None, calendar: Calendar, now: int
) -> Clock:
    """Of one request. now: central's clock, Unix seconds."""
    return clock.read(turns(door.history(record), record), clock.allowed(form), calendar, now)


def clocks(
    door: Door, lines: Collection[RequestLine], calendar: Calendar, now: int
) -> dict[bytes, Clock]:
    """Of the requests of a list, by id."""
    histories = door.histories([line.id for line in lines])
    return {
        line.id: clock.read(
            turns(histories[line.id], line.id),
            promised(line.service, line.edition),
            calendar,
            now,
        )
        for line in lines
    }


def turns(history: Iterable[Decision], record: bytes) -> list[Turn]:
    """When the clock of a request began to run, stood still, went on. Times are central's."""
    found = Turns()
    for decision in history:
        for effect in decision.effects:
            if getattr(effect, "record", b"") == record:
                found = found.after(effect, decision.at)
    return list(found.turns)
