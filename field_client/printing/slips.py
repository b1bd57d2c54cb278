"""Slips for a citizen who goes home first: what a service needs, what is still to be brought; and
a page to try a printer with."""

from __future__ import annotations

from typing import Any

from models.checks import Checked
from models.fields import Text
from models.printing import document as doc
from models.printing.receipt import COMPLAINTS, LAW_FREE
from models.services import Document, Service
from models.words import number, say

SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz 0123456789 ’ ' - . , / ( ) é ü ñ"


def requirements(service: Service, lang: str = "id") -> doc.Document:
    """What a service needs, who may ask, what comes of it, and that it is free."""
    facts = [
        (say("Pemohon", lang), service.who.say(lang)),
        (say("Hasil", lang), service.output.say(lang)),
    ]
    if service.due is not None:
        days = say("{n} hari sejak {start}; lewat dari itu tetap dilayani", lang,
                   n=number(service.due.days, lang), start=service.due.start.say(lang))  # fmt: skip
        facts.append((say("Batas waktu", lang), days))
    papers = tuple(f"• {text}" for text in _documents(service, lang))
    forms = ", ".join(service.form)
    if forms:
        facts.append((say("Formulir (diisi petugas)", lang), forms))
    title = say("SYARAT LAYANAN", lang)
    blocks: list[doc.Block] = [
        _head(lang),
        doc.Title(title, service.title.say(lang)),
        doc.Facts(tuple(facts)),
        doc.Heading(say("Yang perlu dibawa", lang)),
        *(doc.Words(text) for text in papers or (say("Tidak ada.", lang),)),
        doc.Words(_free(lang), framed=True, centre=True),
    ]
    return doc.Document(f"{title} {service.slug}", tuple(blocks), lang=lang)


def to_bring(service: Service, checked: Checked, office: str, lang: str = "id") -> doc.Document:
    """What is still lacking for a request that was begun; it waits at the office."""
    lacking = [one for one in checked.problems if one.stops and one.code == "document.missing"]
    open_answers = [one for one in checked.problems if one.stops and one.code == "field.required"]
    title = say("YANG MASIH PERLU DIBAWA", lang)
    blocks: list[doc.Block] = [
        _head(lang),
        doc.Title(title, service.title.say(lang)),
        doc.Facts(((say("Tempat", lang), office),)),
        *(doc.Ticks(((_label(one.details.get("label"), lang), False),), 1) for one in lacking),
    ]
    if open_answers:
        blocks.append(doc.Heading(say("Yang masih ditanyakan", lang)))
        labels = dict.fromkeys(_label(one.details.get("label"), lang) for one in open_answers)
        blocks += [doc.Words(f"• {label}") for label in labels]
    blocks += [
        doc.Words(_kept(lang), small=True),
        doc.Words(_free(lang), framed=True, centre=True),
    ]
    return doc.Document(f"{title} {service.slug}", tuple(blocks), lang=lang)


def trial(lang: str = "id") -> doc.Document:
    """A page with every sign of a name, a code and lines: does this printer print?"""
    title = say("CETAK PERCOBAAN", lang)
    blocks = (
        _head(lang),
        doc.Title(title),
        doc.Words(SIGNS),
        doc.Code("JEMPUT BOLA", "0000-0000-00"),
        doc.Rule(),
        doc.Words(say("Bila huruf, garis, dan kotak di atas utuh, printer siap.", lang)),
    )
    return doc.Document(title, blocks, lang=lang)


def _documents(service: Service, lang: str) -> list[str]:
    """The papers to bring, alternatives joined."""
    rows: dict[str, list[Document]] = {}
    for paper in service.documents:
        rows.setdefault(paper.one_of or paper.code, []).append(paper)
    found = []
    for papers in rows.values():
        names = f" {say('atau', lang)} ".join(paper.label.say(lang) for paper in papers)
        case = papers[0].case
        optional = papers[0].required == "no"
        note = case.say(lang) if case else say("bila ada", lang) if optional else ""
        found.append(f"{names} ({note})" if note else names)
    return found


def _label(value: Any, lang: str) -> str:
    """The words of a label, whichever way a finding carries it."""
    if isinstance(value, dict):
        return str(value.get(lang) or value.get("id") or "")
    if isinstance(value, list | tuple):
        return f" {say('atau', lang)} ".join(_label(one, lang) for one in value)
    return value.say(lang) if isinstance(value, Text) else str(value or "")


def _kept(lang: str) -> str:
    return say(
        "Isian Anda tersimpan. Bawa kertas ini kembali; waktu layanan dihitung sesudah berkas"
        " lengkap.",
        lang,
    )


def _free(lang: str) -> str:
    words = say(
        "Pengurusan dan penerbitan dokumen kependudukan tidak dipungut biaya ({law}).",
        lang,
        law=LAW_FREE,
    )
    where = say("Diminta uang? Laporkan ke {where}.", lang, where=COMPLAINTS)
    return f"{doc.loud(say('GRATIS', lang))}\n{words}\n{where}"


def _head(lang: str) -> doc.Letterhead:
    return doc.Letterhead(
        (
            say("KOTA TIDORE KEPULAUAN", lang),
            say("DINAS KEPENDUDUKAN DAN PENCATATAN SIPIL", lang),
        )
    )
