"""`jemput-pusat audit`: the trail of who did and looked at what, and the proof that it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from server.commands.requests import when
from server.files import write_atomically
from server.terminal import (
    DEFAULT_DATA,
    FALSE,
    AsOption,
    DataOption,
    JsonOption,
    LangOption,
    PasswordFileOption,
    signed_in,
)

app = typer.Typer(help="The audit trail.", no_args_is_help=True)


@app.command()
def verify(
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Check every chain: trail, decisions, each laptop's log. Exit code 3, and where, if broken."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = central.evidence.verify(me)
        terminal.facts(
            [
                (terminal.say("Catatan jejak"), found.audit),
                (terminal.say("Putusan"), found.decisions),
                (terminal.say("Log"), found.logs),
                (terminal.say("Perubahan"), found.entries),
            ]
        )
        broken = [{"chain": b.chain, "number": b.number, "log": b.log.hex()} for b in found.broken]
        counted = {"audit": found.audit, "decisions": found.decisions, "logs": found.logs}
        terminal.give({"ok": not broken, **counted, "entries": found.entries, "broken": broken})
        if not broken:
            terminal.tell(terminal.say("Semua rantai utuh."))
            return
        for one in found.broken:
            terminal.warn(
                terminal.say(
                    "Rantai {chain} {log} rusak pada nomor {number}.",
                    chain=one.chain,
                    log=one.log.hex(),
                    number=one.number,
                )
            )
        terminal.warn(terminal.say("Jangan hapus apa pun; laporkan kepada penyelia."))
        raise typer.Exit(FALSE)


@app.command("list")
def list_(
    target: Annotated[str, typer.Option("--about", help="Only about this id or login.")] = "",
    after: Annotated[int, typer.Option("--after", help="Number of the last entry before.")] = 0,
    limit: Annotated[int, typer.Option("--limit", help="Entries at most, up to 1000.")] = 100,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Who did and looked at what. Reading it is recorded too."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = central.evidence.trail(me, target, after, limit)
        rows = [[str(e.n), when(e.at), e.actor, e.action, e.target, e.detail] for e in found]
        heads = [
            terminal.say("No."),
            terminal.say("Waktu"),
            terminal.say("Oleh"),
            terminal.say("Apa"),
            terminal.say("Tentang"),
            terminal.say("Rincian"),
        ]
        terminal.table(terminal.say("Jejak audit"), heads, rows)
        terminal.give({"entries": [msgspec.structs.asdict(entry) for entry in found]})


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", help="File to write (.jsonl).")],
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")] = "",
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """The trail as a signed file for an auditor, with the program that verifies it beside it."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        written = central.trail.export(me, first, last)
        program = out.with_name("verify_audit.py")
        write_atomically(out, written)
        write_atomically(program, central.trail.verifier())
        print_ = central.trail.fingerprint()
        terminal.facts([(terminal.say("Sidik kunci kantor"), print_)])
        terminal.tell(terminal.say("Jejak ditulis ke {path}.", path=str(out)))
        told = {"file": str(out), "verifier": str(program), "bytes": len(written)}
        terminal.give(told | {"fingerprint": print_})
