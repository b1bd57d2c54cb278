"""`jemput sync`: send everything, hear everything."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from field_client.cli.common import Call, command
from models.problems import Problem
from models.words import number, say, size


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "sync")(sync)


def sync(
    call: Call,
    url: Annotated[
        str | None, typer.Option("--url", help="Central's address, if not the invitation's.")
    ] = None,
) -> int:
    """Send the work to the office and bring back what was decided.

    May be stopped at any moment: what arrived is not sent again, nothing is lost.
    """
    house = call.house()
    courier = house.courier(url or "")
    with _progress(call) as show:
        courier.progress = show
        refused: Problem | None = None
        try:
            courier.sync()
        except Problem as problem:
            refused = problem
    report = courier.report
    if refused is not None and call.json:
        return call.refuse(refused, sync=report)
    call.give(report)
    call.out(
        say(
            "Terkirim {pushed}. Diterima {received}. Naik {up}, turun {down}, {trips} kali bolak"
            "-balik, {seconds} dtk.",
            call.lang,
            pushed=number(report.pushed, call.lang),
            received=number(report.received, call.lang),
            up=size(report.bytes_up, call.lang),
            down=size(report.bytes_down, call.lang),
            trips=report.round_trips,
            seconds=number(report.seconds, call.lang, 1),
        )
    )
    for outcome, count in report.outcomes.items():
        call.out(f"  {outcome}: {count}")
    if report.notices:
        call.out(say("{n} pemberitahuan baru: jemput notices", call.lang, n=report.notices))
    if "rotate" in report.orders:
        call.out(say("Dukcapil meminta log baru; pekerjaan diteruskan di sana.", call.lang))
    if "suspend" in report.orders:
        call.warn(
            say("✕ Perangkat ditangguhkan. Pekerjaan tersimpan; hubungi Dukcapil.", call.lang)
        )
    return call.refuse(refused) if refused is not None else 0


class _Silent:
    """No bar: JSON, or nobody is watching."""

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, progress: Any) -> None:
        pass


class _Bar:
    """A bar of proved bytes, never of bytes pushed into the socket."""

    def __init__(self, lang: str) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.lang = lang
        self.rich = Progress(
            TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), transient=True
        )
        self.task = self.rich.add_task("…", total=None)

    def __enter__(self) -> Any:
        self.rich.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.rich.stop()

    def __call__(self, progress: Any) -> None:
        match progress.phase:
            case "enrol":
                words = say("Mengenalkan laptop ini…", self.lang)
            case "wait":
                seconds = round(progress.wait)
                words = say("‖ Menunggu sinyal · coba lagi {n} dtk", self.lang, n=seconds)
            case _:
                words = say(
                    "↑ Mengirim · {n} dari {total}",
                    self.lang, n=progress.stored, total=progress.total,
                )  # fmt: skip
        total = progress.bytes_total or None
        done = progress.bytes_stored
        self.rich.update(self.task, description=words, total=total, completed=done)


def _progress(call: Call) -> Any:
    return _Silent() if call.json or not sys.stderr.isatty() else _Bar(call.lang)
