"""What tests of the vault share: cheap key derivation, an in-memory key store, a refusal checked
down to its words."""

from __future__ import annotations

from collections.abc import Callable
from string import Formatter
from typing import Any

import pytest

from field_client.vault.keyfile import Cost
from models import problems as catalogue
from models.problems import Problem

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
PASSPHRASE = "pala sagu kora"
NOW = 1_790_000_000


class MemoryKeyStore:
    """A key store as a desktop has one, without a desktop."""

    def __init__(self) -> None:
        self.secrets: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        return self.secrets.get(name)

    def put(self, name: str, secret: bytes) -> None:
        self.secrets[name] = secret


def refused(code: str, call: Callable[..., Any], *values: Any, **more: Any) -> Problem:
    """`call` raises the Problem `code`, and every word of its sentence can be filled in."""
    with pytest.raises(Problem) as caught:
        call(*values, **more)
    assert caught.value.code == code
    entry = catalogue.problems()[code]
    for sentence in (entry.id, entry.en):
        asked = {name for _, name, _, _ in Formatter().parse(sentence) if name}
        assert asked <= set(caught.value.details), f"{code} lacks {asked}"
    return caught.value
