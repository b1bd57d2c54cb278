"""The folder of services: each file is whole, agrees with itself and the others, and is enough."""

import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

import docs
from models import codes
from models.conditions import parse
from models.fields import Text
from models.forms import Block
from models.problems import Problem, problems
from models.services import Catalogue, Service, catalogue

DATA = Path(str(codes.packaged()))
SERVICES = catalogue().services()
SHARED = {
    path.stem: msgspec.toml.decode(path.read_bytes(), type=Block)
    for path in (DATA / "blocks").glob("*.toml")
}
SLOTS = {slot.path: slot for service in SERVICES for slot in service.plan.slots.values()}
each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.slug)


def texts(value, where=""):
    """Every pair of words inside a struct, with the place it stands at."""
    if isinstance(value, Text):
        yield where, value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from texts(getattr(value, name), f"{where}.{name}")
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from texts(one, f"{where}[{number}]")


def conditions(service):
    """Place and text of the conditions that decide for this service what is asked."""
    for block in service.blocks:
        yield f"block {block.section}", block.when
    for paper in service.documents:
        yield f"document {paper.code}", paper.required
    for rule in service.rules:
        yield f"rule {rule.key}", rule.wrong
    yield "age", service.age.unless


def field_conditions(service):
    """Place and text of the conditions of its fields, which may read what only others ask."""
    for path, slot in service.plan.slots.items():
        yield f"{path} required", slot.field.required
        yield f"{path} alias", slot.field.alias.partition("?")[2]
    for block in service.blocks:
        for rule in block.rules:
            yield f"{block.section} rule {rule.key}", rule.wrong


def known_values(service, path):
    """The values a path can ever have; None where it is not one of a list."""
    if path == "service":
        return set(catalogue().slugs)
    if path.startswith("doc."):
        return {"yes", "no"}
    field = SLOTS[path].field
    if field.kind == "bool":
        return {"yes", "no"}
    if field.kind in ("code", "codes") and not field.codes.startswith("ref:"):
        return set(codes.code_list(field.codes).codes)
    return None


def test_there_are_the_47_services():
    assert len(SERVICES) == 47
    assert len(SLOTS) == 348
    assert sum(len(service.documents) for service in SERVICES) == 165
    groups = {service.group for service in SERVICES}
    assert groups == {"ktp", "kia", "kk", "biodata", "move", "civil", "digital", "other", "village"}


@each_service
def test_the_file_has_the_name_of_its_service(service):
    assert re.fullmatch(r"[a-z][a-z0-9-]{2,29}", service.slug)
    assert service.slug in catalogue().slugs
    assert service.edition >= 1


@each_service
def test_every_word_stands_in_both_languages(service):
    found = list(texts(service, service.slug))
    assert len(found) > 20
    for where, text in found:
        assert text.id.strip() == text.id != "", where
        assert text.en.strip() == text.en != "", where


@each_service
def test_the_example_is_complete_and_passes_its_own_check(service):
    example = service.example
    checked = service.check(
        example.answers, example.documents, dict(example.reasons), today=example.day
    )
    assert [one for one in checked.problems if one.stops] == []
    assert checked.ok
    assert checked.documents == tuple(sorted(example.documents))
    assert len(checked.answers) >= 6


@each_service
def test_an_empty_form_does_not_pass(service):
    checked = service.check({}, (), today=service.example.day)
    assert not checked.ok
    required = {one.key for one in checked.problems if one.code == "field.required"}
    assert {"applicant.name", "applicant.relation", "address.address"} <= required


@each_service
def test_units_and_answers_are_each_others_inverse(service):
    example = service.example
    checked = service.check(example.answers, example.documents, today=example.day)
    units = service.units(checked.answers, checked.documents)
    assert service.answers(units) == (checked.answers, checked.documents)
    assert {name: service.unit(name).name for name in units} == {name: name for name in units}


@each_service
def test_every_condition_reads_only_what_this_service_asks(service):
    papers = {f"doc.{paper.code}" for paper in service.documents}
    asked = set(service.plan.slots) | papers | {"service", "age"}
    for where, text in conditions(service):
        if text not in ("", "yes", "no"):
            assert parse(text).paths <= asked, where


