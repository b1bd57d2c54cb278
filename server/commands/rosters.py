"""`jemput-pusat roster`: lists of residents that laptops of a village get by stick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.database.rosters import KeptRoster
from server.terminal import (
    DEFAULT_DATA,
    AsOption,
    DataOption,
    JsonOption,
    LangOption,
    PasswordFileOption,
    signed_in,
)
from sync.messages import Terms

app = typer.Typer(help="Lists of residents for laptops, by stick.", no_args_is_help=True)


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="The village's spreadsheet, as it is.")],
    village: Annotated[str, typer.Option("--village", help="Region code of the village.")],
    source: Annotated[str, typer.Option("--source", help="Who gave the list.")],
    date: Annotated[str, typer.Option("--date", help="Day of the list, YYYY-MM-DD.")],
    basis: Annotated[str, typer.Option("--basis", help="Under which rule laptops may hold it.")],
    until: Annotated[str, typer.Option("--until", help="Last day it may be kept, YYYY-MM-DD.")],
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Keep a list, sealed, for every laptop of its village; bundles carry it there."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        terms = Terms(village.strip(), source.strip(), date, basis.strip(), until)
        made = central.rosters.keep(me, file, terms)
        terminal.tell(
            terminal.say(
                "Daftar desa {village} disimpan tersegel sampai {until}; laptop desa itu "
                "menerimanya lewat USB.",
                village=terms.village,
                until=terms.expires,
            )
        )
        terminal.give(as_data(made))


@app.command("list")
def list_(
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """The lists that are kept."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = central.rosters.kept(me)
        rows = [
            [one.digest.hex()[:8], one.terms.village, one.terms.source, one.terms.expires]
            for one in found
        ]
        heads = [
            terminal.say("No."),
            terminal.say("Desa"),
            terminal.say("Sumber"),
            terminal.say("Sampai"),
        ]
        terminal.table(terminal.say("Daftar penduduk"), heads, rows)
        terminal.give({"rosters": [as_data(one) for one in found]})


@app.command()
def remove(
    roster: Annotated[str, typer.Argument(help="Beginning of its id.")],
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Delete a list. Laptops that have it keep it until its last day."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        central.rosters.remove(me, roster)
        terminal.tell(terminal.say("Daftar dihapus."))
        terminal.give({"removed": roster})


def as_data(one: KeptRoster) -> dict[str, object]:
    """A list as JSON, without its people."""
    terms = one.terms
    return {"id": one.digest.hex(), "village": terms.village, "source": terms.source,
            "list_date": terms.list_date, "legal_basis": terms.legal_basis,
            "expires": terms.expires, "size": one.size, "at": one.at, "by": one.by}  # fmt: skip
