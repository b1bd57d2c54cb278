"""Releasing: what a person lets be judged may end the process, and is tried apart then.

Work that came after a laptop was lost is parked unjudged until a supervisor releases it; what ended
central three times lies until an engineer says that this was mended. Neither may end central again
and again, nor keep the rest from being decided: what failed once at once is done transaction by
transaction, each in a commit of its own with attempts counted before. What fails too often stays
where it is, with what depends on it, and the person is told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import groupby
from typing import TYPE_CHECKING, Any

import structlog

from models.changes import Choice
from models.problems import Problem
from server.auth import require_case, who
from server.database.people import Person
from server.ledger import Door, Ledger, places
from sync.cases import TAKES, still_parked
from sync.known import Needs, envelope
from sync.logs import Entry

if TYPE_CHECKING:
    from server.casework import Casework, Done

RELEASE, RETRY = "release", "retry"
"""Scopes of attempts."""

Choose = Callable[[Any, bytes, int], object]
"""Write somebody's choice through an open door of the register: about one parked transaction, by
its log and first number, or (b"", 0) about all that is left, which closes the case."""

Place = tuple[bytes, int]

log_lines = structlog.get_logger(__name__)


def decide(casework: Casework, me: Person, name: str, reason: str, seen: int) -> Done:
    """A supervisor's choice to take what is parked under a case. Problems as `Casework.resolve`,
    and case.set_aside."""
    with casework.registry.read() as door:
        case = casework.fresh_case(door, name, seen)
        if "release" not in TAKES[case.kind]:
            about = {"unit": case.unit or case.kind, "choices": list(TAKES[case.kind])}
            raise Problem("case.choice", choice="release", **about)
        require_case(door, me, case)
    done: list[Done] = []

    def choose(door: Any, log: bytes, seq: int) -> None:
        fresh = casework.fresh_case(door, name, seen)
        choice = Choice(case.id, "release", reason.strip(), "decide", None, log, seq, who(me))
        done.append(casework.choose(door, me, fresh, choice, seen))

    release(casework.ledger, case.id, choose)
    return done[-1]


def release(ledger: Ledger, case: bytes, choose: Choose) -> None:
    """Judge what is parked under a case. Problem case.set_aside where something of it ended the
    process too often: the rest is released, and the case stays open with that."""
    registry = ledger.registry
    died = registry.attempt(case, 0, RELEASE)
    try:
        if not died and _at_once(ledger, case, choose):
            return
        _apart(ledger, case, choose)
    finally:
        registry.attempted(case, 0, RELEASE)


def _at_once(ledger: Ledger, case: bytes, choose: Choose) -> bool:
    try:
        with ledger.registry.write() as door:
            door.attempted(case, 0, RELEASE)
            choose(door, b"", 0)
    except Problem as problem:
        if problem.code != "case.set_aside":
            raise
        return False
    except Exception as error:
        log_lines.error("release_failed", case=case.hex(), at=places(error))
        return False
    return True


def _apart(ledger: Ledger, case: bytes, choose: Choose) -> None:
    lying: set[bytes] = set()  # requests of which something is not judged
    left = 0
    for numbers, records, poisoned in _parked(ledger, case):
        depends = bool(lying & records)
        if poisoned or depends or not _tried(ledger, numbers, choose):
            lying |= records
            left += len(numbers)
    if left:
        raise Problem("case.set_aside", n=left)
    with ledger.registry.write() as door:
        choose(door, b"", 0)


def _parked(ledger: Ledger, case: bytes) -> list[tuple[list[Place], set[bytes], bool]]:
    """Entries that wait under a case, by transaction: their places, their requests, and whether one
    of them lies already."""
    with ledger.registry.read() as door:
        known = door.load(Needs(cases={case}))
    found = known.state.cases[case]
    waiting = [
        ((log, seq), record, known.entries[log, seq])
        for log, seq, record in found.parked
        if still_parked(found, known.results.get((log, seq)))
    ]
    groups = []
    for _, some in groupby(waiting, key=lambda one: _first(one[0], one[2])):
        parts = list(some)
        numbers = [place for place, _, _ in parts]
        records = {record for _, record, _ in parts} - {b""}
        groups.append((numbers, records, not known.poisoned.isdisjoint(numbers)))
    return groups


def _first(place: Place, entry: Entry) -> Place:
    """Where the transaction of an entry begins."""
    change = envelope(entry)
    return (place[0], place[1] - change.i) if change is not None else place


def _tried(ledger: Ledger, numbers: list[Place], choose: Choose) -> bool:
    """Release one transaction; False where it lies from now on."""

    def act(door: Door) -> bool:
        entry = door.entries(*numbers[0], numbers[0][1])[numbers[0][1]]
        choose(door, *_first(numbers[0], entry))
        return True

    def give_up(door: Door) -> bool:
        for place in numbers:
            door.let_lie(*place)
        return False

    return ledger.counted((*numbers[0], RELEASE), act, give_up)


def try_again(ledger: Ledger, aside: Collection[Place], at: int) -> int:
    """Judge what was set aside once more, each transaction in a commit of its own, with what waited
    for it. One that fails lies as before; one that ended the process is passed over the next time,
    so that the others come to their turn. Gives how many entries wait still."""
    with ledger.registry.read() as door:
        records = {(log, seq): record for record, log, seq in door.waiting()}
        entries = {place: door.entries(*place, place[1])[place[1]] for place in aside}
    places_ = sorted(aside, key=lambda place: _first(place, entries[place]))
    for _, some in groupby(places_, key=lambda place: _first(place, entries[place])):
        _again(ledger, list(some), records, at)
    ledger.retry(at)
    with ledger.registry.read() as door:
        states = [result.state for place in aside for _, result in door.results(*place, place[1])]
    return states.count("waiting")


def _again(ledger: Ledger, places_: list[Place], records: dict[Place, bytes], at: int) -> None:
    registry, key = ledger.registry, (*places_[0], RETRY)
    died = registry.attempt(*key)
    try:
        if died:
            return
        with registry.write() as door:
            for place in places_:
                door.let_try(*place)
            waiting = [(records[place], *place) for place in places_ if place in records]
            if waiting:  # what is parked is tried when somebody releases its case
                ledger.judge_again(door, waiting, at, wakes=False)
            door.attempted(*key)
    except Exception as error:
        log_lines.error("retry_failed", log=key[0].hex(), seq=key[1], at=places(error))
    finally:
        registry.attempted(*key)
