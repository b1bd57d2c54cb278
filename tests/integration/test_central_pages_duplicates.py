"""Pairs and incidents in the pages: what is shown, what is decided, what is kept of typing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.test_central_duplicates import Town, sees
from tests.integration.test_central_incidents import noticed
from tests.pusat import Pusat
from tests.windows import window, windows


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pusat]:
    with windows(tmp_path_factory.mktemp("pages")) as found:
        yield found


def test_a_pair_is_linked_and_parted_by_two_and_never_comes_back(office: Pusat) -> None:
    town = Town(office, "Si Jola 1")
    one = town.comes("JAIDUN GAMLAMO", "8272030902090001", "2009-02-09", "8272031703090002")
    two = town.comes("Djaidoen Gamlamo", "8272030902099001", "2009-09-02", "8272031703090002")
    assert town.scan() == 1
    rina = window(office, "rina")
    rina.go("/duplicates")
    assert "JAIDUN GAMLAMO" in rina.text
    (line,) = town.cases(one, two)
    address = f"/duplicates/{line.case.id}"
    rina.go(f"/requests/{one.hex()}")
    assert f"Mungkin ganda: {line.requests[1].code}" in rina.text, "beside which"
    rina.go(address)
    for words in ("sama bunyinya", "hari dan bulan tertukar", "mendukung", "beda nomor urut saja"):
        assert words in rina.text
    assert rina.text.count("JAIDUN GAMLAMO") == 1, "what a form only repeats is shown once"
    assert '<ins class="jb-plus">' in rina.page.text, "what differs within an answer is marked"
    rina.post(f"{address}/decide", 422, take="link", keep=one.hex(), reason=" ")
    assert "alasan" in rina.text.lower()
    rina.post(f"{address}/decide", take="link", keep=one.hex(), reason="orang yang sama")
    assert "Kedua nomor bukti tetap berlaku" in rina.text
    assert town.status(two) == ("merged", one.hex())
    assert "Minta dipisahkan" not in rina.text, "a supervisor asks for it"
    tono, wati = window(office, "tono"), window(office, "wati")
    tono.go(address)
    tono.post(f"{address}/unlink", reason="kembar")
    assert "setelah orang kedua setuju" in tono.text
    tono.post(f"{address}/confirm", 403, agree="yes")
    assert town.status(two)[0] == "merged", "not by the same person"
    wati.go(address)
    wati.post(f"{address}/confirm", agree="yes")
    assert town.status(two) == ("received", "")
    assert town.scan() == 0
    rina.go("/duplicates")
    assert "JAIDUN" not in rina.text
    rina.go("/duplicates?state=closed")
    assert "JAIDUN" in rina.text


def test_two_numbers_are_put_side_by_side_and_kept_apart(office: Pusat) -> None:
    town = Town(office, "Si Jola 2")
    one = town.comes("USMAN KONORA", "8272032001090071", "2009-01-20")
    two = town.comes("HERMAN", "8272072402090072", "2009-02-24")
    town.shows(one, bytes(32), "page")
    codes = [office.get("rina", f"/v1/requests/{r.hex()}").json()["code"] for r in (one, two)]
    rina = window(office, "rina")
    rina.go("/duplicates")
    rina.post("/duplicates", 409, one=codes[0], other=codes[0])
    assert f'value="{codes[0]}"' in rina.page.text, "what was typed is kept"
    rina.post("/duplicates", one=codes[0], other=codes[1])
    address = rina.path
    assert "halaman 1 dari 1 (0 %)" in rina.text, "a picture that is still on its way says so"
    assert "menentang" in rina.text, "what speaks against it, part by part"
    yusuf = window(office, "yusuf")
    yusuf.go(address)
    rina.post(f"{address}/decide", take="separate", reason="dua orang")
    assert "Bukan ganda menurut Rina" in rina.text
    yusuf.post(f"{address}/decide", 409, take="link", reason="satu orang")
    assert town.status(two)[0] == "received", "decided once"


def test_two_people_under_one_number_are_looked_into_and_never_joined(office: Pusat) -> None:
    town = Town(office, "Si Jola 5")
    town.comes("RAHMAT HAMZAH", "8272032301090101", "2009-01-23")
    town.asks("ktp-reprint-lost", "SITI AMINAH DUWILA", "8272032301090101")
    assert town.scan() == 1
    rina = window(office, "rina")
    rina.go("/duplicates")
    assert "RAHMAT HAMZAH" not in rina.text
    rina.go("/duplicates?kind=identity")
    assert "SITI AMINAH DUWILA" in rina.text
    (line,) = office.central.duplicates.cases(office.people["rina"], kind="identity")
    address = f"/duplicates/{line.case.id}"
    rina.go(address)
    assert "Data orang bertentangan" in rina.text
    assert "Gabungkan" not in rina.text
    rina.post(f"{address}/decide", take="noted", reason="NIK milik Rahmat, salah ketik")
    assert "Sudah diperiksa oleh Rina" in rina.text


def test_who_may_not_decide_sees_no_buttons_and_is_refused(office: Pusat) -> None:
    town = Town(office, "Si Jola 3")
    town.comes("SALASA MARSAOLY", "8272030107090041", "2009-07-11", "8272030909090001")
    town.comes("SALASSA MARSAOLY", "8272030107099041", "2009-07-11", "8272030909090001")
    assert town.scan() == 1
    mata = window(office, "mata")
    mata.go("/duplicates")
    (line,) = [c for c in town.cases() if c.requests[0].name.startswith("SALAS")]
    mata.go(f"/duplicates/{line.case.id}")
    assert "Gabungkan" not in mata.text
    siak = window(office, "siak")
    siak.go("/duplicates", 403)
    siak.go("/incidents", 403)


def test_an_incident_says_what_to_do_and_is_closed_with_a_reason(office: Pusat) -> None:
    van = office.van("Si Jola 4")
    noticed(office, "fork", f"log {van.log.hex()} entry 2")
    rina = window(office, "rina")
    rina.go("/incidents?kind=fork")
    assert "Cabang ganda Si Jola 4" in rina.text, "of which laptop"
    (line,) = office.central.incidents.lines(office.people["rina"], kind="fork")
    address = f"/incidents/{line.id}"
    rina.go(address)
    for words in ("Si Jola 4", "menulis mulai nomor 2", "Giliran siapa", "Tangguhkan yang lain"):
        assert words in rina.text
    rina.post(address, 422, take="noted", reason="")
    office.post("tono", f"/v1/cases/{line.id}/resolve",
                {"seen": sees(office), "take": "noted", "reason": "sudah"})  # fmt: skip
    rina.post(address, 409, take="noted", reason="disk disalin")
    assert "Ditutup oleh Tono" in rina.text, "a colleague was faster: it is shown again"
    rina.go("/incidents")
    assert "Tidak ada kejadian" in rina.text
    rina.go("/incidents?state=closed&kind=fork")
    assert "Cabang ganda" in rina.text
