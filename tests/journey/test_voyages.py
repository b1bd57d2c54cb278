"""A voyage planned at the office reaches the laptop of the van, and the van's word on how it is
reaches the office."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from field_client import battery
from field_client.editions import timetable
from models import services
from server.voyages import Plan, Stop
from sync import messages
from sync.exchange import Exchange, Position
from sync.messages import Cursor, Health, Request
from tests.town import Town
from tests.village import PLACE


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()
    services.adopt({})


def test_a_laptop_hears_the_days_and_the_office_how_the_laptop_is(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, percent in (("BAT0", "81\n"), ("BAT1", "34\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "capacity").write_text(percent)
        (tmp_path / name / "status").write_text("Discharging\n")
    monkeypatch.setattr(battery, "SUPPLIES", tmp_path)
    van, ratna = town.laptop("sari", "Si Jola"), town.staff["ratna"]
    stop = Stop("2026-12-01", PLACE, "Balai desa, 09.00")
    town.central.voyages.keep(ratna, Plan("Jemput bola", (stop,)), "Si Jola")
    town.central.voyages.publish(ratna)
    services.adopt({})  # the laptop has not heard it
    van.sync()
    package = van.house.store.package()
    told = timetable(package, van.house.desk.today())
    assert [(str(v.day), v.village, v.note) for v in told] == [(stop.day, PLACE, stop.note)]
    (seen,) = town.central.fleet.overview(ratna)
    assert seen.device.name == "Si Jola"
    assert seen.voyage is not None
    assert seen.call is not None
    assert seen.call.health is not None
    assert seen.call.health.disk > 0
    assert seen.call.health.battery == 34, "the emptiest counts"


def test_it_goes_with_the_first_request_and_older_programs_do_without() -> None:
    health = Health(unsent=3, oldest=7)
    one = Exchange(Position(b"l" * 16, 0, b"", 0, Cursor(), 0), "t", lambda _: b"", health=health)
    first = messages.decode(one.request([], 5), Request)
    second = messages.decode(one.request([], 6), Request)
    assert (first.health, second.health) == (health, None)
    older = msgspec.msgpack.decode(messages.encode(first))[:-1]
    assert messages.decode(msgspec.msgpack.encode(older), Request).health is None
    newer = [*msgspec.msgpack.decode(messages.encode(first)), "something new"]
    newer[-2] = [*newer[-2], "something new"]
    assert messages.decode(msgspec.msgpack.encode(newer), Request) == first
