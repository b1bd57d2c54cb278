"""`jemput-pusat reference`: forms, code lists, days off and visits, for all laptops."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.services import catalogue
from server.commands.requests import when
from server.terminal import (
    DEFAULT_DATA,
    AsOption,
    DataOption,
    JsonOption,
    LangOption,
    PasswordFileOption,
    signed_in,
)

app = typer.Typer(help="Forms, code lists, days off and visits.", no_args_is_help=True)


@app.command()
def publish(
    folder: Annotated[
        Path, typer.Argument(help="Folder of services/, blocks/, codes/, calendar/, visits.toml.")
    ],
    title: Annotated[str, typer.Option("--title", help="What changes, in a few words.")] = "",
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Check the files of a folder and publish those that differ from what holds."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        made = central.reference.publish(me, folder, title)
        terminal.tell(
            terminal.say(
                "Paket {number} terbit; laptop menerimanya saat sinkron berikut atau lewat USB.",
                number=made.number,
            )
        )
        terminal.give(
            {"number": made.number, "title": made.title, "digest": made.digest.hex(), "at": made.at}
        )


@app.command("list")
def list_(
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """What was published, and the edition of every service."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = central.reference.published(me)
        editions = catalogue().editions()
        rows = [[str(one.number), when(one.at), one.by, one.title] for one in found]
        heads = [terminal.say("No."), terminal.say("Waktu"), terminal.say("Oleh")]
        terminal.table(terminal.say("Paket data rujukan"), [*heads, terminal.say("Judul")], rows)
        terminal.table(
            terminal.say("Layanan"),
            [terminal.say("Layanan"), terminal.say("Edisi"), terminal.say("Edisi lama")],
            [[e.service, str(e.edition), ", ".join(map(str, e.earlier))] for e in editions],
        )
        terminal.give(
            {
                "packages": [
                    {"number": one.number, "at": one.at, "by": one.by, "title": one.title}
                    | {"digest": one.digest.hex()}
                    for one in found
                ],
                "editions": [
                    {"service": e.service, "edition": e.edition, "earlier": list(e.earlier)}
                    for e in editions
                ],
            }
        )
