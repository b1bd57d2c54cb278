"""`jemput-pusat work`: queues, the next request, claims, and lists that people keep."""

from __future__ import annotations

from typing import Annotated

import typer

from models.problems import Problem
from server.commands.requests import draw, when
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
from server.worklist import Filter, SavedFilter

app = typer.Typer(help="The desk: what waits, and who has what.", no_args_is_help=True)

RequestArgument = Annotated[str, typer.Argument(help="Number of the request, or its id.")]
ServiceOption = Annotated[str, typer.Option("--service", help="Only this service.")]
VillageOption = Annotated[str, typer.Option("--village", help="Only this village (code).")]
StatusOption = Annotated[str, typer.Option("--status", help="Only this status.")]
CasesOption = Annotated[str, typer.Option("--cases", help="with or without open cases.")]


@app.command()
def queues(
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """What waits for you, and since when the oldest."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = central.worklist.queues(me)
        heads = [terminal.say("Status"), terminal.say("Jumlah"), terminal.say("Tertua")]
        rows = [[q.status, str(q.n), when(q.oldest_at) if q.oldest_at else ""] for q in found]
        terminal.table(terminal.say("Antrean saya"), heads, rows)
        terminal.give({"queues": found})


@app.command("next")
def next_(
    service: ServiceOption = "",
    village: VillageOption = "",
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Take the next request to verify; it is yours for ten minutes."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        taken = central.worklist.next(me, service=service, village=village, lang=lang)
        if taken.request is None:
            terminal.tell(terminal.say("Tidak ada yang menunggu."))
        else:
            draw(terminal, taken.request)
        terminal.give(taken)


@app.command()
def claim(
    request: RequestArgument,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Even if somebody else has it.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Say that you are at work on a request."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        held = central.worklist.claim(me, request, take_over=take_over)
        terminal.tell(terminal.say("Berkas Anda kerjakan sampai {time}.", time=when(held.until)))
        terminal.give(held)


@app.command()
def release(
    request: RequestArgument,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Give a request back."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        central.worklist.release(me, request)
        terminal.tell(terminal.say("Berkas dilepas."))
        terminal.give({"released": True})


@app.command()
def assign(
    login: Annotated[str, typer.Argument(help="Whose they are to be.")],
    requests: Annotated[list[str], typer.Argument(help="Ids of requests, up to 5,000.")],
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Give requests to a colleague for the working day: all or none."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        n = central.worklist.assign(me, requests, login)
        terminal.tell(terminal.say("{n} berkas diberikan kepada {login}.", n=n, login=login))
        terminal.give({"n": n})


@app.command("list")
def list_(
    saved: Annotated[str, typer.Option("--filter", help="Name of a list that you keep.")] = "",
    status: StatusOption = "",
    service: ServiceOption = "",
    village: VillageOption = "",
    cases: CasesOption = "",
    after: Annotated[str, typer.Option("--after", help="Id of the last line before.")] = "",
    limit: Annotated[int, typer.Option("--limit", help="Lines at most, up to 200.")] = 50,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Requests by arrival, and who has them."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        wanted = Filter(status, service, village, cases)
        if saved:
            wanted = _named(central.worklist.filters(me), saved)
        found = central.worklist.lines(me, wanted, after=after, limit=limit)
        heads = [
            terminal.say("Nomor"),
            terminal.say("Layanan"),
            terminal.say("Status"),
            terminal.say("Nama"),
            terminal.say("Dikerjakan"),
        ]
        rows = [
            [
                line.request.code or line.request.id,
                line.request.service,
                line.request.status,
                line.request.name,
                line.held.who if line.held else "",
            ]
            for line in found
        ]
        terminal.table(terminal.say("Daftar kerja"), heads, rows)
        terminal.give({"requests": found})


@app.command()
def filters(
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """The lists that you keep."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        _tell(terminal, central.worklist.filters(me))


@app.command()
def keep(
    name: Annotated[str, typer.Argument(help="Name of the list.")],
    status: StatusOption = "",
    service: ServiceOption = "",
    village: VillageOption = "",
    cases: CasesOption = "",
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Keep a list under a name."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        _tell(terminal, central.worklist.keep(me, name, Filter(status, service, village, cases)))


@app.command()
def forget(
    name: Annotated[str, typer.Argument(help="Name of the list.")],
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Keep a list no longer."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        _tell(terminal, central.worklist.forget(me, name))


def _named(found: list[SavedFilter], name: str) -> Filter:
    for one in found:
        if one.name == name:
            return one.filter
    raise Problem("work.no_filter", name=name[:60])


def _tell(terminal: Terminal, found: list[SavedFilter]) -> None:
    heads = [
        terminal.say("Nama"),
        terminal.say("Status"),
        terminal.say("Layanan"),
        terminal.say("Desa/kelurahan"),
        terminal.say("Perkara"),
    ]
    rows = [
        [f.name, f.filter.status, f.filter.service, f.filter.village, f.filter.cases] for f in found
    ]
    terminal.table(terminal.say("Saringan saya"), heads, rows)
    terminal.give({"filters": found})
