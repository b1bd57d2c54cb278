"""The official forms and village letters, filled from answers, read back from the printed page."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pypdfium2
import pytest

from field_client.printing import filling
from field_client.printing.filling import Case
from field_client.printing.papers import Paper, paper, papers, papers_of
from models.fields import split_row
from models.printing import pdf
from models.printing.signs import printable
from models.services import Service, catalogue
from tests.vaults import refused

PLAIN_KINDS = {"name", "str", "text", "nik", "kk", "int"}
EDGE_POINTS = 17
"""Nearer to the edge of the sheet office printers do not print."""


def case(slug: str, **changed: Any) -> Case:
    """The example of a service as it would be printed. changed: `section__name` over it."""
    service = catalogue().service(slug)
    example = service.example
    checked = service.check(example.answers, example.documents, example.reasons, today=example.day)
    answers = {**checked.answers, **{k.replace("__", "."): v for k, v in changed.items()}}
    form = service.read(answers, checked.documents, example.day)
    return Case(service, form, example.day, "ABCD-EFGH-JK", "82.72.03.2001")


def pages(data: bytes) -> list[str]:
    """The text of each page, as a reader finds it, without white space."""
    file = pypdfium2.PdfDocument(data)
    return [re.sub(r"\s", "", page.get_textpage().get_text_bounded()) for page in file]


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


def assert_inside(data: bytes) -> None:
    """Nothing is drawn outside the area printers reach, and everything is grey."""
    for page in pypdfium2.PdfDocument(data):
        drawn = page.render(scale=0.5).to_pil().convert("RGB")
        edge = EDGE_POINTS // 2
        inner = drawn.copy()
        inner.paste((255, 255, 255), (edge, edge, drawn.width - edge, drawn.height - edge))
        assert inner.getextrema() == ((255, 255),) * 3, "ink at the edge of the sheet"
        red, green, blue = drawn.split()
        assert red.tobytes() == green.tobytes() == blue.tobytes(), "a form is copied in grey"


def answered(service: Service, one: Paper, about: Case) -> list[str]:
    """Every answer that the blocks of this form hold, as plain text, without asking the paper."""
    found = []
    for key, value in service.shown(about.form.answers, about.form.documents).items():
        slot = service.plan.slots[split_row(key)[0]]
        if slot.block.form != one.code or slot.field.stage == "handover":
            continue
        if slot.field.kind in PLAIN_KINDS:
            found.append(str(value))
        elif slot.field.kind == "date":
            found.append(date.fromisoformat(value.rstrip("~")).strftime("%d-%m-%Y"))
        elif slot.field.kind in ("person", "people"):
            rows = value if isinstance(value, list) else [value]
            found += [row[part] for row in rows for part in ("name", "nik") if row.get(part)]
    return found


@pytest.mark.parametrize("slug", catalogue().slugs)
def test_every_service_gives_all_its_papers_with_every_answer_on_them(slug):
    about = case(slug)
    needed = filling.needed(about)
    for one in papers_of(about.service):
        filled = filling.fill(one, about)
        if one not in needed:
            continue
        data = pdf.pdf(filled)
        read = "".join(pages(data))
        missing = [text for text in answered(about.service, one, about) if bare(text) not in read]
        assert not missing, one.code
        assert_inside(data)


@pytest.mark.parametrize("code", papers())
def test_every_paper_can_be_printed_empty_for_the_pen(code):
    one = paper(code)
    service = next(service for service in catalogue().services() if one in papers_of(service))
    empty = Case(service, service.read({}, (), service.example.day), service.example.day)
    data = pdf.pdf(filling.fill(one, empty))
    assert bare(one.title) in "".join(pages(data))
    assert_inside(data)


def test_a_paper_names_only_answers_that_its_services_ask():
    """A slip of the pen in a path would print an open box for ever."""
    for one in papers().values():
        asked = {
            path
            for service in catalogue().services()
            if one in papers_of(service)
            for path in service.plan.slots
        }
        assert asked, one.code
        named = {path.partition(":")[0] for path in one.paths() if not path.startswith("@")}
        assert named <= asked, one.code


def test_services_and_papers_agree_on_who_needs_which():
    """A service's file names its forms; F-1.07 stands among its documents."""
    for service in catalogue().services():
        numbered = {one.code for one in papers_of(service) if not one.letter}
        brought = {one.code for one in service.documents}
        assert set(service.form) | (brought & {"F-1.07"}) == numbered, service.slug
    letters = {one.letter for one in papers().values() if one.letter}
    assert letters == {"SKL", "SKK", "SKTM", "SKD", "SP"}


