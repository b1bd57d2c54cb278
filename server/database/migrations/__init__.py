"""Steps of the database's shape, one reasoned step a file, by Alembic; the same for both databases.

The tables in `server.database.tables` say what it should be now; a test upgrades an empty and a
filled database and finds no difference to them. A new step is written by hand into `versions/`; its
file is named by its revision, four digits, and a few words. Alembic is loaded only where steps are
to be made, since no start of central should wait for it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import column, inspect, select, table

from models.problems import Problem
from server.database.engine import Database

_HERE = Path(__file__).parent
_VERSION = table("alembic_version", column("version_num"))
_REVISION = "[0-9]" * 4


@cache
def revisions() -> frozenset[str]:
    """All revisions: read from the names of the files once, they stay what they are."""
    return frozenset(file.name[:4] for file in (_HERE / "versions").glob(f"{_REVISION}_*.py"))


def newest() -> str:
    """The revision this version of the program works with."""
    return max(revisions())


def current(database: Database) -> str | None:
    """The revision the database has; None when it is empty."""
    with database.reading() as session:
        if not inspect(session.connection()).has_table(_VERSION.name):
            return None
        found: str | None = session.execute(select(_VERSION.c.version_num)).scalar_one_or_none()
        return found


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the database to a revision, the newest by default, in one transaction: wholly or not
    at all."""
    there = current(database)
    _not_newer(there)
    if revision in ("head", newest()) and there == newest():
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    with database.writing() as session:
        config.attributes["connection"] = session.connection()
        command.upgrade(config, revision)


def check(database: Database) -> None:
    """Raises Problem database.schema or database.newer unless the database has exactly the shape
    of this version."""
    there = current(database)
    _not_newer(there)
    if there != newest():
        raise Problem("database.schema")


def _not_newer(revision: str | None) -> None:
    if revision is not None and revision not in revisions():
        raise Problem("database.newer")
