"""One save: entries appended to the log and what is told from them, in one commit."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from field_client.vault.attached import add_file, announce, hand_files
from field_client.vault.draft_files import Held, give
from field_client.vault.engine import Connection
from field_client.vault.logs import OwnLog, remember
from field_client.vault.picture import Picture, find_picture
from field_client.vault.refs import Ref, find_ref
from field_client.vault.requests import list_again
from models.changes import (
    TRANSACTION_BYTES_MAX,
    TRANSACTION_CHANGES_MAX,
    Change,
    RecordId,
    encode,
    record_of,
)
from models.problems import Problem
from sync.logs import Entry, next_head
from sync.messages import Cursor, Manifest


class Saving:
    """An open save. `seq` and `head` are those of the newest entry, moving on with `append`.

    Transactions are complete when their last change is appended; one save may hold several.
    """

    def __init__(self, connection: Connection, own: OwnLog, cursor: Cursor) -> None:
        self.own = own
        self.cursor = cursor
        self.seq = own.seq
        self.head = own.head
        self._connection = connection
        self._bytes = 0
        self._place = (0, 0)
        self._transaction_bytes = 0
        self._touched: set[RecordId] = set()

    def append(self, change: Change) -> Entry:
        """Number, link and keep one change. Its record is `record_of(entry)` for a create.

        Problem `vault.too_large` when the transaction passes 64 changes or 64 KiB.
        """
        data = encode(change)
        self._check_place(change, len(data))
        self.seq += 1
        self.head = next_head(self.own.id, self.head, data)
        record = record_of(self.own.id, self.seq, change, data)
        self._connection.execute(
            "insert into entries (log, seq, data, head, kind, record, i, n, at)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self.own.id, self.seq, data, self.head, change.kind, record, change.i, change.n,
                change.at,
            ),
        )  # fmt: skip
        self._bytes += len(data)
        if change.origin is not None:
            self._made_again(*change.origin[:2])
        if b"attach" in data:
            announce(self._connection, self.own.id, self.seq, record, change)
        if record:
            self._touched.add(record)
        return Entry(self.seq, data, self.head)

    def add_file(self, manifest: Manifest, lane: int, record: RecordId, due: str) -> None:
        """A file that an entry of this save speaks of; see `vault.attached`."""
        add_file(self._connection, manifest, lane, record, due)

    def hand_files(self, blobs: Iterable[bytes], record: RecordId, due: str) -> None:
        """Files are another request's from now on; see `vault.attached`."""
        hand_files(self._connection, blobs, record, due)

    def _made_again(self, log: bytes, seq: int) -> None:
        """An entry of a replaced log has its outcome here from now on."""
        self._connection.execute(
            "update entries set state = 'replaced', folded = 'replaced' where log = ? and seq = ?",
            (log, seq),
        )

    def lay_aside(self, first: int, last: int) -> None:
        """Take entries of this log out of its row: they are lost or damaged, or made again behind a
        hole. What is left of them stands under negative numbers."""
        self._connection.execute(
            "update entries set seq = -seq, state = 'replaced', folded = 'replaced' where log = ?"
            " and seq between ? and ?",
            (self.own.id, first, last),
        )

    def remember(self, *values: msgspec.Struct) -> None:
        """Keep structs, one of each kind, in the same commit; `Store.recall` gives them."""
        for value in values:
            remember(self._connection, value)

    def record_of(self, entry: Entry, change: Change) -> RecordId:
        """Id of the request an appended change speaks of, or has just created."""
        return record_of(self.own.id, entry.seq, change, entry.data)

    def picture(self, record: RecordId) -> Picture | None:
        """A request as it stands inside this save."""
        return find_picture(self._connection, record)

    def code_taken(self, block: int, number: int) -> bool:
        """A request with this tracking code is known here."""
        row = self._connection.execute(
            "select 1 from requests where code = ? and block = ?", (number, block)
        ).fetchone()
        return row is not None

    def ref(self, name: str) -> Ref | None:
        """What was answered to this ref before, if it was."""
        return find_ref(self._connection, name)

    def note_visit(self, record: RecordId) -> None:
        """It was taken in during the visit that is open, if one is."""
        self._connection.execute(
            "insert or ignore into visited (record, visit)"
            " select ?, number from visits where ended = 0 order by number desc limit 1",
            (record,),
        )

    def keep_ref(self, ref: Ref) -> None:
        """Remember the answer to a queued row, in the same commit as its entries.

        Problem `queue.ref_reused` for a ref that was answered before: then nothing is saved.
        """
        kept = self._connection.execute(
            "insert or ignore into refs (ref, digest, record, answer) values (?, ?, ?, ?)",
            (ref.ref, ref.digest, ref.record, ref.answer),
        )
        if kept.rowcount != 1:
            raise Problem("queue.ref_reused", ref=ref.ref)

    def draft_files(self, draft: bytes) -> list[Held]:
        """The files of a draft that becomes a change; they are no longer the draft's."""
        return give(self._connection, draft)

    def drop_draft(self, draft: bytes) -> None:
        """The draft has become a change."""
        self._connection.execute("delete from drafts where id = ?", (draft,))

    def finish(self) -> None:
        """Write the log's new end and list the touched requests again; called by the store."""
        if self._place[0] != self._place[1]:
            raise ValueError(f"a transaction of {self._place[1]} has {self._place[0]} changes")
        if self.seq == self.own.seq:
            return
        self._connection.execute(
            "update logs set seq = ?, head = ?, unsent = unsent + ? where id = ?",
            (self.seq, self.head, self._bytes, self.own.id),
        )
        for record in self._touched:
            list_again(self._connection, record)

    def _check_place(self, change: Change, size: int) -> None:
        """Changes of a transaction come as 0, 1, … n-1 of the same n."""
        done, length = self._place if self._place[0] < self._place[1] else (0, change.n)
        if (change.i, change.n) != (done, length):
            raise ValueError(f"change {change.i} of {change.n} where {done} of {length} comes")
        self._transaction_bytes = size if done == 0 else self._transaction_bytes + size
        if length > TRANSACTION_CHANGES_MAX or self._transaction_bytes > TRANSACTION_BYTES_MAX:
            raise Problem("vault.too_large", limit=TRANSACTION_CHANGES_MAX)
        self._place = (done + 1, length)
