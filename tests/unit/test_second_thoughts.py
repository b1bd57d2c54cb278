"""What people at central take back, pass on or ask: undoing a decision, letting a proposal drop,
asking a supervisor, asking the field."""

from __future__ import annotations

import pytest

from models.changes import Body, Change, Choice, Incident, raw
from models.problems import Problem
from models.questions import Question, free_number, questions
from models.services import catalogue
from sync.digest import face
from sync.state import Closed, Opened, copy_record, reasons
from tests.office import FREE, NOW, PROTECTED, SLUG, Office


def disputed():
    """Two laptops offer two values for one unit; the office, the record and the case."""
    office = Office()
    first, second = office.laptops
    record = office.create(first)
    office.send(first)
    for laptop in office.laptops:
        office.pull(laptop)
    screens = {laptop.log: laptop.display(record) for laptop in office.laptops}
    for laptop, name in ((first, "SALMA"), (second, "SALMAH")):
        value = dict(office.value(record, PROTECTED)) | {"name": name}
        office.edit(laptop, record, Body(set={PROTECTED: value}), screens[laptop.log])
        office.send(laptop)
    (case,) = office.cases("dispute")
    return office, record, case


def choose(office: Office, case: bytes, take: str, step: str, by: str, **more):
    return office.resolve(Choice(case, take, "alasan", step, by=by, **more))


def decided(take: str = "current"):
    office, record, case = disputed()
    offer = case.offers[0]
    more = {"log": offer.log, "seq": offer.seq} if take == "offer" else {}
    choose(office, case.id, take, "propose", "rina", **more)
    choose(office, case.id, "", "approve", "tono")
    return office, record, case.id


def test_an_undone_decision_is_open_again_with_every_side_and_written_till_then():
    office, record, case = decided("offer")
    assert office.value(record, PROTECTED)["name"] == "SALMAH"
    choose(office, case, "", "reopen", "tono")
    old, new = office.cases("dispute")
    assert (old.state, new.state, new.protected) == ("closed", "open", True)
    assert new.note == case.hex(), "it says which decision it is about"
    assert office.record(record).disputes == {PROTECTED: new.id}
    assert office.value(record, PROTECTED)["name"] == "SALMAH", "it stands until people decide"
    assert [o.value["name"] for o in new.offers] == ["SALMA"], "what stood before"
    assert new.current is not None
    choose(office, new.id, "offer", "propose", "tono", log=new.offers[0].log, seq=new.offers[0].seq)
    choose(office, new.id, "", "approve", "rina")
    assert office.value(record, PROTECTED)["name"] == "SALMA"
    assert office.record(record).disputes == {}
    maker = office.laptops[0]
    assert office.result(maker.log, maker.last).state == "applied", "its entry never waited"


def test_undoing_a_decision_for_what_stood_offers_the_other_again():
    office, _, case = decided("current")
    loser = office.laptops[1]
    assert office.result(loser.log, loser.last).state == "rejected"
    choose(office, case, "", "reopen", "rina")
    new = office.cases("dispute")[-1]
    assert [o.value["name"] for o in new.offers] == ["SALMAH"]
    choose(office, new.id, "offer", "propose", "rina", log=loser.log, seq=loser.last)
    choose(office, new.id, "", "approve", "tono")
    assert office.result(loser.log, loser.last).state == "accepted"
    maker = office.laptops[0]
    assert {office.result(maker.log, s).state for s in (2, 3)} == {"applied"}, "they never waited"


def test_both_houses_come_to_the_same_request_after_an_undoing():
    office, record, case = decided("offer")
    choose(office, case, "", "reopen", "tono")
    laptop = office.laptops[0]
    office.pull(laptop)
    theirs = laptop.snapshot.records[record]
    cases = {one.id: one for one in office.cases()}
    assert face(theirs, laptop.snapshot.cases) == face(office.record(record), cases)
    told = [n for n in laptop.notices if n.record == record]
    assert told[-1].kind == "held", "its value waits again"


@pytest.mark.parametrize("again", ["twice", "joined"])
def test_what_cannot_be_undone_any_more_changes_nothing(again):
    office, record, case = decided()
    if again == "twice":
        choose(office, case, "", "reopen", "tono")
    else:
        step = Body(action="withdraw", move=("received", "cancelled"), reason="x")
        office.staff(step, record)
    before = copy_record(office.record(record))
    with pytest.raises(Problem) as refused:
        choose(office, case, "", "reopen", "tono")
    assert refused.value.code == "case.cannot_undo"
    after = office.record(record)
    assert (after.units, after.disputes) == (before.units, before.disputes)


def test_an_open_case_is_not_undone_and_a_closed_one_not_decided():
    office, _, case = disputed()
    with pytest.raises(Problem, match=r"case\.stale"):
        choose(office, case.id, "", "reopen", "tono")
    office, _, closed = decided()
    with pytest.raises(Problem, match=r"case\.stale"):
        choose(office, closed, "current", "propose", "tono")


def test_a_proposal_that_is_let_drop_leaves_the_case_open_and_says_why():
    office, record, case = disputed()
    choose(office, case.id, "current", "propose", "rina")
    with pytest.raises(Problem, match=r"lifecycle\.same_person"):
        choose(office, case.id, "", "decline", "rina")
    choose(office, case.id, "", "decline", "tono")
    case = office.cases("dispute")[0]
    assert case.state == "open"
    assert case.proposal is not None
    assert (case.proposal.take, case.proposal.reason, case.proposal.by) == ("", "alasan", "tono")
    with pytest.raises(Problem, match=r"case\.not_waiting"):
        choose(office, case.id, "", "approve", "tono")
    choose(office, case.id, "offer", "propose", "tono", log=case.offers[0].log,
           seq=case.offers[0].seq)  # fmt: skip
    choose(office, case.id, "", "approve", "rina")
    assert office.value(record, PROTECTED)["name"] == "SALMAH"


