"""What earlier editions wrote is read by this one: messages, a sync, a stick, a vault, a backup."""

from __future__ import annotations

import hashlib
import importlib
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from field_client.app import House, keys_of, open_house
from field_client.courier import Courier
from field_client.doctor import examine
from field_client.settings import FieldSettings, Place
from field_client.vault.engine import Engine
from field_client.vault.keys import Keys
from models.problems import Problem
from server import backup as backups
from server import restoring
from server.central import Central, open_central
from server.database.people import Person
from server.settings import load
from sync import bundle, seal, wire
from sync.identity import Identity
from sync.messages import Cursor, Page, Reply, Request, decode
from tests import frozen
from tests.frozen import CENTRAL, CIPHER, FOLDER, LIST, MESSAGES, PLAIN, TRAFFIC, VAULT, Frozen
from tests.frozen_town import CIPHER_KEY, CIPHER_VAULT
from tests.town import Lane, Time
from tests.vaults import PASSPHRASE

EDITIONS = {
    "2026.11": "14c66ec6b07a19598b231632a22e6edd212016b11d9ea736222d36a9f11ba11e",
}
"""Edition -> SHA-256 of its list of files. A line is added with a release, and none is changed."""

BYTES_MAX = 300_000


@pytest.fixture(params=sorted(EDITIONS))
def edition(request: pytest.FixtureRequest) -> Path:
    found: Path = FOLDER / request.param
    return found


# -- nobody writes them again


def test_no_edition_was_written_again() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(EDITIONS)
    for name, digest in EDITIONS.items():
        folder = FOLDER / name
        written = (folder / LIST).read_bytes()
        assert hashlib.sha256(written).hexdigest() == digest, f"{name} was frozen again"
        assert written.decode() == frozen.listed(folder), f"{name} has other files than its list"
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < BYTES_MAX


def test_the_script_never_writes_over_an_edition(edition: Path) -> None:
    before = frozen.listed(edition)
    script = Path(__file__).resolve().parents[2] / "scripts" / "freeze.py"
    done = subprocess.run(
        [sys.executable, str(script), edition.name], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "frozen already" in done.stderr) == (1, True)
    assert frozen.listed(edition) == before


# -- messages


def unread(one: Frozen, kind: Any) -> list[str]:
    """Fields of a frozen struct that today's does not give back as they were."""
    found = msgspec.msgpack.decode(one.data, type=kind)
    return [
        name
        for name, data in one.fields.items()
        if not _begins(msgspec.msgpack.decode(data), _plain(getattr(found, name, None)))
    ]


def _plain(value: Any) -> Any:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value))


def _begins(then: Any, now: Any) -> bool:
    """The same, but for what was appended since: fields of arrays, names of maps."""
    if isinstance(then, list) and isinstance(now, list):
        pairs = zip(then, now, strict=False)
        return len(then) <= len(now) and all(_begins(a, b) for a, b in pairs)
    if isinstance(then, dict) and isinstance(now, dict):
        return all(key in now and _begins(value, now[key]) for key, value in then.items())
    return bool(then == now)


def test_every_struct_says_what_it_said(edition: Path) -> None:
    told = msgspec.msgpack.decode((edition / MESSAGES).read_bytes(), type=list[Frozen])
    assert {"sync.messages.Request", "models.changes.Change", "sync.state.Decision"} <= {
        one.name for one in told
    }
    wrong = {}
    for one in told:
        module, _, name = one.name.rpartition(".")
        fields = unread(one, getattr(importlib.import_module(module), name))
        if fields:
            wrong[one.name] = fields
    assert wrong == {}


def test_a_field_that_was_moved_or_taken_out_shows() -> None:
    class Moved(msgspec.Struct, array_like=True):
        server_seq: int = 0
        incarnation: bytes = b""
        head: bytes = b""

    class Short(msgspec.Struct, array_like=True):
        incarnation: bytes = b""

    class Longer(Cursor, frozen=True, array_like=True):
        more: int = 0

    one = frozen.frozen(Cursor)
    with pytest.raises(msgspec.ValidationError):
        unread(one, Moved)
    assert unread(one, Short) == ["server_seq", "head"]
    assert unread(one, Cursor) == unread(one, Longer) == []


# -- at rest, and on the way


@pytest.fixture
def traffic(edition: Path) -> frozen.Traffic:
    return msgspec.msgpack.decode((edition / TRAFFIC).read_bytes(), type=frozen.Traffic)


