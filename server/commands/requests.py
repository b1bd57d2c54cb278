"""`jemput-pusat requests`: what staff do with citizens' requests."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from models import lifecycle
from models.problems import Problem
from models.remarks import Remark
from models.words import moment_at, size
from server.casework import Done
from server.central import Central
from server.database.people import Person
from server.files import write_new
from server.sheets import FileLine, RequestSheet
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

app = typer.Typer(help="Citizens' requests.", no_args_is_help=True)

RequestArgument = Annotated[str, typer.Argument(help="Tracking code or id of the request.")]
SeenOption = Annotated[
    int | None,
    typer.Option("--seen", help="Number shown when it was opened; without it, it is shown first."),
]
CodeOption = Annotated[str, typer.Option("--reason", help="Reason code, for example DOC_MISSING.")]
TextOption = Annotated[str, typer.Option("--text", help="What to add to the reason.")]


@app.command("list")
def list_(
    status: Annotated[str, typer.Option("--status", help="Only with this status.")] = "",
    service: Annotated[str, typer.Option("--service", help="Only of this service.")] = "",
    village: Annotated[str, typer.Option("--village", help="Only of this village's code.")] = "",
    text: Annotated[str, typer.Option("--find", help="A NIK, or part of a name.")] = "",
    after: Annotated[str, typer.Option("--after", help="Id of the last line before.")] = "",
    limit: Annotated[int, typer.Option("--limit", help="Lines at most, up to 200.")] = 50,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Requests by arrival."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = central.casework.requests(
            me,
            status=status,
            service=service,
            village=village,
            text=text,
            after=after,
            limit=limit,
        )
        rows = [
            [
                r.code or r.id[:8],
                r.service,
                status_words(r.status, lang),
                r.name,
                str(r.cases or ""),
            ]
            for r in found
        ]
        terminal.table(
            terminal.say("Permohonan"),
            [
                terminal.say("Nomor"),
                terminal.say("Layanan"),
                terminal.say("Status"),
                terminal.say("Nama"),
                terminal.say("Perkara"),
            ],
            rows,
        )
        terminal.give({"requests": found})


@app.command()
def show(
    request: RequestArgument,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Open a request; that it was opened is recorded."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        sheet = central.casework.request(me, request, lang)
        draw(terminal, sheet)
        terminal.give(sheet)


@app.command()
def attachment(
    request: RequestArgument,
    file: Annotated[str, typer.Argument(help="Beginning of the file's id, from `requests show`.")],
    out: Annotated[Path, typer.Option("--out", help="Where to write it (WebP), unprotected.")],
    preview: Annotated[bool, typer.Option("--preview", help="Its small picture instead.")] = False,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Write a paper or portrait out to be looked at; that it was opened is recorded."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        if out.exists():
            raise Problem("file.exists", path=str(out))
        line, content = central.casework.attachment(me, request, file, preview=preview)
        write_new(out, content)
        terminal.say("Ditulis ke {file} tanpa kunci. Hapus setelah dilihat.", file=out.name)
        terminal.give({"file": str(out), "bytes": len(content), "id": line.id, "unit": line.unit})


@app.command()
def accept(
    request: RequestArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why, where the rules find errors.")] = "",
    seen: SeenOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Data and papers are right: verified."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        number = _seen(terminal, central, me, request, seen)
        _tell(terminal, central.casework.accept(me, request, number, reason))


@app.command("return")
def return_(
    request: RequestArgument,
    code: Annotated[
        str, typer.Option("--reason", help="Reason code for the whole, e.g. DOC_MISSING.")
    ] = "",
    text: TextOption = "",
    about: Annotated[
        list[str] | None,
        typer.Option(
            "--about", help="key=CODE or key=CODE:text for one answer or doc.<code>; repeat."
        ),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only show what clerk and citizen would read.")
    ] = False,
    seen: SeenOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Back to its author, to be corrected."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        remarks = [_remark(one) for one in about or ()]
        if preview:
            said = central.verification.preview(me, request, code, text, remarks, lang)
            terminal.tell(said.clerk)
            terminal.tell(said.citizen)
            terminal.give(said)
            return
        number = _seen(terminal, central, me, request, seen)
        _tell(terminal, central.casework.send_back(me, request, code, text, number, remarks))


@app.command()
def ask(
    request: RequestArgument,
    text: Annotated[str, typer.Option("--text", help="The question, in a short sentence.")],
    kind: Annotated[str, typer.Option("--kind", help="yes_no, text or photo.")] = "text",
    about: Annotated[
        str, typer.Option("--about", help="Key of an answer, or doc.<code>; else the whole.")
    ] = "",
    seen: SeenOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Ask the field; the answer comes with a sync, and the clock stands still till then."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        number = _seen(terminal, central, me, request, seen)
        _tell(terminal, central.verification.ask(me, request, kind, about, text, number))


@app.command()
def escalate(
    request: RequestArgument,
    text: Annotated[str, typer.Option("--text", help="To a supervisor; it stays at central.")],
    seen: SeenOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Ask a supervisor; the request waits for the answer."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        number = _seen(terminal, central, me, request, seen)
        _tell(terminal, central.verification.escalate(me, request, text, number))


@app.command()
def reject(
    request: RequestArgument,
    code: CodeOption,
    text: TextOption = "",
    seen: SeenOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Refuse, once a supervisor confirms."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        number = _seen(terminal, central, me, request, seen)
        _tell(terminal, central.casework.reject(me, request, code, text, number))


@app.command()
def advance(
    request: RequestArgument,
    action: Annotated[str, typer.Argument(help="The step, for example enrol.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, where the step needs it.")] = "",
    seen: SeenOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Any other step of the lifecycle that is taken at the office."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        number = _seen(terminal, central, me, request, seen)
        _tell(terminal, central.casework.advance(me, request, action, reason, number))


@app.command()
def confirm(
    request: RequestArgument,
    decline: Annotated[
        bool, typer.Option("--decline", help="Let the step drop instead of agreeing.")
    ] = False,
    seen: SeenOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Agree, as the second person, to the step that waits."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        number = _seen(terminal, central, me, request, seen)
        _tell(terminal, central.casework.confirm(me, request, number, agree=not decline))


# -- pieces


def _remark(text: str) -> Remark:
    """`applicant.nik=NIK_NOT_FOUND:cek KTP`."""
    key, _, rest = text.partition("=")
    code, _, words = rest.partition(":")
    return Remark(key.strip(), code.strip(), words.strip())


def _seen(terminal: Terminal, central: Central, me: Person, request: str, seen: int | None) -> int:
    def open_it() -> int:
        sheet = central.casework.request(me, request, terminal.lang)
        draw(terminal, sheet)
        return sheet.seen

    return shown_first(terminal, seen, open_it)


def shown_first(terminal: Terminal, seen: int | None, open_it: Callable[[], int]) -> int:
    """The number that was seen. A person at a terminal is shown the sheet and asked; anybody else
    has to say what they saw, because nobody may decide about what was not on the screen."""
    if seen is not None:
        return seen
    if terminal.json or not sys.stdin.isatty():
        raise Problem("request.seen")
    number = open_it()
    typer.confirm(terminal.say("Lanjutkan?"), abort=True)
    return number


def _tell(terminal: Terminal, done: Done) -> None:
    if done.state == "waiting":
        terminal.tell(terminal.say("Tersimpan; menunggu persetujuan orang kedua."))
    else:
        words = status_words(done.status, terminal.lang)
        terminal.tell(terminal.say("Berkas sekarang: {status}.", status=words))
    terminal.give(done)


def draw(terminal: Terminal, sheet: RequestSheet) -> None:
    """The request on the terminal."""
    terminal.facts(
        [
            (terminal.say("Nomor"), sheet.code or sheet.id),
            (terminal.say("Layanan"), sheet.title),
            (terminal.say("Status"), status_words(sheet.status, terminal.lang)),
            (terminal.say("Kantor"), f"{sheet.office} ({sheet.device})"),
            (
                terminal.say("Perkara terbuka"),
                ", ".join(sorted({*sheet.disputes.values(), *sheet.cases})),
            ),
            (terminal.say("Menunggu orang kedua"), sheet.waiting.action if sheet.waiting else ""),
            (terminal.say("Langkah"), ", ".join(sheet.actions)),
        ]
    )
    terminal.table(
        terminal.say("Isian"),
        [terminal.say("Isian"), terminal.say("Nilai")],
        ([k, shown(v)] for k, v in sheet.answers.items()),
    )
    if sheet.files:
        heads = ["Lampiran", "Untuk", "Halaman", "Ukuran", "Sampai"]
        terminal.table("Lampiran", heads, (_file(line, terminal.lang) for line in sheet.files))
    rows = [
        [when(e.at), e.who, f"{e.what} {e.unit}", shown(e.value), e.reason] for e in sheet.history
    ]
    terminal.table(
        terminal.say("Riwayat"),
        [
            terminal.say("Waktu"),
            terminal.say("Oleh"),
            terminal.say("Apa"),
            terminal.say("Nilai"),
            terminal.say("Alasan"),
        ],
        rows,
    )
    terminal.facts([(terminal.say("Keadaan (seen)"), sheet.seen)])


def _file(line: FileLine, lang: str) -> list[str]:
    place = f"{line.page}/{line.pages}"
    return [line.id[:8], line.unit, place, size(line.bytes, lang), f"{line.percent} %"]


def shown(value: Any) -> str:
    """A value as one reads it."""
    match value:
        case None:
            return ""
        case dict():
            return ", ".join(f"{name}: {shown(part)}" for name, part in value.items())
        case list() | tuple():
            return ", ".join(map(shown, value))
    return str(value)


def when(at: int | None) -> str:
    """A time of central's clock, in WIT."""
    return moment_at(at) if at else ""


def status_words(status: str, lang: str) -> str:
    """The office's word for a status."""
    known = lifecycle.known_status(status)
    return lifecycle.standing(status).office.words(lang) if known else status
