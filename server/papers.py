"""Papers of the office: what is printed at central to go along with documents."""

from __future__ import annotations

from models.printing import document as doc
from models.problems import Problem
from models.services import catalogue
from models.words import moment_at, number, say
from server.stock import ManifestSheet


def manifest(sheet: ManifestSheet, office: str, lang: str = "id") -> bytes:
    """A manifest on A4: what is carried, a code by which the receiver sees that the list was not
    changed, and where both sign. The same manifest gives the same bytes."""
    from models.printing.pdf import pdf  # half a second, and only to print

    return pdf(manifest_document(sheet, office, lang))


def manifest_document(sheet: ManifestSheet, office: str, lang: str = "id") -> doc.Document:
    """The manifest as it will be drawn."""
    head = sheet.manifest
    title = say("MANIFES {n}", lang, n=head.number)
    facts = (
        (say("Tujuan", lang), head.place),
        (say("Pembawa", lang), head.carrier),
        (say("Dikirim", lang), f"{moment_at(head.sent_at)} WIT"),
        (say("Disiapkan oleh", lang), head.sent_by),
        (say("Jumlah dokumen", lang), number(len(sheet.items), lang)),
    )
    heads = (
        say("No.", lang), say("Nomor bukti", lang), say("Nama", lang), say("Dokumen", lang),
        say("Blangko", lang), say("Ada", lang),
    )  # fmt: skip
    rows = tuple(
        (str(n), one.code, one.name, _title(one.service, lang), one.serial or "–", "")
        for n, one in enumerate(sheet.items, 1)
    )
    secret = say("Berisi data pribadi. Simpan di tempat terkunci, lalu musnahkan.", lang)
    blocks: tuple[doc.Block, ...] = (
        doc.Letterhead((office.upper(),)),
        doc.Title(title),
        doc.Facts(facts),
        doc.Table(heads, rows, (0.4, 1.4, 2.2, 2.4, 1.1, 0.5)),
        doc.Words(say("Hitung dan beri tanda pada kolom Ada. Yang tidak ada dilaporkan ke kantor "
                      "pada hari itu juga.", lang)),
        doc.Signatures(
            (
                doc.Place(say("Menyerahkan", lang)),
                doc.Place(say("Membawa", lang), head.carrier),
                doc.Place(say("Menerima", lang)),
            ),
            say("Tanggal dan jam: ______________________", lang),
        ),
        doc.Code(sheet.qr),
        doc.Words(sheet.qr, small=True, centre=True),
    )  # fmt: skip
    return doc.Document(title, blocks, f"{title} · {secret}", lang=lang)


def _title(slug: str, lang: str) -> str:
    try:
        return catalogue().service(slug).title.say(lang)
    except Problem:
        return slug
