"""Printing, dispatch and the USB desk in the pages."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import msgspec
import pypdfium2
import pytest
import zxingcpp

from server.papers import manifest as drawn
from sync import bundle
from sync.bundle import WORK
from sync.messages import Contents, Span, encode
from tests.pusat import NOW, ON_PAPER, PASSWORD, PROTECTED, Pusat, Van
from tests.windows import OURS, Window, window, windows


def seen(office: Pusat) -> int:
    with office.central.registry.read() as door:
        return door.standing().server_seq


def status(office: Pusat, name: str) -> str:
    found: str = office.get("rina", f"/v1/requests/{name}").json()["status"]
    return found


def ready_to_print(office: Pusat, van: Van, n: int, first: int = 1) -> list[str]:
    """Ids of n requests whose cards can be printed. first: number of the first citizen."""
    found = [
        van.take_in(k, **{PROTECTED: {"name": f"WARGA {k}", "nik": f"827203300309{k:04}"}}).hex()
        for k in range(first, first + n)
    ]
    office.sync(van)
    for name in found:
        office.central.casework.accept(office.people["rina"], name, seen(office), ON_PAPER)
        for action in ("enrol", "centre_ok"):
            office.central.casework.advance(office.people["siak"], name, action, "", seen(office))
    return found


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pusat]:
    with windows(tmp_path_factory.mktemp("pages")) as found:
        staff, admin = found.central.staff, found.people["admin"]
        for login, role in (("cetak", "printer"), ("kurir", "courier")):
            found.people[login] = staff.add(admin, login, login.title(), [role], PASSWORD)
        yield found


def test_from_the_blank_to_the_signature_in_the_village(office: Pusat) -> None:
    one, two, three = ready_to_print(office, office.van("Si Jola 1"), 3)
    cetak, kurir = window(office, "cetak"), window(office, "kurir")
    cetak.go("/blanks")
    cetak.post("/blanks/receive", 422, kind="ktp", first="AB01", last="AC02")
    assert 'value="AB01"' in cetak.page.text, "what was typed is kept"
    cetak.post("/blanks/receive", kind="ktp", first="AB0001", last="AB0005")
    assert "5 blangko diterima" in cetak.text
    cetak.go("/print")
    assert "WARGA 3" in cetak.text
    for request, serial in ((one, "ab0001"), (two, "AB0002")):
        cetak.go("/print")
        cetak.send(_printing(cetak, request), serial=serial)
    cetak.send(_printing(cetak, three), 409, serial="AB0001")
    assert "AB0001" in cetak.text, "a serial is used once"
    assert status(office, three) == "print_ready"
    cetak.go("/blanks")
    cetak.post("/blanks/spoil", serial="AB0002", reason="tergores")
    assert status(office, two) == "print_ready"
    cetak.go("/blanks")
    assert f'href="/requests/{one}"' in cetak.page.text, "a number leads to what it names"
    cetak.post("/blanks/find", serial="ab0002")
    assert "tergores" in cetak.text
    cetak.go("/print")
    cetak.send(_printing(cetak, two), serial="AB0003")
    kurir.go("/print")
    assert "Sudah dicetak" not in kurir.text, "a courier prints nothing"
    kurir.go("/manifests/new")
    kurir.post("/manifests", 422, request=[one, two], place="Kantor Desa Woda", carrier="")
    assert "Kantor Desa Woda" in kurir.page.text
    kurir.post("/manifests", request=[one, two], place="Kantor Desa Woda", carrier="Ali")
    address = kurir.path
    assert "WARGA 1" in kurir.text
    kurir.go(f"{address}/paper")
    sheet = office.central.stock.show(office.people["kurir"], int(address.rpartition("/")[2]))
    data = kurir.page.content
    assert read_code(data) == sheet.qr
    assert "WARGA 2" in paper_text(data)
    assert data == drawn(sheet, office.central.settings.office_name), "the same bytes every time"
    kurir.go(address)
    kurir.post(f"{address}/arrived", 422, receiver=" ")
    kurir.post(f"{address}/arrived", receiver="Ibu Sarinah", missing=two)
    assert "Ibu Sarinah; Kurir" in kurir.text
    assert (status(office, one), status(office, two)) == ("ready_for_handover", "printed")
    kurir.go("/manifests")
    assert "Ibu Sarinah" in kurir.text
    kurir.go("/uncollected?days=0")
    assert "WARGA 1" not in kurir.text, "since this moment is not longer ago"
    office.clock.at += 60
    kurir.go("/uncollected?days=0")
    assert "WARGA 1" in kurir.text
    assert "/handover" not in kurir.page.text, "a courier gives nothing"
    _given_at_the_counter(office, one)


def _given_at_the_counter(office: Pusat, one: str) -> None:
    staff = office.central.staff
    staff.add(office.people["admin"], "loket", "Lia", ["operator"], PASSWORD)
    lia = window(office, "loket")
    lia.go("/uncollected")
    assert "WARGA 1" in lia.text
    lia.post("/handover", 422, q="0000-SALAH-00")
    assert 'value="0000-SALAH-00"' in lia.page.text, "what was typed is kept"
    code = office.get("rina", f"/v1/requests/{one}").json()["code"]
    lia.post("/handover", q=code)
    at = f"/requests/{one}/handover"
    assert lia.path == at
    assert "Menurut buku blangko: AB0001" in lia.text
    lia.send(lia.form(at), 409, seen="KTP", receiver_nik="82720322")
    assert 'value="82720322"' in lia.page.text
    form = lia.form(at)
    lia.send(form, 422, seen="KTP", receiver_nik="", reason="KTP hilang")
    assert "belum bertanda tangan" in lia.text
    lia.send(form, seen="KTP", receiver_nik="", reason="KTP hilang", listed="yes")
    assert lia.path == "/uncollected"
    assert status(office, one) == "handed_over"
    lia.go(f"/requests/{one}")
    assert "tanda tangan pada daftar di kertas; KTP hilang" in lia.text, "in the history, in words"
    lia.go(at, 409)


def _printing(cetak: Window, request: str):
    """The form of one line of what is ready to print."""
    from tests.pages import forms_of

    forms = [f for f in forms_of(cetak.page.text) if f.action == "/print" and f.method == "post"]
    return next(f for f in forms if ("request", request) in f.fields)


def read_code(data: bytes) -> str:
    """What the printed code says to a reader."""
    page = pypdfium2.PdfDocument(data)[0]
    (found,) = zxingcpp.read_barcodes(page.render(scale=2).to_pil())
    return str(found.text)


def paper_text(data: bytes) -> str:
    return pypdfium2.PdfDocument(data)[0].get_textpage().get_text_bounded()


# -- the USB desk


def volumes(van: Van, name: bytes) -> list[tuple[str, bytes]]:
    """A bundle of two volumes: everything it has to say, and one that is only told of."""
    to = van.invitation.seal_key
    exchange = van.exchange()
    entries = van.pending(exchange.next_entry, 500)
    spans = [[Span(van.log, entries[0].seq, entries[-1].seq)], []]
    contents = bundle.frame(encode(Contents(name, NOW, spans)), "contents", van.identity, to)
    request = bundle.frame(exchange.request(entries, van.clock), "request", van.identity, to)
    return [
        (bundle.file_name(name, k, 2), bundle.close(frames, WORK, name, k, 2, to))
        for k, frames in ((1, [contents, request]), (2, [contents]))
    ]


def upload(who: Window, *files: tuple[str, bytes], status: int = 200) -> None:
    who.go("/usb")
    token = who.form("/usb/take").fields_as_dict()["token"][0]
    sent = [("files", (name, data, "application/octet-stream")) for name, data in files]
    answer = who._send(
        "POST", "/usb/take", data={"token": token}, files=sent or [("files", ("", b""))],
        headers=OURS,
    )  # fmt: skip
    who._follow(answer, status)


def test_a_stick_is_read_in_parts_and_answered(office: Pusat) -> None:
    van = office.van("Si Jola 2")
    record = van.take_in(1, **{PROTECTED: {"name": "WARGA USB", "nik": "8272033003097001"}})
    first, second = volumes(van, b"paket-01")
    rina = window(office, "rina")
    upload(rina, status=422)
    upload(rina, ("catatan.txt", b"bukan paket"), status=422)
    altered = (first[0], first[1][:-9] + b"tidak asl")
    upload(rina, altered, ("foto.jpg", b"x"))
    assert "tidak dapat dipakai" in rina.text
    upload(rina, ("USB STIK/" + first[0], first[1]))
    assert "jilid 2 dari 2 belum datang" in rina.text
    assert status(office, record.hex()) == "received"
    upload(rina, second, first)
    assert "sudah pernah dibaca" in rina.text
    label = bundle.label(b"paket-01")
    (log,) = [h for h in office.central.bundles.custody(office.people["rina"]) if h.bundle == label]
    assert log.volumes == (1, 2)
    assert len(log.words) == 4
    for word in log.words:
        assert word in rina.text, "the words for the telephone"
    rina.post("/usb/return", device="Si Jola 2")
    assert "Balasan untuk Si Jola 2" in rina.text
    rina.post("/usb/file")
    data = rina.page.content
    assert bundle.parse(data).header.purpose == "return"
    upload(rina, ("balasan.jbb", data))
    assert "dibiarkan untuk laptopnya" in rina.text
    rina.go("/usb?purpose=return")
    assert "balasan untuk laptop" in rina.text
    assert label not in rina.text


def test_a_reply_of_several_volumes_is_packed_together(
    office: Pusat, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.sync(office.van("Si Jola 3"))
    room = office.central.returns
    made = room.give(office.people["rina"], device="Si Jola 3")
    (name, data) = made.files[0]
    two = msgspec.structs.replace(made, files=[(name, data), ("kedua.jbb", data)])
    monkeypatch.setattr(room, "give", lambda *_, **__: two)
    rina = window(office, "rina")
    rina.go("/usb")
    rina.post("/usb/return", device="Si Jola 3", whole="yes")
    rina.post("/usb/file")
    with zipfile.ZipFile(io.BytesIO(rina.page.content)) as packed:
        assert packed.namelist() == [name, "kedua.jbb"]
        assert packed.read(name) == data


def test_who_may_not_is_refused(office: Pusat) -> None:
    mata = window(office, "mata")
    mata.go("/usb", 403)
    mata.go("/manifests")
    assert "Buat manifes" not in mata.text
    window(office, "rina").go("/print", 403)
