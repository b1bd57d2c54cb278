"""The laws of the protocol that a world in memory can break, each checked by its own reckoning.

`check` looks at a world at rest; some laws are looked at while it runs (13 at every save, 15 at
answers that leave, 32 at answers that come). Where each law is checked: `docs/simulation.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec

from models.changes import record_of
from models.problems import Problem
from sync.digest import MODULUS, face, weight
from sync.intake import whole
from sync.logs import Entry, broken_at, opening_head
from sync.messages import Page
from sync.state import (
    OUTCOMES,
    Closed,
    Created,
    Decision,
    Held,
    Left,
    Opened,
    Outcome,
    Parked,
    Whole,
    Wrote,
)
from tests.simulation.books import Book, change_of
from tests.simulation.laptop import Laptop
from tests.simulation.laws_of_merging import (
    author_of,
    choices_not_stale,
    fold_is_state,
    groups_whole,
    logs_of,
    loser_kept,
    need,
    originals,
    refused_for_a_reason,
    two_people,
    values_are_safe,
)
from tests.simulation.memory import MemoryDoor
from tests.simulation.road import Broken
from tests.simulation.world import World, same

LAWS = (
    "1", "2", "3", "4", "5", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18",
    "20", "23", "24", "25", "26", "27", "30", "31", "32", "33",
)  # fmt: skip


def check(world: World) -> None:
    """Every law on a world at rest; the first that does not hold raises Broken."""
    decisions = list(_decisions(world))
    for law in (
        no_loss,
        prefix,
        forks,
        transactions_whole,
        values_are_safe,
        groups_whole,
        loser_kept,
        fold_is_state,
        poison_contained,
        visible_to_authors,
        screen_not_passed,
        two_people,
        choices_not_stale,
        refused_for_a_reason,
        proofs_hold,
        snapshots_whole,
        files_whole,
        revoked,
        restored_told,
        codes_unique,
        no_double_effect,
        goes_on,
    ):
        law(world, decisions)


def _decisions(world: World) -> Iterator[Decision]:
    stored = world.registry.tables["decisions"]
    for number in sorted(stored):
        yield world.registry.decision(stored[number][0])


def _books(world: World) -> Iterator[tuple[Laptop, Book]]:
    for laptop in world.laptops:
        for book in laptop.books:
            yield laptop, book


def known_here(world: World, laptop: Laptop, book: Book) -> bool:
    """Is this log let in at central? Of a lost laptop no new one is."""
    return book.id in world.registry.tables["logs"]


def no_loss(world: World, decisions: list[Decision]) -> None:
    """1: each committed change is stored as written and has exactly one outcome, told to its
    author; what a later log made again is there as that."""
    results = world.registry.tables["results"]
    stored = world.registry.tables["entries"]
    known = world.registry.tables["logs"]
    for laptop, book in _books(world):
        if not known_here(world, laptop, book):
            need(world.out_of_hand(laptop), "1", "a log was never let in")
            continue
        for entry in book.rows(0, book.to_send):
            key = (book.id, entry.seq)
            world.laws["1"] += 1
            about = f"{laptop.number} {book.id.hex()[:6]} {entry.seq}"
            if world.out_of_hand(laptop) and laptop.log not in known:
                continue  # it hears of a restore once somebody lets it in again
            need(key in stored and stored[key].data == entry.data, "1", f"{about} is lost")
            need(key in results, "1", f"{about} has no outcome")
            _has_outcome(world, laptop, key, entry)
        _made_again(world, laptop, book)


def _has_outcome(world: World, laptop: Laptop, key: tuple[bytes, int], entry: Entry) -> None:
    state = world.registry.tables["results"][key].state
    need(state in OUTCOMES, "1", f"{entry.seq} is {state}")
    need(state != "held", "1", f"{entry.seq} is held though all cases are closed")
    if state == "waiting":
        world.laws["24"] += 1
        need(_may_wait(world, key[0], entry), "1", f"{entry.seq} waits for nothing")
    told = laptop.told.get(key)
    if (state == "waiting" and told is None) or world.out_of_hand(laptop):
        return
    need(told is not None and told.state == state, "1", f"{entry.seq}: told {told}, is {state}")


def _made_again(world: World, laptop: Laptop, book: Book) -> None:
    made = [change_of(entry.data).origin for entry in book.rows()]
    again = [origin for origin in made if origin is not None]
    need(len(again) == len(set(again)), "5", f"{laptop.number} made work again twice in one log")
    if book.closed is None:
        return
    later = laptop.books[laptop.books.index(book) + 1 :]
    origins = {change_of(e.data).origin for b in later for e in b.entries}
    for entry in book.rows(book.closed):
        change = change_of(entry.data)
        if change.kind not in ("create", "edit"):
            continue
        world.laws["5"] += 1
        origin = change.origin or (book.id, entry.seq, entry.digest[:8])
        need(origin in origins, "5", f"{entry.seq} was not made again")


def _may_wait(world: World, log: bytes, entry: Entry) -> bool:
    """Nobody knows its kind or edition, it ends the process, or it stands behind such a one."""
    group = next(g for g in whole(logs_of(world)[log]) if any(e.seq == entry.seq for e, _ in g))
    if _strange(world, group):
        return True
    names = {record_of(log, e.seq, c, e.data) for e, c in group if c is not None}
    tables = world.registry.tables
    earlier = [key for name in names for key in tables["waiting"].get(name, [])]
    if any(key[0] == log and key[1] < group[0][0].seq for key in earlier):
        return True
    return any(c.record and c.record not in tables["records"] for _, c in group if c is not None)


def _strange(world: World, group: Sequence[Any]) -> bool:
    """A kind or an edition nobody knows, or an entry that ends the process."""
    return any(
        e.data in world.registry.killers
        or (c is not None and (c.kind == "prophecy" or c.edition == 99))
        for e, c in group
    )


def prefix(world: World, decisions: list[Decision]) -> None:
    """4: logs are gap-free, their chain verifies, a changed byte is found at its number."""
    openings = world.registry.tables["openings"]
    for log, stored in logs_of(world).items():
        world.laws["4"] += 1
        opening = opening_head(openings[log])
        need(broken_at(log, opening, stored) is None, "4", "chain broken")
        state = world.registry.tables["logs"][log]
        need((state.seq, state.head) == (stored[-1].seq, stored[-1].head), "4", "other prefix")
        at = world.rng.randrange(len(stored))
        data = world.flipped(stored[at].data)
        part = stored[max(0, at - 2) : at + 1]
        before = stored[at - 3].head if at >= 3 else opening
        forged = [*part[:-1], Entry(stored[at].seq, data, stored[at].head)]
        need(broken_at(log, before, forged) == stored[at].seq, "4", "a changed byte is not found")


def forks(world: World, decisions: list[Decision]) -> None:
    """5: both branches are kept, nobody goes on in a forked log, one case is about it."""
    cases = world.registry.tables["cases"].values()
    for log, branch in world.registry.tables["forks"].items():
        if not branch:
            continue
        world.laws["5"] += 1
        about = [c for c in cases if c.kind == "fork" and log.hex() in c.note]
        need(len(about) >= 1, "5", "no case about a forked log")
        for laptop, book in _books(world):
            on = book.id == log and book is laptop.book and not world.out_of_hand(laptop)
            need(not on or book.closed is not None, "5", f"{laptop.number} writes on in a fork")


def transactions_whole(world: World, decisions: list[Decision]) -> None:
    """7: a transaction is decided in one decision."""
    results = world.registry.tables["results"]
    for log, entries in logs_of(world).items():
        for group in whole(entries):
            if len(group) < 2:
                continue
            world.laws["7"] += 1
            states = {results[log, e.seq].state for e, _ in group}
            apart = states & {"refused", "waiting"}
            need(not apart or len(states) == 1, "7", f"half decided: {states}")


def poison_contained(world: World, decisions: list[Decision]) -> None:
    """17: behind a bad transaction, what does not depend on it is decided; what does, waits."""
    results = world.registry.tables["results"]
    made = {change.origin for change in originals(world)}
    for log, entries in logs_of(world).items():
        waiting: set[bytes] = set()
        behind = False
        for group in whole(entries):
            states = {results[log, e.seq].state for e, _ in group}
            names = {record_of(log, e.seq, c, e.data) for e, c in group if c is not None} - {b""}
            world.laws["17"] += behind
            again = all((log, e.seq, e.digest[:8]) in made for e, _ in group)
            if "waiting" in states:
                waiting |= set() if again else names
                behind = True
            elif not {c.kind for _, c in group if c} & {"operator", "session"}:
                late = names & waiting and not states & {"refused", "rejected"}
                # One that was made again counts there, which depends on what was made again too.
                origin = any(
                    (c is not None and c.origin) or (log, e.seq, e.digest[:8]) in made
                    for e, c in group
                )
                need(not late or origin, "17", f"{group[0][0].seq} passed what it depends on")
            behind = behind or "refused" in states


def visible_to_authors(world: World, decisions: list[Decision]) -> None:
    """27: who was held or overridden is told, and the case is there."""
    cases = world.registry.tables["cases"]
    holders: dict[bytes, list[Laptop]] = {}
    for laptop, book in _books(world):
        holders.setdefault(book.id, []).append(laptop)
    for decision in decisions:
        choosing = any(isinstance(e, Closed) for e in decision.effects)
        for effect in decision.effects:
            if isinstance(effect, Held):
                world.laws["27"] += 1
                need(effect.case in cases, "27", "held without a case")
                for laptop in holders.get(author_of(effect, decision)[0], ()):
                    if world.out_of_hand(laptop):
                        continue
                    _told(laptop, "held", effect, decision.server_seq)
            if isinstance(effect, Wrote) and effect.lost is not None and not choosing:
                for laptop in holders.get(effect.lost.log, ()):
                    if world.out_of_hand(laptop):
                        continue
                    world.laws["27"] += 1
                    mine = author_of(effect, decision)[0] in laptop.logs()
                    kind = "replaced" if mine else "overridden"
                    _told(laptop, kind, effect, decision.server_seq)


def _told(laptop: Laptop, kind: str, effect: Any, number: int) -> None:
    about = (number, effect.record, kind, effect.unit)
    fits = [
        n for n in laptop.notices if (n.server_seq, n.record, n.kind, n.unit) == about
    ]  # fmt: skip
    need(len(fits) >= 1, "27", f"laptop {laptop.number}: no notice {kind} of {effect.unit}")


def screen_not_passed(world: World, decisions: list[Decision]) -> None:
    """31: `seen` in an entry is what the screen showed, not what a pull brought behind it."""
    for _, book in _books(world):
        for entry in book.entries:
            shown = world.shown.get(entry.digest)
            if shown is not None:
                world.laws["31"] += 1
                need(change_of(entry.data).seen <= shown, "31", f"{entry.seq} saw too much")


def proofs_hold(world: World, decisions: list[Decision] | None = None) -> None:
    """3: what a checkpoint of this history said is stored is stored, whatever crashed since."""
    name = world.registry.position.incarnation
    if world.silent is not None:
        return  # until it is noticed
    for _, book in _books(world):
        for proof in book.proofs[-1:]:
            if proof.incarnation != name:
                continue
            world.laws["3"] += 1
            stored = world.registry.tables["entries"].get((book.id, proof.seq))
            good = stored is not None and stored.head == proof.head
            need(good, "3", f"entry {proof.seq} was proved and is not stored")


def snapshots_whole(world: World, decisions: list[Decision]) -> None:
    """12, 13, 15: a laptop at rest holds every request of its scope as central has it, and no
    other; both reckon the same digests."""
    door = MemoryDoor(world.registry)
    records = world.registry.tables["records"]
    for laptop in world.laptops:
        if world.out_of_hand(laptop):
            continue
        scope = door.scope(laptop.device, world.now)
        mine = door.visible(scope, records)
        world.laws["12"] += 1
        at_end = laptop.cursor.server_seq == world.registry.position.server_seq
        need(at_end, "12", f"the cursor of {laptop.number} is not at the end")
        here = set(laptop.snapshot.records)
        need(not mine - here, "12", f"laptop {laptop.number}: {len(mine - here)} requests unseen")
        world.laws["15"] += 1
        need(not here - mine, "15", f"laptop {laptop.number} keeps {len(here - mine)} requests")
        for name in mine:
            record, other = records[name], laptop.snapshot.records[name]
            agree = (record.status, record.units, record.disputes) == (
                other.status, other.units, other.disputes,
            )  # fmt: skip
            need(agree, "12", f"laptop {laptop.number} holds another {name.hex()[:8]}")
            over = [o for o in laptop.own_work(name) if not _waits(world, o)]
            need(not over, "12", f"laptop {laptop.number} shows its {over} before the decision")
        if laptop.number % 4 == world.seed % 4:
            _digests_agree(world, laptop, door)


def _waits(world: World, own: Any) -> bool:
    result = world.registry.tables["results"].get((own.log, own.seq))
    return result is not None and result.state == "waiting"


def _digests_agree(world: World, laptop: Laptop, door: MemoryDoor) -> None:
    found = laptop.snapshot.records.values()
    faces = {r.id: face(r, laptop.snapshot.cases) for r in found}
    number = world.registry.position.server_seq
    for village in laptop.villages:
        cell = village.encode()
        inside = [r for r in found if laptop.cells.get(r.id) == village]
        total = sum(weight(cell, faces[r.id]) for r in inside) % MODULUS
        world.laws["13"] += 1
        need(door.sums([cell], number)[cell] == total, "13", f"digests of {village} differ")


def only_in_scope(world: World, log: bytes, pages: Sequence[Page]) -> None:
    """15: what leaves central speaks of requests in the laptop's scope only, but for what became of
    the own work, without anybody else's value."""
    door = MemoryDoor(world.registry)
    device = world.registry.tables["logs"][log].device
    scope = door.scope(device, world.now)
    records = world.registry.tables["records"]
    visible = cache(lambda *names: bool(door.visible(scope, names)))
    for page in pages:
        for data in page.decisions:
            decision = msgspec.msgpack.decode(data, type=Decision)
            for effect in decision.effects:
                name = (
                    effect.state.id if isinstance(effect, Whole) else getattr(effect, "record", b"")
                )
                if not name or name not in records or isinstance(effect, (Left, Parked)):
                    continue
                world.laws["15"] += 1
                if visible(name, getattr(effect, "kept", b"")):
                    continue
                own = isinstance(effect, Held) and author_of(effect, decision)[0] in scope.logs
                lost = isinstance(effect, Wrote) and effect.lost and effect.value is None
                need(bool(own or lost), "15", f"{type(effect).__name__} of a foreign request")


