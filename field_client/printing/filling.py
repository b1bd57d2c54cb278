"""Filling: a request on an official form. What is not answered stays open for the pen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec

from field_client.printing.answers import Answers
from field_client.printing.papers import PLACEHOLDER, Field, Paper, Part, Rows, papers_of
from models import words
from models.codes import code_list
from models.forms import Form
from models.printing import document as doc
from models.problems import Problem
from models.regions import region
from models.services import Service

OPEN = "…" * 14
"""A dotted line to write on, inside a sentence."""


class Case(msgspec.Struct, frozen=True):
    """What is printed: a request as it stands. code: "" before it has one. place: region code of
    where it was taken. day: when, printed beside the signatures."""

    service: Service
    form: Form
    day: date
    code: str = ""
    place: str = ""

    @property
    def village(self) -> str:
        """Region code of the village the papers speak of: the address's, else the office's."""
        value = self.form.value("address.village")
        return value if isinstance(value, str) else self.place


def needed(case: Case) -> list[Paper]:
    """The papers this request needs, as it is answered: those whose block is open."""
    return [one for one in papers_of(case.service) if case.form.is_open(one.block)]


def fill(paper: Paper, case: Case) -> doc.Document:
    """The paper with this request's answers. Problem print.not_asked where the service has no such
    form."""
    if paper not in papers_of(case.service):
        known = ", ".join(one.code for one in needed(case)) or "-"
        raise Problem("print.not_asked", form=paper.code, known=known)
    answers = Answers(case.service, case.form, _besides(paper, case))
    blocks: list[doc.Block] = [
        _head(paper, case),
        doc.Title(paper.title, _text(paper.under, answers, 0)),
    ]
    for part in paper.parts:
        for row, heading in _times(part, case.form, answers):
            blocks += _part(part, heading, row, answers)
    # The law speaks of population documents; what a village's own letter costs it does not say.
    free = "" if paper.village else "GRATIS: UU 24/2013 Pasal 79A"
    foot = [paper.code, paper.law, case.code, free]
    return doc.Document(
        f"{paper.code} {case.code}".strip(),
        tuple(blocks),
        " · ".join(one for one in foot if one),
        landscape=paper.landscape,
    )


def _besides(paper: Paper, case: Case) -> dict[str, str]:
    """What a path with `@` stands for."""
    village = region(case.village)
    district = region(case.village[:8])
    kind = "" if village is None else "Desa" if village.level == "desa" else "Kelurahan"
    labels = {one.code: one.label.id for one in case.service.documents}
    papers = [labels.get(one, one) for one in sorted(case.form.documents)]
    return {
        "@code": case.code,
        "@service": case.service.title.id,
        "@today": words.long_day(case.day).partition(", ")[2],
        "@place": village.name if paper.village and village else "Tidore Kepulauan",
        "@village": f"{kind} {village.name}" if village else "",
        "@district": f"Kecamatan {district.name}" if district else "",
        "@documents": "; ".join(papers),
    }


def _head(paper: Paper, case: Case) -> doc.Letterhead:
    city = "PEMERINTAH KOTA TIDORE KEPULAUAN"
    if not paper.village:
        return doc.Letterhead((city, "DINAS KEPENDUDUKAN DAN PENCATATAN SIPIL"), paper.code)
    known = _besides(paper, case)
    district = known["@district"] or f"Kecamatan {OPEN}"
    village = known["@village"] or f"Desa/Kelurahan {OPEN}"
    return doc.Letterhead((city, district.upper(), village.upper()), loud=3)


def _times(part: Part, form: Form, answers: Answers) -> Iterator[tuple[int, str]]:
    """How often a part is printed: (row, heading); never where its block is closed."""
    for section in (part.opens, part.each):
        if section and not answers.asked(section):
            return
    if part.when and not answers.holds(part.when):
        return
    block = form.plan.blocks.get(part.each) if part.each else None
    if block is None or not block.repeated:
        yield 0, part.heads[0] if part.heads else part.heading
        return
    rows = form.rows[part.each]
    least = min(block.bounds[0], max(1, len(part.heads)))
    for row in range(1, max([least, *rows]) + 1):
        if row > least and row not in rows:
            continue
        head = part.heads[row - 1] if row <= len(part.heads) else f"{part.heading} {row}"
        yield row, head


def _part(part: Part, heading: str, row: int, answers: Answers) -> list[doc.Block]:
    blocks: list[doc.Block] = []
    if heading:
        blocks.append(doc.Heading(_text(heading, answers, row)))
    blocks += [doc.Words(_text(text, answers, row)) for text in part.text]
    if part.fields:
        blocks.append(doc.Boxes(tuple(_box(field, answers, row) for field in part.fields)))
    if part.choice is not None:
        one = part.choice
        chosen = answers.codes(one.source, row)
        choices = tuple(
            (text, code in chosen) for code, text in _choices(one.codes) if code not in one.without
        )
        blocks.append(doc.Ticks(choices, one.columns))
    if part.table is not None:
        blocks.append(_table(part.table, answers))
    blocks += [doc.Words(_text(text, answers, row)) for text in part.after]
    if part.signs:
        places = tuple(
            doc.Place(one.above, answers.text(one.name, row) if one.name else "", one.note)
            for one in part.signs
        )
        dated = "{}, {}".format(*map(answers.text, ("@place", "@today"))) if part.dated else ""
        blocks.append(doc.Signatures(places, dated))
    return blocks


def _box(field: Field, answers: Answers, row: int) -> doc.Box:
    value, at = "", ""
    for source in field.sources:
        value = answers.text(source, row, field.show, bare=bool(field.cells))
        at = source
        if value:
            break
    ticks: tuple[tuple[str, bool], ...] = ()
    if field.ticks and field.sources:
        chosen = answers.codes(at, row)
        ticks = tuple((text, code in chosen) for code, text in answers.choices(field.sources[0]))
    return doc.Box(field.label, value, field.cells, ticks, not field.half)


def _choices(name: str) -> list[tuple[str, str]]:
    return [(code, f"{code}  {text.id}" if _short(code) else text.id)
            for code, text in code_list(name).codes.items()]  # fmt: skip


def _short(code: str) -> bool:
    """A code that people see on paper, not one of our own words."""
    return code[:1].isdigit() or code[:1] in "IV"


def _table(rows: Rows, answers: Answers) -> doc.Table:
    found = list(_rows(rows, answers))
    width = len(rows.columns)
    open_lines = [("",) * width] * max(0, rows.least - len(found))
    numbered = [(str(i), *row) for i, row in enumerate([*found, *open_lines], start=1)]
    heads = ("No.", *(column.title for column in rows.columns))
    shares = (0.35, *(column.share for column in rows.columns))
    return doc.Table(heads, tuple(numbered), shares)


def _rows(rows: Rows, answers: Answers) -> Iterator[tuple[str, ...]]:
    if rows.people:
        for person in answers.people(rows.people):
            yield tuple(answers.of_person(person, column.source) for column in rows.columns)
        return
    for row in answers.form.rows.get(rows.each, ()):
        yield tuple(answers.text(c.source, row, c.show) for c in rows.columns)


def _text(text: str, answers: Answers, row: int) -> str:
    """A sentence with its places filled in, or dotted for the pen."""
    return PLACEHOLDER.sub(
        lambda at: doc.loud(value) if (value := answers.text(at[1], row)) else OPEN, text
    )
