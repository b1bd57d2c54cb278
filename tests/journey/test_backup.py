"""A copy of the vault on a second medium, and a laptop that goes on from it."""

from __future__ import annotations

import hashlib
import shutil
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from field_client.app import open_house
from field_client.backup import LIST_FILE, Backup, Listed, back_up, put_back, read_list
from field_client.bundles import Bundles
from field_client.vault.engine import Engine
from field_client.vault.store import Store
from models.problems import Problem
from tests.requests import request_rows, row
from tests.sticks import mounted
from tests.town import Laptop, Town
from tests.vaults import PASSPHRASE, refused


def medium(town: Town, name: str = "disk") -> Path:
    folder = town.folder / name
    folder.mkdir(exist_ok=True)
    return folder


def copy(laptop: Laptop, target: Path, **more: Any) -> tuple[Path, Backup]:
    laptop.town.time.goes_on()
    return back_up(laptop.house.store, laptop.folder, target, laptop.town.time.at, **more)


def rows(town: Town, n: int) -> list[dict[str, Any]]:
    return request_rows(town.village, n, 3)


def unlocked(town: Town, folder: Path, name: str = "pengganti") -> Laptop:
    """Another machine, unlocked with the old laptop's PIN."""
    other = Laptop(town, folder, "sari", name)
    other.house = open_house(other.place, "sari", PASSPHRASE, other.clock, other.keys)
    other.house.begin()
    town.laptops.append(other)
    return other


@pytest.fixture
def van(town: Town) -> Laptop:
    van = town.laptop("sari")
    for one in rows(town, 4):
        van.take(one)
    return van


def test_a_backup_holds_the_whole_vault_and_was_opened_and_counted(town: Town, van: Laptop) -> None:
    folder, listed = copy(van, medium(town))
    assert listed == read_list(folder)
    assert listed.counts["requests"] == 4
    assert listed.counts["entries"] == listed.seq == van.house.store.log().seq
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["backup.json", "keys.copy.json", "keys.json", "vault.db"]
    assert [path.name for path in medium(town).iterdir()] == [folder.name]


def test_nobody_can_read_a_backup_without_a_pin(town: Town, van: Laptop) -> None:
    fikri = town.person("first_timer")
    van.take(row(town.village, "ktp-new-enrolment", fikri, ref="a"))
    folder, _ = copy(van, medium(town))
    everything = b"".join(path.read_bytes() + path.name.encode() for path in folder.iterdir())
    for canary in (fikri.name, fikri.nik, "create table"):
        assert canary.encode() not in everything
    assert (folder / "vault.db").read_bytes()[:16] == van.house.store.engine.vault


def test_a_restored_laptop_goes_on_in_a_new_log_and_nothing_is_lost_or_doubled(
    town: Town, van: Laptop
) -> None:
    """The van burns down after its last sync, with work in it that is in no backup."""
    copy(van, medium(town))
    (later,) = van.take(row(town.village, "ktp-new-enrolment", town.person("first_timer"), ref="b"))
    van.sync()
    van.house.close()
    shutil.rmtree(van.folder)

    folder = next(medium(town).iterdir())
    put_back(folder, town.folder / "new")
    new = unlocked(town, town.folder / "new")
    old, here = new.house.store.logs()
    assert here.id != old.id
    assert not new.house.store.restored
    (mine,) = new.take(rows(town, 5)[4])
    new.sync()
    assert new.status(later.record) == "received", "what the lost laptop had sent came back"
    assert new.status(mine.record) == "received"
    assert len(town.stored()) == 6
    assert new.house.store.standing().unsent == 0
    assert town.cases("fork") == []
    assert town.is_whole()


def test_work_that_only_the_backup_had_is_sent_from_it(town: Town, van: Laptop) -> None:
    copy(van, medium(town))
    van.house.close()
    shutil.rmtree(van.folder)
    put_back(next(medium(town).iterdir()), town.folder / "new")
    new = unlocked(town, town.folder / "new")
    new.sync()
    assert len(town.stored()) == 4
    assert town.is_whole()


def test_the_same_by_stick(town: Town, van: Laptop) -> None:
    """A restored laptop without any network: its new log is let in by the word of the old one."""
    copy(van, medium(town))
    put_back(next(medium(town).iterdir()), town.folder / "new")
    van.house.close()
    new = unlocked(town, town.folder / "new")
    new.take(rows(town, 5)[4])
    made = Bundles(new.house.desk, new.place).export(medium(town, "stick"))
    for name in made.files:
        town.central.bundles.take(
            town.staff["nurlaila"], (medium(town, "stick") / name).read_bytes()
        )
    assert len(town.stored()) == 5
    back = town.central.returns.give(town.staff["nurlaila"], device=van.name)
    for name, data in back.files:
        (medium(town, "back") / name).write_bytes(data)
    ((done,), refused_files) = Bundles(new.house.desk, new.place).take([medium(town, "back")])
    assert (done.state, refused_files) == ("fresh", [])
    new.sync()
    assert new.house.store.standing().unsent == 0


