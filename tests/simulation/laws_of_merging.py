"""Laws about what becomes of values, checked by reckonings of their own.

Nothing here uses merge or judge: what was allowed is worked out again from the entries, the
decisions and the screens, in the plainest way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from models.changes import Change, own_of
from models.services import catalogue
from sync.intake import whole
from sync.logs import Entry
from sync.pull import village_of
from sync.state import (
    ELEMENT,
    REASON_PREFIX,
    STATUS_UNIT,
    Agreed,
    Closed,
    Created,
    Decision,
    Held,
    Ignored,
    Moved,
    Opened,
    Parked,
    Placed,
    Proposed,
    Record,
    State,
    Wrote,
)
from tests.simulation.books import body_of, change_of
from tests.simulation.road import Broken
from tests.simulation.world import World, same

BLOCK = 40

Origin = tuple[bytes, int, bytes]


def need(holds: bool, law: str, text: str) -> None:
    """Complain when a law does not hold."""
    if not holds:
        raise Broken(f"law {law}: {text}")


def seen_here(world: World, seen: int) -> int:
    """What an author saw of this history: a number of a block that a restore ended counts as far
    as the backup went, one of a block that is not here as nothing."""
    start = 0
    for branch in [b for b, _ in world.registry.tables["branches"].values()]:
        if seen >> BLOCK == start >> BLOCK:
            return min(seen, branch.number)
        start = branch.base
    return seen if seen >> BLOCK == start >> BLOCK else 0


def author_of(effect: Any, decision: Decision) -> tuple[bytes, int]:
    """Whose words an effect is made of."""
    return effect.author or (decision.log, decision.first)


class Maker(msgspec.Struct):
    """The last write of a unit: its number, who made or corroborated it, and the value."""

    number: int
    makers: list[tuple[bytes, int]]
    value: Any


class Knowledge:
    """Walks through the decisions and knows the last write of every unit before each effect."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.last: dict[tuple[bytes, str], Maker] = {}
        self.moved: dict[bytes, int] = {}
        self.villages: dict[bytes, str] = {}

    def covered(self, decision: Decision, effect: Any) -> bool:
        """Had the author seen the last write of the unit, or made it?"""
        before = self.last.get((effect.record, effect.unit))
        if before is None:
            return True
        log, seq = author_of(effect, decision)
        change = change_of(self.world.registry.tables["entries"][log, seq].data)
        own = own_of(seq, change)
        seen = seen_here(self.world, change.seen)
        if before.number <= (seen if seen < decision.server_seq else 0):
            return True
        first = seq - change.i
        if own < 0:  # drawn in the log before this one
            device = self.world.registry.tables["logs"][log].device
            logs = self.world.registry.tables["logs"]
            return any(logs[k].device == device and n <= -own - 1 for k, n in before.makers)
        return any(k == log and (n <= own or first <= n <= seq) for k, n in before.makers)

    def note(self, decision: Decision, effect: Any) -> None:
        """Take an effect in, after it was looked at."""
        if isinstance(effect, Agreed) and (effect.record, effect.unit) in self.last:
            self.last[effect.record, effect.unit].makers.append(author_of(effect, decision))
        if isinstance(effect, Wrote):
            makers = [author_of(effect, decision)]
            key = (effect.record, effect.unit)
            self.last[key] = Maker(decision.server_seq, makers, effect.value)
        if isinstance(effect, Created):
            self.villages[effect.record] = village_of(effect, decision)
        if isinstance(effect, Placed):
            self.moved[effect.record] = decision.server_seq
            self.villages[effect.record] = effect.village
        if isinstance(effect, Moved):
            makers = [author_of(effect, decision)]
            self.last[effect.record, STATUS_UNIT] = Maker(
                decision.server_seq, makers, effect.target
            )


def values_are_safe(world: World, decisions: list[Decision]) -> None:
    """8, 10, 16: a laptop's write to a protected unit covers the last write of it; who writes over
    a free value unseen leaves it findable; and nothing is held without a reason."""
    state, knowledge = State(), Knowledge(world)
    for decision in decisions:
        choosing = any(isinstance(e, Closed) for e in decision.effects)
        for effect in decision.effects:
            if isinstance(effect, Wrote) and not choosing:
                _written(world, decision, effect, state, knowledge)
            if isinstance(effect, Held) and not choosing:
                _held(world, decision, effect, state, knowledge)
            knowledge.note(decision, effect)
            state.apply(effect, decision)