def files_whole(world: World, decisions: list[Decision]) -> None:
    """20: a file that central called verified, or that left its laptop, is whole at central."""
    shelf = world.central.shelf
    tables = world.registry.tables
    for laptop in world.laptops:
        for name, paper in laptop.papers.files.items():
            if paper.state == "waiting" and (paper.log, name) not in tables["announced"]:
                continue
            book = next((b for b in laptop.books if b.id == paper.log), None)
            if book is None or paper.seq > book.to_send or world.out_of_hand(laptop):
                continue
            world.laws["20"] += 1
            need(paper.state != "waiting", "20", f"a file of laptop {laptop.number} never came")
            whole_ = b"".join(c or b"" for c in shelf.read(name, len(paper.data)))
            need(whole_ == paper.data, "20", "a file that was called verified is not whole")


def revoked(world: World, decisions: list[Decision]) -> None:
    """23: what a laptop wrote beyond the number up to which it stands reaches no request but by a
    person's choice."""
    for decision in decisions:
        parked = [e for e in decision.effects if isinstance(e, Opened) and e.kind == "after-lost"]
        if not parked or decision.log == world.name:
            continue
        world.laws["23"] += 1
        plain = (Opened, Parked, Outcome)
        need(all(isinstance(e, plain) for e in decision.effects), "23", "a lost laptop wrote")
    for log, state in world.registry.tables["logs"].items():
        if state.limit is None or log == world.name:
            continue
        for (name, seq), result in world.registry.tables["results"].items():
            if name == log and seq > state.limit:
                change = change_of(world.registry.tables["entries"][name, seq].data)
                world.laws["23"] += 1
                wrote = change.kind in ("create", "edit") and change.origin is None
                need(not (wrote and result.state == "applied"), "23", f"{seq} reached a request")


