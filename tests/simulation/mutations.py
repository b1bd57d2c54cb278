"""Faults to be planted in production code, each of which some check has to notice.

`worlds` plays a few worlds and checks every law; the other checks are the named laws that need a
real store. A fault that nobody notices makes `scripts/mutate.py` and its test fail.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import msgspec

from field_client.desk import Wanted
from field_client.vault.attached import add_file
from models.changes import decode_change
from server.arrivals import Arrivals, Limits
from server.database.files import Blob
from sync import bundle
from sync.exchange import Absorbed, Position, rewound
from sync.lineage import clamp
from sync.messages import BlobState, Branch, Checkpoint, Chunk, Cursor, Reply, Return
from sync.transfer import manifest_of
from tests.field import example, laptop
from tests.simulation.laws import check, outcomes
from tests.simulation.planting import Mutation
from tests.simulation.road import Broken
from tests.simulation.world import STEADY, World
from tests.vaults import new_store

SEEDS = (1, 5, 3, 2, 6, 9)


def worlds(*seeds: int, vans: int = 4, changes: int = 25, **mix: float) -> None:
    """Worlds in which every law holds. mix: probabilities of faults that are other than usual."""
    for seed in seeds or SEEDS:
        world = World(seed, vans, changes, mix=mix, sealed=False)
        world.run()
        check(world)


def torn_files() -> None:
    """Law 20: what lies torn on the disk is not a file, whatever was in memory."""
    kept: dict[int, bytes] = {}

    class Torn:
        def put(self, blob: bytes, size: int, chunks: Any) -> None:
            kept.update({index: chunk[:-1] for index, chunk in chunks})

        def read(self, blob: bytes, size: int) -> Any:
            yield from (None for _ in kept)

        def present(self, blob: bytes, size: int) -> set[int]:
            return set()

        def parts(self, blob: bytes, size: int) -> list[Any]:
            return []

    data = b"kertas" * 500
    manifest = manifest_of(data)
    arrivals = Arrivals(cast(Any, None), cast(Any, Torn()), Limits(1 << 30, 1 << 30))
    blob = Blob(manifest.blob, manifest.size, manifest.hashes, None, 0)
    if arrivals._take_chunks(blob, [Chunk(manifest.blob, 0, data)]):
        raise Broken("law 20: called whole, and torn on the disk")


def lost_history() -> None:
    """Law 26: what was seen in a history that a restore ended counts as far as the backup went."""
    branch = Branch(b"n" * 16, b"o" * 16, 60, b"h" * 8, 7 << 40)
    found = [clamp(seen, (branch,)) for seen in (40, 70, (7 << 40) + 3, 5 << 40)]
    if found != [40, 60, (7 << 40) + 3, 0]:
        raise Broken(f"law 26: seen {found}")


def lost_proofs() -> None:
    """Law 26: where a restored central holds what is not ours, nothing counts as delivered."""
    log, head = b"l" * 16, b"h" * 32
    here = Position(log, 9, head, 9, Cursor(b"o" * 16, 70, b""), 1)
    proof = Checkpoint(log, 12, b"x" * 32, b"n" * 16, 7 << 40, b"", 0, 1)
    reply = Reply(b"r" * 16, proof, [], None, [], 0, Cursor(b"n" * 16, 60), True)
    step = rewound(here, lambda seq: head if seq <= 9 else None, reply)
    if step.stored:
        raise Broken(f"law 26: {step.stored} entries of a lost history count as delivered")


def late_bundle() -> None:
    """Law 12: a bundle that tells of what came after a gap does nothing."""
    log, here = b"l" * 16, Cursor(b"i" * 16, 5, b"")
    position = Position(log, 0, b"h" * 32, 0, here, 1)
    told = Return(b"b" * 8, log, 1, 0, Cursor(b"i" * 16, 9), Cursor(b"i" * 16, 12), 1)
    verdict = bundle.judge(position, lambda _: b"h" * 32, None, told, [None], [])
    if verdict.state != "gap":
        raise Broken(f"law 12: a bundle beyond the cursor is {verdict.state}")


def kept_until_durable() -> None:
    """Law 20: a copy leaves the laptop when a backup has it, not when central has."""
    with TemporaryDirectory() as folder, closing(new_store(Path(folder))) as store:
        manifest = manifest_of(b"kertas" * 500)
        with store.engine.writing() as connection:
            add_file(connection, manifest, 3, b"r" * 16, "")
        state = BlobState(manifest.blob, [], known=True, verified=True, at=40)
        proof = Checkpoint(b"l" * 16, 1, b"h" * 32, b"i" * 16, 50, b"", 40, 1000)
        store.attached.hear([state], proof)
        if store.attached.may_go(proof, 0):
            raise Broken("law 20: a file may go that no backup has")
        later = msgspec.structs.replace(proof, durable_seq=41)
        if store.attached.may_go(later, 0) != [manifest.blob]:
            raise Broken("law 20: a file that a backup has may not go")


def shown_then() -> None:
    """Law 31: a pull behind the screen does not move what its author saw."""
    with TemporaryDirectory() as folder, closing(laptop(Path(folder))) as house:
        desk, store = house.desk, house.store
        row = example("ktp-new-enrolment")
        wanted = Wanted(row["service"], row["answers"], row["documents"], row["reasons"])
        (taken,) = desk.submit(desk.prepare(wanted))
        page = desk.open(taken.record)
        store.apply(Absorbed((), Cursor(b"i" * 16, 40, b"")))
        desk.edit(page, {"applicant.phone": "081234567890"})
        (entry,) = store.pending(store.log().seq - 1)
        seen = decode_change(entry.data).seen
        if seen != page.shown.seen:
            raise Broken(f"law 31: shown {page.shown.seen}, said to have seen {seen}")


def other_clocks() -> None:
    """Law 25: the same worlds under other clocks have the same outcomes."""
    for seed in SEEDS[:3]:
        world, twin = (World(seed, 4, 20, clocks=c, mix=STEADY, sealed=False) for c in (0, 1))
        world.run()
        twin.run()
        if outcomes(world) != outcomes(twin):
            raise Broken("law 25: other clocks, other outcomes")


COPIES = partial(worlds, 1, 5, 2, clone=0.15)
RESTORES = partial(worlds, 0, 4, 8, 12, restore=0.3, backup=0.9)
WITHDRAWN = partial(worlds, 1, 3, 5, lost=0.0, suspended=0.5, resumed=0.3)
WAITING = partial(worlds, 1, 3, 10, killer_waits=0.3)
SCOPES = partial(worlds, 1, 2, 3, scope_changed=0.5, village_lent=0.2)


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
                "            return self.ledger.store(name, request.batch, at, note)\n",
                "            try:\n"
                "                return self.ledger.store(name, request.batch, at, note)\n"
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
        "seen = min(seen, most) if seen <= known.server_seq else 0",
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
        partial(worlds, 1, 3, 5, 6, same_person=0.9),
    ),
    _one(
        "a choice counts whatever its author saw",
        "31",
        "sync/cases.py",
        " or case.changed > author.seen:",
        ":",
        partial(worlds, 1, 2, 5, stale_decision=0.8),
    ),
    _one(
        "who lost sight of a request hears nothing of it",
        "27",
        "sync/pull.py",
        "return effect if author(effect, decision)[0] in own_logs else None",
        "return None",
    ),
    _one(
        "entries are compared by number, not by what they say",
        "5",
        "sync/intake.py",
        "if result.fork or (known is not None and known.digest != entry.digest):",
        "if result.fork:",
        COPIES,
    ),
    _one(
        "what was made again is made again once more",
        "5",
        "field_client/succession.py",
        "left = [change for change in fresh if change.origin not in done]",
        "left = fresh",
        COPIES,
    ),
    _one(
        "what waits is overtaken",
        "17",
        "sync/intake.py",
        "    return any(by == log.id and seq < first for by, seq in queue)",
        "    return False",
        partial(worlds, 1, 2, 3, 5, poison_unknown=0.3),
    ),
    _one(
        "what waits is held up by what comes after it",
        "1",
        "sync/intake.py",
        "by == log.id and seq < first for",
        "by == log.id for",
        WAITING,
    ),
    _one(
        "who brings a request answers for what waited for it",
        "1",
        "server/ledger.py",
        '                decisions += self._take(door, log, fresh, at, poisoned, scope == "batch")',
        "                decisions += self._take(door, log, fresh, at, poisoned, True)",
        WAITING,
    ),
    _one(
        "a number is used again after a restore",
        "11",
        "sync/lineage.py",
        "return ((server_seq >> BLOCK_BITS) + 1 + chance) << BLOCK_BITS",
        "return server_seq",
        RESTORES,
    ),
    _one(
        "what was seen in a lost history counts in the new one",
        "8",
        "sync/lineage.py",
        "            return min(seen, end)\n    return 0\n",
        "            return seen\n    return seen\n",
        lost_history,
    ),
    _one(
        "proofs of a lost history stay good",
        "26",
        "sync/exchange.py",
        "    if head is None or head_at(said.seq) != said.head:\n"
        "        seq, head = 0, head_at(0)\n",
        "    seq, head = here.stored, here.stored_head\n",
        lost_proofs,
    ),
    _one(
        "an order is believed without central's signature",
        "32",
        "field_client/envelopes.py",
        '_, payload = seal.verify(token, self.central.sign_key, "order", self._to_us)',
        "payload = seal.payload_of(token)",
        partial(worlds, 1, 2, forged_order=0.6),
    ),
    _one(
        "a chunk is taken without its hash",
        "20",
        "sync/transfer.py",
        "    return hashlib.sha256(data).digest() == chunk_hash(manifest, index)",
        "    return True",
        partial(worlds, 1, 2, 3, file_piece_damaged=0.4),
    ),
    _one(
        "a file is called whole before it was read back from the disk",
        "20",
        "server/arrivals.py",
        "            return arrival.complete and self._verify(blob)",
        "            return arrival.complete",
        partial(torn_files),
    ),
    _one(
        "other people's requests leave central",
        "15",
        "sync/pull.py",
        "    return effect if effect.record and visible(effect.record) else None",
        "    return effect",
    ),
    _one(
        "a lost laptop writes on",
        "23",
        "sync/intake.py",
        "if log.limit is not None and entry.seq > log.limit:",
        "if False:",
        WITHDRAWN,
    ),
    _one(
        "two requests share a tracking code",
        "30",
        "sync/judge.py",
        "taken = judge.codes.get(code, judge.known.codes.get(code, name)) != name",
        "taken = False",
        partial(worlds, 3, 6, code_again=0.2),
    ),
    _one(
        "a bundle that begins after what was read is taken in",
        "12",
        "sync/bundle.py",
        "    if told.start.server_seq > here.server_seq:\n",
        "    if False:\n",
        late_bundle,
    ),
    _one(
        "a new village is not filled",
        "12",
        "server/telling.py",
        "    if sight is None or sight.scope != scope.number:\n"
        "        return found, False\n    budget",
        "    if True:\n        return found, False\n    budget",
        SCOPES,
    ),
    _one(
        "a file goes before its backup",
        "20",
        "field_client/vault/attached.py",
        '" and f.covered < ? and f.verified_at <= ?"',
        '" and f.covered > -1 - ? and f.verified_at <= ?"',
        kept_until_durable,
    ),
    _one(
        "what is seen is taken when it is saved",
        "31",
        "field_client/desk.py",
        "self.grant(), page.shown.seen, own, raw(body),",
        "self.grant(), self.store.shown().seen, own, raw(body),",
        shown_then,
    ),
]
