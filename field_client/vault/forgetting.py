"""Forgetting: what goes from a laptop that is out of our hands, by order of the office.

Everything told by others: requests of other laptops with their cases, the villages' lists of
residents, the index of recent requests. What this laptop wrote itself stays, sent or not: its logs,
the requests it took in, its files, its books of looks and of custody.
"""

from __future__ import annotations

import msgspec

from field_client.vault.cells import drop
from field_client.vault.engine import Connection
from field_client.vault.logs import remember
from field_client.vault.roster import forget


class Shredded(msgspec.Struct, frozen=True):
    """An order of the office to lock itself was carried out on this laptop."""


def forget_others(connection: Connection) -> None:
    """Erase it; doing it again changes nothing. Deleted pages are overwritten (secure_delete)."""
    drop(connection, {row[0] for row in connection.execute("select id from records").fetchall()})
    # The index only marks its words as deleted until it is merged: merge it, so that they are gone.
    connection.execute("insert into request_words (request_words) values ('optimize')")
    for (roster,) in connection.execute("select number from rosters").fetchall():
        forget(connection, roster)
    remember(connection, Shredded())
    connection.execute("delete from recents")
    connection.execute("delete from settings where name in ('RecentIndex', 'RosterFiles')")
