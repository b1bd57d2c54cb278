"""What this laptop waits for, in words: proofs of what it sent, volumes that have not come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from field_client.bundles import Bundles
from field_client.inbox import INBOX_FOLDER
from field_client.transports import usb
from field_client.vault.custody import Handled
from field_client.vault.store import Store
from models.problems import Problem
from models.words import moment_at, say
from sync import bundle


class Wait(msgspec.Struct, frozen=True):
    """why: "proof" (entries first..last of `log` that central has not proved to hold), "office"
    (it has them and cannot judge them yet) or "volumes" (of `n` of `bundle`, which it sent).
    bundle, stick: the newest stick that carries them, and when it was handed out, 0 for none."""

    why: str
    log: str = ""
    first: int = 0
    last: int = 0
    bundle: str = ""
    volumes: tuple[int, ...] = ()
    n: int = 0
    stick: int = 0


def waits(store: Store, bundles: Bundles, folder: Path) -> list[Wait]:
    """Everything that is waited for."""
    away = bundles.on_the_way()
    return [*_proofs(store, away), *_judgements(store), *_volumes(folder)]


def _proofs(store: Store, away: list[Handled]) -> Iterator[Wait]:
    """What is not proved yet, cut where the newest stick ends: what it carries, and what came
    after it."""
    for log in store.logs():
        first = log.stored + 1
        carried = next((one for one in away if one.slip.log == log.id), None)
        if carried is not None and first <= carried.slip.last:
            last = min(carried.slip.last, log.seq)
            name = bundle.label(carried.bundle)
            yield Wait("proof", log.id.hex(), first, last, name, stick=carried.at)
            first = last + 1
        if first <= log.seq:
            yield Wait("proof", log.id.hex(), first, log.seq)


def _judgements(store: Store) -> Iterator[Wait]:
    for log in store.logs():
        for first, last in store.in_state(log.id, "waiting"):
            yield Wait("office", log.id.hex(), first, last)


def _volumes(folder: Path) -> Iterator[Wait]:
    """Return bundles in the inbox of which volumes are missing."""
    sets: dict[bytes, list[bundle.Header]] = {}
    for path in sorted((folder / INBOX_FOLDER).glob(f"*{bundle.SUFFIX}")):
        try:
            header = bundle.parse(usb.read_volume(path), path.name).header
        except Problem:
            continue
        sets.setdefault(header.name, []).append(header)
    for name, headers in sets.items():
        missing = tuple(bundle.missing(headers))
        if missing:
            yield Wait("volumes", bundle=bundle.label(name), volumes=missing, n=headers[0].n)


def sentence(one: Wait, lang: str) -> str:
    """One line of it."""
    numbers = str(one.first) if one.first == one.last else f"{one.first}–{one.last}"
    match one.why:
        case "volumes":
            volumes = ", ".join(map(str, one.volumes))
            return say("Paket {bundle} dari Dukcapil: jilid {volumes} dari {n} belum datang.", lang,
                       bundle=one.bundle, volumes=volumes, n=one.n)  # fmt: skip
        case "office":
            return say("Nomor {numbers} sudah di Dukcapil dan menunggu di sana.", lang,
                       numbers=numbers)  # fmt: skip
        case _ if one.stick:
            return say("Nomor {numbers} menunggu bukti; USB terakhir ({bundle}) diserahkan {at}.",
                       lang, numbers=numbers, bundle=one.bundle,
                       at=moment_at(one.stick))  # fmt: skip
        case _:
            return say("Nomor {numbers} belum dikirim.", lang, numbers=numbers)