def _written(
    world: World, decision: Decision, effect: Wrote, state: State, knowledge: Knowledge
) -> None:
    log, _ = author_of(effect, decision)
    before = knowledge.last.get((effect.record, effect.unit))
    if before is None or log == world.name:
        return
    covered = knowledge.covered(decision, effect)
    if _protected(state, effect):
        world.laws["8"] += 1
        need(covered, "8", f"decision {decision.server_seq} wrote over an unseen protected value")
    elif not covered and ELEMENT not in effect.unit and not same(before.value, effect.value):
        world.laws["10"] += 1
        kept = effect.lost is not None and same(effect.lost.value, before.value)
        need(kept, "10", f"{decision.server_seq} {effect.unit}: the loser is gone")


def _protected(state: State, effect: Any) -> bool:
    record = state.records.get(effect.record)
    if record is None or effect.unit.startswith(REASON_PREFIX) or ELEMENT in effect.unit:
        return False
    return (
        catalogue().service(record.service, record.edition).unit(effect.unit).guard == "protected"
    )


def _held(
    world: World, decision: Decision, effect: Held, state: State, knowledge: Knowledge
) -> None:
    """A value that a laptop in its right offered, on what it had seen, is not put before a person
    (law 16: a scope that changed since is no reason)."""
    log, seq = author_of(effect, decision)
    record = state.records.get(effect.record)
    plain = effect.unit != STATUS_UNIT and ELEMENT not in effect.unit
    entry = world.registry.tables["entries"][log, seq]
    if entry.digest not in world.rightful or record is None or not plain:
        return
    world.laws["16"] += 1
    change = change_of(entry.data)
    over = record.status in ("cancelled", "rejected", "closed", "merged", "handed_over")
    case = state.cases.get(effect.case)
    joined = case is not None and case.opened < decision.server_seq
    verified = record.verified > seen_here(world, change.seen)
    covered = knowledge.covered(decision, effect)
    # A request that went to another village since is not this laptop's to write any more.
    verified = verified or knowledge.moved.get(effect.record, 0) > seen_here(world, change.seen)
    # Nor does anybody know what a decision that a restore took back had made of it.
    verified = verified or seen_here(world, change.seen) < change.seen
    # Nor, after a restore, that a village was this laptop's.
    tables = world.registry.tables
    device = tables["logs"][log].device
    reach = tables["reach"].get(device, frozenset())
    foreign = record.device != device and knowledge.villages.get(effect.record) not in reach
    verified = verified or (bool(tables["branches"]) and foreign)
    good = over or joined or verified or not covered or bool(case and case.offers)
    need(good, "16", f"{decision.server_seq} {effect.unit}: held for no reason")


def groups_whole(world: World, decisions: list[Decision]) -> None:
    """9: the value of a group is one that somebody entered as a whole."""
    entered: dict[str, list[Any]] = {}
    for (_, number), entry in world.registry.tables["entries"].items():
        if number:
            for unit, value in _values_in(entry):
                entered.setdefault(unit, []).append(value)
    for record in world.registry.tables["records"].values():
        for unit, write in record.units.items():
            if isinstance(write.value, dict) and unit != STATUS_UNIT and ELEMENT not in unit:
                world.laws["9"] += 1
                known = write.value in entered.get(unit, ()) or write.value in entered.get("*", ())
                need(known, "9", f"{unit} was never entered as a whole")


def _values_in(entry: Entry) -> Iterator[tuple[str, Any]]:
    body = body_of(entry)
    if body is not None:
        yield from body.set.items()
        return
    try:
        change = change_of(entry.data)
    except msgspec.DecodeError:
        return
    if change.kind == "resolve":
        yield "*", msgspec.msgpack.decode(change.body).get("value")


