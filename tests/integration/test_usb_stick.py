"""Writing to a stick: there whole and read back, or not at all, whatever happens to the stick."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from field_client.transports import usb
from field_client.transports.usb import Piece
from server import sticks
from server.files import write_atomically
from tests.sticks import Stick, mounted
from tests.vaults import refused

DATA = {f"K-000000-{k}of3.jbb": bytes([k]) * 30_000 for k in (1, 2, 3)}
PIECES = [Piece(name, len(data), lambda data=data: data) for name, data in DATA.items()]  # type: ignore[misc]


def by_laptop(folder: Path) -> None:
    usb.write_set(folder, PIECES)


def by_office(folder: Path) -> None:
    sticks.write_set(folder, list(DATA.items()))


both = pytest.mark.parametrize("write", [by_laptop, by_office])


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Stick]:
    with mounted(tmp_path / "stick", "1m") as made:
        yield made


@both
def test_all_files_are_there_and_nothing_else(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    write(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == DATA


@pytest.mark.parametrize("house", [usb, sticks])
def test_what_only_bears_the_name_of_a_volume_hides_no_other(tmp_path: Path, house: Any) -> None:
    by_office(tmp_path)
    (tmp_path / "A.jbb").mkdir()
    (tmp_path / "B.jbb").symlink_to(tmp_path / "nowhere")
    assert dict(house.volumes_in([tmp_path])) == DATA


@both
def test_a_folder_that_is_not_there(tmp_path: Path, write: Callable[[Path], None]) -> None:
    refused("usb.absent", write, tmp_path / "E")
    assert not (tmp_path / "E").exists()


@both
def test_a_stick_that_is_too_small_is_told_before_anything_is_written(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    with mounted(tmp_path / "small", "128k") as small:
        problem = refused("usb.full", write, small.folder)
        assert (problem.details["need"], problem.details["free"]) == ("90 kB", "131 kB")
        assert small.names() == []


@both
def test_a_locked_stick(stick: Stick, write: Callable[[Path], None]) -> None:
    stick.lock()
    refused("usb.readonly", write, stick.folder)
    stick.unlock()
    assert stick.names() == []
    write(stick.folder)


def test_a_stick_that_fills_up_meanwhile_keeps_nothing_of_it(stick: Stick) -> None:
    def meanwhile(phase: str, done: int, total: int) -> None:
        if phase == "write" and done == 30_000:
            stick.fill()

    refused("usb.full", usb.write_set, stick.folder, PIECES, meanwhile)
    assert stick.names() == ["film.mp4"]


@pytest.mark.parametrize("moment", [30_000, 60_000, 90_000])
@pytest.mark.parametrize("phase", ["write", "verify"])
def test_a_stick_that_is_pulled_out(tmp_path: Path, phase: str, moment: int) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()

    def pulled(now: str, done: int, total: int) -> None:
        if (now, done) == (phase, moment):
            shutil.rmtree(folder)

    if (phase, moment) == ("verify", 90_000):
        usb.write_set(folder, PIECES, pulled)  # it was all read back by then
        return
    refused("usb.gone", usb.write_set, folder, PIECES, pulled)


def test_a_bad_stick_is_found_out_by_reading_back(tmp_path: Path) -> None:
    def spoils(phase: str, done: int, total: int) -> None:
        if phase == "write" and done == 60_000:
            with next(tmp_path.glob("*2of3.jbb.tmp")).open("r+b") as file:
                file.seek(12_345)
                file.write(b"?")

    refused("usb.verify", usb.write_set, tmp_path, PIECES, spoils)
    assert list(tmp_path.iterdir()) == []


def test_a_bad_stick_at_the_office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = write_atomically

    def spoils(path: Path, data: bytes) -> None:
        real(path, data[:-1] + b"?" if "2of3" in path.name else data)

    monkeypatch.setattr(sticks, "write_atomically", spoils)
    refused("usb.verify", by_office, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "usb.full"), (errno.EROFS, "usb.readonly"), (errno.EIO, "usb.gone"),
        (errno.ENODEV, "usb.gone"),
    ],
)  # fmt: skip
def test_what_the_system_says_becomes_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    """The same without a filesystem of our own: the third fsync fails."""
    calls = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 3:
            raise OSError(number, os.strerror(number))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    refused(code, by_laptop, tmp_path)
    assert list(tmp_path.iterdir()) == []


@both
def test_nothing_that_is_there_is_overwritten(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    write(tmp_path)
    refused("file.exists", write, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_what_a_broken_off_writing_left_is_no_bundle_and_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "K-AAAAAA-1of1.jbb.tmp").write_bytes(b"half")
    (tmp_path / "surat.pdf").write_bytes(b"mine")
    by_laptop(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [*sorted(DATA), "surat.pdf"]


@pytest.mark.parametrize("volumes_in", [usb.volumes_in, sticks.volumes_in])
def test_what_is_read_from_a_stick(tmp_path: Path, volumes_in: Any) -> None:
    refused("bundle.none", lambda: list(volumes_in([tmp_path])))
    refused("file.unreadable", lambda: list(volumes_in([tmp_path / "x.jbb"])))
    by_laptop(tmp_path)
    (tmp_path / "surat.pdf").write_bytes(b"mine")
    assert list(volumes_in([tmp_path])) == sorted(DATA.items())
    big = tmp_path / "big.jbb"
    big.write_bytes(bytes(5 * 1024 * 1024))
    ((_, data),) = volumes_in([big])
    assert len(data) == 4 * 1024 * 1024 + 1, "no more than is needed to see that it is too large"
