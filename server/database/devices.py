"""Laptops and their logs: who is known, in what state, what was ordered, when they last called."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from sqlalchemy import delete, func, literal_column, select, update

from models.changes import OperatorEntry, decode_change
from models.problems import Problem
from server.database.tables import (
    AheadRow,
    CounterRow,
    DeviceRow,
    EntryRow,
    ForkRow,
    IncarnationRow,
    LogRow,
    OrderRow,
)
from server.database.work import Work, table_of
from server.ledger import NUMBER_MAX, Scope
from sync.known import LogState
from sync.lineage import NUMBERS_END
from sync.logs import Entry
from sync.messages import LOCKS, Health, decode, encode

BLOCKS = 1 << 20
"""A block is four symbols of a tracking code."""

ORDERS_SINCE = 1_767_225_600
"""Unix second, 2026-01-01, from which the minutes are counted at which orders go on after a
restore: a log is given fewer than one a minute, and the column holds 4000 years of them."""

_devices = table_of(DeviceRow)
_logs = table_of(LogRow)
_ahead = table_of(AheadRow)
_forks = table_of(ForkRow)
_orders = table_of(OrderRow)
_entries = table_of(EntryRow)
_counters = table_of(CounterRow)
_incarnations = table_of(IncarnationRow)


class Device(msgspec.Struct, frozen=True):
    """A laptop. villages: codes of its scope. state: invited, active, suspended, lost, retired.
    operator: the person it was invited for. invited_at, expires: Unix seconds. lent: villages for
    a time, each with the Unix second in which that ends. scope_no: see `DeviceRow`."""

    id: bytes
    name: str
    office_kind: str
    office_name: str
    block: int
    grant: int
    villages: tuple[str, ...]
    state: str
    operator: str
    invited_at: int
    invited_by: str
    expires: int
    lent: tuple[tuple[str, int], ...] = ()
    scope_no: int = 1

    def villages_at(self, at: int) -> tuple[str, ...]:
        """Its villages and those lent to it at that time."""
        return tuple(dict.fromkeys((*self.villages, *(v for v, until in self.lent if until > at))))

    def scope_number(self, at: int) -> int:
        """Number of its scope at that time."""
        return self.scope_no + sum(until <= at for _, until in self.lent)


class Call(msgspec.Struct, frozen=True):
    """The last time the laptop with this log called. at: central's clock, clock: the laptop's.
    cursor: number up to which it had read; seq: its stored entries. health: what it last said of
    itself, None for one that never did."""

    log: bytes
    device: bytes
    at: int
    clock: int
    build: str
    cursor: int
    seq: int
    health: Health | None = None


class Book(msgspec.Struct):
    """The part of a log's state that only the judge reads. villages: that its laptop ever had."""

    operators: dict[bytes, bytes] = {}
    sessions: dict[int, bytes] = {}
    villages: tuple[str, ...] = ()
    removed: dict[bytes, int] = {}
    refused: dict[str, bytes] = {}