@pytest.fixture
def central(edition: Path, tmp_path: Path) -> Iterator[Central]:
    """The backup of that edition, put back and taking work."""
    frozen.unpacked((edition / CENTRAL).read_bytes(), tmp_path / "then")
    place, time = load(tmp_path / "central", {}), Time()
    time.goes_on(10)
    recovery = tmp_path / "then" / "recovery-key.json"
    given = (place, tmp_path / "then" / "backup", recovery, time, secrets.token_bytes, None)
    if not backups.read(given[1]).signature:  # of an edition that did not sign
        with pytest.raises(Problem, match=r"backup\.unsigned"):
            restoring.restore(*given)
    restoring.restore(*given, True)
    opened = open_central(place, time)
    with opened.registry.read() as door:
        member = door.person("idham")
    assert member is not None
    restoring.confirm(opened.registry, member, time())
    yield opened
    opened.close()


def stored(central: Central) -> dict[str, str]:
    """Id -> tracking code of every request, as staff sees them."""
    with central.registry.read() as door:
        member: Person | None = door.person("nurlaila")
    assert member is not None
    lines = central.casework.requests(member, limit=50)
    return {line.id: line.code for line in lines}


def test_a_backup_is_put_back_and_takes_what_a_laptop_of_its_time_sends(
    central: Central, traffic: frozen.Traffic
) -> None:
    assert stored(central) == {}
    for path, body, _ in traffic.posts:
        if path.endswith("enrol"):
            central.devices.enrol(body)
        else:
            central.reception.answer(body)
    sent = stored(central)
    assert len(sent) == 2
    for volume in traffic.volumes:
        central.bundles.take(None, volume)
    assert stored(central) == traffic.requests
    assert set(sent) < set(traffic.requests)
    assert central.evidence.verify(None).broken == ()


def test_answers_of_that_time_open_and_verify(traffic: frozen.Traffic) -> None:
    me, office = Identity(*traffic.log_keys), Identity(*traffic.central_keys)
    seen = []
    for path, body, answer in traffic.posts:
        if path.endswith("enrol"):
            continue
        for frames, mine, theirs in ((body, office, me), (answer, me, office)):
            for frame in wire.split_frames(frames):
                purpose = bundle.purpose_of(frame)
                token = seal.unseal(frame, mine, purpose)
                to = seal.audience(mine.seal_key)
                header, packed = seal.verify(token, theirs.sign_key, purpose, to)
                payload = wire.unpack(packed, header.dictionary)
                kinds: dict[str, Any] = {"request": Request, "reply": Reply, "page": Page}
                seen.append(type(decode(payload, kinds[purpose])))
    assert {Request, Reply} <= set(seen)


def vault_of(edition: Path, folder: Path) -> House:
    """The laptop of that edition, encrypted again and unlocked by its PIN."""
    frozen.unpacked((edition / VAULT).read_bytes(), folder)
    plain = folder.with_suffix(".plain")
    shutil.move(folder / PLAIN, plain)
    time = Time()
    unlocked = Keys(folder, None).unlock("sari", PASSPHRASE, time())
    engine = Engine(folder / "vault.db", unlocked.database_key, unlocked.vault)
    connection = engine.connection()
    connection.execute("attach database ? as plain key ''", (str(plain),))
    connection.execute("select sqlcipher_export('main', 'plain')")
    connection.execute("detach database plain")
    engine.close()
    return open_house(
        Place(folder, FieldSettings()), "sari", PASSPHRASE, keys=keys_of(folder, None)
    )


def test_a_vault_is_brought_to_this_edition_and_its_laptop_works_on(
    edition: Path, traffic: frozen.Traffic, central: Central, tmp_path: Path
) -> None:
    with vault_of(edition, tmp_path / "van") as house:
        house.begin()
        checks = {check.name: check.ok for check in examine(house, quick=True)}
        assert (checks["database"], checks["log"], checks["restored"]) == (True, True, True)
        lines = {line.record.hex(): line for line in house.store.requests.newest()}
        assert set(lines) == set(traffic.requests)
        codes = {name: str(house.desk.open(line.record).code) for name, line in lines.items()}
        assert codes == traffic.requests
        lane: Any = Lane(SimpleNamespace(central=central))  # type: ignore[arg-type]
        report = Courier(house.desk, lane, house.place, chance=lambda: 0.5).sync()
        assert report.pending == 0
        assert Courier(house.desk, lane, house.place, chance=lambda: 0.5).sync().pushed == 0
    assert stored(central) == traffic.requests


def test_pages_of_a_vault_are_read_as_they_were_encrypted(edition: Path, tmp_path: Path) -> None:
    shutil.copy(edition / CIPHER, tmp_path / CIPHER)
    engine = Engine(tmp_path / CIPHER, CIPHER_KEY, CIPHER_VAULT)
    try:
        assert engine.one("select word from words") == ("pala",)
    finally:
        engine.close()
