"""What may be done at the laptop's desk, on a real encrypted vault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from field_client.app import House
from field_client.desk import Taken, Wanted
from models.changes import OperatorEntry, Session, decode_body, decode_change, own_of
from models.ids import Code
from models.problems import Problem
from models.roster.residents import Resident
from models.roster.source import RosterSource
from sync.exchange import Absorbed
from sync.identity import verifies
from sync.logs import session_message
from sync.messages import Cursor
from sync.state import Created, Decision, Held, Moved, Opened, Outcome, Wrote
from tests.field import NOW, Hands, again, example, laptop
from tests.vaults import PASSPHRASE, refused
from tests.village import PLACE

CARD = "ktp-new-enrolment"
DAY = 86400


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def house(tmp_path: Path, hands: Hands) -> Iterator[House]:
    made = laptop(tmp_path / "van", hands)
    yield made
    made.close()


def wanted(service: str = CARD, nik: str = "", **answers: Any) -> Wanted:
    row = example(service, **answers)
    return Wanted(service, row["answers"], row["documents"], row["reasons"], nik)


def take(house: House, service: str = CARD, **answers: Any) -> Taken:
    (taken,) = house.desk.submit(house.desk.prepare(wanted(service, **answers)))
    return taken


def changes(house: House) -> list[Any]:
    return [decode_change(entry.data) for entry in house.store.pending(0, 1 << 30)]


def decide(house: House, number: int, *effects: Any) -> None:
    """Central decided something that this laptop now hears."""
    decision = Decision(number, b"central-log-0001", number, 1, NOW, 1, "rina", tuple(effects))
    house.store.apply(Absorbed((decision,), Cursor(b"incarnat", number, b"h" * 8)))


def accept(house: House, taken: Taken, number: int = 1) -> None:
    """Central took the request in as it was written."""
    log = house.store.log().id
    entry = next(e for e in house.store.pending(taken.seq - 1, 1))
    body = decode_body(decode_change(entry.data).body)
    mine = (log, taken.seq)
    effects: list[Any] = [
        Created(taken.record, taken.service, taken.edition, b"d" * 16, (7, body.number), mine)
    ]
    effects += [Wrote(taken.record, unit, value, None, mine) for unit, value in body.set.items()]
    effects += [
        Wrote(taken.record, f"{unit}+{element}", True, None, mine)
        for unit, elements in body.add.items()
        for element in elements
    ]
    effects.append(Moved(taken.record, "receive", "submitted", "received", "", mine))
    effects.append(Outcome(log, taken.seq, "applied"))
    decide(house, number, *effects)


# -- sessions


def test_the_first_save_announces_the_operator_and_opens_a_session_signed_by_their_own_key(house):
    taken = take(house)
    announced, opened, created = changes(house)
    assert [c.kind for c in (announced, opened, created)] == ["operator", "session", "create"]
    import msgspec

    person = msgspec.msgpack.decode(announced.body, type=OperatorEntry)
    session = msgspec.msgpack.decode(opened.body, type=Session)
    assert (person.name, person.key) == ("sari", house.unlocked.public_key)
    first, second = house.store.pending(0, 1 << 30)[:2]
    message = session_message(house.store.log().id, second.seq, first.head, session.operator)
    assert verifies(person.key, message, session.signature)
    assert created.session == 2
    assert taken.seq == 3


def test_one_session_serves_until_the_laptop_is_opened_again(house, tmp_path, hands):
    take(house)
    take(house, "birth")
    assert [c.kind for c in changes(house)] == ["operator", "session", "create", "create"]
    house.close()
    reopened = again(tmp_path / "van", hands)
    take(reopened, "kk-change")
    assert [c.kind for c in changes(reopened)][4:] == ["session", "create"]
    reopened.close()


def test_looking_writes_nothing(house):
    house.desk.prepare(wanted())
    house.desk.clock_doubt()
    assert house.store.log().seq == 0


def test_another_operator_signs_with_a_key_of_their_own(house, tmp_path, hands):
    from tests.vaults import CHEAP

    take(house)
    house.keys.add(house.unlocked.database_key, "umar", PASSPHRASE, CHEAP)
    house.close()
    other = again(tmp_path / "van", hands, "umar")
    take(other, "birth")
    kinds = [c.kind for c in changes(other)]
    assert kinds == ["operator", "session", "create", "operator", "session", "create"]
    assert changes(other)[5].session == 5
    other.close()


# -- a new request


def test_a_request_gets_its_code_from_the_block_of_the_laptop(house):
    taken = take(house)
    assert taken.code.block == 7
    assert house.desk.named(str(taken.code)) == taken.record
    page = house.desk.open(taken.record)
    assert page.status == "submitted"
    assert page.answers["applicant.name"] == "Bahar Soleman"
    assert page.documents == ("KK",)
    assert page.line.unsent


def test_a_number_that_is_taken_is_drawn_again(house):
    drawn = iter([5, 5, 6])
    house.desk.chance = lambda bound: next(drawn)
    first = take(house)
    second = take(house, "birth")
    assert (first.code.number, second.code.number) == (5, 6)


def test_a_block_that_is_used_up_is_said_and_stores_nothing(house):
    house.desk.chance = lambda bound: 5
    take(house)
    before = house.store.log().seq
    refused("blocks.exhausted", take, house, "birth")
    assert house.store.log().seq == before


@pytest.mark.parametrize(
    ("service", "answers", "key", "code"),
    [
        (CARD, {"applicant__nik": "82720330O3090005"}, "applicant.nik", "nik.digits"),
        (CARD, {"applicant__nik": "827203300309"}, "applicant.nik", "nik.length"),
        (CARD, {"applicant__nik": 8272033003090005}, "applicant.nik", "field.type"),
        (CARD, {"applicant__phone": "telepon"}, "applicant.phone", "field.phone"),
        (CARD, {"address__village": "82.72.99.9999"}, "address.village", "field.region"),
        (CARD, {"applicant__name": None}, "applicant.name", "field.required"),
        (CARD, {"applicant__shoe": "42"}, "applicant.shoe", "field.unknown"),
        ("birth", {"subject__birth_date": "2031-01-01"}, "subject.birth_date", "date.future"),
        ("birth", {"subject__birth_date": "31 Februari"}, "subject.birth_date", "date.malformed"),
    ],
)
def test_what_is_wrong_is_named_by_its_field_and_nothing_is_stored(
    house, service, answers, key, code
):
    form = house.desk.prepare(wanted(service, **answers))
    assert not form.ok
    assert (key, code) in {(p.key, p.code) for p in form.checked.problems}
    problem = refused("request.invalid", house.desk.submit, form)
    assert problem.details["n"] >= 1
    assert house.store.log().seq == 0


def test_an_unknown_service_is_named(house):
    assert refused("service.unknown", house.desk.prepare, Wanted("ktp-baru")).details == {
        "service": "ktp-baru"
    }


def test_a_warning_passes_with_a_reason_which_goes_along(house):
    # Born in 2009 by the NIK, in 2008 by the form.
    answers = {"ktp_enrolment_queue__birth_date": "2008-03-30"}
    form = house.desk.prepare(wanted(**answers))
    (doubt,) = [p for p in form.checked.problems if p.stops]
    assert doubt.severity == "warning"
    plain = wanted(**answers)
    reasons = {doubt.key: "Sesuai akta kelahiran", "applicant.phone": "tidak dipakai"}
    passed = house.desk.prepare(Wanted(CARD, plain.answers, plain.documents, reasons))
    assert passed.ok
    house.desk.submit(passed)
    body = decode_body(changes(house)[-1].body)
    assert body.reasons == {doubt.key: "Sesuai akta kelahiran"}


def test_the_same_matter_twice_on_one_laptop_asks_for_a_reason(house):
    first = take(house)
    form = house.desk.prepare(wanted())
    (doubt,) = [p for p in form.checked.problems if p.stops]
    assert (doubt.key, doubt.code) == ("duplicate", "request.duplicate")
    assert doubt.details["code"] == str(first.code)
    plain = wanted()
    again_ = Wanted(CARD, plain.answers, plain.documents, {"duplicate": "Bukti pertama hilang"})
    assert house.desk.prepare(again_).ok
    house.desk.withdraw(house.desk.open(first.record), "Salah orang")
    assert house.desk.prepare(wanted()).ok


def test_a_family_is_one_transaction_or_nothing(house):
    forms = [house.desk.prepare(wanted(s)) for s in (CARD, "birth", "kk-change")]
    taken = house.desk.submit(*forms)
    assert [(c.i, c.n) for c in changes(house)[2:]] == [(0, 3), (1, 3), (2, 3)]
    assert len({t.record for t in taken}) == 3
    before = house.store.log().seq
    bad = house.desk.prepare(wanted(CARD, applicant__nik="x"))
    refused("request.invalid", house.desk.submit, forms[1], bad)
    assert house.store.log().seq == before


def test_more_than_a_transaction_holds_is_refused_whole(house):
    form = house.desk.prepare(wanted())
    refused("vault.too_large", house.desk.submit, *[form] * 65)
    assert house.store.log().seq == 0


# -- the village's list


def listed(house: House, **facts: Any) -> Resident:
    from datetime import date

    person = Resident(
        key="k1",
        **{
            "name": "Bahar Soleman",
            "nik": "8272033003090005",
            "kk": "8272032009110004",
            "sex": "1",
            "birth_date": date(2009, 3, 30),
            "address": "Kampung Tengah",
            "rt": "002",
            "rw": "001",
            **facts,
        },
    )
    source = RosterSource(PLACE, "Kantor desa", date(2026, 11, 1), "PKS 2026", date(2027, 1, 1))
    house.store.roster.take_in(source, [person])
    return person


def test_a_nik_of_the_list_fills_in_what_was_left_out(house):
    listed(house)
    form = house.desk.prepare(Wanted(CARD, {}, ["KK"], {}, "8272033003090005"))
    assert form.ok, form.checked.problems
    assert form.checked.answers == {
        "applicant.name": "Bahar Soleman",
        "applicant.nik": "8272033003090005",
        "applicant.kk": "8272032009110004",
        "applicant.relation": "self",
        "ktp_enrolment_queue.birth_date": "2009-03-30",
        "ktp_enrolment_queue.sex": "1",
        "address.address": "Kampung Tengah",
        "address.rt": "002",
        "address.rw": "001",
        "address.village": PLACE,
    }


def test_what_was_typed_stands_against_the_list(house):
    listed(house)
    answers = {"applicant.name": "Bahar Suleman", "address": {"address": "Kampung Baru"}}
    form = house.desk.prepare(Wanted(CARD, answers, ["KK"], {}, "8272033003090005"))
    assert form.checked.answers["applicant.name"] == "Bahar Suleman"
    assert form.checked.answers["address.address"] == "Kampung Baru"
    assert "address.rt" not in form.checked.answers


def test_parents_of_a_newborn_are_filled_in_beside_their_niks(house):
    listed(house, name="Salma Kader", nik="8272034503900021", kk="8272031201150007", sex="2")
    row = example("birth", parents__mother_name=None, applicant__name=None, applicant__nik=None)
    row["answers"]["applicant"].pop("kk", None)
    form = house.desk.prepare(
        Wanted("birth", row["answers"], row["documents"], {}, "8272034503900021")
    )
    assert form.checked.answers["applicant.nik"] == "8272034503900021"
    assert form.checked.answers["applicant.name"] == "Salma Kader"
    assert form.checked.answers["parents.mother_name"] == "Salma Kader"


def test_a_list_that_expired_says_nothing_any_more(house, tmp_path, hands):
    listed(house)
    assert house.desk.find("8272033003090005") is not None
    house.close()
    hands.goes_on(90 * DAY)
    later = again(tmp_path / "van", hands)
    assert later.desk.find("8272033003090005") is None
    assert later.store.roster.lists() == []
    later.close()


# -- drafts


def test_a_draft_keeps_what_was_on_the_screen_when_it_was_first_drawn(house):
    name = house.desk.keep(wanted())
    before = house.desk.resume(name)[1]
    other = take(house, "birth")
    accept(house, other, number=9)
    plain, begun = house.desk.resume(name)
    house.desk.keep(
        house.desk.more(plain, {"applicant.phone": "081234567890"}, None, {}, ""), begun
    )
    plain, begun = house.desk.resume(name)
    assert (begun.seen, begun.own) == (before.seen, before.own) == (0, 0)
    form = house.desk.prepare(plain, house.desk.shown_of(begun))
    (taken,) = house.desk.submit(form, drafts=[name])
    assert changes(house)[-1].seen == 0
    assert house.desk.open(taken.record).answers["applicant.phone"] == "+6281234567890"
    refused("draft.unknown", house.desk.resume, name)


def test_a_draft_belongs_to_its_operator(house, tmp_path, hands):
    from tests.vaults import CHEAP

    name = house.desk.keep(wanted())
    house.keys.add(house.unlocked.database_key, "umar", PASSPHRASE, CHEAP)
    house.close()
    other = again(tmp_path / "van", hands, "umar")
    refused("draft.unknown", other.desk.resume, name)
    other.close()


# -- corrections


def last_body(house: House) -> Any:
    return decode_body(changes(house)[-1].body)


def test_a_correction_writes_only_what_changed(house):
    taken = take(house)
    page = house.desk.open(taken.record)
    house.desk.edit(page, {"applicant.phone": "081299998888"})
    body = last_body(house)
    assert body.set == {"applicant.phone": "+6281299998888"}
    assert not body.add
    assert not body.remove


def test_a_group_is_written_whole(house):
    taken = take(house)
    house.desk.edit(house.desk.open(taken.record), {"address": {"rt": "5"}})
    assert last_body(house).set == {
        "address.address": {
            "address": "Kampung Tengah", "rt": "005", "rw": "001", "village": "82.72.03.2001",
        }
    }  # fmt: skip


def test_an_answer_and_a_paper_can_be_taken_back(house):
    taken = take(house, "kk-change")
    page = house.desk.open(taken.record)
    house.desk.edit(page, {"address.rt": None}, [*page.documents, "KTP"])
    assert "rt" not in last_body(house).set["address.address"]
    assert last_body(house).add == {"documents": ["KTP"]}
    page = house.desk.open(taken.record)
    assert "address.rt" not in page.answers
    house.desk.edit(page, {}, [d for d in page.documents if d != "KTP"])
    assert last_body(house).remove == {"documents": ["KTP"]}


def test_a_second_correction_counts_the_first_as_seen(house):
    taken = take(house)
    house.desk.edit(house.desk.open(taken.record), {"applicant.phone": "081299998888"})
    house.desk.edit(house.desk.open(taken.record), {"applicant.phone": "081299997777"})
    first, second = changes(house)[-2:]
    assert own_of(5, second) == 4
    assert own_of(4, first) == 3


def test_what_a_sync_brings_behind_the_screen_is_not_counted_as_seen(house):
    taken = take(house)
    accept(house, taken, number=1)
    page = house.desk.open(taken.record)
    other = (b"other-log-000001", 4)
    decide(house, 8, Wrote(taken.record, "applicant.phone", "+628111", None, other))
    house.desk.edit(page, {"applicant.phone": "081299998888"})
    assert changes(house)[-1].seen == 1
    view = house.desk.open(taken.record).picture.view
    assert view.moved == {"applicant.phone"}  # "akan ditinjau", before any push


def test_based_on_goes_by_an_earlier_screen_and_never_ahead_of_this_one(house):
    taken = take(house)
    accept(house, taken, number=4)
    page = house.desk.open(taken.record)
    log = page.shown.log
    assert house.desk.as_shown(page, "1.2").shown == type(page.shown)(1, 2, log)
    assert house.desk.as_shown(page, "999.999").shown == page.shown
    refused("id.malformed", house.desk.as_shown, page, "soon")


def test_nothing_changed_is_said(house):
    taken = take(house)
    page = house.desk.open(taken.record)
    phone = page.answers["applicant.phone"]
    refused("request.nothing_changed", house.desk.edit, page, {"applicant.phone": phone})


def test_a_wrong_correction_is_refused_with_its_findings_and_keeps_the_old_answer(house):
    taken = take(house)
    page = house.desk.open(taken.record)
    with pytest.raises(Problem) as caught:
        house.desk.edit(page, {"applicant.nik": "12AB", "applicant.hat": "red"})
    assert caught.value.code == "request.invalid"
    assert {f.key for f in caught.value.details["findings"]} >= {"applicant.nik", "applicant.hat"}
    assert house.desk.open(taken.record).answers["applicant.nik"] == "8272033003090005"


def test_a_fault_that_was_there_before_does_not_stop_another_correction(house):
    taken = take(house)
    accept(house, taken, number=1)
    other = (b"other-log-000001", 4)
    broken = {"name": "Bahar Soleman", "nik": "1", "kk": "8272032009110004"}
    decide(house, 2, Wrote(taken.record, "applicant.identity", broken, None, other))
    house.desk.edit(house.desk.open(taken.record), {"applicant.phone": "081299998888"})
    assert last_body(house).set == {"applicant.phone": "+6281299998888"}


def test_a_returned_request_goes_back_to_the_office_with_its_correction(house):
    taken = take(house)
    accept(house, taken, number=1)
    decide(
        house, 2,
        Moved(taken.record, "take", "received", "in_verification"),
        Moved(taken.record, "return", "in_verification", "needs_correction", "KK tidak terbaca"),
    )  # fmt: skip
    page = house.desk.open(taken.record)
    assert page.status == "needs_correction"
    house.desk.edit(page, {"applicant.phone": "081299998888"})
    body = last_body(house)
    assert (body.action, body.move) == ("correct", ("needs_correction", "submitted"))
    assert house.desk.open(taken.record).status == "submitted"
    assert [n.notice.kind for n in house.store.notices.unread()] == ["status", "status"]


def test_an_own_value_under_review_is_shown_as_proposed(house):
    taken = take(house)
    accept(house, taken, number=1)
    log = house.store.log().id
    house.desk.edit(house.desk.open(taken.record), {"applicant.name": "Bahar Suleman"})
    seq, case = house.store.log().seq, b"c" * 16
    current = house.store.requests.picture(taken.record).snapshot.units["applicant.identity"]
    mine = changes(house)[-1]
    value = decode_body(mine.body).set["applicant.identity"]
    decide(
        house, 5,
        Opened(case, "dispute", taken.record, "applicant.identity", current, (), True),
        Held(taken.record, "applicant.identity", value, case, (log, seq)),
        Outcome(log, seq, "held", case),
    )  # fmt: skip
    page = house.desk.open(taken.record)
    assert page.answers["applicant.name"] == "Bahar Suleman"
    assert page.picture.view.proposed == {"applicant.identity": case}


# -- giving up


def test_a_request_is_withdrawn_with_a_reason(house):
    taken = take(house)
    page = house.desk.open(taken.record)
    refused("reason.required", house.desk.withdraw, page, "  ")
    house.desk.withdraw(page, "Sudah diurus di Tidore")
    assert house.desk.open(taken.record).status == "cancelled"
    body = last_body(house)
    assert (body.action, body.move) == ("withdraw", ("submitted", "cancelled"))
    closed = house.desk.open(taken.record)
    refused("request.closed", house.desk.edit, closed, {"applicant.phone": "081299998888"})


def test_what_the_office_is_checking_is_withdrawn_there(house):
    taken = take(house)
    accept(house, taken, number=1)
    decide(house, 2, Moved(taken.record, "take", "received", "in_verification"))
    refused("lifecycle.wrong_place", house.desk.withdraw, house.desk.open(taken.record), "batal")


# -- finding


def test_a_request_is_found_by_code_and_by_id_and_a_slip_is_told_from_a_stranger(house):
    taken = take(house)
    code = str(taken.code)
    for text in (code, code.lower(), code.replace("-", ""), taken.record.hex()):
        assert house.desk.named(text) == taken.record
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    refused("code.mistyped", house.desk.named, wrong)
    refused("request.unknown", house.desk.named, str(Code(7, 0)))
    refused("request.unknown", house.desk.open, b"x" * 16)


# -- clocks


def test_the_clock_facts_go_along_and_a_jump_is_noticed(house, hands):
    take(house)
    hands.goes_on(600)
    take(house, "birth")
    created = [c for c in changes(house) if c.kind == "create"]
    assert [c.at for c in created] == [NOW, NOW + 600]
    assert created[0].booted == created[1].booted == NOW - 3600
    assert house.desk.clock_doubt() is None
    hands.at -= 7200
    assert house.desk.clock_doubt().code == "clock.wrong"
    taken = take(house, "kk-change")  # never a reason to refuse a citizen
    assert changes(house)[-1].booted == NOW - 3600 - 7200
    assert house.desk.open(taken.record).status == "submitted"


def test_a_copy_of_an_older_database_goes_on_in_a_new_log(house, tmp_path, hands):
    import shutil

    take(house)
    house.store.engine.checkpoint()
    shutil.copy(tmp_path / "van" / "vault.db", tmp_path / "old.db")
    lost = take(house, "birth")
    house.close()
    for name in ("vault.db-wal", "vault.db-shm"):
        (tmp_path / "van" / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "old.db", tmp_path / "van" / "vault.db")
    later = again(tmp_path / "van", hands)
    assert len(later.store.logs()) == 2
    assert later.store.requests.line(lost.record) is None
    taken = take(later, "kk-change")
    assert [c.kind for c in changes(later)] == ["operator", "session", "create"]
    assert taken.code.block == 7
    later.close()


def test_layers_of_answers_lie_over_each_other_and_strange_ones_are_still_named(house):
    name = house.desk.keep(wanted(applicant__shoe="42", applicant__phone="0811"))
    plain, _ = house.desk.resume(name)
    over = {"applicant": {"phone": "081234567890"}, "hat": "red", "address": "Kampung"}
    form = house.desk.prepare(house.desk.more(plain, over, None, {}, ""))
    assert form.checked.answers["applicant.phone"] == "+6281234567890"
    wrong = {(p.key, p.code) for p in form.checked.problems if p.stops}
    assert wrong == {
        ("applicant.shoe", "field.unknown"), ("hat", "field.unknown"), ("address", "field.type"),
    }  # fmt: skip
