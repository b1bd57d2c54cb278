"""Counter: forms taken in at the office itself, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from field_client import receipts
from models import typed
from models.ids import Code
from models.problems import Problem
from models.services import Service, catalogue
from server.counter import BLOCK, DRAFT_DAYS, Folder
from sync import base45
from sync.attaching import Photo
from sync.files import files
from tests.pictures import page, written
from tests.pusat import DAY, ON_PAPER, OTHER_VILLAGE, PASSWORD, SLUG, VILLAGE, Pusat, pusat


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def office(tmp_path_factory, request) -> Iterator[Pusat]:
    kind = request.param
    url = request.getfixturevalue("postgres_module_url") if kind == "postgres" else ""
    with pusat(tmp_path_factory.mktemp("pusat") / kind, url) as opened:
        staff, admin = opened.central.staff, opened.people["admin"]
        for login in ("loket", "loket2"):
            found = staff.add(admin, login, f"Petugas {login}", ["operator"], PASSWORD)
            opened.people[login] = found
        both = ["operator", "verifier"]
        opened.people["dua"] = staff.add(admin, "dua", "Dua Peran", both, PASSWORD)
        yield opened


def flat(service: Service, **changed: Any) -> dict[str, Any]:
    """The example of a form, as somebody types it."""
    answers = msgspec.to_builtins(service.example.answers)
    return typed.flatten(service.plan, answers, lambda *_, **__: None) | changed


def filled(office: Pusat, *slugs: str, login: str = "loket", **changed: Any) -> Folder:
    """Forms with everything typed."""
    counter, me = office.central.counter, office.people[login]
    folder = counter.begin(me, slugs)
    services = [catalogue().service(slug) for slug in slugs]
    answers = {n: flat(service, **changed) for n, service in enumerate(services)}
    papers = {n: service.example.documents for n, service in enumerate(services)}
    return counter.put(me, folder, answers, papers)


def test_a_form_taken_in_at_the_office_is_a_request_like_any_other(office: Pusat) -> None:
    counter, me = office.central.counter, office.people["loket"]
    van = office.van("Si Jola Loket", VILLAGE)
    office.sync(van)
    folder = filled(office, SLUG, **{"applicant.nik": "8272033003090901"})
    (record,) = counter.submit(me, folder)

    sheet = office.central.casework.request(office.people["rina"], record.hex())
    assert sheet.status == "received"
    assert Code.parse(sheet.code).block == BLOCK
    assert any("loket" in event.who for event in sheet.history)
    assert ("loket", "request.take_in") in office.trail()
    office.sync(van)  # the laptop of its village hears of it
    assert record in van.snapshot.records


def test_a_family_is_taken_in_whole_or_not_at_all(office: Pusat) -> None:
    counter, me = office.central.counter, office.people["loket"]
    folder = filled(office, "birth", "kia-new-under5")
    broken = counter.put(me, folder, {1: {"card.name": None}})
    before = office.central.status().requests
    with pytest.raises(Problem, match=r"request\.invalid"):
        counter.submit(me, broken)
    assert office.central.status().requests == before
    name = flat(catalogue().service("kia-new-under5"))["card.name"]
    whole = counter.put(me, broken, {1: {"card.name": name}})
    records = counter.submit(me, whole)
    assert len(records) == 2
    assert counter.submit(me, whole) == records, "a second click finds the first one's"
    with office.central.registry.read() as door:
        first, second = (door.record(name) for name in records)
    assert first is not None
    assert second is not None
    assert first.created == second.created, "one decision"


def test_a_draft_is_its_authors_and_the_newest_window_does_not_overwrite(office: Pusat) -> None:
    counter, me = office.central.counter, office.people["loket"]
    folder = counter.begin(me, [SLUG])
    newer = counter.put(me, folder, {0: {"applicant.name": "RATNA"}})
    with pytest.raises(Problem, match=r"draft\.moved"):
        counter.put(me, folder, {0: {"applicant.name": "LAIN"}})
    with pytest.raises(Problem, match=r"draft\.unknown"):
        counter.open(office.people["loket2"], folder.name)
    assert counter.open(me, folder.name).sheets[0].wanted.answers["applicant.name"] == "RATNA"
    assert newer.name in [one.name for one in counter.drafts(me)]
    office.clock.at += (DRAFT_DAYS + 1) * DAY
    counter.forget()
    office.clock.at -= (DRAFT_DAYS + 1) * DAY
    with pytest.raises(Problem, match=r"draft\.unknown"):
        counter.open(me, folder.name)


def test_the_same_matter_is_a_doubt_that_passes_with_a_reason(office: Pusat) -> None:
    counter, me = office.central.counter, office.people["loket"]
    nik = {"applicant.nik": "8272033003090902"}
    counter.submit(me, filled(office, SLUG, **nik))
    again = filled(office, SLUG, **nik)
    (checked,) = counter.check(me, again)
    assert [one.code for one in checked.problems if one.stops] == ["request.duplicate"]
    with pytest.raises(Problem, match=r"request\.invalid"):
        counter.submit(me, again)
    told = counter.put(me, again, {}, None, {0: {"duplicate": "KTP lama hilang di laut"}})
    (record,) = counter.submit(me, told)
    sheet = office.central.casework.request(office.people["rina"], record.hex())
    assert sheet.cases, "the office compares the two"


def test_a_receipt_of_the_office_proves_itself(office: Pusat) -> None:
    counter, me = office.central.counter, office.people["loket"]
    nik = {"applicant.nik": "8272033003090903"}
    (record,) = counter.submit(me, filled(office, SLUG, **nik))
    slip = counter.receipt(me, record.hex())
    assert slip.name.count("*") or len(slip.name.split()[-1]) <= 2, "masked"
    token = base45.decode(slip.token)
    genuine = office.central.evidence.receipt(token)
    assert (genuine.arrived, genuine.fits, genuine.code) == (True, True, slip.code)
    evidence, office_key = office.central.evidence, office.central.keys.identity.sign_key
    at_a_laptop = receipts.verify_with(slip.token, evidence.key_list(), office_key)
    assert (at_a_laptop.code, at_a_laptop.own) == (slip.code, False)
    forged = token[:-1] + bytes([token[-1] ^ 1])
    with pytest.raises(Problem):
        office.central.evidence.receipt(forged)
    van = office.van("Si Jola Bukti", OTHER_VILLAGE)
    theirs = van.take_in(77)
    office.sync(van)
    with pytest.raises(Problem, match=r"receipt\.elsewhere"):
        counter.receipt(me, theirs.hex())


def test_a_returned_request_of_the_counter_is_corrected_there(office: Pusat) -> None:
    counter, me = office.central.counter, office.people["loket"]
    casework, rina = office.central.casework, office.people["rina"]
    nik = {"applicant.nik": "8272033003090904"}
    (record,) = counter.submit(me, filled(office, SLUG, **nik))
    seen = casework.request(rina, record.hex()).seen
    with pytest.raises(Problem, match=r"lifecycle\."):
        counter.correct(me, record.hex())
    casework.send_back(rina, record.hex(), "OTHER", "nomor telepon", seen)
    folder = counter.correct(me, record.hex())
    assert counter.correct(me, record.hex()).name == folder.name
    with pytest.raises(Problem, match=r"request\.nothing_changed"):
        counter.submit(me, folder)
    fresh = counter.put(me, folder, {0: {"applicant.phone": "+6281234509999"}})
    assert counter.submit(me, fresh, "nomor baru") == [record]
    sheet = casework.request(rina, record.hex())
    assert sheet.status == "in_verification"
    assert sheet.answers["applicant.phone"] == "+6281234509999"


def test_who_has_no_role_for_it_takes_nothing_in(office: Pusat) -> None:
    counter = office.central.counter
    for login in ("rina", "mata", "admin"):
        with pytest.raises(Problem, match=r"auth\.forbidden"):
            counter.begin(office.people[login], [SLUG])
    staff, admin = office.central.staff, office.people["admin"]
    elsewhere = staff.place(admin, "loket2", ["82.72.01"])
    theirs = {"applicant.nik": "8272033003090905"}
    counter_of_elsewhere = filled(office, SLUG, login="loket2", **theirs)
    with pytest.raises(Problem, match=r"auth\.area"):
        counter.submit(elsewhere, counter_of_elsewhere)
    with pytest.raises(Problem, match=r"request\.forms"):
        counter.begin(office.people["loket"], [])
    with pytest.raises(Problem, match=r"service\.unknown"):
        counter.begin(office.people["loket"], ["tidak-ada"])


def test_a_correction_is_asked_for_its_area_where_it_lies_and_where_it_moves_to(
    office: Pusat,
) -> None:
    counter, staff, admin = office.central.counter, office.central.staff, office.people["admin"]
    casework, rina = office.central.casework, office.people["rina"]
    me = staff.add(admin, "loket3", "Petugas loket3", ["operator"], PASSWORD)
    office.people["loket3"] = staff.place(admin, "loket3", [VILLAGE])
    nik = {"applicant.nik": "8272033003090906"}
    (record,) = counter.submit(me, filled(office, SLUG, login="loket3", **nik))
    seen = casework.request(rina, record.hex()).seen
    casework.send_back(rina, record.hex(), "OTHER", "alamat", seen)

    me = office.people["loket3"]
    folder = counter.put(
        me, counter.correct(me, record.hex()), {0: {"address.village": OTHER_VILLAGE}}
    )
    with pytest.raises(Problem, match=r"auth\.area"):
        counter.submit(me, folder)
    folder = counter.put(
        me,
        folder,
        {0: {"address.village": VILLAGE, "applicant.phone": "+6281234508888"}},
    )
    moved = staff.place(admin, "loket3", [OTHER_VILLAGE])
    with pytest.raises(Problem, match=r"auth\.area"):
        counter.submit(moved, folder)
    back = staff.place(admin, "loket3", [VILLAGE])
    assert counter.submit(back, folder) == [record]


def test_who_took_a_request_in_at_the_counter_does_not_approve_it(office: Pusat) -> None:
    counter, casework, me = office.central.counter, office.central.casework, office.people["dua"]
    nik = {"applicant.nik": "8272033003090907"}
    (record,) = counter.submit(me, filled(office, SLUG, login="dua", **nik))
    name = record.hex()
    with pytest.raises(Problem, match=r"lifecycle\.same_person"):
        casework.accept(me, name, casework.request(me, name).seen, ON_PAPER)
    seen = casework.advance(me, name, "take", "", casework.request(me, name).seen).seen
    with pytest.raises(Problem, match=r"lifecycle\.same_person"):
        casework.advance(me, name, "approve", "", seen)
    assert casework.accept(office.people["rina"], name, seen, ON_PAPER).status == "verified"


def test_who_corrected_a_request_at_the_counter_does_not_approve_it(office: Pusat) -> None:
    counter, casework, me = office.central.counter, office.central.casework, office.people["dua"]
    nik = {"applicant.nik": "8272033003090908"}
    (record,) = counter.submit(office.people["loket"], filled(office, SLUG, **nik))
    name = record.hex()
    seen = casework.request(me, name).seen
    casework.send_back(me, name, "OTHER", "nomor telepon", seen)
    folder = counter.correct(me, name)
    counter.submit(me, counter.put(me, folder, {0: {"applicant.phone": "+6281234508888"}}))
    seen = casework.request(me, name).seen
    with pytest.raises(Problem, match=r"lifecycle\.same_person"):
        casework.accept(me, name, seen, ON_PAPER)
    assert casework.accept(office.people["rina"], name, seen, ON_PAPER).status == "verified"


def test_a_returned_request_goes_back_with_its_paper_and_another_person_approves(
    office: Pusat,
) -> None:
    casework, scans, me = office.central.casework, office.central.scans, office.people["dua"]
    van = office.van("Si Jola Pindai", VILLAGE)
    nik = {"applicant.nik": "8272033003090909"}
    (taken,) = office.central.counter.submit(office.people["loket"], filled(office, SLUG, **nik))
    record = taken.hex()
    casework.send_back(me, record, "OTHER", "KK", casework.request(me, record).seen)
    sheet = Photo("kk.png", written(page(1, (310, 438)), "PNG"))
    (made,) = scans.attach(me, record, "KK", [sheet], "hanya ada salinan kecil")
    shown = casework.request(me, record)
    assert (shown.status, [file.percent for file in shown.files]) == ("in_verification", [100])
    office.sync(van)
    (heard,) = files(van.snapshot.records[taken])
    assert heard.blob == made.file.blob
    with pytest.raises(Problem, match=r"lifecycle\.same_person"):
        casework.accept(me, record, shown.seen, ON_PAPER)
    assert casework.accept(office.people["rina"], record, shown.seen, ON_PAPER).status == "verified"
    with pytest.raises(Problem, match=r"attachment\.decided"):
        scans.detach(me, record, made.file.blob.hex(), "salah orang")
    assert len(casework.request(me, record).files) == 1
    assert scans.open(me, record).decided
