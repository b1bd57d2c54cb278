"""A small town that leaves everything behind that an edition writes: for `scripts/freeze.py`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from field_client.bundles import Bundles
from field_client.vault.engine import Engine
from server import backup as backups
from sync.identity import KEY_BYTES
from tests.frozen import CENTRAL, CIPHER, PLAIN, TRAFFIC, VAULT, Traffic, packed, plain_copy
from tests.journey.test_laptops import taken
from tests.town import Laptop, Town

CIPHER_KEY, CIPHER_VAULT = b"k" * KEY_BYTES, b"v" * 16


def make(folder: Path) -> dict[str, bytes]:
    """A central that has invited a laptop; the laptop's work, on two roads; both at rest."""
    town = Town(folder)
    try:
        van = town.laptop("sari", "van 01", enrolled=False)
        central = town.central
        made = backups.make(
            central.place, central.registry, central.keys, folder / "backups", town.time()
        )
        files = {CENTRAL: packed(_central(town, made.folder))}
        posts: list[tuple[str, bytes, bytes]] = []
        _listen(van, posts)
        records = taken(town, van, "father", "mother")
        van.edit(records[0], applicant__phone="+6281200000001")
        van.sync()
        records += taken(town, van, "old_man")
        stick = folder / "stick"
        stick.mkdir()
        Bundles(van.house.desk, van.place).export(stick)
        volumes = [path.read_bytes() for path in sorted(stick.rglob("*.jbb"))]
        log = van.house.store.log()
        codes = {record.hex(): str(van.open_sheet(record).code) for record in records}
        keys = (central.keys.sign, central.keys.seal)
        traffic = Traffic(posts, volumes, (log.sign_seed, log.seal_seed), keys, codes)
        files[TRAFFIC] = msgspec.msgpack.encode(traffic)
        files[VAULT] = packed(_vault(van, folder))
        files[CIPHER] = _cipher(folder)
        return files
    finally:
        town.close()


def _listen(van: Laptop, posts: list[tuple[str, bytes, bytes]]) -> None:
    """Write down what goes over the road, both ways."""
    sent: list[tuple[str, bytes]] = []

    def before(path: str, body: bytes) -> bytes:
        sent.append((path, body))
        return body

    def after(path: str, answer: bytes) -> bytes:
        posts.append((*sent.pop(), answer))
        return answer

    van.lane.before, van.lane.after = before, after


def _central(town: Town, backup: Path) -> dict[str, bytes]:
    """A finished backup, and the recovery key that opens its keys."""
    found = {f"backup/{path.name}": path.read_bytes() for path in backup.iterdir()}
    return found | {"recovery-key.json": (town.folder / "recovery-key.json").read_bytes()}


def _vault(van: Laptop, folder: Path) -> dict[str, bytes]:
    """A laptop's folder; its database without encryption."""
    plain = folder / PLAIN
    plain_copy(van.house.store.engine.connection(), plain)
    keys = {name: (van.folder / name).read_bytes() for name in ("keys.json", "log.mark")}
    return keys | {PLAIN: plain.read_bytes()}


def _cipher(folder: Path) -> bytes:
    """The smallest encrypted database there is: how the pages of a vault are written."""
    path = folder / CIPHER
    engine = Engine(path, CIPHER_KEY, CIPHER_VAULT)
    engine.connection().execute("create table words (word text)")
    engine.connection().execute("insert into words values ('pala')")
    engine.connection().execute("pragma wal_checkpoint(truncate)")
    engine.close()
    return path.read_bytes()
