"""Papers and words of a voyage: the travel order of its team (surat tugas), and what is told to the
village.

The order has the parts that official orders have: what it rests on, who is ordered, what for,
where and when. It has no number until the office gives one, and is signed by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from models import regions
from models.printing import document as doc
from models.words import long_day, say
from server.voyages import Member, Stop, Voyage

GROUNDS = "UU 24/2013; Perpres 96/2018; Permendagri 19/2018"
"""Of outreach service, where the office wrote nothing else."""

DOTS = "........................"


def order(voyage: Voyage, office: str, today: date, lang: str = "id") -> doc.Document:
    """The travel order on A4. today: printed above the signature."""
    plan = voyage.plan
    name = say("SURAT TUGAS", lang)
    lines = (
        say("KOTA TIDORE KEPULAUAN", lang),
        say("DINAS KEPENDUDUKAN DAN PENCATATAN SIPIL", lang),
        office,
    )
    blocks: list[doc.Block] = [
        doc.Letterhead(lines),
        doc.Title(name, say("Nomor: {number}", lang, number=plan.letter or DOTS)),
        doc.Facts(((say("Dasar", lang), plan.ground or GROUNDS),)),
        doc.Heading(say("Menugaskan", lang)),
        _team(plan.team, lang),
        doc.Facts(
            (
                (say("Untuk", lang), plan.purpose),
                (say("Waktu", lang), _days(voyage, lang)),
                (say("Perangkat", lang), voyage.device or "-"),
            )
        ),
        doc.Table(
            (say("Hari", lang), say("Desa/kelurahan", lang), say("Keterangan", lang)),
            tuple(
                (long_day(date.fromisoformat(s.day), lang), place(s.village), s.note or "-")
                for s in plan.stops
            ),
            (3, 3.4, 3.6),
        ),
        doc.Words(say("Pengurusan dan penerbitan dokumen kependudukan GRATIS. Petugas dilarang "
                      "meminta atau menerima imbalan (UU 24/2013 pasal 95B).", lang)),
        doc.Words(say("Setelah selesai, tim menyerahkan rekap kegiatan yang ditandatangani "
                      "kepala desa/lurah.", lang)),
        doc.Signatures(
            (doc.Place(say("Kepala Dinas", lang), note=say("NIP", lang)),),
            f"Tidore, {long_day(today, lang)}",
        ),
    ]  # fmt: skip
    return doc.Document(f"{name} {voyage.first}", tuple(blocks), name, lang=lang)


def _team(team: Sequence[Member], lang: str) -> doc.Block:
    heads = (say("No.", lang), say("Nama", lang), say("NIP", lang), say("Tugas", lang))
    rows = tuple(
        (str(n), one.name, one.number or "-", one.duty or "-") for n, one in enumerate(team, 1)
    )
    return doc.Table(heads, rows or (("1", DOTS, DOTS, DOTS),), (0.6, 4, 3, 3))


def _days(voyage: Voyage, lang: str) -> str:
    first = long_day(date.fromisoformat(voyage.first), lang)
    last = long_day(date.fromisoformat(voyage.last), lang)
    return first if first == last else f"{first} – {last}"


def place(code: str) -> str:
    """`Maitara Utara, Tidore Utara`."""
    return regions.full_name(code)


def announcement(stop: Stop, lang: str = "id") -> str:
    """Words for WhatsApp, the loudspeaker, the mosque or church."""
    lines = [
        say("JEMPUT BOLA DUKCAPIL", lang),
        f"{place(stop.village)}, {long_day(date.fromisoformat(stop.day), lang)}",
    ]
    if stop.note:
        lines.append(stop.note)
    lines += [
        say("Layanan: KTP-el, kartu keluarga, akta kelahiran dan kematian, KIA, pindah-datang, "
            "perbaikan data.", lang),
        say("Bawa: KK, KTP bila ada, surat kelahiran atau kematian, ijazah bila ada. Kurang "
            "lengkap? Tetap datang.", lang),
        say("Lansia, penyandang disabilitas, ibu hamil didahulukan. Petugas dapat datang ke "
            "rumah bagi yang sakit.", lang),
        say("SEMUA GRATIS. Ada yang meminta uang? Laporkan: SMS 1708.", lang),
    ]  # fmt: skip
    return "\n".join(lines)