def restored_told(world: World, decisions: list[Decision]) -> None:
    """26: an outcome that came out differently after a restore is told."""
    for laptop in world.laptops:
        if world.out_of_hand(laptop):
            continue
        for key, before, after in laptop.returned:
            world.laws["26"] += 1
            found = [n for n in laptop.notices if (n.kind, n.mine, n.value)[1:] == (before, after)]
            told = before == after or bool(found)
            need(told, "26", f"{key[1]} was {before}, is {after}: nobody was told")
        for key, before in laptop.voided.items():
            results = world.registry.tables["results"]
            book = laptop.find(key[0])
            if book.to_send >= key[1] and key[1] not in book.gone:
                left = key not in results or results[key].state == "waiting"
            else:  # what was made again of it answers, or what that only repeats
                states = {results[heir].state for heir in laptop.heirs(key) if heir in results}
                left = not states or bool(states & {"waiting", "merged", before})
            need(left, "26", f"{key[1]} was {before} before a restore: what is it now?")


def codes_unique(world: World, decisions: list[Decision]) -> None:
    """30: no tracking code is that of two requests; where one was drawn twice there was a case."""
    owners: dict[tuple[int, int], bytes] = {}
    for name, record in world.registry.tables["records"].items():
        if record.code is None:
            continue
        world.laws["30"] += 1
        need(owners.setdefault(record.code, name) == name, "30", "a code of two requests")
    asked = {
        e.record for d in decisions for e in d.effects if isinstance(e, Opened) and e.kind == "code"
    }
    for decision in decisions:
        for effect in decision.effects:
            if isinstance(effect, Created) and effect.code is None:
                need(effect.record in asked, "30", "a request without a code and without a case")


