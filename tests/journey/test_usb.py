"""The USB road from end to end: sticks out and back, late, twice, in any order, by other hands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec
import pytest

from field_client import inbox
from field_client.inbox import INBOX_FOLDER
from models.problems import Problem
from sync import bundle, seal, wire
from sync.messages import Cursor
from tests.requests import row
from tests.sticks import (
    SMALL,
    bring,
    bundles,
    decisions,
    export,
    give,
    read,
    refusal,
    rows,
    several,
    stick,
)
from tests.town import Laptop, Town

# -- out and back


def test_a_van_that_never_had_a_network_works_by_stick_alone(town: Town) -> None:
    van = town.laptop("sari", enrolled=False)
    fikri = town.person("first_timer")
    (taken,) = van.take(row(town.village, "ktp-new-enrolment", fikri, ref="a"))
    there, back = stick(town), stick(town, "back")
    made = export(van, there)
    assert (made.entries, made.left, made.known, len(made.files)) == (3, 0, False, 1)

    (came,) = bring(town, there)
    assert (came.fresh, came.missing, came.enrolled) == (3, [], True)
    assert came.words == made.words, "the same four words at both ends of the telephone"
    assert town.stored() == {taken.record.hex(): "received"}

    give(town, van, back)
    (done,) = read(van, back)
    assert (done.state, done.enrolled) == ("fresh", True)
    assert done.decisions
    assert van.status(taken.record) == "received"
    assert van.house.store.standing().unsent == 0
    assert town.is_whole()


def test_a_decision_of_the_office_comes_back_by_stick_with_its_reason(town: Town) -> None:
    van = town.laptop("sari")
    (taken,) = van.take(row(town.village, "ktp-new-enrolment", town.person("first_timer"), ref="a"))
    bring(town, *[stick(town) / f for f in export(van, stick(town)).files])
    town.send_back(taken.record, "DOC_UNREADABLE", "Foto ulang KK")
    give(town, van, stick(town, "back"))
    (done,) = read(van, stick(town, "back"))
    assert done.notices == 2, "taken up, and sent back"
    assert van.status(taken.record) == "needs_correction"
    assert "Foto ulang KK" in van.notices("status")[-1].reason

    van.edit(taken.record, applicant__phone="+6281200000010")
    bring(town, *[stick(town, "two") / f for f in export(van, stick(town, "two")).files])
    assert town.stored()[taken.record.hex()] == "received", "corrected, and in the queue again"


def test_nothing_to_send_still_tells_central_how_far_the_laptop_has_read(town: Town) -> None:
    van, office = town.laptop("sari"), town.laptop("rusli")
    office.take(*rows(town, 2))
    office.sync()
    van.sync()
    made = export(van, stick(town))
    assert made.entries == 0
    bring(town, stick(town))
    assert give(town, van, stick(town, "back")).decisions == 0


def test_what_is_on_its_way_is_shown_until_the_office_proves_to_hold_it(town: Town) -> None:
    van = town.laptop("sari")
    van.take(*rows(town, 3))
    made = export(van, stick(town))
    (line,) = bundles(van).on_the_way()
    assert bundle.label(line.bundle) == made.bundle
    assert van.house.store.standing().unsent == made.entries, "a stick proves nothing yet"
    bring(town, stick(town))
    give(town, van, stick(town, "back"))
    read(van, stick(town, "back"))
    assert bundles(van).on_the_way() == []
    assert van.house.store.custody.broken_at() is None
    assert [line.act for line in van.house.store.custody.newest()] == ["returned", "exported"]


# -- volumes in any order


@pytest.mark.parametrize("seed", range(6))
def test_volumes_come_in_any_order_any_number_of_times(
    town: Town, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    van = town.laptop("sari", enrolled=False)
    for one in rows(town, 12, seed + 1):
        van.take(one)
    files = several(monkeypatch, van, stick(town))
    random = Random(seed)
    order = [*files, *random.choices(files, k=4)]
    random.shuffle(order)
    came = [bring(town, file)[0] for file in order]
    entries = van.house.store.log().seq
    assert came[-1].upto == entries
    assert sum(one.again for one in came) == 4
    whole = [one.words for one in came if one.words]
    assert whole
    assert set(whole) == {bundles(van).on_the_way()[0].slip.words}
    assert town.central.bundles.waiting(town.staff["nurlaila"]) == []
    assert len(town.stored()) == 12
    assert decisions(town) == entries, "one decision for each entry, none twice"
    assert town.is_whole()


def test_the_missing_volume_is_named_until_it_comes(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    van = town.laptop("sari", "van 04", enrolled=False)
    for one in rows(town, 12):
        van.take(one)
    files = several(monkeypatch, van, stick(town))
    n = len(files)
    (last,) = bring(town, files[-1])
    assert last.missing == list(range(1, n))
    assert (last.fresh, last.upto) == (0, 0)
    assert last.ahead > 0
    bring(town, files[0])
    (waiting,) = town.central.bundles.waiting(town.staff["nurlaila"])
    assert (waiting.device, waiting.bundle, waiting.n) == ("van 04", last.bundle, n)
    assert waiting.volumes == tuple(range(2, n))
    assert waiting.first > 1
    assert waiting.last < van.house.store.log().seq
    for file in files[1:-1]:
        bring(town, file)
    assert town.central.bundles.waiting(town.staff["nurlaila"]) == []


def test_what_radio_brought_meanwhile_is_not_waited_for(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    van = town.laptop("sari")
    for one in rows(town, 12):
        van.take(one)
    files = several(monkeypatch, van, stick(town))
    bring(town, files[-1])
    van.sync()
    assert town.central.bundles.waiting(town.staff["nurlaila"]) == []
    (again,) = bring(town, files[0])
    assert (again.fresh, again.missing) == (0, [])


@pytest.mark.parametrize("seed", range(6))
def test_stick_and_radio_interleaved_are_the_same_as_one_road(
    town: Town, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Law 6: whatever goes by stick, late or twice, and whatever by radio, in whatever order."""
    monkeypatch.setattr("field_client.loading.BATCH_BYTES", 600)
    random = Random(seed)
    van = town.laptop("sari")
    on_sticks: list[Path] = []
    for i, one in enumerate(rows(town, 10, seed + 1)):
        van.take(one)
        match random.choice(["stick", "radio", "wait", "arrive", "return"]):
            case "stick":
                folder = stick(town, f"stick-{i}")
                on_sticks += [folder / name for name in export(van, folder, SMALL).files]
            case "radio":
                van.sync()
            case "arrive" if on_sticks:
                bring(town, random.choice(on_sticks))
            case "return":
                give(town, van, stick(town, f"back-{i}"))
                read(van, stick(town, f"back-{i}"))
    random.shuffle(on_sticks)
    for file in on_sticks:
        bring(town, file)
    van.sync()
    entries = van.house.store.log().seq
    assert decisions(town) == entries
    assert set(town.stored().values()) == {"received"}
    assert len(town.stored()) == 10
    assert van.house.store.standing().unsent == 0
    assert van.house.store.standing().entries == {"applied": entries}
    assert town.is_whole()


