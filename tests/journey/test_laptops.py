"""What happens to laptops: lost, cloned, put back from a copy, behind a bad road or a false one."""

from __future__ import annotations

import shutil

import pytest

from field_client import succession
from field_client.courier import Confirmed
from field_client.transports.http import Unreached
from field_client.vault.store import Store
from models.problems import Problem
from tests.requests import request_rows, row
from tests.town import Laptop, Town
from tests.vaults import refused
from tests.village import Person


def taken(town: Town, laptop: Laptop, *parts: str) -> list[bytes]:
    """First cards or letters of so many characters of the story; gives the records."""
    records = []
    for part in parts:
        asked = row(town.village, "village-domicile-letter", grown(town, part), ref="x")
        records += [one.record for one in laptop.take(asked)]
    return records


def grown(town: Town, part: str) -> Person:
    """A character, or for "neighbour" somebody grown who has no part in the story."""
    if part != "neighbour":
        return town.person(part)
    return next(one for one in town.village.people if one.here and not one.part and one.age > 20)


# -- lost


def test_work_after_a_loss_waits_for_a_person_and_is_never_discarded(town: Town) -> None:
    van = town.laptop("sari")
    (before,) = taken(town, van, "father")
    van.sync()
    town.central.devices.lose(town.staff["ratna"], "laptop sari", "Tertinggal di pelabuhan")
    after = taken(town, van, "mother", "old_man")
    assert van.sync().outcomes == {"held": 2}
    assert set(town.stored()) == {before.hex()}
    (line,) = town.cases()
    assert line.kind == "after-lost"
    sheet = town.case(line)
    assert {parked.record for parked in sheet.parked} == {record.hex() for record in after}
    assert {parked.author.who for parked in sheet.parked} == {"sari"}
    assert sheet.choices == ["release", "discard"]
    van.sync()
    assert len(van.notices("parked")) == 2
    town.resolve(line, "release", "Laptop kembali utuh, disegel", by="idham")
    assert town.stored() == {record.hex(): "received" for record in (before, *after)}
    van.sync()
    # A lost laptop is told what became of its own entries, and nothing about anybody any more.
    assert [van.status(record) for record in after] == ["submitted", "submitted"]
    states = {entry.state for record in after for entry in van.open_sheet(record).picture.own}
    assert states == {"accepted"}
    assert town.is_whole()


def test_what_a_thief_typed_can_be_put_aside(town: Town) -> None:
    van = town.laptop("sari")
    town.central.devices.lose(town.staff["ratna"], "laptop sari", "Dicuri")
    (record,) = taken(town, van, "mother")
    van.sync()
    (line,) = town.cases()
    town.resolve(line, "discard", "Bukan petugas kami", by="idham")
    assert town.stored() == {}
    van.sync()
    assert van.open_sheet(record).picture.own[0].state == "rejected"


def test_a_lost_laptop_cannot_go_on_in_a_new_log(town: Town) -> None:
    van = town.laptop("sari")
    copy = van.clone()
    taken(town, van, "father")
    van.sync()
    taken(town, copy, "mother")
    town.central.devices.lose(town.staff["ratna"], "laptop sari", "Dicuri")
    refused("device.lost", copy.sync)  # the order to open a new log came, certifying it is refused
    assert len(town.cases("fork")) == 1


# -- cloned


def test_both_halves_of_a_cloned_laptop_go_on_and_every_citizen_is_served(town: Town) -> None:
    van = town.laptop("sari")
    (shared,) = taken(town, van, "father")
    copy = van.clone()
    mine = taken(town, van, "mother", "old_man")
    theirs = taken(town, copy, "old_woman", "son", "grandfather")
    van.sync()
    report = copy.sync()
    assert report.orders == ["rotate"]
    assert report.pending == 0
    assert set(town.stored()) == {record.hex() for record in (shared, *mine, *theirs)}
    assert set(town.stored().values()) == {"received"}
    (line,) = town.cases("fork")
    assert len(town.cases()) == 1
    van.sync()  # hears that it was cloned
    assert [len(laptop.house.store.logs()) for laptop in (van, copy)] == [2, 2]
    assert van.house.store.log().id != copy.house.store.log().id
    later = [*taken(town, van, "first_timer"), *taken(town, copy, "neighbour")]
    for laptop in (van, copy):
        assert set(laptop.sync().outcomes) == {"applied"}
    assert {record.hex() for record in later} <= set(town.stored())
    for record in (*mine, *theirs):
        assert town.accept(record).status == "verified"
    for laptop, records in ((van, mine), (copy, theirs)):
        laptop.sync()
        assert {laptop.status(record) for record in records} == {"verified"}
    town.resolve(line, "noted", "Image cadangan dipasang di laptop kedua", by="idham")
    assert town.cases("fork") == []
    assert town.is_whole()


