"""The store against the world: killed, copied, searched for plaintext, filled up, grown large."""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from field_client.vault.drafts import Draft
from field_client.vault.engine import Engine
from field_client.vault.keys import Keys
from field_client.vault.refs import Ref
from field_client.vault.store import Store
from models.problems import Problem
from models.roster.residents import Resident
from models.roster.source import RosterSource
from sync.messages import Order
from tests.disks import fill, small_disk
from tests.vault_office import Office
from tests.vaults import (
    CHEAP,
    DATABASE_KEY,
    NOW,
    PASSPHRASE,
    VAULT,
    Hand,
    PlainEngine,
    new_store,
    refused,
)

TODAY = date(2026, 11, 21)
EXPIRES = date(2027, 11, 21)
MARKER = "Zqxkenari"
MARKER_NIK = "8272037777777777"
SPAWN = multiprocessing.get_context("spawn")


def reopen(folder: Path) -> Store:
    return Store(Engine(folder / "vault.db", DATABASE_KEY, VAULT))


# --- plaintext


def _plant(folder: Path, kind: type[Engine]) -> None:
    """Put the marker everywhere a person can put text, then die in the middle of a save."""
    keys = Keys(folder, None)
    made = keys.create("sari", f"{PASSPHRASE} {MARKER}", CHEAP)
    keys.add(made.database_key, "budi", f"{MARKER} {MARKER}", CHEAP)
    store = new_store(folder, kind)
    hand = Hand(store)
    identity = {"applicant__name": f"Siti {MARKER}", "applicant__nik": MARKER_NIK}
    record = hand.create(**identity, address__address=f"Jalan {MARKER}")
    hand.edit(record, applicant__phone=f"+62{MARKER}")
    store.drafts.save(Draft(b"1" * 16, "sari", record, "birth", 0, 0, NOW, MARKER.encode()))
    store.reveals.add(NOW, "sari", f"show {MARKER}", record)
    person = Resident(key="0" * 32, name=f"Warga {MARKER}", nik=MARKER_NIK, address=MARKER)
    source = RosterSource("82.72.03.2001", MARKER, TODAY, MARKER, EXPIRES)
    store.roster.take_in(source, [person] * 200)
    assert store.requests.search(MARKER)
    assert store.roster.search(MARKER, TODAY)
    assert store.requests.by_number(MARKER_NIK)
    Office(store.log()).sync(store)
    store.remember(Order(b"", 1, MARKER))
    with store.saving() as saving:
        for i in range(40):
            saving.append(hand.created((i, 64), applicant__name=f"Anak {MARKER}"))
        saving.keep_ref(Ref(MARKER, b"", b"", MARKER.encode()))
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def _planted(folder: Path, kind: type[Engine]) -> set[str]:
    """Names of the files in which the marker can be read."""
    environment = {"TMPDIR": str(folder), "SQLITE_TMPDIR": str(folder)}
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        process = SPAWN.Process(target=_plant, args=(folder, kind))
        process.start()
        process.join(60)
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    assert process.exitcode == -9 or os.name != "posix"
    spelled = [
        text.encode(code)
        for text in (MARKER, MARKER.upper(), MARKER.lower(), MARKER_NIK)
        for code in ("utf-8", "utf-16-le")
    ]
    found = set()
    for file in (path for path in folder.rglob("*") if path.is_file()):
        data = file.read_bytes()
        if any(one in data for one in spelled):
            found.add(file.name)
    return found


def test_no_file_shows_any_of_it_even_after_a_kill(tmp_path: Path) -> None:
    assert _planted(tmp_path, Engine) == set()
    names = {file.name for file in tmp_path.iterdir()}
    assert {"vault.db", "vault.db-wal", "vault.db-shm", "keys.json", "log.mark"} <= names


def test_the_search_for_plaintext_would_find_some(tmp_path: Path) -> None:
    """The same act on an unencrypted file: the test above can fail."""
    found = _planted(tmp_path, PlainEngine)
    assert found & {"vault.db", "vault.db-wal"}