@each_service
def test_every_condition_compares_with_values_that_can_be(service):
    documents = {f"doc.{code}" for code in codes.code_list("jenis_dokumen").codes}
    for where, text in [*conditions(service), *field_conditions(service)]:
        for test in parse(text).tests if text not in ("", "yes", "no") else ():
            assert test.path in SLOTS or test.path in documents | {"service", "age"}, where
            if test.path == "age":
                assert all(value.isdigit() for value in test.values), where
            else:
                known = known_values(service, test.path)
                assert known is None or set(test.values) <= known, where


@each_service
def test_every_field_has_what_its_kind_needs(service):
    for path, slot in service.plan.slots.items():
        field = slot.field
        assert re.fullmatch(r"[a-z][a-z0-9_]*", field.name), path
        listed = field.kind in ("code", "codes", "region", "documents")
        assert bool(field.codes) == listed, path
        if field.codes and not field.codes.startswith("ref:"):
            assert codes.code_list(field.codes).codes, path
        if field.kind == "attachment":
            assert field.stage != "intake" or field.required == "no", path
        assert field.about, path
        assert not (field.set and field.group), path
        for other in (*field.differs, *field.after, field.born):
            assert not other or other in SLOTS, path
        if field.guard == "central" and field.stage == "intake":
            assert field.derived, f"{path}: nobody could fill it"


@each_service
def test_an_alias_points_to_the_same_kind_of_answer_and_never_in_a_circle(service):
    for path, slot in service.plan.slots.items():
        if slot.target.endswith(".*"):
            assert (slot.field.kind, slot.target) == ("address", "address.*"), path
            continue
        seen = {path}
        target = slot.target
        while target:
            assert SLOTS[target].field.kind == slot.field.kind, path
            assert target not in seen, path
            seen.add(target)
            target = SLOTS[target].target


@each_service
def test_nothing_is_typed_twice(service):
    first: dict = {}
    for path, slot in service.plan.slots.items():
        fact = (slot.field.about, slot.field.name)
        other = first.setdefault(fact, slot)
        assert other is slot or slot.target or other.target, f"{path} repeats {other.path}"


@each_service
def test_a_group_has_two_members_or_is_one_composite_answer(service):
    for name, slots in service.plan.units.items():
        if slots[0].unit.shape == "group" and len(slots) == 1:
            whole = slots[0].field.kind in ("address", "person", "people")
            # a group may be shared by two blocks of which this service asks one
            members = [s for s in SLOTS.values() if s.field.group == slots[0].field.group]
            assert whole or len(members) > 1, name


@each_service
def test_blocks_forms_codes_and_proxies_agree(service):
    sections = [block.section for block in service.blocks]
    assert len(set(sections)) == len(sections)
    assert set(sections) - {"applicant", "address", "proxy", "handover"}, "no field of its own"
    forms = {block.form for block in service.blocks if block.form} - {"F-1.07"}
    assert forms == set(service.form)
    requests = ("jenis_permohonan_f102", "jenis_pelaporan_capil", "jenis_surat_desa")
    known = {code for name in requests for code in codes.code_list(name).codes}
    assert set(service.request_codes) <= known
    if "event" in sections:
        assert len(service.request_codes) == 1
    papers = [paper.code for paper in service.documents]
    proxies = {"proxy" in service.applicants, "proxy" in sections, "F-1.07" in papers}
    assert len(proxies) == 1, "applicants, blocks and documents disagree about F-1.07"
    assert set(service.applicants) <= set(codes.code_list("hubungan_pemohon").codes)
    for block in service.blocks:
        assert re.fullmatch(r"|\d+|\d+\.\.\d+", block.rows)
        assert block.bounds[0] <= block.bounds[1]
        assert block.title is not None


@each_service
def test_documents_agree_with_the_form(service):
    assert service.documents
    groups: dict = {}
    for paper in service.documents:
        assert paper.code in codes.code_list("jenis_dokumen")
        if paper.code.startswith("F-"):
            assert paper.code in {block.form for block in service.blocks}
        if paper.required == "yes" and paper.case:
            assert paper.one_of, f"{paper.code} is always asked, yet says when"
        groups.setdefault(paper.one_of, []).append(paper)
    for name, papers in groups.items():
        if name:
            assert len(papers) > 1
            assert len({paper.required for paper in papers}) == 1


@each_service
def test_law_hours_and_deadline_are_said(service):
    assert service.law
    if service.standard is None:
        assert any("no hours" in remark for remark in service.remarks)
    if service.due:
        assert service.due.days in (14, 30, 60, 90)
        assert set(service.due.since) <= set(service.plan.slots)
    assert set(service.about.all()) <= set(service.plan.slots)
    assert service.about.name


