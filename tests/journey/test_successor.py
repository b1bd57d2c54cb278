"""Own work across logs: what an operator wrote in the log before is theirs in the one after it."""

from __future__ import annotations

from field_client import succession
from models.changes import decode_change
from tests.journey.test_laptops import taken
from tests.town import Laptop, Town

ELSEWHERE = "82.72.03.2001"


def goes_on_in_a_new_log(laptop: Laptop) -> None:
    """As after its database came back from a copy."""
    succession.after_copy(laptop.house.desk)


def a_request_at_both_ends(town: Town) -> tuple[Laptop, bytes]:
    van = town.laptop("sari")
    (record,) = taken(town, van, "father")
    van.sync()
    return van, record


def test_a_correction_in_the_next_log_does_not_dispute_ones_own_earlier_one(town: Town) -> None:
    van, record = a_request_at_both_ends(town)
    van.edit(record, reason="Sesuai KK", applicant__name="Ahmad Satu")
    goes_on_in_a_new_log(van)
    van.edit(record, reason="Sesuai KK lagi", applicant__name="Ahmad Dua")
    goes_on_in_a_new_log(van)
    van.edit(record, reason="Sekali lagi", applicant__name="Ahmad Tiga")
    assert van.sync().outcomes.get("held", 0) == 0
    assert town.cases() == []
    assert town.sheet(record).answers["applicant.name"] == "Ahmad Tiga"


def test_what_the_lost_laptop_wrote_after_the_copy_is_not_ones_own(town: Town) -> None:
    van, record = a_request_at_both_ends(town)
    other = van.clone()
    other.edit(record, reason="Sesuai KK", applicant__name="Ahmad Satu")
    other.sync()
    goes_on_in_a_new_log(van)  # from before that correction, and unaware of it
    van.edit(record, reason="Sesuai KTP", applicant__name="Ahmad Dua")
    van.sync()
    assert [line.kind for line in town.cases("dispute")] == ["dispute"]
    assert town.sheet(record).answers["applicant.name"] == "Ahmad Satu"


def test_a_page_that_was_drawn_in_the_log_before_claims_nothing_of_this_one(town: Town) -> None:
    van, record = a_request_at_both_ends(town)
    page = van.open_sheet(record)
    van.edit(record, reason="Sesuai KK", applicant__name="Ahmad Satu")
    goes_on_in_a_new_log(van)
    van.edit(record, reason="Sesuai KK", applicant__name="Ahmad Dua")
    van.edit(record, page, reason="Sesuai KTP", applicant__name="Ahmad Tiga")  # drawn long ago
    log = van.house.store.log()
    (*_, newest) = van.house.store.pending(0, 1 << 30)
    assert decode_change(newest.data).own == -page.shown.own - 1
    again = f"{page.shown.seen}.{page.shown.own}.{page.shown.log.hex()[:8]}"
    assert van.house.desk.as_shown(van.open_sheet(record), again).shown == page.shown
    van.sync()
    (case,) = town.cases("dispute")
    assert [side.number for side in town.case(case).sides] == [0, 1]
    assert town.sheet(record).answers["applicant.name"] == "Ahmad Dua"
    assert log.id != page.shown.log


def test_a_later_log_may_finish_what_was_begun_in_a_former_village(town: Town) -> None:
    van, other = town.laptop("sari"), town.laptop("rusli")
    (record,) = taken(town, other, "father")
    for laptop in (other, van):
        laptop.sync()
    town.central.devices.scope(town.staff["idham"], "laptop sari", [ELSEWHERE])
    goes_on_in_a_new_log(van)  # and has not heard of its new scope
    van.edit(record, reason="Nomor baru", applicant__phone="+6281200000001")
    assert van.sync().outcomes.get("held", 0) == 0
    assert town.sheet(record).answers["applicant.phone"] == "+6281200000001"
