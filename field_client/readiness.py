"""Readiness: what to look at before the first citizen comes, each with one thing to do about it.

Only two things block: a full disk and a broken database. All else is said and lets work go on:
being offline is the ordinary state of this laptop.
"""

from __future__ import annotations

import shutil
from typing import Literal

import msgspec

from field_client.app import House
from field_client.backup import BackedUp
from field_client.battery import battery
from field_client.printing.printers import printers
from field_client.printing.prints import Printing
from field_client.reserve import DISK_BYTES_FULL
from models.services import catalogue
from models.words import moment_at, number, say, size
from sync.messages import Checkpoint

DISK_BYTES_LOW = 2 * 1000 * 1000 * 1000
BACKUP_DAYS = 3
QUEUE_DAYS = 7
CHECK_SECONDS = 600
ROOM = "/readiness/room"
DAY = 86400

State = Literal["good", "look", "blocks"]


class Point(msgspec.Struct, frozen=True):
    """One thing looked at. fix: what to do; address: the page where that is done, "" for none."""

    name: str
    state: State
    title: str
    words: str
    fix: str = ""
    address: str = ""


def look(house: House, lang: str) -> list[Point]:
    """Everything that the program can see by itself, most urgent kinds first."""
    return [
        _database(house, lang),
        _disk(house, lang),
        _clock(house, lang),
        *_battery(lang),
        backup(house, lang),
        _queue(house, lang),
        _roster(house, lang),
        _printer(house, lang),
        _camera(lang),
        _forms(lang),
        _device(house, lang),
    ]


def _database(house: House, lang: str) -> Point:
    title = say("Berkas data", lang)
    whole, at = _checked(house)
    if not whole:
        words = say("Rusak. Jangan hapus apa pun.", lang)
        return Point("database", "blocks", title, words, say("Hubungi Dukcapil", lang))
    if house.store.restored:
        words = say(
            "Data berasal dari cadangan. Boleh bekerja; pusat mengenalinya saat kirim berikutnya.",
            lang,
        )
        return Point("database", "look", title, words)
    words = say("Utuh, diperiksa {at}.", lang, at=moment_at(at))
    return Point("database", "good", title, words)


def _checked(house: House) -> tuple[bool, int]:
    """Is the whole file readable, and when was that looked at (Unix seconds)? To read a big one
    takes a slow laptop seconds: what was whole is believed for CHECK_SECONDS."""
    now = house.desk.facts().at
    if house.found_whole is None or not 0 <= now - house.found_whole < CHECK_SECONDS:
        house.found_whole = None if house.store.engine.check(True) else now
    return house.found_whole is not None, house.found_whole or now


def _disk(house: House, lang: str) -> Point:
    free = shutil.disk_usage(house.place.folder).free
    title, words = say("Ruang disk", lang), say("Sisa {size}.", lang, size=size(free, lang))
    spare, fix = spare_bytes(house), ""
    if spare:
        fix = say("Hapus foto yang sudah aman di pusat ({size})", lang, size=size(spare, lang))
    if free < DISK_BYTES_FULL:
        fix = fix or say("Kosongkan ruang dulu", lang)
        return Point("disk", "blocks", title, words, fix, ROOM if spare else "")
    if free < DISK_BYTES_LOW:
        fix = fix or say("Hapus berkas lain dari laptop ini", lang)
        return Point("disk", "look", title, words, fix, ROOM if spare else "")
    return Point("disk", "good", title, words)


def spare_bytes(house: House) -> int:
    """Bytes of papers and photos here that the office and its backup both have."""
    return sum(file.size for file in house.store.attached.find(_may_go(house)).values())


def make_room(house: House) -> int:
    """Remove those from this laptop; gives their bytes. What only is here is never touched. An
    operator asks for it when the disk is full, so `file_days` are not waited for."""
    gone = _may_go(house)
    freed = sum(file.size for file in house.store.attached.find(gone).values())
    house.store.attached.gone(gone)
    for blob in gone:
        house.desk.blobs.drop(blob)
    return freed


def _may_go(house: House) -> list[bytes]:
    checkpoint = house.store.recall(Checkpoint)
    return [] if checkpoint is None else house.store.attached.may_go(checkpoint, 0)


