"""`jemput enrol`: a laptop starts from its invitation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from field_client.cli.common import Call, command
from models.problems import Problem
from models.words import say


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "enrol")(enrol)


def enrol(
    call: Call,
    invitation: Annotated[Path, typer.Argument(help="The file that the office gave.")],
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not try to reach the office now.")
    ] = False,
) -> int:
    """Make this laptop's encrypted data from an invitation; works without a network.

    The first operator is `--operator`, else the invitation's. The office hears of the laptop at
    once if it can be reached, else with the first `sync`.
    """
    from field_client.enrolment import enrol as begin
    from field_client.enrolment import read_file, short_name
    from sync.enrolment import read_invitation

    token = read_file(invitation)
    asked = read_invitation(token)
    name = call.place.settings.operator or short_name(asked.operator)
    file = call.place.settings.pin_file
    pin = call.new_pin(Path(file) if file else None)
    with begin(call.place, token, name, pin) as house:
        log = house.store.log()
        known, refused = False, None
        if not offline:
            try:
                known = house.courier().enrol().enrolled
            except Problem as problem:
                refused = problem
        call.give(
            {
                "device": asked.device.hex(),
                "office": asked.office_name,
                "operator": name,
                "log": log.id.hex(),
                "block": log.block,
                "villages": asked.villages,
                "central": asked.url,
                "known": known,
                "why_not": refused.code if refused else None,
            }
        )
        call.out(
            say(
                "Laptop {office} siap dipakai oleh {name}.",
                call.lang,
                office=asked.office_name,
                name=house.unlocked.name,
            )
        )
        if known:
            call.out(say("Dukcapil sudah mengenal laptop ini.", call.lang))
        elif refused is None or refused.code.startswith("sync."):
            call.out(say("Dukcapil diberi tahu saat sinkronisasi pertama. Boleh mulai.", call.lang))
        if refused is not None and not refused.code.startswith(("sync.unreachable", "sync.time")):
            return call.refuse(refused)
    return 0
