"""`jemput-pusat duplicates`: requests that look like one person's."""

from __future__ import annotations

from typing import Annotated

import typer

from models.people import Act, require
from server.auth import roles
from server.commands.cases import WhyOption, due_words
from server.commands.cases import draw as draw_case
from server.commands.requests import SeenOption, shown_first
from server.duplicates import PairSheet
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

app = typer.Typer(help="Duplicates: requests that look like one person's.", no_args_is_help=True)

CHUNKS = 10_000
"""Two million decisions: whatever there is."""

RequestArgument = Annotated[str, typer.Argument(help="Number of the request, or its id.")]


@app.command()
def scan(
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Look through everything that is new since the last search, now. `serve` does so by itself."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        require(roles(me), Act.RESOLVE_CASE)
        found = central.duplicates.scan(CHUNKS)
        terminal.tell(
            terminal.say(
                "Diperiksa {n} berkas, dibandingkan {pairs} pasangan, dibuka {cases} perkara.",
                n=found.requests,
                pairs=found.compared,
                cases=found.opened,
            )
        )
        terminal.give(found)


@app.command("list")
def list_(
    state: Annotated[str, typer.Option("--state", help="open, closed or all.")] = "open",
    kind: Annotated[
        str, typer.Option("--kind", help="duplicate, or identity: two people under one NIK.")
    ] = "duplicate",
    after: Annotated[str, typer.Option("--after", help="Id of the last line before.")] = "",
    limit: Annotated[int, typer.Option("--limit", help="Lines at most, up to 200.")] = 50,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Pairs that wait for a decision, oldest first, with how sure it is that they are one."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = central.duplicates.cases(me, kind=kind, state=state, after=after, limit=limit)
        rows = [
            [
                line.case.id[:12],
                f"{line.probability:.0%}",
                " ".join(name[:8] for name in line.case.requests),
                due_words(terminal, line.case.due, line.case.due_estimated),
            ]
            for line in found
        ]
        heads = [
            terminal.say("Perkara"),
            terminal.say("Keyakinan"),
            terminal.say("Berkas"),
            terminal.say("Batas"),
        ]
        terminal.table(terminal.say("Berkas ganda"), heads, rows)
        terminal.give({"cases": found})


@app.command()
def show(
    case: Annotated[str, typer.Argument(help="Id of the case, or the beginning of it.")],
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Open a pair: both requests, and the reasons for and against their being one person's."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        sheet = central.duplicates.show(me, case, lang)
        draw(terminal, sheet)
        terminal.give(sheet)


@app.command()
def link(
    one: RequestArgument,
    other: RequestArgument,
    reason: WhyOption,
    keep: Annotated[
        str, typer.Option("--keep", help="The one that goes on; the earlier by default.")
    ] = "",
    seen: SeenOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Join two requests of one matter. Both numbers stay valid; it can be undone by `unlink`."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):

        def open_both() -> int:
            sheets = [central.casework.request(me, name, lang) for name in (one, other)]
            terminal.facts([(sheet.code or sheet.id, sheet.status) for sheet in sheets])
            return max(sheet.seen for sheet in sheets)

        number = shown_first(terminal, seen, open_both)
        done = central.duplicates.link(me, one, other, reason, number, keep=keep)
        terminal.tell(terminal.say("Berkas digabung. Kedua nomor bukti tetap berlaku."))
        terminal.give(done)


@app.command()
def unlink(
    request: RequestArgument,
    reason: WhyOption,
    seen: SeenOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Part a request from the one it was joined to; a second person has to confirm."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        number = shown_first(
            terminal, seen, lambda: central.casework.request(me, request, lang).seen
        )
        done = central.duplicates.unlink(me, request, reason, number)
        terminal.tell(terminal.say("Tersimpan; menunggu persetujuan orang kedua."))
        terminal.give(done)


def draw(terminal: Terminal, sheet: PairSheet) -> None:
    """The pair on the terminal."""
    draw_case(terminal, sheet.case)
    terminal.facts(
        [
            (terminal.say("Keyakinan"), f"{sheet.probability:.1%}"),
            (terminal.say("Bila bukan"), sheet.against),
            (terminal.say("Orang lain semirip ini"), f"{sheet.strangers:.4f}"),
        ]
    )
    for reason in sheet.reasons:
        terminal.tell(f"  {reason}")
