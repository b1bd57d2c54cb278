"""`jemput operator`: who may open this laptop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from field_client.cli.common import Call, command
from models.words import say

app = typer.Typer(help="Who may open this laptop.", no_args_is_help=True)

REASON_MAX = 200
NewPinFile = Annotated[
    Path | None, typer.Option("--new-pin-file", help="File whose first line is the new PIN.")
]


@command(app, "add")
def add(
    call: Call,
    name: Annotated[str, typer.Argument(help="Short name: small letters, digits, hyphens.")],
    new_pin_file: NewPinFile = None,
) -> None:
    """Let another operator in, with a PIN of their own."""
    house = call.house()
    made = house.keys.add(house.unlocked.database_key, name, call.new_pin(new_pin_file))
    house.desk.announce(made.operator, made.name, made.public_key)
    call.give({"operator": made.name, "id": made.operator.hex()})
    call.out(say("Petugas {name} boleh membuka laptop ini.", call.lang, name=made.name))


@command(app, "pin")
def pin(call: Call, new_pin_file: NewPinFile = None) -> None:
    """Change the PIN of the operator who is working."""
    house = call.house()
    house.keys.change_pin(house.unlocked, call.new_pin(new_pin_file))
    call.give({"operator": house.unlocked.name})
    call.out(say("PIN {name} diganti.", call.lang, name=house.unlocked.name))


@command(app, "remove")
def remove(
    call: Call, name: Annotated[str, typer.Argument(help="Short name of the operator.")]
) -> None:
    """Take an operator's access away. Their work stays theirs."""
    house = call.house()
    gone = house.keys.remove(house.unlocked, name)
    house.desk.announce(gone, name.strip().lower(), b"")
    call.give({"operator": name.strip().lower(), "id": gone.hex()})
    call.out(say("Petugas {name} tidak dapat membuka laptop ini lagi.", call.lang, name=name))


@command(app, "recover")
def recover(
    call: Call,
    name: Annotated[str, typer.Argument(help="Short name of who gets a new PIN.")],
    recovery_file: Annotated[
        Path, typer.Option("--recovery-file", help="The office's recovery key, from its stick.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why, and who was there.")],
    new_pin_file: NewPinFile = None,
) -> None:
    """At the office: give a new PIN where nobody remembers one. Work and drafts stay."""
    from field_client.app import House, keys_of
    from field_client.clock import Clock
    from field_client.vault.escrow import read_recovery
    from models.problems import Problem

    keys = keys_of(call.place.folder)
    if not keys.exists:
        raise Problem("vault.absent", path=str(call.place.folder))
    if not reason.strip():
        raise Problem("reason.required")
    office = read_recovery(recovery_file)
    gone, made = keys.recover(office, name, call.new_pin(new_pin_file))
    clock = Clock(drift_seconds=call.place.settings.drift_seconds)
    with House(call.place, keys, made, clock) as house:
        house.begin()
        house.desk.note_reveal(f"recovered by the office: {reason.strip()[:REASON_MAX]}")
        if gone:
            house.desk.announce(gone, made.name, b"")
    call.give({"operator": made.name, "id": made.operator.hex()})
    call.out(say("PIN {name} diganti.", call.lang, name=made.name))


@command(app, "list")
def names(call: Call) -> None:
    """Who may open this laptop. Needs no PIN."""
    from field_client.app import keys_of
    from models.problems import Problem

    keys = keys_of(call.place.folder)
    if not keys.exists:
        raise Problem("vault.absent", path=str(call.place.folder))
    call.give({"operators": keys.names()})
    for name in keys.names():
        call.out(name)
