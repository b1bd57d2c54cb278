"""Papers that people bring to the counter, put to their request through the pages."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache

import msgspec
import pytest
from httpx import Response
from PIL import ImageEnhance

from models.pictures import Copy
from models.problems import Problem
from server import decoding
from sync.attaching import Photo
from sync.files import files
from tests.integration.test_central_counter import filled
from tests.pictures import CANARY, jpeg, page, pdf
from tests.pusat import OTHER_VILLAGE, PASSWORD, SLUG, Pusat
from tests.windows import OURS, Window, window, windows


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
def record(office: Pusat) -> str:
    return taken_in(office, "8272033003090701")


@cache
def sheet() -> bytes:
    """A sheet as a telephone writes it, with where and by whom."""
    return jpeg(page(1, (1240, 1754)))


def taken_in(office: Pusat, nik: str) -> str:
    folder = filled(office, SLUG, **{"applicant.nik": nik})
    (made,) = office.central.counter.submit(office.people["loket"], folder)
    return made.hex()


def upload(loket: Window, record: str, *sent: tuple[str, bytes], place: str = "KK") -> Response:
    """Choose files for a place, as the page's form does it."""
    loket.go(f"/counter/requests/{record}/files")
    form = loket.form(f"/counter/requests/{record}/files")
    given = form.fields_as_dict() | {"place": [place]}
    assert place in loket.page.text
    answer = loket._send(
        "POST", form.action, data=given, files=[("file", one) for one in sent], headers=OURS
    )
    return loket._follow(answer, 200) if answer.status_code == 303 else answer


def attached(office: Pusat, record: str) -> list[str]:
    with office.central.registry.read() as door:
        found = door.record(bytes.fromhex(record))
    assert found is not None
    return [file.blob.hex() for file in files(found)]


def on_the_shelf(office: Pusat) -> set[str]:
    return {path.name for path in office.central.place.files_folder.glob("*/*")}


def test_a_paper_is_attached_seen_by_the_verifier_and_taken_out(
    office: Pusat, loket: Window, record: str
) -> None:
    before = on_the_shelf(office)
    upload(
        loket,
        record,
        ("kk.jpg", sheet()),
        ("surat.pdf", pdf(page(2, (620, 877)), page(3, (620, 877)))),
    )
    assert "3 lampiran tersimpan" in loket.text
    names = attached(office, record)
    assert len(names) == 3
    small = loket.go(f"/requests/{record}/files/{names[0]}?preview=1").content
    sealed = [
        path.read_bytes()
        for path in office.central.place.files_folder.glob("*/*")
        if path.name not in before
    ]
    assert len(sealed) == 6, "each with a small picture of it"
    assert not any(b"WEBP" in data or CANARY.encode() in data for data in sealed)
    rina = window(office, "rina")
    rina.go(f"/requests/{record}")
    assert "KK" in office.central.casework.request(office.people["rina"], record).documents
    assert f"/requests/{record}/files/{names[0]}" in rina.page.text
    large = rina.go(f"/requests/{record}/files/{names[0]}").content
    assert (large[8:12], small[8:12]) == (b"WEBP", b"WEBP")
    assert len(small) < len(large) < len(sheet())
    assert CANARY.encode() not in large
    loket.go(f"/counter/requests/{record}/files")
    out = f"/counter/requests/{record}/files/{names[0]}/remove"
    loket.post(out, 422)
    assert "Tulis alasannya lebih dulu" in loket.text
    loket.go(f"/counter/requests/{record}/files")
    loket.post(out, reason="milik orang lain")
    assert attached(office, record) == names[1:]
    trail = office.trail()
    assert {("loket", "attachment.add"), ("loket", "attachment.remove")} <= set(trail)
    assert ("rina", "attachment.read") in trail
    history = office.central.casework.request(office.people["rina"], record).history
    assert any("Lia" in event.who and event.what == "attached" for event in history)
    office.central.arrivals.shelf.delete(bytes.fromhex(names[2]))
    rina.go(f"/requests/{record}/files/{names[2]}", 500)
    lost = office.trail()[len(trail) :]
    assert ("rina", "attachment.read") in lost, "who asked for what is lost stands there too"


def test_what_may_be_hard_to_read_is_said_at_once(
    office: Pusat, loket: Window, record: str
) -> None:
    dark = jpeg(ImageEnhance.Brightness(page(4, (1240, 1754))).enhance(0.2))
    upload(loket, record, ("gelap.jpg", dark), place="KTP")
    assert "1 lampiran tersimpan" in loket.text
    assert "terlalu gelap" in loket.text
    assert "gelap.jpg" not in loket.text, "a file's name may be a citizen's"


