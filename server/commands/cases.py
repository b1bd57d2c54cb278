"""`jemput-pusat cases`: what people have to decide."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from models.people import ROLES, Role
from models.problems import Problem
from server.casework import Done
from server.central import Central
from server.commands.requests import SeenOption, shown, shown_first, when
from server.database.people import Person
from server.sheets import CaseSheet, ParkedLine, Side
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

app = typer.Typer(help="Cases: what people have to decide.", no_args_is_help=True)

CaseArgument = Annotated[str, typer.Argument(help="Id of the case, or the beginning of it.")]
WhyOption = Annotated[str, typer.Option("--reason", help="Why; both authors are told.")]


@app.command("list")
def list_(
    state: Annotated[str, typer.Option("--state", help="open, proposed, closed or all.")] = "open",
    kind: Annotated[
        str, typer.Option("--kind", help="dispute, duplicate, fork, after-lost, hole …")
    ] = "",
    after: Annotated[str, typer.Option("--after", help="Id of the last line before.")] = "",
    limit: Annotated[int, typer.Option("--limit", help="Lines at most, up to 200.")] = 50,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Cases, oldest first."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = central.casework.cases(me, state=state, kind=kind, after=after, limit=limit)
        rows = [
            [
                c.id[:12], c.kind, c.state, c.unit, " ".join(r[:8] for r in c.requests),
                owner_words(c.owner, lang), due_words(terminal, c.due, c.due_estimated),
            ]
            for c in found
        ]  # fmt: skip
        terminal.table(
            terminal.say("Perkara"),
            [
                terminal.say("Perkara"),
                terminal.say("Jenis"),
                terminal.say("Status"),
                terminal.say("Isian"),
                terminal.say("Berkas"),
                terminal.say("Pemutus"),
                terminal.say("Batas"),
            ],
            rows,
        )
        terminal.give({"cases": found})


@app.command()
def show(
    case: CaseArgument,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Open a case with every side of it; that it was opened is recorded."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        sheet = central.casework.case(me, case)
        draw(terminal, sheet)
        terminal.give(sheet)


@app.command()
def resolve(
    case: CaseArgument,
    take: Annotated[str, typer.Option("--take", help="One of the choices of the case.")],
    reason: WhyOption,
    offer: Annotated[int, typer.Option("--offer", help="Number of the offer that is taken.")] = 0,
    value: Annotated[
        str, typer.Option("--value", help="What is typed anew, as JSON or plain text.")
    ] = "",
    seen: SeenOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Decide a case; on a protected unit a second person has to approve."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        number = _seen(terminal, central, me, case, seen)
        typed = _typed(value) if value else None
        done = central.casework.resolve(me, case, take, reason, number, offer=offer, value=typed)
        _tell(terminal, done)


@app.command()
def approve(
    case: CaseArgument,
    reason: WhyOption,
    seen: SeenOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Agree, as the second person, to what the first proposes."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        number = _seen(terminal, central, me, case, seen)
        _tell(terminal, central.casework.approve(me, case, reason, number))


@app.command()
def decline(
    case: CaseArgument,
    reason: WhyOption,
    seen: SeenOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Do not agree, as the second person; the case is open again."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        number = _seen(terminal, central, me, case, seen)
        _tell(terminal, central.disputes.decline(me, case, reason, number))


@app.command()
def undo(
    case: CaseArgument,
    reason: WhyOption,
    seen: SeenOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Open a decided dispute anew; the decision stays in the history. Prints the new case."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        number = _seen(terminal, central, me, case, seen)
        _tell(terminal, central.disputes.undo(me, case, reason, number))


# -- pieces


def _seen(terminal: Terminal, central: Central, me: Person, case: str, seen: int | None) -> int:
    def open_it() -> int:
        sheet = central.casework.case(me, case)
        draw(terminal, sheet)
        return sheet.seen

    return shown_first(terminal, seen, open_it)


def _typed(text: str) -> Any:
    """JSON for groups and lists; anything else is the text itself (a NIK stays text)."""
    if not text.startswith(("{", "[", '"')):
        return text
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise Problem("api.malformed", why="--value") from None


def _tell(terminal: Terminal, done: Done) -> None:
    if done.state == "waiting":
        terminal.tell(terminal.say("Tersimpan; menunggu persetujuan orang kedua."))
    elif done.state == "open":
        terminal.tell(terminal.say("Perkara terbuka: {case}.", case=done.id[:12]))
    else:
        terminal.tell(terminal.say("Perkara diputus. Para penulis akan diberi tahu."))
    terminal.give(done)


def draw(terminal: Terminal, sheet: CaseSheet) -> None:
    """The case on the terminal."""
    proposal = sheet.proposal
    terminal.facts(
        [
            (terminal.say("Perkara"), sheet.id),
            (terminal.say("Jenis"), sheet.kind),
            (terminal.say("Status"), sheet.state),
            (terminal.say("Isian"), sheet.unit),
            (terminal.say("Dibuka"), when(sheet.opened_at)),
            (terminal.say("Pemutus"), owner_words(sheet.owner, terminal.lang)),
            (terminal.say("Batas"), due_words(terminal, sheet.due, sheet.due_estimated)),
            (terminal.say("Catatan"), sheet.note),
            (
                terminal.say("Usulan"),
                f"{proposal.take} {shown(proposal.value)}" if proposal else "",
            ),
            (terminal.say("Diusulkan oleh"), proposal.by if proposal else ""),
            (terminal.say("Alasan"), proposal.reason if proposal else ""),
        ]
    )
    rows = [[r.code or r.id, r.service, r.status, r.name] for r in sheet.requests]
    terminal.table(
        terminal.say("Berkas"),
        [
            terminal.say("Nomor"),
            terminal.say("Layanan"),
            terminal.say("Status"),
            terminal.say("Nama"),
        ],
        rows,
    )
    for side in sheet.sides:
        _draw_side(terminal, side)
    if sheet.parked:
        heads = [
            terminal.say("Jenis"),
            terminal.say("Isian"),
            terminal.say("Oleh"),
            terminal.say("Di"),
            terminal.say("Tiba"),
        ]
        held = [
            [
                p.kind,
                _parked(p, terminal.lang),
                p.author.who,
                p.author.office,
                when(p.author.not_after),
            ]
            for p in sheet.parked
        ]
        terminal.table(terminal.say("Perubahan yang ditahan"), heads, held)
    terminal.facts(
        [
            (terminal.say("Pilihan"), ", ".join(sheet.choices)),
            (terminal.say("Keadaan (seen)"), sheet.seen),
        ]
    )


def _parked(line: ParkedLine, lang: str) -> str:
    """What a change that waits would set; where that cannot be read, why and whose turn it is."""
    if line.problem is None:
        return shown(line.set)
    return Problem(line.problem["code"], **line.problem["details"]).words(lang)


def owner_words(role: str, lang: str) -> str:
    """The role that decides, in words."""
    return ROLES[Role(role)].words(lang)


def due_words(terminal: Terminal, due: str, estimated: bool) -> str:
    """The last day for a case; marked where a decree on holidays is missing."""
    return terminal.say("{day} (perkiraan)", day=due) if estimated else due


def _draw_side(terminal: Terminal, side: Side) -> None:
    author = side.author
    if side.number == 0:
        terminal.tell(terminal.say("Nilai sekarang"))
    else:
        terminal.tell(terminal.say("Tawaran {number}", number=side.number))
    terminal.facts(
        [
            (terminal.say("Nilai"), shown(side.value)),
            (terminal.say("Yang dilihat penulis"), shown(side.shown)),
            (terminal.say("Oleh"), author.who),
            (
                terminal.say("Di"),
                f"{author.office} ({author.device})" if author.device else author.office,
            ),
            (terminal.say("Antara"), f"{when(author.not_before)} – {when(author.not_after)}"),
            (terminal.say("Alasan"), side.reason),
        ]
    )
