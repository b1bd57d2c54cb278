"""`jemput sync`: send everything, hear everything."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from field_client.cli.common import Call, command
from models.problems import Problem, problems
from models.words import number, say, size

if TYPE_CHECKING:
    from field_client.app import House
    from field_client.courier import Progress, Report
    from field_client.watch import Heard

STOPPED = 130
WAKE_SECONDS = 1.0
"""How long a wait lasts at most: on Windows a signal is only seen between two."""


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "sync")(sync)


def sync(
    call: Call,
    url: Annotated[
        str | None, typer.Option("--url", help="Central's address, if not the invitation's.")
    ] = None,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Stay, and sync whenever there is a road."),
    ] = False,
    changes_only: Annotated[
        bool, typer.Option("--changes-only", help="Papers and photos wait; previews go along.")
    ] = False,
) -> int:
    """Send the work to the office and bring back what was decided.

    May be stopped at any moment: what arrived is not sent again, nothing is lost.
    """
    house = call.house()
    if changes_only:
        settings = msgspec.structs.replace(house.place.settings, changes_only=True)
        house.place = msgspec.structs.replace(house.place, settings=settings)
    with _stoppable() as stopping:
        if watch:
            return _watch(call, house, url or "", stopping)
        return _once(call, house, url or "", stopping)


def _once(call: Call, house: House, url: str, stopping: threading.Event) -> int:
    courier = house.courier(url)
    courier.stop, courier.sleep = stopping.is_set, _sleeper(stopping)
    refused: Problem | None = None
    with _progress(call) as show:
        courier.progress = show
        try:
            courier.sync()
        except Problem as problem:
            refused = problem
    if stopping.is_set():
        _tell(call, courier.report)
        call.warn(say("Dihentikan. Yang sudah sampai tetap sampai; sisanya aman.", call.lang))
        return STOPPED
    if refused is not None and call.json:
        return call.refuse(refused, sync=courier.report)
    _tell(call, courier.report)
    return call.refuse(refused) if refused is not None else 0


def _watch(call: Call, house: House, url: str, stopping: threading.Event) -> int:
    """Until somebody stops it. One line for each sync."""

    def told(heard: Heard) -> None:
        facts: dict[str, Any] = {"sync": heard.report, "next_s": round(heard.wait)}
        if heard.problem is not None:
            facts["problem"] = heard.problem.as_dict(call.lang)
        call.give(facts)
        if heard.problem is not None:
            call.warn(heard.problem.words(call.lang))
        elif not call.json:
            _tell(call, heard.report)
        call.out(say("Berikutnya dalam {n} dtk.", call.lang, n=round(heard.wait)))

    jobs = house.jobs(told, url)
    jobs.start()
    try:
        while not stopping.wait(WAKE_SECONDS):
            pass
    finally:
        jobs.stop()
    return 0


def _tell(call: Call, report: Report) -> None:
    """What one sync did."""
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
    _tell_files(call, report)
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


# -- stopping


@contextlib.contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM ask to stop; a second one does not wait for the answer."""
    stopping = threading.Event()

    def ask(*_: object) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()

    before = {n: signal.signal(n, ask) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _sleeper(stopping: threading.Event) -> Callable[[float], None]:
    def sleep(seconds: float) -> None:
        stopping.wait(seconds)

    return sleep


# -- showing


def _tell_files(call: Call, report: Report) -> None:
    """What became of papers and photos, where there were any."""
    files = report.files
    if files.files or files.left:
        call.out(
            say(
                "Lampiran: {n} sampai lengkap, {left} masih antre ({size}).",
                call.lang,
                n=number(files.files, call.lang),
                left=number(files.left, call.lang),
                size=size(files.left_bytes, call.lang),
            )
        )
    if files.deleted:
        call.out(
            say(
                "{n} salinan dihapus dari laptop ini; pusat dan cadangannya memilikinya.",
                call.lang,
                n=number(files.deleted, call.lang),
            )
        )
    for code in files.stopped:
        call.warn(Problem(code).words(call.lang) if code in problems() else code)
    if files.damaged:
        call.warn(
            say("{n} lampiran di laptop ini rusak. Jalankan: jemput doctor", call.lang,
                n=files.damaged)
        )  # fmt: skip


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
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        self.lang = lang
        self.rich = Bars(
            TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), transient=True
        )
        self.task = self.rich.add_task("…", total=None)

    def __enter__(self) -> Any:
        self.rich.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.rich.stop()

    def __call__(self, progress: Progress) -> None:
        match progress.phase:
            case "enrol":
                words = say("Mengenalkan laptop ini…", self.lang)
            case "wait":
                seconds = round(progress.wait)
                words = say("‖ Menunggu sinyal · coba lagi {n} dtk", self.lang, n=seconds)
            case _:
                words = self._sending(progress)
        total = (progress.bytes_total + progress.file_bytes + progress.file_bytes_left) or None
        done = progress.bytes_stored + progress.file_bytes
        self.rich.update(self.task, description=words, total=total, completed=done)

    def _sending(self, progress: Progress) -> str:
        words = say(
            "↑ Mengirim · {n} dari {total} · {rate}/dtk",
            self.lang,
            n=progress.stored,
            total=progress.total,
            rate=size(round(progress.rate), self.lang),
        )
        left = progress.seconds_left
        if left is None:
            return words
        minutes, seconds = divmod(round(left), 60)
        return words + say(" · sisa {m}:{s}", self.lang, m=minutes, s=f"{seconds:02}")


def _progress(call: Call) -> Any:
    return _Silent() if call.json or not sys.stderr.isatty() else _Bar(call.lang)