def test_a_clone_that_stayed_offline_for_long_is_still_heard(town: Town) -> None:
    van = town.laptop("sari")
    copy = van.clone()
    for part in ("father", "mother", "old_man", "old_woman"):
        taken(town, van, part)
        van.sync()
    late = taken(town, copy, "son")
    copy.sync()
    assert {record.hex() for record in late} <= set(town.stored())
    assert len(town.stored()) == 5
    assert len(town.cases("fork")) == 1


def test_the_half_whose_work_central_kept_does_not_do_it_again(town: Town) -> None:
    van, office = town.laptop("sari"), town.laptop("rusli")
    (record,) = taken(town, van, "father")
    van.sync()
    copy = van.clone()
    van.edit(record, applicant__phone="+6281200000001")
    van.sync()
    taken(town, copy, "mother")
    copy.sync()
    office.sync()
    office.edit(record, applicant__phone="+6281200000002")
    office.sync()
    assert van.sync().orders == ["rotate"]
    assert town.sheet(record).answers["applicant.phone"] == "+6281200000002"
    assert van.answer(record, "applicant.phone") == "+6281200000002"


@pytest.mark.parametrize("step", ["open_log", "_make_again", "close_log"])
def test_a_move_into_a_new_log_that_is_cut_short_goes_on_where_it_stopped(
    town: Town, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    van = town.laptop("sari")
    copy = van.clone()
    mine = taken(town, van, "father", "mother")
    van.sync()
    theirs = taken(town, copy, "old_man", "old_woman")
    copy.edit(theirs[0], applicant__phone="+6281200000001")

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        owner = Store if step == "close_log" else succession
        patched.setattr(owner, step, cut)
        with pytest.raises(KeyboardInterrupt):
            copy.sync()
    copy.open()
    later = taken(town, copy, "son")
    copy.sync()
    assert copy.house.store.standing().unsent == 0
    assert set(town.stored()) == {record.hex() for record in (*mine, *theirs, *later)}
    assert town.sheet(theirs[0]).answers["applicant.phone"] == "+6281200000001"
    assert [event.what for event in town.sheet(theirs[0]).history].count("created") == 1
    assert len(town.cases()) == 1
    assert len(copy.house.store.logs()) == 2


def test_a_whole_laptop_put_back_from_an_older_image_goes_on_in_a_new_log(town: Town) -> None:
    van = town.laptop("sari")
    image = van.clone()
    records = taken(town, van, "father", "mother")
    van.sync()
    image.sync()  # it wrote nothing yet, but its log is behind what central holds
    assert len(image.house.store.logs()) == 2
    assert [image.status(record) for record in records] == ["received"] * 2
    records += taken(town, image, "old_man")
    assert set(image.sync().outcomes) == {"applied"}
    assert set(town.stored()) == {record.hex() for record in records}
    assert town.cases() == []


# -- put back from a copy


def test_a_database_from_a_copy_goes_on_in_a_new_log_and_gets_its_work_back(town: Town) -> None:
    van = town.laptop("sari")
    (old,) = taken(town, van, "father")
    van.sync()
    van.house.store.engine.checkpoint()
    copy = van.folder / "copy-of-yesterday"
    shutil.copy(van.folder / "vault.db", copy)
    lost = taken(town, van, "mother")
    van.sync()
    first_log = van.house.store.log().id
    van.house.close()
    for file in van.folder.glob("vault.db*"):
        file.unlink()
    copy.rename(van.folder / "vault.db")
    van.open()
    assert van.house.store.log().id != first_log
    fresh = taken(town, van, "old_man")
    van.sync()
    assert set(town.stored()) == {record.hex() for record in (old, *lost, *fresh)}
    assert [van.status(record) for record in (old, *lost, *fresh)] == ["received"] * 3
    assert town.cases() == []


# -- suspended


def test_a_suspended_laptop_keeps_working_and_its_work_waits(town: Town) -> None:
    van = town.laptop("sari")
    town.central.devices.suspend(town.staff["idham"], "laptop sari", "Petugas sedang diperiksa")
    taken(town, van, "father")
    report = van.sync()
    assert (report.outcomes, report.orders) == ({"held": 1}, ["suspend"])
    assert town.stored() == {}
    town.central.devices.resume(town.staff["idham"], "laptop sari", "Selesai diperiksa")
    taken(town, van, "mother")
    assert van.sync().outcomes == {"applied": 1}
    assert len(town.cases("after-lost")) == 1


# -- the road


def test_a_reply_lost_after_the_commit_is_asked_for_again(town: Town) -> None:
    van = town.laptop("sari")
    records = taken(town, van, "father", "mother")
    answers = iter([True, True, False])

    def lose(path: str, answer: bytes) -> bytes:
        if next(answers, False):
            raise Unreached(Problem("sync.timeout"))
        return answer

    van.lane.after = lose
    report = van.sync()
    assert report.outcomes == {"applied": 2}
    assert van.lane.posts == 2 + 3  # enrolment and first sync; two lost, one heard
    assert set(town.stored()) == {record.hex() for record in records}
    assert report.pending == 0


def test_a_reply_cut_short_counts_as_far_as_it_came(town: Town) -> None:
    van, office = town.laptop("sari"), town.laptop("rusli")
    wanted = {one.record for r in request_rows(town.village, 40, 3) for one in van.take(r)}
    van.sync()
    sizes: list[int] = []

    def cut(path: str, answer: bytes) -> bytes:
        sizes.append(len(answer))
        return answer[: len(answer) // 2] if len(sizes) == 1 else answer

    office.lane.after = cut
    office.sync()
    assert len(sizes) > 1
    known = {line.record for line in office.house.store.requests.newest()}
    assert known == wanted


@pytest.mark.parametrize("flip", [40, 200, -3])
def test_a_changed_reply_is_not_believed(town: Town, flip: int) -> None:
    van = town.laptop("sari")
    taken(town, van, "father")

    def forge(path: str, answer: bytes) -> bytes:
        changed = bytearray(answer)
        changed[flip] ^= 1
        return bytes(changed)

    van.lane.after = forge
    refused("sync.forged_reply", van.sync)
    assert van.house.store.standing().unsent == 1
    van.lane.after = lambda path, answer: answer
    assert van.sync().outcomes == {"applied": 1}
    assert len(town.stored()) == 1


def test_an_older_reply_is_not_taken_for_a_new_one(town: Town) -> None:
    van = town.laptop("sari")
    kept: list[bytes] = []

    def keep(path: str, answer: bytes) -> bytes:
        kept.append(answer)
        return kept[0]

    van.lane.after = keep
    van.sync()
    taken(town, van, "father")
    refused("sync.forged_reply", van.sync)
    assert van.house.store.standing().unsent == 1


def test_a_reply_of_another_office_is_not_believed(town: Town) -> None:
    """Somebody with an access point and a copy of this program, but not with central's keys."""
    van, other = town.laptop("sari"), town.laptop("rusli")
    taken(town, van, "father")
    answers: list[bytes] = []
    other.lane.after = lambda path, answer: answers.append(answer) or answer  # type: ignore[func-returns-value]
    other.sync()
    van.lane.after = lambda path, answer: answers[0]
    refused("sync.forged_reply", van.sync)
    assert van.house.store.standing().unsent == 1


def test_a_changed_request_is_refused_and_nothing_is_stored(town: Town) -> None:
    van = town.laptop("sari")
    taken(town, van, "father")

    def spoil(path: str, body: bytes) -> bytes:
        changed = bytearray(body)
        changed[-1] ^= 1
        return bytes(changed)

    van.lane.before = spoil
    refused("sync.seal", van.sync)
    assert town.stored() == {}
    van.lane.before = lambda path, body: body
    assert van.sync().outcomes == {"applied": 1}


def test_a_request_cut_short_is_refused_and_nothing_is_stored(town: Town) -> None:
    van = town.laptop("sari")
    taken(town, van, "father")
    van.lane.before = lambda path, body: body[: len(body) - 7]
    refused("sync.truncated", van.sync)
    assert town.stored() == {}


def test_a_laptop_that_central_forgot_introduces_itself_again(town: Town) -> None:
    stranger = town.laptop("rusli", enrolled=False)
    (record,) = taken(town, stranger, "father")
    stranger.house.store.remember(Confirmed((stranger.house.store.log().id,)))  # it believes so
    stranger.sync()
    assert town.stored() == {record.hex(): "received"}


def test_a_laptop_that_central_will_not_know_keeps_everything(town: Town) -> None:
    stranger = town.laptop("rusli", enrolled=False)
    (record,) = taken(town, stranger, "father")
    stranger.house.store.remember(Confirmed((stranger.house.store.log().id,)))
    town.central.devices.retire(town.staff["ratna"], "laptop rusli", "Rusak")
    refused("sync.unknown_device", stranger.sync)
    assert town.stored() == {}
    assert stranger.status(record) == "submitted"


# -- clocks


@pytest.mark.parametrize("error_years", [-30, -2, 20])
def test_a_wrong_clock_refuses_no_citizen(town: Town, error_years: int) -> None:
    van = town.laptop("sari")
    van.clock_error = error_years * 365 * 86400
    van.open()
    doubt = van.house.desk.clock_doubt()
    assert doubt is not None
    assert doubt.code == "clock.wrong"
    (record,) = taken(town, van, "father")
    assert set(van.sync().outcomes) == {"applied"}
    assert town.stored() == {record.hex(): "received"}
