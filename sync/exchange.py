"""Exchange: the laptop's side of a sync, without socket, disk or clock.

The courier gives it what the store knows and what waits to be sent; it gives the request, takes the
reply, and says as data what the store has to write. Each step is written in one commit before the
next is looked at, so that a kill between any two loses nothing: the same request can be made again.

    exchange = Exchange(position, build, store.head_at)
    while not exchange.finished:
        request = exchange.request(store.pending(...), at)
        ...   over the road   ...
        for step in exchange.receive(reply, pages): store.apply(step)

Requests may be made one behind the other before the first reply is here: each goes on after the
last entry that was *sent*, and only the last asks for pages. Replies find their request by name.
One that says less than was sent makes all after that be sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from models.problems import Problem
from sync.echo import Differs, Own
from sync.lineage import common
from sync.logs import HEAD_WIRE_BYTES, Entry, hole_in, reaches
from sync.messages import (
    Batch,
    Branch,
    Checkpoint,
    Cursor,
    Fill,
    Health,
    Order,
    Page,
    Piece,
    Recent,
    Reply,
    Request,
    Sight,
    Territory,
    Told,
    decode,
    encode,
    name_of,
)
from sync.state import Decision, Whole

REPLY_BUDGET_BYTES = 1024 * 1024
SLICE_DECISIONS = 200
"""Decisions written in one commit where no page says otherwise."""


class Position(msgspec.Struct, frozen=True):
    """Where a log stands on its laptop.

    log: its id. stored, stored_head: newest entry that central proved to hold, and the chain value
    there (h_0 at the beginning). last: newest own entry. cursor: how far central was read. number:
    of the last request made. order: number of the last order acted on. lineage: what is known of
    central's restores. doubtful: central was restored since it proved what it holds of this log.
    closed: another log goes on for this one, and nothing of it is left to send.
    """

    log: bytes
    stored: int
    stored_head: bytes
    last: int
    cursor: Cursor
    number: int
    order: int = 0
    lineage: tuple[Branch, ...] = ()
    doubtful: bool = False
    closed: bool = False


class Acknowledged(msgspec.Struct, frozen=True):
    """Central proved what it holds; `proof` is the signed frame, to be kept. A cursor that was
    never moved takes its incarnation."""

    checkpoint: Checkpoint
    proof: bytes


class Settled(msgspec.Struct, frozen=True):
    """Outcomes of own entries."""

    outcomes: tuple[Told, ...]


class Absorbed(msgspec.Struct, frozen=True):
    """Decisions to fold into the snapshot, in order, and the cursor after them."""

    decisions: tuple[Decision, ...]
    cursor: Cursor


class Ordered(msgspec.Struct, frozen=True):
    """A verified order that was not acted on before."""

    order: Order


class Missing(msgspec.Struct, frozen=True):
    """Central lacks entries first..last; they have to be sent before what came after them."""

    first: int
    last: int


class Scoped(msgspec.Struct, frozen=True):
    """The laptop's villages from now on. What was only here for another one is dropped; a new one
    is filled from the beginning."""

    territory: Territory


class Filled(msgspec.Struct, frozen=True):
    """How requests of a village stand at the cursor: all that were created up to `mark` and after
    the last one. done: the village is whole here."""

    cell: str
    wholes: tuple[Whole, ...]
    mark: int
    done: bool


class Indexed(msgspec.Struct, frozen=True):
    """A part of the index of recent requests; None for "nothing new up to decision `upto`"."""

    recent: Recent | None
    upto: int


class Furthered(msgspec.Struct, frozen=True):
    """A piece of a package of reference data."""

    piece: Piece


class Compared(msgspec.Struct, frozen=True):
    """What each cell adds up to at central, as of `cursor`: one that adds up to something else here
    is read again."""

    cursor: Cursor
    sums: tuple[tuple[str, bytes], ...]


class Rewound(msgspec.Struct, frozen=True):
    """Central was restored and knows of this log only entries up to `stored` (chain value `head`).

    upto: newest decision that still holds; what was read beyond it is forgotten and read again.
    Proofs and outcomes of entries beyond `stored` are void, and those are sent again.
    """

    incarnation: bytes
    upto: int
    lineage: tuple[Branch, ...]
    stored: int
    head: bytes


Step = (
    Acknowledged
    | Settled
    | Absorbed
    | Ordered
    | Missing
    | Rewound
    | Scoped
    | Filled
    | Compared
    | Indexed
    | Furthered
)


HeadAt = Callable[[int], bytes | None]
"""Own chain value after entry n (h_0 for 0), None where there is no such entry. Central may hold
more than this request carried: an earlier one arrived whose answer was lost."""


class _Asked(msgspec.Struct, frozen=True):
    """A request on its way: its last entry (number and chain value; those of the newest stored one
    where it carries none), and whether it asks for pages."""

    seq: int
    head: bytes
    pages: bool


class Exchange:
    """One sync of one log: as many round trips as it takes, usually one.

    finished: nothing is left to send and central has nothing more to tell. parted: number of the
    last own entry on which both agree, once central turns out to hold another continuation of this
    log (a copy of the laptop wrote it, or this laptop was put back from an older image): a new log
    has to go on from there. None as long as there is one history. sent: number of the newest entry
    that is stored or on its way. rewound: central turned out to be restored from a backup; begin
    a new exchange from what the store knows after the steps are written. sight: gives what the
    store knows of its scope by now. health: of the laptop; it goes with the first request.
    """

    def __init__(
        self,
        position: Position,
        build: str,
        head_at: HeadAt,
        sight: Callable[[], Sight | None] = lambda: None,
        own: Own | None = None,
        health: Health | None = None,
    ) -> None:
        self.own = own
        self.health = health
        self.sight = sight
        self.position = position
        self.build = build
        self.finished = False
        self.parted: int | None = None
        self.rewound = False
        self.head_at = head_at
        self.sent = position.stored
        self._sent_head = position.stored_head
        self._asked: dict[bytes, _Asked] = {}
        self._compared = False
        self._indexed = False  # it has a part of the index of recent requests

    @property
    def next_entry(self) -> int:
        """Number of the first entry to send."""
        return self.sent + 1

    @property
    def asks_first(self) -> bool:
        """Central was restored and has not said yet what it holds of this log. No entry goes out
        before: of a copy that came first it may hold others, and what follows on ours would be
        refused for ever."""
        return self.position.doubtful

    @property
    def over(self) -> bool:
        """It cannot go on, whatever is left: another log or another exchange does."""
        return self.parted is not None or self.rewound

    @property
    def outstanding(self) -> int:
        """Requests without a reply."""
        return len(self._asked)

    def request(
        self, entries: Sequence[Entry], at: int, *, pages: bool = True, blobs: Sequence[bytes] = ()
    ) -> bytes:
        """The encoded request carrying `entries` (consecutive from `next_entry`, whole
        transactions, possibly none). at: the laptop's wall clock, Unix seconds. pages: ask for
        them too; the last of several requests in a row does. blobs: files whose state is asked."""
        if entries and not self._follows(entries[0]):
            raise ValueError(f"entries start at {entries[0].seq}, not at {self.next_entry}")
        number = self.position.number + 1
        self.position = msgspec.structs.replace(self.position, number=number)
        budget = REPLY_BUDGET_BYTES if pages else 0
        batch = self._batch(entries)
        cursor, asked = self.position.cursor, list(blobs)
        sight = self._sight() if pages else None
        echo = pages and self.own is not None
        health, self.health = self.health, None
        data = encode(
            Request(number, self.build, at, cursor, budget, batch, asked, sight, echo, health)
        )
        if entries:
            self.grew(entries[-1].seq)  # somebody may have saved since this began
            self.sent, self._sent_head = entries[-1].seq, entries[-1].head
        self._asked[name_of(data)] = _Asked(self.sent, self._sent_head, pages)
        return data

    def _sight(self) -> Sight | None:
        """What is known of the scope. Cells are compared once in an exchange: what still differs
        after that waits for the next one."""
        sight = self.sight()
        self._indexed = sight is not None and bool(sight.recent and sight.recent[0])
        if sight is not None and self._compared:
            return msgspec.structs.replace(sight, total=b"")
        return sight

    def _follows(self, entry: Entry) -> bool:
        """Is it the next one, or a hole that says why what comes before it is not there?"""
        if entry.seq == self.next_entry:
            return True
        hole = hole_in(entry.data)
        return hole is not None and reaches(hole, self.next_entry, entry.seq)

    def grew(self, last: int) -> None:
        """The log has entries up to `last` by now: they go before whatever is less urgent."""
        if last > self.position.last:
            self.position = msgspec.structs.replace(self.position, last=last)
            self.finished = False

    def lost(self) -> None:
        """The road broke: what has no reply is sent again."""
        self._asked.clear()
        self._rewind()

    def _rewind(self) -> None:
        self.sent, self._sent_head = self.position.stored, self.position.stored_head

    def _batch(self, entries: Sequence[Entry]) -> Batch | None:
        if not entries:
            return None
        prev, last = self._sent_head[:HEAD_WIRE_BYTES], entries[-1].head[:HEAD_WIRE_BYTES]
        return Batch(entries[0].seq, prev, last, [e.data for e in entries])

    def receive(
        self, reply: Reply, proof: bytes, pages: Sequence[Page], orders: Sequence[Order]
    ) -> list[Step]:
        """What the reply means for the store, in the order it has to be written.

        proof: the signed first frame as it came. orders: the reply's orders, signatures checked.
        pages: those that arrived; where the last ones were cut off, the rest is asked for again.
        Raises Problem when the reply is not for this request or contradicts what this log knows;
        then nothing of it may be used.
        """
        asked = self._asked.get(reply.request)
        if asked is None or any(p.request != reply.request for p in pages):
            raise Problem("sync.forged_reply")
        self._answered(reply.request)
        if self._is_other_history(reply.checkpoint):
            return [self._rewind_to(reply)]
        fresh = self._new_orders(orders)
        steps = self._acknowledge(reply.checkpoint, proof, fresh, asked)
        told = self._ours(reply.outcomes)
        if told:
            steps.append(Settled(told))
        if reply.missing is not None:
            steps.append(Missing(*reply.missing))
        steps += [Ordered(o) for o in fresh]
        if reply.scope is not None:
            steps.append(Scoped(reply.scope))
        if reply.sums and not self._compared:
            self._compared = True
            steps.append(Compared(self.position.cursor, tuple(reply.sums)))
        own = self.own
        if asked.pages:
            steps += self._absorb(reply, pages)
        if self.position.stored < asked.seq:
            self._rewind()
        sent_all = self.position.stored >= self.position.last or reply.missing is not None
        whole = asked.pages and not reply.more and len(pages) == reply.pages and self.own is own
        self.finished = self.parted is not None or (sent_all and whole and not self._asked)
        return steps

    def _ours(self, outcomes: Sequence[Told]) -> tuple[Told, ...]:
        """Outcomes of entries on which both agree: beyond that they are of another branch."""
        if self.parted is None:
            return tuple(outcomes)
        upto = self.parted
        ours = (told for told in outcomes if told.first <= upto)
        return tuple(msgspec.structs.replace(t, last=min(t.last, upto)) for t in ours)

    def _answered(self, name: bytes) -> None:
        """A reply is here; those to earlier requests will not come any more."""
        for earlier in list(self._asked):
            del self._asked[earlier]
            if earlier == name:
                return

    def _acknowledge(
        self, checkpoint: Checkpoint, proof: bytes, orders: Sequence[Order], asked: _Asked
    ) -> list[Step]:
        here = self.position
        if checkpoint.log != here.log:
            raise Problem("sync.forged_reply")
        if checkpoint.seq < here.stored:
            raise Problem("sync.checkpoint", seq=checkpoint.seq)
        if checkpoint.seq > here.last or self.head_at(checkpoint.seq) != checkpoint.head:
            if not here.closed:  # else the other branch is known of, and nothing has to go on
                self._part(orders, asked)
            return []
        # From now on it is known whose proof this is, though nothing may have been read yet.
        cursor = here.cursor if here.cursor.incarnation else Cursor(checkpoint.incarnation)
        self.position = msgspec.structs.replace(
            here, stored=checkpoint.seq, stored_head=checkpoint.head, cursor=cursor, doubtful=False
        )
        if checkpoint.seq > self.sent:
            self._rewind()
        return [Acknowledged(checkpoint, proof)]

    def _is_other_history(self, checkpoint: Checkpoint) -> bool:
        """Does central answer from a backup of what this laptop knows of it?"""
        here = self.position
        if checkpoint.log != here.log:
            raise Problem("sync.forged_reply")
        if here.cursor.incarnation not in (b"", checkpoint.incarnation):
            return True
        if not here.doubtful:
            return False
        return checkpoint.seq < here.stored or self.head_at(checkpoint.seq) != checkpoint.head

    def _rewind_to(self, reply: Reply) -> Rewound:
        """This exchange is over; what still holds."""
        self.rewound = self.finished = True
        self._asked.clear()
        return rewound(self.position, self.head_at, reply)

    def _part(self, orders: Sequence[Order], asked: _Asked) -> None:
        """Central's log is not ours any more. Where our entries differed, it orders a new log and
        says after which number; where they did not, it holds all that was sent, and more. Of
        several orders the earliest counts: they may be about other branches, so none proves what
        was not sent yet. Later answers of the same exchange, without the order, do not unsay it."""
        if self.parted is not None:
            return
        self.position = msgspec.structs.replace(
            self.position, stored=asked.seq, stored_head=asked.head
        )
        ordered = [order.argument for order in orders if order.kind == "rotate"]
        if ordered:
            self.parted = min(*ordered, asked.seq, self.position.last)
        elif self.position.stored >= self.position.last:
            self.parted = self.position.last

    def _new_orders(self, orders: Sequence[Order]) -> list[Order]:
        fresh = sorted(
            (o for o in orders if o.log == self.position.log and o.number > self.position.order),
            key=lambda o: o.number,
        )
        if fresh:
            self.position = msgspec.structs.replace(self.position, order=fresh[-1].number)
        return fresh

    def _absorb(self, reply: Reply, pages: Sequence[Page]) -> list[Step]:
        """Pages in their order; the cursor never passes a decision that did not come."""
        steps: list[Step] = []
        cursor = self.position.cursor
        whole = len(pages) == reply.pages
        said = self._said(reply)
        if said is None:
            return steps
        if [p.index for p in pages] != list(range(len(pages))) or len(pages) > reply.pages:
            raise Problem("sync.truncated")
        for page in pages:
            tells = page.fill is None and page.recent is None and page.piece is None
            upto = page.upto if tells else 0
            decisions = _merged(map(_decision, page.decisions), said, upto)
            numbers = [cursor.server_seq, *(d.server_seq for d in decisions), page.upto]
            if numbers != sorted(numbers) or page.upto > reply.upper.server_seq:
                raise Problem("sync.malformed")
            last = page.index == reply.pages - 1 and page.upto == reply.upper.server_seq
            head = reply.upper.head if last else b""
            if not tells:
                if page.upto != reply.upper.server_seq or decisions:
                    raise Problem("sync.malformed")
                if cursor != reply.upper:
                    cursor = reply.upper
                    steps += _sliced(_merged((), said, cursor.server_seq), cursor)
                if page.fill is not None:
                    steps.append(filled(page.fill))
                if page.recent is not None:
                    steps.append(Indexed(page.recent, page.upto))
                if page.piece is not None:
                    steps.append(Furthered(page.piece))
                continue
            cursor = Cursor(reply.upper.incarnation, page.upto, head)
            steps.append(Absorbed(decisions, cursor))
        if whole and (not pages or cursor.server_seq < reply.upper.server_seq):
            cursor = reply.upper
            steps += _sliced(_merged((), said, cursor.server_seq), cursor)
        if whole and not reply.more and self._indexed:
            steps.append(Indexed(None, reply.upper.server_seq))
        self.position = msgspec.structs.replace(self.position, cursor=cursor)
        return steps

    def _said(self, reply: Reply) -> list[Decision] | None:
        """Decisions that say what own entries said, in order. None where this program comes to
        others than central did: then nothing is taken, and all is asked for in full."""
        if self.own is None or not reply.echoes:
            return []
        try:
            return self.own.hear(reply.echoes)
        except Differs:
            self.own = None
            return None


def _merged(told: Iterable[Decision], said: list[Decision], upto: int) -> tuple[Decision, ...]:
    """Decisions in their order; takes those up to a number out of `said`."""
    now = [decision for decision in said if decision.server_seq <= upto]
    del said[: len(now)]
    return tuple(sorted([*told, *now], key=lambda decision: decision.server_seq))


def _sliced(decisions: Sequence[Decision], cursor: Cursor) -> list[Step]:
    """Many decisions as several commits."""
    starts = range(0, len(decisions), SLICE_DECISIONS)
    steps: list[Step] = []
    for part in (decisions[start : start + SLICE_DECISIONS] for start in starts):
        here = msgspec.structs.replace(cursor, server_seq=part[-1].server_seq, head=b"")
        steps.append(Absorbed(tuple(part), here if part[-1] is not decisions[-1] else cursor))
    return steps or [Absorbed((), cursor)]


def filled(fill: Fill) -> Filled:
    """A page of a village that is being filled."""
    wholes = tuple(decode(data, Whole) for data in fill.wholes)
    return Filled(fill.cell, wholes, fill.mark, fill.done)


def rewound(here: Position, head_at: HeadAt, reply: Reply) -> Rewound:
    """What still holds after a restore of central. Where central's entry is not ours, or lies
    beyond ours (a clone reached it first after the restore), nothing is taken as stored: sending it
    again shows the fork."""
    said = reply.checkpoint
    upto = here.cursor.server_seq
    if here.cursor.incarnation != said.incarnation:
        told = reply.lineage
        upto = common(here.cursor.incarnation, here.lineage, said.incarnation, told)
    seq = min(said.seq, here.stored)
    head = head_at(seq)
    if head is None or head_at(said.seq) != said.head:
        seq, head = 0, head_at(0)
    assert head is not None
    lineage = tuple(reply.lineage) or here.lineage
    return Rewound(said.incarnation, upto, lineage, seq, head)


def _decision(data: bytes) -> Decision:
    return decode(data, Decision)