def test_a_section_is_one_block_of_one_form_everywhere():
    homes: dict = {}
    for service in SERVICES:
        for block in service.blocks:
            home = homes.setdefault(block.section, block.use or service.slug)
            assert home == (block.use or service.slug), f"{block.section} is defined twice"
    assert set(SHARED) == {home for home in homes.values() if home in SHARED}, "an unused block"
    for name, block in SHARED.items():
        assert block.section == name.partition("@")[0]
        said_by_services = block.use, block.rows, block.when
        assert said_by_services == ("", "", ""), name


def test_a_group_keeps_its_guard_from_service_to_service():
    guards: dict = {}
    for service in SERVICES:
        for slots in service.plan.units.values():
            unit = slots[0].unit
            assert guards.setdefault(unit.name, unit.guard) == unit.guard


def test_code_lists_are_whole():
    assert len(codes.code_lists()) == 49
    for name in codes.code_lists():
        listed = codes.code_list(name)
        assert listed.certainty in ("sure", "likely", "check", "project")
        for code, text in listed.codes.items():
            assert code.strip() == code
            assert text.id, f"{name} {code}"
            assert text.en, f"{name} {code}"
    assert codes.code_list("agama").label("1") == "Islam"
    assert codes.code_list("agama").label("77", "en") == "77"
    with pytest.raises(KeyError):
        codes.code_list("../services/birth")


@each_service
def test_every_remark_a_file_can_make_has_its_words(service):
    for rule in (*service.rules, *(rule for block in service.blocks for rule in block.rules)):
        own_words = rule.code in ("field.must_match", "field.should_match")
        assert problems()[rule.code].severity
        assert own_words == (rule.rule is not None), rule.key
    for slot in service.plan.slots.values():
        assert all(problems()[code].severity for code in slot.field.differs.values())
    assert problems()[service.age.young].severity
    assert problems()[service.age.old].severity


def test_an_unknown_service_or_edition_is_a_problem():
    strange: list[Any] = ["no-such", "", "../blocks/applicant", "birth@1", None, ["birth"]]
    for slug in strange:
        with pytest.raises(Problem, match=r"service\.unknown"):
            catalogue().service(slug)
    assert catalogue().service("birth", 1) is not None
    with pytest.raises(Problem, match=r"service\.edition"):
        catalogue().service("birth", 999)


# --- one file is enough ------------------------------------------------------------------------

NEW_SERVICE = """
slug = "test-guest-letter"
edition = 1
group = "village"
title = { id = "Surat tamu", en = "Guest letter" }
who = { id = "Yang bersangkutan", en = "The person concerned" }
applicants = ["self"]
output = { id = "Surat", en = "Letter" }
biometrics = { id = "Tidak ada", en = "None" }
law = ["local rule"]
certainty = "check"
remarks = ["no hours: invented"]

[subject]
name = ["applicant.name"]
nik = ["applicant.nik"]

[[blocks]]
use = "applicant"

[[blocks]]
use = "address"

[[blocks]]
section = "guest"
title = { id = "Tamu", en = "Guests" }
rows = "1..3"

[[blocks.fields]]
name = "name"
kind = "name"
label = { id = "Nama tamu", en = "Guest" }
about = "guest"
required = "yes"
guard = "protected"
group = "guest.row"

[[blocks.fields]]
name = "nights"
kind = "int"
label = { id = "Lama menginap", en = "Nights" }
about = "guest"
max = 30
group = "guest.row"

[[blocks.rules]]
key = "guest.nights"
wrong = "guest.nights>14"
rule = { id = "tamu lebih dari 14 malam jarang", en = "more than 14 nights is rare" }

[[documents]]
code = "KTP"
label = { id = "KTP-el", en = "Identity card" }
hold = "show"

[example]
day = 2026-11-21
documents = ["KTP"]

[example.answers.applicant]
name = "Salma Kader"
nik = "8272034503900021"
kk = "8272031201150007"
relation = "self"

[example.answers.address]
address = "Kampung Tengah"
village = "82.72.03.2001"

[[example.answers.guest]]
name = "Hasna Umar"
nights = 3
"""


