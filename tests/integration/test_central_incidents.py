"""Incidents in words: what happened, what is known, what to do, whose turn; on both databases."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from models.changes import Change, Hole, Incident, raw
from models.problems import Problem
from server.incidents import KINDS
from server.restoring import confirm, go_on
from tests.pusat import GROUP, NOW, OTHER_VILLAGE, VILLAGE, Pusat, pusat


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def office(tmp_path_factory, request) -> Iterator[Pusat]:
    kind = request.param
    url = request.getfixturevalue("postgres_module_url") if kind == "postgres" else ""
    with pusat(tmp_path_factory.mktemp("pusat") / kind, url) as opened:
        yield opened


def seen(office: Pusat) -> int:
    with office.central.registry.read() as door:
        return door.standing().server_seq


def only(office: Pusat, kind: str) -> str:
    """The one open incident of that kind."""
    (line,) = office.central.incidents.lines(office.people["rina"], kind=kind)
    return line.id


def noticed(office: Pusat, kind: str, note: str) -> None:
    """Central opens a case by itself."""
    change = Change(
        "incident", b"", 0, 1, "", 0, 0, NOW, NOW, 0, 0, 0, None, raw(Incident(kind, note))
    )
    with office.central.registry.write() as door:
        office.central.ledger.write_in(door, change, NOW, "system")


def test_work_after_a_loss_is_listed_and_settled(office):
    van = office.van("Si Jola 1")
    van.take_in(1)
    office.sync(van)
    upto = van.last - 1
    tono = office.people["tono"]
    office.central.devices.lose(tono, "Si Jola 1", "jatuh ke laut", upto=upto)
    late = van.take_in(2)
    office.sync(van)
    shown = (
        office.central.incidents.show(tono, line.id)
        for line in office.central.incidents.lines(tono, kind="after-lost")
    )
    found = [one for one in shown if one.device == "Si Jola 1"]
    judged = next(one for one in found if one.told.requests)
    assert [line.id for line in judged.told.requests] == [van.own_work_record(upto + 1).hex()]
    assert all(line.name for line in judged.told.requests)
    assert ("Alasan dari petugas", "jatuh ke laut") in judged.told.known
    waiting = next(one for one in found if one.case.parked)
    assert ("Menunggu putusan", "1 catatan") in waiting.told.known
    assert set(waiting.case.choices) == {"release", "discard"}
    assert waiting.told.turn.startswith("Kantor: verifikator")
    resolve = office.central.casework.resolve
    with pytest.raises(Problem) as refused:
        resolve(tono, waiting.case.id, "noted", "sudah", seen(office))
    assert refused.value.code == "case.choice"
    with pytest.raises(Problem) as refused:
        resolve(tono, waiting.case.id, "release", " ", seen(office))
    assert refused.value.code == "reason.required"
    resolve(tono, waiting.case.id, "release", "petugas masih memegangnya", seen(office))
    with office.central.registry.read() as door:
        assert door.record(late) is not None
    closed = office.central.incidents.show(tono, waiting.case.id, "en")
    assert closed.told.turn == "Closed; nothing is left to be done."


def test_requests_of_another_area_are_not_named(office):
    van = office.van("Si Jola 9", VILLAGE, OTHER_VILLAGE)
    van.take_in(1)
    upto = van.last
    moved = {"address": "Kota", "rt": "001", "rw": "002", "village": OTHER_VILLAGE}
    records = [van.take_in(2).hex(), van.take_in(3, **{GROUP: moved}).hex()]
    office.sync(van)
    tono, admin = office.people["tono"], office.people["admin"]
    office.central.devices.lose(tono, "Si Jola 9", "hanyut", upto=upto)
    incidents = office.central.incidents
    shown = (incidents.show(tono, line.id) for line in incidents.lines(tono, kind="after-lost"))
    judged = next(one for one in shown if one.device == "Si Jola 9" and one.told.requests)
    assert {one.id for one in judged.told.requests} >= set(records)
    try:
        there = office.central.staff.place(admin, "tono", [OTHER_VILLAGE])
        # Today such a case is opened by who works for the whole city; its words ask by themselves.
        with patch.object(incidents.casework, "case", return_value=judged.case):
            found = incidents.show(there, judged.case.id).told.requests
    finally:
        office.central.staff.place(admin, "tono", [])
    assert [one.id for one in found] == records[1:]


def test_a_fork_says_whether_the_laptop_has_gone_on(office):
    van = office.van("Si Jola 2")
    van.take_in(1)
    office.sync(van)
    noticed(office, "fork", f"log {van.log.hex()} entry 3")
    found = office.central.incidents.show(office.people["rina"], only(office, "fork"))
    assert "menulis mulai nomor 3" in found.told.what
    assert ("Buku catatan baru", "belum dibuka laptop") in found.told.known
    assert found.told.turn.startswith("Laptop:")
    resolve = office.central.casework.resolve
    resolve(office.people["rina"], found.case.id, "noted", "disk disalin", seen(office))
    assert office.central.incidents.lines(office.people["rina"], kind="fork") == []
    (line,) = office.central.incidents.lines(office.people["rina"], kind="fork", state="closed")
    assert line.id == found.case.id


def test_a_hole_says_which_numbers_and_how_many_were_found_again(office):
    van = office.van("Si Jola 3")
    van.take_in(1)
    office.sync(van)
    change = van.change("hole", Hole(3, 3, van.entries[2].head, "disk rusak"))
    van.append([change])
    office.sync(van)
    found = office.central.incidents.show(office.people["rina"], only(office, "hole"))
    facts = dict(found.told.known)
    assert facts["Nomor yang hilang"] == "3"
    assert facts["Sudah ditemukan lagi"] == "1 dari 1"
    assert facts["Alasan dari petugas"] == "disk rusak"
    assert facts["Laptop"] == "Si Jola 3"


def test_a_refusal_tells_its_reason_in_words(office):
    noticed(office, "refused", "change.malformed")
    found = office.central.incidents.show(office.people["rina"], only(office, "refused"))
    facts = dict(found.told.known)
    assert facts["Kode"] == "change.malformed"
    assert len(facts["Sebab"]) > 20


def test_a_restore_brings_its_report(office):
    central, tono = office.central, office.people["tono"]
    van = office.van("Si Jola 4")
    van.take_in(1)
    office.sync(van)
    go_on(central.registry, central.keys.log, secrets.token_bytes, NOW)
    try:
        found = central.incidents.show(tono, only(office, "restore"))
    finally:
        confirm(central.registry, tono, NOW)  # the other tests' laptops are let in again
    said = [text for what, text in found.told.known if not what]
    assert any(text.startswith("Dipulihkan") for text in said)
    assert any("Si Jola 4" in text for text in said)


def test_who_may_not_and_what_is_no_incident(office):
    with pytest.raises(Problem) as refused:
        office.central.incidents.lines(office.people["siak"])
    assert refused.value.code == "auth.forbidden"
    rina = office.people["rina"]
    with pytest.raises(Problem) as refused:
        office.central.incidents.lines(rina, kind="dispute")
    assert refused.value.code == "incident.kind"
    assert "dispute" not in KINDS
