"""Every action that central writes into the audit trail has words, and no words are of nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from models import lifecycle
from models.audit import acts
from models.people import Act, DeviceMove
from server.database.matching import COMPARING
from sync.messages import LOCKS
from tests.architecture import source

WRITERS = ("audit", "note", "_note", "_say", "_keep_second")
MADE = {
    *(f"request.{step}" for step in lifecycle.ACTIONS),
    *(f"request.{step}.propose" for step in lifecycle.ACTIONS),
    *(f"case.{step}" for step in ("propose", "decide", "approve", "decline", "reopen")),
    *(f"device.{move}" for move in DeviceMove),
    *(f"device.{lock}" for lock in LOCKS),
    *(f"blank.{state}" for state in ("used", "spoiled")),
    *(f"{kind}.found" for kind in COMPARING),
    "bundle.return",
}
"""Those that are put together of parts."""


def written(tree: ast.Module) -> Iterator[str]:
    """The actions that stand in calls as they are."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or getattr(call.func, "attr", "") not in WRITERS:
            continue
        for node in (part for arg in call.args for part in ast.walk(arg)):
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "Act":
                yield str(Act[node.attr])
            elif isinstance(node, ast.Constant) and _is_action(node.value):
                yield node.value


def _is_action(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and (value == "sign-in" or _dotted(value))


def _dotted(text: str) -> bool:
    first, _, rest = text.partition(".")
    return first.replace("-", "").isalpha() and rest.replace("_", "").replace(".", "").isalpha()


def test_every_action_of_the_trail_has_words_and_no_words_are_left_over() -> None:
    found = {act for path in source.modules("server") for act in written(source.parsed(path))}
    assert {"sign-in", "request.read", "voyage.cancel", "second-factor.end"} <= found
    assert found | MADE == acts().keys()
