"""The laws of the protocol that a world in memory can break, each checked by its own reckoning.

Nothing here uses merge or judge: what was allowed is worked out again from the entries, the
decisions and the screens, in the plainest way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from models.changes import decode_change, own_of, record_of
from models.problems import Problem
from models.services import catalogue
from sync import messages, wire
from sync.intake import whole
from sync.logs import Entry, broken_at
from sync.messages import Request
from sync.state import (
    ELEMENT,
    OUTCOMES,
    REASON_PREFIX,
    STATUS_UNIT,
    Agreed,
    Closed,
    Decision,
    Held,
    Ignored,
    Opened,
    Outcome,
    Parked,
    Proposed,
    Record,
    State,
    Wrote,
)
from tests.simulation.laptop import Laptop, body_of
from tests.simulation.memory import MemoryDoor
from tests.simulation.world import Broken, World, same

LAWS = ("1", "2", "3", "4", "7", "8", "9", "10", "11", "12", "14", "17", "25", "27", "31", "32")


def check(world: World) -> None:
    """Every law on a world at rest; the first that does not hold raises Broken."""
    decisions = list(_decisions(world))
    for law in (
        no_loss,
        prefix,
        transactions_whole,
        protected_safe,
        groups_whole,
        loser_kept,
        fold_is_state,
        poison_contained,
        visible_to_authors,
        screen_not_passed,
        two_people,
        choices_not_stale,
        unseen_free_values,
        refused_for_a_reason,
        proofs_hold,
        snapshots_whole,
        no_double_effect,
    ):
        law(world, decisions)


def _decisions(world: World) -> Iterator[Decision]:
    stored = world.registry.tables["decisions"]
    for number in sorted(stored):
        yield msgspec.msgpack.decode(stored[number][0], type=Decision)


def _entries(world: World) -> Iterator[tuple[Laptop, Entry]]:
    for laptop in world.laptops:
        for entry in laptop.entries:
            yield laptop, entry


def need(holds: bool, law: str, text: str) -> None:
    """Complain when a law does not hold."""
    if not holds:
        raise Broken(f"law {law}: {text}")


def no_loss(world: World, decisions: list[Decision]) -> None:
    """1: each committed change is stored as written and has exactly one outcome."""
    results = world.registry.tables["results"]
    stored = world.registry.tables["entries"]
    for laptop, entry in _entries(world):
        key = (laptop.log, entry.seq)
        world.laws["1"] += 1
        need(key in stored and stored[key].data == entry.data, "1", f"{entry.seq} is lost")
        need(key in results and results[key].state in OUTCOMES, "1", f"{entry.seq} has no outcome")
        state = results[key].state
        change = decode_change(entry.data)
        if state == "waiting":
            strange = change.kind == "prophecy" or entry.data in world.registry.killers
            behind = bool(_waits_behind(world, laptop, entry))
            need(strange or behind, "1", f"{entry.seq} waits for nothing")
        need(state != "held", "1", f"{entry.seq} is held though all cases are closed")
        told = laptop.told.get(entry.seq)
        if state == "waiting" and told is None:
            continue
        need(
            told is not None and told.state == state,
            "1",
            f"{entry.seq} was told {told}, is {state}",
        )


def _waits_behind(world: World, laptop: Laptop, entry: Entry) -> list[Any]:
    change = decode_change(entry.data)
    name = record_of(laptop.log, entry.seq, change, entry.data)
    group = [
        c for g in whole(laptop.entries) if any(e.seq == entry.seq for e, _ in g) for _, c in g
    ]
    names = {name, *(c.record for c in group if c is not None)}
    waiting = world.registry.tables["waiting"]
    killed = [e for e in laptop.entries if e.data in world.registry.killers]
    near = [k for g in whole(laptop.entries) for k, _ in g if k in killed]
    return [n for n in names if waiting.get(n)] or near


def prefix(world: World, decisions: list[Decision]) -> None:
    """4: logs are gap-free, their chain verifies, a changed byte is found at its number."""
    for laptop in world.laptops:
        stored = [world.registry.tables["entries"][laptop.log, e.seq] for e in laptop.entries]
        world.laws["4"] += 1
        need(broken_at(laptop.log, laptop.opening_head, stored) is None, "4", "chain broken")
        log = world.registry.tables["logs"][laptop.log]
        need((log.seq, log.head) == (laptop.last, laptop.head), "4", "prefix ends elsewhere")
        at = world.rng.randrange(len(stored))
        data = bytearray(stored[at].data)
        data[world.rng.randrange(len(data))] ^= 1 << world.rng.randrange(8)
        forged = [*stored[:at], Entry(at + 1, bytes(data), stored[at].head), *stored[at + 1 :]]
        found = broken_at(laptop.log, laptop.opening_head, forged)
        need(found == at + 1, "4", f"byte changed at {at + 1}, found at {found}")


def transactions_whole(world: World, decisions: list[Decision]) -> None:
    """7: a transaction is decided in one decision, and seen whole by every laptop."""
    results = world.registry.tables["results"]
    for laptop in world.laptops:
        for group in whole(laptop.entries):
            if len(group) < 2:
                continue
            world.laws["7"] += 1
            states = {results[laptop.log, e.seq].state for e, _ in group}
            apart = states & {"refused", "waiting"}
            need(not apart or len(states) == 1, "7", f"half decided: {states}")
            made = [record_of(laptop.log, e.seq, c, e.data) for e, c in group if c is not None]
            for reader in world.laptops:
                _shown_whole(world, reader, made)


def _shown_whole(world: World, reader: Laptop, made: list[bytes]) -> None:
    door = world.registry.read()
    with door as central:
        visible = central.visible(central.scope(reader.device), made)
    here = {name for name in visible if name in reader.snapshot.records}
    need(here in (set(), visible), "7", f"laptop {reader.number} sees half a family")


def protected_safe(world: World, decisions: list[Decision]) -> None:
    """8: a laptop's write to a protected unit covers the last write of it."""
    last: dict[tuple[bytes, str], list[tuple[int, bytes, int]]] = {}
    state = State()
    for decision in decisions:
        closing = any(isinstance(e, Closed) for e in decision.effects)
        for effect in decision.effects:
            if isinstance(effect, Agreed):
                log, seq = effect.author or (decision.log, decision.first)
                last.setdefault((effect.record, effect.unit), []).append((0, log, seq))
            if not isinstance(effect, Wrote):
                continue
            log, seq = effect.author or (decision.log, decision.first)
            before = last.get((effect.record, effect.unit))
            if before and log != world.name and not closing and _protected(state, effect):
                world.laws["8"] += 1
                _covers(world, decision, before, log, seq)
            last[effect.record, effect.unit] = [(decision.server_seq, log, seq)]
        state.fold(decision)


