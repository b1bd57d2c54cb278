"""Saving: what was judged is written, many rows to a statement, in the transaction that judged it.

Entries and decisions are appended and never changed, but for an entry's outcome. Everything else is
a projection of the decisions: of what was loaded, only what changed is written.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select

from models import names
from models.changes import KINDS, encode, record_of
from server.database.cells import Places
from server.database.devices import write_log
from server.database.loading import FORGED, POISONED, Loaded
from server.database.recents import Recents
from server.database.tables import (
    CaseRecordRow,
    CaseRow,
    CounterRow,
    DecisionRow,
    EntryRow,
    LogRow,
    RecordKeyRow,
    RecordNameRow,
    RecordRow,
    WaitingRow,
)
from server.database.work import table_of
from sync.judge import is_over
from sync.known import Facts, Known, LogState, Result, envelope, facts, next_server_head
from sync.logs import Entry
from sync.state import Decision, Outcome, Record

_counters = table_of(CounterRow)
_entries = table_of(EntryRow)
_decisions = table_of(DecisionRow)
_records = table_of(RecordRow)
_names = table_of(RecordNameRow)
_keys = table_of(RecordKeyRow)
_cases = table_of(CaseRow)
_case_records = table_of(CaseRecordRow)
_waiting = table_of(WaitingRow)
_logs = table_of(LogRow)


class Saving(Recents):
    """The writing half of the ledger's door."""

    def save(
        self,
        known: Known,
        log: LogState,
        fresh: list[Entry],
        decisions: list[Decision],
        at: int,
    ) -> None:
        """Write entries with their outcomes, decisions with their chain, and every projection.
        at: central's clock when the entries came."""
        assert isinstance(known, Loaded)
        places = Places(self, known, decisions)
        self._save_entries(known, log, fresh, decisions, at)
        self.announce(log.id, fresh)
        self._save_waiting(known)
        self._save_logs(known, log)
        if decisions:
            self._save_decisions(known, decisions)
            self.save_cells(known, decisions, places)
            self._save_records(known, decisions, places)
            self._save_cases(known)

    # -- entries

    def _save_entries(
        self,
        known: Loaded,
        log: LogState,
        fresh: list[Entry],
        decisions: list[Decision],
        at: int,
    ) -> None:
        decided = {
            (e.log, e.seq): d.server_seq
            for d in decisions
            for e in d.effects
            if isinstance(e, Outcome)
        }
        new = {(log.id, entry.seq) for entry in fresh}
        rows = [_entry_row(known, log.id, entry, decided, at) for entry in fresh]
        self.insert(_entries, rows)
        changed = [
            {"log": key[0], "seq": key[1], "decided": decided.get(key, 0), **_outcome(result)}
            for key, result in known.results.items()
            if key not in new and known.outcomes.get(key) != result
        ]
        self.update(_entries, ["log", "seq"], changed)

    def _save_waiting(self, known: Loaded) -> None:
        queue = {(r, log, seq) for r, keys in known.waiting.items() for log, seq in keys}
        fields = ("record", "log", "seq")
        self.insert(_waiting, [dict(zip(fields, row, strict=True)) for row in queue - known.queue])
        gone = [dict(zip(fields, row, strict=True)) for row in known.queue - queue]
        self.delete(_waiting, fields, gone)
        known.queue = queue

    def _save_logs(self, known: Loaded, log: LogState) -> None:
        logs = {state.id: state for state in (*known.logs.values(), log)}
        rows = {name: write_log(state) for name, state in logs.items()}
        changed = [row for name, row in rows.items() if known.books.get(name) != row]
        self.update(_logs, ["id"], changed)

    # -- decisions

    def _save_decisions(self, known: Loaded, decisions: list[Decision]) -> None:
        rows = []
        for decision in decisions:
            data = encode(decision)
            known.head = next_server_head(known.head, data)
            row = {"server_seq": decision.server_seq, "data": data, "head": known.head}
            row |= {"at": decision.at, "log": decision.log, "first": decision.first}
            rows.append(row | {"actor": decision.actor})
        self.insert(_decisions, rows)
        self.update(_counters, [], [{"server_seq": known.server_seq, "head": known.head}])
        self._standing = msgspec.structs.replace(
            self.standing(), server_seq=known.server_seq, head=known.head
        )

    # -- requests

    def _save_records(self, known: Loaded, decisions: list[Decision], places: Places) -> None:
        times = {d.server_seq: d.at for d in decisions}
        new: list[dict[str, Any]] = []
        changed: list[dict[str, Any]] = []
        keys: list[dict[str, Any]] = []
        traces: dict[bytes, tuple[str, ...]] = {}
        for record in known.state.records.values():
            data = encode(record)
            before = known.records.get(record.id)
            if data == before:
                continue
            about = facts(record)
            if not is_over(record):
                keys += [{"key": key, "record": record.id} for key in sorted({*about.keys})]
            row = {"id": record.id, "data": data, **promoted(record, about)}
            row["changed_at"] = decisions[-1].at
            row["village"] = places.villages[record.id]
            traces[record.id] = about.traces
            known.records[record.id] = data
            if before is not None:
                changed.append(row)
                continue
            row |= {"created": record.created, "created_at": times[record.created]}
            new.append(row | {"device": record.device})
        self.delete(_keys, ["record"], [{"record": row["id"]} for row in changed])
        self._save_names(new, changed)
        self.insert(_records, new)
        self.update(_records, ["id"], changed)
        self.insert(_keys, keys)
        self.save_traces(traces, known.state.records, [row["id"] for row in changed], times)

    def _save_names(self, new: list[dict[str, Any]], changed: list[dict[str, Any]]) -> None:
        """Words of names, before the requests themselves are written."""
        here = select(_records.c.id, _records.c.name, _records.c.created)
        here = here.where(_records.c.city == self.city)
        before = {row.id: row for row in self.each(here, _records.c.id, [r["id"] for r in changed])}
        renamed = [row for row in changed if before[row["id"]].name != row["name"]]
        self.delete(_names, ["record"], [{"record": row["id"]} for row in renamed])
        made = [(row["id"], row["created"], row["name"]) for row in new]
        made += [(row["id"], before[row["id"]].created, row["name"]) for row in renamed]
        self.insert(
            _names,
            [
                {"word": word.encode(), "created": created, "record": record}
                for record, created, name in made
                for word in names.search_words(name)
            ],
        )

    # -- cases

    def _save_cases(self, known: Loaded) -> None:
        new: list[dict[str, Any]] = []
        changed: list[dict[str, Any]] = []
        about: list[dict[str, Any]] = []
        for case in known.state.cases.values():
            data = encode(case)
            before = known.cases.get(case.id)
            if data == before:
                continue
            known.cases[case.id] = data
            row = {"id": case.id, "state": case.state, "changed": case.changed, "data": data}
            if before is not None:
                changed.append(row)
                continue
            new.append(row | {"kind": case.kind, "opened": case.opened})
            concerned = {case.record, *case.others} - {b""}
            about += [{"record": record, "case_id": case.id} for record in sorted(concerned)]
        self.insert(_cases, new)
        self.update(_cases, ["id"], changed)
        self.insert(_case_records, about)


