"""The second journal: what central wrote after its last backup comes back with a restore."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from models.changes import Body
from server import backup as backups
from server import restoring
from server.backup import Made
from server.central import Central, open_central
from server.journal import HEAD_BYTES, Replayed, segments
from server.restoring import Restored
from server.settings import load
from tests.pusat import FREE, ON_PAPER, Pusat, Van, pusat
from tests.vaults import refused

REASON = "laptop dicuri di pelabuhan"


@contextmanager
def journaled(tmp_path: Path, url: str = "") -> Iterator[tuple[Pusat, Van]]:
    """A central with a journal, and a laptop that has brought a request."""
    settings = {"journal_folder": tmp_path / "jurnal", "backup_folder": tmp_path / "backups"}
    named = {name: str(path) for name, path in settings.items()}
    with pusat(tmp_path / "pusat", url, **named) as office:
        van = office.van("Van 01")
        van.take_in(1)
        office.sync(van)
        yield office, van


@pytest.fixture
def town(tmp_path: Path) -> Iterator[tuple[Pusat, Van]]:
    with journaled(tmp_path) as found:
        yield found


def backed_up(office: Pusat, folder: Path) -> Made:
    central = office.central
    office.clock.at += 60
    return backups.make(central.place, central.registry, central.keys, folder, office.clock())


def put_back(tmp_path: Path, made: Made, journal: str = "jurnal") -> tuple[Restored, Central]:
    place = load(tmp_path / "new", {})
    recovery = tmp_path / "pusat" / "recovery-key.json"
    folder = tmp_path / journal if journal else None
    done = restoring.restore(
        place, made.folder, recovery, lambda: 1_800_000_000, secrets.token_bytes, folder
    )
    return done, open_central(place, lambda: 1_800_000_001)


def brings(office: Pusat, van: Van, number: int) -> None:
    """The laptop brings one more request."""
    van.take_in(number)
    office.sync(van)


def a_day_after(office: Pusat, van: Van) -> None:
    """What happens after the backup: laptops bring work, staff decides, a laptop is lost, people
    come and go, and some of it fails half way."""
    central, people = office.central, office.people
    first = van.own_work_record(3).hex()
    sheet = central.casework.request(people["rina"], first)
    central.casework.accept(people["rina"], first, sheet.seen, ON_PAPER)
    record = van.take_in(2)
    van.edit(record, Body(set={FREE: "+6281200000009"}), None)
    office.sync(van)
    office.invited("Van 02")
    central.devices.suspend(people["tono"], "Van 01", REASON)
    office.token("yusuf")
    central.staff.close(people["admin"], "yusuf")
    with pytest.raises(RuntimeError):
        noted(central, "nobody")
    with central.registry.write() as door:
        door.audit("rina", "kept", "", {"n": 1}, 1)
        with pytest.raises(RuntimeError):
            noted(central, "nobody")


def noted(central: Central, who: str, n: int = 1, *, fails: bool = True) -> None:
    """Something is written, and then fails."""
    with central.registry.write() as door:
        for _ in range(n):
            door.audit(who, "never", "", {}, 1)
        if fails:
            raise RuntimeError


def everything(central: Central) -> dict[str, Any]:
    """What the register says, apart from what a restore itself adds."""
    with central.registry.read() as door:
        found = door.verify()
        assert found.broken == ()
        return {
            "requests": door.counts().requests,
            "devices": [(device.name, device.state) for device in door.devices()],
            "people": [(person.login, person.active) for person in door.people()],
            "decisions": found.decisions,
            "entries": found.entries,
            "trail": [(one.actor, one.action, one.target) for one in door.trail(limit=1000)],
        }


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("pg", marks=pytest.mark.postgres)])
def test_everything_after_the_backup_comes_back(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgres_url") if kind == "pg" else ""
    with journaled(tmp_path, url) as (office, van):
        assert office.central.status().journal == "begun"
        made = backed_up(office, tmp_path / "backups")
        assert office.central.status().journal == "on"
        a_day_after(office, van)
        before, number = everything(office.central), office.central.status().server_seq
    done, central = put_back(tmp_path, made)
    try:
        assert (done.journal.why, done.journal.cut, done.aside) == ("", 0, None)
        assert done.branch.number == number > made.backup.server_seq
        after = everything(central)
        assert after.pop("trail")[: len(before["trail"])] == before.pop("trail")
        assert after.pop("decisions") == before.pop("decisions") + 1  # the case about the restore
        assert after.pop("entries") == before.pop("entries") + 1
        assert after == before
        assert ("Van 01", "suspended") in after["devices"]
        assert central.status().durable_seq == made.backup.server_seq  # a journal is no backup
        assert central.status().journal == "off"
    finally:
        central.close()


def test_a_torn_tail_is_cut_and_said(town: tuple[Pusat, Van], tmp_path: Path) -> None:
    office, van = town
    made = backed_up(office, tmp_path / "backups")
    brings(office, van, 2)
    number = office.central.status().server_seq
    brings(office, van, 3)
    (*_, (_, newest)) = segments(tmp_path / "jurnal", bytes.fromhex(made.backup.journal))
    newest.write_bytes(newest.read_bytes()[:-HEAD_BYTES])
    done, central = put_back(tmp_path, made)
    central.close()
    assert done.journal.why == "torn"
    assert done.journal.cut > 0
    assert done.branch.number == number


def test_a_record_damaged_in_the_middle_ends_it(town: tuple[Pusat, Van], tmp_path: Path) -> None:
    office, van = town
    made = backed_up(office, tmp_path / "backups")
    brings(office, van, 2)
    brings(office, van, 3)
    (*_, (_, newest)) = segments(tmp_path / "jurnal", bytes.fromhex(made.backup.journal))
    data = bytearray(newest.read_bytes())
    data[len(data) // 3] ^= 1
    newest.write_bytes(data)
    done, central = put_back(tmp_path, made)
    central.close()
    assert done.journal.why == "damaged"
    assert made.backup.server_seq <= done.branch.number < office.central.status().server_seq


def test_without_its_files_the_backup_alone_counts(town: tuple[Pusat, Van], tmp_path: Path) -> None:
    office, van = town
    made = backed_up(office, tmp_path / "backups")
    brings(office, van, 2)
    (tmp_path / "empty").mkdir()
    done, central = put_back(tmp_path, made, "empty")
    central.close()
    assert done.journal == Replayed("absent")
    assert done.branch.number == made.backup.server_seq


def test_a_backup_lets_the_journal_go_on_in_a_new_file(
    town: tuple[Pusat, Van], tmp_path: Path
) -> None:
    office, van = town
    folder, elsewhere = tmp_path / "backups", tmp_path / "elsewhere"
    first = backed_up(office, folder)
    name = bytes.fromhex(first.backup.journal)
    brings(office, van, 2)
    backed_up(office, elsewhere)  # not where backups belong: nothing is forgotten for it
    second = backed_up(office, folder)
    brings(office, van, 3)
    needed, *_ = (number for number, _ in segments(tmp_path / "jurnal", name))
    assert needed == first.backup.journal_n  # two backups' worth
    third = backed_up(office, folder)
    brings(office, van, 4)
    kept = [n for n, _ in segments(tmp_path / "jurnal", name)]
    assert first.backup.journal_n < kept[0] <= second.backup.journal_n < kept[-1]
    before = everything(office.central)["requests"]
    for made in (second, third):
        done, central = put_back(tmp_path, made)
        assert (done.journal.why, everything(central)["requests"]) == ("", before)
        central.close()


def test_what_was_never_committed_is_cut_off_by_the_next(
    town: tuple[Pusat, Van], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, _ = town
    made = backed_up(office, tmp_path / "backups")
    registry = office.central.registry

    def fails(mark: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(
            "server.database.registry.Door.keep_journal", lambda door, mark: fails(mark)
        )
        with pytest.raises(RuntimeError):
            noted(office.central, "nobody", 40, fails=False)  # longer than what is written next
    with registry.write() as door:
        door.audit("rina", "look", "", {}, 1)
    done, central = put_back(tmp_path, made)
    assert done.journal.why == ""
    actions = {(actor, action) for actor, action, _ in everything(central)["trail"]}
    assert ("rina", "look") in actions
    assert ("nobody", "never") not in actions
    central.close()


def test_an_older_database_beside_its_journal_takes_nothing(tmp_path: Path) -> None:
    with journaled(tmp_path) as (office, van):
        place = office.central.place
        made = backed_up(office, tmp_path / "backups")
        brings(office, van, 2)
        brings(office, van, 3)
    live = place.folder / "central.db"
    live.write_bytes((made.folder / "register.db").read_bytes())
    central = open_central(place)
    try:
        with pytest.raises(Exception, match=r"journal\.ahead"), central.registry.write() as door:
            door.audit("rina", "look", "", {}, 1)
    finally:
        central.close()


def test_a_medium_that_was_emptied_or_taken_off_is_told(
    town: tuple[Pusat, Van], tmp_path: Path
) -> None:
    office, van = town
    backed_up(office, tmp_path / "backups")
    brings(office, van, 5)
    folder = tmp_path / "jurnal"
    for path in folder.iterdir():
        path.unlink()
    brings(office, van, 2)
    assert ("journal", "journal.lost") in office.trail()
    assert office.central.status().journal == "begun"
    made = backed_up(office, tmp_path / "backups")
    folder.rename(tmp_path / "taken-off")
    registry = office.central.registry

    def look() -> None:
        with registry.write() as door:
            door.audit("rina", "look", "", {}, 1)

    refused("journal.absent", look)
    (tmp_path / "taken-off").rename(folder)
    brings(office, van, 3)
    done, central = put_back(tmp_path, made)
    assert (done.journal.why, central.status().requests) == ("", {"received": 4})
    central.close()


def test_a_full_medium_stores_nothing_and_says_so(
    town: tuple[Pusat, Van], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, _ = town

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def look() -> None:
        with office.central.registry.write() as door:
            door.audit("rina", "look", "", {}, 1)

    with monkeypatch.context() as patched:
        patched.setattr("server.journal.os.open", full)
        refused("journal.full", look)
    assert ("rina", "look") not in office.trail()
    look()
    assert ("rina", "look") in office.trail()


def test_nothing_readable_stands_in_it(town: tuple[Pusat, Van], tmp_path: Path) -> None:
    office, van = town
    van.edit(van.own_work_record(3), Body(set={FREE: "+6281298765432"}), None)
    office.sync(van)
    data = b"".join(path.read_bytes() for path in (tmp_path / "jurnal").iterdir())
    assert len(data) > 5000
    assert b"+6281298765432" not in data


def test_one_that_is_switched_off_never_seems_whole_again(tmp_path: Path) -> None:
    with journaled(tmp_path) as (office, _):
        place = office.central.place
        made = backed_up(office, tmp_path / "backups")
    bare = load(place.folder, {}, journal_folder="")
    central = open_central(bare)
    with central.registry.write() as door:
        door.audit("rina", "look", "", {}, 1)
    central.close()
    central = open_central(place)
    with central.registry.write() as door:
        door.audit("rina", "look", "", {}, 2)
    central.close()
    done, restored = put_back(tmp_path, made)
    restored.close()
    assert done.journal.why == "gap"
    assert done.branch.number == made.backup.server_seq


def test_figures_come_back_as_they_were_counted(tmp_path: Path) -> None:
    """Numbers that were added to are added to once more, from where the backup had them."""
    with journaled(tmp_path) as (office, van):
        reports = office.central.reports
        reports.follow(9)
        made = backed_up(office, tmp_path / "stick")
        van.take_in(2, **{"applicant.identity": {"name": "ORANG LAIN", "nik": "8272030902099001"}})
        van.take_in(3, **{"applicant.identity": {"name": "SATU LAGI", "nik": "8272030902099002"}})
        office.sync(van)
        reports.follow(9)
        with office.central.registry.read() as door:
            counted, mark = door.all_tallies(), door.report_mark()
        done, back = put_back(tmp_path, made)
        assert done.journal.why == ""
        with back.registry.read() as door:
            assert door.all_tallies() == counted
            assert door.report_mark() == mark
        assert max(counted.values()) == 3
        back.close()
