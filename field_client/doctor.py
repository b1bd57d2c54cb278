"""Doctor: looks for what may be wrong with a laptop's data. It changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import msgspec

from field_client.app import House
from field_client.holes import Damage, damage, ranges
from field_client.vault.sums import Repairs, hopeless
from models.words import say, size

DISK_BYTES_LOW = 500 * 1000 * 1000


class Check(msgspec.Struct, frozen=True):
    """One thing looked at. good, bad: its words as a function of the language."""

    name: str
    ok: bool
    good: Callable[[str], str]
    bad: Callable[[str], str]

    def words(self, lang: str) -> str:
        """What a person reads."""
        return self.good(lang) if self.ok else self.bad(lang)


def examine(house: House, quick: bool = False) -> list[Check]:
    """Everything that can be looked at without a network."""
    checks = [_database(house, quick)]
    checks += [_log(house, log.id) for log in house.store.logs()]
    checks += [] if quick else [_files(house)]
    checks += [
        _reveals(house),
        _custody(house),
        _cells(house),
        _restored(house),
        _escrow(house),
        _disk(house),
        _clock(house),
    ]
    return [*checks, _machine(house)]


def _database(house: House, quick: bool) -> Check:
    faults = house.store.engine.check(quick)
    return Check(
        "database",
        not faults,
        lambda lang: say("Berkas data utuh.", lang),
        lambda lang: say("Berkas data rusak: {what}. Jangan hapus apa pun; hubungi Dukcapil.", lang,
                         what="; ".join(faults[:3])),
    )  # fmt: skip


def _log(house: House, log: bytes) -> Check:
    own = house.store.log(log)
    found = damage(house.store, log)
    return Check(
        "log",
        found is None,
        lambda lang: say("Rantai perubahan utuh: {n} catatan.", lang, n=own.seq),
        lambda lang: _damaged(found, lang) if found is not None else "",
    )


def _damaged(found: Damage, lang: str) -> str:
    """Which numbers are gone, whether central has them, and what to do."""
    if not found.lost:
        return say("Catatan nomor {numbers} rusak di laptop ini. Pusat sudah menyimpannya; tidak "
                   "ada yang hilang. Buat cadangan: disk ini mungkin akan rusak.", lang,
                   numbers=ranges(found.stored))  # fmt: skip
    return say("Catatan nomor {numbers} hilang dari laptop ini dan belum ada di pusat. Catat itu "
               "dengan: jemput doctor --declare. Yang lain dikirim seperti biasa.", lang,
               numbers=ranges(found.lost))  # fmt: skip


def _files(house: House) -> Check:
    """Every sealed file is read once and compared with its name."""
    attached, blobs = house.store.attached, house.desk.blobs
    kept = {name: file.size for name, file in attached.find(attached.kept()).items()}
    kept |= house.store.draft_files.sizes()
    bad = [name for name, size in kept.items() if not blobs.is_whole(name, size)]
    return Check(
        "files",
        not bad,
        lambda lang: say("Lampiran utuh: {n}.", lang, n=len(kept)),
        lambda lang: say("Lampiran rusak: {names}. Foto lagi dan lampirkan.", lang,
                         names=", ".join(name.hex()[:8] for name in bad[:5])),
    )  # fmt: skip


def _reveals(house: House) -> Check:
    broken = house.store.reveals.broken_at()
    return Check(
        "reveals",
        broken is None,
        lambda lang: say("Catatan pembukaan data utuh.", lang),
        lambda lang: say("Catatan pembukaan data berubah pada nomor {n}.", lang, n=broken),
    )


def _custody(house: House) -> Check:
    broken = house.store.custody.broken_at()
    return Check(
        "custody",
        broken is None,
        lambda lang: say("Catatan paket USB utuh.", lang),
        lambda lang: say("Catatan paket USB berubah pada nomor {n}.", lang, n=broken),
    )


def _cells(house: House) -> Check:
    """What central told stands here as it stands there; a village that did not was read again."""
    repairs = house.store.recall(Repairs) or Repairs()
    left = hopeless(repairs)
    return Check(
        "cells",
        not left and house.store.sums_are_right(),
        lambda lang: (
            say("Data dari Dukcapil cocok; dibaca ulang: {n} wilayah.", lang, n=len(repairs.done))
            if repairs.done
            else say("Data dari Dukcapil cocok.", lang)
        ),
        lambda lang: say("Data dari Dukcapil tidak cocok walau dibaca ulang: {cells}. Pekerjaan"
                         " sendiri aman; hubungi Dukcapil.", lang, cells=", ".join(left) or "-"),
    )  # fmt: skip


def _restored(house: House) -> Check:
    return Check(
        "restored",
        not house.store.restored,
        lambda lang: say("Data bukan salinan lama.", lang),
        lambda lang: say("Data berasal dari salinan lama; log baru akan dibuka.", lang),
    )


def _escrow(house: House) -> Check:
    return Check(
        "escrow",
        house.keys.has_escrow,
        lambda lang: say("Dukcapil dapat membuka data bila semua PIN terlupa.", lang),
        lambda lang: say("Kunci pemulihan Dukcapil belum terpasang.", lang),
    )


def _disk(house: House) -> Check:
    free = shutil.disk_usage(house.place.folder).free
    return Check(
        "disk",
        free > DISK_BYTES_LOW,
        lambda lang: say("Sisa ruang {size}.", lang, size=size(free, lang)),
        lambda lang: say("Ruang tinggal {size}. Kosongkan.", lang, size=size(free, lang)),
    )


def _clock(house: House) -> Check:
    doubt = house.desk.clock_doubt()
    return Check(
        "clock",
        doubt is None,
        lambda lang: say("Jam laptop wajar.", lang),
        lambda lang: doubt.words(lang) if doubt is not None else "",
    )


def _machine(house: House) -> Check:
    """Without the system's key store, passphrases do its work; that is in order, but is said."""
    store: Any = house.keys.key_store
    return Check(
        "key_store",
        True,
        lambda lang: (
            say("PIN dijaga penyimpan kunci sistem.", lang)
            if store is not None
            else say("Tanpa penyimpan kunci sistem: kata sandi panjang dipakai.", lang)
        ),
        lambda _: "",
    )
