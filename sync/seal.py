"""Signed inside, sealed outside: what every message wears on every road, in both directions.

Signed: COSE_Sign1 (RFC 9052) with Ed25519. Everything that says who and for whom stands in the
protected header: algorithm, key id, and under "jb" the version, the purpose, the audience and the
dictionary, so that nothing of it can be exchanged. Sealed: HPKE base mode (RFC 9180), X25519,
HKDF-SHA256, AES-256-GCM; `info` binds purpose, outer header and recipient.

The purpose is part of the signature: a receipt can never be taken for a batch, nor a request of one
log for a reply to it. Overhead: 64 bytes of signature, 48 of HPKE, 10 of outer header.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cbor2
import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cwt import COSE, COSEKey

from models.problems import Problem
from sync.identity import Identity
from sync.logs import log_id, thumbprint

VERSION = 1
"""JB-Sync 1, 2026-11: the first. A reader refuses a version it does not know by name."""

PURPOSES = (
    "request", "reply", "page", "order", "receipt", "enrol", "invitation", "keys", "escrow",
    "manifest", "chunk", "ack", "bundle", "contents", "return",
    "reference", "roster",
)  # fmt: skip
"""A purpose travels as its place in this row, so new ones are only ever put at the end."""

AUDIENCE_BYTES = 8

HEAD_BYTES_MAX = 16 * 1024
"""Of a protected header; ours have some fifty."""

_OUTER = 2 + AUDIENCE_BYTES
_HPKE = 32 + 16
"""Bytes that HPKE adds: the ephemeral X25519 key and the AES-GCM tag."""

_ROW, _NOTHING, _STRING = b"\xd2\x84", 0xA0, 0x40
"""CBOR: a COSE_Sign1 (tag 18) is a row of four; an empty map; an empty byte string."""
_LONGER = {24: 1, 25: 2, 26: 4}
"""What stands for the size of a longer string -> in how many bytes it follows."""
_PROOF_BYTES = 64

_ALG, _KID, _JB = 1, 4, "jb"
_EDDSA = -8
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_COSE = COSE.new(alg_auto_inclusion=False, kid_auto_inclusion=False)


class Header(msgspec.Struct, frozen=True):
    """What the signature says about itself: signer, purpose, audience (8 bytes or empty) and the
    compression dictionary of the payload (0: none)."""

    signer: bytes
    purpose: str
    audience: bytes
    dictionary: int = 0


def audience(key: bytes) -> bytes:
    """Short name of a recipient: first bytes of its public key's thumbprint."""
    return thumbprint(key)[:AUDIENCE_BYTES]


# -- signed


def sign(payload: bytes, identity: Identity, header: Header, after: bytes = b"") -> bytes:
    """COSE_Sign1 of `payload`; the header's `signer` must be the identity's log id.

    after: name of the request before it in the same body where the payload can only be read after
    that one. It is signed along (RFC 9052's externally supplied data) and costs no bytes.
    """
    about = [VERSION, PURPOSES.index(header.purpose), header.audience, header.dictionary]
    protected = {_ALG: _EDDSA, _KID: header.signer, _JB: about}
    key = _private(identity.signer)
    return bytes(
        _COSE.encode_and_sign(payload, key, protected=protected, external_aad=after, out="")
    )


def peek(token: bytes) -> Header:
    """The header of a signed message, not verified yet: good for looking up the key and no more."""
    head, _ = _parts(token)
    try:
        fields: dict[Any, Any] = cbor2.loads(head)
        version, purpose, to, dictionary = fields[_JB]
        signer = fields[_KID]
    except Exception:
        raise Problem("sync.malformed") from None
    if version != VERSION:
        known = isinstance(version, int) and 0 <= version < 256  # nothing is verified yet
        raise Problem("sync.version", version=version if known else "?")
    if fields.get(_ALG) != _EDDSA or not isinstance(signer, bytes) or not isinstance(to, bytes):
        raise Problem("sync.malformed")
    if not isinstance(purpose, int) or not 0 <= purpose < len(PURPOSES):
        raise Problem("sync.malformed")
    if not isinstance(dictionary, int):
        raise Problem("sync.malformed")
    return Header(signer, PURPOSES[purpose], to, dictionary)


def payload_of(token: bytes) -> bytes:
    """The payload of a signed message, not verified yet: for one that carries its signer's key."""
    return _parts(token)[1]


