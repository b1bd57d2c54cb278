"""The store's promises, on the encrypted file and on the same file without encryption."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from field_client.vault.engine import Engine
from field_client.vault.store import Store
from tests.contract.desk_store_contract import *  # noqa: F403
from tests.contract.store_contract import *  # noqa: F403
from tests.contract.store_restores import *  # noqa: F403
from tests.vaults import PlainEngine, new_store
from tests.vaults import again as reopen


@pytest.fixture
def again() -> Iterator[Callable[[Store], Store]]:
    opened: list[Store] = []

    def anew(store: Store) -> Store:
        opened.append(reopen(store))
        return opened[-1]

    yield anew
    for store in opened:
        store.close()


@pytest.fixture(params=[Engine, PlainEngine], ids=["encrypted", "plain"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = new_store(tmp_path, request.param)
    yield made
    made.close()