def loser_kept(world: World, decisions: list[Decision]) -> None:
    """10: every submitted value is found again in the effects, with its author; 2: what an author
    made again in another log counts in one of them only."""
    entries = world.registry.tables["entries"]
    counted: dict[Origin, set[tuple[bytes, int]]] = {}
    found: set[tuple[Origin, str]] = set()
    parked: set[Origin] = set()
    for decision in decisions:
        for effect in decision.effects:
            if isinstance(effect, (Wrote, Held, Agreed)):
                author = author_of(effect, decision)
                found.add((_first_made(entries, *author), effect.unit))
                counted.setdefault(_first_made(entries, *author), set()).add(author)
            elif isinstance(effect, Ignored):
                found.add((_first_made(entries, decision.log, decision.first), effect.unit))
            elif isinstance(effect, Parked):
                parked.add(_first_made(entries, effect.log, effect.seq))
            if isinstance(effect, Wrote) and effect.lost is not None:
                world.laws["10"] += 1
                lost = (effect.lost.log, effect.lost.seq)
                need(lost in entries, "10", "the loser's entry is gone")
    for place, places in counted.items():
        world.laws["2"] += place[:2] not in places
        need(len(places) == 1, "2", f"{place[1]} was made again, and counted {len(places)} times")
    results = world.registry.tables["results"]
    waiting = {_first_made(entries, *k) for k, r in results.items() if r.state == "waiting"}
    for (log, seq), result in results.items():
        body = body_of(entries[log, seq])
        if body is None or result.state in ("refused", "waiting"):
            continue
        if _first_made(entries, log, seq) in waiting | parked:
            continue
        for unit in body.set:
            world.laws["10"] += 1
            made = (_first_made(entries, log, seq), unit)
            need(made in found, "10", f"{seq} {unit} disappeared")


def _first_made(entries: dict[Any, Entry], log: bytes, seq: int) -> Origin:
    """Where a change was made first, named as origins are: of two branches each has its own."""
    entry = entries[log, seq]
    return change_of(entry.data).origin or (log, seq, entry.digest[:8])


def originals(world: World) -> Iterator[Change]:
    """Every stored change of every log."""
    for (_, seq), entry in world.registry.tables["entries"].items():
        if seq:
            try:
                yield change_of(entry.data)
            except msgspec.DecodeError:
                continue


def fold_is_state(world: World, decisions: list[Decision]) -> None:
    """11: the records are the fold of the effects; the counter has no gap but those of restores."""
    state = State()
    bases = {b.number: base for base, (b, _) in world.registry.tables["branches"].items()}
    before = 0
    for decision in decisions:
        expected = {before + 1, bases.get(before, before) + 1}
        need(decision.server_seq in expected, "11", f"after {before} {decision.server_seq}")
        before = decision.server_seq
        state.fold(decision)
    stored: dict[bytes, Record] = world.registry.tables["records"]
    need(set(stored) == set(state.records), "11", "other records than the fold")
    for name, record in stored.items():
        world.laws["11"] += 1
        need(record == state.records[name], "11", f"record {name.hex()[:8]} is not the fold")


def two_people(world: World, decisions: list[Decision]) -> None:
    """8: where a protected unit was decided, one person proposed and another approved."""
    protected: set[bytes] = set()
    for decision in decisions:
        for effect in decision.effects:
            if isinstance(effect, Opened) and effect.protected:
                protected.add(effect.case)
            if isinstance(effect, Closed) and effect.case in protected:
                world.laws["8"] += 1
                people = effect.by.split(" + ")
                need(len(set(people)) == 2, "8", f"a protected unit was decided by {effect.by}")


def choices_not_stale(world: World, decisions: list[Decision]) -> None:
    """31: a person's choice counts for the case as it was shown, not as it became since."""
    moved: dict[bytes, int] = {}
    for decision in decisions:
        chosen = [e for e in decision.effects if isinstance(e, (Closed, Proposed))]
        if chosen and decision.log == world.name:
            entry = world.registry.tables["entries"][world.name, decision.first]
            seen = change_of(entry.data).seen
            for choice in chosen:
                world.laws["31"] += 1
                need(moved.get(choice.case, 0) <= seen, "31", "a case was decided unseen")
        for effect in decision.effects:
            if isinstance(effect, (Opened, Held, Parked, Proposed)):
                moved[effect.case] = decision.server_seq


def refused_for_a_reason(world: World, decisions: list[Decision]) -> None:
    """1: only what is malformed is refused, with the transaction it stands in."""
    results = world.registry.tables["results"]
    for log, entries in logs_of(world).items():
        for group in whole(entries):
            if results[log, group[0][0].seq].state != "refused":
                continue
            world.laws["1"] += 1
            bad = [e for e, c in group if c is None or (c.kind == "create" and not body_of(e))]
            need(bool(bad), "1", f"{group[0][0].seq} was refused for nothing")


def logs_of(world: World) -> dict[bytes, list[Entry]]:
    """Stored entries of every laptop's log, in order."""
    found: dict[bytes, list[Entry]] = {}
    for (log, seq), entry in sorted(world.registry.tables["entries"].items()):
        if seq and log != world.name:
            found.setdefault(log, []).append(entry)
    return found
