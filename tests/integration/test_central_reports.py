"""The figures of the office follow the decisions, equal a full recount, and lead to their records;
on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from models.changes import Body
from models.problems import Problem
from server.clocks import clocks
from server.figures import ALL, day_of
from server.jobs import Jobs
from server.reports import Asked
from sync.state import Created, Moved
from tests.pusat import DAY, GROUP, ON_PAPER, OTHER_VILLAGE, PROTECTED, VILLAGE, Pusat, Van, pusat

PHONE = "applicant.phone"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def office(tmp_path_factory, request) -> Iterator[Pusat]:
    """A month of an office: what is taken in, returned, corrected, accepted, moved and quarrelled
    about; the figures were followed in small and in large steps meanwhile."""
    kind = request.param
    url = request.getfixturevalue("postgres_module_url") if kind == "postgres" else ""
    with pusat(tmp_path_factory.mktemp("pusat") / kind, url) as opened:
        _month(opened)
        yield opened


def _month(office: Pusat) -> None:
    one = office.van("Si Jola 1", VILLAGE, OTHER_VILLAGE)
    two = office.van("Kantor Woda", VILLAGE)
    records = [one.take_in(n, **_person(n)) for n in range(1, 7)]
    office.sync(one)
    _count(office, 3)
    office.clock.at += DAY
    records += [two.take_in(n, **_person(n + 10)) for n in range(1, 4)]
    office.sync(two)
    work, rina = office.central.casework, office.people["rina"]
    for record in records[:3]:
        work.accept(rina, record.hex(), _seen(office), ON_PAPER)
    _count(office, 1)
    office.clock.at += 3 * DAY
    work.send_back(rina, records[3].hex(), "DOC_MISSING", "KK", _seen(office))
    work.send_back(rina, records[4].hex(), "NAME_MISMATCH", "", _seen(office))
    asking = office.central.verification
    for record in records[6:8]:
        asking.ask(rina, record.hex(), "text", "", "Nomor rumahnya berapa?", _seen(office))
    _count(office, 50)
    office.clock.at += 9 * 3600
    asking.take_back(rina, records[6].hex(), 1, _seen(office))
    office.clock.at += 1800
    work.accept(rina, records[6].hex(), _seen(office), ON_PAPER)
    office.sync(one)
    _corrects(one, records[3])
    moved = {GROUP: {"address": "Kota", "rt": "001", "rw": "002", "village": OTHER_VILLAGE}}
    one.edit(records[5], Body(set=moved))
    office.sync(one)
    _quarrel(office, one, two, records[0])
    _count(office, 7)


def _person(n: int) -> dict[str, dict[str, str]]:
    return {
        PROTECTED: {"name": f"WARGA {n}", "nik": f"82720309020900{n:02}", "kk": "8272031703090002"}
    }


def _seen(office: Pusat) -> int:
    with office.central.registry.read() as door:
        return door.standing().server_seq


def _corrects(van: Van, record: bytes) -> None:
    van.edit(record, Body(set={PHONE: "+6281240009999"}))
    van.edit(record, Body(action="correct", move=("needs_correction", "submitted")))


def _quarrel(office: Pusat, one: Van, two: Van, record: bytes) -> None:
    """Two laptops of one village bring two names for one person."""
    office.sync(two)
    for van, name in ((one, "NAMA SATU"), (two, "NAMA DUA")):
        van.edit(record, Body(set={PROTECTED: {"name": name, "nik": "8272030902090001"}}))
    office.sync(one)
    office.sync(two)


def _count(office: Pusat, chunk: int) -> None:
    with patch("server.reports.CHUNK", chunk):
        while not office.central.reports.follow().done:
            pass


def test_the_figures_equal_a_full_recount(office):
    with office.central.registry.read() as door:
        followed, mark = door.all_tallies(), door.report_mark()
        at = door.standing().server_seq
    assert mark.upto == at
    assert len(followed) > 70
    assert min(followed.values()) > 0
    assert {key[4] for key in followed if key[0] == "case_open"} == {"dispute"}
    with pytest.raises(Problem, match=r"auth\.forbidden"):
        office.central.reports.rebuild(office.people["rina"])
    office.central.reports.rebuild(office.people["tono"])
    with office.central.registry.read() as door:
        assert door.all_tallies() == followed
        assert door.report_mark() == mark


def test_the_figures_are_those_of_the_requests_themselves(office):
    """Counted here another way: from the list of requests and from the history of each."""
    wanted: Counter[tuple[str, str, str]] = Counter()
    with office.central.registry.read() as door:
        for row in door.requests(limit=200):
            for village in (ALL, row.village):
                wanted["arrived", village, day_of(row.created_at)] += 1
            for decision in door.history(row.id):
                for effect in decision.effects:
                    if isinstance(effect, Moved) and effect.record == row.id:
                        name = {"verified": "accepted"}.get(effect.target)
                        for village in (ALL, row.village) if name else ():
                            wanted[str(name), village, day_of(decision.at)] += 1
                    assert not isinstance(effect, Created) or effect.record == row.id
        found: Counter[tuple[str, str, str]] = Counter()
        for (figure, village, service, period, _), n in door.all_tallies().items():
            if figure in ("arrived", "accepted") and service == ALL and len(period) == 10:
                found[figure, village, period] += n
    assert found == wanted
    assert sum(n for (figure, v, _), n in wanted.items() if (figure, v) == ("arrived", ALL)) == 9


def test_the_age_of_what_is_open_is_that_of_its_own_clock(office):
    """Returned, asked about, corrected: the figures say the same as the page of the request."""
    calendar, now = office.central.dashboard.calendar, office.clock.at
    with office.central.registry.read() as door:
        rows = door.requests(limit=200)
        told = clocks(door, rows, calendar, now)
        journeys = door.journeys([row.id for row in rows])
    assert Counter(one.state for one in told.values()) == {"runs": 7, "paused": 2}
    for name, one in told.items():
        assert journeys[name].due == (one.due if one.state == "runs" else 0)
    assert len({one.used for one in told.values()}) > 3
    assert {one.channel for one in journeys.values()} == {"van"}
    assert all(one.captured for one in journeys.values())


def test_whoever_may_not_list_requests_is_shown_none_and_who_lists_is_noted(office):
    reports, before = office.central.reports, office.trail()
    with pytest.raises(Problem, match=r"auth\.forbidden"):
        reports.members(office.people["admin"], Asked("arrived"))
    with pytest.raises(Problem, match=r"auth\.forbidden"):
        reports.members(office.people["rina"], Asked("phone"))
    with pytest.raises(Problem, match=r"report\.unknown"):
        reports.members(office.people["tono"], Asked("password"))
    assert office.trail() == before, "nothing was looked at"
    assert reports.members(office.people["tono"], Asked("arrived"), limit=1).lines
    assert office.trail() == [*before, ("tono", "request.list")]


def test_who_works_for_one_district_is_shown_its_records_alone(office):
    reports, staff, admin = office.central.reports, office.central.staff, office.people["admin"]
    try:
        elsewhere = staff.place(admin, "rina", ["82.72.01"])
        assert reports.members(elsewhere, Asked("arrived")).lines == []
        for place in (VILLAGE, "82.72.03"):
            with pytest.raises(Problem, match=r"auth\.area"):
                reports.members(elsewhere, Asked("arrived", place))
        here = staff.place(admin, "rina", [OTHER_VILLAGE])
        shown = [reports.members(here, Asked("arrived", place)).lines for place in ("", "82.72")]
    finally:
        everywhere = staff.place(admin, "rina", [])
    found = reports.members(everywhere, Asked("arrived"), limit=200).lines
    mine = [one for one in found if one.request.village == OTHER_VILLAGE]
    assert shown == [mine, mine]
    assert 0 < len(mine) < len(found)


def test_two_that_count_at_once_count_once(office):
    """The mark is looked at again under the lock; one of the two is the job, chunk by chunk."""
    reports, jobs = office.central.reports, Jobs(office.central)
    with office.central.registry.read() as door:
        before = door.all_tallies()
    with office.central.registry.write() as door:
        door.forget_figures()
    real = reports.registry.write

    def late():
        with patch.object(reports.registry, "write", real):
            jobs.count()
        return real()

    with (
        patch.object(reports.registry, "write", late),
        patch("server.reports.CHUNK", 5),
        patch("server.jobs.RESTS", 0.01),
    ):
        reports.follow(1)
    jobs.leader.resign()
    with office.central.registry.read() as door:
        assert door.all_tallies() == before
