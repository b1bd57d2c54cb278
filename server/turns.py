"""Turns: when the clock of a request began to run, stood still, and went on, one effect after the
other."""

from __future__ import annotations

import msgspec

from models import clock
from models.clock import Turn
from models.problems import Problem
from models.questions import ASK, REPLY
from models.services import catalogue
from sync.state import REASON_PREFIX, Moved, Wrote

ASKED = "asked"
"""Why a clock stands still that the status lets run."""
_BEFORE = Turn(0, "not_started", "")


class Turns(msgspec.Struct, frozen=True, array_like=True):
    """The turns of a clock so far, and what the next one depends on. status: of the request; asked:
    numbers of the questions to the field that nobody has answered."""

    turns: tuple[Turn, ...] = ()
    status: str = ""
    asked: tuple[str, ...] = ()

    def after(self, effect: object, at: int) -> Turns:
        """When this has happened to the request. at: central's clock, Unix seconds."""
        status, asked = self.status, set(self.asked)
        if isinstance(effect, Moved):
            status = effect.target
        elif isinstance(effect, Wrote) and effect.unit.startswith(REASON_PREFIX):
            _hear(asked, effect.unit.removeprefix(REASON_PREFIX), bool(effect.value))
        else:
            return self
        turn = clock.turn_of(at, status) if status else _BEFORE
        if asked and turn.state == "runs":
            turn = Turn(at, "paused", ASKED)
        last = self.turns[-1] if self.turns else _BEFORE
        same = (last.state, last.why) == (turn.state, turn.why)
        return Turns(self.turns if same else (*self.turns, turn), status, tuple(sorted(asked)))


def _hear(asked: set[str], key: str, filled: bool) -> None:
    """Questions to the field that nobody has answered, by number."""
    if key.startswith(ASK):
        number = key.removeprefix(ASK).partition("/")[0]
        asked.add(number) if filled else asked.discard(number)
    elif key.startswith(REPLY) and filled:
        asked.discard(key.removeprefix(REPLY))


def promised(service: str, edition: int | None) -> int:
    """Working seconds that a form promises, its newest edition where none is named; the standard of
    the law where it is not known here."""
    try:
        return clock.allowed(catalogue().service(service, edition))
    except Problem:
        return clock.allowed(None)
