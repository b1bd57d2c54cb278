"""Steps of the database's shape, one reasoned step a file, by Alembic; the same for both databases.

The tables in `server.database.tables` say what it should be now; a test upgrades an empty and a
filled database and finds no difference to them. A new step is written by hand into `versions/`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from models.problems import Problem
from server.database.engine import Database


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


@cache
def _known() -> tuple[str, frozenset[str]]:
    """(the newest revision, all of them): read from the files once, they stay what they are."""
    scripts = ScriptDirectory.from_config(_config())
    head = scripts.get_current_head()
    assert head is not None
    return head, frozenset(step.revision for step in scripts.walk_revisions())


def newest() -> str:
    """The revision this version of the program works with."""
    return _known()[0]


def current(database: Database) -> str | None:
    """The revision the database has; None when it is empty."""
    with database.reading() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the database to a revision, the newest by default, in one transaction: wholly or not
    at all."""
    _not_newer(database)
    if revision in ("head", newest()) and current(database) == newest():
        return
    config = _config()
    with database.writing() as session:
        config.attributes["connection"] = session.connection()
        command.upgrade(config, revision)


def check(database: Database) -> None:
    """Raises Problem database.schema or database.newer unless the database has exactly the shape
    of this version."""
    _not_newer(database)
    if current(database) != newest():
        raise Problem("database.schema")


def _not_newer(database: Database) -> None:
    found = current(database)
    if found is not None and found not in _known()[1]:
        raise Problem("database.newer")
