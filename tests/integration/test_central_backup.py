"""Backups of central: made while work goes on, checked by opening, put back under a new name."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from operator import mul
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from models.changes import Attached, Body
from server import backup as backups
from server import restoring
from server.backup import Made
from server.central import Central, open_central
from server.cli import app
from server.settings import Place, load
from sync.messages import Chunk, Cursor, Request
from sync.transfer import manifest_of
from tests.pusat import PASSWORD, Pusat, pusat
from tests.vaults import refused

DATA = os.urandom(40_000)
FILE = manifest_of(DATA)


@pytest.fixture
def office(tmp_path) -> Iterator[Pusat]:
    with pusat(tmp_path / "pusat") as opened:
        yield opened


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder on another disk."""
    if not Path("/dev/shm").is_dir():
        pytest.skip("no second file system here")
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


def make(office: Pusat, folder: Path, **settings: str) -> Made:
    central = office.central
    changed = msgspec.structs.replace(central.settings, **settings)
    place = Place(central.place.folder, changed)
    office.clock.at += 60
    return backups.make(place, central.registry, central.keys, folder, office.clock())


def with_a_file(office: Pusat) -> bytes:
    """A request with a paper, all of it at central; gives the request."""
    van = office.van("Van 01")
    record = van.take_in(1)
    van.edit(record, Body(attach=[Attached("document.KK", FILE.blob, FILE.size)]), None)
    office.sync(van)
    with office.central.registry.read() as door:
        log = door.log(van.log)
    assert log is not None
    (state,) = office.central.arrivals.take(log, [FILE], [Chunk(FILE.blob, 0, DATA)], 1)
    assert state.verified
    return record


def put_back(folder: Path, made: Path, recovery: Path | None = None, **given: Any) -> Central:
    place = load(folder, {}, **given)
    restoring.restore(place, made, recovery, lambda: 1_800_000_000, secrets.token_bytes)
    return open_central(place, lambda: 1_800_000_001)


def test_a_backup_holds_everything_and_is_checked_by_opening(office, tmp_path):
    with_a_file(office)
    made = make(office, tmp_path / "backups")
    counts = office.central.evidence.verify(None)
    assert made.backup.counts["requests"] == counts.requests == 1
    assert made.backup.counts["entries"] == counts.entries
    assert (made.copied, made.missing, made.durable, made.why) == (1, 0, False, "unset")
    assert sorted(f.name for f in made.folder.iterdir()) == [
        "backup.json", "keys.sealed", "register.db"
    ]  # fmt: skip
    assert backups.read(made.folder) == made.backup
    again = make(office, tmp_path / "backups")
    assert (again.copied, again.folder.parent) == (0, made.folder.parent)
    sealed = (made.folder / "keys.sealed").read_bytes()
    assert office.central.keys.sign not in sealed


def test_a_backup_is_one_moment_while_laptops_go_on(office, tmp_path):
    van = office.van("Van 01")
    stop = threading.Event()

    def work() -> None:
        number = 1
        while not stop.is_set():
            van.take_in(number)
            office.sync(van)
            number += 1

    worker = threading.Thread(target=work)
    worker.start()
    try:
        found = [make(office, tmp_path / "backups").backup for _ in range(3)]
    finally:
        stop.set()
        worker.join()
    numbers = [one.server_seq for one in found]
    assert numbers == sorted(numbers)
    assert all(one.counts["decisions"] == one.server_seq for one in found)


def test_what_is_damaged_does_not_count(office, tmp_path):
    with_a_file(office)
    with office.central.registry.write() as door:
        door.run(text("update records set name = 'lain'"))
    refused("backup.damaged", make, office, tmp_path / "backups")
    assert [f.suffix for f in (tmp_path / "backups").iterdir() if f.name != "files"] == [".part"]
    half = next((tmp_path / "backups").glob("*.part"))
    refused("backup.none", backups.read, half)


def test_only_a_checked_backup_on_another_disk_says_what_may_be_deleted(
    office, tmp_path, elsewhere
):
    with_a_file(office)
    here = tmp_path / "backups"
    assert make(office, here, backup_folder=str(here)).why == "same_disk"
    assert make(office, here, backup_folder=str(elsewhere)).why == "elsewhere"
    assert office.central.status().durable_seq == 0
    made = make(office, elsewhere, backup_folder=str(elsewhere))
    assert made.durable
    assert office.central.status().durable_seq == made.backup.server_seq > 0
    van = office.van("Van 02")
    van.take_in(2)
    reply = office.sync(van)
    assert reply.checkpoint.durable_seq == made.backup.server_seq < reply.checkpoint.server_seq


