"""A laptop of the simulated world: the production Exchange over a store that is a few dicts.

What it commits survives its crashes; what it had in hand does not. It may write several logs, one
after the other: the production `succession` opens the next one, over the few verbs of a desk and a
store that `Desk` offers here.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from models.changes import (
    Change,
    OperatorEntry,
    Session,
    encode,
    raw,
)
from sync.digest import MODULUS, face, packed, total, weight
from sync.exchange import (
    Absorbed,
    Acknowledged,
    Compared,
    Exchange,
    Filled,
    Missing,
    Ordered,
    Position,
    Rewound,
    Scoped,
    Settled,
    Step,
)
from sync.identity import Identity, sign
from sync.known import LogState, facts
from sync.logs import Entry, Open, log_id, next_head, opening_head, session_message
from sync.messages import OWN, Branch, Checkpoint, Cursor, Order, Sight, Told
from sync.notices import Notice, notices
from sync.state import (
    Created,
    Decision,
    Left,
    Outcome,
    Placed,
    State,
    Whole,
    copy_record,
)
from sync.view import Own, View, view
from tests.simulation.books import Book, Screen, body_of, change_of, name_in
from tests.simulation.papers import Papers
from tests.simulation.rewinding import Rewinding


class Laptop(Rewinding):
    """One van or village laptop: its logs, its snapshot and what its author was told."""

    def __init__(
        self, number: int, seed: bytes, villages: tuple[str, ...], boot: int, block: int = 0
    ) -> None:
        self.number = number
        self.seed = seed
        self.operator_seed = seed[64:96]
        self.operator = log_id(Identity(self.operator_seed, seed[32:64]).sign_key)
        self.device = seed[96:112]
        self.villages = villages
        self.boot = boot
        self.drawn = 0
        self.books: list[Book] = []
        self.open_book(Identity(seed[:32], seed[32:64]), (b"", 0, b""), "enrolled", block)
        self.cursor = Cursor()
        self.lineage: tuple[Branch, ...] = ()
        self.asked: set[bytes] | None = None
        self.snapshot = State()
        self.scope = 0
        self.marks: dict[str, int] = {}
        self.cells: dict[bytes, str] = {}
        self.compares = False
        self.repairs: set[str] = set()
        self.repaired = 0
        self.told: dict[tuple[bytes, int], Told] = {}
        self.absorbed: set[tuple[bytes, int]] = set()
        self.voided: dict[tuple[bytes, int], str] = {}
        self.returned: list[tuple[tuple[bytes, int], str, str]] = []
        self.departed: list[tuple[int, int]] = []
        self.notices: list[Notice] = []
        self.orders: list[Order] = []
        self.known: set[bytes] = {self.log}
        self.papers = Papers()
        self.mark = (self.log, 0, self.head)
        self.session = 0
        self.clock = 0
        self.booted = 0

    def open_book(
        self, identity: Identity, parent: tuple[bytes, int, bytes], reason: str, block: int
    ) -> Book:
        """A new log goes on."""
        device = self.device
        opening = encode(Open(identity.sign_key, identity.seal_key, device, *parent, reason))
        self.books.append(Book(identity, opening, block))
        self.session = 0
        return self.books[-1]

    def draw_identity(self) -> Identity:
        """Keys of its next log. Two copies of one laptop do not draw the same."""
        self.drawn += 1
        place = f"/{self.number}/{self.drawn}".encode()
        seed = hashlib.shake_256(self.seed + place).digest(64)
        return Identity(seed[:32], seed[32:])

    # -- the newest log

    @property
    def book(self) -> Book:
        return self.books[-1]

    @property
    def identity(self) -> Identity:
        return self.book.identity

    @property
    def log(self) -> bytes:
        return self.book.id

    @property
    def opening_head(self) -> bytes:
        return opening_head(self.book.opening)

    @property
    def entries(self) -> list[Entry]:
        return self.book.entries

    @entries.setter
    def entries(self, entries: list[Entry]) -> None:
        self.book.entries = entries

    @property
    def head(self) -> bytes:
        return self.book.head

    @property
    def last(self) -> int:
        return self.book.seq

    def log_state(self, block: int) -> LogState:
        """The log as central learns of it at enrolment."""
        me = self.identity
        head = self.opening_head
        return LogState(self.log, self.device, 0, head, me.sign_key, me.seal_key, block=block)

    def logs(self) -> set[bytes]:
        return {book.id for book in self.books}

    def find(self, log: bytes) -> Book:
        return next(book for book in self.books if book.id == log)

    # -- writing

    def append(self, changes: Sequence[Change]) -> list[Entry]:
        """Commit one transaction to the log."""
        fresh = []
        for change in changes:
            data = encode(change)
            entry = Entry(self.last + 1, data, next_head(self.log, self.head, data))
            self.entries.append(entry)
            fresh.append(entry)
        self.mark = (self.log, self.last, self.head)
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
        for book in self.books:
            for entry in book.rows(0, book.to_send):
                if (book.id, entry.seq) in self.absorbed:
                    continue
                body = body_of(entry)
                if body is not None and name_in(book.id, entry.seq, entry.data) == record:
                    found.append(Own(book.id, entry.seq, change_of(entry.data), body))
        return found

    def look(self, record: bytes) -> View | None:
        found = self.snapshot.records.get(record)
        return view(found, self.snapshot.cases, self.own_work(record), self.logs())

    def display(self, record: bytes) -> Screen | None:
        """Draw a request on the screen."""
        shown = self.look(record)
        if shown is None:
            return None
        seen, name = self.cursor.server_seq, self.cursor.incarnation
        return Screen(record, seen, self.last, shown.units, shown.status, name, self.log)

    # -- syncing

    def exchange(self, book: Book | None = None) -> Exchange:
        book = book or self.book
        doubtful = self.asked is not None and book.id not in self.asked
        position = Position(
            book.id,
            book.stored,
            book.stored_head,
            max(book.to_send, book.stored),
            self.cursor,
            book.requests,
            book.acted,
            self.lineage,
            doubtful,
            book is not self.book and book.stored >= book.to_send,
        )
        return Exchange(position, "sim", book.head_at, self.sight)

    def due(self) -> list[Book]:
        """Logs to be exchanged: older ones with something to send, or that a restored central has
        not spoken of yet, then the newest."""
        *older, newest = self.books
        return [
            book
            for book in older
            if book.stored < book.to_send
            or (self.asked is not None and book.id not in self.asked)
            or self.papers.waiting(book.id, book.to_send)
        ] + [newest]

    def sight(self) -> Sight:
        """What is known of the scope: villages that are not whole here have a fill mark; what the
        others add up to, when all that central had was read."""
        fills, repairs = sorted(self.marks.items()), sorted(self.repairs)
        newest = self._newest_proof()
        even = newest is not None and newest.server_seq == self.cursor.server_seq
        if not self.compares or newest is None or not even:
            return Sight(self.scope, fills, b"", repairs)
        if newest.incarnation != self.cursor.incarnation:
            return Sight(self.scope, fills, b"", repairs)
        cells = {OWN, *self.villages} - self.marks.keys()
        return Sight(self.scope, fills, total(self.sums(cells).values()), repairs)

    def _newest_proof(self) -> Checkpoint | None:
        proofs = [p for b in self.books for p in b.proofs[-1:]]
        return max(proofs, key=lambda p: (p.at, p.server_seq), default=None)

    def sums(self, cells: Collection[str]) -> dict[str, int]:
        """What cells add up to here."""
        found = dict.fromkeys(cells, 0)
        for record in self.snapshot.records.values():
            face_of = face(record, self.snapshot.cases)
            village = self.cells.get(record.id, "")
            if village in found:
                found[village] += weight(village.encode(), face_of)
            if OWN in found and record.device == self.device:
                found[OWN] += weight(self.device, face_of)
        return {cell: number % MODULUS for cell, number in found.items()}

    def _compare(self, step: Compared) -> None:
        if self.cursor != step.cursor:
            return
        mine = self.sums([cell for cell, _ in step.sums])
        for cell, data in step.sums:
            if packed(mine[cell]) != data:
                self.marks[cell] = 0
                self.repairs.add(cell)
                self.repaired += 1

    def head_at(self, seq: int) -> bytes | None:
        return self.book.head_at(seq)

    def pending(self, first: int, most: int, book: Book | None = None) -> list[Entry]:
        """Whole transactions from entry `first`, about `most` entries."""
        book = book or self.book
        found: list[Entry] = []
        for entry in book.rows(first - 1, book.to_send):
            jumps = bool(found) and entry.seq != found[-1].seq + 1  # over a hole
            if jumps or (len(found) >= most and change_of(entry.data).i == 0):
                break
            found.append(entry)
        return found

    def apply(self, step: Step, book: Book | None = None) -> None:
        """One commit of the store."""
        book = book or self.book
        match step:
            case Acknowledged(checkpoint=checkpoint):
                if checkpoint.seq >= book.stored:
                    book.stored, book.stored_head = checkpoint.seq, checkpoint.head
                book.proofs.append(checkpoint)
                if not self.cursor.incarnation:
                    self.cursor = Cursor(checkpoint.incarnation)
                if self.asked is not None:
                    self.asked.add(book.id)
            case Settled(outcomes=outcomes):
                for told in outcomes:
                    for seq in range(told.first, told.last + 1):
                        self.told[book.id, seq] = told
            case Absorbed():
                self._read_on(step)
            case Scoped(territory=territory):
                self._rescope(territory.number, tuple(territory.villages))
            case Filled():
                self._fill(step)
            case Ordered(order=order):
                self.orders.append(order)
                book.acted = max(book.acted, order.number)
            case Missing(first=first):
                if book.stored >= first:
                    head = book.head_at(first - 1)
                    assert head is not None
                    book.stored, book.stored_head = first - 1, head
            case Rewound():
                self._rewind(step, book)
            case Compared():
                self._compare(step)

    def _read_on(self, step: Absorbed) -> None:
        """What was read before is passed over."""
        same = self.cursor.incarnation == step.cursor.incarnation
        again = self.cursor.server_seq if same else 0
        if step.cursor.server_seq < again:
            return
        for decision in step.decisions:
            if decision.server_seq > again:
                self._absorb(decision)
        self.cursor = step.cursor
        newest = self._newest_proof()
        if self.scope > 0 and newest and newest.server_seq == self.cursor.server_seq:
            strange = (n for n in self.snapshot.records if self.cells.get(n) not in self.villages)
            self._drop(list(strange))
        if not self._holds(step.cursor.server_seq + 1):
            self._read_again()

    def _holds(self, number: int) -> bool:
        """Is it from before the newest restore? See `vault/rewind.py`."""
        return bool(self.lineage) and number <= self.lineage[-1].base

    def _read_again(self) -> None:
        for key in [key for key in self.voided if key in self.absorbed]:
            before, after = self.voided.pop(key), self.told[key]
            self.returned.append((key, before, after.state))
            if before != after.state:
                about = ("", "", "", after.case, self.cursor.server_seq, 0)
                self.notices.append(Notice("restored", b"", "", before, after.state, *about))

    def _rescope(self, number: int, villages: tuple[str, ...]) -> None:
        if number <= self.scope:
            return
        if self.scope or self.cursor.server_seq:
            self.marks |= {v: 0 for v in villages if v not in self.villages}
        self.marks = {v: m for v, m in self.marks.items() if v in (*villages, OWN)}
        self.repairs &= self.marks.keys()
        self.scope, self.villages = number, villages
        self._drop(n for n in list(self.snapshot.records) if self.cells.get(n) not in villages)

    def _drop(self, names: Any) -> None:
        """Forget requests that are not this laptop's to see; own ones stay."""
        for name in names:
            record = self.snapshot.records.get(name)
            if record is not None and record.device != self.device:
                del self.snapshot.records[name]

    def _fill(self, step: Filled) -> None:
        if step.mark < self.marks.get(step.cell, step.mark + 1):
            return
        if step.cell in self.repairs:
            self._take_out(step)
        for whole in step.wholes:
            self.snapshot.records[whole.state.id] = copy_record(whole.state)
            self.snapshot.cases |= {case.id: case for case in whole.cases}
            self.cells[whole.state.id] = whole.cell
        self.marks[step.cell] = step.mark
        if step.done:
            del self.marks[step.cell]
            self.repairs.discard(step.cell)

    def _take_out(self, step: Filled) -> None:
        """Of the part of a cell that is told anew, what is here and not told."""
        told, mark = {whole.state.id for whole in step.wholes}, self.marks[step.cell]
        for name, record in list(self.snapshot.records.items()):
            mine = record.device == self.device
            inside = mine if step.cell == OWN else self.cells.get(name) == step.cell
            due = mark < record.created and (step.done or record.created <= step.mark)
            if inside and due and name not in told:
                if step.cell == OWN or not mine:
                    del self.snapshot.records[name]
                self.cells.pop(name, None)

    def _absorb(self, decision: Decision) -> None:
        records = self.snapshot.records
        kinds = {type(e) for e in decision.effects}
        left = [e.record for e in decision.effects if type(e) is Left] if Left in kinds else []
        kept = {name: records[name] for name in left if name in records}
        self.departed += [(decision.server_seq, record.created) for record in kept.values()]
        self.snapshot.fold(decision)
        for name, record in kept.items():
            if record.device == self.device:
                records[name] = record
        if not kinds.isdisjoint((Created, Whole, Placed)):
            self._locate(decision)
        mine = self.logs()
        self.notices += notices(decision, mine, self.snapshot)
        for effect in decision.effects:
            if type(effect) is Outcome and effect.log in mine:
                self._outcome(effect, decision)

    def _locate(self, decision: Decision) -> None:
        """Which village the requests belong to that come or move with it."""
        for e in decision.effects:
            match e:
                case Created() if e.record in self.snapshot.records:
                    self.cells[e.record] = facts(self.snapshot.records[e.record]).village
                case Whole():
                    self.cells[e.state.id] = e.cell
                case Placed():
                    self.cells[e.record] = e.village

    def _outcome(self, effect: Outcome, decision: Decision) -> None:
        key = (effect.log, effect.seq)
        if effect.seq > self.find(effect.log).seq:
            return  # of a time that this disk does not remember
        before = ""
        if effect.state != "waiting" and not self._holds(decision.server_seq):
            before = self.voided.pop(key, "") or self._of_heir(key, effect.state)
        if before:
            self.returned.append((key, before, effect.state))
        if before and before != effect.state:
            about = ("", "", "", effect.case, decision.server_seq, decision.at)
            self.notices.append(Notice("restored", b"", "", before, effect.state, *about))
        self.absorbed.add(key)
        self.told[key] = Told(effect.seq, effect.seq, effect.state, effect.case, effect.problem)

    def _of_heir(self, key: tuple[bytes, int], state: str) -> str:
        """The outcome before a restore of what this entry made again, as `vault/rewind.py`."""
        made = self._first_made(key)
        if made[:2] == key or state == "merged":
            return ""
        for old in list(self.voided):
            book = self.find(old[0])
            beyond = old[1] > book.to_send or old[1] in book.gone
            if beyond and self._first_made(old) == made:
                return self.voided.pop(old)
        return ""

    def _first_made(self, key: tuple[bytes, int]) -> tuple[bytes, int, bytes]:
        entry = self.find(key[0]).entries[key[1] - 1]
        return change_of(entry.data).origin or (*key, entry.digest[:8])

    def heirs(self, key: tuple[bytes, int]) -> list[tuple[bytes, int]]:
        """Entries that made this one again."""
        made = self._first_made(key)
        places = [(book.id, entry.seq) for book in self.books for entry in book.rows()]
        return [place for place in places if place != key and self._first_made(place) == made]

    # -- copies of its disk

    def image(self) -> Laptop:
        """Its disk as it is now, as a copy has it."""
        other = copy.copy(self)
        other.books = [book.twin() for book in self.books]
        records = {name: copy_record(r) for name, r in self.snapshot.records.items()}
        cases = {name: msgspec.structs.replace(c) for name, c in self.snapshot.cases.items()}
        other.snapshot = State(records, cases)
        for name in ("marks", "cells", "told", "voided"):
            setattr(other, name, dict(getattr(self, name)))
        for name in ("absorbed", "known", "repairs"):
            setattr(other, name, set(getattr(self, name)))
        other.asked = set(self.asked) if self.asked is not None else None
        other.notices, other.orders = list(self.notices), list(self.orders)
        other.returned, other.departed = list(self.returned), list(self.departed)
        other.papers = self.papers.twin()
        return other

    @property
    def is_restored(self) -> bool:
        """Is the log behind its mark? The mark lies outside the database."""
        log, seq, head = self.mark
        mine = [book for book in self.books if book.id == log]
        return not mine or mine[0].head_at(seq) != head
