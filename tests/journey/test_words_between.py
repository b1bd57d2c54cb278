"""Words between the office and the field: a question and its answer over the network, reasons for
single answers on a stick."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from field_client import asked
from field_client.returned import returned
from models import remarks
from models.questions import questions
from models.remarks import Remark
from tests.requests import row
from tests.sticks import give, read, stick
from tests.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


def test_what_the_office_wants_to_know_and_to_have_mended_comes_to_the_very_answer(town):
    van = town.laptop("sari")
    person = next(one for one in town.village.people if one.here and one.age > 30)
    (taken,) = van.take(row(town.village, "village-domicile-letter", person, ref="v1"))
    van.sync()
    me, name = town.staff["nurlaila"], taken.record.hex()
    room = town.central.verification
    room.ask(me, name, "yes_no", "applicant.phone", "Milik pemohon?", town.sheet(taken.record).seen)
    van.sync()
    (one,) = asked.waiting(van.house.desk)
    assert (one.question.text, one.by) == ("Milik pemohon?", "Nurlaila Soamole (nurlaila)")
    asked.answer(van.house.desk, van.open_sheet(taken.record), 1, "ya")
    assert asked.waiting(van.house.desk) == [], "answered here, before anybody heard"
    town.time.goes_on(30)
    van.sync()
    check = room.open(me, name)
    assert [(q.answer, q.taken_back) for q in check.asked] == [("ya", False)]
    assert check.clock.state == "runs"
    about = [Remark("applicant.name", "NAME_MISMATCH", "ejaan di KK"), Remark("doc.KK", "OTHER")]
    seen = town.sheet(taken.record).seen
    preview = room.preview(me, name, "", "", about)
    town.central.casework.send_back(me, name, "", "", seen, about)
    give(town, van, stick(town))
    (done,) = read(van, stick(town))
    assert (done.state, van.house.store.standing().unsent) == ("fresh", 0)
    (back,) = returned(van.house.desk)
    assert [place.section for place in back.places] == ["documents", "applicant"]
    assert [one.key for one in back.remarks] == ["applicant.name", "doc.KK"]
    told = van.house.desk.store.notices.of(taken.record)[-1].notice
    form = van.open_sheet(taken.record).service
    assert remarks.returned_words(told.reason, form) == preview.clerk, "word for word"
    kept = van.open_sheet(taken.record).picture.reasons
    assert [q.answer for q in questions(kept)] == ["ya"]
