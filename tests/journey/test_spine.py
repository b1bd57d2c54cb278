"""One request from a keyboard to central's decision and back, with both houses in one process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.state import Decision
from tests.requests import row
from tests.town import Laptop, Town
from tests.vaults import refused

IDENTITY, PHONE, ADDRESS = "applicant.identity", "applicant.phone", "address.address"


@pytest.fixture(params=["sqlite", "postgres"])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """Central on SQLite, and once more on a real PostgreSQL."""
    on = request.param
    url = request.getfixturevalue("postgres_url") if on == "postgres" else ""
    made = Town(tmp_path, url)
    yield made
    made.close()


def enrolment(town: Town, laptop: Laptop, part: str = "first_timer") -> bytes:
    """Take in a first card request; gives the record."""
    (taken,) = laptop.take(row(town.village, "ktp-new-enrolment", town.person(part), ref="a"))
    return taken.record


def shared(town: Town) -> tuple[Laptop, Laptop, bytes]:
    """A van's request that the village's own laptop has on its screen too."""
    van, office = town.laptop("sari"), town.laptop("rusli")
    record = enrolment(town, van)
    van.sync()
    office.sync()
    assert office.status(record) == "received"
    return van, office, record


def edited_on_both_sides(town: Town) -> tuple[Laptop, Laptop, bytes]:
    """Offline, both correct a free field, a protected one and the address; the van twice."""
    van, office, record = shared(town)
    van.edit(record, applicant__phone="+6281200000001", applicant__name="Fikri Jaidun")
    van.edit(record, address__rt="003", address__address="Jalan Pala No. 7")
    van.edit(record, applicant__phone="+6281200000002", applicant__name="Fikri Jaidun Gamlamo")
    office.edit(record, applicant__phone="+6281200000009", reason="Nomor ibunya")
    office.edit(record, applicant__name="Muhammad Fikri Gamlamo", reason="Menurut ijazah")
    office.edit(record, address__rt="005")
    van.sync()
    office.sync()
    return van, office, record


def test_a_second_correction_by_one_author_never_disputes_the_first(town: Town) -> None:
    van, _, record = shared(town)
    van.edit(record, applicant__name="Fikri Jaidun")
    van.edit(record, applicant__name="Fikri Jaidun Gamlamo", applicant__phone="+6281200000001")
    van.edit(record, applicant__phone="+6281200000002")
    report = van.sync()
    assert report.outcomes == {"applied": 3}
    assert town.cases() == []
    van.edit(record, applicant__name="Fikri")  # and after central answered
    assert van.sync().outcomes == {"applied": 1}
    assert town.sheet(record).answers["applicant.name"] == "Fikri"


def test_free_fields_and_groups_take_the_later_and_keep_the_loser(town: Town) -> None:
    van, office, record = edited_on_both_sides(town)
    answers = town.sheet(record).answers
    assert answers["applicant.phone"] == "+6281200000009"
    assert (answers["address.rt"], answers["address.address"]) == ("005", "Jalan Kora Kora No. 4")
    van.sync()
    told = {notice.unit: notice for notice in van.notices("overridden")}
    assert set(told) == {PHONE, ADDRESS}
    assert told[PHONE].mine == "+6281200000002"
    assert told[PHONE].value == "+6281200000009"
    assert told[ADDRESS].mine["address"] == "Jalan Pala No. 7"
    assert {notice.unit for notice in office.notices("replaced")} == {PHONE, ADDRESS}


def test_a_conflict_is_decided_by_two_people_and_told_to_both_authors(town: Town) -> None:
    van, office, record = edited_on_both_sides(town)
    (line,) = town.cases()
    assert (line.kind, line.unit, line.protected) == ("dispute", IDENTITY, True)
    sheet = town.case(line)
    standing, offered = sheet.sides
    assert standing.value["name"] == "Fikri Jaidun Gamlamo"
    assert offered.value["name"] == "Muhammad Fikri Gamlamo"
    assert (standing.author.who, offered.author.who) == ("sari", "rusli")
    assert (standing.author.office, offered.author.office) == ("laptop sari", "laptop rusli")
    assert offered.shown["name"] == "Fikri Gamlamo"
    assert offered.reason == "Menurut ijazah"
    assert (offered.author.not_before or 0) < (offered.author.not_after or 0)

    refused("request.case_open", town.accept, record)
    refused("reason.required", town.resolve, line, "offer", " ")
    assert town.resolve(line, "offer", "Ijazah dilihat").state == "waiting"
    assert town.sheet(record).answers["applicant.name"] == "Fikri Jaidun Gamlamo"
    refused("auth.forbidden", town.approve, line, "Setuju", by="nurlaila")
    assert town.approve(line, "Setuju, ijazah asli terlampir").state == "done"
    assert town.sheet(record).answers["applicant.name"] == "Muhammad Fikri Gamlamo"
    assert town.cases() == []

    for laptop in (van, office):
        laptop.sync()
        assert laptop.answer(record, "applicant.name") == "Muhammad Fikri Gamlamo"
        assert not laptop.open_sheet(record).line.proposed
        (told,) = laptop.notices("decided")
        assert told.value["name"] == "Muhammad Fikri Gamlamo"
        assert "Ijazah dilihat" in told.reason
        assert "Nurlaila" in told.by
        assert "Idham" in told.by
    assert van.notices("decided")[0].mine["name"] == "Fikri Jaidun Gamlamo"
    assert office.notices("held")[0].mine["name"] == "Muhammad Fikri Gamlamo"
    assert town.is_whole()


def test_one_person_alone_decides_no_protected_field(town: Town) -> None:
    edited_on_both_sides(town)
    (line,) = town.cases()
    assert town.resolve(line, "current", "KK dilihat", by="idham").state == "waiting"
    refused("lifecycle.same_person", town.approve, line, "Setuju", by="idham")
    assert [case.state for case in town.cases(state="all")] == ["proposed"]


def test_a_decision_on_what_has_moved_meanwhile_is_shown_again(town: Town) -> None:
    _, office, record = edited_on_both_sides(town)
    (line,) = town.cases()
    seen = town.case(line).seen
    office.edit(record, applicant__name="Fikri Ternate")
    office.sync()
    nurlaila = town.staff["nurlaila"]
    work = town.central.casework
    refused("case.stale", work.resolve, nurlaila, line.id, "current", "KK dilihat", seen)
    (line,) = town.cases()
    assert line.offers == 2


def test_a_follow_up_on_a_held_change_joins_its_case(town: Town) -> None:
    _, office, record = edited_on_both_sides(town)
    assert office.answer(record, "applicant.name") == "Muhammad Fikri Gamlamo"
    assert office.open_sheet(record).line.proposed
    office.edit(record, applicant__name="Muhammad Fikri")
    assert office.sync().outcomes == {"held": 1}
    (line,) = town.cases()
    assert [side.value["name"] for side in town.case(line).sides] == [
        "Fikri Jaidun Gamlamo", "Muhammad Fikri Gamlamo", "Muhammad Fikri",
    ]  # fmt: skip


def test_what_was_on_the_screen_counts_not_what_came_behind_it(town: Town) -> None:
    van, office, record = shared(town)
    page = office.open_sheet(record)
    van.edit(record, applicant__name="Fikri Jaidun")
    van.sync()
    office.sync()  # behind the open page
    office.edit(record, page, applicant__name="Muhammad Fikri")
    assert office.sync().outcomes == {"held": 1}
    office.edit(record, office.open_sheet(record), applicant__phone="+6281200000009")
    assert office.sync().outcomes == {"applied": 1}


def test_a_returned_request_is_corrected_and_accepted(town: Town) -> None:
    van = town.laptop("sari")
    record = enrolment(town, van)
    van.sync()
    done = town.send_back(record, "NAME_MISMATCH", "Lihat ijazah")
    assert done.status == "needs_correction"
    van.sync()
    assert van.status(record) == "needs_correction"
    told = van.notices("status")[-1]
    assert told.value == "needs_correction"
    assert told.reason == "NAME_MISMATCH: Lihat ijazah"
    assert "Nurlaila" in told.by
    van.edit(record, applicant__name="Muhammad Fikri Gamlamo", reason="Menurut ijazah")
    assert van.status(record) == "submitted"
    assert van.sync().outcomes == {"applied": 1}
    assert van.status(record) == "received"
    assert town.accept(record).status == "verified"
    van.sync()
    assert van.status(record) == "verified"
    assert [notice.value for notice in van.notices("status")][-1] == "verified"


def test_a_correction_of_what_was_verified_meanwhile_waits_for_a_person(town: Town) -> None:
    van = town.laptop("sari")
    record = enrolment(town, van)
    van.sync()
    town.accept(record)
    van.edit(record, applicant__name="Fikri Jaidun", applicant__phone="+6281200000001")
    assert van.sync().outcomes == {"held": 1}
    answers = town.sheet(record).answers
    assert answers["applicant.name"] == "Fikri Gamlamo"
    assert answers["applicant.phone"] == "+6281200000001"


def test_a_request_withdrawn_before_it_was_sent_arrives_cancelled(town: Town) -> None:
    van = town.laptop("sari")
    record = enrolment(town, van)
    van.withdraw(record, "Pemohon pindah ke Ternate")
    assert set(van.sync().outcomes) == {"applied"}
    assert town.stored() == {record.hex(): "cancelled"}
    assert van.status(record) == "cancelled"
    refused("request.closed", van.edit, record, applicant__phone="+6281200000001")


def test_a_withdrawal_that_comes_after_verification_is_a_persons_matter(town: Town) -> None:
    van = town.laptop("sari")
    record = enrolment(town, van)
    van.sync()
    town.accept(record)
    van.withdraw(record, "Pemohon pindah ke Ternate")
    assert van.sync().outcomes == {"held": 1}
    assert town.stored() == {record.hex(): "verified"}
    (line,) = town.cases()
    assert (line.unit, line.protected) == ("status", False)
    assert town.resolve(line, "offer", "Pemohon sudah ditelepon").state == "done"
    van.sync()
    assert van.status(record) == "cancelled"
    assert van.notices("decided")[-1].reason == "Pemohon sudah ditelepon"


def test_a_family_stands_or_falls_together(town: Town) -> None:
    van, office = town.laptop("sari"), town.laptop("rusli")
    family = [
        row(town.village, "ktp-new-enrolment", town.person("first_timer"), ref="a"),
        row(town.village, "kia-new-under5", town.person("small_child"), ref="b"),
    ]
    broken = {**family[1], "documents": ["BIRTH_DEED", "NO-SUCH-PAPER"]}
    refused("request.invalid", van.take, family[0], broken)
    assert van.house.store.standing().unsent == 0
    taken = van.take(*family)
    van.sync()
    office.sync()
    assert set(town.stored()) == {one.record.hex() for one in taken}
    decisions = [creation(town, one.record) for one in taken]
    assert decisions[0] == decisions[1]
    assert decisions[0].n == 2
    assert [office.status(one.record) for one in taken] == ["received", "received"]


def creation(town: Town, record: bytes) -> Decision:
    with town.central.registry.read() as door:
        return door.history(record)[0]


def test_a_newborn_reported_from_two_places_is_one_case(town: Town) -> None:
    van, office = town.laptop("sari"), town.laptop("rusli")
    mother = town.person("mother")
    told = row(town.village, "birth", mother, ref="a", seed=1)
    again = row(town.village, "birth", mother, ref="b", seed=1)
    again["answers"]["subject"]["name"] = "Siti Aisyah"
    (first,) = van.take(told)
    (second,) = office.take(again)
    van.sync()
    office.sync()
    (line,) = town.cases()
    assert line.kind == "duplicate"
    assert set(line.requests) == {first.record.hex(), second.record.hex()}
    van.sync()
    for laptop in (van, office):
        assert [notice.case.hex() for notice in laptop.notices("duplicate")] == [line.id]
    town.resolve(line, "link", "Ditanyakan kepada bidan")
    assert town.stored() == {first.record.hex(): "received", second.record.hex(): "merged"}
    assert town.sheet(second.record).kept == first.record.hex()
    for code in (first.code, second.code):  # both papers stay good
        found = town.central.casework.request(town.staff["nurlaila"], str(code))
        assert found.id in (first.record.hex(), second.record.hex())
    for laptop in (van, office):
        laptop.sync()
        assert laptop.status(second.record) == "merged"
        assert laptop.notices("decided")[-1].reason == "Ditanyakan kepada bidan"


def test_twins_are_two_requests_and_no_case(town: Town) -> None:
    van, office = town.laptop("sari"), town.laptop("rusli")
    for laptop, order in ((van, 3), (office, 4)):
        told = row(town.village, "birth", town.person("mother"), ref="a")
        told["answers"]["birth"] |= {"plurality": "2", "order": order}
        laptop.take(told)
        laptop.sync()
    assert town.cases() == []
    assert len(town.stored()) == 2


def test_nobody_hears_of_a_village_that_is_not_theirs(town: Town) -> None:
    van = town.laptop("sari")
    elsewhere = town.laptop("jul", villages=("82.72.05.2007",))
    record = enrolment(town, van)
    van.sync()
    assert elsewhere.sync().received == 0
    refused("request.unknown", elsewhere.open_sheet, record)


def test_two_operators_share_a_laptop_and_each_signs_their_own_work(town: Town) -> None:
    van = town.laptop("sari")
    mine = enrolment(town, van)
    desk = van.house.desk
    jul = van.house.keys.add(van.house.unlocked.database_key, "jul", "cengkeh dan pala")
    desk.announce(jul.operator, jul.name, jul.public_key)
    refused("pin.wrong", van.open, "jul", "pala sagu kora")
    van.open("jul", "cengkeh dan pala")
    theirs = enrolment(town, van, "grandfather")
    van.edit(mine, applicant__phone="+6281200000001")
    van.open("sari")
    van.edit(theirs, applicant__phone="+6281200000002")
    assert set(van.sync().outcomes) == {"applied"}
    assert [(e.who, e.what) for e in town.sheet(mine).history if e.unit == PHONE][-1][0] == "jul"
    assert [(e.who, e.what) for e in town.sheet(theirs).history if e.unit == PHONE][-1][0] == "sari"
    assert town.sheet(theirs).history[0].who == "jul"
