"""A town for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Central on SQLite, as it is by default."""
    made = Town(tmp_path)
    yield made
    made.close()
