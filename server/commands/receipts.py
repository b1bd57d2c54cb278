"""`jemput-pusat receipt`: is this proof of submission genuine?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.problems import Problem
from server.commands.requests import status_words
from server.files import disk_problems
from server.terminal import (
    DEFAULT_DATA,
    FALSE,
    DataOption,
    JsonOption,
    LangOption,
    at_central,
)
from sync import base45

app = typer.Typer(help="Proofs of submission.", no_args_is_help=True)
FILE_BYTES_MAX = 16 * 1024
_FALSE = ("receipt.forged", "receipt.malformed", "receipt.unknown_key", "receipt.ask_office")


@app.command()
def verify(
    token: Annotated[
        str, typer.Argument(help="Text of the receipt's QR code, or a file that holds it.")
    ],
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Check a receipt's signature, and whether its request arrived. Exit code 3 if it is false."""
    with at_central(data, lang, json) as (terminal, central):
        try:
            found = central.evidence.receipt(_token(token))
        except Problem as problem:
            if problem.code not in _FALSE:
                raise
            terminal.refuse(problem)
            raise typer.Exit(FALSE) from None
        terminal.facts(
            [
                (terminal.say("Nomor"), found.code),
                (terminal.say("Layanan"), found.service),
                (terminal.say("Perangkat"), found.device),
                (terminal.say("Status"), status_words(found.status, lang) if found.arrived else ""),
            ]
        )
        terminal.tell(terminal.say("Bukti ini asli."))
        if not found.arrived:
            terminal.tell(terminal.say("Berkasnya belum sampai di pusat."))
        terminal.give(found)
        if found.arrived and not found.fits:
            terminal.warn(
                terminal.say(
                    "Isi yang tersimpan tidak sama dengan bukti ini. Laporkan ke penyelia."
                )
            )
            raise typer.Exit(FALSE)


def _token(text: str) -> bytes:
    """The signed bytes, from the letters of the QR code or from a file of letters or bytes."""
    path = Path(text)
    if len(text) < 200 and path.is_file():
        with disk_problems(path), path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX)
        try:
            text = data.decode("ascii")
        except UnicodeDecodeError:
            return data
    return base45.decode(text)
