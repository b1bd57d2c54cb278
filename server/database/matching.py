"""Finding duplicates: which requests share a key, how frequent words are, how far the search is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import msgspec
from sqlalchemy import func, select

from server.database.matching_tables import MatchKeyRow, MatchMarkRow, MatchWordRow
from server.database.tables import CaseRecordRow, CaseRow, DecisionRow, RecordRow
from server.database.work import Work, table_of
from sync.state import Case, Decision, Record

COMPARING = ("duplicate", "identity")

_keys = table_of(MatchKeyRow)
_words = table_of(MatchWordRow)
_marks = table_of(MatchMarkRow)
_decisions = table_of(DecisionRow)
_records = table_of(RecordRow)
_cases = table_of(CaseRow)
_case_records = table_of(CaseRecordRow)
_read_decision = msgspec.msgpack.Decoder(Decision)
_read_record = msgspec.msgpack.Decoder(Record)
_read_case = msgspec.msgpack.Decoder(Case)


class Mark(msgspec.Struct, frozen=True):
    """upto: number of the newest decision looked at; n: requests counted so far."""

    upto: int = 0
    n: int = 0


class Matching(Work):
    """What the search for duplicates reads and keeps."""

    # -- what is new

    def match_mark(self) -> Mark:
        """How far the search is."""
        row = self.one(select(_marks.c.upto, _marks.c.n).where(_marks.c.city == self.city))
        return Mark(row.upto, row.n) if row is not None else Mark()

    def keep_match_mark(self, mark: Mark) -> None:
        """It is so far now."""
        row = {"upto": mark.upto, "n": mark.n}
        if self.value(select(_marks.c.city).where(_marks.c.city == self.city)) is None:
            self.insert(_marks, [row])
        else:
            self.update(_marks, [], [row])

    def decisions_after(self, number: int, limit: int) -> list[Decision]:
        """The next decisions, oldest first."""
        here = (_decisions.c.city == self.city) & (_decisions.c.server_seq > number)
        found = select(_decisions.c.data).where(here).order_by(_decisions.c.server_seq)
        return [_read_decision.decode(row.data) for row in self.rows(found.limit(limit))]

    def requests_with_village(self, records: Collection[bytes]) -> dict[bytes, tuple[Record, str]]:
        """Requests as they stand, with the village they belong to."""
        found = select(_records.c.data, _records.c.village).where(_records.c.city == self.city)
        rows = self.each(found, _records.c.id, sorted(records))
        read = ((_read_record.decode(row.data), row.village) for row in rows)
        return {record.id: (record, village) for record, village in read}

    # -- keys

    def match_holders(self, keys: Collection[int], most: int) -> dict[int, list[bytes]]:
        """Who has each key; keys that more than `most` have are left out."""
        count = func.count().label("n")
        found = select(_keys.c.key, count).where(_keys.c.city == self.city).group_by(_keys.c.key)
        few = [row.key for row in self.each(found, _keys.c.key, sorted(keys)) if row.n <= most]
        holders: dict[int, list[bytes]] = {}
        here = select(_keys.c.key, _keys.c.record).where(_keys.c.city == self.city)
        for row in self.each(here, _keys.c.key, few):
            holders.setdefault(row.key, []).append(row.record)
        return holders

    def match_known(self, records: Collection[bytes]) -> set[bytes]:
        """Those of the requests that have keys already."""
        found = select(_keys.c.record).where(_keys.c.city == self.city).distinct()
        return {row.record for row in self.each(found, _keys.c.record, sorted(records))}

    def keep_match_keys(self, keys: Mapping[bytes, Iterable[int]]) -> None:
        """These are the keys of these requests now; none for one that is over."""
        self.delete(_keys, ["record"], [{"record": record} for record in keys])
        rows = [{"key": k, "record": record} for record, found in keys.items() for k in {*found}]
        self.insert(_keys, sorted(rows, key=lambda row: (row["key"], row["record"])))

    # -- how frequent words are

    def match_words(self, words: Collection[int]) -> dict[int, int]:
        """How many requests had each word."""
        found = select(_words.c.word, _words.c.n).where(_words.c.city == self.city)
        return {row.word: row.n for row in self.each(found, _words.c.word, sorted(words))}

    def count_match_words(self, words: Counter[int]) -> None:
        """So many more requests have these words."""
        before = self.match_words(words)
        rows = [{"word": word, "n": before.get(word, 0) + n} for word, n in words.items()]
        self.update(_words, ["word"], [row for row in rows if row["word"] in before])
        self.insert(_words, [row for row in rows if row["word"] not in before])

    # -- cases

    def duplicate_cases(self, records: Collection[bytes]) -> dict[bytes, list[Case]]:
        """Every case, decided ones too, that compares a request with another or speaks of both by
        one NIK or paper."""
        joined = select(_case_records.c.record, _cases.c.data).join(
            _cases,
            (_cases.c.city == _case_records.c.city) & (_cases.c.id == _case_records.c.case_id),
        )
        here = joined.where(_case_records.c.city == self.city, _cases.c.kind.in_(COMPARING))
        found: dict[bytes, list[Case]] = {}
        for row in self.each(here, _case_records.c.record, sorted(records)):
            found.setdefault(row.record, []).append(_read_case.decode(row.data))
        return found
