"""`jemput usb`: the work goes by stick, answers come by stick, and what is others' is carried."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from field_client.cli.common import SOME, Call, command
from models.words import number, say, size

if TYPE_CHECKING:
    from field_client.bundles import Bundles, Carried
    from field_client.inbox import Refused, Taken
    from field_client.vault.custody import Handled

app = typer.Typer(help="The USB road.", no_args_is_help=True)

Places = Annotated[list[Path], typer.Argument(help="Volumes (.jbb), or folders of them.")]
Folder = Annotated[Path, typer.Argument(help="Folder of the stick.")]


@command(app, "export")
def export(
    call: Call,
    folder: Folder,
    max_mb: Annotated[
        float | None, typer.Option("--max-mb", min=0.01, help="At most so many MB, oldest first.")
    ] = None,
) -> None:
    """Write everything the office has not proved to hold. It stays here until the office answers.

    The stick may be pulled out when this ends without an error: every file was read back.
    """
    with watched(call) as progress:
        limit = int(max_mb * 1_000_000) if max_mb is not None else None
        made = _bundles(call, progress).export(folder, limit)
    call.give(made)
    call.out(
        say(
            "Paket {bundle}: {entries} catatan, {n} jilid, {size}. USB boleh dicabut.",
            call.lang,
            bundle=made.bundle,
            entries=number(made.entries, call.lang),
            n=len(made.files),
            size=size(made.size, call.lang),
        )
    )
    call.out(_words(call, made.words))
    if made.left:
        left = number(made.left, call.lang)
        call.out(say("{n} catatan belum termuat; buat paket lagi nanti.", call.lang, n=left))
    _slip(call, made.bundle, len(made.files), made.size, made.words)


@command(app, "import")
def take(call: Call, places: Places) -> int:
    """Read what the office decided. A volume that comes alone waits here for the others.

    The same bundle again, or an older one, changes nothing and says so.
    """
    with watched(call) as progress:
        taken, refused = _bundles(call, progress).take(places)
    for one in taken:
        call.give(one)
        _tell(call, one)
    for bad in refused:
        _refuse(call, bad)
    if not taken and not refused:
        call.out(say("Tidak ada paket balasan untuk laptop ini.", call.lang))
    return SOME if refused or any(one.state in ("gap", "parted") for one in taken) else 0


def _tell(call: Call, one: Taken) -> None:
    from models.problems import Problem

    facts: dict[str, Any] = {"bundle": one.bundle, "number": one.number}
    match one.state:
        case "fresh":
            count = number(one.decisions, call.lang)
            call.out(
                say("Paket {bundle} (nomor {number}) dibaca: {n} putusan baru. USB boleh dicabut.",
                    call.lang, n=count, **facts)
            )  # fmt: skip
        case "known":
            call.out(
                say("Paket {bundle} (nomor {number}) sudah pernah dibaca; tidak ada yang diubah.",
                    call.lang, **facts)
            )  # fmt: skip
        case "gap" | "parted":
            call.warn(Problem(f"bundle.{one.state}", **facts).words(call.lang))
        case _:
            missing = ", ".join(map(str, one.missing))
            problem = Problem("bundle.missing", bundle=one.bundle, volumes=missing, n=one.n)
            call.warn(problem.words(call.lang))
    for listed in one.rosters:
        if listed.problem:
            call.warn(Problem(listed.problem).words(call.lang))
            continue
        count = number(listed.people, call.lang)
        call.out(
            say("Daftar penduduk {village} diterima: {n} orang.", call.lang,
                village=listed.village, n=count)
        )  # fmt: skip
    if one.reference:
        call.out(say("Formulir dan daftar baru berlaku: jemput reference", call.lang))
    if one.notices:
        call.out(say("{n} pemberitahuan baru: jemput notices", call.lang, n=one.notices))
    if "rotate" in one.orders:
        call.out(say("Dukcapil meminta log baru; pekerjaan diteruskan di sana.", call.lang))
    if "suspend" in one.orders:
        call.warn(
            say("✕ Perangkat ditangguhkan. Pekerjaan tersimpan; hubungi Dukcapil.", call.lang)
        )


def _refuse(call: Call, bad: Refused) -> None:
    call.warn(bad.problem.words(call.lang))
    call.warn(f"[{bad.problem.code}]")
    call.give({"file": bad.file, "problem": bad.problem.as_dict(call.lang)})


@command(app, "status")
def status(call: Call) -> None:
    """What is on its way by stick, what is carried for others, and the last steps."""
    from models.words import moment_at

    bundles = _bundles(call)
    away, carried, lines = bundles.on_the_way(), bundles.carried(), bundles.history()
    call.give(
        {
            "on_the_way": [_line(one) for one in away],
            "carried": [_plain(one) for one in carried],
            "custody": [_line(one) for one in lines],
        }
    )
    for line in away:
        call.out(
            say(
                "✈ {bundle}: {n} catatan dibawa kurir sejak {at}; menunggu bukti dari Dukcapil.",
                call.lang,
                bundle=_label(line),
                n=number(line.slip.entries, call.lang),
                at=moment_at(line.at),
            )
        )
        call.out(_words(call, line.slip.words))
    for one in carried:
        call.out(_carried(call, one))
    if not away and not carried:
        call.out(say("Tidak ada paket di jalan.", call.lang))
    acts = _acts(call.lang)
    call.table(
        [say("Kapan", call.lang), say("Paket", call.lang), say("Langkah", call.lang),
         say("Jilid", call.lang), say("Petugas", call.lang), say("Pihak lain", call.lang)],
        [
            [moment_at(line.at), _label(line), acts.get(line.act, line.act),
             f"{len(line.slip.volumes)}/{line.slip.n}", line.operator, line.slip.party]
            for line in lines
        ],
    )  # fmt: skip


@command(app, "carry")
def carry(
    call: Call,
    places: Places,
    party: Annotated[str, typer.Option("--from", help="Who handed them over.")] = "",
) -> None:
    """Take bundles for somebody else along. They stay sealed; nobody here can read them."""
    carried = _bundles(call).carry(places, party)
    for one in carried:
        call.give(_plain(one))
        call.out(_carried(call, one))
        _slip(call, one.bundle, len(one.volumes), one.size, one.words)
    if not carried:
        call.out(say("Tidak ada paket untuk pihak lain di sini.", call.lang))


@command(app, "handover")
def hand_over(
    call: Call,
    folder: Folder,
    bundle: Annotated[
        list[str] | None,
        typer.Option("--bundle", help="Only this bundle (K-…); may be repeated."),
    ] = None,
    party: Annotated[str, typer.Option("--to", help="Who takes them on.")] = "",
    keep: Annotated[bool, typer.Option("--keep", help="Keep a copy here as well.")] = False,
) -> None:
    """Write what is carried for others to the next stick, and note who got it."""
    with watched(call) as progress:
        handed = _bundles(call, progress).hand_over(folder, bundle or [], party, keep=keep)
    for one in handed:
        call.give(_plain(one))
        call.out(_carried(call, one))
        _slip(call, one.bundle, len(one.volumes), one.size, one.words)
    call.out(say("USB boleh dicabut.", call.lang))


@command(app, "relay")
def relay(
    call: Call,
    url: Annotated[
        str | None, typer.Option("--url", help="Central's address, if not the invitation's.")
    ] = None,
) -> int:
    """Deliver what is carried over this laptop's network, and bring back what returns for them."""
    from field_client.relay import deliver
    from field_client.transports.http import HttpRoad

    house = call.house()
    address = url or house.place.settings.url or house.desk.invitation().url
    done, refused = deliver(_bundles(call), HttpRoad(address, house.place.settings))
    for one in done:
        call.give(one)
        call.out(
            say(
                "Paket {bundle} sampai di Dukcapil ({device}). Balasan dibawa: {back}.",
                call.lang, bundle=one.bundle, device=one.device, back=one.back or "–",
            )
        )  # fmt: skip
    for bad in refused:
        _refuse(call, bad)
    if not done and not refused:
        call.out(say("Tidak ada paket untuk Dukcapil yang dibawa di sini.", call.lang))
    return SOME if refused else 0


