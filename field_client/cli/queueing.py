"""`jemput queue`: many requests from a file of JSON lines."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from field_client.cli.common import SOME, Call, command, give_line
from models.problems import Problem
from models.words import say_n


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "queue")(queue)


def queue(
    call: Call,
    source: Annotated[
        str, typer.Option("--from", help="File of JSON lines; `-` reads standard input.")
    ],
) -> int:
    """Take in requests, one JSON object a line; answers with one JSON line for each.

    Each row, or family of rows, is durable before its answer is written. Running the same file
    again after a cut is harmless: rows are known by their `ref`.
    """
    from field_client.queue import Queue, lines_of

    with _opened(source) as file:
        house = call.house()
        work = Queue(house.desk, call.lang)
        for answer in work.answers(lines_of(file)):
            give_line(answer)
    if not call.json:
        call.warn(say_n("{n} permohonan tersimpan.", work.taken, call.lang))
        if work.refused:
            call.warn(say_n("{n} baris ditolak; lihat alasannya.", work.refused, call.lang))
    return SOME if work.refused else 0


@contextlib.contextmanager
def _opened(source: str) -> Iterator[BinaryIO]:
    if source == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(source).open("rb")  # noqa: SIM115 - only opening is guarded, see below
    except OSError as error:
        raise Problem("file.unreadable", file=Path(source).name) from error
    with file:
        yield file
