"""The register's promises, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.ledger import NUMBER_MAX
from sync.messages import Health
from tests.blank import lay
from tests.contract.registry_attacks import *  # noqa: F403
from tests.contract.registry_cells import *  # noqa: F403
from tests.contract.registry_contract import *  # noqa: F403
from tests.contract.registry_home import NOW, Home, database_home
from tests.contract.registry_hostile import *  # noqa: F403
from tests.contract.registry_poison import *  # noqa: F403
from tests.contract.registry_telling import *  # noqa: F403

CITIES = itertools.count(1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """On PostgreSQL all tests share a database, each as another city: none may see the others."""
    url = f"sqlite:///{lay(tmp_path).as_posix()}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_module_url")
    made = database_home(url, f"82.{next(CITIES):02}")
    yield made
    made.registry.close()  # type: ignore[attr-defined]


def test_what_a_laptop_says_of_itself_is_read_as_what_can_be(home: Home) -> None:
    van = home.laptop()
    home.send(van)
    health = Health(-1, 1 << 63, (1 << 64) - 1, -(1 << 63), 5, 6, 300)
    with home.registry.write() as door:
        door.heard(van.log, NOW, "a\0b" * 100, (1 << 64) - 1, -(1 << 63), health)
    with home.registry.read() as door:
        calls = door.calls()  # type: ignore[attr-defined]
    (call,) = [one for one in calls if one.log == van.log]
    assert (call.clock, call.cursor) == (NUMBER_MAX, 0)
    assert (len(call.build), "\0" in call.build) == (40, False)
    assert call.health == Health(0, NOW, NUMBER_MAX, 0, 5, 6, 100)