# -- words


def _bundles(call: Call, progress: Any = None) -> Bundles:
    from field_client.bundles import Bundles
    from field_client.transports.usb import unwatched

    house = call.house()
    return Bundles(house.desk, house.place, progress or unwatched)


def _words(call: Call, words: tuple[str, ...]) -> str:
    """The line that is read out over the telephone."""
    return say("Kata kunci: {words}", call.lang, words=" – ".join(words)) if words else ""


def _slip(call: Call, bundle: str, n: int, bytes_: int, words: tuple[str, ...]) -> None:
    """The hand-over slip, to be printed or written down; it names nobody's papers."""
    lines = [
        say("SERAH TERIMA USB", call.lang),
        say("Paket {bundle} · {n} jilid · {size}", call.lang, bundle=bundle, n=n,
            size=size(bytes_, call.lang)),
        _words(call, words),
        say("Isi terkunci; hanya tujuannya yang dapat membuka.", call.lang),
        say("Menyerahkan: ____________________  Tanggal/jam: ______________", call.lang),
        say("Menerima:    ____________________  Tanggal/jam: ______________", call.lang),
    ]  # fmt: skip
    for line in ("", "-" * 32, *(line for line in lines if line), "-" * 32):
        call.out(line)


def _carried(call: Call, one: Carried) -> str:
    return say(
        "{bundle}: {here} dari {n} jilid, {size}, dibawa untuk pihak lain.",
        call.lang,
        bundle=one.bundle,
        here=len(one.volumes),
        n=one.n,
        size=size(one.size, call.lang),
    )


