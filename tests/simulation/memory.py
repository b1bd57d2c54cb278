"""A register in memory: central's Door and Registry without SQL, for worlds of many laptops.

It promises what server/ledger.py asks for, no more: a transaction is staged and becomes visible
when it is left without an error. The contract suite holds it to the same promises as the databases.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from operator import is_
from typing import Any

import msgspec

from models.changes import encode, record_of
from server.database.devices import ORDERS_SINCE
from server.ledger import RecentTrace, Scope, Standing
from sync.digest import MODULUS, face, weight
from sync.judge import is_over
from sync.known import (
    Known,
    LogState,
    Needs,
    Result,
    envelope,
    facts,
    needs,
    next_server_head,
    record_keys,
)
from sync.logs import Entry
from sync.messages import Health
from sync.pull import village_of, whole_before, whole_of
from sync.state import Case, Created, Decision, Placed, Record, State, Whole, copy_record
from tests.simulation.rooms import MORE_TABLES, Rooms

TABLES = (
    "logs", "entries", "results", "records", "cases", "codes", "keys", "decisions", "ahead",
    "forks", "orders", "cells", "waiting", "stuck", "calls", "villages", "poisoned", "repairs",
    "packages",
    *MORE_TABLES,
)  # fmt: skip


class MemoryRegistry:
    """All of central's memory. `devices`: device -> villages in its scope."""

    def __init__(self, incarnation: bytes = b"sim-0001") -> None:
        self.tables: dict[str, dict[Any, Any]] = {name: {} for name in TABLES}
        self.position = Standing(0, b"\0" * 32, incarnation, 0)
        self.devices: dict[bytes, tuple[str, ...]] = {}
        self.numbers: dict[bytes, int] = {}
        self.attempts: dict[tuple[bytes, int, str], int] = {}
        self.commits = 0
        self.decoded: dict[bytes, Decision] = {}
        self.faces: dict[bytes, tuple[Record, list[Case], bytes]] = {}

    def add_log(self, log: LogState, villages: tuple[str, ...] = ()) -> None:
        self.tables["logs"][log.id] = log
        self.tables["entries"][log.id, 0] = Entry(0, b"", log.head)
        self.devices.setdefault(log.device, villages)

    @contextmanager
    def read(self) -> Iterator[MemoryDoor]:
        yield MemoryDoor(self)

    @contextmanager
    def write(self) -> Iterator[MemoryDoor]:
        door = MemoryDoor(self)
        yield door
        self.take_over(door)

    def take_over(self, door: MemoryDoor) -> None:
        """What the transaction wrote is there from now on."""
        for name, rows in door.staged.items():
            self.tables[name].update(rows)
        for key in door.ended:
            self.attempts.pop(key, None)
        self.position = door.position
        self.commits += 1

    def decision(self, data: bytes) -> Decision:
        """A stored decision; every laptop is told of it, and nobody writes in one."""
        found = self.decoded.get(data)
        if found is None:
            found = self.decoded[data] = msgspec.msgpack.decode(data, type=Decision)
        return found

    def attempt(self, log: bytes, seq: int, scope: str) -> int:
        before = self.attempts.get((log, seq, scope), 0)
        self.attempts[log, seq, scope] = before + 1
        return before

    def attempted(self, log: bytes, seq: int, scope: str) -> None:
        self.attempts.pop((log, seq, scope), None)


