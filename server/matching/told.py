"""The reasons of a verdict in words, and in one line that is kept with the case.

The line names levels, never values: what a person said stays in the request.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from models.people import Label
from server.matching.matcher import Reason, Verdict

FEATURES = {
    "name": Label("Nama", "Name"),
    "birth": Label("Tanggal lahir", "Date of birth"),
    "mother": Label("Nama ibu", "Mother's name"),
    "sex": Label("Jenis kelamin", "Sex"),
    "nik": Label("NIK", "NIK"),
    "mother_nik": Label("NIK ibu", "Mother's NIK"),
    "kk": Label("No. KK", "Family card number"),
    "village": Label("Desa/kelurahan", "Village"),
    "family": Label("Keluarga", "Family"),
    "chance": Label("Kebetulan", "Chance"),
    "portrait": Label("Foto wajah", "Portrait"),
    "paper": Label("Lampiran", "Paper"),
}

LEVELS = {
    "same": Label("sama", "the same"),
    "sound": Label("sama bunyinya", "sounds the same"),
    "near": Label("beda satu huruf atau angka", "one letter or digit differs"),
    "rhyme": Label("beda satu huruf hidup", "one vowel differs"),
    "loose": Label("mungkin nama pendek atau salah ketik", "perhaps a short form or a slip"),
    "part": Label("satu lebih lengkap", "one is more complete"),
    "part_near": Label("satu lebih lengkap, dengan beda ejaan", "one is longer, spelled otherwise"),
    "cross": Label("hanya sebagian kata sama", "only some words agree"),
    "other": Label("berbeda", "different"),
    "other_nik": Label("berbeda, padahal NIK sama", "different although the NIK is the same"),
    "serial": Label("beda nomor urut saja", "only the serial differs"),
    "swapped": Label("hari dan bulan tertukar", "day and month swapped"),
    "digit": Label("beda satu angka", "one digit differs"),
    "digit_rounded": Label("beda satu angka, tanggal perkiraan", "one digit, an assumed date"),
    "day_unknown": Label("bulan sama, hari tidak diketahui", "same month, day unknown"),
    "rounded": Label("tahun sama, tanggal perkiraan", "same year, an assumed date"),
    "same_rounded": Label("sama, tetapi tanggal perkiraan", "the same, but an assumed date"),
    "year_off": Label("beda satu tahun", "one year apart"),
    "year_off_rounded": Label("beda satu tahun, tanggal perkiraan", "a year apart, assumed date"),
    "close": Label("berdekatan", "close together"),
    "rare": Label("jarang ada orang lain yang semirip ini", "few others would agree as well"),
    "common": Label("banyak orang lain yang semirip ini", "many others would agree as well"),
    "as_strangers": Label("sama, seperti banyak orang lain", "the same, as of many others"),
    "as_relatives": Label("sama, seperti kerabat umumnya", "the same, as of most relatives"),
    "unlike_relatives": Label("berbeda, padahal kerabat umumnya sama",
                              "different, while relatives mostly agree"),
}  # fmt: skip
SLIGHT = 0.5
"""Bits that change nothing in what somebody decides."""

_DIFFER = ("other", "other_nik", "cross")

_FAMILY = {
    "born_together": Label("sekeluarga dan lahir bersamaan", "one family, born together"),
    "siblings": Label("sekeluarga, lahir lain waktu", "one family, born at other times"),
    "unknown": Label("sekeluarga", "one family"),
    "twins": Label("kelahiran kembar menurut formulir", "a multiple birth by the form"),
}

RIVALS = {
    "stranger": Label("orang lain yang kebetulan mirip", "a stranger who happens to be alike"),
    "relative": Label("kerabat (saudara, kembaran)", "a relative (sibling, twin)"),
    "two": Label("dua orang", "two people"),
}


class Told(msgspec.Struct, frozen=True):
    """A verdict as it is kept with a case."""

    probability: float
    rival: str
    strangers: float
    reasons: tuple[Reason, ...]

    @property
    def levels(self) -> frozenset[tuple[str, str]]:
        """What agreed how: the same again says nothing new."""
        return frozenset((r.feature, r.level) for r in self.reasons if r.feature != "chance")


def line(verdict: Verdict) -> str:
    """The verdict as one line for the case."""
    reasons = " ".join(f"{r.feature}.{r.level}={r.bits:+.1f}" for r in verdict.reasons)
    return f"{verdict.probability:.4f} {verdict.rival} {verdict.strangers:.6f} {reasons}"


def read(note: str) -> Told | None:
    """A line read back; None for anything else, as the note of a case that keys opened."""
    parts = note.split()
    try:
        probability, rival, strangers = float(parts[0]), parts[1], float(parts[2])
        reasons = tuple(_reason(text) for text in parts[3:])
    except (IndexError, ValueError):
        return None
    return Told(probability, rival, strangers, reasons) if rival in RIVALS else None


def _reason(text: str) -> Reason:
    what, _, bits = text.partition("=")
    feature, _, level = what.partition(".")
    return Reason(feature, level, float(bits))


def plainly(reasons: Iterable[Reason], rival: str) -> list[Reason]:
    """The reasons as people are shown them, most first. A weight stands against another
    explanation: relatives share village, card and mother, so to agree there counts against one
    person, and to differ for one. Without that ground it reads as a fault. So no agreement is shown
    to count against, no difference for, unless relatives are why; and what is slight is nothing.
    How many strangers are as alike is nothing to relatives."""
    told = (one for one in reasons if (one.feature, rival) != ("chance", "relative"))
    found = [_plainly(one, rival) for one in told]
    return sorted(found, key=lambda one: -abs(one.bits))


def _plainly(reason: Reason, rival: str) -> Reason:
    what, level, bits = reason.feature, reason.level, reason.bits
    if level == "same" and bits < 0:
        return Reason(what, "as_relatives" if rival == "relative" else "as_strangers", 0.0)
    if level in _DIFFER and bits > 0 and rival == "relative":
        return Reason(what, "unlike_relatives", bits if bits >= SLIGHT else 0.0)
    slight = abs(bits) < SLIGHT or (level in _DIFFER and bits > 0)
    return Reason(what, level, 0.0 if slight else bits)


def words(reason: Reason, lang: str) -> str:
    """`Nama: sama bunyinya (+4,2)`; without a number where nothing counts."""
    feature = FEATURES.get(reason.feature)
    bits = f" ({reason.bits:+.1f})" if reason.bits else ""
    bits = bits if lang == "en" else bits.replace(".", ",")
    named = feature.words(lang) if feature else reason.feature
    return f"{named}: {level_words(reason, lang)}{bits}"


def level_words(reason: Reason, lang: str) -> str:
    """In which way the two agree in it: `sama bunyinya`."""
    level = LEVELS.get(reason.level)
    if reason.feature == "family":
        level = _FAMILY.get(reason.level.rpartition("_")[0])
    return level.words(lang) if level else reason.level
