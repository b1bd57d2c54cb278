"""Central in a nutshell, for tests of the field: the production rules without seals and roads."""

from __future__ import annotations

from field_client.vault.logs import OwnLog
from field_client.vault.store import Store
from sync.exchange import Absorbed, Acknowledged, Settled, Step
from sync.intake import take
from sync.known import Known, LogState
from sync.logs import Entry, opening_head
from sync.messages import Checkpoint, Cursor
from sync.pull import runs
from sync.state import Decision
from tests.vaults import DEVICE, NOW


class Office:
    """The production intake over one `Known` that holds everything."""

    def __init__(self, *logs: OwnLog) -> None:
        self.known = Known(0, bytes(32))
        self.heads = {0: bytes(32)}
        self.sent = 0
        for log in logs:
            self.admit(log)

    def admit(self, log: OwnLog) -> None:
        """A log becomes known."""
        keys = log.identity.sign_key, log.identity.seal_key
        head = opening_head(log.opening)
        self.known.logs[log.id] = LogState(log.id, DEVICE, 0, head, *keys, block=log.block)

    def take(self, log: bytes, entries: list[Entry]) -> list[Decision]:
        """Judge entries as they would arrive."""
        return take(self.known, self.known.logs[log], entries, NOW)

    def answer(self, store: Store, decisions: list[Decision]) -> list[Step]:
        """What an exchange of the store's newest log would have it write."""
        log = self.known.logs[store.log().id]
        cursor = Cursor(b"i" * 8, self.known.server_seq, self.known.head[:8])
        checkpoint = Checkpoint(
            log.id, log.seq, log.head, b"i" * 8, cursor.server_seq, self.known.head, 0, NOW
        )
        results = [
            (seq, result) for (name, seq), result in self.known.results.items() if name == log.id
        ]
        return [
            Acknowledged(checkpoint, b"proof"),
            Settled(tuple(runs(sorted(results, key=lambda pair: pair[0])))),
            Absorbed(tuple(decisions), cursor),
        ]

    def sync(self, store: Store) -> None:
        """A whole exchange: push, judge, pull."""
        position = store.position()
        decisions = self.take(position.log, store.pending(position.stored))
        store.apply(*self.answer(store, decisions))