def _protected(state: State, effect: Wrote) -> bool:
    record = state.records.get(effect.record)
    if record is None or effect.unit.startswith(REASON_PREFIX) or ELEMENT in effect.unit:
        return False
    return (
        catalogue().service(record.service, record.edition).unit(effect.unit).guard == "protected"
    )


def _covers(
    world: World, decision: Decision, before: list[tuple[int, bytes, int]], log: bytes, seq: int
) -> None:
    change = decode_change(world.registry.tables["entries"][log, seq].data)
    own = own_of(seq, change)
    written = before[0][0]
    known = written <= change.seen or any(
        maker == log and (number <= own or number >= decision.first) for _, maker, number in before
    )
    need(known, "8", f"decision {decision.server_seq} wrote over an unseen protected value")


def groups_whole(world: World, decisions: list[Decision]) -> None:
    """9: the value of a group is one that somebody entered as a whole."""
    entered: dict[str, list[Any]] = {}
    for laptop in (*world.laptops, None):
        log = laptop.log if laptop is not None else world.name
        entries = [
            e for (name, n), e in world.registry.tables["entries"].items() if name == log and n
        ]
        for entry in entries:
            for unit, value in _values_in(entry):
                entered.setdefault(unit, []).append(value)
    for record in world.registry.tables["records"].values():
        for unit, write in record.units.items():
            if isinstance(write.value, dict) and unit != STATUS_UNIT:
                world.laws["9"] += 1
                known = any(same(write.value, v) for v in entered.get(unit, []))
                known = known or any(same(write.value, v) for v in entered.get("*", []))
                need(known, "9", f"{unit} was never entered as a whole")


def _values_in(entry: Entry) -> Iterator[tuple[str, Any]]:
    body = body_of(entry)
    if body is not None:
        yield from body.set.items()
        return
    change = decode_change(entry.data)
    if change.kind == "resolve":
        yield "*", msgspec.msgpack.decode(change.body).get("value")


