"""Refs: what each row of a queue file was answered, so that a rerun after a kill does no harm."""

from __future__ import annotations

import msgspec

from field_client.vault.engine import Connection


class Ref(msgspec.Struct, frozen=True):
    """What a queued row was answered. digest: 32 bytes over the row, so that another row under the
    same ref is told apart. answer: the output line as it was given."""

    ref: str
    digest: bytes
    record: bytes
    answer: bytes


def find_ref(connection: Connection, name: str) -> Ref | None:
    """The kept answer to a ref."""
    row = connection.execute(
        "select ref, digest, record, answer from refs where ref = ?", (name,)
    ).fetchone()
    return None if row is None else Ref(*row)
