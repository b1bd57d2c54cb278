"""The receipt on paper: a number to copy, a code that proves itself, what comes next, and GRATIS.

The name on it is masked: a receipt is lost more easily than it is missed. The first sheet of A4
bears it twice, for the citizen and for the office's file.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from models.printing import document as doc
from models.services import Service
from models.words import moment, number, say

LAW_FREE = "UU\u00a024/2013\u00a0Pasal\u00a079A"
LAW_BRIBE = "UU\u00a024/2013\u00a0Pasal\u00a095B"
COMPLAINTS = "SP4N-LAPOR! (SMS 1708)"


class Slip(msgspec.Struct, frozen=True):
    """What it says. name: masked unless it was revealed. token: base 45 text of the QR code."""

    id: str
    code: str
    service: str
    title: str
    name: str
    office: str
    at: int
    token: str


class Receipt(msgspec.Struct, frozen=True):
    """What is printed. copy: 0 for the first one, then how many there were. sign: forms to be
    signed. wait: hours the office has once everything is there, 0 where it promised none."""

    slip: Slip
    operator: str = ""
    copy: int = 0
    sign: tuple[str, ...] = ()
    wait: float = 0
    phone: str = ""


def receipt_of(
    slip: Slip, service: Service | None, operator: str, copy: int, sign: tuple[str, ...], phone: str
) -> Receipt:
    """With what the service promises. phone: whole; printed are its last three digits."""
    standard = service.standard if service is not None else None
    wait = standard.hours if standard is not None and standard.counted_from == "complete" else 0.0
    return Receipt(slip, operator, copy, sign, wait, phone)


def receipt(told: Receipt, lang: str = "id") -> doc.Document:
    """The receipt as a document, for A4 (twice) and for a strip."""
    slip = told.slip
    title = say("BUKTI PENGAJUAN", lang)
    mark = say("SALINAN {n}", lang, n=told.copy + 1) if told.copy else ""
    facts = (
        (say("Layanan", lang), slip.title),
        (say("Pemohon", lang), slip.name),
        (say("Tempat", lang), slip.office),
        (say("Tanggal", lang), f"{moment(datetime.fromtimestamp(slip.at, UTC))} WIT"),
        (say("Petugas", lang), told.operator),
        (say("Tanda tangani", lang), ", ".join(told.sign)),
    )
    blocks: list[doc.Block] = [
        doc.Letterhead(
            (
                say("KOTA TIDORE KEPULAUAN", lang),
                say("DINAS KEPENDUDUKAN DAN PENCATATAN SIPIL", lang),
            )
        ),
        doc.Title(title, mark),
        doc.Code(slip.token, slip.code),
        doc.Facts(facts),
        doc.Rule(),
        doc.Heading(say("Langkah berikutnya", lang)),
        *(doc.Words(f"{i}. {step}", small=True) for i, step in enumerate(steps(told, lang), 1)),
        doc.Words(_free(lang), framed=True, centre=True),
        doc.Words(_complain(lang), small=True),
    ]
    return doc.Document(f"{title} {slip.code}", tuple(blocks), lang=lang, twice=True)


def steps(told: Receipt, lang: str) -> list[str]:
    """What happens now, in the order in which the citizen will notice it."""
    return [
        say("Berkas Anda aman di laptop petugas dan dikirim ke Dukcapil saat ada sinyal.", lang),
        say("Dukcapil memeriksa berkas.", lang)
        if not told.wait
        else say(
            "Dukcapil memeriksa berkas: paling lama {hours} jam sesudah berkas lengkap.",
            lang, hours=number(told.wait, lang).removesuffix(",0").removesuffix(".0"),
        ),
        say("Bila ada yang perlu diperbaiki, petugas menghubungi nomor ···{last}.", lang,
            last=told.phone[-3:])
        if told.phone
        else say("Tanyakan kabar berkas ke petugas dengan menyebut nomor di atas.", lang),
        say("Saat dokumen siap, ambil dengan membawa bukti ini dan KTP-el atau KK.", lang),
    ]  # fmt: skip


def _free(lang: str) -> str:
    text = say("Pengurusan dan penerbitan dokumen kependudukan tidak dipungut biaya ({law}).", lang,
               law=LAW_FREE)  # fmt: skip
    return f"{doc.loud(say('GRATIS', lang))}\n{text}"


def _complain(lang: str) -> str:
    return say(
        "Diminta uang? Itu dilarang ({law}). Laporkan ke {where}; nama Anda boleh dirahasiakan."
        " Kode di atas membuktikan keaslian bukti ini tanpa internet. Takut bukti hilang? Salin"
        " nomornya di kertas lain: nomor itu cukup.",
        lang, law=LAW_BRIBE, where=COMPLAINTS,
    )  # fmt: skip