def _clock(house: House, lang: str) -> Point:
    doubt, title = house.desk.clock_doubt(), say("Jam laptop", lang)
    if doubt is None:
        return Point("clock", "good", title, say("Wajar.", lang))
    return Point("clock", "look", title, doubt.words(lang), say("Perbaiki jam laptop", lang))


def _battery(lang: str) -> list[Point]:
    """Nothing where the machine has none."""
    power = battery()
    if power is None:
        return []
    title, words = say("Baterai", lang), say("{n} %.", lang, n=power.percent)
    if not power.low:
        return [Point("battery", "good", title, words)]
    fix = say("Selesaikan isian ini dan colokkan listrik; semua yang diketik sudah tersimpan", lang)
    return [Point("battery", "look", title, words, fix)]


def backup(house: House, lang: str) -> Point:
    """The last copy on a second medium."""
    kept, title = house.store.recall(BackedUp), say("Cadangan di media lain", lang)
    fix, address = say("Buat cadangan", lang), "/readiness/backup"
    if kept is None:
        return Point("backup", "look", title, say("Belum pernah dibuat.", lang), fix, address)
    days = max(0, house.desk.facts().at - kept.at) // DAY
    words = say("{n} hari lalu.", lang, n=days) if days else say("Hari ini.", lang)
    state: State = "look" if days >= BACKUP_DAYS else "good"
    return Point("backup", state, title, words, fix, address)


def _queue(house: House, lang: str) -> Point:
    standing, title = house.store.standing(), say("Antre kirim", lang)
    if standing.oldest_unsent is None:
        return Point("queue", "good", title, say("Tidak ada antrean.", lang))
    days = max(0, house.desk.facts().at - standing.oldest_unsent) // DAY
    words = say("{n} perubahan, yang tertua {days} hari.", lang, n=number(standing.unsent, lang),
                days=days)  # fmt: skip
    state: State = "look" if days >= QUEUE_DAYS else "good"
    return Point("queue", state, title, words, say("Kirim sekarang", lang), "/sending")


def _roster(house: House, lang: str) -> Point:
    lists, title = house.store.roster.lists(), say("Daftar penduduk", lang)
    if not lists:
        words = say("Belum ada. Data warga diketik sendiri.", lang)
        return Point("roster", "look", title, words)
    people = sum(one.people for one in lists)
    words = say("{n} orang dari {lists} daftar.", lang, n=number(people, lang), lists=len(lists))
    return Point("roster", "good", title, words)


def _printer(house: House, lang: str) -> Point:
    title, fix, address = say("Printer", lang), say("Pilih printer", lang), "/settings#printers"
    known, usual = printers(), house.store.recall(Printing) or Printing()
    lost = [one for one in (usual.printer, usual.receipt_printer) if one and one not in known]
    if lost:
        words = say("{name} tidak ditemukan. Nyalakan dan sambungkan.", lang, name=lost[0])
        return Point("printer", "look", title, words, fix, address)
    if not known:
        words = say("Tidak ada. Nomor bukti ditulis di kertas atau dipotret dari layar.", lang)
        return Point("printer", "look", title, words, say("Pasang printer bila ada", lang))
    words = usual.printer or usual.receipt_printer or known[0]
    return Point("printer", "good", title, words, say("Cetak percobaan", lang), address)


def _camera(lang: str) -> Point:
    """Only the browser knows its cameras: the page's script says more (`data-cameras`)."""
    words = say("Terlihat saat dipakai di halaman Lampiran.", lang)
    return Point("camera", "good", say("Kamera", lang), words)


def _forms(lang: str) -> Point:
    n = len(catalogue().slugs)
    return Point("forms", "good", say("Formulir", lang), say("{n} layanan tersedia.", lang, n=n))


def _device(house: House, lang: str) -> Point:
    from field_client.orders import Word

    word, title = house.store.recall(Word), say("Perangkat", lang)
    if word is not None and word.kind == "suspend":
        words = say("Ditangguhkan: bisa mencatat, belum bisa mengirim.", lang)
        return Point("device", "look", title, words, say("Hubungi Dukcapil", lang))
    return Point("device", "good", title, house.desk.invitation().office_name)
