"""Cases at central: people decide what merging may not, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
import pytest

from models.calendar import Calendar
from models.changes import Body, Change
from models.problems import Problem
from models.words import WIT
from server.commands.cases import draw
from server.promise import read_calendar
from server.terminal import Terminal
from tests.pusat import FREE, GROUP, NOW, OTHER_VILLAGE, PROTECTED, Pusat, Van, pusat


@pytest.fixture
def office(tmp_path) -> Iterator[Pusat]:
    with pusat(tmp_path / "pusat") as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgres"])
def any_office(tmp_path, request) -> Iterator[Pusat]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with pusat(tmp_path / "pusat", url) as opened:
        yield opened


def code(answer) -> str:
    return answer.json().get("code", answer.text)


NAMES = {"first": "SALMA HAMID", "second": "SALMAH HAMID"}


def identity(van: Van, record: bytes, name: str) -> dict:
    """The identity group as the form has it, with another name."""
    view = van.look(record)
    assert view is not None
    return dict(view.units[PROTECTED]) | {"name": name}


def disputed(office: Pusat) -> tuple[Van, Van, bytes, dict]:
    """Two laptops of one village give one citizen two names; the sheet of the case."""
    first, second = office.van("Si Jola 1"), office.van("Kantor Desa")
    record = first.take_in()
    office.sync(first)
    office.sync(second)
    screens = {van: van.display(record) for van in (first, second)}
    office.clock.at += 60
    for van, name in ((first, NAMES["first"]), (second, NAMES["second"])):
        van.edit(record, Body(set={PROTECTED: identity(van, record, name)}), screens[van])
        office.sync(van)
        office.clock.at += 60
    (line,) = office.cases()
    sheet = office.get("rina", f"/v1/cases/{line['id']}").json()
    return first, second, record, sheet


def decide(office: Pusat, login: str, sheet: dict, **choice):
    body = {"seen": sheet["seen"], "reason": "cocok dengan KK", **choice}
    return office.post(login, f"/v1/cases/{sheet['id']}/resolve", body)


def test_a_dispute_shows_every_side_of_it(office):
    _, second, record, sheet = disputed(office)
    assert (sheet["kind"], sheet["unit"], sheet["protected"]) == ("dispute", PROTECTED, True)
    assert sheet["choices"] == ["current", "offer", "value"]
    standing, offer = sheet["sides"]
    assert standing["value"]["name"] == NAMES["first"]
    assert offer["value"]["name"] == NAMES["second"]
    assert (offer["author"]["who"], offer["author"]["device"]) == ("Sari", "Kantor Desa")
    assert offer["author"]["log"] == second.log.hex()
    assert offer["shown"] == standing["shown"], "both had the same name on the screen"
    assert offer["shown"]["name"] not in NAMES.values()
    assert (offer["author"]["not_before"], offer["author"]["not_after"]) == (NOW, NOW + 120)
    assert sheet["requests"][0]["id"] == record.hex()


def test_a_case_has_an_owner_and_a_last_day(office):
    """Opened on a working day; the decree of the year makes the estimate certain."""
    *_, sheet = disputed(office)
    (line,) = office.cases()
    opened = datetime.fromtimestamp(sheet["opened_at"], WIT).date()
    due = Calendar().after(opened, 3)
    for told in (sheet, line):
        assert (told["owner"], told["due"], told["due_estimated"]) == (
            "supervisor", due.day.isoformat(), True,
        )  # fmt: skip
    folder = office.central.place.folder / "calendar"
    folder.mkdir()
    off = due.day.isoformat()
    text = f'year = {opened.year}\nreference = "SKB"\n'
    text += f'[[off]]\ndate = {off}\nholiday = "local"\nwords = "x"'
    (folder / f"{opened.year}.toml").write_text(text)
    office.central.casework.calendar = read_calendar(folder)
    (line,) = office.cases()
    assert (line["due"] > off, line["due_estimated"]) == (True, False)
    (folder / "0.toml").write_bytes(b"\xff")
    with pytest.raises(Problem) as refused:
        read_calendar(folder)
    assert refused.value.code == "calendar.decree"


def test_a_protected_unit_is_decided_by_two_people_and_both_authors_are_told(any_office):
    office = any_office
    first, second, record, sheet = disputed(office)
    proposed = decide(office, "rina", sheet, take="offer")
    assert proposed.json()["state"] == "waiting"
    path = f"/v1/cases/{sheet['id']}"
    waiting = office.get("tono", path).json()
    assert (waiting["state"], waiting["proposal"]["by"]) == ("proposed", "Rina (rina)")
    assert waiting["proposal"]["take"] == "offer"
    body = {"seen": waiting["seen"], "reason": "sudah dilihat"}
    assert code(office.post("yusuf", f"{path}/approve", body)) == "auth.forbidden"
    assert value(office, record, PROTECTED)["name"] == NAMES["first"], "not before the second"
    assert office.post("tono", f"{path}/approve", body).status_code == 200
    assert value(office, record, PROTECTED)["name"] == NAMES["second"]
    for van, mine in ((first, "first"), (second, "second")):
        office.sync(van)
        (notice,) = [n for n in van.notices if n.kind == "decided"]
        assert (notice.mine["name"], notice.value["name"]) == (NAMES[mine], NAMES["second"])
        assert notice.by == "Rina (rina) + Tono (tono)"
        assert "cocok dengan KK" in notice.reason
    assert office.cases() == []


def value(office: Pusat, record: bytes, unit: str):
    with office.central.registry.read() as door:
        found = door.record(record)
        assert found is not None
        return found.units[unit].value


def test_a_supervisor_cannot_approve_the_own_proposal(office):
    _, _, record, sheet = disputed(office)
    assert decide(office, "tono", sheet, take="current").status_code == 200
    path = f"/v1/cases/{sheet['id']}"
    before = office.trail()
    body = {"seen": office.seen("tono", path), "reason": "ya"}
    assert code(office.post("tono", f"{path}/approve", body)) == "lifecycle.same_person"
    assert office.trail() == [*before, ("tono", "case.read")], "nothing but the look"
    body["seen"] = office.seen("wati", path)
    assert office.post("wati", f"{path}/approve", body).status_code == 200
    assert value(office, record, PROTECTED)["name"] == NAMES["first"]


def test_a_proposal_can_be_replaced_before_it_is_approved(office):
    _, _, record, sheet = disputed(office)
    decide(office, "rina", sheet, take="offer")
    path = f"/v1/cases/{sheet['id']}"
    old = office.seen("wati", path)
    body = {"seen": old, "take": "current", "reason": "saya periksa SIAK"}
    assert office.post("yusuf", f"{path}/resolve", body).status_code == 200
    stale = office.post("wati", f"{path}/approve", {"seen": old, "reason": "ya"})
    assert code(stale) == "case.stale", "what is approved must have been on the screen"
    assert value(office, record, PROTECTED)["name"] == NAMES["first"]


def test_a_stale_decision_is_shown_again_and_not_applied(office):
    _, second, record, sheet = disputed(office)
    newer = identity(second, record, "SALMAH HAMID ALBAAR")
    second.edit(record, Body(set={PROTECTED: newer}))
    office.sync(second)
    before = office.trail()
    assert code(decide(office, "rina", sheet, take="offer")) == "case.stale"
    assert office.trail() == before
    fresh = office.get("rina", f"/v1/cases/{sheet['id']}").json()
    assert fresh["sides"][-1]["value"]["name"] == "SALMAH HAMID ALBAAR"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"take": "link"}, "case.choice"),
        ({"take": "offer", "offer": 7}, "case.choice"),
        ({"take": "current", "reason": "  "}, "reason.required"),
        ({"take": "current", "reason": "x" * 501}, "reason.too_long"),
        ({"take": "current", "seen": 10**9}, "case.stale"),
        ({"take": "value", "value": {"name": "A", "no_such_field": 1}}, "unit.unknown"),
        ({"take": "value", "value": "not a group"}, "unit.unknown"),
        ({"take": "value", "value": None}, "case.choice"),
    ],
)
def test_a_choice_that_does_not_fit_changes_nothing(office, choice, expected):
    _, _, _, sheet = disputed(office)
    before = office.trail()
    assert code(decide(office, "rina", sheet, **choice)) == expected
    assert office.trail() == before


def test_a_value_typed_at_central_is_checked_like_any_other(office):
    first, _, record, sheet = disputed(office)
    wrong = identity(first, record, "SALMA") | {"nik": "12AB"}
    assert code(decide(office, "rina", sheet, take="value", value=wrong)).startswith("nik.")
    right = identity(first, record, "SALMA HAMID ALBAAR")
    assert decide(office, "rina", sheet, take="value", value=right).status_code == 200
    path = f"/v1/cases/{sheet['id']}"
    body = {"seen": office.seen("tono", path), "reason": "ya"}
    assert office.post("tono", f"{path}/approve", body).status_code == 200
    assert value(office, record, PROTECTED)["name"] == "SALMA HAMID ALBAAR"


@pytest.mark.parametrize("login", ["admin", "siak"])
def test_cases_are_for_those_who_decide(office, login):
    _, _, _, sheet = disputed(office)
    assert code(office.get(login, "/v1/cases")) == "auth.forbidden"
    assert code(office.get(login, f"/v1/cases/{sheet['id']}")) == "auth.forbidden"
    assert code(decide(office, login, sheet, take="current")) == "auth.forbidden"


def test_an_auditor_reads_and_cannot_decide(office):
    _, _, _, sheet = disputed(office)
    assert office.get("mata", f"/v1/cases/{sheet['id']}").status_code == 200
    assert code(decide(office, "mata", sheet, take="current")) == "auth.forbidden"


def test_a_request_with_an_open_case_is_not_accepted(office):
    _, _, record, _ = disputed(office)
    path = f"/v1/requests/{record.hex()}"
    answer = office.post("rina", f"{path}/accept", {"seen": office.seen("rina", path)})
    assert code(answer) == "request.case_open"
    assert office.get("rina", path).json()["status"] == "received", "the taking is undone too"


def test_a_free_field_needs_no_case(office):
    first, second = office.van("Si Jola 1"), office.van("Kantor Desa")
    record = first.take_in()
    office.sync(first)
    office.sync(second)
    screens = {van: van.display(record) for van in (first, second)}
    for van, phone in ((first, "081200000001"), (second, "081200000002")):
        van.edit(record, Body(set={FREE: phone}), screens[van])
        office.sync(van)
    assert office.cases() == []
    office.sync(first)
    assert [n.kind for n in first.notices if n.unit == FREE] == ["overridden"]


def test_two_requests_of_one_person_are_joined_by_one_decision(any_office):
    office = any_office
    first, second = office.van("Si Jola 1"), office.van("Kantor Desa")
    kept, other = first.take_in(1), second.take_in(2)
    office.sync(first)
    office.sync(second)
    (line,) = office.cases(kind="duplicate")
    sheet = office.get("rina", f"/v1/cases/{line['id']}").json()
    assert {r["id"] for r in sheet["requests"]} == {kept.hex(), other.hex()}
    assert decide(office, "rina", sheet, take="link").status_code == 200
    joined = office.get("rina", f"/v1/requests/{other.hex()}").json()
    assert (joined["status"], joined["kept"]) == ("merged", kept.hex())
    assert joined["code"], "its receipt stays valid"


def test_every_step_of_a_case_leaves_one_entry(office):
    _, _, _, sheet = disputed(office)
    path = f"/v1/cases/{sheet['id']}"
    for login in ("rina", "tono"):
        office.token(login)
    before = len(office.trail())
    office.cases()
    decide(office, "rina", sheet, take="offer")
    body = {"seen": office.seen("tono", path), "reason": "ya"}
    office.post("tono", f"{path}/approve", body)
    assert office.trail()[before:] == [
        ("tono", "case.list"),
        ("rina", "case.propose"),
        ("tono", "case.read"),
        ("tono", "case.approve"),
    ]


# -- what no program of ours wrote

LAST = (1 << 64) - 1
UNREADABLE = [b"\xa4\xff\xfe\xfd\xfc", b"\x81\xa3set\x05", b"\x05"]


def waiting_under_a_case(office: Pusat, changes: list[Change]) -> tuple[Van, str]:
    """A laptop that was suspended from its last entry on brings these; the id of the case."""
    van = office.van("Si Jola 1")
    record = van.take_in()
    office.sync(van)
    with office.central.registry.write() as door:
        door.keep_log_state(van.log, "active", van.last)
    for change in changes:
        van.append([msgspec.structs.replace(change, record=record, session=van.session)])
    office.sync(van)
    (case,) = office.cases()
    return van, case["id"]


def any_change(body: bytes, number: int = 0) -> Change:
    return Change("edit", b"", 0, 1, "", 0, 0, number, 0, 0, 1, number, None, msgspec.Raw(body))


def test_changes_that_cannot_be_read_are_shown_as_such_with_who_acts(office, capsys):
    readable = msgspec.msgpack.encode({"set": {FREE: "+62811"}})
    changes = [any_change(body) for body in UNREADABLE] + [any_change(readable, LAST)]
    _, case = waiting_under_a_case(office, changes)
    answer = office.get("tono", f"/v1/cases/{case}")
    assert answer.status_code == 200, answer.text
    sheet = answer.json()
    *bad, good = sheet["parked"]
    assert [one["problem"]["code"] for one in bad] == ["change.unreadable"] * len(UNREADABLE)
    assert {one["problem"]["who"] for one in bad} == {"engineer"}
    assert (good["set"], good["problem"]) == ({FREE: "+62811"}, None)
    assert good["author"]["wrote_at"] == LAST
    with office.central.registry.read() as door:
        assert good["author"]["not_before"] == door.moment(sheet["seen"])
    draw(Terminal("id", False), office.central.casework.case(office.people["tono"], case))
    assert "tidak dapat dibaca di sini" in capsys.readouterr().out.replace("\n", " ")
    done = office.post(
        "tono",
        f"/v1/cases/{case}/resolve",
        {"take": "release", "reason": "a", "seen": sheet["seen"]},
    )
    assert done.status_code < 300, done.text


def test_what_waits_for_a_second_person_is_found_however_much_waits_elsewhere(
    any_office, monkeypatch
):
    """A supervisor of one village: the oldest steps of the city are of others."""
    van, room = any_office.van("Si Jola 1"), any_office.central.verification
    moved = {GROUP: {"address": "Kota", "rt": "001", "rw": "002", "village": OTHER_VILLAGE}}
    records = [van.take_in(1).hex(), van.take_in(2, **moved).hex()]
    any_office.sync(van)
    for record in records:
        seen = any_office.seen("rina", f"/v1/requests/{record}")
        any_office.central.casework.reject(
            any_office.people["rina"], record, "NOT_ELIGIBLE", "", seen
        )
        any_office.clock.at += 60
    monkeypatch.setattr("server.verification.LIST_MAX", 1)
    tono = any_office.people["tono"]
    assert [line.id for line, _ in room.second(tono)] == records[:1]
    here = msgspec.structs.replace(tono, villages=OTHER_VILLAGE)
    assert [line.id for line, _ in room.second(here)] == records[1:]
