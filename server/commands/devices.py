"""`jemput-pusat device`: laptops are invited, suspended, reported lost, taken out of service."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer

from models.people import DEVICE_STATES, DeviceState
from models.problems import Problem
from models.words import WIT, moment_at
from server.database.devices import Device
from server.enrolment import DAY_SECONDS
from server.files import write_new
from server.fleet import ALARMS, Seen
from server.terminal import (
    DEFAULT_DATA,
    AsOption,
    DataOption,
    JsonOption,
    LangOption,
    PasswordFileOption,
    signed_in,
)
from sync.known import LogState

app = typer.Typer(help="Laptops.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="Name of the device.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it stays in the audit trail.")]
FromOption = Annotated[
    int | None,
    typer.Option("--from", help="Number of the last entry that is trusted; default: all stored."),
]


@app.command()
def invite(
    name: NameArgument,
    kind: Annotated[str, typer.Option("--kind", help="van, village or central.")] = "van",
    office: Annotated[str, typer.Option("--office", help="Name of the van or office.")] = "",
    villages: Annotated[
        list[str] | None,
        typer.Option("--village", help="Code of a village it serves; may be repeated."),
    ] = None,
    operator: Annotated[str, typer.Option("--operator", help="Name of its first operator.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write the invitation (NAME.jbi).")
    ] = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="Let an existing invitation run its full time again.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Reserve a device and write the invitation that its laptop is enrolled with."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        if renew:
            device = central.devices.renew(me, name)
            terminal.tell(terminal.say("Undangan {name} berlaku lagi.", name=device.name))
            terminal.give(as_data(device, []))
            return
        target = out or Path(f"{name.strip().replace(' ', '-')}.jbi")
        if target.exists():
            raise Problem("file.exists", path=str(target))
        invited = central.devices.invite(me, name, kind, office, villages or [], operator)
        write_new(target, invited.file)
        terminal.tell(
            terminal.say("Undangan {name} ada di {file}.", name=invited.device.name, file=target)
        )
        terminal.tell(terminal.say("Isinya rahasia: serahkan langsung, dan hapus setelah dipakai."))
        terminal.give(as_data(invited.device, []) | {"file": str(target)})


@app.command("list")
def list_(
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Every laptop, its state, and how far its work is stored here."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = central.devices.list(me)
        heads = [
            terminal.say("Perangkat"),
            terminal.say("Kantor"),
            terminal.say("Status"),
            terminal.say("Tersimpan sampai"),
            terminal.say("Desa"),
        ]
        rows = []
        for device, logs in found:
            seqs = ", ".join(str(log.seq) for log in logs)
            villages = " ".join(device.villages)
            state = DEVICE_STATES[DeviceState(device.state)].words(lang)
            rows.append([device.name, device.office_name, state, seqs, villages])
        terminal.table(terminal.say("Perangkat"), heads, rows)
        terminal.give({"devices": [as_data(device, logs) for device, logs in found]})


@app.command()
def health(
    alarms: Annotated[
        bool, typer.Option("--alarms", help="Only laptops that somebody should look at.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """How every laptop is: last heard, what it has not sent, clock, version, disk."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        found = [one for one in central.fleet.overview(me) if one.alarms or not alarms]
        heads = [
            terminal.say("Perangkat"),
            terminal.say("Terakhir terdengar"),
            terminal.say("Antrean"),
            terminal.say("Perhatian"),
        ]
        rows = []
        for one in found:
            words = "; ".join(ALARMS[alarm].words(lang) for alarm in one.alarms)
            said = one.call.health if one.call is not None else None
            unsent = "?" if said is None else str(said.unsent)
            heard = moment_at(one.heard) if one.heard else "–"
            rows.append([one.device.name, heard, unsent, words])
        terminal.table(terminal.say("Perangkat"), heads, rows)
        terminal.give({"devices": [_health(one) for one in found]})


def _health(one: Seen) -> dict[str, Any]:
    """How a laptop is, as JSON; None for what it has not said."""
    said = one.call.health if one.call is not None else None
    return {
        "name": one.device.name,
        "state": one.device.state,
        "heard": one.heard or None,
        "stored": one.stored,
        "skew": one.skew if one.call is not None else None,
        "version": one.call.build if one.call is not None else None,
        "unsent": said.unsent if said is not None else None,
        "oldest": (said.oldest or None) if said is not None else None,
        "files": said.files if said is not None else None,
        "file_bytes": said.file_bytes if said is not None else None,
        "disk": said.disk if said is not None else None,
        "battery": said.battery if said is not None else None,
        "lock": (said.lock or None) if said is not None else None,
        "away": one.away,
        "alarms": list(one.alarms),
    }


