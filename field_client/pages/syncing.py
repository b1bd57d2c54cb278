"""Syncing: the background sync as the pages see it, and the words of the bar above every page.

The bar is honest: a percentage counts bytes that central proved to hold, never bytes pushed into a
socket.
"""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

import msgspec

from models.problems import Problem
from models.words import number, say, size

if TYPE_CHECKING:
    from field_client.app import House
    from field_client.courier import Progress
    from field_client.watch import Heard, Jobs


class Bar(msgspec.Struct, frozen=True):
    """What stands above every page. state: "sent", "offline", "sending", "waiting", "paused".
    percent: of proved bytes while sending. chips: (words, address, is it bad)."""

    state: str
    words: str
    percent: int | None = None
    chips: tuple[tuple[str, str, bool], ...] = ()

    @property
    def mark(self) -> str:
        """Changes with anything that is shown: a bar as it was is neither drawn nor read out."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


class Syncing:
    """Runs the sync that runs by itself, and remembers how it stands."""

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.heard: Heard | None = None
        self.paused = False
        self._jobs: Jobs | None = None
        self._guard = threading.Lock()

    def start(self, house: House) -> None:
        """Begin; the first look is at once."""
        with self._guard:
            if self._jobs is None:
                self._jobs = house.jobs(self._told, progress=self._moved)
                self._jobs.start()

    def stop(self) -> None:
        """End; a sync that runs stops at its next step, with everything that was proved."""
        with self._guard:
            jobs, self._jobs = self._jobs, None
        if jobs is not None:
            jobs.stop()
        self.progress = None

    def pause(self, house: House, paused: bool) -> None:
        """Stop sending until somebody wants it again, or go on at once. A sync that runs needs a
        moment to end; nobody waits for it."""
        self.paused = paused

        def obey() -> None:
            self.stop()
            if not self.paused:
                self.start(house)

        threading.Thread(target=obey, name="pause", daemon=True).start()

    def _told(self, heard: Heard) -> None:
        self.heard = heard
        self.progress = None

    def _moved(self, progress: Progress) -> None:
        self.progress = progress

    @property
    def problem(self) -> Problem | None:
        """Why the last sync did not end, or None."""
        return self.heard.problem if self.heard is not None else None


def bar_of(house: House, syncing: Syncing, lang: str) -> Bar:
    """How things stand, in one line."""
    from field_client.battery import battery
    from field_client.bundles import on_the_way
    from field_client.orders import Word
    from field_client.readiness import DISK_BYTES_LOW
    from field_client.reserve import DISK_BYTES_FULL, free_bytes
    from field_client.shown import ago
    from sync.bundle import label
    from sync.messages import Checkpoint

    store, now = house.store, house.desk.facts().at
    standing = store.standing()
    chips: list[tuple[str, str, bool]] = []
    returned = standing.requests.get("needs_correction", 0)
    if returned:
        text = say("! Perlu perbaikan {n}", lang, n=returned)
        chips.append((text, "/returned", False))
    held = standing.entries.get("held", 0)
    if held:
        chips.append((say("⚠ Ditinjau pusat {n}", lang, n=held), "/notices", False))
    if standing.unread:
        chips.append((say("Pemberitahuan {n}", lang, n=standing.unread), "/notices", False))
    if house.desk.clock_doubt() is not None:
        chips.append((say("⏱ Jam laptop meragukan", lang), "/readiness", False))
    power = battery()
    if power is not None and power.low:
        chips.append((say("▭ Baterai {n} %", lang, n=power.percent), "/readiness", True))
    free = free_bytes(house.place.folder)
    if free < DISK_BYTES_LOW:
        text = say("▣ Sisa ruang {size}", lang, size=size(free, lang))
        chips.append((text, "/readiness", free < DISK_BYTES_FULL))
    for one in on_the_way(store)[:1] if standing.unsent else []:
        text = say("✈ {n} dibawa kurir ({bundle})", lang, n=number(one.slip.entries, lang),
                   bundle=label(one.bundle))  # fmt: skip
        chips.append((text, "/usb", False))
    word = store.recall(Word)
    if word is not None and word.kind == "suspend":
        chips.append((say("✕ Perangkat ditangguhkan", lang), "/readiness", True))
    files = store.attached.left()
    waiting, bytes_ = standing.unsent, standing.unsent_bytes + files.bytes
    moving = _moving(syncing.progress, lang)
    if moving is not None:
        return msgspec.structs.replace(moving, chips=tuple(chips))
    if waiting or files.files:
        told = {"n": number(waiting, lang), "size": size(bytes_, lang)}
        if files.files:
            words = say(
                "{n} catatan dan {files} lampiran antre ({size}), aman di laptop ini",
                lang, files=number(files.files, lang), **told,
            )  # fmt: skip
        else:
            words = say("{n} catatan antre ({size}), aman di laptop ini", lang, **told)
        state, mark = _waiting(syncing, lang)
        return Bar(state, f"{mark} · {words}", None, tuple(chips))
    checkpoint = store.recall(Checkpoint)
    if checkpoint is None:
        return Bar("offline", say("○ Offline · tidak ada antrean", lang), None, tuple(chips))
    words = say(
        "✓ Semua sudah sampai di pusat · {ago}", lang, ago=ago(max(0, now - checkpoint.at), lang)
    )
    return Bar("sent", words, None, tuple(chips))


def _waiting(syncing: Syncing, lang: str) -> tuple[str, str]:
    """Why something waits: paused, no road as far as the last try tells, or its turn comes."""
    if syncing.paused:
        return "paused", "‖ " + say("Dijeda", lang)
    if syncing.heard is not None and syncing.heard.problem is None:
        return "waiting", "○ " + say("Segera dikirim", lang)
    return "offline", "○ " + say("Offline", lang)


def _moving(progress: Progress | None, lang: str) -> Bar | None:
    """The bar while a sync runs; None where it has nothing to tell yet."""
    if progress is None:
        return None
    if progress.phase == "wait":
        seconds = round(progress.wait)
        return Bar("waiting", say("‖ Menunggu sinyal · coba lagi {n} dtk", lang, n=seconds))
    if progress.phase == "enrol":
        return Bar("waiting", say("Mengenalkan laptop ini…", lang))
    total = progress.bytes_total + progress.file_bytes + progress.file_bytes_left
    if not total:
        return None
    percent = min(100, (progress.bytes_stored + progress.file_bytes) * 100 // total)
    words = say(
        "↑ Mengirim {percent}% · {n} dari {total} · {rate}/dtk", lang, percent=percent,
        n=number(progress.stored, lang), total=number(progress.total, lang),
        rate=size(round(progress.rate), lang),
    )  # fmt: skip
    return Bar("sending", words, percent)
