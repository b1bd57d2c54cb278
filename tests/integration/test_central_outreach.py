"""Laptops as the office sees them, and the voyages of the vans, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec
import pytest
from sqlalchemy import insert, select

from models.changes import Attached, Body
from models.overlay import VISITS_FILE, read_visits
from models.problems import Problem
from server.database.tables import EntryRow, LogRow
from server.database.work import table_of
from server.fleet import NOTICE_SECONDS, Seen
from server.voyages import Member, Plan, Stop
from sync.messages import Health
from tests.pusat import DAY, GROUP, NOW, OTHER_VILLAGE, VILLAGE, Pusat, Van, pusat

TODAY = date(2026, 11, 18)  # of NOW, in eastern Indonesia


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def office(tmp_path_factory, request) -> Iterator[Pusat]:
    kind = request.param
    url = request.getfixturevalue("postgres_module_url") if kind == "postgres" else ""
    with pusat(tmp_path_factory.mktemp("pusat") / kind, url) as opened:
        yield opened


def say_health(office: Pusat, van: Van, health: Health, ahead: int = 0) -> None:
    """A sync with which a laptop says how it is."""
    exchange = van.exchange()
    exchange.health = health
    payload = exchange.request([], office.clock.at + ahead)
    van.receive(exchange, office.push(van.sealed(payload)).content)


def seen(office: Pusat, name: str) -> Seen:
    (found,) = [
        one
        for one in office.central.fleet.overview(office.people["tono"])
        if one.device.name == name
    ]
    return found


def plan(*stops: tuple[int, str], purpose: str = "Pelayanan jemput bola") -> Plan:
    days = [(TODAY + timedelta(days=n)).isoformat() for n, _ in stops]
    return Plan(
        purpose,
        tuple(Stop(day, v, "Balai desa, 09.00") for day, (_, v) in zip(days, stops, strict=True)),
        (Member("Ratna Ahmad", "198001012005012001", "Ketua tim"), Member("Iswan")),
    )


def test_a_laptop_that_said_how_it_is_is_seen_so(office: Pusat) -> None:
    van = office.van("Si Jola Sehat")
    office.sync(van)
    before = seen(office, "Si Jola Sehat").call
    assert before is not None
    assert before.health is None, "an older laptop says nothing"
    told = Health(7, office.clock.at - 9 * DAY, 2, 400_000, 900_000_000, 1, 55)
    say_health(office, van, told, ahead=7200)
    one = seen(office, "Si Jola Sehat")
    assert one.call is not None
    assert (one.call.health, one.skew) == (told, 7200)
    assert set(one.alarms) >= {"clock", "disk", "queue"}
    say_health(office, van, Health(disk=9_000_000_000))
    assert not {"clock", "disk", "queue", "silent"} & set(seen(office, "Si Jola Sehat").alarms)


def test_a_laptop_on_a_voyage_is_not_missed_before_it_is_over(office: Pusat) -> None:
    van = office.van("Si Jola Laut")
    office.sync(van)
    voyages, tono = office.central.voyages, office.people["tono"]
    voyages.keep(tono, plan((1, VILLAGE), (5, OTHER_VILLAGE)), "Si Jola Laut")
    try:
        office.clock.at = NOW + 5 * DAY
        assert seen(office, "Si Jola Laut").away
        assert "silent" not in seen(office, "Si Jola Laut").alarms
        office.clock.at = NOW + 8 * DAY
        assert "silent" in seen(office, "Si Jola Laut").alarms
    finally:
        office.clock.at = NOW


def test_of_a_lost_laptop_is_told_what_did_not_arrive_and_whose_data_it_held(office: Pusat) -> None:
    van = office.van("Si Jola Hilang", OTHER_VILLAGE)
    record = van.take_in(31)
    file = Attached("documents", b"f" * 32, 120_000)
    van.edit(record, Body(attach=[file]))
    office.sync(van)
    fleet, tono = office.central.fleet, office.people["tono"]
    stored = seen(office, "Si Jola Hilang").stored
    dossier = fleet.dossier(tono, "Si Jola Hilang")
    assert [(late.id, late.files) for late in dossier.late] == [(record.hex(), 1)]
    assert dossier.late[0].phone.startswith("+62")
    assert dossier.arrivals[0].last == stored
    assert dossier.notice == 0

    office.central.devices.lose(tono, "Si Jola Hilang", "dicuri di pelabuhan", stored - 1)
    after = fleet.dossier(tono, "Si Jola Hilang")
    assert after.seen.device.state == "lost"
    assert after.notice == office.clock.at + NOTICE_SECONDS
    assert after.trail[0].action == "device.lose"
    page = fleet.held(tono, "Si Jola Hilang", limit=1)
    assert record.hex() in [row.id for row in held_rows(office, "Si Jola Hilang")]
    assert page.n == after.held == len(held_rows(office, "Si Jola Hilang"))
    assert ("tono", "device.held") in office.trail()


def held_rows(office: Pusat, name: str) -> list:
    """All pages of what a laptop holds."""
    rows, after = [], ""
    while True:
        page = office.central.fleet.held(office.people["tono"], name, after, 1)
        rows += page.rows
        after = page.next
        if not after:
            return rows


def test_laptops_are_for_who_keeps_them_and_of_the_own_area(office: Pusat) -> None:
    fleet, people = office.central.fleet, office.people
    office.van("Si Jola Milik", VILLAGE)
    with pytest.raises(Problem, match=r"auth\.forbidden"):
        fleet.overview(people["rina"])
    assert fleet.dossier(people["mata"], "Si Jola Milik").waits == []
    elsewhere = office.central.staff.place(people["admin"], "wati", ["82.72.01"])
    try:
        assert "Si Jola Milik" not in [one.device.name for one in fleet.overview(elsewhere)]
        with pytest.raises(Problem, match=r"auth\.area"):
            fleet.dossier(elsewhere, "Si Jola Milik")
        with pytest.raises(Problem, match=r"auth\.area"):
            fleet.held(elsewhere, "Si Jola Milik")
        with pytest.raises(Problem, match=r"auth\.area"):
            office.central.voyages.keep(elsewhere, plan((1, VILLAGE)))
        with pytest.raises(Problem, match=r"auth\.area"):
            office.central.voyages.keep(elsewhere, plan((1, "82.72.01.1001")), "Si Jola Milik")
    finally:
        office.central.staff.place(people["admin"], "wati", [])


def test_days_of_voyages_go_to_the_laptops_and_those_called_off_do_not(office: Pusat) -> None:
    voyages, tono = office.central.voyages, office.people["tono"]
    note = 'Bawa KK "asli" \\ fotokopi'
    stop = Stop((TODAY + timedelta(days=20)).isoformat(), VILLAGE, note)
    goes = voyages.keep(tono, Plan("Jemput bola", (stop,)))
    off = voyages.keep(tono, plan((21, OTHER_VILLAGE)))
    voyages.cancel(tono, off.id, "cuaca buruk")
    with pytest.raises(Problem, match=r"voyage\.cancelled"):
        voyages.keep(tono, plan((22, VILLAGE)), name=off.id)
    published = voyages.publish(tono)
    with office.central.registry.read() as door:
        assert door.package()[0] == published.number
    told = read_visits(office.central.reference.files()[VISITS_FILE]).visit
    assert (stop.day, VILLAGE, note) in [(str(v.day), v.village, v.note) for v in told]
    assert OTHER_VILLAGE not in [v.village for v in told if str(v.day) > "2026-12-08"]
    with pytest.raises(Problem, match=r"reference\.nothing"):
        voyages.publish(tono)
    assert voyages.voyage(office.people["mata"], goes.id).plan.stops == (stop,)
    with pytest.raises(Problem, match=r"auth\.forbidden"):
        voyages.publish(office.people["rina"])


def test_what_was_planned_stands_beside_what_was_taken_in(office: Pusat) -> None:
    voyages, tono = office.central.voyages, office.people["tono"]
    van = office.van("Si Jola Hasil", VILLAGE, OTHER_VILLAGE)
    van.clock = office.clock.at - 2 * DAY
    for number in (41, 42):
        van.take_in(number)
    office.sync(van)
    with office.central.registry.database.writing() as session:  # made again in a second log
        for table, log in ((table_of(LogRow), "id"), (table_of(EntryRow), "log")):
            rows = session.execute(select(table).where(table.c[log] == van.log)).mappings().all()
            again = [dict(row) | {log: b"l" * 16} for row in rows]
            session.execute(insert(table), again)
    gone = voyages.keep(tono, plan((-2, VILLAGE), (-2, OTHER_VILLAGE)), "Si Jola Hasil")
    done = {one.stop.village: one for one in voyages.outcome(tono, gone.id)}
    assert (done[VILLAGE].taken, done[OTHER_VILLAGE].taken) == (2, 0)
    assert done[OTHER_VILLAGE].elsewhere == 2
    assert done[VILLAGE].over
    coverage = {one.village: one for one in voyages.coverage(tono)}
    assert len(coverage) == 89
    assert coverage[VILLAGE].taken >= 2
    assert not coverage[VILLAGE].gap
    never = voyages.coverage(tono)[0]
    assert (never.days, never.gap) == (None, True)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"purpose": " "}, "voyage.purpose"),
        ({"stops": ()}, "voyage.stops"),
        ({"stops": (Stop("30-11-2026", VILLAGE),)}, "voyage.day"),
        ({"stops": (Stop("2026-11-30", "82.72.99.9999"),)}, "region.unknown"),
        ({"stops": (Stop("2026-11-30", VILLAGE), Stop("2027-03-01", VILLAGE))}, "voyage.long"),
        ({"team": tuple(Member(f"Orang {n}") for n in range(21))}, "voyage.team"),
    ],
)
def test_a_voyage_that_cannot_be_is_refused(office: Pusat, changed: dict, code: str) -> None:
    wrong = msgspec.structs.replace(plan((3, VILLAGE)), **changed)
    with pytest.raises(Problem, match=code.replace(".", r"\.")):
        office.central.voyages.keep(office.people["tono"], wrong)


def test_requests_of_a_village_are_counted_from_a_time_on(office: Pusat) -> None:
    village = "82.72.08.1001"
    van = office.van("Si Jola Hitung", village)
    address = {"address": "Kampung", "rt": "001", "rw": "001", "village": village}
    before, begin = 3, office.clock.at
    for number in range(101, 101 + before):
        van.take_in(number, **{GROUP: address})
        office.sync(van)
        office.clock.at += DAY
    try:
        with office.central.registry.read() as door:
            found = [door.taken_by_village(begin + n * DAY)[village] for n in range(before + 1)]
        newest = begin + (before - 1) * DAY
        assert found == [(3, newest), (2, newest), (1, newest), (0, newest)]
    finally:
        office.clock.at = begin