def _entry_row(
    known: Loaded,
    log: bytes,
    entry: Entry,
    decided: dict[tuple[bytes, int], int],
    at: int,
) -> dict[str, Any]:
    change = envelope(entry)
    place = (log, entry.seq)
    result = known.results[place]
    record = record_of(log, entry.seq, change, entry.data) if change is not None else b""
    mark = POISONED * (place in known.poisoned) + FORGED * (place in known.forged)
    return {
        "log": log,
        "seq": entry.seq,
        "data": entry.data,
        "head": entry.head,
        "kind": change.kind if change is not None and change.kind in KINDS else "",
        "mark": mark,
        "decided": decided.get(place, 0),
        "received_at": at,
        **_outcome(result),
        "record": record or result.record,
    }


def _outcome(result: Result) -> dict[str, Any]:
    return {
        "state": result.state,
        "record": result.record,
        "case_id": result.case,
        "problem": result.problem,
        "part": result.part,
    }


def promoted(record: Record, about: Facts) -> dict[str, Any]:
    """The columns by which a request is searched and listed."""
    block, number = record.code or (None, None)
    return {
        "service": record.service,
        "edition": record.edition,
        "status": record.status,
        "block": block,
        "number": number,
        "name": about.name,
        "name_key": names.key(about.name),
        "nik": about.nik,
        "kept": record.kept,
        "cases": len({*record.disputes.values(), *record.cases}),
        "changed": record.changed,
    }
