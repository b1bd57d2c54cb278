"""Laptops at central: invited, known, suspended, lost, and never cut off from what they bring."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from models.changes import Body, encode
from models.problems import Problem
from sync import enrolment
from sync.identity import Identity, sign
from sync.logs import Open, log_id
from sync.messages import Enrolment
from tests.pusat import DAY, FREE, NOW, OTHER_VILLAGE, PASSWORD, VILLAGE, Pusat, Van, pusat


@pytest.fixture
def office(tmp_path) -> Iterator[Pusat]:
    with pusat(tmp_path / "pusat") as opened:
        yield opened


def code(answer) -> str:
    return answer.json().get("code", answer.text)


def logs(office: Pusat, name: str) -> list:
    devices = office.central.devices.list(office.people["admin"])
    return next(found for device, found in devices if device.name == name)


def state(office: Pusat, name: str) -> str:
    devices = office.central.devices.list(office.people["admin"])
    return next(device.state for device, _ in devices if device.name == name)


def other_opening(van: Van) -> tuple[Identity, bytes]:
    """Another key for the same device, as a copied invitation would bring."""
    me = Identity(b"o" * 32, b"p" * 32)
    opening = encode(Open(me.sign_key, me.seal_key, van.device, b"", 0, b"", "enrolled"))
    return me, opening


def asked_by(van: Van, me: Identity, opening: bytes, proof: bytes, token: bytes) -> bytes:
    ask = Enrolment(token, opening, proof, b"escrow")
    return enrolment.ask(ask, me, van.invitation.seal_key)


def test_enrolling_gives_a_certificate_and_twice_is_once(office):
    van = office.invited("Si Jola 1", VILLAGE, OTHER_VILLAGE)
    answers = [office.enrol(van.asking()) for _ in range(2)]
    found = [
        enrolment.read_certificate(a.content, van.identity, van.invitation.sign_key)
        for a in answers
    ]
    assert found[0] == found[1]
    assert (found[0].log, found[0].villages) == (van.log, [VILLAGE, OTHER_VILLAGE])
    assert (found[0].block, found[0].grant) == (van.invitation.block, 1)
    assert len(logs(office, "Si Jola 1")) == 1
    assert state(office, "Si Jola 1") == "active"
    with office.central.registry.read() as door:
        assert door.escrow(van.log) == b"escrow"
    assert office.trail().count(("system", "device.enrol")) == 1


def test_a_copied_invitation_enrols_nobody_else(office):
    van = office.van("Si Jola 1")
    me, opening = other_opening(van)
    proof = enrolment.proof(van.invitation.secret, opening)
    answer = office.enrol(asked_by(van, me, opening, proof, van.token))
    assert (answer.status_code, code(answer)) == (409, "invitation.used")
    assert len(logs(office, "Si Jola 1")) == 1


def test_an_expired_invitation_is_refused_until_it_is_renewed(office):
    van = office.invited("Si Jola 1")
    office.clock.at = NOW + 15 * DAY
    assert code(office.enrol(van.asking())) == "invitation.expired"
    assert logs(office, "Si Jola 1") == []
    office.central.devices.renew(office.people["admin"], "Si Jola 1")
    assert office.enrol(van.asking()).status_code == 200
    office.clock.at = NOW + 60 * DAY
    assert office.enrol(van.asking()).status_code == 200, "a known log is answered for ever"


def test_the_secret_and_the_signature_of_an_invitation_are_needed(office):
    van = office.invited("Si Jola 1")
    opening = van.opening()
    wrong = asked_by(van, van.identity, opening, enrolment.proof(b"x" * 32, opening), van.token)
    assert code(office.enrol(wrong)) == "invitation.malformed"
    mine = Identity(b"f" * 32, b"g" * 32)
    forged = msgspec.structs.replace(van.invitation, sign_key=mine.sign_key)
    token = enrolment.invite(forged, mine)
    proof = enrolment.proof(forged.secret, opening)
    answer = office.enrol(asked_by(van, van.identity, opening, proof, token))
    assert code(answer) == "invitation.malformed"
    assert logs(office, "Si Jola 1") == []


def test_an_invitation_fits_its_own_device_only(office):
    van, other = office.invited("Si Jola 1"), office.invited("Si Jola 2")
    opening = van.opening()
    proof = enrolment.proof(other.invitation.secret, opening)
    answer = office.enrol(asked_by(van, van.identity, opening, proof, other.token))
    assert code(answer) == "invitation.malformed"


def test_an_enrolment_signed_by_another_key_is_refused(office):
    van = office.invited("Si Jola 1")
    opening = van.opening()
    proof = enrolment.proof(van.invitation.secret, opening)
    body = asked_by(van, Identity(b"a" * 32, b"b" * 32), opening, proof, van.token)
    assert code(office.enrol(body)) == "sync.signature"


@pytest.mark.parametrize("cut", [0, 1, 9, 60, -1])
def test_a_cut_enrolment_is_refused_in_words(office, cut):
    van = office.invited("Si Jola 1")
    answer = office.enrol(van.asking()[:cut])
    assert answer.status_code in (400, 401, 409)
    assert code(answer).startswith("sync.")


# -- a log that follows another


def successor(
    van: Van, parent_key: bytes, parent: bytes = b"", seeds: bytes = b"st", **strange: Any
) -> tuple[Identity, bytes]:
    me = Identity(seeds[:1] * 32, seeds[1:] * 32)
    parent = parent or van.log
    plain = Open(me.sign_key, me.seal_key, van.device, parent, van.last, van.head, "rotated")
    opening = encode(msgspec.structs.replace(plain, **strange))
    proof = sign(parent_key, enrolment.succession(opening))
    return me, asked_by(van, me, opening, proof, b"")


def seed(van: Van) -> bytes:
    return van.identity.signer.private_bytes_raw()


def test_a_later_log_is_vouched_for_by_the_one_it_follows(office):
    van = office.van("Si Jola 1")
    me, body = successor(van, seed(van))
    answer = office.enrol(body)
    assert answer.status_code == 200, answer.text
    found = enrolment.read_certificate(answer.content, me, van.invitation.sign_key)
    assert found.device == van.device
    assert found.block == van.invitation.block, "it gave out codes before it could ask for another"
    assert office.enrol(body).status_code == 200
    assert [log.id for log in logs(office, "Si Jola 1")] == [van.log, log_id(me.sign_key)]


def test_a_laptop_opens_so_many_logs_a_day(office, monkeypatch):
    """Each has its own cases and stays for ever; one that is suspended may go on opening them."""
    monkeypatch.setattr("server.enrolment.LOGS_A_DAY", 2)
    van = office.van("Si Jola 1")
    (_, second), (_, third) = (successor(van, seed(van), seeds=two) for two in (b"st", b"uv"))
    assert office.enrol(second).status_code == 200
    answer = office.enrol(third)
    assert (code(answer), answer.headers["retry-after"]) == ("sync.rate", "86400")
    assert office.enrol(second).status_code == 200, "what is known is told as often as it is asked"
    office.clock.at += 86_400
    assert office.enrol(third).status_code == 200


def test_a_later_log_without_the_parents_key_is_refused(office):
    van = office.van("Si Jola 1")
    _, body = successor(van, b"z" * 32)
    assert code(office.enrol(body)) == "sync.signature"
    _, body = successor(van, seed(van), parent=b"unknown-log-0001")
    assert code(office.enrol(body)) == "sync.unknown_device"
    assert len(logs(office, "Si Jola 1")) == 1


@pytest.mark.parametrize(
    "strange",
    [
        {"parent_seq": (1 << 64) - 1},
        {"parent_seq": -1},
        {"parent_head": b"h" * 5000},
        {"reason": "NIK 8272030101900001"},
        {"reason": "x" * 5000},
        {"seal_key": b"short"},
        {"seal_key": bytes(32)},  # a point of low order: nothing can be sealed to it
        {"seal_key": bytes.fromhex("ecffffff" + "ff" * 27 + "7f")},
    ],
)
def test_an_opening_that_cannot_be_is_malformed_and_leaves_no_trace(office, strange):
    van = office.van("Si Jola 1")
    before = office.trail()
    _, body = successor(van, seed(van), **strange)
    assert code(office.enrol(body)) == "sync.malformed"
    assert office.trail() == before
    assert len(logs(office, "Si Jola 1")) == 1


@pytest.mark.parametrize(
    ("verb", "expected"), [("lose", "device.lost"), ("retire", "device.retired")]
)
def test_no_new_log_of_a_laptop_that_is_gone(office, verb, expected):
    van = office.van("Si Jola 1")
    getattr(office.central.devices, verb)(office.people["admin"], "Si Jola 1", "tertinggal")
    _, body = successor(van, seed(van))
    assert code(office.enrol(body)) == expected


# -- trust withdrawn


def test_what_a_lost_laptop_brings_is_kept_and_waits_for_a_person(office):
    van = office.van("Si Jola 1")
    before = van.take_in(1)
    office.sync(van)
    office.central.devices.lose(office.people["tono"], "Si Jola 1", "jatuh ke laut")
    after = van.take_in(2)
    reply = office.sync(van)
    assert reply.checkpoint.seq == van.last, "stored all the same"
    assert van.outcome(van.last).state == "held"
    with office.central.registry.read() as door:
        assert door.record(before) is not None
        assert door.record(after) is None
    (line,) = office.cases(kind="after-lost")
    sheet = office.get("rina", f"/v1/cases/{line['id']}").json()
    assert [p["author"]["seq"] for p in sheet["parked"]] == [van.last]
    body = {"seen": sheet["seen"], "take": "release", "reason": "laptop ditemukan"}
    assert office.post("tono", f"/v1/cases/{line['id']}/resolve", body).status_code == 200
    with office.central.registry.read() as door:
        assert door.record(after) is not None
    office.sync(van)
    assert van.outcome(van.last).state == "accepted"


@pytest.mark.parametrize(("verb", "login"), [("lose", "tono"), ("retire", "admin")])
def test_a_laptop_out_of_our_hands_is_told_nothing_about_anybody(office, verb, login):
    van, other = office.van("Si Jola 1"), office.van("Kantor Desa")
    mine = van.take_in(1)
    office.sync(van)
    getattr(office.central.devices, verb)(office.people[login], "Si Jola 1", "jatuh ke laut")
    theirs = other.take_in(2)
    office.sync(other)
    other.look(mine)
    office.sync(other)
    other.edit(mine, Body(set={FREE: "+6281299990000"}), other.display(mine))
    office.sync(other)
    reply = office.sync(van)
    assert reply.upper.server_seq == reply.checkpoint.server_seq
    assert theirs not in van.snapshot.records
    assert van.snapshot.records[mine].units[FREE].value != "+6281299990000"


def test_lost_from_an_earlier_entry_opens_a_case_about_what_was_decided_since(office):
    van = office.van("Si Jola 1")
    van.take_in(1)
    office.sync(van)
    office.central.devices.lose(office.people["tono"], "Si Jola 1", "dicuri", upto=2)
    (log,) = logs(office, "Si Jola 1")
    assert (log.state, log.limit) == ("lost", 2)
    (case,) = office.cases(kind="after-lost")
    sheet = office.get("tono", f"/v1/cases/{case['id']}").json()
    assert "3-3" in sheet["note"]
    body = {"seen": sheet["seen"], "take": "release", "reason": "sudah diperiksa"}
    assert office.post("tono", f"/v1/cases/{case['id']}/resolve", body).status_code == 200


def test_a_checkpoint_beyond_what_is_stored_is_refused(office):
    office.van("Si Jola 1")
    with pytest.raises(Problem) as refused:
        office.central.devices.lose(office.people["tono"], "Si Jola 1", "dicuri", upto=9)
    assert refused.value.code == "device.checkpoint"
    assert state(office, "Si Jola 1") == "active", "nothing half done"


def test_a_suspended_laptop_is_told_and_works_again_after(office):
    van = office.van("Si Jola 1")
    office.sync(van)
    office.central.devices.suspend(office.people["tono"], "Si Jola 1", "diperiksa")
    van.take_in(1)
    reply = office.sync(van)
    assert len(reply.orders) == 1
    assert van.outcome(van.last).state == "held"
    office.central.devices.resume(office.people["tono"], "Si Jola 1", "sudah jelas")
    van.take_in(2)
    assert len(office.sync(van).orders) == 2
    assert van.outcome(van.last).state == "applied"


@pytest.mark.parametrize(
    ("verb", "login", "expected"),
    [
        ("retire", "tono", "auth.forbidden"),
        ("suspend", "rina", "auth.forbidden"),
        ("lose", "siak", "auth.forbidden"),
        ("resume", "admin", "device.no_such_move"),
    ],
)
def test_a_move_that_is_not_allowed_changes_nothing(office, verb, login, expected):
    office.van("Si Jola 1")
    with pytest.raises(Problem) as refused:
        getattr(office.central.devices, verb)(office.people[login], "Si Jola 1", "alasan")
    assert refused.value.code == expected
    assert state(office, "Si Jola 1") == "active"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": " "}, "device.name"),
        ({"name": "x" * 41}, "device.name"),
        ({"name": "Si Jola 1"}, "device.name"),
        ({"office_kind": "boat"}, "device.kind"),
        ({"villages": ["82.72.01"]}, "region.unknown"),
        ({"villages": ["99.99.99.9999"]}, "region.unknown"),
    ],
)
def test_an_invitation_that_makes_no_sense_is_not_made(office, given, expected):
    office.invited("Si Jola 1")
    asked = {"name": "Baru", "office_kind": "van", "office": "", "villages": [], "operator": ""}
    with pytest.raises(Problem) as refused:
        office.central.devices.invite(office.people["admin"], **(asked | given))
    assert refused.value.code == expected
    with pytest.raises(Problem) as refused:
        office.central.devices.invite(office.people["tono"], **asked)
    assert refused.value.code == "auth.forbidden"


def test_who_works_for_an_area_does_nothing_to_a_laptop_of_elsewhere(office):
    admin, devices, staff = office.people["admin"], office.central.devices, office.central.staff
    both = ["admin", "supervisor"]
    lala = staff.place(admin, staff.add(admin, "lala", "Lala", both, PASSWORD).login, ["82.72.01"])
    office.van("Si Jola 1", VILLAGE)
    near = "82.72.01.1001"
    mine = {"office_kind": "van", "office": "", "operator": ""}
    devices.invite(lala, "Si Jola 2", villages=[near], **mine)
    verbs: list[Any] = [
        lambda: devices.invite(lala, "Si Jola 3", villages=[near, VILLAGE], **mine),
        lambda: devices.invite(lala, "Si Jola 3", villages=[], **mine),
        lambda: devices.scope(lala, "Si Jola 2", [near, VILLAGE]),
        lambda: devices.scope(lala, "Si Jola 2", [VILLAGE], office.clock.at + DAY),
        lambda: devices.scope(lala, "Si Jola 1", [near]),
        lambda: devices.renew(lala, "Si Jola 1"),
        lambda: devices.suspend(lala, "Si Jola 1", "alasan"),
        lambda: devices.resume(lala, "Si Jola 1", "alasan"),
        lambda: devices.lose(lala, "Si Jola 1", "alasan"),
        lambda: devices.retire(lala, "Si Jola 1", "alasan"),
        lambda: devices.retry(lala, "Si Jola 1", "alasan"),
    ]
    for n, verb in enumerate(verbs):
        with pytest.raises(Problem) as refused:
            verb()
        assert (n, refused.value.code) == (n, "auth.area")
    assert [device.name for device, _ in devices.list(lala)] == ["Si Jola 2"]
    found = {device.name: device for device, _ in devices.list(admin)}
    assert [(one.villages, one.lent) for one in found.values()] == [((VILLAGE,), ()), ((near,), ())]
    assert state(office, "Si Jola 1") == "active"
