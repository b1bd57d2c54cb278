"""`jemput-pusat backup`, `restore` and `confirm-restore`: a second copy, and going on from it."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from models.words import moment_at
from server import backup as backups
from server import recovery, restoring
from server.central import now
from server.journal import Replayed
from server.recovery import journal_words
from server.terminal import (
    DEFAULT_DATA,
    AsOption,
    DataOption,
    JsonOption,
    LangOption,
    PasswordFileOption,
    Terminal,
    at_central,
    placed,
    signed_in,
    speaking,
)


def backup(
    folder: Annotated[Path, typer.Argument(help="Where backups lie, on another disk.")],
    data: DataOption = DEFAULT_DATA,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Copy everything while work goes on, and check the copy by opening it."""
    with at_central(data, lang, json) as (terminal, central):
        made = backups.make(central.place, central.registry, central.keys, folder, central.clock())
        terminal.tell(terminal.say("Cadangan selesai dan diperiksa: {folder}", folder=made.folder))
        terminal.facts(
            [
                (terminal.say("Nomor putusan terakhir"), made.backup.server_seq),
                (terminal.say("Permohonan"), made.backup.counts["requests"]),
                (terminal.say("Perubahan"), made.backup.counts["entries"]),
                (terminal.say("Berkas disalin"), made.copied),
            ]
        )
        if not made.durable:
            terminal.warn(_why(terminal, made.why))
        terminal.give(
            {
                "folder": made.folder,
                "server_seq": made.backup.server_seq,
                "counts": made.backup.counts,
                "copied": made.copied,
                "missing": made.missing,
                "durable": made.durable,
                "why": made.why,
            }
        )


def _why(terminal: Terminal, why: str) -> str:
    """Why the backup does not let laptops delete anything."""
    match why:
        case "same_disk":
            return terminal.say(
                "Cadangan ini ada di disk yang sama dengan data pusat; laptop belum boleh menghapus"
                " apa pun."
            )
        case "files":
            return terminal.say(
                "Ada berkas warga yang tidak utuh di pusat; laptop belum boleh menghapus apa pun."
            )
        case _:
            return terminal.say(
                "Folder ini bukan folder cadangan yang diatur (backup_folder); laptop belum boleh"
                " menghapus apa pun."
            )


class RestoreGroup(TyperGroup):
    """`restore FOLDER` means `restore from FOLDER`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put in the word that was left out."""
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["from", *args]
        return super().parse_args(ctx, args)


restore_app = typer.Typer(
    cls=RestoreGroup,
    no_args_is_help=True,
    help="Put central back from a backup (`from` may be left out); the report about it.",
)


@restore_app.command("from")
def restore(
    folder: Annotated[Path, typer.Argument(help="A finished backup.")],
    data: DataOption = DEFAULT_DATA,
    recovery_file: Annotated[
        Path | None,
        typer.Option("--recovery-file", help="Office recovery key, where the keys are lost too."),
    ] = None,
    database_url: Annotated[
        str | None, typer.Option("--database-url", help="An empty PostgreSQL database.")
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option("--journal", help="Folder of the second journal, if not that of the setting."),
    ] = None,
    unsigned: Annotated[
        bool,
        typer.Option("--unsigned", help="It is older than signed backups, and nobody had it."),
    ] = False,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Put central back from a backup and the second journal. Stop it first; what is here is moved
    aside."""
    with speaking(lang, json) as terminal:
        city = backups.read(folder).city
        place = placed(data, database_url=database_url, city=city)
        done = restoring.restore(
            place, folder, recovery_file, now, secrets.token_bytes, journal, unsigned
        )
        terminal.tell(
            terminal.say(
                "Pusat dipulihkan sampai putusan nomor {number}. Laptop akan mengirim ulang yang"
                " sesudah itu.",
                number=done.branch.number,
            )
        )
        _tell_journal(terminal, done.journal)
        if done.aside is not None:
            terminal.tell(terminal.say("Basis data lama ada di {path}.", path=done.aside))
        terminal.warn(
            terminal.say(
                "Pekerjaan belum diterima: penyelia memeriksa daftar laptop (device list), lalu"
                " menjalankan confirm-restore."
            )
        )
        terminal.give(
            {
                "server_seq": done.branch.number,
                "base": done.branch.base,
                "incarnation": done.branch.incarnation.hex(),
                "files": done.files,
                "aside": done.aside,
                "journal": done.journal,
            }
        )


def _tell_journal(terminal: Terminal, found: Replayed) -> None:
    """What came from the second journal, and what it lacks."""
    if found.last:
        terminal.tell(
            terminal.say(
                "Jurnal kedua: {n} catatan sesudah cadangan dikembalikan, yang terakhir {at}.",
                n=found.last - found.first + 1,
                at=moment_at(found.at),
            )
        )
    why = journal_words(found, terminal.lang)
    if why:
        terminal.warn(why)


@restore_app.command()
def report(
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """What the newest restore lost and who brings it again; open until its case is closed."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = recovery.report(central.registry, me, central.clock())
        for sentence in recovery.sentences(found, terminal.lang):
            terminal.tell(sentence)
        terminal.give(found)


def confirm(
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """After a restore: the list of laptops was looked at, take work in again (supervisor)."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        names = restoring.confirm(central.registry, me, central.clock())
        terminal.tell(terminal.say("Pusat menerima pekerjaan lagi."))
        terminal.give({"confirmed": True, "devices": names})
