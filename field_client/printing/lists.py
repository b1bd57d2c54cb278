"""Lists for the end of a day and for the next one: recap, whom to call, what was not collected, and
the slip that goes with a USB stick."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime

import msgspec

from field_client.desk import Desk
from field_client.shown import code_text, stage, title
from field_client.stock import Balance
from field_client.vault.custody import Handled
from field_client.vault.requests import LIST_MAX, Line
from models import names, remarks
from models.printing import document as doc
from models.problems import Problem
from models.regions import full_name
from models.words import WIT, long_day, moment_at, number, phone, say, size
from sync.bundle import label

_Row = Callable[["Waiting"], tuple[str, ...]]
LISTED_MAX = 2000
"""Lines of one printed list; more is not a list for a person."""

CALLS_SHOWN = 3
RETURNED = "needs_correction"
TO_COLLECT = ("printed", "ready_for_handover")


class Recap(msgspec.Struct, frozen=True):
    """A day's work. lines: requests taken in on that day. more: facts of a visit. returned: that
    wait for correction; drafts: begun and not submitted; unsent: entries that central has not
    proved to hold."""

    day: date
    office: str
    operator: str
    lines: tuple[Line, ...]
    drafts: int
    unsent: int
    returned: int
    stock: tuple[Balance, ...] = ()
    more: tuple[tuple[str, str], ...] = ()


class Waiting(msgspec.Struct, frozen=True):
    """Somebody to be called, or who has something to collect. called: the calls about it so far,
    newest first, as lines to be read."""

    line: Line
    phone: str
    why: str = ""
    called: tuple[tuple[str, str], ...] = ()


# -- what is on them


def recap_of(desk: Desk, day: date, stock: Sequence[Balance] = ()) -> Recap:
    """The recap of a day, from what this laptop took in."""
    standing = desk.store.standing()
    return Recap(
        day,
        desk.invitation().office_name,
        desk.operator.name,
        tuple(reversed([line for line in _own(desk) if day_of(line.at) == day])),
        sum(standing.drafts.values()),
        standing.unsent,
        standing.requests.get(RETURNED, 0),
        tuple(stock),
    )


def to_call(desk: Desk, lang: str = "id") -> list[Waiting]:
    """Own requests that central sent back, with what is wrong and who was called, by village."""
    found = [
        Waiting(line, _phone(desk, line), _why(desk, line), _called(desk, line, lang))
        for line in _in(desk, RETURNED)
    ]
    return sorted(found, key=lambda one: (one.line.village, one.line.name))


def _called(desk: Desk, line: Line, lang: str) -> tuple[tuple[str, str], ...]:
    """The newest calls about a request: (when and by whom, what came of it)."""
    from field_client.returned import result_words

    return tuple(
        (
            f"{moment_at(one.at)} {one.operator}",
            ", ".join(filter(None, (one.who, result_words(one.result, lang), one.note))),
        )
        for one in desk.store.contacts.of(line.record)[:CALLS_SHOWN]
    )


def to_collect(desk: Desk) -> list[Waiting]:
    """Requests whose document lies ready, or is printed and on its way, by village."""
    lines = [line for status in reversed(TO_COLLECT) for line in _in(desk, status)]
    found = [Waiting(line, _phone(desk, line)) for line in lines]
    return sorted(found, key=lambda one: (one.line.village, one.line.name))


def _own(desk: Desk) -> Iterable[Line]:
    """All own requests, newest first, page by page."""
    before = 0
    while page := desk.store.requests.newest(own=True, before=before):
        yield from page
        before = page[-1].number
        if len(page) < LIST_MAX:
            return


def _in(desk: Desk, status: str) -> list[Line]:
    found: list[Line] = []
    before = 0
    while len(found) < LISTED_MAX:
        page = desk.store.requests.newest(status=status, before=before)
        found += page
        if len(page) < LIST_MAX:
            break
        before = page[-1].number
    return found[:LISTED_MAX]


def day_of(at: int) -> date:
    """The day of Unix seconds, here."""
    return datetime.fromtimestamp(at, UTC).astimezone(WIT).date()


def _phone(desk: Desk, line: Line) -> str:
    sheet = desk.find_sheet(line.record)
    value = sheet.answers.get("applicant.phone") if sheet is not None else None
    return phone(value) if isinstance(value, str) else ""


def _why(desk: Desk, line: Line) -> str:
    """The reason of the newest return, in words."""
    reasons = [told.notice.reason for told in desk.store.notices.of(line.record)
               if told.notice.kind == "status" and told.notice.reason]  # fmt: skip
    if not reasons:
        return ""
    sheet = desk.find_sheet(line.record)
    return remarks.sentence(reasons[-1], sheet.service if sheet is not None else None)


# -- how they look


def recap(told: Recap, lang: str = "id", *, reveal: bool = False) -> doc.Document:
    """The recap to be signed: the last proof on paper should the laptop be lost. Names masked
    unless `reveal`."""
    signs = (
        doc.Place(say("Kepala desa/lurah", lang)),
        doc.Place(say("Petugas", lang), told.operator),
    )
    name = say("REKAP KEGIATAN", lang)
    blocks: list[doc.Block] = [
        _head(),
        doc.Title(name, long_day(told.day, lang)),
        *_counts(told, lang),
        *_stock(told.stock, lang),
        *_taken(told.lines, lang, reveal),
        doc.Signatures(signs, long_day(told.day, lang)),
    ]
    return doc.Document(f"{name} {told.day.isoformat()}", tuple(blocks), name, lang=lang)


def _counts(told: Recap, lang: str) -> list[doc.Block]:
    sent = sum(not line.unsent for line in told.lines)
    facts = (
        (say("Tempat", lang), told.office),
        (say("Petugas", lang), told.operator),
        (say("Permohonan diterima", lang), number(len(told.lines), lang)),
        (say("Sudah di pusat", lang), number(sent, lang)),
        (say("Catatan antre kirim", lang), number(told.unsent, lang)),
        (say("Draf", lang), number(told.drafts, lang)),
        (say("Perlu perbaikan", lang), number(told.returned, lang)),
        (say("Uang diterima", lang), say("tidak ada: layanan GRATIS", lang)),
        *told.more,
    )
    services = Counter(line.service for line in told.lines).most_common()
    if not services:
        return [doc.Facts(facts)]
    rows = tuple((title(slug, None, lang), number(n, lang)) for slug, n in services)
    heads = (say("Layanan", lang), say("Jumlah", lang))
    return [doc.Facts(facts), doc.Table(heads, rows, (4, 1))]


def _taken(lines: Sequence[Line], lang: str, reveal: bool) -> list[doc.Block]:
    if not lines:
        return []
    heads = (
        say("Nomor bukti", lang), say("Jam", lang), say("Layanan", lang),
        say("Nama", lang), say("Keadaan", lang),
    )  # fmt: skip
    rows = tuple(
        (
            code_text(line.code, line.record),
            moment_at(line.at).split(" ")[1],
            title(line.service, None, lang),
            line.name if reveal else names.masked(line.name),
            stage(line, lang),
        )
        for line in lines[:LISTED_MAX]
    )
    table = doc.Table(heads, rows, (1.5, 0.7, 2.4, 1.7, 1.7))
    return [doc.Heading(say("Permohonan hari ini", lang)), table]


def _stock(stock: Sequence[Balance], lang: str) -> list[doc.Block]:
    if not stock:
        return []
    heads = (
        say("Blangko", lang), say("Diterima", lang), say("Dipakai", lang), say("Rusak", lang),
        say("Dikembalikan", lang), say("Sisa", lang),
    )  # fmt: skip
    rows = tuple(
        (one.kind, *(number(n, lang) for n in (one.received, one.used, one.spoiled, one.returned,
                                                one.left)))
        for one in stock
    )  # fmt: skip
    return [
        doc.Heading(say("Stok blangko", lang)),
        doc.Table(heads, rows, (1.4, 1, 1, 1, 1, 1)),
        doc.Words(say("Blangko rusak dihitung, dipotong, dan dimusnahkan dengan berita acara.",
                      lang), small=True),
    ]  # fmt: skip


def call_list(waiting: Sequence[Waiting], day: date, lang: str = "id") -> doc.Document:
    """Whom to call, with what to say, the calls so far, and room for what comes of the next one.
    Problem print.nothing."""
    heads = (
        say("Nomor bukti", lang), say("Nama", lang), say("Telepon", lang),
        say("Layanan: yang harus diperbaiki", lang), say("Dihubungi", lang), say("Hasil", lang),
    )  # fmt: skip
    blocks = _by_village(
        waiting, heads, (1.35, 1.5, 1.35, 2.6, 0.9, 1.3),
        lambda one: (
            code_text(one.line.code, one.line.record), one.line.name, one.phone,
            ": ".join(part for part in (title(one.line.service, None, lang), one.why) if part),
            "; ".join(when for when, _ in one.called), "; ".join(what for _, what in one.called),
        ),
        lang,
    )  # fmt: skip
    return _listed(say("DAFTAR PANGGILAN", lang), day, blocks, lang)


def uncollected(waiting: Sequence[Waiting], day: date, lang: str = "id") -> doc.Document:
    """What lies ready and nobody has collected. Problem print.nothing."""
    heads = (
        say("Nomor bukti", lang), say("Nama", lang), say("Telepon", lang), say("Dokumen", lang),
        say("Keadaan", lang), say("Tanda tangan penerima", lang),
    )  # fmt: skip
    blocks = _by_village(
        waiting, heads, (1.35, 1.7, 1.35, 1.9, 1.2, 1.5),
        lambda one: (
            code_text(one.line.code, one.line.record), one.line.name, one.phone,
            title(one.line.service, None, lang), stage(one.line, lang), "",
        ),
        lang,
    )  # fmt: skip
    return _listed(say("DOKUMEN BELUM DIAMBIL", lang), day, blocks, lang)


def _by_village(
    waiting: Sequence[Waiting],
    heads: tuple[str, ...],
    shares: tuple[float, ...],
    row: _Row,
    lang: str,
) -> list[doc.Block]:
    if not waiting:
        raise Problem("print.nothing")
    blocks: list[doc.Block] = []
    for village in dict.fromkeys(one.line.village for one in waiting):
        here = [one for one in waiting if one.line.village == village]
        name = full_name(village) if village else say("Tanpa desa", lang)
        blocks.append(doc.Heading(f"{name} ({len(here)})"))
        blocks.append(doc.Table(heads, tuple(row(one) for one in here), shares))
    return blocks


def _listed(name: str, day: date, blocks: list[doc.Block], lang: str) -> doc.Document:
    top: list[doc.Block] = [_head(), doc.Title(name, long_day(day, lang))]
    secret = say("Berisi data pribadi. Simpan di tempat terkunci, lalu musnahkan.", lang)
    return doc.Document(
        f"{name} {day.isoformat()}", (*top, *blocks), f"{name} · {secret}", lang=lang
    )


def hand_over(one: Handled, lang: str = "id") -> doc.Document:
    """The slip that goes with a stick; it names nobody's papers."""
    slip = one.slip
    facts = (
        (say("Paket", lang), label(one.bundle)),
        (say("Dibuat", lang), f"{moment_at(one.at)} WIT"),
        (say("Petugas", lang), one.operator),
        (say("Jilid", lang), number(slip.n, lang)),
        (say("Ukuran", lang), size(slip.size, lang)),
        (say("Catatan", lang), number(slip.entries, lang) if slip.entries else ""),
    )
    blocks: list[doc.Block] = [
        _head(),
        doc.Title(say("SERAH TERIMA USB", lang), label(one.bundle)),
        doc.Facts(facts),
    ]
    if slip.words:
        blocks += [
            doc.Heading(say("Empat kata untuk dicocokkan lewat telepon", lang)),
            doc.Large("  ".join(slip.words)),
        ]
    blocks += [
        doc.Words(say("Isi terkunci; hanya tujuannya yang dapat membuka. Stik yang hilang tidak"
                      " membuka data siapa pun: laporkan saja.", lang)),
        doc.Signatures(
            (doc.Place(say("Menyerahkan", lang)), doc.Place(say("Menerima", lang))),
        ),
        doc.Words(say("Tanggal dan jam: ______________________", lang)),
    ]  # fmt: skip
    return doc.Document(f"USB {label(one.bundle)}", tuple(blocks), lang=lang)


def _head() -> doc.Letterhead:
    return doc.Letterhead(
        ("PEMERINTAH KOTA TIDORE KEPULAUAN", "DINAS KEPENDUDUKAN DAN PENCATATAN SIPIL")
    )