# -- return bundles, late and out of order


def test_return_bundle_8_before_7(town: Town) -> None:
    van, office = town.laptop("sari"), town.laptop("rusli")
    first, second = rows(town, 2)
    office.take(first)
    office.sync()
    seven = give(town, van, stick(town, "seven"))
    office.take(second)
    office.sync()
    eight = give(town, van, stick(town, "eight"))
    assert (seven.number, eight.number) == (1, 2)
    assert eight.start == seven.start, "central heard nothing of this laptop in between"
    (done,) = read(van, stick(town, "eight"))
    assert done.state == "fresh"
    before = van.house.store.standing()
    (late,) = read(van, stick(town, "seven"))
    assert (late.state, late.decisions) == ("known", 0)
    assert van.house.store.standing() == before
    assert len(van.house.store.requests.newest()) == 2


def test_a_bundle_that_radio_overtook_brings_only_what_is_new(town: Town) -> None:
    van, office = town.laptop("sari"), town.laptop("rusli")
    first, second = rows(town, 2)
    office.take(first)
    office.sync()
    give(town, van, stick(town))
    van.sync()
    (done,) = read(van, stick(town))
    assert (done.state, done.decisions) == ("fresh", 0), "as far as radio came, not beyond"
    office.take(second)
    office.sync()
    give(town, van, stick(town, "later"))
    (done,) = read(van, stick(town, "later"))
    assert (done.state, done.decisions) == ("fresh", 1)