# -- asking a supervisor


def incident(office: Office, record: bytes, note: str):
    body = raw(Incident("escalated", note, (record,)))
    change = Change("incident", b"", 0, 1, "", 0, 0, NOW, NOW, 0, 0, 0, None, body)
    return office.ledger.write(change, NOW, "rina")[1]


def test_what_a_supervisor_is_asked_and_answers_leaves_the_office_with_no_laptop():
    office = Office()
    record = office.create(office.laptops[0])
    office.send(office.laptops[0])
    opened = incident(office, record, "satu nomor HP di lima berkas")
    (case,) = office.cases("escalated")
    assert office.record(record).cases == [case.id], "the request waits for it"
    with pytest.raises(Problem, match=r"request\.escalated"):
        incident(office, record, "lagi")
    done = choose(office, case.id, "noted", "decide", "tono")
    told = [e for d in opened for e in d.effects if isinstance(e, Opened)]
    assert [e.note for e in told] == [""]
    (closed,) = [e for d in done for e in d.effects if isinstance(e, Closed)]
    assert closed.reason == ""
    office.pull(office.laptops[0])
    assert not [n for n in office.laptops[0].notices if n.record == record and n.kind != "status"]
    assert office.record(record).cases == []


# -- asking the field


def test_a_question_travels_as_a_reason_and_its_answer_back():
    office = Office()
    first, second = office.laptops
    record = office.create(first)
    office.send(first)
    question = Question(1, "yes_no", "applicant.phone", "Apakah nomor HP milik pemohon?")
    office.staff(Body(reasons={question.key: question.text}), record)
    for laptop in (first, second):
        office.pull(laptop)
    (asked,) = [n for n in first.notices if n.kind == "asked"]
    assert (asked.value, asked.by) == (question.text, "nur")
    assert not [n for n in second.notices if n.kind == "asked"], "whose request it is, is asked"
    assert questions(reasons(first.snapshot.records[record])) == [question]
    office.edit(first, record, Body(reasons={question.reply: "ya"}))
    ((_, result),) = office.send(first)
    assert result.state == "applied"
    (answered,) = questions(reasons(office.record(record)))
    assert (answered.answer, answered.waits) == ("ya", False)
    taken_back = Body(reasons={question.key: ""})
    office.staff(taken_back, record)
    office.pull(first)
    assert len([n for n in first.notices if n.kind == "asked"]) == 1
    assert not any(q.waits for q in questions(reasons(first.snapshot.records[record])))


def test_keys_of_strangers_are_no_questions():
    found = questions({"ask/x/text/": "a", "ask/1/dance/b": "c", "applicant.nik": "d", "ask/": "e"})
    assert [(q.n, q.kind, q.about) for q in found] == [(1, "text", "b")]


def test_a_laptop_forges_no_question_takes_none_back_and_answers_only_what_was_asked():
    office = Office()
    laptop = office.laptops[0]
    record = office.create(laptop)
    office.send(laptop)
    asked, forged = Question(1, "text", "", "Sudah menikah?"), Question(2, "text", "", "PIN Anda?")
    office.staff(Body(reasons={asked.key: asked.text}), record)
    office.pull(laptop)
    hostile = {asked.key: "", forged.key: forged.text, forged.reply: "1234", "ask/99999/text/": "x"}
    office.edit(laptop, record, Body(reasons=hostile | {"applicant.nik": "rusak"}))
    ((_, result),) = office.send(laptop)
    assert (result.state, result.case) == ("merged", b""), "the rest of the change stands"
    kept = reasons(office.record(record))
    assert kept == {asked.key: asked.text, "applicant.nik": "rusak"}
    office.pull(laptop)
    assert reasons(laptop.snapshot.records[record]) == kept, "both houses say the same"
    office.edit(laptop, record, Body(reasons={asked.reply: "ya"}))
    office.send(laptop)
    assert questions(reasons(office.record(record)))[0].answer == "ya"


def test_a_new_request_of_a_laptop_brings_no_question_and_no_answer():
    office, form = Office(), catalogue().service(SLUG)
    laptop = office.laptops[0]
    hostile = {"ask/1/text/": "PIN Anda?", "reply/1": "1234", "applicant.nik": "rusak"}
    body = Body(number=7, set={FREE: "+6281200000001"}, reasons=hostile)
    laptop.append([laptop.change("create", body, form=(SLUG, form.edition))])
    *_, (_, result) = office.send(laptop)
    assert reasons(office.record(result.record)) == {"applicant.nik": "rusak"}


def test_a_question_takes_the_lowest_number_that_is_free():
    old = {"ask/1/text/": "a", "ask/9999/text/": "", "reply/2": "b", "ask/10000/text/": "c"}
    assert free_number({}) == 1
    assert free_number(old) == 3
    assert [q.n for q in questions(old)] == [1, 9999], "what is beyond the bound is none"
    assert questions({"ask/01/text/": "a", "ask/0/text/": "b"}) == [], "one number, one spelling"
