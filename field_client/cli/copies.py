"""`jemput backup`, `jemput restore`: the whole vault on a second medium, and back again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from field_client.cli.common import Call, command
from field_client.cli.sticks import watched
from models.problems import Problem
from models.words import number, say, size


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "backup")(backup)
    command(app, "restore")(restore)


def backup(
    call: Call,
    folder: Annotated[Path, typer.Argument(help="Folder of the second medium.")],
) -> None:
    """Copy the whole vault, still encrypted, to a second medium; read back, opened and counted."""
    from field_client.backup import back_up

    house = call.house()
    with watched(call) as progress:
        at = house.desk.facts().at
        made, listed = back_up(house.store, house.place.folder, folder, at, progress)
    call.give(
        {
            "folder": str(made),
            "files": len(listed.files),
            "size": listed.size,
            "log": listed.log,
            "entries": listed.seq,
            "counts": listed.counts,
            "verified": True,
        }
    )
    call.out(
        say(
            "Cadangan {folder}: {requests} permohonan, {entries} catatan, {size}. Sudah dibuka "
            "dan dihitung; USB boleh dicabut.",
            call.lang,
            folder=made.name,
            requests=number(listed.counts["requests"], call.lang),
            entries=number(listed.counts["entries"], call.lang),
            size=size(listed.size, call.lang),
        )
    )


def restore(
    call: Call,
    folder: Annotated[Path, typer.Argument(help="Folder that `backup` made.")],
) -> int:
    """Put a backup back into an empty data folder; the laptop goes on in a new log.

    Without a PIN the files are put back and the new log is opened when the laptop is next unlocked.
    """
    from field_client.backup import put_back

    with watched(call) as progress:
        listed = put_back(folder, call.place.folder, progress)
    log, locked = "", None
    try:
        log = call.house().store.log().id.hex()
    except Problem as problem:
        locked = problem
    said = {"restored": True, "entries": listed.seq, "log": log, "opened": locked is None}
    call.out(
        say(
            "Data dipulihkan: {entries} catatan, keadaan {n} berkas.",
            call.lang,
            entries=number(listed.seq, call.lang),
            n=len(listed.files),
        )
    )
    if locked is None or locked.code == "pin.missing":
        call.give(said)
        if locked is not None:
            call.out(say("Log baru dibuka saat laptop dibuka dengan PIN.", call.lang))
        return 0
    return call.refuse(locked, **said)