def loser_kept(world: World, decisions: list[Decision]) -> None:
    """10: every submitted value is found again in the effects, with its author."""
    found: set[tuple[bytes, int, str]] = set()
    for decision in decisions:
        for effect in decision.effects:
            if isinstance(effect, (Wrote, Held, Agreed)):
                log, seq = effect.author or (decision.log, decision.first)
                found.add((log, seq, effect.unit))
            elif isinstance(effect, Ignored):
                found.add((decision.log, decision.first, effect.unit))
            if isinstance(effect, Wrote) and effect.lost is not None:
                world.laws["10"] += 1
                lost = effect.lost
                stored = world.registry.tables["entries"].get((lost.log, lost.seq))
                need(stored is not None, "10", "the loser's entry is gone")
    results = world.registry.tables["results"]
    for laptop, entry in _entries(world):
        result = results[laptop.log, entry.seq]
        body = body_of(entry)
        if body is None or result.state in ("refused", "waiting"):
            continue
        for unit in body.set:
            world.laws["10"] += 1
            need((laptop.log, entry.seq, unit) in found, "10", f"{entry.seq} {unit} disappeared")


def fold_is_state(world: World, decisions: list[Decision]) -> None:
    """11: the records are the fold of the effects; the counter has no gap."""
    state = State()
    for number, decision in enumerate(decisions, 1):
        need(decision.server_seq == number, "11", f"number {number} is missing")
        state.fold(decision)
    stored: dict[bytes, Record] = world.registry.tables["records"]
    need(set(stored) == set(state.records), "11", "other records than the fold")
    for name, record in stored.items():
        world.laws["11"] += 1
        folded = state.records[name]
        fields = record.__struct_fields__
        other = [f for f in fields if not same(getattr(record, f), getattr(folded, f))]
        need(not other, "11", f"record {name.hex()[:8]} is not the fold in {other}")


def poison_contained(world: World, decisions: list[Decision]) -> None:
    """17: behind a bad transaction, what does not depend on it is decided."""
    results = world.registry.tables["results"]
    for laptop in world.laptops:
        bad: set[bytes] = set()
        behind = False
        for group in whole(laptop.entries):
            states = {results[laptop.log, e.seq].state for e, _ in group}
            names = {record_of(laptop.log, e.seq, c, e.data) for e, c in group if c is not None}
            if states & {"refused", "waiting"}:
                bad |= names
                behind = True
            elif behind:
                world.laws["17"] += 1
        for group in whole(laptop.entries):
            first = group[0][0]
            if results[laptop.log, first.seq].state == "waiting":
                need(
                    bool(_waits_behind(world, laptop, first)) or _strange(world, group),
                    "17",
                    f"{first.seq} waits for nothing that is bad",
                )


def _strange(world: World, group: list[Any]) -> bool:
    """A kind nobody knows, or an entry that ends the process."""
    return any(
        e.data in world.registry.killers or (c is not None and c.kind == "prophecy")
        for e, c in group
    )


def visible_to_authors(world: World, decisions: list[Decision]) -> None:
    """27: who was held or overridden is told, and the case had an owner."""
    laptops = {laptop.log: laptop for laptop in world.laptops}
    cases = world.registry.tables["cases"]
    for decision in decisions:
        for effect in decision.effects:
            if isinstance(effect, Held):
                log, _ = effect.author or (decision.log, decision.first)
                world.laws["27"] += 1
                need(effect.case in cases, "27", "held without a case")
                if log in laptops:
                    _told(laptops[log], "held", effect.record, effect.unit, decision.server_seq)
            if isinstance(effect, Wrote) and effect.lost is not None and effect.lost.log in laptops:
                if any(isinstance(e, Closed) for e in decision.effects):
                    continue
                world.laws["27"] += 1
                author = (effect.author or (decision.log, decision.first))[0]
                kind = "replaced" if effect.lost.log == author else "overridden"
                _told(
                    laptops[effect.lost.log], kind, effect.record, effect.unit, decision.server_seq
                )


def _told(laptop: Laptop, kind: str, record: bytes, unit: str, number: int) -> None:
    told = [n for n in laptop.notices if n.server_seq == number and n.record == record]
    fits = [n for n in told if n.kind == kind and n.unit == unit]
    need(len(fits) == 1, "27", f"laptop {laptop.number}: {len(fits)} notices {kind} of {unit}")


def screen_not_passed(world: World, decisions: list[Decision]) -> None:
    """31: `seen` in an entry is what the screen showed, not what a pull brought behind it."""
    for laptop, entry in _entries(world):
        shown = world.shown.get((laptop.log, entry.seq))
        if shown is not None:
            world.laws["31"] += 1
            need(decode_change(entry.data).seen <= shown, "31", f"{entry.seq} saw too much")


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
        closed = [e for e in decision.effects if isinstance(e, (Closed, Proposed))]
        if closed and decision.log == world.name:
            entry = world.registry.tables["entries"][world.name, decision.first]
            for choice in closed:
                world.laws["31"] += 1
                seen = decode_change(entry.data).seen
                need(moved.get(choice.case, 0) <= seen, "31", "a case was decided unseen")
        for effect in decision.effects:
            if isinstance(effect, (Opened, Held, Parked, Proposed)):
                moved[effect.case] = decision.server_seq


