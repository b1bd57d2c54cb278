"""An invented laptop's log: what it writes and what it sends, as the real ones do, by seed.

For the wire dictionary and the benches. Everything is encoded by the production code; only keys,
clock and chance are invented.
"""

from __future__ import annotations

from random import Random
from typing import Any

from invented import Request as Asked
from models.changes import Body, Change, OperatorEntry, Session, encode, raw, record_of
from models.services import catalogue
from sync.exchange import Exchange, Position
from sync.identity import Identity, sign
from sync.known import LogState
from sync.logs import Entry, Open, log_id, next_head, opening_head, session_message
from sync.messages import Cursor

DAY = 24 * 3600


class Journal:
    """A log with its keys. build: version of the program. at: Unix seconds of its clock."""

    def __init__(self, rng: Random, build: str, at: int, cursor: Cursor | None = None) -> None:
        self.rng = rng
        self.build = build
        self.at = at
        self.booted = at - rng.randrange(DAY)
        self.boot = rng.randrange(2**32)
        self.identity = Identity(rng.randbytes(32), rng.randbytes(32))
        self.operator_seed = rng.randbytes(32)
        self.operator = rng.randbytes(16)
        self.id = log_id(self.identity.sign_key)
        self.device = rng.randbytes(16)
        opening = Open(
            self.identity.sign_key, self.identity.seal_key, self.device, b"", 0, b"", "enrolled"
        )
        self.opening = encode(opening)
        self.entries: list[Entry] = []
        self.sent = 0
        self.requests = rng.randrange(2000)
        self.cursor = cursor or Cursor(rng.randbytes(16), rng.randrange(200_000), rng.randbytes(8))
        self.session = 0
        self.grant = rng.randint(1, 60)
        self.block = rng.randrange(2**20)

    @property
    def head(self) -> bytes:
        """Chain value after the newest entry."""
        return self.head_at(len(self.entries))

    def head_at(self, seq: int) -> bytes:
        """Chain value after entry `seq`."""
        return self.entries[seq - 1].head if seq else opening_head(self.opening)

    def log_state(self) -> LogState:
        """The log as central knows it before its first entry."""
        return LogState(
            self.id, self.device, 0, self.head_at(0), self.identity.sign_key,
            self.identity.seal_key, block=self.block, grant=self.grant,
        )  # fmt: skip

    # -- writing

    def append(
        self,
        kind: str,
        body: Any,
        record: bytes = b"",
        place: tuple[int, int] = (0, 1),
        form: tuple[str, int] = ("", 0),
        own: int | None = None,
    ) -> bytes:
        """One entry; gives the record it speaks of."""
        self.at += self.rng.randint(20, 400)
        change = Change(
            kind, record, *place, *form, self.session, self.at, self.booted, self.boot, self.grant,
            self.cursor.server_seq, own, raw(body),
        )  # fmt: skip
        data = encode(change)
        seq = len(self.entries) + 1
        self.entries.append(Entry(seq, data, next_head(self.id, self.head, data)))
        return record_of(self.id, seq, change, data)

    def open_session(self, name: str) -> None:
        """An operator is entered, and opens the log with a PIN."""
        key = Identity(self.operator_seed, self.operator_seed).sign_key
        self.append("operator", OperatorEntry(self.operator, name, key))
        message = session_message(self.id, len(self.entries) + 1, self.head, self.operator)
        self.append("session", Session(self.operator, sign(self.operator_seed, message)))
        self.session = len(self.entries)

    def create(self, asked: Asked, place: tuple[int, int] = (0, 1)) -> bytes:
        """A citizen's request is taken; gives its record."""
        return self.append("create", self.body(asked), b"", place, (asked.service, asked.edition))

    def body(self, asked: Asked) -> Body:
        """What a create asks for: every filled unit, sets by their elements."""
        form = catalogue().service(asked.service, asked.edition)
        units = form.units(asked.answers, asked.documents)
        sets = {name for name in units if form.unit(name).shape == "set"}
        return Body(
            number=self.rng.randrange(2**25),
            set={name: value for name, value in units.items() if name not in sets},
            add={name: value for name, value in units.items() if name in sets},
            reasons=asked.reasons,
        )

    # -- sending

    def request(self, most: int = 1000) -> bytes:
        """The encoded request with up to `most` entries that were not sent yet."""
        position = Position(
            self.id, self.sent, self.head_at(self.sent), len(self.entries), self.cursor,
            self.requests,
        )  # fmt: skip
        exchange = Exchange(position, self.build, self.head_at)
        batch = self.entries[self.sent : self.sent + most]
        self.requests += 1
        self.sent += len(batch)
        assert exchange.position.number == self.requests - 1
        return exchange.request(batch, self.at)
