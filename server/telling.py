"""Telling: what of the register goes into the pages for one laptop.

First the decisions since its cursor, then, once those reach the newest one, requests of villages
that are new to it: page by page from the oldest, as they stand at that very number. A village that
is not whole there yet takes part in the decisions from the start; what they say of requests that
the fill has not reached is passed over by the laptop, and comes with the fill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from models.changes import encode
from server.ledger import Door, Scope, Standing
from sync.digest import packed, total
from sync.echo import Author, shorten
from sync.known import LogState
from sync.messages import OWN, Echo, Fill, Page, Request, Sight
from sync.pull import for_laptop, whole_for
from sync.state import Decision, Whole

PAGE_BYTES = 128 * 1024
"""Pages are cut at whole decisions near this size; each is usable alone."""


def visible_parts(
    door: Door, scope: Scope, found: list[Decision], sight: Sight | None = None
) -> list[Decision]:
    """Of these decisions what the laptop may see. sight: what it knows of its scope: a request that
    leaves a village which is not whole there yet is told whole where it comes."""
    filling: Iterable[str] = ()
    if sight is not None:
        knows = sight.scope == scope.number
        filling = [cell for cell, _ in sight.fills] if knows else scope.villages
    named = {
        name
        for decision in found
        for effect in decision.effects
        for name in (getattr(effect, "record", b""), *getattr(effect, "others", ()))
        if name
    }
    visible = _sight(door, scope, named)
    whole = tuple(village for village in scope.villages if village not in filling)
    shown = (
        for_laptop(d, visible, scope.logs, scope.villages, door.whole_before, whole) for d in found
    )
    return [decision for decision in shown if decision is not None]


def _sight(door: Door, scope: Scope, names: Iterable[bytes]) -> Callable[[bytes], bool]:
    """Is a request in the scope? Those named are looked up at once, others when asked for."""
    asked = set(names)
    found = door.visible(scope, asked)

    def visible(name: bytes) -> bool:
        if name not in asked:
            asked.add(name)
            found.update(door.visible(scope, [name]))
        return name in found

    return visible


def echoed(
    door: Door, log: LogState, decisions: list[Decision]
) -> tuple[list[Decision], list[Echo]]:
    """Those of the decisions that have to be told in full, and the others as what the log itself
    said."""
    mine = [decision for decision in decisions if decision.log == log.id]
    if not mine:
        return decisions, []
    last = max(decision.first + decision.n - 1 for decision in mine)
    stored = door.entries(log.id, min(decision.first for decision in mine), last)
    entries = [stored[seq] for seq in sorted(stored) if seq > 0]
    return shorten(decisions, Author(log.id, log.device, log.block), entries)


def pages_of(decisions: list[Decision], request_name: bytes, upto: int) -> list[Page]:
    """Decisions cut into pages; the last one reaches to `upto`."""
    groups: list[list[bytes]] = []
    ends: list[int] = []
    size = PAGE_BYTES
    for decision in decisions:
        data = encode(decision)
        if size + len(data) > PAGE_BYTES:
            groups.append([])
            ends.append(0)
            size = 0
        groups[-1].append(data)
        ends[-1] = decision.server_seq
        size += len(data)
    if ends:
        ends[-1] = upto
    return [Page(request_name, i, g, e) for i, (g, e) in enumerate(zip(groups, ends, strict=True))]


def fills(
    door: Door, scope: Scope, request: Request, pages: list[Page], name: bytes, upto: int
) -> tuple[list[Page], bool]:
    """Pages that go on filling the laptop's villages, after `pages` and within its budget, and
    whether more remains to be filled. upto: the newest decision, at which all of this stands."""
    found: list[Page] = []
    sight = request.sight
    if sight is None or sight.scope != scope.number:
        return found, False
    budget = request.budget - sum(len(data) for page in pages for data in page.decisions)
    wanted = [(cell, mark) for cell, mark in sight.fills if cell in (OWN, *scope.villages)]
    for cell, mark in wanted:
        done = False
        while not done:
            if budget <= 0 and (found or pages):
                return found, True
            device = scope.device if cell == OWN else b""
            wholes, mark, done = door.fill(cell, mark, min(PAGE_BYTES, max(1, budget)), device)
            data = _closed(door, scope, wholes)
            budget -= sum(map(len, data))
            place = len(pages) + len(found)
            found.append(Page(name, place, [], upto, Fill(cell, data, mark, done)))
    return found, False


def differing(
    door: Door, scope: Scope, request: Request, standing: Standing
) -> list[tuple[str, bytes]]:
    """What each cell that is whole on the laptop adds up to as of its cursor, where all together
    are not what it says; nothing where they are, or where that is not known of one of them."""
    sight, cursor = request.sight, request.cursor
    if sight is None or not sight.total or sight.scope != scope.number:
        return []
    if cursor.incarnation != standing.incarnation:
        return []
    filling = {cell for cell, _ in sight.fills}
    cells = {village: village.encode() for village in scope.villages} | {OWN: scope.device}
    cells = {name: cell for name, cell in cells.items() if name not in filling}
    found = door.sums(cells.values(), cursor.server_seq)
    sums = {name: found[cell] for name, cell in cells.items()}
    known = {name: number for name, number in sums.items() if number is not None}
    if len(known) < len(sums) or total(known.values()) == sight.total:
        return []
    return [(name, packed(number)) for name, number in known.items()]


def _closed(door: Door, scope: Scope, wholes: list[Whole]) -> list[bytes]:
    """Whole requests as the laptop may see them, encoded."""
    names = {name for whole in wholes for case in whole.cases for name in case.others}
    visible = _sight(door, scope, names)
    return [encode(whole_for(whole, visible, scope.logs)) for whole in wholes]
