"""The same promises of the register in memory, on which the simulated worlds stand."""

from __future__ import annotations

import pytest

from sync.known import LogState
from sync.logs import opening_head
from tests.contract.registry_attacks import *  # noqa: F403
from tests.contract.registry_cells import *  # noqa: F403
from tests.contract.registry_contract import *  # noqa: F403
from tests.contract.registry_home import CENTRAL, CENTRAL_OPENING, Home
from tests.contract.registry_hostile import *  # noqa: F403
from tests.contract.registry_poison import *  # noqa: F403
from tests.contract.registry_telling import *  # noqa: F403
from tests.simulation.memory import MemoryRegistry


@pytest.fixture
def home() -> Home:
    registry = MemoryRegistry()
    head = opening_head(CENTRAL_OPENING)
    registry.add_log(LogState(CENTRAL, bytes(16), 0, head, central=True))
    return Home(registry, lambda log, _, villages: registry.add_log(log, villages))
