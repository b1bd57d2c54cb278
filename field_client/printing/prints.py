"""Prints: from a request on the desk to its papers, and from there to a printer or a file.

Whatever leaves with citizens' data on it is noted in the vault before it does. A receipt that was
printed before says that it is a copy; one that no printer took does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from field_client import receipts
from field_client.desk import Desk
from field_client.printing import filling, printers
from field_client.printing.filling import Case
from field_client.printing.papers import Paper, paper
from field_client.sheet import Sheet
from field_client.training import is_training
from models.changes import RecordId
from models.printing import receipt
from models.printing.document import Document, Words, loud
from models.problems import Problem
from models.services import Service
from models.words import WIT, say

PAPERS = ("a4", "58", "80")
"""What a receipt is printed on: a page, or a strip so many mm wide."""

RECEIPT, FAILED = "print receipt", "print receipt failed"


class Printing(msgspec.Struct, frozen=True):
    """What this laptop prints on; kept in its vault. "" is the system's usual printer. paper: of
    receipts: a4, 58 or 80."""

    printer: str = ""
    receipt_printer: str = ""
    receipt_paper: str = "a4"


class Printed(msgspec.Struct, frozen=True):
    """What was printed or saved. papers: their names. to: the printer, or the file."""

    papers: tuple[str, ...]
    to: str
    size: int


# -- papers of a request


def receipt_for(desk: Desk, record: RecordId, lang: str) -> Document:
    """The receipt; SALINAN where it was printed before. Problem receipt.elsewhere."""
    slip = receipts.slip(desk, record, lang)
    page = desk.open(record)
    told = receipt.receipt_of(
        slip,
        page.service,
        desk.operator.name,
        copies(desk, record),
        tuple(one.code for one in filling.needed(case(desk, page))) if page.service else (),
        str(page.answers.get("applicant.phone") or ""),
    )
    return practised(desk, receipt.receipt(told, lang))


def practised(desk: Desk, made: Document) -> Document:
    """The same paper, marked from top to foot where the laptop is one for practice."""
    words = say("DATA LATIHAN — tidak akan dikirim.", made.lang)
    if not is_training(desk.store) or made.foot.startswith(words):
        return made
    blocks = (Words(loud(words), centre=True, framed=True), *made.blocks)
    foot = " · ".join(part for part in (words, made.foot) if part)
    return msgspec.structs.replace(made, blocks=blocks, foot=foot)


def copies(desk: Desk, record: RecordId) -> int:
    """How often the receipt came out of a printer or went into a file."""
    reveals = desk.store.reveals
    return max(0, reveals.times(RECEIPT, record) - reveals.times(FAILED, record))


def case(desk: Desk, page: Sheet) -> Case:
    """A request as it is put on forms. Problem service.edition."""
    service = page.form()
    first = page.picture.own[0] if page.picture.own else None
    day = _day(first.change.at) if first is not None and first.change is not None else desk.today()
    villages = desk.invitation().villages
    place = villages[0] if len(villages) == 1 else ""
    form = service.read(page.answers, page.documents, day)
    return Case(service, form, day, page.code, place)


def blank(service: Service, form: str, day: date) -> Document:
    """A form of a service with nothing on it but what is known beforehand, for the pen."""
    return filling.fill(paper(form), Case(service, service.read({}, (), day), day))


def forms_for(desk: Desk, record: RecordId, form: str = "") -> list[Document]:
    """The forms this request needs, or the one named. Problems print.not_asked,
    print.unknown_form, print.nothing."""
    about = case(desk, desk.open(record))
    chosen = [paper(form)] if form else [one for one in filling.needed(about) if not one.letter]
    return _filled(desk, record, chosen, about)


def letters_for(desk: Desk, record: RecordId) -> list[Document]:
    """The village letters this request is. Problem print.nothing."""
    about = case(desk, desk.open(record))
    return _filled(desk, record, [one for one in filling.needed(about) if one.letter], about)


def _filled(desk: Desk, record: RecordId, chosen: Sequence[Paper], about: Case) -> list[Document]:
    if not chosen:
        raise Problem("print.nothing")
    made = [practised(desk, filling.fill(one, about)) for one in chosen]
    for one in chosen:
        desk.note_reveal(f"print {one.code}", record)
    return made


def _day(at: int) -> date:
    return datetime.fromtimestamp(at, UTC).astimezone(WIT).date()


# -- out of the house


def drawn(documents: Sequence[Document], width: str, suffix: str = "") -> bytes:
    """The bytes for a printer or a file: PDF on A4; on a strip PDF, PNG or, else, ESC/POS."""
    from field_client.printing import joining, thermal  # half a second, and only to print
    from models.printing import pdf

    if width == "a4":
        made = [pdf.pdf(one) for one in documents]
        return made[0] if len(made) == 1 else joining.joined(made)
    strip: thermal.Paper = "58" if width == "58" else "80"
    if suffix == ".pdf":
        made = [thermal.strip(one, strip) for one in documents]
        return made[0] if len(made) == 1 else joining.joined(made)
    if suffix == ".png":
        return thermal.png(documents[0], strip)
    return b"".join(thermal.escpos(one, strip) for one in documents)


def to_file(documents: Sequence[Document], path: Path, width: str = "a4") -> Printed:
    """Save papers as one file. Problems disk.*."""
    data = drawn(documents, width, path.suffix.lower())
    printers.save(path, data)
    return Printed(tuple(one.name for one in documents), str(path), len(data))


def to_printer(documents: Sequence[Document], name: str = "", width: str = "a4") -> Printed:
    """Print papers. Problems print.no_printer, print.unknown_printer, print.failed."""
    printer = printers.choose(name)
    sent = 0
    for one in documents:
        data = drawn([one], width)
        printers.send(printer, data, one.name, dots=width != "a4")
        sent += len(data)
    return Printed(tuple(one.name for one in documents), printer, sent)


def hand_out(
    desk: Desk, record: RecordId, lang: str, path: Path | None, name: str, width: str
) -> Printed:
    """Print or save a receipt, and count it."""
    made = [receipt_for(desk, record, lang)]
    if path is None:
        name = printers.choose(name)
    desk.note_reveal(RECEIPT, record)
    try:
        return to_file(made, path, width) if path else to_printer(made, name, width)
    except Problem:
        desk.note_reveal(FAILED, record)
        raise
