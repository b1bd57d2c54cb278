"""`jemput-pusat`: the office's command line. The groups of commands stand in `commands/`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from models.problems import Problem
from server import VERSION
from server.central import found
from server.commands import (
    audit,
    backups,
    batches,
    bundles,
    cases,
    devices,
    duplicates,
    people,
    receipts,
    reference,
    reports,
    requests,
    rosters,
    stock,
    voyages,
    waiting,
    work,
)
from server.database.registry import open_registry
from server.start import loading
from server.terminal import (
    DEFAULT_DATA,
    DataOption,
    JsonOption,
    LangOption,
    at_central,
    placed,
    speaking,
)

RECOVERY_FILE = "recovery-key.json"

app = typer.Typer(
    help="Jemput Bola: the civil registry office.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(people.app, name="person")
app.add_typer(devices.app, name="device")
app.add_typer(voyages.app, name="voyage")
app.add_typer(requests.app, name="requests")
app.add_typer(cases.app, name="cases")
app.add_typer(duplicates.app, name="duplicates")
app.add_typer(batches.app, name="batch")
app.add_typer(work.app, name="work")
app.add_typer(stock.app, name="stock")
app.add_typer(receipts.app, name="receipt")
app.add_typer(bundles.app, name="bundle")
app.add_typer(reference.app, name="reference")
app.add_typer(rosters.app, name="roster")
app.add_typer(reports.app, name="report")
app.add_typer(audit.app, name="audit")
app.command()(backups.backup)
app.add_typer(backups.restore_app, name="restore")
app.command()(waiting.waiting)
app.command("confirm-restore")(backups.confirm)


@app.command()
def init(
    data: DataOption = DEFAULT_DATA,
    recovery_file: Annotated[
        Path | None,
        typer.Option("--recovery-file", help="Where to write the office recovery key."),
    ] = None,
    database_url: Annotated[
        str | None, typer.Option("--database-url", help="PostgreSQL instead of SQLite.")
    ] = None,
    city: Annotated[str | None, typer.Option("--city", help="Code of the kabupaten/kota.")] = None,
    public_url: Annotated[
        str | None, typer.Option("--public-url", help="Address that laptops are told.")
    ] = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen at.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port to listen at.")] = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Prepare central: folder, keys, database. Replaces nothing."""
    with speaking(lang, json) as terminal:
        place = placed(
            data,
            database_url=database_url,
            city=city,
            public_url=public_url,
            host=host,
            port=port,
        )
        made = found(place, recovery_file or data / RECOVERY_FILE)
        terminal.tell(terminal.say("Pusat siap di {folder}.", folder=place.folder))
        terminal.tell(
            terminal.say(
                "Kunci pemulihan ada di {file}. Salin ke dua tempat terkunci di luar jaringan, "
                "lalu hapus berkas itu dari komputer ini.",
                file=made.recovery_file,
            )
        )
        terminal.give(
            {"data": place.folder, "log": made.log.hex(), "recovery_file": made.recovery_file}
        )


@app.command()
def migrate(
    data: DataOption = DEFAULT_DATA, lang: LangOption = "id", json: JsonOption = False
) -> None:
    """Bring the database to this version of the program."""
    with speaking(lang, json) as terminal:
        place = placed(data)
        if not place.keys_file.exists():
            raise Problem("office.empty")
        registry = open_registry(place.database_url, place.settings.city)
        try:
            registry.migrate()
        finally:
            registry.close()
        terminal.tell(terminal.say("Basis data sesuai dengan versi ini."))
        terminal.give({"migrated": True, "version": VERSION})


@app.command()
def status(
    data: DataOption = DEFAULT_DATA, lang: LangOption = "id", json: JsonOption = False
) -> None:
    """How central stands, in numbers."""
    with at_central(data, lang, json) as (terminal, central):
        facts = central.status()
        terminal.facts(
            [
                (terminal.say("Versi"), facts.version),
                (terminal.say("Basis data"), facts.database),
                (terminal.say("Nomor putusan terakhir"), facts.server_seq),
                (terminal.say("Perangkat"), sum(facts.devices.values())),
                (terminal.say("Permohonan"), sum(facts.requests.values())),
                (terminal.say("Perkara terbuka"), sum(facts.open_cases.values())),
                (terminal.say("Menunggu"), facts.waiting),
            ]
        )
        if facts.recovery_key_here:
            terminal.warn(
                terminal.say(
                    "Kunci pemulihan masih ada di folder data. Bawa keluar dari komputer ini."
                )
            )
        terminal.give(facts)


@app.command()
def serve(
    data: DataOption = DEFAULT_DATA,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen at.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port; 0 takes a free one.")] = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Answer laptops and the API until it is told to stop."""
    with speaking(lang, json) as terminal:
        with loading():
            from server import serving  # the web framework is loaded by this command alone

        serving.serve(placed(data, host=host, port=port), terminal)


def main() -> None:
    """Run a command. What it writes is for its own system user alone."""
    os.umask(0o077)
    app()