def _acts(lang: str) -> dict[str, str]:
    return {
        "exported": say("dibuat untuk Dukcapil", lang),
        "returned": say("balasan dibaca", lang),
        "carried": say("dititipkan ke sini", lang),
        "handed": say("diserahkan", lang),
        "relayed": say("disampaikan lewat jaringan", lang),
    }


def _label(line: Handled) -> str:
    from sync.bundle import label

    return label(line.bundle)


def _line(line: Handled) -> dict[str, Any]:
    slip = line.slip
    return {
        "at": line.at,
        "act": line.act,
        "operator": line.operator,
        "bundle": _label(line),
        "purpose": slip.purpose,
        "volumes": list(slip.volumes),
        "of": slip.n,
        "size": slip.size,
        "words": list(slip.words),
        "party": slip.party,
        "entries": slip.entries,
        "number": slip.number,
    }


def _plain(one: Carried) -> dict[str, Any]:
    return {
        "bundle": one.bundle,
        "purpose": one.purpose,
        "volumes": list(one.volumes),
        "of": one.n,
        "size": one.size,
        "words": list(one.words),
    }


# -- progress


class _Silent:
    """No bar: JSON, or nobody is watching."""

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, phase: str, done: int, total: int) -> None:
        pass


class _Bar:
    """Bytes on the stick, then bytes read back from it."""

    def __init__(self, lang: str) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

        self.lang = lang
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        self.rich = Progress(*columns, transient=True)
        self.task = self.rich.add_task("…", total=None)

    def __enter__(self) -> Any:
        self.rich.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.rich.stop()

    def __call__(self, phase: str, done: int, total: int) -> None:
        words = {
            "write": say("Menulis… jangan cabut USB", self.lang),
            "verify": say("Memeriksa… jangan cabut USB", self.lang),
            "read": say("Membaca…", self.lang),
        }[phase]
        self.rich.update(self.task, description=words, total=total or None, completed=done)


def watched(call: Call) -> Any:
    import sys

    return _Silent() if call.json or not sys.stderr.isatty() else _Bar(call.lang)