def test_an_expired_list_leaves_no_word_in_the_database(tmp_path: Path) -> None:
    """Looked for in an unencrypted file: what is deleted must be gone, not merely out of reach."""
    store = new_store(tmp_path, PlainEngine)
    people = [
        Resident(key=f"{i:032x}", name=f"{MARKER}{i % 97} Warga{i}", nik=MARKER_NIK)
        for i in range(150)
    ]
    source = RosterSource("82.72.03.2001", "OpenSID", TODAY, "PKS", TODAY)
    store.roster.take_in(source, people)
    for n in range(9):  # lists that stay, so that the index mixes their words with the others
        kept = RosterSource("82.72.03.2002", f"Daftar {n}", TODAY, "PKS", EXPIRES)
        names = [f"Tetangga{n}-{i}" for i in range(1000)]
        store.roster.take_in(kept, [Resident(key="0" * 32, name=name) for name in names])
    assert MARKER_NIK.encode() in b"".join(f.read_bytes() for f in tmp_path.glob("vault.db*"))
    assert store.roster.purge(EXPIRES) == 150
    left = b"".join(f.read_bytes() for f in tmp_path.glob("vault.db*")).lower()
    for text in (MARKER.lower(), MARKER_NIK, "warga2"):
        assert text.encode() not in left, text
    store.close()


# --- killed at any moment


def _save_for_ever(folder: Path, line: int) -> None:
    """Save and acknowledge, one after another, until somebody kills us."""
    store = reopen(folder)
    hand = Hand(store)
    number = 0
    while True:
        number += 1
        ref = f"{os.getpid()}-{number}"
        with store.saving() as saving:
            size = number % 3 + 1
            for i in range(size):
                change = hand.created((i, size), applicant__nik=f"827203300309{number:04}")
                record = saving.record_of(saving.append(change), change)
            saving.keep_ref(Ref(ref, b"", record, record))
        os.write(line, f"{ref} {record.hex()} {saving.seq}\n".encode())


def test_a_kill_at_any_moment_loses_nothing_acknowledged(tmp_path: Path) -> None:
    if os.name != "posix":
        pytest.skip("kills with SIGKILL and inherits a pipe")
    new_store(tmp_path).close()
    chance = random.Random(20261121)
    acknowledged: dict[str, tuple[bytes, int]] = {}
    for _ in range(8):
        acknowledged |= _killed_once(tmp_path, chance.uniform(0.01, 0.6))
    assert len(acknowledged) >= 8  # each process said at least one; usually there are hundreds
    store = reopen(tmp_path)
    assert not store.restored
    assert store.broken_at(store.log().id) is None
    assert store.engine.check() == []
    for ref, (record, seq) in acknowledged.items():
        kept = store.requests.by_ref(ref)
        assert kept is not None, f"{ref} was acknowledged and is gone"
        assert kept.record == record
        assert store.engine.one("select record from entries where seq = ?", seq) == (record,)
    kept_refs = store.engine.one("select count(*) from refs")
    assert kept_refs is not None
    # what was saved but not yet said: at most the last save of each killed process
    assert len(acknowledged) <= kept_refs[0] <= len(acknowledged) + 8
    created = store.engine.one("select count(*) from entries where kind = 'create'")
    listed = store.engine.one("select count(*) from requests")
    assert created == listed
    assert store.standing().requests == {"submitted": listed[0] if listed else 0}
    assert [e.seq for e in store.pending(0, 1 << 40)] == list(range(1, store.log().seq + 1))


