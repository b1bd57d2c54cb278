"""Photographs and scans by stick: with the changes that speak of them, or before them."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from field_client.settings import FieldSettings, Place
from field_client.vault.attached import StoredFile
from server.cargo import FOLDER as ASIDE
from server.cargo import LIES
from sync import bundle
from tests.pictures import jpeg, photo
from tests.requests import row
from tests.sticks import bring, bundles, export, give, read, stick
from tests.town import Laptop, Town

VOLUME = 40_000
"""Bytes: room for two chunks, so that a scan takes several."""


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("scan") / "kk.jpg"
    file.write_bytes(jpeg(photo()))
    return file


@pytest.fixture
def van(town: Town, scan: Path, monkeypatch: pytest.MonkeyPatch) -> Laptop:
    """A van that knows central, with a request and its scan that nobody has heard of."""
    monkeypatch.setattr("field_client.loading.PIECE_BYTES", 16 * 1024)
    van = town.laptop("sari")
    (taken,) = van.take(row(town.village, "ktp-new-enrolment", town.person("first_timer"), ref="a"))
    van.town.time.goes_on()
    van.house.desk.attach(van.open_sheet(taken.record), "KK", [scan])
    return van


def files(van: Laptop) -> list[StoredFile]:
    attached = van.house.store.attached
    return list(attached.find(attached.kept()).values())


def whole(town: Town) -> int:
    with town.central.registry.read() as door:
        return len(door.whole_blobs())


def test_files_go_with_the_changes_and_central_proves_to_have_them(town: Town, van: Laptop) -> None:
    assert [file.state for file in files(van)] == ["waiting", "waiting"]
    made = export(van, stick(town))
    (came,) = bring(town, stick(town))
    assert (came.files, came.aside, came.refused) == (2, False, ())
    assert whole(town) == 2
    give(town, van, stick(town, "back"))
    (done,) = read(van, stick(town, "back"))
    assert done.files == 2
    assert [file.state for file in files(van)] == ["verified", "verified"]
    assert export(van, stick(town, "next")).size < made.size / 10, "and they go no more"
    (found,) = [town.central.arrivals.read(f.blob) for f in files(van) if f.size > 20_000]
    assert found == van.house.desk.blobs.whole(
        *max((f.blob, f.size) for f in files(van) if f.size > 20_000)
    )


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_volumes_in_any_order(town: Town, van: Laptop, order: tuple[int, ...]) -> None:
    made = export(van, stick(town), VOLUME)
    names = made.files
    assert len(names) >= 3
    turn = [*order, *range(3, len(names))]
    came = [bring(town, stick(town) / names[i])[0] for i in turn]
    assert came[0].aside is (order[0] != 0)
    assert whole(town) == 2
    assert not list((town.central.place.folder / ASIDE).glob("*"))
    assert town.is_whole()


def test_files_whose_changes_came_by_radio_find_their_place(town: Town, van: Laptop) -> None:
    made = export(van, stick(town), VOLUME)
    for name in made.files[1:]:
        (came,) = bring(town, stick(town) / name)
        assert came.aside
    van.place = Place(van.folder, FieldSettings(changes_only=True))
    van.sync()
    town.central.bundles.retry()
    left = [file for file in files(van) if file.percent < 100]
    assert left, "the first volume holds the beginning of the first file"
    bring(town, stick(town) / made.files[0])
    assert whole(town) == 2


def test_what_is_laid_aside_is_bounded_and_sealed(
    town: Town, van: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.cargo.ASIDE_MAX", 1)
    made = export(van, stick(town), VOLUME)
    for name in made.files[1:]:
        bring(town, stick(town) / name)
    (kept,) = (town.central.place.folder / ASIDE).glob("*")
    assert kept.read_bytes() == (stick(town) / made.files[1]).read_bytes()
    for name in made.files:
        bring(town, stick(town) / name)
    assert whole(town) == 2


class Dead(BaseException):
    """Central's process ended here."""


def test_a_volume_that_ends_the_process_lies_after_three_times_and_stops_no_other(
    town: Town, van: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = export(van, stick(town), VOLUME)
    device = van.house.desk.invitation().device
    room, cargo = town.central.bundles, town.central.bundles.cargo
    for name in made.files[1:]:
        bring(town, stick(town) / name)
    bad, *others = (path.read_bytes() for path in cargo.waiting(device))
    assert others
    scan = max(files(van), key=lambda file: file.size)
    assert cargo.named() == {scan.blob}, "its preview went with the first"
    parse = bundle.parse

    def deadly(data: bytes, file: str = "") -> bundle.Volume:
        if data == bad:
            raise Dead
        return parse(data, file)

    monkeypatch.setattr("sync.bundle.parse", deadly)
    with pytest.raises(Dead):
        bring(town, stick(town) / made.files[0])
    for _ in range(2):
        with pytest.raises(Dead):
            room.retry()
    room.retry()
    assert cargo.waiting(device) == [], "the others found their place"
    (lying,) = (town.central.place.folder / ASIDE).iterdir()
    assert (lying.suffix, lying.read_bytes()) == (LIES, bad)
    bring(town, stick(town) / made.files[0])
    assert whole(town) < 2
    monkeypatch.undo()
    assert room.try_again(device) == 1
    assert whole(town) == 2
    assert list((town.central.place.folder / ASIDE).iterdir()) == []
    with town.central.registry.read() as door:
        told = door.trail(target=device.hex(), limit=1000)
    assert [one.actor for one in told if one.action == "bundle.lies"] == ["system"]


def test_a_damaged_copy_on_the_laptop_stops_no_other(town: Town, van: Laptop) -> None:
    big = max(files(van), key=lambda file: file.size)
    path = van.house.desk.blobs.path(big.blob)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    made = export(van, stick(town))
    (came,) = bring(town, stick(town))
    assert (came.files, came.fresh) == (1, made.entries)
    assert bundle.label(bundles(van).on_the_way()[0].bundle) == made.bundle
