"""The audit trail at central: what is altered behind its back is found, and where."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync import keylist, receipt
from sync.receipt import Receipt
from tests.pusat import ON_PAPER, Pusat, Van, pusat


@pytest.fixture
def office(tmp_path) -> Iterator[Pusat]:
    with pusat(tmp_path / "pusat") as opened:
        yield opened


def busy(office: Pusat) -> Van:
    """A van with two requests, one of them accepted."""
    van = office.van("Si Jola 1")
    name = van.take_in(1).hex()
    office.sync(van)
    path = f"/v1/requests/{name}"
    done = office.post(
        "rina", f"{path}/accept", {"seen": office.seen("rina", path), "reason": ON_PAPER}
    )
    assert done.status_code == 200, done.text
    van.take_in(2)
    office.sync(van)
    return van


def file_of(office: Pusat) -> Path:
    return office.central.place.folder / "central.db"


def broken(office: Pusat) -> list[tuple[str, int, bytes]]:
    found = office.central.evidence.verify(office.people["mata"])
    return [(b.chain, b.number, b.log) for b in found.broken]


def alter(office: Pusat, statement: str, *values) -> None:
    with sqlite3.connect(file_of(office)) as behind:
        assert behind.execute(statement, values).rowcount == 1


def test_an_untouched_register_verifies(office):
    busy(office)
    assert broken(office) == []


def test_a_changed_byte_of_the_trail_is_found_at_its_number(office):
    busy(office)
    (n,) = [i for i, t in enumerate(office.trail(), 1) if t[1] == "request.approve"]
    alter(office, "update audit set actor = 'rinb' where n = ?", n)
    assert broken(office) == [("audit", n, b"")]


def test_a_missing_last_entry_of_the_trail_is_found(office):
    busy(office)
    last = len(office.trail())
    alter(office, "delete from audit where n = ?", last)
    assert broken(office) == [("audit", last, b"")]


def test_a_changed_byte_of_a_decision_is_found_at_its_number(office):
    busy(office)
    with sqlite3.connect(file_of(office)) as behind:
        ((number, data),) = behind.execute(
            "select server_seq, data from decisions order by server_seq desc limit 1"
        )
    changed = data[:-1] + bytes([data[-1] ^ 1])
    alter(office, "update decisions set data = ? where server_seq = ?", changed, number)
    assert ("decisions", number, b"") in broken(office)


def test_a_changed_byte_of_a_laptops_log_is_found_at_its_number(office):
    van = busy(office)
    data = van.entries[2].data
    changed = data[:40] + bytes([data[40] ^ 1]) + data[41:]
    alter(office, "update entries set data = ? where log = ? and seq = 3", changed, van.log)
    assert ("log", 3, van.log) in broken(office)


def test_only_those_who_may_read_the_trail_can_verify_it(office):
    from models.problems import Problem

    with pytest.raises(Problem) as refused:
        office.central.evidence.verify(office.people["rina"])
    assert refused.value.code == "auth.forbidden"


# -- receipts and keys


def issued(van: Van, seq: int = 3) -> bytes:
    """The receipt that the van prints for its entry `seq`."""
    entry = van.entries[seq - 1]
    record = van.own_work_record(seq)
    told = Receipt(record, (van.invitation.block, 1), "ktp-new-enrolment", 1, seq, entry.head)
    return receipt.issue(told, van.identity)


def test_a_receipt_is_verified_with_the_signed_key_list_alone(office):
    van = busy(office)
    signed = office.client.get("/v1/keys").content
    keys = keylist.read(signed, van.invitation.sign_key)
    told = keylist.check(issued(van), keys)
    assert told.seq == 3
    broken_list = signed[:-1] + bytes([signed[-1] ^ 1])
    with pytest.raises(Exception, match=r"sync\."):
        keylist.read(broken_list, van.invitation.sign_key)


def test_central_says_whether_the_receipts_request_arrived(office):
    van = busy(office)
    found = office.central.evidence.receipt(issued(van))
    assert (found.arrived, found.fits, found.status) == (True, True, "verified")
    van.take_in(3)
    later = office.central.evidence.receipt(issued(van, van.last))
    assert (later.arrived, later.status) == (False, "")


def test_an_edited_receipt_is_false(office):
    van = busy(office)
    token = issued(van)
    for at in range(0, len(token), 7):
        edited = token[:at] + bytes([token[at] ^ 4]) + token[at + 1 :]
        with pytest.raises(Exception, match=r"receipt\."):
            office.central.evidence.receipt(edited)


def test_a_receipt_issued_after_the_laptop_was_lost_says_ask_the_office(office):
    van = busy(office)
    early = issued(van, 3)
    office.central.devices.lose(office.people["tono"], "Si Jola 1", "dicuri", upto=3)
    assert office.central.evidence.receipt(early).arrived
    with pytest.raises(Exception, match=r"receipt\.ask_office"):
        office.central.evidence.receipt(issued(van, 4))


def test_what_waits_is_judged_again_by_the_job(office):
    """An edit of a request that never came waits, and is decided once a central can read it."""
    from models.changes import Body

    van = office.van("Si Jola 1")
    van.append([van.change("edit", Body(set={"applicant.phone": "0812"}), b"r" * 16)])
    office.sync(van)
    assert van.outcome(van.last).state == "waiting"
    assert office.central.ledger.retry(office.clock.at) == 0
    assert office.central.status().waiting == 1