def _killed_once(folder: Path, after: float) -> dict[str, tuple[bytes, int]]:
    """What one saving process acknowledged until it was killed `after` seconds of saving."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    script = (
        "import sys; from pathlib import Path;"
        "from tests.integration.test_vault_store import _save_for_ever;"
        f"_save_for_ever(Path(sys.argv[1]), {writer})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)],
        pass_fds=(writer,),
        cwd=Path(__file__).parents[2],
    )
    os.close(writer)
    data = os.read(reader, 65536)  # it has begun
    assert data, "the saving process did not start"
    time.sleep(after)
    process.kill()
    process.wait()
    while more := os.read(reader, 65536):
        data += more
    os.close(reader)
    lines = [line.split() for line in data.decode().splitlines()]
    return {ref: (bytes.fromhex(record), int(seq)) for ref, record, seq in lines}


def _save_some(folder: Path, count: int) -> None:
    store = reopen(folder)
    hand = Hand(store)
    for number in range(count):
        hand.create(applicant__nik=f"827203300309{number:04}")
    store.close()


def test_two_programs_write_one_gap_free_log(tmp_path: Path) -> None:
    new_store(tmp_path).close()
    processes = [SPAWN.Process(target=_save_some, args=(tmp_path, 25)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(90)
        assert process.exitcode == 0
    store = reopen(tmp_path)
    assert store.log().seq == 2 * (25 + 2)
    assert store.broken_at(store.log().id) is None
    mark = store.mark.read()
    assert mark is not None
    assert (mark.seq, mark.head) == (store.log().seq, store.log().head)


# --- a full disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    yield from small_disk(tmp_path / "small", 4)


def test_a_full_disk_stops_saving_and_loses_nothing(disk: Path) -> None:
    store = new_store(disk)
    hand = Hand(store)
    ballast = fill(disk, leave=600_000)
    saved: list[bytes] = []

    def save_on() -> None:
        for number in range(2000):
            nik = f"827203300309{number:04}"
            saved.append(hand.create(applicant__nik=nik, address__address="Jalan " * 40))

    problem = refused("disk.full", save_on)
    assert "penuh" in problem.words("id")
    assert len(saved) > 5
    standing = store.standing()
    for record in saved:
        assert store.requests.line(record) is not None
    assert standing.requests == {"submitted": len(saved)}
    store.close()
    ballast.unlink()
    store = reopen(disk)
    assert not store.restored
    assert store.engine.check() == []
    assert store.broken_at(store.log().id) is None
    assert store.standing() == standing
    hand.store = store
    hand.create(applicant__nik="8272033003099999")
    assert store.log().seq == len(saved) + 3
    store.close()


# --- damage


def test_a_damaged_database_is_said_and_left_alone(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    hand = Hand(store)
    for number in range(300):
        hand.create(applicant__nik=f"827203300309{number:04}")
    store.engine.checkpoint()
    store.close()
    path = tmp_path / "vault.db"
    whole = path.read_bytes()
    for place in range(4096 + 60, len(whole), len(whole) // 7):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0x01
        path.write_bytes(spoilt)
        assert _says_corrupt(tmp_path)
        assert path.read_bytes() == bytes(spoilt)
    path.write_bytes(whole)
    assert reopen(tmp_path).engine.check() == []


def _says_corrupt(folder: Path) -> bool:
    """Opening says so, or the check that `doctor` runs does."""
    try:
        store = reopen(folder)
    except Problem as problem:
        return problem.code == "vault.corrupt"
    found = store.engine.check(quick=True)
    store.close()
    return bool(found)


# --- large


def grown(folder: Path, count: int) -> Store:
    """A store with `count` requests, in few commits."""
    store = new_store(folder)
    hand = Hand(store)
    for start in range(0, count, 50):
        with store.saving() as saving:
            for i in range(start, min(start + 50, count)):
                saving.append(hand.created(applicant__nik=f"82720330{i:08}"))
    return store


def _steps(store: Store) -> int:
    """Instructions SQLite runs for `standing`, in tens: a clock that never wavers."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    connection = store.engine.connection()
    connection.set_progress_handler(step, 10)
    store.standing()
    connection.set_progress_handler(None, 10)
    return count


