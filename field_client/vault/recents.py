"""Recent requests of other laptops, as central told them: keyed hashes with an office and a day.

Nobody can be read out of it; a desk that has typed who a request is about can ask whether somebody
has asked already (sync.recent). A month's list stays until the next month's is whole.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from field_client.vault.engine import Connection
from field_client.vault.logs import find, remember
from sync.exchange import Indexed
from sync.messages import Recent
from sync.recent import mark, marks_in


class Epoch(msgspec.Struct, frozen=True):
    """A month of the index: its key, and up to which decision it is here. done: it was whole."""

    number: int
    key: bytes
    upto: int = 0
    done: bool = False


class RecentIndex(msgspec.Struct, frozen=True):
    """What is here of it, oldest first; the last one grows."""

    epochs: tuple[Epoch, ...] = ()


class Recently(msgspec.Struct, frozen=True):
    """A request of the same matter was made. day: since 1970."""

    office: str
    day: int


def heard(connection: Connection) -> tuple[int, int]:
    """Epoch and number up to which the index is here; (0, 0) before the first part."""
    here = find(connection, RecentIndex)
    if here is None or not here.epochs:
        return 0, 0
    return here.epochs[-1].number, here.epochs[-1].upto


def index(connection: Connection, step: Indexed) -> None:
    """Take in a part of the index. One that was read before, or comes after a gap of keys, does
    nothing."""
    epochs = list((find(connection, RecentIndex) or RecentIndex()).epochs)
    told = step.recent
    newest = epochs[-1] if epochs else None
    if told is None:
        if newest is None or not newest.done or newest.upto >= step.upto:
            return
        epochs[-1] = msgspec.structs.replace(newest, upto=step.upto)
    elif newest is not None and told.epoch < newest.number:
        return
    else:
        if newest is None or told.epoch > newest.number:
            if not told.key:
                return
            epochs.append(Epoch(told.epoch, told.key))
        now = epochs[-1]
        if told.number < now.upto:
            return
        _write(connection, told)
        epochs[-1] = Epoch(now.number, now.key, told.number, now.done or told.done)
        if epochs[-1].done:
            connection.execute("delete from recents where epoch != ?", (now.number,))
            epochs = epochs[-1:]
    remember(connection, RecentIndex(tuple(epochs)))


def _write(connection: Connection, told: Recent) -> None:
    rows = [
        (told.epoch, one, day, told.offices[place])
        for place, day, packed in told.groups
        if 0 <= place < len(told.offices)
        for one in marks_in(packed)
    ]
    connection.executemany(
        "insert or ignore into recents (epoch, mark, day, office) values (?, ?, ?, ?)", rows
    )
    connection.execute("delete from recents where day < ?", (told.since,))


def find_recent(connection: Connection, traces: Collection[str]) -> Recently | None:
    """The newest entry for any of these traces."""
    here = find(connection, RecentIndex) or RecentIndex()
    found: list[Recently] = []
    for epoch in here.epochs:
        for trace in traces:
            rows = connection.execute(
                "select office, day from recents where epoch = ? and mark = ?",
                (epoch.number, mark(epoch.key, trace)),
            ).fetchall()
            found += [Recently(office, day) for office, day in rows]
    return max(found, key=lambda one: one.day, default=None)
