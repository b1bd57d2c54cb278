"""An empty register on SQLite as the migrations make it, made once for each test process.

Every test that wants a central of its own would else run all migrations again, with their fsyncs.
That they are right is tested by themselves (tests/integration/test_registry_migrations.py) and by
every central on PostgreSQL and every program that founds one.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from server.database.registry import open_registry

CITY = "82.72"


def lay(folder: Path) -> Path:
    """Put an empty register where central looks for it; gives the file."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / "central.db"
    if not file.exists():
        file.write_bytes(_blank())
        file.chmod(0o600)
    return file


@cache
def _blank() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "blank.db"
        registry = open_registry(f"sqlite:///{file.as_posix()}", CITY)
        registry.migrate()
        registry.close()
        assert not file.with_name("blank.db-wal").exists(), "all of it is in the file"
        return file.read_bytes()
