"""Shortcuts: which key does what, as one operator wants it.

Pages are drawn with the usual keys. What an operator chose is put in on the way out, so that the
key printed on a button is always the one that presses it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from field_client.vault.store import Store
from models.problems import Problem

USUAL = ("F1", "F2", "F3", "F4", "F6", "F7", "F8", "F9", "F10")
"""F5, F11 and F12 are the browser's."""

OFF = "off"
_DRAWN = re.compile(r'( data-key=")(F\d+)(")|(<kbd>)(F\d+)(</kbd>)')


class Chosen(msgspec.Struct, frozen=True):
    """Operator -> usual key -> the key wanted instead, or "off"."""

    of: dict[str, dict[str, str]] = {}


def chosen(store: Store, operator: str) -> dict[str, str]:
    """What differs from the usual keys for one operator."""
    kept = store.recall(Chosen) or Chosen()
    return kept.of.get(operator, {})


def choose(store: Store, operator: str, wanted: Mapping[str, str]) -> None:
    """Keep the keys of one operator. Problem keys.twice."""
    known = {k: v for k, v in wanted.items() if k in USUAL and v in (*USUAL, OFF)}
    full = {key: known.get(key, key) for key in USUAL}
    used: set[str] = set()
    for key in full.values():
        if key in used and key != OFF:
            raise Problem("keys.twice", key=key)
        used.add(key)
    kept = store.recall(Chosen) or Chosen()
    mine = {key: other for key, other in full.items() if other != key}
    store.remember(Chosen({**kept.of, operator: mine}))


def drawn(text: str, keys: Mapping[str, str]) -> str:
    """A page with an operator's own keys; a key that is off is neither printed nor listened to."""
    if not keys:
        return text

    def put(found: re.Match[str]) -> str:
        before, key, after = (part for part in found.groups() if part is not None)
        mine = keys.get(key, key)
        return "" if mine == OFF else f"{before}{mine}{after}"

    return _DRAWN.sub(put, text)
