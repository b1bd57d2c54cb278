"""The register's promises, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.blank import lay
from tests.contract.registry_attacks import *  # noqa: F403
from tests.contract.registry_cells import *  # noqa: F403
from tests.contract.registry_contract import *  # noqa: F403
from tests.contract.registry_home import Home, database_home
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
