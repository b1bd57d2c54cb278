"""Drafts: forms somebody has begun. They never leave the laptop."""

# ruff: noqa: S608 - SQL is put together from our own column names only; values are always bound

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from field_client.vault.engine import Engine
from models.problems import Problem

DRAFT_BYTES_MAX = 64 * 1024
DRAFTS_LISTED = 200


class Draft(msgspec.Struct, frozen=True):
    """A form begun by `operator` for `service` (a new request, or of `record`). seen, own: what was
    on the screen when it was first drawn, own: of `log` (`Store.shown`). at: last saved, Unix
    seconds. data: the desk's own bytes. folder: id of the first of the forms begun together."""

    id: bytes
    operator: str
    record: bytes
    service: str
    seen: int
    own: int
    at: int
    data: bytes
    log: bytes = b""
    folder: bytes = b""


_COLUMNS = ", ".join(Draft.__struct_fields__)


class Drafts:
    """Keeps drafts apart by operator."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save(self, draft: Draft) -> None:
        """Keep a draft, new or again. `seen` and `own` stay as they were first saved."""
        if len(draft.data) > DRAFT_BYTES_MAX:
            raise Problem("vault.too_large", limit=1)
        with self._engine.writing() as connection:
            connection.execute(
                f"insert into drafts ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " on conflict (id) do update set operator = excluded.operator,"
                " at = excluded.at, data = excluded.data",
                msgspec.structs.astuple(draft),
            )

    def get(self, draft: bytes) -> Draft | None:
        """A draft by its id."""
        row = self._engine.one(f"select {_COLUMNS} from drafts where id = ?", draft)
        return None if row is None else Draft(*row)

    def of(self, operator: str) -> list[Draft]:
        """An operator's drafts, newest first, at most 200."""
        rows = self._engine.read(
            f"select {_COLUMNS} from drafts where operator = ? order by at desc limit ?",
            operator, DRAFTS_LISTED,
        )  # fmt: skip
        return [Draft(*row) for row in rows]

    def folders(self, operator: str, limit: int, skip: int = 0) -> list[bytes]:
        """Names of what an operator began, last saved first."""
        rows = self._engine.read(
            "select folder from drafts where operator = ? group by folder"
            " order by max(at) desc, folder limit ? offset ?",
            operator, limit, skip,
        )  # fmt: skip
        return [bytes(row[0]) for row in rows]

    def count(self, operator: str) -> int:
        """How many folders those are."""
        row = self._engine.one(
            "select count(distinct folder) from drafts where operator = ?", operator
        )
        return int(row[0]) if row is not None else 0

    def within(self, operator: str, folders: Sequence[bytes]) -> list[Draft]:
        """An operator's forms in these folders."""
        marks = ", ".join("?" * len(folders))
        rows = self._engine.read(
            f"select {_COLUMNS} from drafts where operator = ? and folder in ({marks})",
            operator, *folders,
        )  # fmt: skip
        return [Draft(*row) for row in rows]

    def correction(self, operator: str, record: bytes) -> Draft | None:
        """The correction of a request that an operator began."""
        row = self._engine.one(
            f"select {_COLUMNS} from drafts where operator = ? and record = ?", operator, record
        )
        return None if row is None else Draft(*row)

    def hand(self, drafts: Sequence[bytes], operator: str) -> None:
        """They are another operator's from now on, all of them or none."""
        with self._engine.writing() as connection:
            connection.executemany(
                "update drafts set operator = ? where id = ?", [(operator, one) for one in drafts]
            )

    def drop(self, draft: bytes) -> None:
        """Throw a draft away. (One that became a change is dropped by its save.)"""
        with self._engine.writing() as connection:
            connection.execute("delete from drafts where id = ?", (draft,))
