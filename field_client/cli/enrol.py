"""`jemput enrol`: a laptop starts from its invitation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from field_client.cli.common import NO_ROAD, Call, command, exit_code
from models.problems import Problem
from models.words import say

if TYPE_CHECKING:
    from field_client.app import House

FINAL = ("invitation.", "device.")
"""What central says when this invitation will never do."""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "enrol")(enrol)


def enrol(
    call: Call,
    invitation: Annotated[Path, typer.Argument(help="The file that the office gave.")],
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not try to reach the office now.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="This laptop's invitation was used by another: go on under a new one."
        ),
    ] = False,
) -> int:
    """Make this laptop's encrypted data from an invitation; works without a network.

    The first operator is `--operator`, else the invitation's. The office hears of the laptop at
    once if it can be reached, else with the first `sync`; if it says no, nothing is left behind.
    """
    from field_client.enrolment import enrol as begin
    from field_client.enrolment import read_file, short_name, undo
    from sync.enrolment import read_invitation

    token = read_file(invitation)
    asked = read_invitation(token)
    if again:
        return _again(call, token)
    name = call.place.settings.operator or short_name(asked.operator)
    file = call.place.settings.pin_file
    pin = call.new_pin(Path(file) if file else None)
    with begin(call.place, token, name, pin) as house:
        refused = None if offline else _introduce(house)
        if refused is not None and refused.code.startswith(FINAL):
            undo(house)
            return call.refuse(refused)
        log = house.store.log()
        known = refused is None and not offline
        call.give(
            {
                "device": asked.device.hex(),
                "office": asked.office_name,
                "operator": house.unlocked.name,
                "log": log.id.hex(),
                "block": log.block,
                "villages": asked.villages,
                "central": asked.url,
                "known": known,
                "why_not": refused.code if refused else None,
            }
        )
        office, who = asked.office_name, house.unlocked.name
        call.out(
            say("Laptop {office} siap dipakai oleh {name}.", call.lang, office=office, name=who)
        )
        if known:
            call.out(say("Dukcapil sudah mengenal laptop ini.", call.lang))
        else:
            call.out(say("Dukcapil diberi tahu saat sinkronisasi pertama. Boleh mulai.", call.lang))
    if refused is not None and exit_code(refused) != NO_ROAD:
        call.warn(refused.words(call.lang))
    return 0


def _again(call: Call, token: bytes) -> int:
    """The same laptop with all of its work, under another invitation."""
    from field_client.enrolment import enrol_again

    house = call.house()
    made = enrol_again(house, token)
    call.give({"log": house.store.log().id.hex(), "made_again": made})
    call.out(
        say("Laptop ini memakai undangan baru; {n} catatan dibuat lagi, nomor bukti tetap. Kirim "
            "dengan: jemput sync. Cetak ulang bukti warga.", call.lang, n=made)
    )  # fmt: skip
    return 0


def _introduce(house: House) -> Problem | None:
    """Try once to make the laptop known; gives why that did not work."""
    try:
        house.courier().enrol()
    except Problem as problem:
        return problem
    return None
