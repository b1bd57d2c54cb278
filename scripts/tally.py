"""The count at the end of the demonstration, from sources that know nothing of each other."""

from __future__ import annotations

from collections import Counter
from typing import Any


class Tally:
    """What was promised and what was found.

    acknowledged: (laptop, ref) -> ids that its standard output ever named as stored. stored: ids as
    central lists them, with repetitions. checks: anything else that had to be so.
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.acknowledged: dict[tuple[str, str], set[str]] = {}
        self.stored: list[str] = []
        self.stored_codes: list[str] = []
        self.cases = 0
        self.resolved = 0
        self.audit_ok = False
        self.receipts: list[bool] = []
        self.bytes_up = 0
        self.round_trips = 0
        self.seconds = 0.0
        self.checks: list[tuple[str, bool]] = []

    def heard(self, laptop: str, answers: list[dict[str, Any]]) -> None:
        """Answer lines of `jemput queue`, of every run, killed ones too."""
        for one in answers:
            if one["outcome"] == "queued":
                self.acknowledged.setdefault((laptop, one["ref"]), set()).add(one["id"])

    def check(self, words: str, right: bool) -> None:
        """Something that had to be so, whatever the counts say."""
        self.checks.append((words, right))

    # -- the counts

    @property
    def queued(self) -> int:
        return len(self.acknowledged)

    @property
    def lost(self) -> int:
        """Acknowledged ids that central does not list."""
        return len({one for ids in self.acknowledged.values() for one in ids} - set(self.stored))

    @property
    def duplicated(self) -> int:
        """Ids or tracking codes listed twice, rows with two ids, and what nobody acknowledged."""
        known = {one for ids in self.acknowledged.values() for one in ids}
        twice = sum(n - 1 for n in Counter(self.stored).values())
        twice += sum(n - 1 for n in Counter(filter(None, self.stored_codes)).values())
        rows = sum(len(ids) - 1 for ids in self.acknowledged.values())
        return twice + rows + len(set(self.stored) - known)

    @property
    def receipts_ok(self) -> bool:
        return bool(self.receipts) and all(self.receipts)

    def summary(self) -> dict[str, Any]:
        """The counts by the names they are asked for."""
        return {
            "queued": self.queued,
            "stored_at_central": len(self.stored),
            "lost": self.lost,
            "duplicated": self.duplicated,
            "cases": self.cases,
            "resolved": self.resolved,
            "audit_ok": self.audit_ok,
            "receipts_ok": self.receipts_ok,
            "bytes_up": self.bytes_up,
            "round_trips": self.round_trips,
            "seconds": self.seconds,
        }

    def promised(self) -> dict[str, Any]:
        """What the counts have to be; a count that is not named here is only told."""
        return {
            "queued": self.rows,
            "stored_at_central": self.rows,
            "lost": 0,
            "duplicated": 0,
            "cases": 2,
            "resolved": 2,
            "audit_ok": True,
            "receipts_ok": True,
        }

    @property
    def right(self) -> bool:
        return not self.wrong()

    def wrong(self) -> list[str]:
        """Everything that is not as promised, in words."""
        found = self.summary()
        words = [
            f"{name} is {found[name]}, not {value}"
            for name, value in self.promised().items()
            if found[name] != value
        ]
        return words + [what for what, right in self.checks if not right]
