"""The bar above every page says what is known, and nothing more."""

from __future__ import annotations

from pathlib import Path

import pytest

from field_client.app import House
from field_client.courier import Progress, Report
from field_client.pages.syncing import Syncing, bar_of
from field_client.vault.custody import Slip
from field_client.watch import Heard
from models.problems import Problem
from sync.messages import Checkpoint
from tests.field import NOW, Hands, example, laptop


@pytest.fixture
def house(tmp_path: Path) -> House:
    return laptop(tmp_path / "data", Hands())


def waiting(house: House) -> None:
    """One request that central has not got."""
    from field_client.desk import Wanted

    house.desk.submit(house.desk.prepare(Wanted(**example("village-domicile-letter"))))


def words(house: House, syncing: Syncing, lang: str = "id") -> tuple[str, str]:
    found = bar_of(house, syncing, lang)
    return found.state, found.words


def test_a_new_laptop_has_nothing_to_send(house: House) -> None:
    assert words(house, Syncing()) == ("offline", "○ Offline · tidak ada antrean")


def test_what_waits_is_counted_and_said_to_be_safe(house: House) -> None:
    waiting(house)
    state, text = words(house, Syncing())
    assert state == "offline"
    assert text.startswith("○ Offline · 3 catatan antre (")
    assert text.endswith("aman di laptop ini")
    assert "3 entries to send" in words(house, Syncing(), "en")[1]


def test_offline_is_said_only_where_no_road_was_found(house: House) -> None:
    waiting(house)
    syncing = Syncing()
    syncing._told(Heard(Report(), Problem("sync.unreachable", url="-"), 10))
    assert words(house, syncing)[0] == "offline"
    syncing._told(Heard(Report(), None, 10))
    assert words(house, syncing) == ("waiting", words(house, syncing)[1])
    assert words(house, syncing)[1].startswith("○ Segera dikirim · ")
    syncing.paused = True
    assert words(house, syncing)[1].startswith("‖ Dijeda · ")


def test_a_percentage_is_of_proved_bytes(house: House) -> None:
    waiting(house)
    syncing = Syncing()
    syncing._moved(Progress("send", stored=1, total=4, bytes_stored=250, bytes_total=1000))
    found = bar_of(house, syncing, "id")
    assert (found.state, found.percent) == ("sending", 25)
    assert "1 dari 4" in found.words
    syncing._moved(Progress("wait", wait=40.0))
    assert words(house, syncing) == ("waiting", "‖ Menunggu sinyal · coba lagi 40 dtk")
    syncing._told(Heard(Report(), None, 10))
    assert bar_of(house, syncing, "id").percent is None


def test_all_arrived_says_when(house: House) -> None:
    house.store.remember(Checkpoint(house.store.log().id, 0, b"", b"", 0, b"", 0, NOW - 720))
    assert words(house, Syncing()) == ("sent", "✓ Semua sudah sampai di pusat · 12 menit lalu")


def test_a_full_disk_and_a_courier_are_told_beside_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(house)
    assert bar_of(house, Syncing(), "id").chips == ()
    log = house.store.log()
    slip = Slip("work", (1,), 1, 900, log=log.id, last=log.seq, entries=3)
    house.store.custody.add(NOW, "sari", "exported", b"b" * 8, slip)
    monkeypatch.setattr("field_client.reserve.free_bytes", lambda folder: 410_000_000)
    full, courier = bar_of(house, Syncing(), "id").chips
    assert full == ("▣ Sisa ruang 410 MB", "/readiness", False)
    assert (courier[0].startswith("✈ 3 dibawa kurir ("), courier[1]) == (True, "/usb")
