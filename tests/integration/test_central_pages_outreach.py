"""The pages of the counter, the laptops, the voyages and the services, without script."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pypdfium2
import pytest
from httpx import Response

from models.changes import Attached, Body
from models.fields import split_row
from models.ids import Code
from models.services import catalogue
from server.counter import BLOCK
from server.voyages import Plan, Stop
from sync.enrolment import read_invitation
from sync.messages import Health
from tests.integration.test_central_counter import filled, flat
from tests.integration.test_central_outreach import TODAY, say_health
from tests.pages import Sent
from tests.pusat import DAY, OTHER_VILLAGE, PASSWORD, SLUG, VILLAGE, Pusat
from tests.windows import OURS, Window, window, windows

SLUGS = catalogue().slugs


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Iterator[Pusat]:
    with windows(tmp_path_factory.mktemp("pusat")) as opened:
        staff, admin = opened.central.staff, opened.people["admin"]
        opened.people["loket"] = staff.add(admin, "loket", "Lia", ["operator"], PASSWORD)
        yield opened


@pytest.fixture(scope="module")
def loket(office: Pusat) -> Window:
    return window(office, "loket")


@pytest.fixture(scope="module")
def tono(office: Pusat) -> Window:
    return window(office, "tono")


def paper(data: bytes) -> str:
    """All words of a PDF."""
    pages = pypdfium2.PdfDocument(io.BytesIO(data))
    return "\n".join(page.get_textpage().get_text_range() for page in pages)


# -- the counter


def fill(form: Sent, answers: dict[str, Any], section: str, row: int) -> dict[str, Any]:
    """The fields of one page for these answers."""
    found: dict[str, Any] = {}
    for key, value in answers.items():
        path, at = split_row(key)
        if (path.partition(".")[0], at) != (section, row):
            continue
        name = f"0|{key}"
        if f"{name}|day" in form.fields_as_dict():
            year, month, day = str(value).split("-")
            found |= {f"{name}|day": day, f"{name}|month": month, f"{name}|year": year}
        elif isinstance(value, dict):
            found |= {f"{name}|{part}": str(text) for part, text in value.items()}
        elif isinstance(value, list):
            found[name] = [str(one) for one in value]
        else:
            found[name] = str(value)
    return found


def test_who_comes_to_the_office_is_taken_in_from_the_tile_to_the_receipt(
    office: Pusat, loket: Window
) -> None:
    loket.go("/counter")
    loket.go("/counter/for/all")
    loket.post("/counter/drafts", service=[SLUG])
    base = loket.path
    answers = flat(catalogue().service(SLUG), **{"applicant.nik": "8272033003090801"})
    loket.go(f"{base}/documents")
    loket.post(f"{base}/documents", paper=["KK"])
    for section in dict.fromkeys(key.partition(".")[0] for key in answers):
        loket.go(f"{base}/0/{section}/0")
        loket.send(loket.form(), **named(fill(loket.form(), answers, section, 0)), do="next")
        assert "look=1" not in str(loket.page.request.url), loket.text
    loket.go(f"{base}/check")
    assert "Bahar Soleman" in loket.text
    loket.post(f"{base}/submit", status=422)  # without the declaration
    loket.post(f"{base}/submit", declared="yes")
    assert loket.path == f"{base}/done"
    (record,) = office.central.counter.open(
        office.people["loket"], bytes.fromhex(base.rpartition("/")[2])
    ).became
    sheet = office.central.casework.request(office.people["tono"], record.hex())
    assert Code.parse(sheet.code).block == BLOCK
    assert sheet.code in loket.text
    assert "Bahar Soleman" not in loket.text, "the receipt's name is masked"
    printed = loket.go(f"/counter/requests/{record.hex()}/receipt.pdf")
    assert sheet.code in paper(printed.content)
    loket.go(base)
    assert loket.path == f"{base}/done", "no second request"


def test_what_was_returned_is_corrected_at_the_counter(office: Pusat, loket: Window) -> None:
    van = office.van("Si Jola Kembali", VILLAGE)
    record = van.take_in(91).hex()
    office.sync(van)
    casework, rina = office.central.casework, office.people["rina"]
    casework.send_back(rina, record, "OTHER", "nomor telepon", casework.request(rina, record).seen)
    loket.go("/counter")
    loket.post(f"/counter/requests/{record}/correct")
    base = loket.path
    loket.go(f"{base}/check")
    loket.post(f"{base}/submit", status=422)
    assert "Belum ada yang berubah" in loket.text
    loket.go(f"{base}/0/applicant/0")
    loket.send(loket.form(), **named({"0|applicant.phone": "081234509876"}), do="next")
    loket.go(f"{base}/check")
    assert "0812-3450-9876" in loket.text
    loket.post(f"{base}/submit", reason="nomor baru")
    sheet = casework.request(rina, record)
    assert sheet.status == "in_verification"
    assert sheet.answers["applicant.phone"] == "+6281234509876"


def test_what_is_wrong_is_kept_and_said_and_an_old_window_overwrites_nothing(
    loket: Window,
) -> None:
    loket.go("/counter/for/all")
    loket.post("/counter/drafts", service=[SLUG])
    base = loket.path
    loket.go(f"{base}/0/applicant/0")
    old = loket.form()
    loket.go(f"{base}/0/applicant/0")  # the same page in another window
    new = loket.form()
    loket.send(new, **named({"0|applicant.name": "RATNA", "0|applicant.nik": "123"}), do="next")
    assert "look=1" in str(loket.page.request.url)
    assert 'value="123"' in loket.page.text
    loket.send(old, 409, **named({"0|applicant.name": "LAIN"}), do="next")
    assert "LAIN" in loket.text
    assert 'value="RATNA"' in loket.page.text
    saved = typing(loket, new, {"0|applicant.name": "RATNA AHMAD"})
    assert "Tersimpan" in saved.text
    assert typing(loket, old, {"0|applicant.name": "LAIN"}).status_code == 409
    loket.send(new, **named({"0|applicant.name": "RATNA A. S."}), do="later")  # overtook itself
    loket.go(f"{base}/0/applicant/0")
    assert 'value="RATNA A. S."' in loket.page.text
    loket.go(f"{base}/drop")
    loket.post(f"{base}/drop")
    loket.go(base, 404)


def named(fields: dict[str, Any]) -> Any:
    """Fields whose names are no names of Python."""
    return fields


def typing(window: Window, form: Sent, changed: dict[str, str]) -> Response:
    """What htmx sends while somebody types."""
    data = form.fields_as_dict() | {name: [value] for name, value in changed.items()}
    return window._send("POST", f"{form.action}/save", data=data, headers=OURS)


def test_the_counter_is_for_who_takes_requests_in(office: Pusat, tono: Window) -> None:
    tono.go("/counter", 403)
    tono.go("/counter/for/all", 403)
    office.central.staff.place(office.people["admin"], "loket", ["82.72.01"])
    try:
        other = window(office, "loket")
        folder = office.central.counter.begin(other_person(office, "loket"), [SLUG])
        answers = flat(catalogue().service(SLUG), **{"applicant.nik": "8272033003090802"})
        office.central.counter.put(other_person(office, "loket"), folder, {0: answers}, {0: ["KK"]})
        base = f"/counter/drafts/{folder.name.hex()}"
        other.go(f"{base}/check")
        other.post(f"{base}/submit", status=422, declared="yes")
        assert "wilayah" in other.text
    finally:
        office.central.staff.place(office.people["admin"], "loket", [])


def other_person(office: Pusat, login: str):
    with office.central.registry.read() as door:
        return door.person(login)


def test_every_service_can_be_taken_in_at_the_counter(office: Pusat) -> None:
    counter, me = office.central.counter, office.people["loket"]
    office.clock.at += 4 * DAY  # the examples' own day
    taken: list[bytes] = []
    try:
        for slug in catalogue().slugs:
            service = catalogue().service(slug)
            given = {**service.example.reasons, "duplicate": "contoh berulang"}
            folder = counter.put(me, filled(office, slug), {}, None, {0: given})
            taken += counter.submit(me, folder)
    finally:
        office.clock.at -= 4 * DAY
    assert len(set(taken)) == len(catalogue().slugs) == 47
    with office.central.registry.read() as door:
        codes = {record.code for name in taken if (record := door.record(name)) is not None}
    assert len(codes) == 47
    assert {block for block, _ in filter(None, codes)} == {BLOCK}


# -- services


@pytest.mark.parametrize("slug", SLUGS)
def test_every_service_is_shown_as_a_clerk_sees_it(loket: Window, slug: str) -> None:
    service = catalogue().service(slug)
    loket.go(f"/services/{slug}?filled=1")
    answered = flat(service)
    missing = [key for key in answered if f'name="0|{key}' not in loket.page.text]
    assert answered
    assert not missing
    assert "lolos semua pemeriksaan" in loket.text


def test_services_say_their_edition_and_an_unknown_one_is_refused(loket: Window) -> None:
    loket.go("/services")
    assert all(catalogue().service(slug).title.say("id") in loket.text for slug in SLUGS)
    for words in ("24 jam", "15 menit"):
        assert words in loket.text
    loket.go("/services/tidak-ada", 422)
    loket.go("/services/birth?edition=99", 409)
    loket.go("/services/birth?edition=²")


# -- laptops


def test_a_lost_laptop_is_reported_and_its_list_of_people_printed(
    office: Pusat, tono: Window
) -> None:
    van = office.van("Si Jola Curi", OTHER_VILLAGE)
    record = van.take_in(61)
    van.edit(record, Body(attach=[Attached("documents", b"c" * 32, 90_000)]))
    office.sync(van)
    say_health(office, van, Health(3, office.clock.at - DAY, 1, 90_000, 8 << 30, 1, 40))
    tono.go("/devices")
    assert "Si Jola Curi" in tono.text
    address = f"/devices/{van.device.hex()}"
    tono.go(address)
    assert "3 catatan" in tono.text
    assert "Selisih jam cocok" in tono.text, "its clock, as in the list"
    tono.go(f"{address}/lost")
    tono.post(f"{address}/lost", status=422, reason=" ")
    tono.post(f"{address}/lost", reason="dicuri di pelabuhan Rum", **named({"from": "1"}))
    assert tono.path == address
    assert "UU 27/2022" in tono.text
    assert "dicuri di pelabuhan Rum" in tono.text
    assert f"{address}/shred" not in tono.text, "an admin's to order"
    admin = window(office, "admin")
    admin.go(address)
    admin.post(f"{address}/shred", reason="berisi data satu desa")
    assert "diperintahkan mengunci diri" in admin.text
    tono.go(address)
    printed = tono.go(f"{address}/calls.pdf").content
    assert "DAFTAR TELEPON" in paper(printed)
    assert "0812" in paper(printed) or "+62" in paper(printed)
    tono.go(f"{address}/held")
    assert "Bahar Soleman" in tono.text
    assert tono.go(f"{address}/held.xlsx").content.startswith(b"PK")


def test_an_invitation_is_shown_once_and_is_one(office: Pusat, tono: Window) -> None:
    tono.go("/devices/new/invite", 403)
    admin = window(office, "admin")
    admin.go("/devices/new/invite")
    sent: Any = {"name": "Si Jola 9", "kind": "van", "operator": "Sari", "village": [VILLAGE]}
    admin.post("/devices/new/invite", **sent)
    assert "<svg" in admin.page.text
    text = admin.page.text.partition("base64,")[2].partition('"')[0]
    invitation = read_invitation(base64.b64decode(html.unescape(text)))
    assert (invitation.villages, invitation.operator) == ([VILLAGE], "Sari")
    admin.go("/devices/new/invite")
    admin.post("/devices/new/invite", status=422, **sent)  # the name is taken
    address = f"/devices/{invitation.device.hex()}"
    admin.go(address)
    admin.post(f"{address}/renew")
    admin.go(f"{address}/villages")
    admin.post(f"{address}/villages", village=[OTHER_VILLAGE])
    admin.post(f"{address}/retire", reason="tidak jadi")
    assert "tidak dipakai lagi" in admin.text


def test_laptops_are_not_for_everybody(office: Pusat, loket: Window) -> None:
    loket.go("/devices", 403)
    van = office.van("Si Jola Rahasia", VILLAGE)
    for part in ("", "/lost", "/held", "/held.xlsx", "/calls.pdf", "/villages"):
        loket.go(f"/devices/{van.device.hex()}{part}", 403)
    window(office, "mata").go(f"/devices/{van.device.hex()}")
    office.central.staff.place(office.people["admin"], "wati", ["82.72.01"])
    try:
        wati = window(office, "wati")
        wati.go("/devices")
        assert "Si Jola Rahasia" not in wati.text
        wati.go(f"/devices/{van.device.hex()}", 403)
    finally:
        office.central.staff.place(office.people["admin"], "wati", [])


NEVER = 2**62
"""Seconds that no calendar has."""


def test_what_a_laptop_says_of_itself_takes_no_page_down(office: Pusat, tono: Window) -> None:
    van = office.van("Si Jola Kacau", VILLAGE)
    van.clock = NEVER
    record = van.take_in(71)
    van.edit(record, Body(set={"applicant.phone": "+6281200000071"}))
    office.sync(van)
    say_health(office, van, Health(NEVER, NEVER, NEVER, -NEVER, NEVER, NEVER, NEVER))
    (call,) = [c for one in office.central.fleet.overview(office.people["tono"])
               if one.device.id == van.device and (c := one.call) is not None]  # fmt: skip
    most = 1 << 53
    assert call.health == Health(most, office.clock.at, most, 0, most, most, 100)
    voyage = office.central.voyages.keep(
        office.people["tono"],
        Plan("Jemput bola", (Stop(TODAY.isoformat(), VILLAGE),)),
        "Si Jola Kacau",
    )
    for path in ("/devices", f"/devices/{van.device.hex()}", "/dashboard"):
        tono.go(path)
    tono.go(f"/visits/{voyage.id}")
    rina = window(office, "rina")
    rina.go(f"/requests/{record.hex()}")
    assert "Jam laptop: –." in rina.text, "what its clock said is a label, and none here"


# -- voyages


def test_a_voyage_is_planned_printed_published_and_called_off(office: Pusat, tono: Window) -> None:
    office.van("Si Jola Jalan", VILLAGE)
    day = (TODAY + timedelta(days=6)).isoformat()
    tono.go("/visits/coverage")
    assert "belum terjangkau" in tono.text
    tono.go(f"/visits/new?village={VILLAGE}")
    tono.post("/visits/new", status=422, **named({"day|0": day, "village|0": VILLAGE}))
    tono.send(
        tono.form("/visits/new"),
        purpose="Pelayanan jemput bola Oba",
        device="Si Jola Jalan",
        **named({"note|0": "Balai desa, 09.00", "name|0": "Ratna Ahmad", "duty|0": "Ketua tim"}),
    )
    address = tono.path
    assert tono.text.count("JEMPUT BOLA DUKCAPIL") == 1
    assert "Stop(" not in tono.text
    words = paper(tono.go(f"{address}/order.pdf").content)
    assert "SURAT TUGAS" in words
    assert "Ratna Ahmad" in words
    assert "Balai desa, 09.00" in words
    tono.go(f"{address}/change")
    stale = tono.form(f"{address}/change")
    tono.send(stale, device="")
    tono.send(stale, 409, purpose="Pelayanan jemput bola Oba Utara")
    assert "sudah diubah orang lain" in tono.text
    again = tono.form(f"{address}/change")
    assert again.fields_as_dict()["purpose"] == ["Pelayanan jemput bola Oba Utara"]
    tono.go(address)
    assert "Pelayanan jemput bola Oba Utara" not in tono.text, "nobody's change is undone unseen"
    tono.send(again, purpose="Pelayanan jemput bola Oba")
    assert tono.path == address
    for none in ("0001-01", "9999-12", "2026-13"):
        tono.go(f"/visits?month={none}")
    tono.go(f"/visits?month={day[:7]}")
    assert "Pelayanan jemput bola Oba" in tono.text
    tono.post("/visits/publish")
    assert "paket" in tono.text
    tono.go(address)
    tono.post(f"{address}/cancel", reason="gelombang tinggi")
    assert "gelombang tinggi" in tono.text
    tono.go("/visits/00", 404)
    rina = window(office, "rina")
    rina.go(address)
    rina.go("/visits/new", 403)