def no_double_effect(world: World, decisions: list[Decision]) -> None:
    """2: delivering anything again changes nothing."""
    before = world.digest()
    results = msgspec.msgpack.encode(sorted(world.registry.tables["results"].items()))
    road = world.road
    count = min(12, len(road.deliveries))
    for book, body in world.rng.sample(road.deliveries, k=count):
        world.laws["2"] += 1
        if book.id in world.registry.tables["logs"]:
            road.line(book).serve(body)
    for data in world.sticks.to_central[:3]:
        try:
            world.central.bundles.take(None, data)
        except Problem:
            continue
    need(world.digest() == before, "2", "delivered again, decided again")
    after = msgspec.msgpack.encode(sorted(world.registry.tables["results"].items()))
    need(after == results, "2", "delivered again, another outcome")


def goes_on(world: World, decisions: list[Decision]) -> None:
    """33, 18: whatever happened, every laptop can go on: one more request is taken in, sent and
    decided."""
    for laptop in world.laptops[: 3 + len(world.laptops) // 20]:
        if world.out_of_hand(laptop):
            continue
        world.operators.create(laptop)
        number = laptop.last
        for _ in range(8):
            if world.road.sync(laptop):
                break
        else:
            raise Broken(f"law 18: laptop {laptop.number} does not get on")
        world.laws["18"] += 1
        world.laws["33"] += 1
        last = max(n for n in range(1, laptop.last + 1) if n <= number or laptop.last)
        done = (laptop.log, last) in world.registry.tables["results"]
        need(done, "33", f"laptop {laptop.number} cannot go on")


def outcomes(world: World) -> list[tuple[int, int, int, str]]:
    """Who wrote which entry and what became of it, without ids: for comparing worlds (law 25)."""
    results = world.registry.tables["results"]
    places: dict[bytes, tuple[int, int]] = {}
    for laptop, book in _books(world):
        places.setdefault(book.id, (laptop.number, laptop.books.index(book)))
    return sorted((*places[k], seq, r.state) for (k, seq), r in results.items() if k in places)


__all__ = ["LAWS", "check", "only_in_scope", "outcomes", "proofs_hold", "same"]