def unseen_free_values(world: World, decisions: list[Decision]) -> None:
    """10: who writes over a value they had not seen leaves it findable in the effect."""
    last: dict[tuple[bytes, str], tuple[int, list[tuple[bytes, int]], Any]] = {}
    for decision in decisions:
        for effect in decision.effects:
            if isinstance(effect, Agreed) and (effect.record, effect.unit) in last:
                makers = last[effect.record, effect.unit][1]
                makers.append(effect.author or (decision.log, decision.first))
            if not isinstance(effect, Wrote):
                continue
            log, seq = effect.author or (decision.log, decision.first)
            number, makers, value = last.get((effect.record, effect.unit), (0, [], None))
            if makers and log != world.name and ELEMENT not in effect.unit:
                change = decode_change(world.registry.tables["entries"][log, seq].data)
                own = own_of(seq, change)
                mine = any(k == log and (n <= own or n >= decision.first) for k, n in makers)
                if number > change.seen and not mine and not same(value, effect.value):
                    world.laws["10"] += 1
                    kept = effect.lost is not None and same(effect.lost.value, value)
                    need(kept, "10", f"{decision.server_seq} {effect.unit}: the loser is gone")
            last[effect.record, effect.unit] = (decision.server_seq, [(log, seq)], effect.value)


def refused_for_a_reason(world: World, decisions: list[Decision]) -> None:
    """1: only what is malformed is refused, with the transaction it stands in."""
    results = world.registry.tables["results"]
    for laptop in world.laptops:
        for group in whole(laptop.entries):
            if results[laptop.log, group[0][0].seq].state != "refused":
                continue
            world.laws["1"] += 1
            bad = [e for e, c in group if c is None or (c.kind == "create" and not body_of(e))]
            need(bool(bad), "1", f"{group[0][0].seq} was refused for nothing")


def proofs_hold(world: World, decisions: list[Decision] | None = None) -> None:
    """3: what a checkpoint said is stored is stored, whatever crashed since."""
    for laptop in world.laptops:
        for proof in laptop.proofs[-1:]:
            world.laws["3"] += 1
            stored = world.registry.tables["entries"].get((laptop.log, proof.seq))
            good = stored is not None and stored.head == proof.head
            need(good, "3", f"entry {proof.seq} was proved and is not stored")


def snapshots_whole(world: World, decisions: list[Decision]) -> None:
    """12: a laptop at rest holds every request of its scope as central has it."""
    door = MemoryDoor(world.registry)
    for laptop in world.laptops:
        scope = door.scope(laptop.device)
        mine = door.visible(scope, world.registry.tables["records"])
        world.laws["12"] += 1
        need(laptop.cursor.server_seq == len(decisions), "12", "the cursor is not at the end")
        here = set(laptop.snapshot.records)
        need(here == mine, "12", f"laptop {laptop.number}: {len(mine - here)} requests unseen")
        for name in mine:
            record, other = world.registry.tables["records"][name], laptop.snapshot.records[name]
            agree = same(
                [record.status, record.units, record.disputes],
                [other.status, other.units, other.disputes],
            )
            need(agree, "12", f"laptop {laptop.number} holds another {name.hex()[:8]}")


def no_double_effect(world: World, decisions: list[Decision]) -> None:
    """2: delivering anything again changes nothing."""
    before = world.digest()
    records = msgspec.msgpack.encode(sorted(world.registry.tables["results"].items()))
    again = world.rng.sample(world.deliveries, k=min(30, len(world.deliveries)))
    for log, body in again:
        world.laws["2"] += 1
        try:
            (frame,) = wire.split_frames(body)
            payload = wire.unpack(frame, 0)
            request = messages.decode(payload, Request)
            world.reception.respond(log, request, messages.name_of(payload))
        except (Problem, ValueError):
            continue
    need(world.digest() == before, "2", "delivered again, decided again")
    after = msgspec.msgpack.encode(sorted(world.registry.tables["results"].items()))
    need(after == records, "2", "delivered again, another outcome")


def outcomes(world: World) -> list[tuple[int, int, str]]:
    """Who wrote which entry and what became of it, without ids: for comparing worlds (law 25)."""
    results = world.registry.tables["results"]
    numbers = {laptop.log: laptop.number for laptop in world.laptops}
    return sorted((numbers[k], seq, r.state) for (k, seq), r in results.items() if k in numbers)


__all__ = ["LAWS", "Outcome", "check", "outcomes"]
