"""Recent requests, as keyed hashes for laptops that are out of reach (sync.recent)."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from server.ledger import Door, RecentTrace, Scope
from sync.messages import Page, Recent, Sight
from sync.recent import DAY_SECONDS, day_of, epoch_of, key_of, mark

ENTRIES_A_PAGE = 5000
ENTRY_BYTES = 6
"""What an entry takes on its way, about."""


class Recents(msgspec.Struct, frozen=True):
    """Makes pages of the index. secret: of central alone. days: how long a request counts as
    recent; 0 for no index at all."""

    secret: bytes
    days: int

    def pages(
        self, door: Door, scope: Scope, sight: Sight | None, at: int, budget: int
    ) -> tuple[list[Recent], bool]:
        """What is new for a laptop since it last heard, within `budget` bytes but at least one
        page, and whether more remains. Nothing for one that does not ask."""
        if sight is None or sight.recent is None or not self.days:
            return [], False
        epoch, number = sight.recent
        now = epoch_of(at)
        if epoch != now:
            number = 0
        since = at - self.days * DAY_SECONDS
        key = key_of(self.secret, scope.device, now)
        found: list[Recent] = []
        done = False
        while not done:
            if budget <= 0 and found:
                return found, True
            traces, number, done = door.recents(scope.device, number, since, ENTRIES_A_PAGE)
            if not traces and epoch == now and not found:
                return [], False
            told = key if epoch != now and not found else b""
            budget -= ENTRY_BYTES * len(traces)
            found.append(_packed(traces, key, Recent(now, told, number, done, day_of(since))))
        return found, False


def _packed(traces: Iterable[RecentTrace], key: bytes, into: Recent) -> Recent:
    """Entries by office and day, their marks in the order of their bytes: nothing says which of
    them belong together, nor in what order they came."""
    groups: dict[tuple[str, int], set[bytes]] = {}
    for one in traces:
        groups.setdefault((one.office, day_of(one.at)), set()).add(mark(key, one.trace))
    offices = sorted({office for office, _ in groups})
    rows = [
        (offices.index(office), day, b"".join(sorted(marks)))
        for (office, day), marks in sorted(groups.items())
    ]
    return msgspec.structs.replace(into, offices=offices, groups=rows)


def pages_with(recents: Iterable[Recent], name: bytes, first: int, upto: int) -> list[Page]:
    """As pages of a reply, numbered from `first`."""
    return [Page(name, first + i, [], upto, recent=one) for i, one in enumerate(recents)]
