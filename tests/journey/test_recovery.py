"""The recovery report: what a restore lost, who decided it, and which laptops bring it again."""

from __future__ import annotations

import secrets
from pathlib import Path

from server import backup as backups
from server import recovery, restoring
from server.central import open_central
from server.recovery import LogLine, Report
from tests.journey.test_laptops import taken
from tests.town import Laptop, Town
from tests.vaults import refused


def the_day_after(town: Town) -> tuple[Path, Laptop, Laptop, int]:
    """A backup, and after it one laptop's work, a decision, a laptop lost. Gives the backup, the
    laptops, and the newest decision that the first one had read."""
    van, other = town.laptop("sari"), town.laptop("rusli")
    (early,) = taken(town, van, "father")
    van.sync()
    central = town.central
    refused("restore.never", recovery.report, central.registry, town.staff["idham"], town.time())
    folder = town.folder / "backups"
    made = backups.make(central.place, central.registry, central.keys, folder, town.time())
    town.accept(early)
    taken(town, van, "mother", "old_man")
    van.sync()
    read = town.central.status().server_seq
    central.devices.lose(town.staff["idham"], "laptop rusli", "hilang di pasar")
    return made.folder, van, other, read


def put_back(town: Town, folder: Path) -> None:
    place = town.central.place
    town.central.close()
    restoring.restore(place, folder, None, town.time, secrets.token_bytes)
    town.central = open_central(place, town.time)


def reported(town: Town) -> tuple[Report, LogLine, LogLine]:
    """The report, and its lines of both laptops."""
    found = recovery.report(town.central.registry, town.staff["idham"], town.time())
    lines = {line.device: line for line in found.logs}
    return found, lines["laptop sari"], lines["laptop rusli"]


def test_what_was_lost_is_told_until_a_person_closes_the_case(town: Town) -> None:
    folder, van, _, read = the_day_after(town)
    had = van.house.store.log().seq
    put_back(town, folder)
    found, line, theirs = reported(town)
    assert (found.known, found.open, found.last) == (True, True, read)
    assert [one.action for one in found.decisions] == ["take", "approve"]
    assert {one.by.split(" ")[0] for one in found.decisions} == {"Nurlaila"}
    assert [(o.by, o.action, o.about) for o in found.acts] == [
        ("idham", "device.lose", "laptop rusli")
    ]
    assert (line.void_from, line.void_to, line.now) == (line.stored + 1, had, line.stored)
    words = "\n".join(recovery.sentences(found, "id"))
    assert f"bukti nomor {line.void_from}–{had} batal" in words
    assert "device.lose oleh idham" in words
    restoring.confirm(town.central.registry, town.staff["idham"], town.time())
    van.sync()
    found, line, theirs = reported(town)
    assert (line.read, line.now, line.whole) == (read, had, True)
    assert (theirs.called, theirs.whole) == (0, False)
    assert f"nomor {line.void_from}–{had} sudah ada lagi" in "\n".join(
        recovery.sentences(found, "id")
    )
    (case,) = town.cases("restore")
    town.resolve(case, "noted", "Sudah diputus lagi", by="idham")
    found, _, _ = reported(town)
    assert (found.open, found.reason) == (False, "Sudah diputus lagi")
    with town.central.registry.read() as door:
        noted = [e for e in door.trail(limit=1000) if e.action == "restore.report"]
    assert (noted[0].actor, len(noted)) == ("restore", 4)
    assert town.is_whole()


def test_where_the_lost_register_cannot_be_read_its_laptops_say_how_far_it_went(
    town: Town,
) -> None:
    folder, van, _, read = the_day_after(town)
    town.central.close()
    (town.central.place.folder / "central.db").write_bytes(b"nothing left" * 1000)
    put_back(town, folder)
    found, _, _ = reported(town)
    assert (found.known, found.last, found.decisions) == (False, 0, [])
    restoring.confirm(town.central.registry, town.staff["idham"], town.time())
    van.sync()
    found, _, _ = reported(town)
    assert found.last == read
    assert "tanyakan kepada mereka" in "\n".join(recovery.sentences(found, "id"))
