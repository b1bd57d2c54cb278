"""The receipt token: proof in a QR code that this office took this request in.

A COSE_Sign1 by the log's own key over {record, code, service, entry number, head, edition}. Anybody
with the list of keys can check it without network; one changed bit breaks it. It shows nobody's
name and no NIK.
"""

from __future__ import annotations

import msgspec

from models.problems import Problem
from sync.identity import Identity
from sync.logs import HEAD_WIRE_BYTES, log_id
from sync.messages import decode, encode
from sync.seal import Header, peek, sign, verify


class Receipt(msgspec.Struct, frozen=True, array_like=True):
    """record: 16 bytes. code: (block, number). service, edition: the form. seq, head: the entry
    that created the request and the first bytes of the chain value there."""

    record: bytes
    code: tuple[int, int]
    service: str
    edition: int
    seq: int
    head: bytes


def issue(receipt: Receipt, identity: Identity) -> bytes:
    """The signed token, about 150 bytes."""
    small = msgspec.structs.replace(receipt, head=receipt.head[:HEAD_WIRE_BYTES])
    header = Header(log_id(identity.sign_key), "receipt", b"")
    return sign(encode(small), identity, header)


def signer(token: bytes) -> bytes:
    """Log id under which to look up the key; nothing is verified by this."""
    return peek(token).signer


def check(token: bytes, key: bytes) -> Receipt:
    """What the token says, once `key` is shown to have signed it; else Problem receipt.forged."""
    try:
        _, payload = verify(token, key, "receipt", b"")
        return decode(payload, Receipt)
    except Problem:
        raise Problem("receipt.forged") from None