@pytest.fixture
def folder(tmp_path):
    """A copy of the data folder, to add files to."""
    shutil.copytree(DATA, tmp_path / "data")
    return tmp_path / "data"


def test_a_new_service_is_one_new_file(folder):
    (folder / "services" / "test-guest-letter.toml").write_text(NEW_SERVICE, encoding="utf-8")
    ours = Catalogue(folder)
    assert len(ours.slugs) == 48
    service = ours.service("test-guest-letter")
    example = service.example
    checked = service.check(example.answers, example.documents, today=example.day)
    assert checked.ok
    assert checked.answers["guest.1.nights"] == 3
    units = service.units(checked.answers, checked.documents)
    assert units["guest.1.row"] == {"name": "Hasna Umar", "nights": 3}
    assert service.unit("guest.1.row").guard == "protected"
    assert service.answers(units)[0] == checked.answers
    assert service.keys(checked.answers) == ("nik|test-guest-letter|8272034503900021",)
    long_stay = dict(checked.answers) | {"guest.1.nights": 20}
    rare = service.check(long_stay, ["KTP"], today=example.day)
    assert [(one.key, one.code) for one in rare.problems] == [
        ("guest.1.nights", "field.should_match")
    ]
    assert "more than 14 nights" in rare.problems[0].words("en")
    assert service.check(long_stay, ["KTP"], {"guest.1.nights": "hajatan"}, today=example.day).ok
    # a power of attorney may now name it: the list of services is the folder itself
    proxy = {"proxy.purpose": ["test-guest-letter"]}
    found = ours.service("legalisation").check(proxy, today=example.day).problems
    assert not [one for one in found if one.code == "field.code"]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ('group = "village"', 'grup = "village"'),
        ("required", "requird"),
        ('kind = "int"', 'kind = "integer"'),
        ('use = "address"', 'use = "adress"'),
        ('wrong = "guest.nights>14"', 'wrong = "guest.nights>>14"'),
        ('slug = "test-guest-letter"', 'slug = "test-other"'),
    ],
)
def test_a_slip_in_a_file_is_refused_with_the_place(folder, wrong, why):
    text = NEW_SERVICE.replace(wrong, why, 1)
    assert text != NEW_SERVICE
    (folder / "services" / "test-guest-letter.toml").write_text(text, encoding="utf-8")
    with pytest.raises(Problem, match=r"service\.broken") as refused:
        Catalogue(folder).service("test-guest-letter")
    assert refused.value.details["file"] == "test-guest-letter.toml"
    assert refused.value.details["why"]


def test_an_edition_that_is_no_longer_filled_in_stays_readable(folder):
    services, blocks = folder / "services", folder / "blocks"
    text = (services / "nik-consolidation.toml").read_text("utf-8")
    old = text.replace('use = "applicant"', 'use = "applicant@1"')
    (services / "nik-consolidation@1.toml").write_text(old, encoding="utf-8")
    (services / "nik-consolidation.toml").write_text(text.replace("edition = 1", "edition = 2"))
    shutil.copy(blocks / "applicant.toml", blocks / "applicant@1.toml")
    newer = (
        (blocks / "applicant.toml").read_text("utf-8").replace('name = "email"', 'name = "mail"')
    )
    (blocks / "applicant.toml").write_text(newer, encoding="utf-8")
    ours = Catalogue(folder)
    assert ours.slugs == catalogue().slugs
    assert ours.service("nik-consolidation").edition == 2
    assert "applicant.email" not in ours.service("nik-consolidation", 2).plan.slots
    first = ours.service("nik-consolidation", 1)
    assert first.edition == 1
    assert "applicant.email" in first.plan.slots
    assert isinstance(first, Service)


def test_the_page_in_the_docs_names_every_service():
    page = (docs.ROOT / "docs" / "services.md").read_text("utf-8")
    assert docs.redrawn(page) == page, "run scripts/docs.py"
    assert all(f"| `{service.slug}` |" in page for service in SERVICES)


def test_an_edition_that_is_not_here_costs_no_reading(monkeypatch):
    """A change of a later edition waits at central and is looked at again and again."""
    here = catalogue().service("birth")
    monkeypatch.setattr(Catalogue, "_file", lambda *_: pytest.fail("it was read again"))
    assert catalogue().service("birth", here.edition) is here
    with pytest.raises(Problem, match=r"service\.edition"):
        catalogue().service("birth", 99)
