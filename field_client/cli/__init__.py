"""`jemput`: the laptop's program, as commands. Verbs are English, words are Indonesian."""

from __future__ import annotations

from typing import Annotated

import typer

from field_client.cli import (
    attachments,
    copies,
    enrol,
    handing,
    operators,
    printing,
    queueing,
    receipts,
    reference,
    requests,
    roster,
    serve,
    state,
    sticks,
    sync,
    visits,
)
from field_client.cli.common import (
    DataOption,
    Given,
    JsonOption,
    LangOption,
    OperatorOption,
    PinFileOption,
    RevealOption,
)

app = typer.Typer(
    name="jemput",
    help="Jemput Bola in the field: requests are taken without signal and sent when there is some.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # help as plain text: drawn by rich it needs 9 MB of pygments
    pretty_exceptions_enable=False,
)
enrol.register(app)
for name, group in (
    ("operator", operators.app),
    ("roster", roster.app),
    ("request", requests.app),
    ("receipt", receipts.app),
    ("usb", sticks.app),
    ("print", printing.app),
    ("stock", printing.stock_app),
    ("handover", handing.app),
    ("visit", visits.app),
):
    app.add_typer(group, name=name)
queueing.register(app)
state.register(app)
reference.register(app)
sync.register(app)
serve.register(app)
copies.register(app)
attachments.register(app, requests.app)
handing.register(app)


def _version(asked: bool) -> None:
    if asked:
        from field_client.build import version

        typer.echo(version())
        raise typer.Exit


@app.callback()
def before(
    ctx: typer.Context,
    data: DataOption = None,
    operator: OperatorOption = None,
    pin_file: PinFileOption = None,
    lang: LangOption = None,
    json: JsonOption = False,
    reveal: RevealOption = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options may stand before or after the command's name."""
    del version
    ctx.obj = Given(data, operator, pin_file, lang, json, reveal)


def main() -> None:
    """Entry point."""
    app()
