"""Bundles by other hands: carried by a laptop that cannot read them, and by its network."""

from __future__ import annotations

import msgspec
import pytest

from field_client.doctor import examine
from field_client.relay import deliver
from sync import wire
from tests.sticks import bring, bundles, export, give, read, rows, stick
from tests.town import Town
from tests.vaults import refused


def test_a_laptop_carries_what_it_cannot_read_both_ways(town: Town) -> None:
    van, boat = town.laptop("sari", enrolled=False), town.laptop("rusli")
    van.take(*rows(town, 2))
    made = export(van, stick(town, "from van"))
    (held,) = bundles(boat).carry([stick(town, "from van")], "Sari, Maitara")
    assert (held.bundle, held.words, held.volumes) == (made.bundle, made.words, (1,))
    boat.open()
    (handed,) = bundles(boat).hand_over(stick(town, "to office"), party="Bu Nur")
    assert handed.bundle == made.bundle
    assert bundles(boat).carried() == []
    bring(town, stick(town, "to office"))

    given = give(town, van, stick(town, "back"))
    bundles(boat).carry([stick(town, "back")])
    bundles(boat).hand_over(stick(town, "to van"), [given.bundle], "Sari", keep=True)
    assert [one.bundle for one in bundles(boat).carried()] == [given.bundle]
    (done,) = read(van, stick(town, "to van"))
    assert done.state == "fresh"
    assert van.house.store.standing().unsent == 0
    lines = boat.house.store.custody.newest()
    acts = [(line.act, line.slip.party) for line in reversed(lines)]
    assert acts == [
        ("carried", "Sari, Maitara"), ("handed", "Bu Nur"), ("carried", ""), ("handed", "Sari"),
    ]  # fmt: skip
    assert boat.house.store.custody.broken_at() is None


def test_what_is_carried_leaves_room_for_the_laptops_own_work(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stick full of what only looks like bundles is as large as a laptop's disk."""
    van, boat = town.laptop("sari", enrolled=False), town.laptop("rusli")
    export(van, stick(town, "from van"))
    with monkeypatch.context() as full:
        full.setattr("field_client.bundles.LEFT_BYTES", 1 << 60)
        refused("disk.full", bundles(boat).carry, [stick(town, "from van")])
    assert bundles(boat).carried() == []
    assert len(bundles(boat).carry([stick(town, "from van")])) == 1


class Net:
    """The office's door for bundles as function calls."""

    def __init__(self, town: Town) -> None:
        self.town = town

    def post(self, path: str, body: bytes) -> bytes:
        assert path == "/v1/bundles"
        return msgspec.msgpack.encode(self.town.central.bundles.take(None, body))

    def get(self, path: str) -> bytes:
        log = bytes.fromhex(path.removeprefix("/v1/bundles/").removesuffix("/return"))
        made = self.town.central.returns.give(None, log=log)
        return wire.join_frames(data for _, data in made.files)

    def close(self) -> None:
        """Nothing is kept open."""


def test_a_relay_with_signal_delivers_and_brings_the_answer_back(town: Town) -> None:
    van, relay = town.laptop("sari", enrolled=False), town.laptop("rusli")
    van.take(*rows(town, 2))
    export(van, stick(town, "from van"))
    bundles(relay).carry([stick(town, "from van")])
    (done,), refused = deliver(bundles(relay), Net(town))
    assert (done.device, refused) == (van.name, [])
    assert len(town.stored()) == 2
    bundles(relay).hand_over(stick(town, "to van"))
    read(van, stick(town, "to van"))
    assert van.house.store.standing().unsent == 0
    assert [line.act for line in relay.house.store.custody.newest()] == [
        "handed", "carried", "relayed", "carried",
    ]  # fmt: skip


def test_asked_again_before_anything_happened_it_is_the_same_bundle(town: Town) -> None:
    van = town.laptop("sari")
    log = van.house.store.log().id
    first, again = (town.central.returns.give(None, log=log) for _ in range(2))
    assert (first.number, first.bundle) == (again.number, again.bundle)
    van.take(*rows(town, 1))
    van.sync()
    assert town.central.returns.give(None, log=log).number == first.number + 1


def test_an_altered_line_of_the_custody_log_is_found(town: Town) -> None:
    boat = town.laptop("rusli")
    for name in ("one", "two"):
        export(boat, stick(town, name))
    custody = boat.house.store.custody
    assert custody.broken_at() is None
    with boat.house.store.engine.writing() as connection:
        connection.execute("update custody set operator = 'orang lain' where number = 1")
    assert custody.broken_at() == 1
    (check,) = [one for one in examine(boat.house, quick=True) if one.name == "custody"]
    assert not check.ok
    assert "1" in check.words("id")
