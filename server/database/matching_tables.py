"""Tables for finding duplicates: an index that can be made again from the requests.

Keys and words are 64 bits of a keyed hash (server.duplicates). In clear they would be a second,
sorted list of names, mothers' names and birthdays, which banks ask for; and a number makes the
smaller index.
"""

from __future__ import annotations

from sqlalchemy import Index

from server.database.tables import NARROW, Table, big, big_pk, pk


class MatchKeyRow(Table, table=True):
    """A key that an open request has; requests that share one are compared."""

    __tablename__ = "match_keys"
    __table_args__ = (Index("ix_match_keys_record", "city", "record"), NARROW)
    city: str = pk()
    key: int = big_pk()
    record: bytes = pk()


class MatchWordRow(Table, table=True):
    """How many requests had a word in the subject's name, or a village."""

    __tablename__ = "match_words"
    __table_args__ = (NARROW,)
    city: str = pk()
    word: int = big_pk()
    n: int = big()


class MatchMarkRow(Table, table=True):
    """How far the search is: decisions up to `upto` were looked at, `n` requests were counted."""

    __tablename__ = "match_marks"
    city: str = pk()
    upto: int = big()
    n: int = big()
