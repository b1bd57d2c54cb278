"""A laptop of the simulated world: the production Exchange over a store that is a few dicts.

What it commits survives its crashes; what it had in hand does not.
"""

from __future__ import annotations

from typing import Any

import msgspec

from models.changes import (
    Body,
    Change,
    OperatorEntry,
    Session,
    decode_body,
    decode_change,
    encode,
    raw,
    record_of,
)
from sync.exchange import (
    Absorbed,
    Acknowledged,
    Exchange,
    Filled,
    Position,
    Scoped,
    Settled,
    Step,
)
from sync.identity import Identity, sign
from sync.known import LogState, facts
from sync.logs import Entry, Open, log_id, next_head, opening_head, session_message
from sync.messages import Checkpoint, Cursor, Sight, Told
from sync.notices import Notice, notices
from sync.state import Created, Outcome, Placed, State, Whole, Wrote
from sync.view import Own, View, view


class Screen(msgspec.Struct):
    """A request as it was drawn for the author: `seen` and `own` stay what they were then."""

    record: bytes
    seen: int
    own: int
    units: dict[str, Any]
    status: str


class Laptop:
    """One van or village laptop: its log, its snapshot and what its author was told."""

    def __init__(self, number: int, seed: bytes, villages: tuple[str, ...], boot: int) -> None:
        self.number = number
        self.identity = Identity(seed[:32], seed[32:64])
        self.operator_seed = seed[64:96]
        self.operator = log_id(Identity(self.operator_seed, seed[32:64]).sign_key)
        self.log = log_id(self.identity.sign_key)
        self.device = seed[96:112]
        self.villages = villages
        self.boot = boot
        opening = Open(
            self.identity.sign_key, self.identity.seal_key, self.device, b"", 0, b"", "enrolled"
        )
        self.opening_head = opening_head(encode(opening))
        self.entries: list[Entry] = []
        self.stored, self.stored_head = 0, self.opening_head
        self.cursor = Cursor()
        self.requests = 0
        self.snapshot = State()
        self.scope = 0
        self.marks: dict[str, int] = {}
        self.cells: dict[bytes, str] = {}
        self.told: dict[int, Told] = {}
        self.absorbed: set[int] = set()
        self.notices: list[Notice] = []
        self.proofs: list[Checkpoint] = []
        self.session = 0
        self.clock = 0
        self.booted = 0

    def log_state(self, block: int) -> LogState:
        """The log as central learns of it at enrolment."""
        return LogState(
            self.log,
            self.device,
            0,
            self.opening_head,
            self.identity.sign_key,
            self.identity.seal_key,
            block=block,
        )

    # -- writing

    @property
    def head(self) -> bytes:
        return self.entries[-1].head if self.entries else self.opening_head

    @property
    def last(self) -> int:
        return len(self.entries)

    def append(self, changes: list[Change]) -> list[Entry]:
        """Commit one transaction to the log."""
        fresh = []
        for change in changes:
            data = encode(change)
            entry = Entry(self.last + 1, data, next_head(self.log, self.head, data))
            self.entries.append(entry)
            fresh.append(entry)
        return fresh

    def change(
        self,
        kind: str,
        body: Any,
        record: bytes = b"",
        *,
        place: tuple[int, int] = (0, 1),
        form: tuple[str, int] = ("", 0),
        screen: Screen | None = None,
    ) -> Change:
        seen = screen.seen if screen is not None else self.cursor.server_seq
        own = screen.own if screen is not None else None
        return Change(
            kind,
            record,
            *place,
            *form,
            self.session,
            self.clock,
            self.booted,
            self.boot,
            1,
            seen,
            own,
            raw(body),
        )

    def open_session(self) -> None:
        """First entries of the log: its operator, and a PIN that opened it."""
        key = Identity(self.operator_seed, self.operator_seed).sign_key
        self.append([self.change("operator", OperatorEntry(self.operator, "Sari", key))])
        message = session_message(self.log, self.last + 1, self.head, self.operator)
        session = Session(self.operator, sign(self.operator_seed, message))
        self.append([self.change("session", session)])
        self.session = self.last

    # -- reading

    def own_work(self, record: bytes) -> list[Own]:
        """Own entries about a request that no absorbed decision answers yet."""
        found = []
        for entry in self.entries:
            if entry.seq in self.absorbed:
                continue
            change = decode_change(entry.data)
            if change.kind not in ("create", "edit"):
                continue
            if record_of(self.log, entry.seq, change, entry.data) != record:
                continue
            try:
                body = decode_body(change.body)
            except msgspec.DecodeError:
                continue
            found.append(Own(self.log, entry.seq, change, body))
        return found

    def look(self, record: bytes) -> View | None:
        found = self.snapshot.records.get(record)
        return view(found, self.snapshot.cases, self.own_work(record), {self.log})

    def display(self, record: bytes) -> Screen | None:
        """Draw a request on the screen."""
        shown = self.look(record)
        if shown is None:
            return None
        return Screen(record, self.cursor.server_seq, self.last, shown.units, shown.status)

    # -- syncing

    def exchange(self) -> Exchange:
        position = Position(
            self.log, self.stored, self.stored_head, self.last, self.cursor, self.requests
        )
        return Exchange(position, "sim", self.head_at, self.sight)

    def sight(self) -> Sight:
        """What is known of the scope: villages that are not whole here have a fill mark."""
        return Sight(self.scope, sorted(self.marks.items()))

    def head_at(self, seq: int) -> bytes | None:
        if seq == 0:
            return self.opening_head
        return self.entries[seq - 1].head if seq <= self.last else None

    def pending(self, first: int, most: int) -> list[Entry]:
        """Whole transactions from entry `first`, about `most` entries."""
        found: list[Entry] = []
        for entry in self.entries[first - 1 :]:
            change = decode_change(entry.data)
            if len(found) >= most and change.i == 0:
                break
            found.append(entry)
        return found

    def apply(self, step: Step) -> None:
        """One commit of the store."""
        match step:
            case Acknowledged(checkpoint=checkpoint):
                self.stored, self.stored_head = checkpoint.seq, checkpoint.head
                self.proofs.append(checkpoint)
                self.requests += 1
            case Settled(outcomes=outcomes):
                for told in outcomes:
                    for seq in range(told.first, told.last + 1):
                        self.told[seq] = told
            case Absorbed(decisions=decisions, cursor=cursor):
                for decision in decisions:
                    self._absorb(decision)
                self.cursor = cursor
            case Scoped(territory=territory):
                self._rescope(territory.number, tuple(territory.villages))
            case Filled():
                self._fill(step)

    def _rescope(self, number: int, villages: tuple[str, ...]) -> None:
        if number <= self.scope:
            return
        if self.scope or self.cursor.server_seq:
            self.marks |= {v: 0 for v in villages if v not in self.villages}
        self.marks = {v: mark for v, mark in self.marks.items() if v in villages}
        self.scope, self.villages = number, villages
        for name, record in list(self.snapshot.records.items()):
            if record.device != self.device and self.cells.get(name) not in villages:
                del self.snapshot.records[name]

    def _fill(self, step: Filled) -> None:
        if step.mark < self.marks.get(step.cell, step.mark + 1):
            return
        for whole in step.wholes:
            self.snapshot.records[whole.state.id] = whole.state
            self.snapshot.cases |= {case.id: case for case in whole.cases}
            self.cells[whole.state.id] = whole.cell
        self.marks[step.cell] = step.mark
        if step.done:
            del self.marks[step.cell]

    def _absorb(self, decision: Any) -> None:
        self.snapshot.fold(decision)
        for e in decision.effects:
            match e:
                case Created() if e.record in self.snapshot.records:
                    self.cells[e.record] = facts(self.snapshot.records[e.record]).village
                case Whole():
                    self.cells[e.state.id] = e.cell
                case Placed():
                    self.cells[e.record] = e.village
        self.notices += notices(decision, {self.log}, self.snapshot)
        for effect in decision.effects:
            if isinstance(effect, Outcome) and effect.log == self.log:
                self.absorbed.add(effect.seq)
                self.told[effect.seq] = Told(
                    effect.seq, effect.seq, effect.state, effect.case, effect.problem
                )


def wrote_by(decision: Any, log: bytes) -> list[Wrote]:
    """Writes of one log in a decision."""
    mine = (e for e in decision.effects if isinstance(e, Wrote))
    return [e for e in mine if (e.author or (decision.log, decision.first))[0] == log]


def body_of(entry: Entry) -> Body | None:
    """The body of a create or edit, None otherwise."""
    try:
        change = decode_change(entry.data)
        return decode_body(change.body) if change.kind in ("create", "edit") else None
    except msgspec.DecodeError:
        return None
