"""Papers on the command line of a laptop."""

from __future__ import annotations

import pytest
from PIL import Image

from tests import pictures
from tests.field import Jemput, laptop
from tests.pictures import put, snap

SERVICE = "ktp-new-enrolment"


@pytest.fixture
def van(tmp_path):
    laptop(tmp_path / "data").close()
    return Jemput(tmp_path / "data")


@pytest.fixture
def code(van):
    from tests.field import example, rows

    van.run("queue", "--from", "-", given=rows(example(SERVICE) | {"ref": "a-1"}))
    (line,) = van.lines("request", "list")
    return line["code"]


def test_a_photograph_is_attached_shown_written_out_and_taken_out(van, code, tmp_path):
    path = put(tmp_path, "kk.jpg", snap())
    made = van.one("attach", code, "KK", str(path))
    assert (made["unit"], made["kind"], made["hints"]) == ("document.KK", "page", [])
    assert made["bytes"] <= 350_000
    (shown,) = van.one("request", "show", code)["attachments"]
    assert (shown["blob"], shown["state"], shown["percent"]) == (made["blob"], "waiting", 0)
    words = van.run("request", "show", code).stdout
    assert made["blob"][:8] in words
    assert "menunggu dikirim" in words
    assert van.one("status")["files_left"] == 2
    out = tmp_path / "lihat.webp"
    van.run("request", "picture", code, made["blob"][:8], "--out", str(out))
    with Image.open(out) as image:
        assert image.format == "WEBP"
    assert out.stat().st_mode & 0o077 == 0
    again = van.run("request", "picture", code, made["blob"][:8], "--out", str(out), code=1)
    assert "file.exists" in again.stderr
    van.run("detach", code, made["blob"][:8], "--why", "orang lain")
    assert van.one("request", "show", code)["attachments"] == []


def test_a_picture_that_may_not_be_readable_is_kept_and_said(van, code, tmp_path):
    small = put(tmp_path, "kecil.jpg", pictures.jpeg(pictures.page(1, (500, 707))))
    result = van.run("attach", code, "KK", str(small), "--reason", "aslinya kecil")
    assert "terlalu kecil" in result.stderr
    data = van.one("request", "show", code)
    assert data["reasons"] == {"document.KK": "aslinya kecil"}


def test_a_file_that_is_no_picture_is_refused_with_what_to_do(van, code, tmp_path):
    text = put(tmp_path, "catatan.txt", b"bukan gambar")
    said = van.one("attach", code, "KK", str(text), code=1)["problem"]
    assert said["code"] == "attachment.kind"
    assert "catatan.txt" in said["detail"]
    said = van.one("attach", code, "applicant.name", str(text), code=1)["problem"]
    assert said["code"] == "attachment.field"
    assert van.one("request", "show", code)["attachments"] == []


def test_the_doctor_finds_a_copy_that_broke(van, code, tmp_path):
    made = van.one("attach", code, "KK", str(put(tmp_path, "kk.jpg", snap())))
    checks = {line["check"]: line for line in van.lines("doctor")}
    assert checks["files"]["ok"]
    for path in (van.folder / "attachments").iterdir():
        damaged = bytearray(path.read_bytes())
        damaged[-5] ^= 1
        path.write_bytes(bytes(damaged))
    checks = {line["check"]: line for line in van.lines("doctor", code=3)}
    assert not checks["files"]["ok"]
    assert made["blob"][:8] in checks["files"]["detail"]
