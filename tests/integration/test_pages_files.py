"""Photographs and scans put to a request through the pages, and what is not let in."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from httpx import Response

from tests.architecture.source import ROOT
from tests.pages import ORIGIN, Browser, pages
from tests.pictures import jpeg, page, pdf_bomb
from tests.requests_pages import submitted


@cache
def kept() -> bytes:
    """A sheet as a telephone writes it."""
    return jpeg(page(1, (1240, 1754)))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with pages(tmp_path_factory.mktemp("laptop")) as found:
        found.unlock()
        yield found


@pytest.fixture(scope="module")
def record(browser: Browser) -> str:
    return submitted(browser.counter.desk, "village-domicile-letter").hex()


def send(browser: Browser, record: str, *files: tuple[str, bytes], place: str = "KK") -> Response:
    return browser.client.post(
        f"/requests/{record}/files",
        data={"token": browser.own.token, "place": place},
        files=[("file", one) for one in files],
        headers={"Origin": ORIGIN},
        follow_redirects=True,
    )


def attached(browser: Browser, record: str) -> int:
    desk = browser.counter.desk
    return len(desk.files(desk.open(bytes.fromhex(record))))


def test_a_photo_is_attached_looked_at_and_taken_out(
    browser: Browser, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_file(*_: object, **__: object) -> None:
        raise AssertionError("a citizen's paper was put on the disk in the clear")

    monkeypatch.setattr(tempfile, "TemporaryFile", no_file)
    data = kept()
    assert len(data) > 100_000
    answer = send(browser, record, ("kk.jpg", data))
    assert answer.status_code == 200
    assert "1 lampiran tersimpan" in answer.text
    (file, _), *_ = browser.counter.desk.files(browser.counter.desk.open(bytes.fromhex(record)))
    look = browser.client.get(f"/requests/{record}/files/{file.blob.hex()}")
    assert look.headers["content-type"] == "image/webp"
    assert look.headers["cache-control"] == "no-store"
    assert look.content[8:12] == b"WEBP"
    newest = browser.counter.desk.store.reveals.newest(1)[0]
    assert (newest.action, newest.record.hex()) == ("page picture", record)
    shown = browser.counter.desk.open(bytes.fromhex(record))
    assert "KK" in shown.documents  # who photographs a document has it before them
    browser.go(f"/requests/{record}/files")
    offered = browser.form(f"/requests/{record}/files").fields_as_dict()
    assert offered["place"] == ["KTP"], "the next one that was brought"
    browser.send(browser.form(f"/requests/{record}/files/{file.blob.hex()}/remove"))
    assert attached(browser, record) == 0


def test_what_may_not_be_readable_is_said_while_the_citizen_is_there(
    browser: Browser, record: str
) -> None:
    answer = send(browser, record, ("kecil.jpg", jpeg(page(2).resize((420, 594)))), place="KTP")
    assert "⚠ kecil.jpg: " in answer.text
    (file, _), *_ = browser.counter.desk.files(browser.counter.desk.open(bytes.fromhex(record)))
    assert "KTP-el ✓</option>" in browser.go(f"/requests/{record}/files").text
    browser.send(browser.form(f"/requests/{record}/files/{file.blob.hex()}/remove"))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("surat.jpg", b"ini teks biasa", "surat.jpg"),
        ("kosong.pdf", b"%PDF-1.7\n" + b"0" * 5000, "kosong.pdf"),
        ("besar.jpg", b"\xff\xd8\xff" + bytes(41 * 1024 * 1024), ""),
    ],
)
def test_what_is_no_picture_is_refused_in_words(
    browser: Browser, record: str, name: str, data: bytes, words: str
) -> None:
    before = attached(browser, record)
    answer = send(browser, record, (name, data))
    assert answer.status_code in (413, 415, 422), answer.status_code
    assert "<h1" in answer.text
    assert words in answer.text
    assert attached(browser, record) == before


def test_a_form_without_a_file_is_not_told_as_done(browser: Browser, record: str) -> None:
    browser.go(f"/requests/{record}/files")
    browser.send(browser.form(f"/requests/{record}/files"), 422, place="KK")
    assert "Pilih berkas foto atau PDF dulu" in browser.text
    assert "Berhasil" not in browser.text


def test_a_photo_of_forty_megabytes_is_taken(browser: Browser) -> None:
    photo, record = kept(), submitted(browser.counter.desk, "ktp-reprint-lost").hex()
    large = photo + bytes(39 * 1024 * 1024 - len(photo))  # some cameras write their data behind it
    answer = send(browser, record, ("besar.jpg", large))
    assert answer.status_code == 200, answer.text
    assert attached(browser, record) == 1


def test_a_pdf_bomb_costs_little_memory(tmp_path: Path) -> None:
    """Two megabytes that unpack to 470: read by lines, in a program that may have 700 in all."""
    (tmp_path / "bomb.pdf").write_bytes(pdf_bomb(12_500))
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "bomb.pdf")],
        capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in ("1", "attachment.broken")


LIMITED = """
import pathlib, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20))
from models.pictures.copies import copies
from models.problems import Problem
try:
    print(len(list(copies(pathlib.Path(sys.argv[1]).read_bytes(), "bomb.pdf", "page"))))
except Problem as problem:
    print(problem.code)
"""


def test_several_files_are_taken_in_together_or_not_at_all(browser: Browser, record: str) -> None:
    good = kept()
    answer = send(browser, record, ("satu.jpg", good), ("dua.jpg", b"bukan gambar"))
    assert answer.status_code >= 400
    assert attached(browser, record) == 0


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_broken_upload_is_refused(browser: Browser, record: str, kind: str) -> None:
    headers = {"Origin": ORIGIN, "Content-Type": kind}
    answer = browser.client.post(
        f"/requests/{record}/files", content=b"--x\r\nbroken", headers=headers
    )
    assert answer.status_code == 400
    assert "tidak dapat dibaca" in answer.text


def test_an_upload_without_our_token_changes_nothing(browser: Browser, record: str) -> None:
    answer = browser.client.post(
        f"/requests/{record}/files",
        data={"place": "KK"},
        files=[("file", ("kk.jpg", kept()))],
        headers={"Origin": ORIGIN},
    )
    assert answer.status_code == 403
    assert attached(browser, record) == 0
