"""Faults to be planted in production code, each of which some check has to notice.

`worlds` plays a few worlds and checks every law; the other checks are the named laws that need a
real store. A fault that nobody notices makes `scripts/mutate.py` and its test fail.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.simulation.laws import check, outcomes
from tests.simulation.planting import Mutation
from tests.simulation.world import Broken, World

SEEDS = 6


def worlds(seeds: int = SEEDS, vans: int = 5, changes: int = 30, **mix: float) -> None:
    """Worlds in which every law holds. mix: probabilities of faults that are other than usual."""
    for seed in range(seeds):
        world = World(seed, vans, changes, mix=mix)
        world.run()
        check(world)


def other_clocks() -> None:
    """Law 25: the same worlds under other clocks have the same outcomes."""
    for seed in range(SEEDS):
        world, twin = World(seed, 4, 20), World(seed, 4, 20, clocks=1)
        world.run()
        twin.run()
        check(world)
        if outcomes(world) != outcomes(twin):
            raise Broken("law 25: other clocks, other outcomes")


def _one(
    name: str, law: str, file: str, old: str, new: str, by: Callable[[], None] = worlds
) -> Mutation:
    return Mutation(name, law, ((file, old, new),), by)


MUTATIONS: list[Mutation] = [
    Mutation(
        "acknowledge before commit",
        "3",
        (
            (
                "server/reception.py",
                "            stored = self.ledger.store(name, request.batch, at, note)\n",
                "            try:\n"
                "                stored = self.ledger.store(name, request.batch, at, note)\n"
                "            except BaseException as error:\n"
                "                if type(error).__name__ != 'Killed':\n"
                "                    raise\n"
                "                self.registry.dead = False\n",
            ),
            (
                "server/reception.py",
                "        standing = door.standing()\n        not_ahead(request.cursor, standing)\n",
                "        if request.batch is not None and request.batch.first == log.seq + 1:\n"
                "            from sync.logs import chain\n"
                "            entries = request.batch.entries\n"
                "            for e in chain(log.id, log.seq + 1, log.head, entries):\n"
                "                log.seq, log.head = e.seq, e.head\n"
                "        standing = door.standing()\n        not_ahead(request.cursor, standing)\n",
            ),
        ),
        worlds,
    ),
    _one(
        "last writer wins on a protected unit",
        "8",
        "sync/merge.py",
        'return Override(write) if guard == "free" else Hold(b"", write)',
        "return Override(write)",
    ),
    _one(
        "the base is what central knows when the change comes",
        "8",
        "sync/judge.py",
        "seen = seen if seen <= known.server_seq else 0",
        "seen = known.server_seq",
    ),
    _one(
        "cursor past what did not come",
        "12",
        "sync/exchange.py",
        "if whole and (not pages or cursor.server_seq < reply.upper.server_seq):",
        "if not pages or cursor.server_seq < reply.upper.server_seq:",
    ),
    _one(
        "any reply is an answer",
        "32",
        "sync/exchange.py",
        "asked = self._asked.get(reply.request)\n"
        "        if asked is None or any(p.request != reply.request for p in pages):",
        "asked = self._asked.get(reply.request) or next(iter(self._asked.values()))\n"
        "        if False:",
    ),
    _one(
        "a group is patched, not written whole",
        "9",
        "sync/state.py",
        "        record.units[e.unit] = Write(e.value, log, seq, d.server_seq)\n",
        "        before = record.units.get(e.unit)\n"
        "        old = before.value if before and isinstance(before.value, dict) else {}\n"
        "        value = old | e.value if isinstance(e.value, dict) else e.value\n"
        "        record.units[e.unit] = Write(value, log, seq, d.server_seq)\n",
    ),
    _one(
        "nobody is told that their value waits",
        "27",
        "sync/notices.py",
        'return say("held", e.value, _standing(state, e.record, e.unit))',
        "return None",
    ),
    _one(
        "the loser is not kept",
        "10",
        "sync/judge.py",
        "judge.say(Wrote(name, unit, value, lost, mine))",
        "judge.say(Wrote(name, unit, value, None, mine))",
    ),
    _one(
        "the clock of a laptop is trusted",
        "25",
        "sync/judge.py",
        "    seen = clamp(change.seen, known.branches)\n",
        "    seen = clamp(change.seen, known.branches) if change.at % 4 else 0\n",
        other_clocks,
    ),
    _one(
        "what kills the worker is tried for ever",
        "33",
        "server/ledger.py",
        "poisoned = died >= ATTEMPTS_MAX",
        "poisoned = False",
    ),
    _one(
        "a family is judged one by one",
        "7",
        "sync/intake.py",
        "    for transaction in whole(entries):\n        last",
        "    for transaction in [[pair] for group in whole(entries) for pair in group]:\n"
        "        last",
    ),
    _one(
        "own work is not shown until it is decided",
        "14",
        "sync/view.py",
        "        shown.units[unit] = value\n        shown.unsent.add(unit)\n        if record",
        "        if record is None:\n            shown.units[unit] = value\n"
        "        shown.unsent.add(unit)\n        if record",
    ),
    _one(
        "one person decides what needs two",
        "8",
        "sync/cases.py",
        "if proposal.by == choice.by:",
        "if False:",
        partial(worlds, 3, same_person=0.9),
    ),
    _one(
        "a choice counts whatever its author saw",
        "31",
        "sync/cases.py",
        'if case.state == "closed" or case.changed > author.seen:',
        'if case.state == "closed":',
        partial(worlds, 3, stale_decision=0.8),
    ),
    _one(
        "who lost sight of a request hears nothing of it",
        "27",
        "sync/pull.py",
        "return effect if author(effect, decision)[0] in own_logs else None",
        "return None",
    ),
]
