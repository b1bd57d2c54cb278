"""`jemput-pusat batch`: what is typed into SIAK together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.problems import Problem
from server.batches import BatchSheet
from server.commands.requests import when
from server.files import disk_problems
from server.terminal import (
    DEFAULT_DATA,
    AsOption,
    DataOption,
    JsonOption,
    LangOption,
    PasswordFileOption,
    Terminal,
    signed_in,
)

app = typer.Typer(help="Batches: what is typed into SIAK together.", no_args_is_help=True)

NumberArgument = Annotated[int, typer.Argument(help="Number of the batch.")]


@app.command()
def eligible(
    service: Annotated[str, typer.Option("--service", help="Only this service.")] = "",
    village: Annotated[str, typer.Option("--village", help="Only this village (code).")] = "",
    after: Annotated[str, typer.Option("--after", help="Id of the last line before.")] = "",
    limit: Annotated[int, typer.Option("--limit", help="Lines at most, up to 200.")] = 50,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Verified requests that can be put into a batch, by arrival."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = central.batches.eligible(
            me, service=service, village=village, after=after, limit=limit
        )
        heads = [terminal.say("Nomor"), terminal.say("Layanan"), terminal.say("Nama")]
        rows = [[one.code or one.id, one.service, one.name] for one in found]
        terminal.table(terminal.say("Siap untuk SIAK"), heads, rows)
        terminal.give({"requests": found})


@app.command()
def freeze(
    requests: Annotated[list[str], typer.Argument(help="Numbers or ids, up to 200.")],
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Make a batch of these requests as they stand: all of them or none."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        _tell(terminal, central.batches.freeze(me, requests))


@app.command("list")
def list_(
    state: Annotated[
        str, typer.Option("--state", help="frozen, proposed or closed; all without.")
    ] = "",
    before: Annotated[int, typer.Option("--before", help="Number of the last one seen.")] = 0,
    limit: Annotated[int, typer.Option("--limit", help="Lines at most, up to 200.")] = 50,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Batches, newest first."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = central.batches.batches(me, state=state, before=before, limit=limit)
        heads = [
            terminal.say("Batch"),
            terminal.say("Status"),
            terminal.say("Dibekukan"),
            terminal.say("Oleh"),
            terminal.say("Baris"),
        ]
        rows = [
            [str(b.number), b.state, when(b.frozen_at), b.frozen_by, _counts(b.rows)] for b in found
        ]
        terminal.table(terminal.say("Batch SIAK"), heads, rows)
        terminal.give({"batches": found})


@app.command()
def show(
    number: NumberArgument,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Open a batch; that it was opened is recorded."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        _tell(terminal, central.batches.show(me, number))


@app.command()
def export(
    number: NumberArgument,
    out: Annotated[Path, typer.Argument(help="New file, ending in .xlsx or .csv.")],
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Write the batch to a file for a spreadsheet, in which nothing is a formula."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        if out.exists():
            raise Problem("file.exists", path=out.name)
        written = central.batches.export(me, number, out.suffix.lstrip(".").lower())
        with disk_problems(out):
            out.write_bytes(written)
        terminal.tell(terminal.say("Tersimpan di {file}.", file=out))
        terminal.give({"file": str(out), "bytes": len(written)})


@app.command()
def mark(
    number: NumberArgument,
    row: Annotated[int, typer.Argument(help="Number of the row.")],
    reference: Annotated[
        str, typer.Option("--reference", help="What SIAK answered; it took the row.")
    ] = "",
    failed: Annotated[str, typer.Option("--failed", help="Why SIAK did not take it.")] = "",
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Note what became of a row in SIAK."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        if failed:
            sheet = central.batches.failed(me, number, row, failed)
        else:
            sheet = central.batches.entered(me, number, row, reference)
        _tell(terminal, sheet)


@app.command()
def propose(
    number: NumberArgument,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Ask for the batch to be closed by somebody else."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        _tell(terminal, central.batches.propose(me, number))


@app.command()
def close(
    number: NumberArgument,
    back: Annotated[
        bool, typer.Option("--back", help="Do not agree: the batch is worked on again.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Close a batch as the second person: what was entered goes on, the rest is verified again."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        _tell(terminal, central.batches.close(me, number, agree=not back))


def _counts(rows: dict[str, int]) -> str:
    return ", ".join(f"{state} {n}" for state, n in sorted(rows.items()))


def _tell(terminal: Terminal, sheet: BatchSheet) -> None:
    heads = [
        terminal.say("No."),
        terminal.say("Nomor"),
        terminal.say("Nama"),
        terminal.say("Status"),
        terminal.say("Nomor SIAK"),
        terminal.say("Alasan"),
    ]
    rows = [
        [str(r.n), r.frozen.code, r.frozen.name, r.state, r.reference, r.reason] for r in sheet.rows
    ]
    title = terminal.say("Batch {n}: {state}", n=sheet.batch.number, state=sheet.batch.state)
    terminal.table(title, heads, rows)
    terminal.give(sheet)