def test_a_form_without_a_file_is_refused_and_keeps_what_was_typed(
    office: Pusat, loket: Window, record: str
) -> None:
    before = attached(office, record)
    loket.go(f"/counter/requests/{record}/files")
    form = loket.form(f"/counter/requests/{record}/files")
    *_, place = re.findall(r'<option value="([^"]+)"', loket.page.text)
    loket.send(form, 422, place=place, reason="hanya ini yang ada")
    assert "Pilih berkas foto atau PDF dulu" in loket.text
    assert "Berhasil" not in loket.text
    kept = loket.form(f"/counter/requests/{record}/files").fields_as_dict()
    assert (kept["place"], kept["reason"]) == ([place], ["hanya ini yang ada"])
    assert attached(office, record) == before


@pytest.mark.parametrize(
    ("name", "data", "status", "words"),
    [
        ("surat.jpg", lambda: b"ini teks biasa", 415, "surat.jpg bukan foto JPEG"),
        ("kosong.pdf", lambda: b"%PDF-1.7\n" + b"0" * 5000, 422, "kosong.pdf rusak"),
        ("buku.pdf", lambda: pdf(*[page(1, (124, 175))] * 11), 413, "11 halaman"),
        ("besar.jpg", lambda: b"\xff\xd8\xff" + bytes(41 << 20), 413, "lebih dari 40 MB"),
        ("besar.jpg", lambda: b"\xff\xd8\xff" + bytes(45 << 20), 413, "terlalu besar"),
    ],
)
def test_what_is_no_picture_is_refused_in_words(
    office: Pusat, loket: Window, record: str, name, data, status: int, words: str
) -> None:
    before, lying = attached(office, record), on_the_shelf(office)
    answer = upload(loket, record, ("baik.jpg", jpeg(page(5, (310, 438)))), (name, data()))
    assert answer.status_code == status
    loket.page = answer
    assert words in loket.text
    assert (attached(office, record), on_the_shelf(office)) == (before, lying), "all or none"


def test_a_picture_that_keeps_its_decoder_busy_costs_a_refusal(
    office: Pusat, loket: Window, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "SECONDS_MAX", 0.01)
    answer = upload(loket, record, ("bom.jpg", sheet()))
    assert answer.status_code == 422
    loket.page = answer
    assert "bom.jpg rusak" in loket.text


@pytest.mark.parametrize(
    "answer",
    [
        decoding.Made([], "no.such"),
        decoding.Made([], "auth.forbidden"),
        decoding.Made([]),
        decoding.Made([Copy(b"<svg onload=1>", b"x" * 20, "page", 1, 1, 9, 9, ())]),
        decoding.Made([], "attachment.kind", {"x" * decoding.ANSWER_BYTES_MAX: 1}),
    ],
    ids=["no code", "a foreign code", "nothing", "no picture", "too much"],
)
def test_a_decoder_that_was_led_astray_is_not_believed(
    tmp_path, monkeypatch: pytest.MonkeyPatch, answer: decoding.Made
) -> None:
    said, astray = tmp_path / "said", tmp_path / "astray"
    said.write_bytes(msgspec.msgpack.encode(answer))
    astray.write_text(f"#!/bin/sh\ncat '{said}'\n")
    astray.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(astray))
    with pytest.raises(Problem, match=r"attachment\.broken"):
        decoding.copies(sheet(), "a.jpg", "page")


def test_files_are_put_by_who_may_where_they_may(office: Pusat, record: str) -> None:
    scans, photo = office.central.scans, Photo("kk.jpg", sheet())
    with pytest.raises(Problem, match=r"auth\.forbidden"):
        scans.attach(office.people["rina"], record, "KK", [photo])
    staff, admin = office.central.staff, office.people["admin"]
    staff.add(admin, "lain", "Petugas lain", ["operator"], PASSWORD)
    elsewhere = staff.place(admin, "lain", [OTHER_VILLAGE])
    for wish in (scans.open, lambda me, name: scans.attach(me, name, "KK", [photo])):
        with pytest.raises(Problem, match=r"auth\.area"):
            wish(elsewhere, record)
    rina = window(office, "rina")
    rina.go(f"/counter/requests/{record}/files", 403)
    with pytest.raises(Problem, match=r"attachment\.field"):
        scans.attach(office.people["loket"], record, "applicant.name", [photo])


def test_nothing_stays_on_the_shelf_that_the_register_does_not_know(
    office: Pusat, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans, me = office.central.scans, office.people["loket"]
    record, photo = taken_in(office, "8272033003090702"), Photo("kk.jpg", jpeg(page(7, (620, 877))))
    lying = on_the_shelf(office)
    with monkeypatch.context() as broken:
        broken.setattr(office.central.ledger, "write_in", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            scans.attach(me, record, "KK", [photo])
    assert on_the_shelf(office) == lying
    limits = office.central.arrivals.limits
    with monkeypatch.context() as small:
        small.setattr(office.central.arrivals, "limits", type(limits)(limits.day_bytes, 1000))
        with pytest.raises(Problem, match=r"blob\.request_full"):
            scans.attach(me, record, "KK", [photo])
    assert (attached(office, record), on_the_shelf(office)) == ([], lying)
