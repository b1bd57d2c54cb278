"""Lists of residents, sealed, until they expire."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import delete, select

from server.database.tables import RosterRow
from server.database.work import Work, table_of
from sync.messages import Terms

_rosters = table_of(RosterRow)


class KeptRoster(msgspec.Struct, frozen=True):
    """A list. digest: of its file, which has `size` bytes. at: Unix seconds."""

    digest: bytes
    terms: Terms
    size: int
    at: int
    by: str


class Rosters(Work):
    """Keeping, finding and forgetting them."""

    def keep_roster(self, kept: KeptRoster, sealed: bytes) -> None:
        """Add a list; it takes the place of the one of the same village and source."""
        terms = kept.terms
        here = (_rosters.c.city == self.city) & (_rosters.c.village == terms.village)
        self.run(delete(_rosters).where(here, _rosters.c.source == terms.source))
        self.forget_roster(kept.digest)
        row: dict[str, Any] = {"digest": kept.digest, "village": terms.village}
        row["source"] = terms.source
        row |= {"expires": terms.expires, "terms": msgspec.msgpack.encode(terms)}
        row |= {"size": kept.size, "at": kept.at, "by": kept.by, "data": sealed}
        self.insert(_rosters, [row])

    def kept_rosters(self, villages: Collection[str] | None, today: str) -> list[KeptRoster]:
        """Lists that may still be kept that day (ISO), all or those of some villages."""
        names = ("digest", "terms", "size", "at", "by")
        here = (_rosters.c.city == self.city) & (_rosters.c.expires >= today)
        if villages is not None:
            here &= _rosters.c.village.in_(sorted(villages))
        found = select(*(_rosters.c[name] for name in names)).where(here)
        rows = self.rows(found.order_by(_rosters.c.village, _rosters.c.source))
        return [_kept(row) for row in rows]

    def roster_data(self, digest: bytes) -> bytes:
        """The sealed file of a list; empty for one that is not here."""
        here = (_rosters.c.city == self.city) & (_rosters.c.digest == digest)
        data: bytes | None = self.value(select(_rosters.c.data).where(here))
        return data or b""

    def forget_roster(self, digest: bytes) -> bool:
        """Delete a list."""
        here = (_rosters.c.city == self.city) & (_rosters.c.digest == digest)
        return self.run(delete(_rosters).where(here)) > 0

    def forget_expired_rosters(self, today: str) -> int:
        """Delete those whose last day is over; gives how many."""
        here = (_rosters.c.city == self.city) & (_rosters.c.expires < today)
        return self.run(delete(_rosters).where(here))


def _kept(row: Any) -> KeptRoster:
    terms = msgspec.msgpack.decode(row.terms, type=Terms)
    return KeptRoster(row.digest, terms, row.size, row.at, row.by)