def test_a_file_that_is_not_whole_keeps_the_mark_where_it_was(office, elsewhere):
    with_a_file(office)
    for path in office.central.place.files_folder.glob("*/*"):
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    made = make(office, elsewhere, backup_folder=str(elsewhere))
    assert (made.missing, made.durable, made.why) == (1, False, "files")
    assert office.central.status().durable_seq == 0


def test_a_central_comes_back_on_another_machine_with_the_recovery_key(office, tmp_path):
    record = with_a_file(office)
    made = make(office, tmp_path / "backups")
    before = office.central.status()
    folder = tmp_path / "new-machine"
    refused("backup.keys", put_back, folder, made.folder)
    central = put_back(folder, made.folder, tmp_path / "pusat" / "recovery-key.json")
    try:
        after = central.status()
        assert after.requests == before.requests
        assert after.incarnation != before.incarnation
        assert after.server_seq > 1 << 40
        assert after.durable_seq == made.backup.server_seq
        assert after.open_cases == {"restore": 1}
        assert central.evidence.verify(None).broken == ()
        refused("office.unconfirmed", central.reception.ready)
        with central.registry.read() as door:
            (blob,) = door.blobs_of(record).values()
        shelf = central.arrivals.shelf
        assert b"".join(chunk or b"" for chunk in shelf.read(blob.id, blob.size)) == DATA
    finally:
        central.close()


def test_a_file_that_the_backup_lost_is_wanted_again(office, tmp_path):
    record = with_a_file(office)
    made = make(office, tmp_path / "backups")
    for path in (tmp_path / "backups" / "files").glob("*/*"):
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        (path.parent / "folder").mkdir()  # no file: it stops nothing
    central = put_back(
        tmp_path / "new-machine", made.folder, tmp_path / "pusat" / "recovery-key.json"
    )
    try:
        with central.registry.read() as door:
            (blob,) = door.blobs_of(record).values()
        assert blob.covered is None
    finally:
        central.close()


def test_a_register_that_is_in_use_is_not_replaced(office, tmp_path):
    with_a_file(office)
    made = make(office, tmp_path / "backups")
    place = office.central.place
    refused(
        "backup.running", restoring.restore, place, made.folder, None, office.clock,
        secrets.token_bytes,
    )  # fmt: skip
    assert office.central.status().requests == {"received": 1}


def test_the_register_that_was_here_is_moved_aside(tmp_path):
    with pusat(tmp_path / "pusat") as office:
        with_a_file(office)
        assert office.token("rina")
        made = make(office, tmp_path / "backups")
        van = office.van("Van 02")
        van.take_in(2)
        office.sync(van)
    central = put_back(tmp_path / "pusat", made.folder)
    try:
        assert central.status().requests == {"received": 1}
        assert sum(central.status().devices.values()) == 1
        with central.registry.read() as door:
            assert door.sessions_of("rina", 0) == [], "she may have left since"
    finally:
        central.close()
    (aside,) = (tmp_path / "pusat").glob("central.db.before-*")
    with backups.opened(aside, "82.72") as old, old.read() as door:
        assert door.counts().requests == {"received": 2}


