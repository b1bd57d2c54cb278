"""Files of drafts: photographs and scans that lie with a form nobody has submitted yet.

Their sealed bytes lie beside the database like those of requests (`vault/blobs.py`), and never
travel from here: only what a change speaks of does. Every sealed file has a row at every moment,
whatever is cut off in between:

    coming    the row is written first; the bytes may be there or not
    there     the draft has the file, durable
    gone      the draft has it no more (a trigger says so when a draft is deleted)

`sweep` removes the bytes of rows that are not `there`, and then the rows. A draft that is submitted
gives its rows to the request in the very commit that makes it (`give`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from field_client.vault.engine import Connection, Engine
from models.changes import Attached
from models.pictures import Copy
from sync.messages import Manifest
from sync.transfer import manifest_of


class Held(msgspec.Struct, frozen=True):
    """A file of a draft. paper, preview: what each consists of. hints: codes of what may make it
    unreadable. reason: why it is kept all the same."""

    draft: bytes
    file: Attached
    paper: Manifest
    preview: Manifest
    hints: tuple[str, ...] = ()
    reason: str = ""


def held(draft: bytes, file: Attached, copy: Copy, reason: str) -> Held:
    """What a draft keeps of a working copy."""
    paper, preview = manifest_of(copy.data), manifest_of(copy.preview)
    return Held(draft, file, paper, preview, copy.hints, reason)


class DraftFiles:
    """Which files lie with which draft."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, *drafts: bytes) -> list[Held]:
        """The files of these drafts, in the order in which they were put there."""
        marks = ", ".join("?" * len(drafts))
        rows = self._engine.read(
            f"select data from draft_files where draft in ({marks}) and state = 'there'"  # noqa: S608
            " order by number",
            *drafts,
        )
        return [msgspec.msgpack.decode(row[0], type=Held) for row in rows]

    def kept(self) -> list[bytes]:
        """Every file that lies beside the database for a draft."""
        rows = self._engine.read("select blob, preview from draft_files")
        return [bytes(name) for row in rows for name in row]

    def sizes(self) -> dict[bytes, int]:
        """The same for the files that drafts have, with their bytes."""
        rows = self._engine.read("select data from draft_files where state = 'there'")
        every = [msgspec.msgpack.decode(row[0], type=Held) for row in rows]
        return {one.blob: one.size for held in every for one in (held.paper, held.preview)}

    def take_in(self, files: Sequence[Held], write: Callable[[], None]) -> None:
        """Keep files, all of them or none. write: makes their bytes durable."""
        with self._engine.writing() as connection:
            _put(connection, files, "coming")
        with self._engine.writing() as connection:
            write()
            _put(connection, files, "there")

    def let_go(self, files: Iterable[Held]) -> None:
        """The drafts have these no more; `sweep` removes them."""
        with self._engine.writing() as connection:
            connection.executemany(
                "update draft_files set state = 'gone' where draft = ? and unit = ? and blob = ?",
                [(one.draft, one.file.unit, one.file.blob) for one in files],
            )

    def sweep(self, remove: Callable[[bytes], None]) -> None:
        """Remove what no draft has, unless a request or another draft has the same file. remove:
        deletes the bytes of a name; it may be called again after a cut."""
        with self._engine.writing() as connection:
            rows = connection.execute(
                "select blob, preview from draft_files where state != 'there'"
            ).fetchall()
            for name in {bytes(name) for row in rows for name in row}:
                if not _is_wanted(connection, name):
                    remove(name)
            connection.execute("delete from draft_files where state != 'there'")


def give(connection: Connection, draft: bytes) -> list[Held]:
    """Inside a save: the files of a draft that becomes a request; they are the request's now."""
    rows = connection.execute(
        "select data from draft_files where draft = ? and state = 'there' order by number", (draft,)
    ).fetchall()
    connection.execute("delete from draft_files where draft = ? and state = 'there'", (draft,))
    return [msgspec.msgpack.decode(row[0], type=Held) for row in rows]


def _put(connection: Connection, files: Sequence[Held], state: str) -> None:
    connection.executemany(
        "insert into draft_files (draft, unit, blob, preview, state, data)"
        " values (?, ?, ?, ?, ?, ?) on conflict (draft, unit, blob) do update"
        " set preview = excluded.preview, state = excluded.state, data = excluded.data",
        [
            (one.draft, one.file.unit, one.file.blob, one.file.preview, state,
             msgspec.msgpack.encode(one))
            for one in files
        ],
    )  # fmt: skip


def _is_wanted(connection: Connection, name: bytes) -> bool:
    row = connection.execute(
        "select 1 from files where blob = ? and state != 'gone' union all"
        " select 1 from draft_files where state = 'there' and ? in (blob, preview) limit 1",
        (name, name),
    ).fetchone()
    return row is not None
