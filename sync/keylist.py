"""The list of keys with which anybody can check a citizen's receipt, offline.

Central signs it. Of each log it says the key, and from which entry on it is not to be trusted any
more: a receipt of a laptop reported lost is not false for that, but only the office can tell.
"""

from __future__ import annotations

import msgspec

from models.problems import Problem
from sync import receipt, seal
from sync.identity import Identity
from sync.logs import log_id
from sync.messages import decode, encode
from sync.receipt import Receipt


class Key(msgspec.Struct, frozen=True, array_like=True):
    """The key of one log. limit: its last entry that is trusted, None for all."""

    key: bytes
    limit: int | None = None


class KeyList(msgspec.Struct, frozen=True, array_like=True):
    """All keys as central knew them at `at` (Unix seconds)."""

    at: int
    keys: list[Key]


def issue(keys: KeyList, central: Identity) -> bytes:
    """The signed list."""
    header = seal.Header(log_id(central.sign_key), "keys", b"")
    return seal.sign(encode(keys), central, header)


def read(token: bytes, central_sign_key: bytes) -> KeyList:
    """The list, once central's key is shown to have signed it."""
    _, payload = seal.verify(token, central_sign_key, "keys", b"")
    return decode(payload, KeyList)


def check(token: bytes, keys: KeyList) -> Receipt:
    """What a receipt says. Problems: receipt.malformed, receipt.unknown_key, receipt.forged, and
    receipt.ask_office for one that was issued after its laptop was lost."""
    try:
        signer = receipt.signer(token)
    except Problem:
        raise Problem("receipt.malformed") from None
    known = {log_id(entry.key): entry for entry in keys.keys}.get(signer)
    if known is None:
        raise Problem("receipt.unknown_key")
    told = receipt.check(token, known.key)
    if known.limit is not None and told.seq > known.limit:
        raise Problem("receipt.ask_office")
    return told
