"""`jemput-pusat stock`: blank cards, and manifests of what is carried to villages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from models.handover import Given
from models.problems import Problem
from server.commands.requests import (
    RequestArgument,
    SeenOption,
    shown_first,
    status_words,
    when,
)
from server.files import disk_problems
from server.stock import ManifestSheet
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
from sync.attaching import FILE_BYTES_MAX, Photo

app = typer.Typer(help="Blank cards, and what is carried to villages.", no_args_is_help=True)

NumberArgument = Annotated[int, typer.Argument(help="Number of the manifest.")]


@app.command()
def blanks(
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """The book of blank cards in numbers."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = central.stock.counts(me)
        heads = [terminal.say("Jenis"), terminal.say("Status"), terminal.say("Jumlah")]
        rows = [[one.kind, one.state, str(one.n)] for one in found]
        terminal.table(terminal.say("Blangko"), heads, rows)
        terminal.give({"blanks": found})


@app.command()
def receive(
    kind: Annotated[str, typer.Argument(help="ktp or kia.")],
    first: Annotated[str, typer.Argument(help="First serial of the lot.")],
    last: Annotated[str, typer.Argument(help="Last serial; without it, one blank.")] = "",
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Write a lot of blanks into the book: all or none."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        n = central.stock.receive(me, kind, first, last)
        terminal.tell(terminal.say("{n} blangko diterima.", n=n))
        terminal.give({"n": n})


@app.command("print")
def print_(
    request: Annotated[str, typer.Argument(help="Number of the request, or its id.")],
    serial: Annotated[str, typer.Argument(help="Serial of the blank.")],
    seen: SeenOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Note on which blank a card was printed."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        number = shown_first(
            terminal, seen, lambda: central.casework.request(me, request, lang).seen
        )
        done = central.stock.print(me, request, serial, number)
        terminal.tell(terminal.say("Kartu tercatat pada blangko {serial}.", serial=serial))
        terminal.give(done)


@app.command()
def spoil(
    serial: Annotated[str, typer.Argument(help="Serial of the blank.")],
    reason: Annotated[str, typer.Option("--reason", help="What happened to it.")],
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Note that a blank is spoiled; a request it was used for is printed again."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        central.stock.spoil(me, serial, reason)
        terminal.tell(terminal.say("Blangko {serial} tercatat rusak.", serial=serial))
        terminal.give({"spoiled": serial})


@app.command()
def send(
    place: Annotated[str, typer.Argument(help="Where they go.")],
    carrier: Annotated[str, typer.Argument(help="Who takes them.")],
    requests: Annotated[list[str], typer.Argument(help="Numbers or ids, up to 200.")],
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Make a manifest of printed documents that go to one place."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        _tell(terminal, central.stock.send(me, requests, place, carrier))


@app.command()
def arrived(
    number: NumberArgument,
    missing: Annotated[
        list[str] | None, typer.Option("--missing", help="What was not there; may be repeated.")
    ] = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Note that a manifest was counted where it went."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        _tell(terminal, central.stock.arrived(me, number, missing or []))


@app.command()
def show(
    number: NumberArgument,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Open a manifest; that it was opened is recorded."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        _tell(terminal, central.stock.show(me, number))


@app.command("list")
def list_(
    state: Annotated[str, typer.Option("--state", help="sent or received; all without.")] = "",
    before: Annotated[int, typer.Option("--before", help="Number of the last one seen.")] = 0,
    limit: Annotated[int, typer.Option("--limit", help="Lines at most, up to 200.")] = 50,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Manifests, newest first."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = central.stock.manifests(me, state=state, before=before, limit=limit)
        heads = [
            terminal.say("Manifes"),
            terminal.say("Tujuan"),
            terminal.say("Pembawa"),
            terminal.say("Dikirim"),
            terminal.say("Diterima"),
        ]
        rows = [
            [
                str(m.number),
                m.place,
                m.carrier,
                when(m.sent_at),
                when(m.received_at) if m.received_at else "",
            ]
            for m in found
        ]
        terminal.table(terminal.say("Manifes"), heads, rows)
        terminal.give({"manifests": found})


@app.command()
def export(
    number: NumberArgument,
    out: Annotated[Path, typer.Argument(help="New file, .csv.")],
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Write the carrier's list to a file, in which nothing is a formula."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        if out.exists():
            raise Problem("file.exists", path=out.name)
        written = central.stock.export(me, number)
        with disk_problems(out):
            out.write_bytes(written)
        terminal.tell(terminal.say("Tersimpan di {file}.", file=out))
        terminal.give({"file": str(out), "bytes": len(written)})


@app.command()
def uncollected(
    days: Annotated[int, typer.Option("--days", help="Waiting for so long at least.")] = 30,
    limit: Annotated[int, typer.Option("--limit", help="Lines at most, up to 200.")] = 50,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Documents nobody came for, the oldest first."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = central.stock.uncollected(me, days, limit)
        heads = [terminal.say("Nomor"), terminal.say("Layanan"), terminal.say("Desa/kelurahan")]
        rows = [[one.code or one.id, one.service, one.village] for one in found]
        terminal.table(terminal.say("Belum diambil"), heads, rows)
        terminal.give({"requests": found})


@app.command()
def give(
    request: RequestArgument,
    relation: Annotated[str, typer.Option("--relation", help="Who got it: self, family, proxy, …")],
    way: Annotated[
        str, typer.Option("--way", help="How they were recognised: KTP, KK, IKD, PHOTO, KNOWN.")
    ] = "",
    receiver_nik: Annotated[str, typer.Option("--receiver-nik", help="NIK of the receiver.")] = "",
    document: Annotated[
        str, typer.Option("--document", help="What is given, if not what the service gives.")
    ] = "",
    serial: Annotated[str, typer.Option("--serial", help="Number of the blank, as read.")] = "",
    old_taken: Annotated[
        bool, typer.Option("--old-taken", help="The old document was taken back.")
    ] = False,
    signature: Annotated[
        Path | None, typer.Option("--signature", help="Picture of the receiver's signature.")
    ] = None,
    listed: Annotated[
        bool, typer.Option("--listed", help="The receiver signed the paper list.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why something was passed.")] = "",
    seen: SeenOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Give a finished document to its owner, once, to somebody who was looked at."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        given = Given(
            relation, receiver_nik, document.upper(), way.upper(), old_taken, serial, listed, reason
        )
        photos = [_photo(signature)] if signature is not None else []

        def open_it() -> int:
            ready = central.handing.open(me, request, terminal.lang)
            terminal.facts(
                [(terminal.say("Nomor"), ready.code), (terminal.say("Nama"), ready.name)]
            )
            return ready.seen

        number = shown_first(terminal, seen, open_it)
        done = central.handing.give(me, request, given, number, photos)
        terminal.tell(
            terminal.say("Berkas sekarang: {status}.", status=status_words(done.status, lang))
        )
        terminal.give(done)


def _photo(path: Path) -> Photo:
    with disk_problems(path), path.open("rb") as file:
        return Photo(path.name, file.read(FILE_BYTES_MAX + 1))


def _tell(terminal: Terminal, sheet: ManifestSheet) -> None:
    heads = [
        terminal.say("Nomor"),
        terminal.say("Nama"),
        terminal.say("Layanan"),
        terminal.say("Blangko"),
        terminal.say("Status"),
    ]
    rows = [[one.code, one.name, one.service, one.serial, one.state] for one in sheet.items]
    title = terminal.say(
        "Manifes {n}: {place}", n=sheet.manifest.number, place=sheet.manifest.place
    )
    terminal.table(title, heads, rows)
    terminal.tell(sheet.qr)
    terminal.give(sheet)
