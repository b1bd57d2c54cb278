"""What waits is named in words at both ends: numbers, volumes, whose stick, whose turn."""

from __future__ import annotations

import msgspec
import pytest

from field_client.bundles import Bundles
from field_client.waits import sentence as field_sentence
from field_client.waits import waits as field_waits
from models.changes import KINDS, Change, OperatorEntry, encode, raw
from server.waits import Wait, sentence, waits
from sync.logs import next_head
from sync.messages import Batch
from tests.journey.test_laptops import taken
from tests.town import Laptop, Town


def at_central(town: Town) -> list[Wait]:
    return waits(town.central.bundles, town.staff["nurlaila"])


def on_laptop(laptop: Laptop) -> list[str]:
    house = laptop.house
    found = field_waits(house.store, Bundles(house.desk, house.place), laptop.folder)
    return [field_sentence(one, "id") for one in found]


def test_numbers_that_have_not_come_are_named_with_their_volume_or_last_stick(town: Town) -> None:
    van = town.laptop("sari")
    taken(town, van, "father", "mother", "old_man", "son")
    log = van.house.store.log()
    first = log.stored + 1
    assert on_laptop(van) == [f"Nomor {first}–{log.seq} belum dikirim."]
    stick = town.folder / "stick"
    stick.mkdir()
    Bundles(van.house.desk, van.place).export(stick)
    (said,) = on_laptop(van)
    assert said.startswith(f"Nomor {first}–{log.seq} menunggu bukti; USB terakhir (K-")
    tail = van.house.store.pending(log.stored)[1:]
    before = van.house.store.head_at(first)
    assert before is not None
    batch = Batch(first + 1, before[:8], tail[-1].head[:8], [entry.data for entry in tail])
    town.central.ledger.store(log.id, batch, town.time())
    (one,) = at_central(town)
    assert (one.device, one.first, one.last, one.why) == ("laptop sari", first, first, "gap")
    assert one.owner == "field"
    assert "belum pernah ada USB" in sentence(one, "id")
    assert "no stick" in sentence(one, "en")
    stuck = msgspec.structs.replace(one, stick=town.time())
    assert "USB terakhir dari laptop itu dibaca" in sentence(stuck, "id")
    held = msgspec.structs.replace(one, volumes=(2,), n=3, bundle="K-3F7K92")
    assert "jilid 2 dari 3" in sentence(held, "id")
    assert "volume 2 of 3" in sentence(held, "en")
    van.sync()
    assert (at_central(town), on_laptop(van)) == ([], [])


def test_a_kind_that_central_does_not_know_waits_with_an_owner_and_is_tried_after_an_upgrade(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    van = town.laptop("sari")
    log = van.house.store.log()
    person = OperatorEntry(b"p" * 16, "Petugas Baru", b"k" * 32)
    change = Change("operator", b"", 0, 1, "", 0, 0, 1, 1, 0, 0, 0, None, raw(person))
    data = encode(change)
    head = next_head(log.id, log.head, data)
    batch = Batch(log.seq + 1, log.head[:8], head[:8], [data])
    with monkeypatch.context() as older:
        kinds = tuple(kind for kind in KINDS if kind != "operator")
        older.setattr("sync.intake.KINDS", kinds)
        older.setattr("server.waits.KINDS", kinds)
        stored = town.central.ledger.store(log.id, batch, town.time())
        assert [result.state for _, result in stored.results] == ["waiting"]
        (one,) = at_central(town)
        assert (one.first, one.last, one.why, one.owner) == (
            log.seq + 1,
            log.seq + 1,
            "kind",
            "admin",
        )
        assert "versi lebih baru" in sentence(one, "id")
        assert town.central.ledger.retry(town.time()) == 0
    assert town.central.ledger.retry(town.time()) == 1
    assert at_central(town) == []
    assert town.is_whole()


def test_what_waits_for_another_laptops_request_says_so(town: Town) -> None:
    van, other = town.laptop("sari"), town.laptop("rusli")
    (record,) = taken(town, other, "father")
    body = raw({"set": {"applicant.phone": "+6281200000001"}})
    log = van.house.store.log()
    change = Change("edit", record, 0, 1, "", 0, 2, 1, 1, 0, 1, 0, None, body)
    data = encode(change)
    head = next_head(log.id, log.head, data)
    batch = Batch(log.seq + 1, log.head[:8], head[:8], [data])
    town.central.ledger.store(log.id, batch, town.time())
    (one,) = at_central(town)
    assert (one.why, one.record, one.owner) == ("request", record.hex(), "field")
    assert record.hex()[:8] in sentence(one, "id")
    other.sync()
    assert at_central(town) == []