def test_a_damaged_backup_is_refused_and_nothing_changes(office, tmp_path):
    with_a_file(office)
    made = make(office, tmp_path / "backups")
    register = made.folder / "register.db"
    data = bytearray(register.read_bytes())
    data[len(data) // 2] ^= 1
    register.write_bytes(data)
    folder = tmp_path / "new-machine"
    recovery = tmp_path / "pusat" / "recovery-key.json"
    refused("backup.damaged", put_back, folder, made.folder, recovery)
    refused("backup.none", put_back, folder, tmp_path, recovery)
    assert not (folder / "central.db").exists()


def test_a_backup_that_somebody_changed_is_refused(office, tmp_path):
    """Whoever keeps the medium could be an admin once it is put back."""
    made = make(office, tmp_path / "backups")
    register = made.folder / "register.db"
    with contextlib.closing(sqlite3.connect(register)) as there:
        assert there.execute("update people set role = 'admin' where login = 'siak'").rowcount
        there.commit()
    changed = msgspec.structs.replace(made.backup, sha256=backups.digest(register))
    (made.folder / "backup.json").write_bytes(msgspec.json.encode(changed))
    assert backups.read(made.folder) == changed
    recovery = tmp_path / "pusat" / "recovery-key.json"
    problem = refused("backup.damaged", put_back, tmp_path / "new", made.folder, recovery)
    assert problem.details["why"] == "signature"
    bare = msgspec.structs.replace(changed, signature="")  # as if it were older than signing
    (made.folder / "backup.json").write_bytes(msgspec.json.encode(bare))
    refused("backup.unsigned", put_back, tmp_path / "new", made.folder, recovery)
    assert not (tmp_path / "new").exists()


def test_a_second_restore_goes_on_above_what_the_first_one_gave(office, tmp_path):
    """The backup knows nothing of the first restore, the register in its place does."""
    with_a_file(office)
    made = make(office, tmp_path / "backups")
    place, recovery = load(tmp_path / "new-machine", {}), tmp_path / "pusat" / "recovery-key.json"
    bases = [
        restoring.restore(
            place, made.folder, recovery, lambda: 1_800_000_000, partial(mul, chance)
        ).branch.base
        for chance in (b"\7", b"\1")
    ]
    assert bases == [8 << 40, 10 << 40]


def test_numbers_jump_and_a_laptop_of_the_lost_time_is_told_the_lineage(office, tmp_path):
    van = office.van("Van 01")
    van.take_in(1)
    office.sync(van)
    made = make(office, tmp_path / "backups")
    van.take_in(2)
    office.sync(van)
    central = put_back(
        tmp_path / "new-machine", made.folder, tmp_path / "pusat" / "recovery-key.json"
    )
    try:
        with central.registry.read() as door:
            (branch,) = door.lineage()
            standing = door.standing()
        restoring.confirm(central.registry, office.people["tono"], 1)
        asked = Request(9, "test", 1, van.cursor, 1 << 20, None)
        reply, pages = central.reception.respond(van.log, asked, b"n" * 16)
        assert (reply.lineage, pages, reply.more) == ([branch], [], True)
        assert reply.checkpoint.seq < van.proved
        assert branch.number == made.backup.server_seq < van.cursor.server_seq
        fresh = Request(10, "test", 1, Cursor(standing.incarnation, branch.number), 1 << 20, None)
        reply, pages = central.reception.respond(van.log, fresh, b"m" * 16)
        assert (reply.lineage, reply.more) == ([], False)
        with central.registry.write() as door:
            door.order(van.log, "active", 0)
            assert door.orders(van.log)[-1][0] > 1000
            assert door.next_block() > 256
    finally:
        central.close()


def test_a_postgresql_register_is_backed_up_and_put_back(tmp_path, postgres_url):
    with pusat(tmp_path / "pusat", postgres_url) as office:
        with_a_file(office)
        made = make(office, tmp_path / "backups")
        assert made.backup.counts["requests"] == 1
        place = office.central.place
        refused(
            "office.exists", restoring.restore, place, made.folder, None, office.clock,
            secrets.token_bytes,
        )  # fmt: skip
    recovery = tmp_path / "pusat" / "recovery-key.json"
    central = put_back(tmp_path / "new-machine", made.folder, recovery)
    try:
        assert central.status().requests == {"received": 1}
        assert central.evidence.verify(None).broken == ()
    finally:
        central.close()


def test_a_register_is_put_back_into_an_empty_postgresql(office, tmp_path, postgres_url):
    with_a_file(office)
    made = make(office, tmp_path / "backups")
    recovery = tmp_path / "pusat" / "recovery-key.json"
    central = put_back(tmp_path / "new", made.folder, recovery, database_url=postgres_url)
    try:
        assert central.status().database == "postgresql"
        assert central.status().requests == {"received": 1}
        assert central.evidence.verify(None).broken == ()
        restoring.confirm(central.registry, office.people["tono"], 1)
        central.reception.ready()
    finally:
        central.close()


def test_the_commands(tmp_path):
    def run(*words: str, ok: int = 0) -> dict[str, Any]:
        done = CliRunner().invoke(app, [*words, "--json"])
        assert done.exit_code == ok, (done.output, done.exception)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    data, password = tmp_path / "pusat", tmp_path / "password"
    password.write_text(PASSWORD)
    with pusat(data) as office:
        with_a_file(office)
        made = run("backup", str(tmp_path / "backups"), "--data", str(data))
    assert (made["durable"], made["why"], made["copied"]) == (False, "unset", 1)
    done = run("restore", made["folder"], "--data", str(data))
    assert done["server_seq"] == made["server_seq"]
    by_tono = ["--data", str(data), "--as", "tono", "--password-file", str(password)]
    report = run("restore", "report", *by_tono)
    assert (report["open"], report["first"]) == (True, made["server_seq"] + 1)
    assert [line["device"] for line in report["logs"]] == ["Van 01"]
    assert run("waiting", *by_tono) == {"waiting": []}
    words = ["confirm-restore", "--data", str(data), "--password-file", str(password), "--as"]
    assert run(*words, "rina", ok=1)["problem"]["code"] == "auth.forbidden"
    assert run(*words, "tono")["devices"] == ["Van 01"]
    assert run(*words, "tono", ok=1)["problem"]["code"] == "restore.none"
