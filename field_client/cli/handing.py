"""`jemput handover`: finished documents are given out. `jemput train`: practice, never sent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from field_client.cli.common import Call, command
from models.problems import Problem
from models.words import say

app = typer.Typer(help="Finished documents: signed, waiting, handed over.", no_args_is_help=True)

Named = Annotated[
    str, typer.Argument(help="Tracking code, the request's id, or the text of the receipt's code.")
]


def register(program: typer.Typer) -> None:
    """Add `train` to the program."""
    command(program, "train")(train)


@command(app, "list")
def waiting(call: Call) -> None:
    """List finished documents that nobody has collected, by village."""
    from field_client.printing.lists import to_collect
    from field_client.shown import code_text, line_data, stage, title
    from models import names

    found = to_collect(call.house().desk)
    if call.reveal:
        call.house().desk.note_reveal("handover list")
    for one in found:
        call.give(line_data(one.line, call.lang, call.reveal))
    call.table(
        [say("Nomor bukti", call.lang), say("Nama", call.lang), say("Dokumen", call.lang),
         say("Keadaan", call.lang)],
        [[code_text(one.line.code, one.line.record),
          one.line.name if call.reveal else names.masked(one.line.name),
          title(one.line.service, None, call.lang), stage(one.line, call.lang)]
         for one in found],
    )  # fmt: skip
    if not found:
        call.out(say("Tidak ada dokumen yang menunggu diambil.", call.lang))


@command(app, "sign")
def sign(
    call: Call,
    code: Named,
    number: Annotated[str, typer.Option("--number", help="Number the village gave the letter.")],
    day: Annotated[str, typer.Option("--date", help="Date of the letter.")],
    signer: Annotated[str, typer.Option("--signer", help="Who signed it.")],
) -> None:
    """Write down that the village head signed a letter; it then lies ready."""
    from field_client import handover

    desk = call.house().desk
    page = desk.open(handover.scanned(desk, code))
    handover.sign_letter(desk, page, number, day, signer)
    _told(call, desk.open(page.record).code, desk.open(page.record).status)


@command(app, "give")
def give(
    call: Call,
    code: Named,
    relation: Annotated[
        str, typer.Option("--relation", help="Who receives it, as a code: self, parent, proxy, …")
    ],
    seen: Annotated[
        str, typer.Option("--seen", help="How they were recognised: KTP, KK, IKD, PHOTO, KNOWN.")
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
) -> None:
    """Hand a finished document over, once, to somebody who was looked at."""
    from field_client import handover
    from models.handover import Given

    desk = call.house().desk
    page = desk.open(handover.scanned(desk, code))
    given = Given(
        relation, receiver_nik, document.upper(), seen.upper(), old_taken, serial, listed, reason
    )
    handover.hand_over(desk, page, given, signature)
    after = desk.open(page.record)
    _told(call, after.code, after.status)


@command(app, "back")
def back(
    call: Call,
    code: Named,
    reason: Annotated[str, typer.Option("--reason", help="Why it goes back to the office.")],
) -> None:
    """Send a document back to the office that nobody has collected."""
    from field_client import handover

    desk = call.house().desk
    page = desk.open(handover.scanned(desk, code))
    handover.bring_back(desk, page, reason)
    _told(call, page.code, desk.open(page.record).status)


def _told(call: Call, code: str, status: str) -> None:
    from models import lifecycle

    call.give({"code": code, "status": status})
    words = lifecycle.standing(status).field.words(call.lang)
    call.out(say("{code}: {status}.", call.lang, code=code, status=words))


def train(
    call: Call,
    new_pin_file: Annotated[
        Path | None, typer.Option("--new-pin-file", help="File with the PIN for practice.")
    ] = None,
) -> None:
    """Make a laptop for practice beside the real one: invented people, never sent."""
    import msgspec

    from field_client import training
    from field_client.clock import Clock

    folder = training.folder_of(call.place.folder)
    if folder.exists() and any(folder.iterdir()):
        raise Problem("training.exists", path=str(folder))
    pin = call.new_pin(new_pin_file)
    place = msgspec.structs.replace(call.place, folder=folder)
    clock = Clock(drift_seconds=place.settings.drift_seconds)
    operator = call.place.settings.operator or "latihan"
    with training.begin(place, operator, pin, clock) as house:
        taken = training.practise(house)
    call.give({"folder": str(folder), "operator": operator, "requests": len(taken)})
    call.out(say("Folder latihan: {folder}, petugas {operator}, {n} permohonan contoh.", call.lang,
                 folder=str(folder), operator=operator, n=len(taken)))  # fmt: skip
    call.out(say("Buka dengan --data {folder}. Data latihan tidak akan dikirim.", call.lang,
                 folder=str(folder)))  # fmt: skip
