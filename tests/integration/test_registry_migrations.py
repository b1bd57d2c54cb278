"""The steps of the database's shape lead to what the tables say, from empty and from filled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, insert, inspect, select, text
from sqlmodel import Session

from models.problems import Problem
from server.database import migrations
from server.database.engine import Database
from server.database.registry import Registry, open_registry
from server.database.tables import Table
from tests.contract.registry_home import CITY, database_home


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        found: str = request.getfixturevalue("postgres_url")
        return found
    return f"sqlite:///{(tmp_path / 'central.db').as_posix()}"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()


def differences(database: Database) -> list[object]:
    with database.reading() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        return list(compare_metadata(context, Table.metadata))


def test_an_empty_database_is_brought_to_what_the_tables_say(database: Database) -> None:
    assert migrations.current(database) is None
    with pytest.raises(Problem, match=r"database\.schema"):
        migrations.check(database)
    migrations.migrate(database)
    assert differences(database) == []
    migrations.check(database)
    migrations.migrate(database)
    assert migrations.current(database) == migrations.newest()


def test_the_names_of_the_files_say_what_alembic_reads_in_them() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [migrations.newest()]
    assert {step.revision for step in scripts.walk_revisions()} == migrations.revisions()


def test_the_tables_really_have_their_indexes_and_keys(database: Database) -> None:
    """What the comparison does not look at: parts of keys, and conditions of indexes."""
    migrations.migrate(database)
    found = inspect(database.engine)
    for table in Table.metadata.sorted_tables:
        keys = found.get_pk_constraint(table.name)["constrained_columns"]
        assert keys == [column.name for column in table.primary_key]
        there = {index["name"] for index in found.get_indexes(table.name)}
        assert {index.name for index in table.indexes} <= there
    assert set(found.get_table_names()) == {*Table.metadata.tables, "alembic_version"}


FIGURES = {"journeys", "milestones", "tallies", "report_marks"}  # 0019 has them counted again


def fill(session: Session, filled: set[str]) -> dict[str, dict[str, Any]]:
    """One row in each table that is not `filled` yet, whatever its columns are by now: the rows by
    table. All values are alike, so that foreign keys hold."""
    samples: dict[type, Any] = {str: "satu", bytes: b"1" * 16, int: 1, bool: True}
    new = {*inspect(session.connection()).get_table_names()} - filled - {"alembic_version"}
    there = MetaData()
    there.reflect(session.connection(), only=[*new])
    tables = [table for table in there.sorted_tables if table.name in new]
    rows = {t.name: {c.name: samples[c.type.python_type] for c in t.columns} for t in tables}
    for table in tables:
        session.execute(insert(table).values(rows[table.name]))
    return rows


def test_a_filled_database_keeps_its_rows_through_every_step(database: Database) -> None:
    """Each step meets a row in every table that was there before it."""
    rows: dict[str, dict[str, Any]] = {}
    for number in range(1, int(migrations.newest()) + 1):
        migrations.migrate(database, f"{number:04}")
        with database.writing() as session:
            rows |= fill(session, {*rows})
    assert rows.keys() == Table.metadata.tables.keys()
    assert differences(database) == []
    with database.reading() as session:
        for table in Table.metadata.sorted_tables:
            found = [dict(row).items() for row in session.execute(select(table)).mappings()]
            kept = any(rows[table.name].items() <= row for row in found)
            assert kept is (table.name not in FIGURES), table.name


def test_a_database_of_a_newer_program_is_not_touched(url: str) -> None:
    home = database_home(url)
    registry = home.registry
    assert isinstance(registry, Registry)
    with registry.database.writing() as session:
        session.connection().execute(text("update alembic_version set version_num = '9999'"))
    for act in (registry.check, registry.migrate):
        with pytest.raises(Problem, match=r"database\.newer"):
            act()
    registry.close()


def test_an_office_that_was_not_founded_is_not_ready(url: str) -> None:
    registry = open_registry(url, CITY)
    registry.migrate()
    with pytest.raises(Problem, match=r"office\.empty"):
        registry.check()
    registry.close()


def test_a_step_that_fails_leaves_the_database_as_it_was(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic.operations import Operations

    make, made = Operations.create_table, 0

    def fail(self: Operations, *given: object, **more: object) -> object:
        nonlocal made
        made += 1
        if made > 5:
            raise ZeroDivisionError
        return make(self, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Operations, "create_table", fail)
    with pytest.raises(ZeroDivisionError):
        migrations.migrate(database)
    assert inspect(database.engine).get_table_names() == []
    monkeypatch.undo()
    migrations.migrate(database)
    assert differences(database) == []
