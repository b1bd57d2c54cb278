"""Blank cards by serial, and manifests of what is carried to villages; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from models.problems import Problem
from server.stock import DAY_SECONDS, LOT_MAX, lot
from tests.pusat import ON_PAPER, PASSWORD, PROTECTED, Pusat, pusat


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def office(tmp_path_factory, request) -> Iterator[Pusat]:
    """One office with a printer and a courier, and three cards that are ready to print."""
    kind = request.param
    url = request.getfixturevalue("postgres_module_url") if kind == "postgres" else ""
    with pusat(tmp_path_factory.mktemp("pusat") / kind, url) as opened:
        staff, admin = opened.central.staff, opened.people["admin"]
        for login, role in (("cetak", "printer"), ("kurir", "courier")):
            opened.people[login] = staff.add(admin, login, login.title(), [role], PASSWORD)
        van = opened.van("Si Jola 1")
        opened.cards = [  # type: ignore[attr-defined]
            van.take_in(
                n, **{PROTECTED: {"name": f"WARGA {n}", "nik": f"827203300309{n:04}"}}
            ).hex()
            for n in range(1, 4)
        ]
        opened.sync(van)
        for name in opened.cards:  # type: ignore[attr-defined]
            opened.central.casework.accept(opened.people["rina"], name, seen(opened), ON_PAPER)
            for action in ("enrol", "centre_ok"):
                siak = opened.people["siak"]
                opened.central.casework.advance(siak, name, action, "", seen(opened))
        yield opened


def seen(office: Pusat) -> int:
    with office.central.registry.read() as door:
        return door.standing().server_seq


def problem(answer: Any) -> str:
    return answer.json().get("code", answer.text)


def status(office: Pusat, name: str) -> str:
    found: str = office.get("rina", f"/v1/requests/{name}").json()["status"]
    return found


def counts(office: Pusat) -> dict[str, int]:
    return {b["state"]: b["n"] for b in office.get("tono", "/v1/stock/blanks").json()["blanks"]}


def test_a_serial_is_used_once_and_a_carried_document_is_counted_and_looked_up(office):
    _used_once_and_carried(office, *office.cards)
    _book_and_piles(office, *office.cards)
    _who_signed(office, *office.cards[:2])


def _used_once_and_carried(office: Pusat, one: str, two: str, three: str) -> None:
    box = {"kind": "ktp", "first": "AB0098", "last": "AB0103"}
    assert problem(office.post("kurir", "/v1/stock/blanks", box)) == "auth.forbidden"
    assert office.post("cetak", "/v1/stock/blanks", box).json() == {"n": 6}
    overlap = {"kind": "ktp", "first": "AB0103", "last": "AB0110"}
    assert problem(office.post("cetak", "/v1/stock/blanks", overlap)) == "blank.known"
    assert counts(office) == {"stock": 6}, "none of the second box"

    def printed(name: str, serial: str) -> Any:
        body = {"seen": seen(office), "serial": serial}
        return office.post("cetak", f"/v1/requests/{name}/print", body)

    assert printed(one, "ab0099").json()["status"] == "printed"
    assert problem(printed(two, "AB0099")) == "blank.not_stock", "a serial twice is an alarm"
    assert status(office, two) == "print_ready"
    assert problem(printed(two, "ZZ1")) == "blank.unknown"
    assert printed(two, "AB0100").status_code == 200
    spoiled = {"serial": "AB0100", "reason": "tergores"}
    assert office.post("cetak", "/v1/stock/blanks/spoil", spoiled).status_code == 200
    assert status(office, two) == "print_ready", "it is printed again"
    assert problem(office.post("cetak", "/v1/stock/blanks/spoil", spoiled)) == "blank.not_stock"
    assert printed(two, "AB0101").status_code == 200
    assert counts(office) == {"stock": 3, "used": 2, "spoiled": 1}

    away = {"requests": [one, two, three], "place": "Kantor Desa Maidi", "carrier": "Ali"}
    assert office.post("kurir", "/v1/manifests", away).status_code >= 400, "one is not printed"
    assert status(office, one) == "printed", "all of them or none"
    away["requests"] = [one, two]
    sheet = office.post("kurir", "/v1/manifests", away).json()
    number = sheet["manifest"]["number"]
    assert {item["serial"] for item in sheet["items"]} == {"AB0099", "AB0101"}
    assert sheet["qr"].startswith(f"JBM1 {number} 2 ")
    assert status(office, two) == "ready_for_handover"
    listed = office.get("kurir", f"/v1/manifests/{number}/export").content.decode("utf-8-sig")
    assert "AB0099" in listed
    path = f"/v1/manifests/{number}/arrived"
    assert problem(office.post("kurir", path, {"missing": [three]})) == "manifest.not_on"
    counted = office.post("kurir", path, {"missing": [two]}).json()
    states = {item["request"]: item["state"] for item in counted["items"]}
    assert states == {one: "received", two: "missing"}
    assert (status(office, one), status(office, two)) == ("ready_for_handover", "printed")
    assert problem(office.post("kurir", path, {})) == "manifest.state"
    (manifest,) = office.get("tono", "/v1/manifests").json()["manifests"]
    assert manifest["state"] == "received"
    office.clock.at += 31 * DAY_SECONDS
    office.tokens.clear()
    waiting = office.get("tono", "/v1/uncollected", days=30).json()["requests"]
    assert [line["id"] for line in waiting] == [one]
    acts = {act for _, act in office.trail()}
    assert {"blank.receive", "blank.used", "blank.spoiled", "manifest.send"} <= acts


def _book_and_piles(office: Pusat, one: str, two: str, three: str) -> None:
    """One card is printed again, another waits for its owner."""
    printer, courier = office.people["cetak"], office.people["kurir"]
    stock = office.central.stock
    used = stock.book(printer, kind="ktp", state="used")
    assert [line.blank.serial for line in used] == ["AB0099", "AB0101"]
    assert used[0].code == office.get("rina", f"/v1/requests/{one}").json()["code"]
    assert [b.blank.serial for b in stock.book(printer, after="AB0101")] == ["AB0102", "AB0103"]
    assert stock.find(printer, "ab0100").blank.reason == "tergores"
    with pytest.raises(Problem) as refused:
        stock.find(printer, "ZZ1")
    assert refused.value.code == "blank.unknown"
    assert sum(pile.n for pile in stock.pile(courier, "printed")) == 1
    assert [line.id for line in stock.waiting(courier, "printed")] == [two]
    assert [line.id for line in stock.waiting(printer, "print_ready")] == [three]
    assert stock.waiting(printer, "print_ready", village="82.72.99.2001") == []
    with pytest.raises(Problem) as refused:
        stock.waiting(printer, "received")
    assert refused.value.code == "api.malformed"
    with pytest.raises(Problem) as refused:
        stock.print(printer, three, "", seen(office))
    assert refused.value.code == "blank.unknown", "a card is never printed on plain paper"
    stock.receive(printer, "kia", "KIA001", "KIA002")
    with pytest.raises(Problem) as refused:
        stock.print(printer, three, "KIA001", seen(office))
    assert refused.value.code == "blank.other_kind"
    staff, admin = office.central.staff, office.people["admin"]
    elsewhere = staff.place(admin, "kurir", ["82.72.01"])
    assert stock.waiting(elsewhere, "printed") == []
    assert stock.pile(elsewhere, "printed") == []
    with pytest.raises(Problem) as refused:
        stock.send(elsewhere, [two], "Kantor Desa Maidi", "Ali")
    assert refused.value.code == "auth.area"
    assert [line.id for line in stock.uncollected(printer, days=0)] == [one]
    assert office.trail()[-1] == ("cetak", "request.list"), "whose names were shown is in the trail"
    assert stock.uncollected(elsewhere, days=0) == []
    assert stock.find(elsewhere, "AB0099").code == "", "whose card it became is not for there"
    assert {line.code for line in stock.book(elsewhere, state="used")} == {""}
    staff.place(admin, "kurir", [])


def _who_signed(office: Pusat, one: str, two: str) -> None:
    """What is carried away is seen and counted by who works for the place it comes from."""
    courier, stock = office.people["kurir"], office.central.stock
    staff, admin = office.central.staff, office.people["admin"]
    away = stock.send(courier, [two], "Kantor Desa Maidi", "Ali")
    with pytest.raises(Problem, match=r"lifecycle\.wrong_place") as refused:
        office.central.casework.advance(courier, two, "return", "dibawa pulang", seen(office))
    assert "Cetak dan kirim" in refused.value.words()
    elsewhere = staff.place(admin, "kurir", ["82.72.01"])
    number = away.manifest.number
    assert stock.manifests(elsewhere) == []
    for refused_ in (stock.show, stock.export, lambda me, n: stock.arrived(me, n, [])):
        with pytest.raises(Problem, match=r"auth\.area"):
            refused_(elsewhere, number)
    here = staff.place(admin, "kurir", ["82.72.03"])
    code = office.get("rina", f"/v1/requests/{one}").json()["code"]
    assert stock.find(here, "AB0099").code == code
    assert stock.manifests(here, limit=1) == [stock.show(here, number).manifest]
    staff.place(admin, "kurir", [])
    counted = stock.arrived(courier, away.manifest.number, [], "Ibu Sarinah")
    assert counted.manifest.received_by == "Ibu Sarinah; Kurir (kurir)"
    lia = staff.add(admin, "loket", "Lia", ["operator"], PASSWORD)
    office.people["loket"] = lia
    given = {"relation": "family", "way": "KNOWN", "listed": True, "seen": seen(office)}
    path = f"/v1/requests/{two}/handover"
    assert office.post("loket", path, given).json()["code"] == "handover.receiver"
    given["reason"] = "titipan anak"
    assert office.post("loket", path, given).json()["status"] == "handed_over"
    (*_, last) = office.get("rina", f"/v1/requests/{two}").json()["history"]
    assert (last["what"], last["reason"]) == ("hand_over", "KNOWN; signed list; titipan anak")


def test_a_lot_is_a_row_of_serials():
    assert lot("ab0098", "AB0101") == ["AB0098", "AB0099", "AB0100", "AB0101"]
    assert lot("7", "") == ["7"]


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        ("AB", "AB", "blank.serial"),
        ("AB01", "AC02", "blank.serial"),
        ("AB01", "AB002", "blank.serial"),
        ("AB09", "AB01", "blank.lot"),
        ("0000", str(LOT_MAX), "blank.lot"),
    ],
)
def test_what_is_no_lot_is_refused(first, last, code):
    with pytest.raises(Problem) as refused:
        lot(first, last)
    assert refused.value.code == code
