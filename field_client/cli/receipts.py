"""`jemput receipt`: the citizen's proof, shown and verified."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from field_client.cli.common import Call, command
from models.problems import Problem
from models.words import say

app = typer.Typer(help="The citizen's proof of a request.", no_args_is_help=True)

TOKEN_BYTES_MAX = 16 * 1024


@command(app, "show")
def show(
    call: Call,
    code: Annotated[str, typer.Argument(help="Tracking code, or the request's id.")],
    qr: Annotated[bool, typer.Option(help="Draw the QR code.")] = True,
) -> None:
    """Show the receipt of a request with its QR code."""
    from field_client import receipts
    from models.words import moment_at

    house = call.house()
    record = house.desk.named(code)
    if call.reveal:
        house.desk.note_reveal("receipt show", record)
    slip = receipts.slip(house.desk, record, call.lang, reveal=call.reveal)
    call.give(slip)
    call.facts(
        [
            (say("BUKTI PENGAJUAN", call.lang), slip.code),
            (say("Layanan", call.lang), slip.title),
            (say("Pemohon", call.lang), slip.name),
            (say("Tempat", call.lang), slip.office),
            (say("Tanggal", call.lang), moment_at(slip.at)),
        ]
    )
    call.out(
        say("Pengurusan dan penerbitan dokumen kependudukan GRATIS. Simpan bukti ini.", call.lang)
    )
    if qr and not call.json:
        import segno

        # Micro QR off: many telephones do not read it.
        segno.make(slip.token, micro=False).terminal(out=sys.stdout, compact=True)
    call.out(slip.token)


@command(app, "verify")
def verify(
    call: Call,
    token: Annotated[
        str | None, typer.Argument(help="Text of the QR code; `-` or nothing: standard input.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="File that holds the text of the QR code.")
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option("--keys", help="Key list that the office signed; it is kept for later."),
    ] = None,
    office_key: Annotated[
        str | None,
        typer.Option(
            "--office-key", help="Public key of the office, 64 hex digits: with --keys, no PIN."
        ),
    ] = None,
) -> None:
    """Check that a receipt is genuine. Needs keys only, no network."""
    from field_client import receipts
    from field_client.enrolment import read_file

    text = _text(token, file)
    signed = read_file(keys) if keys else b""
    if signed and office_key:
        found = receipts.verify_with(text, signed, _key(office_key))
    else:
        store = call.house().store
        if signed:
            receipts.take_keys(store, signed)
        found = receipts.verify(store, text)
    call.give(found)
    call.out(
        say(
            "✓ Bukti asli. Nomor {code}, layanan {service}.",
            call.lang,
            code=found.code,
            service=found.service,
        )
    )


@command(app, "keys")
def keys(
    call: Call,
    url: Annotated[
        str | None, typer.Option("--url", help="Central's address, if not the invitation's.")
    ] = None,
) -> None:
    """Fetch the list of keys that the office signed, for checking other laptops' receipts."""
    from field_client import receipts
    from field_client.transports.http import HttpRoad, Unreached

    house = call.house()
    address = url or call.place.settings.url or house.desk.invitation().url
    road = HttpRoad(address, call.place.settings)
    try:
        count = receipts.take_keys(house.store, road.get(receipts.KEYS_PATH))
    except Unreached as failure:
        raise failure.problem from failure
    finally:
        road.close()
    call.give({"keys": count})
    call.out(say("{n} kunci diterima.", call.lang, n=count))


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise Problem("id.malformed", what="--office-key", digits=64)
    return key


def _text(token: str | None, file: Path | None) -> str:
    if file is not None:
        try:
            with file.open("rb") as opened:
                return opened.read(TOKEN_BYTES_MAX).decode()
        except (OSError, UnicodeDecodeError) as error:
            raise Problem("file.unreadable", file=file.name) from error
    if token and token not in ("-",):
        return token
    return sys.stdin.read(TOKEN_BYTES_MAX)