class MemoryDoor(Rooms):
    """One transaction: what it wrote is staged, and seen by itself only."""

    def __init__(self, registry: MemoryRegistry) -> None:
        self.registry = registry
        self.staged: dict[str, dict[Any, Any]] = {name: {} for name in TABLES}
        self.ended: list[tuple[bytes, int, str]] = []
        self.position = registry.position

    def get(self, table: str, key: Any, default: Any = None) -> Any:
        if key in self.staged[table]:
            return self.staged[table][key]
        return self.registry.tables[table].get(key, default)

    def put(self, table: str, key: Any, value: Any) -> None:
        self.staged[table][key] = value

    def rows(self, table: str) -> dict[Any, Any]:
        return self.registry.tables[table] | self.staged[table]

    # -- reading

    def standing(self) -> Standing:
        return self.position

    def log(self, name: bytes) -> LogState | None:
        found = self.get("logs", name)
        if found is None:
            return None
        if found.central:
            return msgspec.structs.replace(found)
        now = self.registry.devices.get(found.device, ())
        now = (*now, *sorted(self.get("reach", found.device, ())))
        return msgspec.structs.replace(found, villages=tuple({*(found.villages or ()), *now}))

    def entries(self, log: bytes, first: int, last: int) -> dict[int, Entry]:
        found = {seq: self.get("entries", (log, seq)) for seq in range(first, last + 1)}
        return {seq: entry for seq, entry in found.items() if entry is not None}

    def results(self, log: bytes, first: int, last: int) -> list[tuple[int, Result]]:
        found = ((seq, self.get("results", (log, seq))) for seq in range(first, last + 1))
        return [(seq, result) for seq, result in found if result is not None]

    def load(self, want: Needs) -> Known:
        known = Known(self.position.server_seq, self.position.head)
        known.branches = self.lineage()
        for name in want.logs:
            log = self.log(name)
            if log is not None:
                known.logs[name] = log
                for case in (log.case, *log.refused.values()):
                    self._load_case(known, case)
        for name in want.records:
            self._load_record(known, name)
        for name in want.cases:
            self._load_case(known, name)
        for key in want.results:
            self._load_result(known, key)
        self._load_made(known, want)
        self._load_codes(known, want)
        return known

    def _load_made(self, known: Known, want: Needs) -> None:
        for origin in want.origins:
            entry, result = self.get("entries", origin[:2]), self.get("results", origin[:2])
            waits = result is not None and result.state == "waiting"
            if entry is not None and entry.digest[:8] == origin[2] and not waits:
                known.made.add(origin)

    def _load_codes(self, known: Known, want: Needs) -> None:
        for code in want.codes:
            owner = self.get("codes", code)
            if owner is not None:
                known.codes[code] = owner

    def _load_record(self, known: Known, name: bytes) -> None:
        if name in known.state.records or name in known.waiting:
            return
        known.waiting[name] = list(self.get("waiting", name, []))
        for key in known.waiting[name]:
            self._load_transaction(known, key)
        case = self.get("stuck", name)
        if case is not None:
            known.stuck[name] = case
            self._load_case(known, case)
        record: Record | None = self.get("records", name)
        if record is None:
            return
        known.state.records[name] = copy_record(record)
        known.villages[name] = self.get("villages", name, "")
        for held in {*record.disputes.values(), *record.cases}:
            self._load_case(known, held)
        if record.kept:  # it may be parted from that one, or another be joined to that one
            self._load_record(known, record.kept)

    def _load_transaction(self, known: Known, key: tuple[bytes, int]) -> None:
        """A waiting entry with the rest of its transaction, its log and the requests it names."""
        log, seq = key
        known.logs.setdefault(log, self.log(log))  # type: ignore[arg-type]
        if self.get("poisoned", key):
            known.poisoned.add(key)
        change = envelope(self.get("entries", key))
        numbers = range(seq, seq + 1)
        if change is not None:
            numbers = range(seq - change.i, seq - change.i + change.n)
        for number in numbers:
            if (log, number) in known.entries:
                continue
            entry = self.get("entries", (log, number))
            if entry is None:
                continue
            known.entries[log, number] = entry
            asked = needs(known.logs[log], [entry])
            self._load_codes(known, asked)
            self._load_made(known, asked)
            self._load_result(known, (log, number))
            other = envelope(entry)
            if other is not None:
                self._load_record(known, record_of(log, number, other, entry.data))

    def _load_case(self, known: Known, name: bytes) -> None:
        case: Case | None = self.get("cases", name)
        if case is None or name in known.state.cases:
            return
        known.state.cases[name] = msgspec.structs.replace(case)
        for other in (case.record, *case.others):
            self._load_record(known, other)
        for offer in case.offers:
            self._load_result(known, (offer.log, offer.seq))
        for log, seq, record in case.parked:
            known.entries[log, seq] = self.get("entries", (log, seq))
            if self.get("poisoned", (log, seq)):
                known.poisoned.add((log, seq))
            self._load_result(known, (log, seq))
            self._load_record(known, record)
            owner = self.log(log)
            if owner is not None:
                known.logs.setdefault(log, owner)
                self._load_codes(known, needs(owner, [known.entries[log, seq]]))

    def _load_result(self, known: Known, key: tuple[bytes, int]) -> None:
        result = self.get("results", key)
        if result is not None:
            known.results[key] = result

    def load_keys(self, known: Known, keys: Iterable[str]) -> None:
        for key in keys:
            holders = self.get("keys", key, [])
            known.keys[key] = list(holders)
            for name in holders:
                self._load_record(known, name)

    # -- writing

    def save(
        self, known: Known, log: LogState, fresh: list[Entry], decisions: list[Decision], at: int
    ) -> None:
        for entry in fresh:
            self.put("entries", (log.id, entry.seq), entry)
        self.announce(log.id, fresh)
        for name in {log.id, *known.logs}:
            self.put("logs", name, known.logs.get(name, log))
        for key, result in known.results.items():
            self.put("results", key, result)
        for decision in decisions:
            self._decided(known, decision)
        for name, record in known.state.records.items():
            self._project(name, record)
        for name, case in known.state.cases.items():
            self.put("cases", name, case)
        for code, name in known.codes.items():
            self.put("codes", code, name)
        touched = set(known.waiting) | {r.record for r in known.results.values()}
        for name in touched:
            self.put("waiting", name, known.waiting.get(name, []))
        for key in known.poisoned:
            self.put("poisoned", key, True)
        for name, stuck in known.stuck.items():
            self.put("stuck", name, stuck)

    def _decided(self, known: Known, decision: Decision) -> None:
        data = encode(decision)
        head = next_server_head(self.position.head, data)
        self.position = msgspec.structs.replace(
            self.position, server_seq=decision.server_seq, head=head
        )
        self.put("decisions", decision.server_seq, (data, head))
        for effect in decision.effects:
            if isinstance(effect, Created):
                self.put("villages", effect.record, village_of(effect, decision))
        self.put("cells", decision.server_seq, self._cells(known, decision))
        for effect in decision.effects:
            if isinstance(effect, Placed):
                self.put("villages", effect.record, effect.village)

    def _cells(self, known: Known, decision: Decision) -> set[Any]:
        cells: set[Any] = {decision.log}
        for effect in decision.effects:
            cells.add(getattr(effect, "log", b""))
            cells.add(getattr(effect, "village", ""))
            cells.add(getattr(getattr(effect, "lost", None), "log", b""))
            names = {getattr(effect, "record", b""), getattr(effect, "kept", b"")}
            names |= {*getattr(effect, "others", ())}
            case = known.state.cases.get(getattr(effect, "case", b""))
            if case is not None:
                names |= {case.record, *case.others}
            cells |= names
            for name in names:
                record = known.state.records.get(name) or self.get("records", name)
                if record is not None:
                    cells.update((record.device, self.get("villages", name)))
        return cells - {b"", ""}

    def _project(self, name: bytes, record: Record) -> None:
        before: Record | None = self.get("records", name)
        if before == record:
            return
        for key in record_keys(before) if before is not None else ():
            self.put("keys", key, [r for r in self.get("keys", key, []) if r != name])
        self.put("records", name, record)
        if not is_over(record):
            for key in record_keys(record):
                self.put("keys", key, [*self.get("keys", key, []), name])

    def remade(
        self, log: LogState, entries: list[Entry], *, late: bool
    ) -> set[tuple[bytes, int, bytes] | None]:
        logs = {one.id for one in self.logs(log.device)}
        said = [(entry, envelope(entry)) for entry in entries]
        again = late or any(c is not None and c.origin is not None for _, c in said)
        if log.central or (len(logs) < 2 and not again):
            return set()
        records = {record_of(log.id, e.seq, c, e.data) for e, c in said if c is not None}
        found = set()
        for key, result in self.registry.tables["results"].items():
            if result.record in records and key[0] in logs:
                change = envelope(self.get("entries", key))
                if change is not None and result.state not in ("waiting", "refused"):
                    found.add(change.origin)
        return found - {None}

    def ahead(self, log: bytes) -> list[Entry]:
        kept = self.get("ahead", log, {})
        return [kept[key] for key in sorted(kept)]

    def keep_ahead(self, log: bytes, entries: list[Entry]) -> None:
        kept = {(e.seq, e.digest): e for e in entries}
        self.put("ahead", log, self.get("ahead", log, {}) | kept)

    def drop_ahead(self, log: bytes, last: int) -> None:
        kept = self.get("ahead", log, {})
        if kept:
            self.put("ahead", log, {key: e for key, e in kept.items() if key[0] > last})

    def keep_fork(self, log: bytes, entries: list[Entry]) -> bool:
        known = self.get("forks", log, {})
        fresh = {(e.seq, e.data): e for e in entries if (e.seq, e.data) not in known}
        self.put("forks", log, known | fresh)
        return (entries[0].seq, entries[0].data) in fresh

    def forks(self, log: bytes) -> list[Entry]:
        return list(self.get("forks", log, {}).values())

    def order(self, log: bytes, kind: str, argument: int) -> None:
        restored = max(self.rows("restored").values(), default=ORDERS_SINCE)
        number = max(self.get("orders_given", log, 0), (restored - ORDERS_SINCE) // 60) + 1
        self.put("orders_given", log, number)
        self.put("orders", log, [*self.get("orders", log, []), (number, kind, argument)])

    def orders(self, log: bytes) -> list[tuple[int, str, int]]:
        return list(self.get("orders", log, []))

    def waiting(self) -> list[tuple[bytes, bytes, int]]:
        queues = sorted(self.rows("waiting").items())
        return [(record, log, seq) for record, queue in queues for log, seq in queue]

    def let_lie(self, log: bytes, seq: int) -> None:
        self.put("poisoned", (log, seq), True)

    def let_try(self, log: bytes, seq: int) -> None:
        self.put("poisoned", (log, seq), False)

    # -- pull

    def scope(self, device: bytes, at: int = 0) -> Scope:
        enrolled = self.known_scope(device, at)
        if enrolled is not None:
            return enrolled
        logs = tuple(k for k, log in self.rows("logs").items() if log.device == device)
        number = self.registry.numbers.get(device, 1)
        return Scope(device, self.registry.devices.get(device, ()), logs, number)

    def pull(
        self, scope: Scope, after: int, budget: int
    ) -> tuple[list[Decision], int, bytes, bool]:
        wanted = {scope.device, *scope.villages, *scope.logs}
        found: list[Decision] = []
        size = 0
        for number in self._numbers_after(after):
            if wanted.isdisjoint(self.get("cells", number)):
                continue
            data, _ = self.get("decisions", number)
            if found and size + len(data) > budget:
                last = found[-1].server_seq
                return found, last, self.get("decisions", last)[1], True
            found.append(self.registry.decision(data))
            size += len(data)
        return found, self.position.server_seq, self.position.head, False

    def _numbers_after(self, after: int) -> list[int]:
        """Numbers of decisions, which a restore leaves a gap in."""
        stored = self.registry.tables["decisions"]
        found: list[int] = []
        for number in reversed(stored):
            if number <= after:
                break
            found.append(number)
        return found[::-1]

    def head_at(self, number: int) -> bytes | None:
        found = self.get("decisions", number)
        return found[1] if found is not None else None

    def visible(self, scope: Scope, records: Iterable[bytes]) -> set[bytes]:
        def shown(name: bytes) -> bool:
            record = self.get("records", name)
            if record is None:
                return False
            village = self.get("villages", name)
            return record.device == scope.device or village in scope.villages

        return {name for name in records if shown(name)}

    def whole_before(self, record: bytes, number: int) -> Whole | None:
        stored, cells = self.rows("decisions"), self.rows("cells")
        earlier = (stored[n][0] for n in sorted(stored) if n < number and record in cells[n])
        decisions = (self.registry.decision(data) for data in earlier)
        return whole_before(record, decisions)

    def sums(self, cells: Collection[bytes], at: int) -> dict[bytes, int | None]:
        """Reckoned from the requests as they stand, so for the newest number only."""
        if at != self.position.server_seq:
            return dict.fromkeys(cells)
        found: dict[bytes, int | None] = {}
        for cell in cells:
            inside = (r for r in self.rows("records").values() if cell in self._cells_of(r))
            found[cell] = sum(weight(cell, self._face(one)) for one in inside) % MODULUS
        return found

    def _face(self, record: Record) -> bytes:
        """Reckoned once for a request and its cases as they stand: rows are never changed."""
        cases = [self.get("cases", n) for n in {*record.disputes.values(), *record.cases}]
        kept = self.registry.faces.get(record.id)
        if kept is not None and kept[0] is record and all(map(is_, kept[1], cases)):
            return kept[2]
        found = face(record, {case.id: case for case in cases if case is not None})
        self.registry.faces[record.id] = record, cases, found
        return found

    def _cells_of(self, record: Record) -> set[bytes]:
        return {record.device, self.get("villages", record.id, "").encode()}

    def recents(
        self, device: bytes, after: int, since: int, limit: int
    ) -> tuple[list[RecentTrace], int, bool]:
        """By the requests as they stand; every laptop is an office of its own here."""
        others = (r for r in self.rows("records").values() if r.device != device)
        fresh = [r for r in others if max(r.changed, r.created) > after]
        found = [RecentTrace(t, r.device.hex()[:4], since) for r in fresh for t in facts(r).traces]
        return found, self.position.server_seq, True

    def package(self) -> tuple[int, bytes]:
        return self.get("packages", "newest", (0, b""))

    def repairing(self, log: bytes, cells: Collection[str], at: int) -> None:
        self.put("repairs", (log, at), sorted(cells))

    def fill(
        self, village: str, mark: int, budget: int, device: bytes = b""
    ) -> tuple[list[Whole], int, bool]:
        cell = device or village.encode()
        here = [r for r in self.rows("records").values() if cell in self._cells_of(r)]
        state = State(cases=self.rows("cases"))
        found: list[Whole] = []
        for record in sorted(here, key=lambda r: (r.created, r.id)):
            if record.created <= mark and not (found and record.created == mark):
                continue
            if record.created != mark and found and budget <= 0:
                return found, mark, False
            found.append(whole_of(state, copy_record(record), self.get("villages", record.id)))
            budget -= len(encode(record))
            mark = record.created
        return found, mark, True

    def attempted(self, log: bytes, seq: int, scope: str) -> None:
        self.ended.append((log, seq, scope))

    def keep_log_state(self, log: bytes, state: str, limit: int | None) -> None:
        found = self.log(log)
        assert found is not None
        self.put("logs", log, msgspec.structs.replace(found, state=state, limit=limit))

    def heard(
        self,
        log: bytes,
        at: int,
        build: str,
        clock: int,
        cursor: int,
        health: Health | None = None,
    ) -> None:
        self.put("calls", log, (at, build, clock, cursor))
