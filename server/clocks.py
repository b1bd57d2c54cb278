"""Clocks: what the office promised of each request, and how long it has had it.

The rules stand in `models.clock`; here the turns of the clock are read out of what was decided.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from models import clock
from models.calendar import Calendar
from models.clock import Clock, Turn
from models.questions import ASK, REPLY
from models.services import Service
from server.database.registry import Door, RequestLine
from server.sheets import form_named
from sync.state import REASON_PREFIX, Decision, Moved, Wrote

ASKED = "asked"
"""Why a clock stands still that the status lets run."""


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
            clock.allowed(form_named(line.service, line.edition)),
            calendar,
            now,
        )
        for line in lines
    }


def turns(history: Iterable[Decision], record: bytes) -> list[Turn]:
    """When the clock of a request began to run, stood still, went on. Times are central's."""
    found: list[Turn] = []
    status, asked = Turn(0, "not_started", ""), set[str]()
    for decision in history:
        for e in decision.effects:
            if getattr(e, "record", b"") != record:
                continue
            if isinstance(e, Moved):
                status = clock.turn_of(decision.at, e.target)
            elif isinstance(e, Wrote) and e.unit.startswith(REASON_PREFIX):
                _hear(asked, e.unit.removeprefix(REASON_PREFIX), bool(e.value))
            waits = asked and status.state == "runs"
            turn = Turn(decision.at, "paused", ASKED) if waits else status
            before = found[-1] if found else Turn(0, "not_started", "")
            if (before.state, before.why) != (turn.state, turn.why):
                found.append(Turn(decision.at, turn.state, turn.why))
    return found


def _hear(asked: set[str], key: str, filled: bool) -> None:
    """Questions to the field that nobody has answered, by number."""
    if key.startswith(ASK):
        number = key.removeprefix(ASK).partition("/")[0]
        asked.add(number) if filled else asked.discard(number)
    elif key.startswith(REPLY) and filled:
        asked.discard(key.removeprefix(REPLY))