class Devices(Work):
    """What may be asked and done about laptops and their logs."""

    # -- laptops

    def device(self, device: bytes) -> Device | None:
        """The laptop with that id."""
        return self._device(_devices.c.id == device)

    def device_named(self, name: str) -> Device | None:
        """The laptop with that name."""
        return self._device(_devices.c.name == name)

    def _device(self, which: Any) -> Device | None:
        row = self.one(select(_devices).where(_devices.c.city == self.city, which))
        return _read_device(row) if row is not None else None

    def devices(self) -> list[Device]:
        """Every laptop, by name."""
        found = select(_devices).where(_devices.c.city == self.city).order_by(_devices.c.name)
        return [_read_device(row) for row in self.rows(found)]

    def keep_device(self, device: Device) -> None:
        """Add a laptop, or change the one with this id."""
        row = msgspec.structs.asdict(device)
        row["grant_no"] = row.pop("grant")
        row["villages"] = msgspec.msgpack.encode(device.villages)
        row["lent"] = msgspec.msgpack.encode(device.lent)
        if self.device(device.id) is None:
            self.insert(_devices, [row])
            return
        # What was made under the villages it had so far stays good, whenever it comes.
        books = [write_log(log) for log in self.logs(device.id)]
        self.update(_logs, ["id"], [{"id": b["id"], "book": b["book"]} for b in books])
        self.update(_devices, ["id"], [row])

    def next_block(self) -> int:
        """Give out a block of tracking codes; no block is ever given twice."""
        here = _counters.c.city == self.city
        block: int = self.value(select(_counters.c.next_block).where(here))
        if block >= BLOCKS:
            raise Problem("blocks.exhausted")
        self.run(update(_counters).where(here).values(next_block=block + 1))
        return block

    def scope(self, device: bytes, at: int = 0) -> Scope:
        """What the laptop may see at that time."""
        found = self.device(device)
        here = (_logs.c.city == self.city) & (_logs.c.device == device)
        logs = self.rows(select(_logs.c.id).where(here).order_by(_logs.c.opened_at, _logs.c.id))
        villages = found.villages_at(at) if found is not None else ()
        number = found.scope_number(at) if found is not None else 1
        return Scope(device, villages, tuple(row.id for row in logs), number)

    # -- logs

    def log(self, name: bytes) -> LogState | None:
        """The log as it is stored."""
        return self.find_logs([name]).get(name)

    def logs(self, device: bytes) -> list[LogState]:
        """The logs of a laptop, oldest first."""
        here = (_logs.c.city == self.city) & (_logs.c.device == device)
        found = self._logs_of_laptops().where(here).order_by(_logs.c.opened_at, _logs.c.id)
        return [_read_log(row) for row in self.rows(found)]

    def _logs_of_laptops(self) -> Any:
        """Logs, each with the villages of its laptop (none for central's own)."""
        same = (_devices.c.city == _logs.c.city) & (_devices.c.id == _logs.c.device)
        both = select(_logs, _devices.c.villages, _devices.c.lent).outerjoin_from(
            _logs, _devices, same
        )
        return both.where(_logs.c.city == self.city)

    def find_logs(self, names: Collection[bytes]) -> dict[bytes, LogState]:
        """Those of the named logs that are known."""
        rows = self.each(self._logs_of_laptops(), _logs.c.id, names)
        return {row.id: _read_log(row) for row in rows}

    def devices_of(self, names: Collection[bytes]) -> dict[bytes, bytes]:
        """log -> the laptop it belongs to; empty for central's own."""
        here = select(_logs.c.id, _logs.c.device, _logs.c.central).where(_logs.c.city == self.city)
        rows = self.each(here, _logs.c.id, sorted(names))
        return {row.id: b"" if row.central else row.device for row in rows}

    def opening(self, log: bytes) -> bytes | None:
        """The bytes of a log's opening."""
        here = (_logs.c.city == self.city) & (_logs.c.id == log)
        opening: bytes | None = self.value(select(_logs.c.opening).where(here))
        return opening

    def escrow(self, log: bytes) -> bytes | None:
        """The laptop's vault key, sealed to the office recovery key."""
        here = (_logs.c.city == self.city) & (_logs.c.id == log)
        escrow: bytes | None = self.value(select(_logs.c.escrow).where(here))
        return escrow

    def add_log(
        self, log: LogState, opening: bytes, parent: bytes, parent_seq: int, escrow: bytes, at: int
    ) -> None:
        """A new log is known from now on."""
        row = write_log(log) | {
            "device": log.device,
            "key": log.key,
            "seal_key": log.seal_key,
            "opening": opening,
            "parent": parent,
            "parent_seq": parent_seq,
            "escrow": escrow,
            "central": log.central,
            "opened_at": at,
            "state": log.state,
            "limit_seq": log.limit,
            "block": log.block,
            "grant_no": log.grant,
        }
        row |= {"orders_given": 0, "heard_at": 0, "heard_clock": 0, "heard_build": ""}
        self.insert(_logs, [row | {"heard_cursor": 0, "heard_health": b""}])

    def keep_log_state(self, log: bytes, state: str, limit: int | None) -> None:
        """The laptop's state for this log, and the entry up to which it is judged."""
        self.update(_logs, ["id"], [{"id": log, "state": state, "limit_seq": limit}])

    def heard(
        self,
        log: bytes,
        at: int,
        build: str,
        clock: int,
        cursor: int,
        health: Health | None = None,
    ) -> None:
        """Note that a laptop called, for the list of devices. What it said of itself stays until it
        says so again: only the first request of a sync does."""
        row = {
            "heard_at": at,
            "heard_build": build[:60].replace("\0", ""),
            "heard_clock": _stored(clock),
            "heard_cursor": max(0, min(cursor, NUMBERS_END)),
        }
        if health is not None:
            row["heard_health"] = encode(_sane(health, at))
        self.update(_logs, ["id"], [{"id": log, **row}])

    def calls(self) -> list[Call]:
        """When each log was last heard, newest first; logs never heard are left out."""
        here = (_logs.c.city == self.city) & (_logs.c.heard_at > 0)
        rows = self.rows(select(_logs).where(here).order_by(_logs.c.heard_at.desc(), _logs.c.id))
        return [
            Call(
                r.id, r.device, r.heard_at, r.heard_clock, r.heard_build, r.heard_cursor, r.seq,
                decode(r.heard_health, Health) if r.heard_health else None,
            )
            for r in rows
        ]  # fmt: skip

    def operators(self, log: bytes) -> dict[bytes, OperatorEntry]:
        """The people of a log as its entries name them, newest entry last; also removed ones."""
        here = (_entries.c.city == self.city) & (_entries.c.log == log)
        # Spelled out, not a parameter: SQLite looks for the words of the partial index.
        kind = _entries.c.kind == literal_column("'operator'")
        named = select(_entries.c.data).where(here, kind)
        rows = self.rows(named.where(_entries.c.state == "applied").order_by(_entries.c.seq))
        bodies = (decode_change(row.data).body for row in rows)
        people = (msgspec.msgpack.decode(body, type=OperatorEntry) for body in bodies)
        return {person.operator: person for person in people}

    # -- orders

    def restored_at(self) -> int:
        """When central was restored last, Unix seconds; 0 where it never was."""
        here = select(func.max(_incarnations.c.at)).where(_incarnations.c.city == self.city)
        return self.value(here) or 0

    def order(self, log: bytes, kind: str, argument: int) -> None:
        """Give the log a new numbered order. After a restore its number is above what any history
        gave before it, also to a log that the backup knows nothing of, and where one backup was
        restored twice: it begins at the minute of the restore."""
        here = (_logs.c.city == self.city) & (_logs.c.id == log)
        given = self.value(select(_logs.c.orders_given).where(here))
        number = max(given, (max(self.restored_at(), ORDERS_SINCE) - ORDERS_SINCE) // 60) + 1
        row = {"log": log, "number": number, "kind": kind, "argument": argument}
        self.insert(_orders, [row])
        self.run(update(_logs).where(here).values(orders_given=number))

    def orders(self, log: bytes) -> list[tuple[int, str, int]]:
        """Every order the log was given: number, kind, argument."""
        here = (_orders.c.city == self.city) & (_orders.c.log == log)
        rows = self.rows(select(_orders).where(here).order_by(_orders.c.number))
        return [(row.number, row.kind, row.argument) for row in rows]

    # -- entries that do not continue the log

    def ahead(self, log: bytes) -> list[Entry]:
        """Entries kept beyond a gap, by number."""
        here = (_ahead.c.city == self.city) & (_ahead.c.log == log)
        rows = self.rows(select(_ahead).where(here).order_by(_ahead.c.seq, _ahead.c.digest))
        return [Entry(row.seq, row.data, row.head) for row in rows]

    def keep_ahead(self, log: bytes, entries: list[Entry]) -> None:
        """Keep entries beyond a gap. Different bytes under one number are all kept: which of them
        belongs to this log shows when the gap closes."""
        there = {(entry.seq, entry.digest) for entry in self.ahead(log)}
        fresh = [e for e in entries if (e.seq, e.digest) not in there]
        self.insert(_ahead, [_write_entry(log, e) | {"digest": e.digest} for e in fresh])

    def drop_ahead(self, log: bytes, last: int) -> None:
        """Forget what is stored by now, up to and with number `last`."""
        here = (_ahead.c.city == self.city) & (_ahead.c.log == log)
        self.run(delete(_ahead).where(here, _ahead.c.seq <= last))

    def keep_fork(self, log: bytes, entries: list[Entry]) -> bool:
        """Keep the other branch; False when its first entry was kept already."""
        here = (_forks.c.city == self.city) & (_forks.c.log == log)
        rows = self.each(select(_forks).where(here), _forks.c.seq, [e.seq for e in entries])
        there = {(row.seq, row.data) for row in rows}
        fresh = [e for e in entries if (e.seq, e.data) not in there]
        self.insert(_forks, [_write_entry(log, e) for e in fresh])
        return (entries[0].seq, entries[0].data) not in there

    def forks(self, log: bytes) -> list[Entry]:
        """Every kept entry of other branches, by number."""
        here = (_forks.c.city == self.city) & (_forks.c.log == log)
        rows = self.rows(select(_forks).where(here).order_by(_forks.c.seq, _forks.c.head))
        return [Entry(row.seq, row.data, row.head) for row in rows]


def write_log(log: LogState) -> dict[str, Any]:
    """The columns of a log that judging can change."""
    book = msgspec.msgpack.encode(
        Book(log.operators, log.sessions, log.villages or (), log.removed, log.refused)
    )
    return {"id": log.id, "seq": log.seq, "head": log.head, "case_id": log.case, "book": book}


def _read_log(row: Any) -> LogState:
    book = msgspec.msgpack.decode(row.book, type=Book)
    return LogState(
        id=row.id,
        device=row.device,
        seq=row.seq,
        head=row.head,
        key=row.key,
        seal_key=row.seal_key,
        state=row.state,
        limit=row.limit_seq,
        block=row.block,
        grant=row.grant_no,
        operators=book.operators,
        sessions=book.sessions,
        removed=book.removed,
        refused=book.refused,
        case=row.case_id,
        central=row.central,
        villages=None if row.central else _union(book.villages, _reach(row)),
        before=((row.parent, row.parent_seq),) if row.parent else (),
    )


def _union(*villages: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({code for some in villages for code in some}))


def _reach(row: Any) -> set[str]:
    """The villages of a log's laptop, those lent to it too."""
    lent = msgspec.msgpack.decode(row.lent, type=tuple[tuple[str, int], ...]) if row.lent else ()
    return {*_villages(row.villages), *(code for code, _ in lent)}


def _villages(data: bytes | None) -> tuple[str, ...]:
    return tuple(msgspec.msgpack.decode(data)) if data else ()


def _read_device(row: Any) -> Device:
    return Device(
        id=row.id,
        name=row.name,
        office_kind=row.office_kind,
        office_name=row.office_name,
        block=row.block,
        grant=row.grant_no,
        villages=_villages(row.villages),
        state=row.state,
        operator=row.operator,
        invited_at=row.invited_at,
        invited_by=row.invited_by,
        expires=row.expires,
        lent=msgspec.msgpack.decode(row.lent, type=tuple[tuple[str, int], ...]),
        scope_no=row.scope_no,
    )


def _stored(number: int) -> int:
    """What a laptop says of itself, as far as a column can hold it."""
    return max(0, min(number, NUMBER_MAX))


def _sane(health: Health, at: int) -> Health:
    """What a laptop says of itself, kept to what can be: everybody's pages are drawn from it. Its
    oldest entry was written by now at the latest (`at`: central's clock)."""
    return Health(
        _stored(health.unsent),
        max(0, min(health.oldest, at)),
        _stored(health.files),
        _stored(health.file_bytes),
        _stored(health.disk),
        _stored(health.drafts),
        max(-1, min(health.battery, 100)),
        health.lock if health.lock in LOCKS else "",
    )


def _write_entry(log: bytes, entry: Entry) -> dict[str, Any]:
    return {"log": log, "seq": entry.seq, "head": entry.head, "data": entry.data}