def _parts(token: bytes) -> tuple[bytes, bytes]:
    """Protected header and payload, not verified yet. Read byte by byte, and in the one form that
    we write: tag 18, a row of four, nothing unprotected, a signature of 64 bytes. A reader of any
    CBOR can be kept busy for minutes by four megabytes (numbers with one hash, fractions of huge
    numbers), and whoever has our public key can send them."""
    try:
        head, at = _string(token, len(_ROW))
        if not token.startswith(_ROW) or token[at] != _NOTHING:
            raise ValueError
        payload, at = _string(token, at + 1)
        proof, at = _string(token, at)
    except (IndexError, ValueError):
        raise Problem("sync.malformed") from None
    if len(head) > HEAD_BYTES_MAX or len(proof) != _PROOF_BYTES or at != len(token):
        raise Problem("sync.malformed")
    return head, payload


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    """The CBOR byte string that begins at `at`, and where it ends (RFC 8949, section 3)."""
    size, begin = data[at] - _STRING, at + 1
    if size in _LONGER:
        width = _LONGER[size]
        size, begin = int.from_bytes(data[begin : begin + width], "big"), begin + width
    elif not 0 <= size < min(_LONGER):
        raise ValueError
    found = data[begin : begin + size]
    if len(found) != size:
        raise ValueError
    return found, begin + size


def verify(
    token: bytes, key: bytes, purpose: str, to: bytes, after: bytes = b""
) -> tuple[Header, bytes]:
    """Header and payload of a message that `key` signed for this purpose and audience, and after
    the request of that name.

    Raises Problem("sync.signature") when anything of that is not so.
    """
    header = peek(token)
    if header.purpose != purpose or header.audience != to or header.signer != log_id(key):
        raise Problem("sync.signature")
    try:
        payload = _COSE.decode(token, _public(key, header.signer), external_aad=after)
    except Exception:
        raise Problem("sync.signature") from None
    if not isinstance(payload, bytes):
        raise Problem("sync.signature")
    return header, payload


@lru_cache(maxsize=1024)
def _public(key: bytes, kid: bytes) -> Any:
    return COSEKey.new({1: 1, 2: kid, 3: _EDDSA, -1: 6, -2: key})


@lru_cache(maxsize=64)
def _private(signer: Ed25519PrivateKey) -> Any:
    seed = signer.private_bytes_raw()
    public = signer.public_key().public_bytes_raw()
    return COSEKey.new({1: 1, 2: log_id(public), 3: _EDDSA, -1: 6, -2: public, -4: seed})


# -- sealed


def seal(token: bytes, recipient: bytes, purpose: str, bound: bytes = b"") -> bytes:
    """`token` for the eyes of the holder of the X25519 public key `recipient` only.

    bound: plain bytes beside it (the header of a USB volume) without which it does not open.
    """
    outer = bytes((VERSION, PURPOSES.index(purpose))) + audience(recipient)
    key = X25519PublicKey.from_public_bytes(recipient)
    return outer + _SUITE.encrypt(token, key, info=_info(outer, recipient) + bound)


def can_receive(key: bytes) -> bool:
    """May something be sealed to this X25519 public key? Not to a point of low order (RFC 7748,
    section 6.1): the secret shared with it is zero, which anybody knows."""
    try:
        X25519PrivateKey.from_private_bytes(b"\x01" * 32).exchange(
            X25519PublicKey.from_public_bytes(key)
        )
    except ValueError:
        return False
    return True


def purpose_of(data: bytes) -> str:
    """What sealed bytes say they are. Problems sync.version and sync.malformed."""
    if len(data) < _OUTER or data[0] != VERSION:
        raise Problem("sync.version", version=str(data[0]) if data else "-")
    if data[1] >= len(PURPOSES):
        raise Problem("sync.malformed")
    return PURPOSES[data[1]]


def sealed_size(size: int) -> int:
    """Bytes that `size` bytes have when they are sealed."""
    return _OUTER + _HPKE + size


def unseal(data: bytes, identity: Identity, purpose: str, bound: bytes = b"") -> bytes:
    """The token in `data`; raises Problem("sync.seal") when it is not for us or was altered, or
    when `bound` is not what it was sealed with."""
    outer, body = data[:_OUTER], data[_OUTER:]
    if len(outer) < _OUTER or outer[0] != VERSION:
        raise Problem("sync.version", version=str(outer[0]) if outer else "-")
    if outer[1] != PURPOSES.index(purpose) or outer[2:] != audience(identity.seal_key):
        raise Problem("sync.seal")
    try:
        return _SUITE.decrypt(body, identity.opener, info=_info(outer, identity.seal_key) + bound)
    except (InvalidTag, ValueError):
        raise Problem("sync.seal") from None


def _info(outer: bytes, recipient: bytes) -> bytes:
    return b"jemput-bola seal" + outer + recipient
