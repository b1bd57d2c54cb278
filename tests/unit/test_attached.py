"""Files in the state of a request: elements of sets, merged like every other element."""

from __future__ import annotations

import msgspec
import pytest

from models.changes import Attached, Body
from models.problems import Problem
from models.services import catalogue
from sync.files import about_file, element_of, file_of, files
from sync.state import Decision, Ignored
from sync.transfer import BLOB_BYTES_MAX, manifest_of
from tests.office import SLUG, Office

CARD = "card.signature"
KK = "document.KK"


def paper(text: str, unit: str = KK, **more) -> Attached:
    manifest = manifest_of(text.encode())
    return Attached(unit, manifest.blob, manifest.size, **more)


def unit_with_files() -> str:
    form = catalogue().service(SLUG)
    return next(u for u in form.plan.units if form.takes_files(u))


@pytest.fixture
def office():
    return Office()


def made(office):
    """A request that every laptop has read."""
    van = office.laptops[0]
    record = office.create(van)
    office.send(van)
    for laptop in office.laptops:
        office.pull(laptop)
    return record


# -- units


def test_every_field_for_files_is_a_set():
    """Nobody's file ever replaces another one silently."""
    asked = 0
    for service in catalogue().services():
        for slot in service.plan.slots.values():
            if slot.field.kind == "attachment":
                assert slot.unit.shape == "set", (service.slug, slot.path)
                asked += 1
    assert asked > 20


def test_pictures_of_a_document_have_a_unit_and_are_no_answer():
    form = catalogue().service(SLUG)
    assert form.takes_files("document.KK")
    assert form.takes_files("document.F-2.03")
    assert form.unit("document.KK").shape == "set"
    assert form.answers({"document.KK": ["ab" * 32]}) == ({}, ())
    for name in ("documents", "applicant.name", "document.", "document.kk or more", "no.such"):
        assert not form.takes_files(name), name
    with pytest.raises(Problem, match=r"unit\.unknown"):
        form.unit("document.")


# -- in the state


def test_a_file_is_an_element_and_says_what_it_is():
    one = paper("halaman", kind="page", preview=b"p" * 32, page=2, pages=3)
    assert file_of(element_of(one), about_file(one)) == one
    assert file_of(element_of(one), True) is None
    assert file_of("documents+KK", [1, "page"]) is None


def test_files_of_two_laptops_stand_side_by_side(office):
    record = made(office)
    first, second = paper("van"), paper("desa")
    for laptop, file in zip(office.laptops, (first, second), strict=True):
        office.edit(laptop, record, Body(attach=[file]))
    assert [office.send(laptop)[-1][1].state for laptop in office.laptops] == ["applied"] * 2
    assert files(office.record(record)) == sorted([first, second], key=lambda f: f.blob)
    assert not office.cases()


def test_a_file_may_come_with_the_request_itself(office):
    form = catalogue().service(SLUG)
    van = office.laptops[0]
    file = paper("dibawa", unit_with_files())
    body = Body(number=7, set={}, attach=[file])
    (entry,) = van.append([van.change("create", body, form=(SLUG, form.edition))])
    office.send(van)
    (record,) = office.registry.tables["records"].values()
    assert (record.seq, files(record)) == (entry.seq, [file])


def test_the_author_sees_the_file_at_once_and_others_after_a_pull(office):
    record = made(office)
    van, village = office.laptops
    file = paper("halaman")
    office.edit(van, record, Body(attach=[file]))
    assert van.look(record).attached() == [file]
    assert KK in van.look(record).unsent
    assert village.look(record).attached() == []
    office.send(van)
    office.pull(village)
    assert village.look(record).attached() == [file]
    office.edit(village, record, Body(remove={KK: [file.blob.hex()]}))
    assert village.look(record).attached() == []


def test_the_same_file_twice_agrees(office):
    record = made(office)
    for laptop in office.laptops:
        office.edit(laptop, record, Body(attach=[paper("sama")]))
    states = [office.send(laptop)[-1][1].state for laptop in office.laptops]
    assert states == ["applied", "merged"]
    assert len(files(office.record(record))) == 1


def test_one_picture_may_serve_two_papers(office):
    record = made(office)
    van = office.laptops[0]
    both = [paper("KK dan akta", "document.BIRTH_DEED"), paper("KK dan akta")]
    office.edit(van, record, Body(attach=both))
    assert van.look(record).attached() == both
    office.send(van)
    assert files(office.record(record)) == both


def test_a_file_taken_out_is_gone_unless_its_author_had_not_seen_it(office):
    record = made(office)
    van, village = office.laptops
    file = paper("salah orang")
    office.edit(van, record, Body(attach=[file]))
    before = village.display(record)
    office.send(van)
    gone = Body(remove={KK: [file.blob.hex()]})
    office.edit(village, record, gone, before)
    office.send(village)
    assert files(office.record(record)) == [file]
    office.pull(village)
    office.edit(village, record, gone)
    office.send(village)
    assert files(office.record(record)) == []


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (paper("x", "applicant.name"), "not_a_file_field"),
        (paper("x", "no.such"), "not_a_file_field"),
        (Attached(KK, b"short", 10), "file_size"),
        (Attached(KK, b"b" * 32, 0), "file_size"),
        (Attached(KK, b"b" * 32, BLOB_BYTES_MAX + 1), "file_size"),
        (Attached(KK, b"b" * 32, 10, preview=b"short"), "file_size"),
    ],
)
def test_an_unfit_file_is_left_out_and_the_rest_of_the_change_stands(office, file, why):
    record = made(office)
    van = office.laptops[0]
    office.edit(van, record, Body(set={"applicant.phone": "+6281234567890"}, attach=[file]))
    assert office.send(van)[-1][1].state == "merged"
    assert office.value(record, "applicant.phone") == "+6281234567890"
    assert files(office.record(record)) == []
    data, _ = list(office.registry.tables["decisions"].values())[-1]
    effects = msgspec.msgpack.decode(data, type=Decision).effects
    assert [e.why for e in effects if isinstance(e, Ignored)] == [why]


def test_a_request_holds_so_many_files_and_no_more(office):
    record = made(office)
    van = office.laptops[0]
    for start in (0, 40):
        many = [paper(f"halaman {n}") for n in range(start, start + 40)]
        office.edit(van, record, Body(attach=many))
        office.send(van)
    assert len(files(office.record(record))) == 60


def test_a_portrait_after_an_unseen_verification_waits_for_a_person(office):
    """Its set is protected: nothing new stands beside what was verified unless its author knew."""
    van = office.laptops[0]
    form = catalogue().service(SLUG)
    photo = next(
        (u for u, slots in form.plan.units.items() if slots[0].path.endswith(".photo")), None
    )
    if photo is None:
        pytest.fail(f"{SLUG} asks for no portrait")
    record = made(office)
    screen = van.display(record)
    for action, source, target in (
        ("take", "received", "in_verification"),
        ("approve", "in_verification", "verified"),
    ):
        office.staff(Body(action=action, move=(source, target)), record)
    office.edit(van, record, Body(attach=[paper("wajah", photo, kind="portrait")]), screen)
    assert office.send(van)[-1][1].state == "held"
    assert files(office.record(record)) == []
    (case,) = office.cases("dispute")
    assert case.protected
    assert case.unit.startswith(photo + "+")