def test_a_backup_while_somebody_works_is_whole(town: Town, van: Laptop) -> None:
    stop = threading.Event()
    store = van.house.store

    def work() -> None:
        while not stop.is_set():
            with store.engine.writing() as connection:
                connection.execute("insert or replace into settings values ('x', randomblob(5000))")

    worker = threading.Thread(target=work)
    worker.start()
    try:
        made = [copy(van, medium(town))[0] for _ in range(3)]
    finally:
        stop.set()
        worker.join()
    for folder in made:
        shutil.copy(folder / "vault.db", town.folder / "opened.db")
        engine = Engine(
            town.folder / "opened.db", van.house.unlocked.database_key, store.engine.vault
        )
        copied = Store(engine)
        assert engine.check() == []
        assert copied.broken_at(copied.log().id) is None
        copied.close()
        (town.folder / "opened.db").unlink()


# -- refusals


def test_nothing_is_put_over_a_vault(town: Town, van: Laptop) -> None:
    folder, _ = copy(van, medium(town))
    refused("vault.exists", put_back, folder, van.folder)
    assert len(van.house.store.requests.newest()) == 4


def test_a_folder_that_is_no_backup(town: Town, van: Laptop, tmp_path: Path) -> None:
    refused("backup.absent", put_back, town.folder, tmp_path / "new")
    folder, listed = copy(van, medium(town))
    newer = msgspec.json.encode(msgspec.structs.replace(listed, format=2))
    (folder / LIST_FILE).write_bytes(newer)
    refused("backup.version", put_back, folder, tmp_path / "new")
    (folder / LIST_FILE).write_bytes(b"{}")
    refused("backup.altered", put_back, folder, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["vault.db", "keys.json", "keys.copy.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_backup_puts_nothing_back(
    town: Town, van: Laptop, name: str, damage: str
) -> None:
    folder, _ = copy(van, medium(town))
    file = folder / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    if damage == "remove":
        file.unlink()
    else:
        file.write_bytes(data if damage == "flip" else data[:-1])
    problem = refused("backup.altered", put_back, folder, town.folder / "new")
    assert problem.details["file"] == name
    assert not (town.folder / "new").exists()


@pytest.mark.parametrize("name", ["../secret", "templates/__jinja2_unlock.cache", "log.mark"])
def test_a_list_that_names_other_files_than_a_vaults_is_refused(
    town: Town, van: Laptop, name: str
) -> None:
    """Compiled pages are code, which the program would run when it draws them."""
    folder, listed = copy(van, medium(town))
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"x")
    bad = Listed(name, 1, hashlib.sha256(b"x").hexdigest())
    listed = msgspec.structs.replace(listed, files=[*listed.files, bad])
    (folder / LIST_FILE).write_bytes(msgspec.json.encode(listed))
    refused("backup.altered", put_back, folder, town.folder / "new")
    assert not (town.folder / "new").exists()


@pytest.mark.parametrize("step", range(3))
def test_a_restore_that_was_killed_is_done_again_or_was_whole(
    town: Town, van: Laptop, step: int
) -> None:
    folder, _ = copy(van, medium(town))
    steps = iter(range(9))

    def killed(phase: str, done: int, total: int) -> None:
        if next(steps) == step:
            raise KeyboardInterrupt

    target = town.folder / "new"
    with pytest.raises(KeyboardInterrupt):
        put_back(folder, target, killed)
    if step == 0:
        assert not (target / "keys.json").exists(), "no PIN opens half a vault"
        put_back(folder, target)
    else:
        refused("vault.exists", put_back, folder, target)
    van.house.close()
    new = unlocked(town, target)
    assert len(new.house.store.logs()) == 2
    assert len(new.house.store.requests.newest()) == 4


def test_a_medium_without_room(town: Town, van: Laptop) -> None:
    with mounted(town.folder / "small", "64k") as small:
        refused("usb.full", copy, van, small.folder)
        assert small.names() == []


@pytest.mark.parametrize("moment", range(3))
def test_a_medium_that_fills_up_or_goes_away_keeps_no_half_backup(
    town: Town, van: Laptop, moment: int
) -> None:
    steps = iter(range(99))
    with mounted(town.folder / "stick", "2m") as stick:

        def fills(phase: str, done: int, total: int) -> None:
            if next(steps) == moment:
                stick.fill()

        if moment < 2:
            refused("usb.full", copy, van, stick.folder, progress=fills)
        else:  # the last write is the list; it may still have fitted into a page
            with pytest.raises(Problem, match=r"usb\.full"):
                copy(van, stick.folder, progress=fills)
        assert stick.names() == ["film.mp4"]
        (stick.folder / "film.mp4").unlink()
        stick.lock()
        refused("usb.readonly", copy, van, stick.folder)
        stick.unlock()

    gone = medium(town, "gone")

    def pulled(phase: str, done: int, total: int) -> None:
        shutil.rmtree(gone, ignore_errors=True)

    refused("usb.gone", copy, van, gone, progress=pulled)


def test_a_copy_that_cannot_be_opened_is_no_backup(
    town: Town, van: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Engine.copy_to

    def spoils(engine: Engine, path: Path) -> None:
        real(engine, path)
        with path.open("r+b") as file:
            file.seek(5000)
            file.write(b"?????")

    monkeypatch.setattr(Engine, "copy_to", spoils)
    refused("usb.verify", copy, van, medium(town))
    assert list(medium(town).iterdir()) == []
