"""A disk that fills up while a citizen is served: what was begun is finished, no more."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from field_client import reserve
from field_client.folder import begin as begin_folder
from field_client.vault import files
from sync.attaching import Photo
from sync.messages import Checkpoint
from tests.disks import fill, small_disk
from tests.field import NOW
from tests.pages import ORIGIN, Browser, pages
from tests.pictures import jpeg, page
from tests.requests_pages import READY, led, submitted

MB = 1024 * 1024
INCARNATION = b"central-incarnat"
SERVICE = "village-domicile-letter"


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small one, with small bounds."""
    monkeypatch.setattr(reserve, "BYTES", 4 * MB)
    monkeypatch.setattr(reserve, "DISK_BYTES_FULL", MB)
    yield from small_disk(tmp_path / "disk", 24)


def begin(browser: Browser, status: int = 200) -> None:
    browser.go("/serve/all")
    form = browser.form("/drafts")
    form.put("service", SERVICE)
    browser.send(form, status)


def test_a_full_disk_lets_the_citizen_at_the_desk_finish(disk: Path) -> None:
    with pages(disk / "laptop") as browser:
        browser.unlock()
        assert reserve.keep(disk / "laptop")
        begin(browser)
        tasks = browser.path
        fill(disk, 0)
        browser.go(f"{tasks}/0/applicant/0")
        form = browser.form()
        form.put("0|applicant.name", "Salma Kader")
        for number in range(40):  # the write-ahead log may still have room of its own
            form.put("0|applicant.phone", f"0812400011{number:02}" * 200)
            form.action = f"{tasks}/0/applicant/0/save"
            browser.send(form)
            if not reserve.is_kept(disk / "laptop"):
                break
        assert not reserve.is_kept(disk / "laptop"), "the room was given back"
        browser.go(f"{tasks}/0/applicant/0")
        assert ("0|applicant.name", "Salma Kader") in browser.form().fields
        room = reserve.free_bytes(disk)
        (disk / "more").write_bytes(bytes(max(0, room - MB // 2)))
        begin(browser, 507)
        assert "Isian yang sedang berjalan tetap bisa diselesaikan" in browser.text
        browser.go("/readiness")
        assert "Perbaiki dulu yang bertanda ✕" in browser.text


def test_a_photograph_on_a_full_disk_takes_the_room_that_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reserve, "BYTES", MB)
    folder, write = tmp_path / "laptop", files.write_all

    def full_until_given_back(*given: Any) -> None:
        if reserve.is_kept(folder):
            raise OSError(errno.ENOSPC, "no space")
        write(*given)

    with pages(folder) as browser:
        browser.unlock()
        desk = browser.counter.desk
        record, given = submitted(desk, SERVICE).hex(), led(desk, SERVICE, READY).hex()
        form = begin_folder(desk, [SERVICE]).name.hex()
        monkeypatch.setattr(files, "write_all", full_until_given_back)
        handed = {"seen": "KNOWN", "relation": "self"}
        for path, name, more, told in (
            (f"/requests/{record}/files", "file", {"place": "KTP"}, "1 lampiran tersimpan"),
            (f"/drafts/{form}/files", "file", {"place": "document.KTP"}, "1 foto tersimpan"),
            (f"/requests/{given}/handover", "signature", handed, "sudah diserahkan"),
        ):
            with monkeypatch.context() as room:
                room.setattr(files, "write_all", write)
                assert reserve.keep(folder)
            answer = browser.client.post(
                path,
                data={"token": browser.own.token, **more},
                files={name: ("foto.jpg", jpeg(page(1, (1240, 1754))))},
                headers={"Origin": ORIGIN},
                follow_redirects=True,
            )
            assert answer.status_code == 200, path
            assert told in answer.text
            assert not reserve.is_kept(folder)


def test_only_what_the_office_has_twice_is_removed(tmp_path: Path) -> None:
    with pages(tmp_path / "laptop") as browser:
        browser.unlock()
        desk = browser.counter.desk
        one, two = (desk.open(submitted(desk, SERVICE)) for _ in range(2))
        for seed, shown in enumerate((one, two)):
            desk.attach(shown, "KK", [Photo("kk.jpg", jpeg(page(seed, (1240, 1754))))])
        ((gone, _),), ((kept, _),) = (desk.files(desk.open(p.record)) for p in (one, two))
        browser.go("/readiness/room")
        assert "Belum ada foto yang boleh dihapus" in browser.text
        log = desk.store.log()
        with desk.store.engine.writing() as connection:
            connection.execute(
                "update files set state = 'verified', incarnation = ?, covered = 5 where blob = ?",
                (INCARNATION, gone.blob),
            )
            connection.execute("update entries set folded = 'applied', state = 'applied'")
        desk.store.remember(
            Checkpoint(log.id, log.seq, log.head, INCARNATION, 9, b"h" * 32, 9, NOW)
        )
        browser.go("/readiness/room")
        browser.send(browser.form("/readiness/room"))
        assert "dikosongkan. Semuanya tetap ada di pusat." in browser.text
        assert not desk.blobs.path(gone.blob).exists()
        assert desk.blobs.path(kept.blob).exists()
