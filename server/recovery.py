"""What a restore of central brought back and what it lost, in words."""

from __future__ import annotations

from datetime import UTC, datetime

from models.words import moment, say
from server.journal import Replayed


def at_words(at: int) -> str:
    """Unix seconds as date and time in WIT."""
    return moment(datetime.fromtimestamp(at, UTC))


def journal_words(found: Replayed, lang: str) -> str:
    """What the second journal lacks; empty where it was whole."""
    match found.why:
        case "":
            return ""
        case "off":
            return say("Jurnal kedua tidak ada ketika cadangan dibuat: putusan pusat sesudah "
                       "cadangan hilang.", lang)  # fmt: skip
        case "absent":
            return say("Jurnal kedua tidak ditemukan: putusan pusat sesudah cadangan hilang.", lang)
        case "behind":
            return say("Jurnal kedua berakhir sebelum cadangan: putusan pusat sesudah cadangan "
                       "hilang.", lang)  # fmt: skip
        case "gap":
            return say("Jurnal kedua terputus sesudah catatan nomor {number}: yang ditulis sebelum "
                       "jurnal berikutnya dimulai hilang.", lang, number=found.last)  # fmt: skip
        case "torn":
            return say("Catatan terakhir jurnal kedua terpotong ({n} bita) dan tidak dipakai; "
                       "itu belum pernah dikonfirmasi.", lang, n=found.cut)  # fmt: skip
        case _:
            return say("Jurnal kedua rusak sesudah catatan nomor {number}: yang sesudah itu "
                       "hilang ({n} bita).", lang, number=found.last, n=found.cut)  # fmt: skip
