"""`jemput-pusat person`: central's staff."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from models.people import ROLES, Role
from server.auth import areas, roles
from server.database.people import Person
from server.terminal import (
    DEFAULT_DATA,
    AsOption,
    DataOption,
    JsonOption,
    LangOption,
    PasswordFileOption,
    at_central,
    password_of,
    signed_in,
)

app = typer.Typer(help="Central's staff.", no_args_is_help=True)


@app.command()
def add(
    login: Annotated[str, typer.Argument(help="Name to sign in with.")],
    name: Annotated[str, typer.Option("--name", help="The person's name, as others see it.")],
    role: Annotated[list[str], typer.Option("--role", help="A role; may be repeated.")],
    new_password_file: Annotated[
        Path | None,
        typer.Option("--new-password-file", help="File whose first line is the new password."),
    ] = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Add a person. The very first one needs nobody's permission and has to be an admin."""
    with at_central(data, lang, json) as (terminal, central):
        me = None
        if as_:
            me = central.doorkeeper.check(as_, password_of(terminal, as_, password_file))
        password = password_of(terminal, login, new_password_file, twice=True)
        person = central.staff.add(me, login, name, role, password)
        terminal.tell(
            terminal.say(
                "{name} dapat masuk sebagai {login}.", name=person.name, login=person.login
            )
        )
        terminal.give(as_data(person))


@app.command("list")
def list_(
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Everybody who may sign in."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = central.staff.list(me)
        heads = [
            terminal.say("Nama masuk"),
            terminal.say("Nama"),
            terminal.say("Peran"),
            terminal.say("Aktif"),
        ]
        terminal.table(
            terminal.say("Pegawai"), heads, ([*_cells(person, lang)] for person in found)
        )
        terminal.give({"people": [as_data(person) for person in found]})


@app.command()
def entrust(
    login: Annotated[str, typer.Argument(help="Name the person signs in with.")],
    role: Annotated[list[str], typer.Option("--role", help="A role; may be repeated.")],
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Give this person these roles instead of those they have, at once."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        person = central.staff.entrust(me, login, role)
        terminal.tell(terminal.say("Peran tersimpan."))
        terminal.give(as_data(person))


@app.command()
def place(
    login: Annotated[str, typer.Argument(help="Name the person signs in with.")],
    village: Annotated[
        list[str] | None,
        typer.Option("--village", help="Code of a village or district; may be repeated."),
    ] = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """For which villages this person works; without any: for the whole city."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        person = central.staff.place(me, login, village or [])
        terminal.tell(terminal.say("Wilayah kerja tersimpan."))
        terminal.give(as_data(person))


@app.command()
def renew(
    login: Annotated[str, typer.Argument(help="Name the person signs in with.")],
    new_password_file: Annotated[
        Path | None,
        typer.Option("--new-password-file", help="File whose first line is the new password."),
    ] = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """A new password for who lost theirs, or their telephone. Their sessions end."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        password = password_of(terminal, login, new_password_file, twice=True)
        person = central.staff.renew(me, login, password)
        terminal.tell(
            terminal.say("Kata sandi {login} diganti; semua sesinya berakhir.", login=person.login)
        )
        terminal.give(as_data(person))


@app.command()
def close(
    login: Annotated[str, typer.Argument(help="Name the person signs in with.")],
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """The person no longer works here. What they did stays under their name."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        person = central.staff.close(me, login)
        terminal.tell(terminal.say("{login} tidak dapat masuk lagi.", login=person.login))
        terminal.give(as_data(person))


@app.command()
def reopen(
    login: Annotated[str, typer.Argument(help="Name the person signs in with.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the trail.")],
    new_password_file: Annotated[
        Path | None,
        typer.Option("--new-password-file", help="File whose first line is the new password."),
    ] = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Open a closed account again, with a new password and the roles it had."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        password = password_of(terminal, login, new_password_file, twice=True)
        person = central.staff.reopen(me, login, password, reason)
        terminal.tell(
            terminal.say(
                "{login} dapat masuk lagi. Periksa peran dan wilayah kerjanya.", login=person.login
            )
        )
        terminal.give(as_data(person))


def as_data(person: Person) -> dict[str, Any]:
    """A person as JSON."""
    told = {"login": person.login, "name": person.name, "roles": list(roles(person))}
    return told | {"villages": list(areas(person)), "active": person.active}


def _cells(person: Person, lang: str) -> list[str]:
    named = ", ".join(ROLES[Role(role)].words(lang) for role in roles(person))
    return [person.login, person.name, named, "✓" if person.active else "-"]
