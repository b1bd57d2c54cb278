"""`jemput-pusat report`: the figures of the dashboard."""

from __future__ import annotations

import msgspec
import typer

from models.words import number
from server.terminal import (
    DEFAULT_DATA,
    AsOption,
    DataOption,
    JsonOption,
    LangOption,
    PasswordFileOption,
    signed_in,
)

app = typer.Typer(help="The figures of the dashboard.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The figures of the dashboard."""


@app.command()
def rebuild(
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Count every figure afresh, as after a new decree on holidays."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        counted = central.reports.rebuild(me)
        terminal.tell(
            terminal.say("{n} keputusan dihitung ulang.", n=number(counted.decisions, lang))
        )
        terminal.give(msgspec.to_builtins(counted))