@app.command()
def scope(
    name: NameArgument,
    villages: Annotated[
        list[str] | None,
        typer.Option("--village", help="Code of a village it serves from now on; may be repeated."),
    ] = None,
    until: Annotated[
        str,
        typer.Option(
            "--until", help="Only lend these villages, besides its own, up to and with this day."
        ),
    ] = "",
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Change the villages of which a laptop sees the requests."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        device = central.devices.scope(me, name, villages or [], _end_of(until))
        terminal.tell(
            terminal.say(
                "{name} melayani {villages}. Laptop mendengarnya saat sinkron berikutnya.",
                name=device.name,
                villages=" ".join(device.villages_at(0)) or "-",
            )
        )
        terminal.give(as_data(device, []))


def _end_of(day: str) -> int | None:
    """The Unix second in which that day (YYYY-MM-DD, eastern Indonesia) ends; None for no day."""
    if not day:
        return None
    try:
        begin = datetime.combine(date.fromisoformat(day), time(), WIT)
    except ValueError:
        raise Problem("device.until") from None
    return int(begin.timestamp()) + DAY_SECONDS


@app.command()
def suspend(
    name: NameArgument,
    reason: ReasonOption,
    from_: FromOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Keep what the laptop still brings for a person to look at."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        device = central.devices.suspend(me, name, reason, from_)
        terminal.tell(terminal.say("{name} ditangguhkan.", name=device.name))
        terminal.give(as_data(device, []))


@app.command()
def resume(
    name: NameArgument,
    reason: ReasonOption,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Trust a suspended laptop again."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        device = central.devices.resume(me, name, reason)
        terminal.tell(terminal.say("{name} aktif lagi.", name=device.name))
        terminal.give(as_data(device, []))


@app.command()
def retry(
    name: NameArgument,
    reason: ReasonOption,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Judge again what was set aside because judging it ended central, after that was mended."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        done = central.devices.retry(me, name, reason)
        volumes = central.bundles.try_again(done.device.id)
        terminal.tell(
            terminal.say(
                "{n} catatan {name} dinilai lagi; {left} masih menunggu.",
                n=done.tried, name=done.device.name, left=done.left,
            )
        )  # fmt: skip
        told = {"tried": done.tried, "waiting": done.left, "volumes": volumes}
        terminal.give({"name": done.device.name, **told})


@app.command()
def lost(
    name: NameArgument,
    reason: ReasonOption,
    from_: FromOption = None,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """The laptop is gone: what comes after the last trusted entry waits for a person."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        device = central.devices.lose(me, name, reason, from_)
        terminal.tell(terminal.say("{name} dilaporkan hilang.", name=device.name))
        terminal.give(as_data(device, []))


@app.command()
def shred(
    name: NameArgument,
    reason: ReasonOption,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Order a lost laptop to lock itself for good: only the office opens it then, with its key."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        device = central.devices.shred(me, name, reason)
        terminal.tell(
            terminal.say(
                "{name} mengunci diri saat terhubung lagi. Tidak pasti: laptop yang tidak pernah "
                "terhubung tidak mendengarnya.",
                name=device.name,
            )
        )
        terminal.give(as_data(device, []))


@app.command()
def retire(
    name: NameArgument,
    reason: ReasonOption,
    data: DataOption = DEFAULT_DATA,
    as_: AsOption = "",
    password_file: PasswordFileOption = None,
    lang: LangOption = "id",
    json: JsonOption = False,
) -> None:
    """Take a laptop out of service."""
    with signed_in(data, lang, json, as_, password_file) as (terminal, central, me):
        device = central.devices.retire(me, name, reason)
        terminal.tell(terminal.say("{name} tidak dipakai lagi.", name=device.name))
        terminal.give(as_data(device, []))


def as_data(device: Device, logs: list[LogState]) -> dict[str, Any]:
    """A device as JSON."""
    return {
        "id": device.id.hex(),
        "name": device.name,
        "kind": device.office_kind,
        "office": device.office_name,
        "state": device.state,
        "villages": list(device.villages),
        "lent": [{"village": village, "until": until} for village, until in device.lent],
        "scope": device.scope_no,
        "block": device.block,
        "grant": device.grant,
        "expires": device.expires,
        "logs": [
            {"log": log.id.hex(), "stored": log.seq, "limit": log.limit, "state": log.state}
            for log in logs
        ],
    }