def test_status_costs_the_same_on_many_requests_as_on_few(tmp_path: Path) -> None:
    few, many = grown(tmp_path / "few", 20), grown(tmp_path / "many", 2000)
    assert few.standing().unsent == 22
    assert many.standing().unsent == 2002
    assert _steps(many) <= _steps(few) * 1.1 + 2


SMALL = {"counts", "logs", "l", "rosters", "s", "settings", "CONSTANT", "resident_words_config"}
"""Tables that do not grow with the work (`l` is logs, `s` is rosters; the last one holds FTS5's own
settings, which it reads again when the schema has changed)."""

_SCAN = re.compile(r"\bSCAN (?:main\.)?(\w+)\b(?! VIRTUAL TABLE)")


def _plans(store: Store, act: object) -> list[tuple[str, str]]:
    """(statement, plan line) of everything `act` asks of the database."""
    assert callable(act)
    connection = store.engine.connection()
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    act()
    connection.set_trace_callback(None)
    questions = [
        sql for sql in asked if sql.split(None, 1)[0].lower() in ("select", "update", "delete")
    ]
    assert questions
    found = []
    for sql in questions:
        for row in connection.execute(f"explain query plan {sql}").fetchall():
            found.append((sql, row[3]))
    return found


def test_nothing_asked_every_day_reads_a_whole_growing_table(tmp_path: Path) -> None:
    store = grown(tmp_path, 60)
    hand = Hand(store)
    record = hand.create()
    office = Office(store.log())
    person = Resident(key="0" * 32, name="Warga", nik="8272030101900001", kk="8272030101900002")
    source = RosterSource("82.72.03.2001", "OpenSID", TODAY, "PKS", EXPIRES)
    acts = {
        "status": store.standing,
        "list": store.requests.newest,
        "list by status": lambda: store.requests.newest(status="submitted"),
        "list by service": lambda: store.requests.newest(service="birth"),
        "list own": lambda: store.requests.newest(own=True, before=40),
        "search": lambda: store.requests.search("bahar"),
        "number": lambda: store.requests.by_number("8272033003090005"),
        "code": lambda: store.requests.by_code(7, 3),
        "ref": lambda: store.requests.by_ref("x"),
        "show": lambda: store.requests.picture(record),
        "line": lambda: store.requests.line(record),
        "pending": lambda: store.pending(0),
        "position": store.position,
        "save": lambda: hand.create(applicant__nik="8272033003090077"),
        "edit": lambda: hand.edit(record, applicant__phone="+62812"),
        "sync": lambda: office.sync(store),
        "unread": store.notices.unread,
        "notices": store.notices.newest,
        "notices of": lambda: store.notices.of(record),
        "read": lambda: store.notices.read(1, 2),
        "drafts": lambda: store.drafts.of("sari"),
        "proof": lambda: store.proof(1),
        "orders": store.orders_due,
        "import": lambda: store.roster.take_in(source, [person]),
        "roster": lambda: store.roster.search("warga", TODAY),
        "nik": lambda: store.roster.by_nik("8272030101900001", TODAY),
        "kk": lambda: store.roster.by_kk("8272030101900002", TODAY),
        "residents": lambda: list(store.roster.residents(1, TODAY)),
        "purge": lambda: store.roster.purge(date(2028, 1, 1)),
        "reveal": lambda: store.reveals.add(NOW, "sari", "show"),
    }
    for name, act in acts.items():
        for sql, line in _plans(store, act):
            scan = _SCAN.search(line)
            assert scan is None or scan[1] in SMALL, f"{name}: {line}\n{sql}"
            if name.startswith("list"):
                assert "TEMP B-TREE" not in line, f"{name}: {line}\n{sql}"


def test_a_plan_with_a_scan_would_be_seen(tmp_path: Path) -> None:
    store = grown(tmp_path, 5)
    plans = _plans(store, lambda: store.engine.read("select 1 from requests where name = 'x'"))
    assert any(_SCAN.search(line) for _, line in plans)
