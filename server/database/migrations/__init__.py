"""Steps of the database's shape, one reasoned step a file, by Alembic; the same for both databases.

The tables in `server.database.tables` say what it should be now; a test upgrades an empty and a
filled database and finds no difference to them. A new step is written by hand into `versions/`.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from models.problems import Problem


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def newest() -> str:
    """The revision this version of the program works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def current(engine: Engine) -> str | None:
    """The revision the database has; None when it is empty."""
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DBAPIError as error:
        raise Problem("database.unreachable") from error


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the database to a revision, in one transaction: wholly or not at all."""
    config = _config()
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    except DBAPIError as error:
        raise Problem("database.unreachable") from error


def check(engine: Engine) -> None:
    """Raises Problem("database.schema") unless the database has exactly this version's shape."""
    if current(engine) != newest():
        raise Problem("database.schema")