def test_only_the_papers_of_open_blocks_are_needed():
    with_letter, without = case("birth"), case("birth")
    without = Case(
        without.service,
        without.service.read(without.form.answers, ["KK"], without.day),
        without.day,
    )
    assert [one.code for one in filling.needed(with_letter)] == ["F-2.01"]
    assert [one.code for one in filling.needed(without)] == ["F-2.01", "F-2.03", "F-2.04"]


def test_what_was_chosen_is_ticked_and_nothing_else():
    filled = filling.fill(paper("F-2.01"), case("death"))
    ticks = next(block for block in filled.blocks if hasattr(block, "choices"))
    assert [text for text, ticked in ticks.choices if ticked] == ["Kematian"]


def test_what_is_not_answered_stays_open_for_the_pen():
    filled = filling.fill(paper("F-2.03"), case("birth"))
    boxes = [box for block in filled.blocks if hasattr(block, "boxes") for box in block.boxes]
    witnesses = [box for box in boxes if box.label.startswith("Saksi")]
    assert [box.value for box in witnesses] == ["", ""]
    letter = filling.fill(paper("SKD"), case("village-domicile-letter"))
    assert "…" in pages(pdf.pdf(letter))[0]


HOSTILE = {
    "long": "Nur" + "w" * 197,
    "words": " ".join(["Abdurrahman"] * 20),
    "markup": "<b>Siti</b> & Co <font size=99>",
    "turned": "Siti\u202eamhaR\u200f\u2066",
    "control": "Si\x00ti\x1b[31m\x02Rahma\x03",
    "emoji": "Siti \U0001f600 Rahma",
    "marks": "S\u0301i\u0302ti Ḍaud O’Ma'ruf",
    "arabic": "محمد",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_are_printed_whole_and_inside_the_page(name):
    rows = [{"name": name, "nik": "8272034503900021", "shdk": "3", "note": name}]
    about = case(
        "data-element-change",
        applicant__name=name, data_change__new_value=name * 2, data_change__members=rows,
    )  # fmt: skip
    data = pdf.pdf(filling.fill(paper("F-1.06"), about))
    assert_inside(data)
    read = "".join(pages(data))
    shown = bare(printable(name))
    boxes = 6  # its box, the table twice, the new value twice, and below the signature
    assert read.count(shown) == boxes, "wrapped where it is narrow, nowhere cut"
    assert not re.search("[\x00-\x09\x0b-\x1f\u200e\u200f\u202a-\u202e\u2066-\u2069]", shown)


def test_signs_without_a_glyph_are_seen_not_lost():
    assert printable("Ḍaud") == "Daud"
    assert printable("\U0001f600") == "?"
    assert printable("Ma\u02bcruf") == "Ma’ruf"
    assert len(printable("x" * 5000)) == 2000


def test_a_large_family_goes_on_over_pages_with_its_heads():
    base = case("biodata-wni")
    answers = dict(base.form.answers)
    for row in range(3, 41):
        answers |= {f"member.{row}.name": f"Anggota Nomor{row:02}", f"member.{row}.shdk": "4"}
    form = base.service.read(answers, base.form.documents, base.day)
    read = pages(pdf.pdf(filling.fill(paper("F-1.01"), Case(base.service, form, base.day))))
    assert all(f"AnggotaNomor{row:02}" in "".join(read) for row in range(3, 41))
    of_names = [page for page in read if "AnggotaNomor" in page]
    assert len(of_names) > 1
    assert all("2.Namalengkap" in page for page in of_names)
    assert all(f"Halaman{i}dari{len(read)}" in page for i, page in enumerate(read, start=1))


def test_the_same_paper_is_the_same_bytes():
    first = pdf.pdf(filling.fill(paper("F-1.02"), case("kk-reissue")))
    assert first == pdf.pdf(filling.fill(paper("f-1.02"), case("kk-reissue")))


def test_a_form_the_service_does_not_have_is_refused_by_name():
    problem = refused("print.not_asked", filling.fill, paper("F-1.03"), case("birth"))
    assert problem.details["known"] == "F-2.01"
    refused("print.unknown_form", paper, "F-9.99")
