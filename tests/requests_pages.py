"""A request that was taken in at the desk, for tests of pages that show one."""

from __future__ import annotations

from field_client.desk import Desk, Wanted
from tests.field import example


def submitted(desk: Desk, service: str) -> bytes:
    """The example of a service, taken in; gives its record."""
    row = example(service)
    reasons = {**row["reasons"], "duplicate": "diminta lagi"}
    wanted = Wanted(row["service"], row["answers"], row["documents"], reasons)
    (taken,) = desk.submit(desk.prepare(wanted))
    return taken.record