def test_a_bundle_that_begins_after_the_cursor_says_so_and_does_nothing(town: Town) -> None:
    """As after a laptop was put back: central remembers a cursor that it has no more."""
    van, office = town.laptop("sari"), town.laptop("rusli")
    office.take(*rows(town, 1))
    office.sync()
    van.sync()
    van.sync()  # central hears that everything was read
    office.take(*rows(town, 2)[1:])
    office.sync()
    give(town, van, stick(town))
    with van.house.store.engine.writing() as connection:
        old = msgspec.msgpack.encode(Cursor(van.house.store.position().cursor.incarnation, 1))
        connection.execute("update settings set value = ? where name = 'Cursor'", (old,))
    before = van.house.store.standing()
    (done,) = read(van, stick(town))
    assert (done.state, done.decisions) == ("gap", 0)
    assert van.house.store.standing() == before


def test_a_return_bundle_of_many_volumes_waits_for_each(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.telling.PAGE_BYTES", 500)
    van, office = town.laptop("sari"), town.laptop("rusli")
    for one in rows(town, 12):
        office.take(one)
    office.sync()
    made = give(town, van, stick(town), most=3600)
    files = [stick(town) / name for name, _ in made.files]
    assert len(files) > 2
    (done,) = read(van, files[-1])
    assert (done.state, done.missing) == ("incomplete", list(range(1, len(files))))
    for i, file in enumerate(reversed(files[:-1]), 2):
        (done,) = read(van, file)
        assert done.state == ("fresh" if i == len(files) else "incomplete")
    assert van.house.store.position().cursor.server_seq == made.upper
    assert len(van.house.store.requests.newest()) == 12
    assert not list((van.folder / INBOX_FOLDER).iterdir())


def test_orders_act_once_also_by_stick(town: Town) -> None:
    van = town.laptop("sari")
    town.central.devices.suspend(town.staff["ratna"], van.name, "dicurigai")
    give(town, van, stick(town))
    (done,) = read(van, stick(town))
    assert done.orders == ["suspend"]
    (again,) = read(van, stick(town))
    assert again.orders == []


def test_a_clone_is_told_by_stick_to_open_a_new_log(town: Town) -> None:
    van = town.laptop("sari")
    first, second = rows(town, 2)
    twin = van.clone()
    van.take(first)
    twin.take(second)
    for laptop in (van, twin):
        laptop.town.time.goes_on()
        bring(
            town,
            *[stick(town, laptop.name) / f for f in export(laptop, stick(town, laptop.name)).files],
        )
    assert [case.kind for case in town.cases()] == ["fork"]
    give(town, van, stick(town, "back"))
    for laptop in (van, twin):
        read(laptop, stick(town, "back"))
        folder = stick(town, f"{laptop.name} again")
        bring(town, *[folder / name for name in export(laptop, folder).files])
    assert len(town.stored()) == 2
    assert town.is_whole()


# -- not for us, not from us


def test_what_goes_the_other_way_or_to_others_is_refused(town: Town) -> None:
    van, other = town.laptop("sari"), town.laptop("rusli")
    van.take(*rows(town, 1))
    (work,) = [stick(town) / name for name in export(van, stick(town)).files]
    made = give(town, van, stick(town, "back"))
    (back,) = [stick(town, "back") / name for name, _ in made.files]
    assert refusal(van, work) == "bundle.wrong_way"
    assert refusal(other, back) == "bundle.other_recipient"
    with pytest.raises(Problem, match=r"bundle\.wrong_way"):
        bring(town, back)
    assert bundles(van).take([stick(town)]) == ([], []), "a folder may hold anything"


def test_a_log_that_nobody_knows_leaves_nothing(town: Town) -> None:
    van = town.laptop("sari", enrolled=False)
    van.take(*rows(town, 1))
    (file,) = [stick(town) / name for name in export(van, stick(town)).files]
    volume = bundle.parse(file.read_bytes())
    central = town.central.keys.identity
    frames = bundle.frames_of(volume, central)
    without = [frame for frame in frames if bundle.purpose_of(frame) != "enrol"]
    data = bundle.close(without, bundle.WORK, volume.header.name, 1, 1, central.seal_key)
    for person in (town.staff["nurlaila"], None):
        with pytest.raises(Problem, match=r"bundle\.unknown_device"):
            town.central.bundles.take(person, data)
    assert decisions(town) == 0
    with town.central.registry.read() as door:
        assert door.bundles("work") == []


def test_who_may_not_import_is_refused(town: Town) -> None:
    van = town.laptop("sari")
    (file,) = [stick(town) / name for name in export(van, stick(town)).files]
    for who, may in (("nurlaila", True), ("idham", True)):
        assert bool(bring(town, file, by=who)) is may
    auditor = town.central.staff.add(
        town.staff["ratna"], "mata", "Mata", ["auditor"], "kora kora berlayar"
    )
    with pytest.raises(Problem, match=r"auth\.forbidden"):
        town.central.bundles.take(auditor, file.read_bytes())


def test_every_import_and_every_return_is_in_the_trail(town: Town) -> None:
    van = town.laptop("sari")
    van.take(*rows(town, 1))
    made = export(van, stick(town))
    (came,) = bring(town, stick(town))
    given = give(town, van, stick(town, "back"))
    with town.central.registry.read() as door:
        (entry,) = door.trail(target=came.name)
        returned = [e for e in door.trail(limit=1000) if e.action == "bundle.return"]
    assert (entry.action, entry.actor) == ("bundle.import", "nurlaila")
    assert van.name in entry.detail
    assert len(returned) == 1
    assert bundle.label(bytes.fromhex(returned[0].target)) == given.bundle
    assert made.bundle == came.bundle


def forged(
    town: Town, van: Laptop, change: Callable[[list[bytes], list[bytes]], list[bytes]]
) -> Path:
    """A volume for the van made of central's own frames of two bundles, put together anew."""
    office = town.laptops[1]
    made = []
    for i, one in enumerate(rows(town, 2)):
        office.take(one)
        office.sync()
        made.append(give(town, van, stick(town, f"real-{i}")))
    me = van.house.store.log().identity
    frames = [bundle.frames_of(bundle.parse(one.files[0][1]), me) for one in made]
    name = bundle.parse(made[0].files[0][1]).header.name
    file = stick(town, "forged") / "x.jbb"
    file.write_bytes(bundle.close(change(*frames), bundle.RETURN, name, 1, 1, me.seal_key))
    return file


def kinds(frames: list[bytes], *purposes: str) -> list[bytes]:
    return [frame for frame in frames if bundle.purpose_of(frame) in purposes]


FORGERIES = {
    "pages of another number": lambda a, b: kinds(a, "return", "reply") + kinds(b, "page"),
    "a reply of another number": lambda a, b: kinds(a, "return") + kinds(b, "reply", "page"),
    "the head of another name": lambda a, b: kinds(b, "return") + kinds(b, "reply", "page"),
    "no head": lambda a, b: kinds(a, "reply", "page"),
    "two heads": lambda a, b: a + kinds(b, "return"),
}


@pytest.mark.parametrize("change", FORGERIES.values(), ids=FORGERIES)
def test_no_page_acts_in_another_bundle_than_its_own(
    town: Town, change: Callable[[list[bytes], list[bytes]], list[bytes]]
) -> None:
    """Law 32, the way back by stick: every frame is central's own, none is for this bundle."""
    van, _ = town.laptop("sari"), town.laptop("rusli")
    file = forged(town, van, change)
    before = van.house.store.position(), van.house.store.standing()
    assert refusal(van, file) == "sync.forged_reply"
    assert (van.house.store.position(), van.house.store.standing()) == before


def test_what_central_did_not_make_is_never_laid_by(town: Town) -> None:
    """A stick full of it would fill the laptop's disk before anything of it was looked at."""
    van = town.laptop("sari")
    me = van.house.store.log().identity
    for k in (1, 2):
        volume = bundle.close([b"x" * 9000], bundle.RETURN, b"strange-", k, 9, me.seal_key)
        (stick(town, "full") / f"{k}.jbb").write_bytes(volume)
    refused = inbox.put(van.house.desk, van.folder, [stick(town, "full")])
    assert [one.problem.code for one in refused] == ["sync.forged_reply"] * 2
    assert list((van.folder / INBOX_FOLDER).iterdir()) == []


def test_an_answer_of_the_network_is_no_bundle(town: Town) -> None:
    """A reply to a real request, with its pages, under the head of a real bundle."""
    van, office = town.laptop("sari"), town.laptop("rusli")
    office.take(*rows(town, 1))
    office.sync()
    answers: list[bytes] = []
    van.lane.after = lambda path, body: answers.append(body) or body  # type: ignore[func-returns-value]
    cursor = van.house.store.position().cursor
    van.sync()
    made = give(town, van, stick(town, "real"))
    me = van.house.store.log().identity
    volume = bundle.parse(made.files[0][1])
    head = kinds(bundle.frames_of(volume, me), "return")
    frames = [*head, *wire.split_frames(answers[-1])]
    file = stick(town, "forged") / "x.jbb"
    file.write_bytes(bundle.close(frames, bundle.RETURN, volume.header.name, 1, 1, me.seal_key))
    assert cursor.server_seq < made.upper
    assert refusal(van, file) == "sync.forged_reply"


# -- voyage


def test_a_voyage_pack_fills_a_new_laptop_with_its_scope(town: Town) -> None:
    van = town.laptop("sari")
    for one in rows(town, 5):
        van.take(one)
    van.sync()
    new = town.laptop("rusli", enrolled=False)
    with pytest.raises(Problem, match=r"bundle\.no_log"):
        give(town, new, stick(town), whole=True)
    bring(town, *[stick(town) / name for name in export(new, stick(town)).files])
    give(town, new, stick(town, "voyage"), whole=True)
    (done,) = read(new, stick(town, "voyage"))
    assert (done.purpose, done.state, done.enrolled) == ("voyage", "fresh", True)
    assert len(new.house.store.requests.newest()) == 5
    assert new.notices() == []


def test_a_bundle_holds_no_word_of_anybody(town: Town) -> None:
    """Law 22: neither names nor numbers of people are in volumes or in the names of files."""
    van = town.laptop("sari")
    fikri = town.person("first_timer")
    van.take(row(town.village, "ktp-new-enrolment", fikri, ref="a"))
    export(van, stick(town))
    bring(town, stick(town))
    give(town, van, stick(town))
    bundles(van).carry([stick(town)])
    everything = b"".join(path.read_bytes() + path.name.encode() for path in stick(town).iterdir())
    for canary in (fikri.name, fikri.nik, van.name, "sari"):
        assert canary.encode() not in everything
    assert seal.audience(town.central.keys.identity.seal_key) in everything


def test_the_order_of_volumes_changes_no_outcome(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four vans write the same work; the volumes of each come in another order."""
    ends = set()
    for i in range(4):
        van = town.laptop("sari", f"van {i}", enrolled=False)
        for one in rows(town, 8, seed=7):
            van.take(one)
        files = several(monkeypatch, van, stick(town, van.name))
        Random(i).shuffle(files)
        came = [bring(town, file)[0] for file in files][-1]
        with town.central.registry.read() as door:
            results = door.results(bytes.fromhex(came.log), 1, came.upto)
        ends.add(tuple(result.state for _, result in results))
    assert len(ends) == 1
    assert set(ends.pop()) == {"applied"}
