"""The escrow: the database key sealed to the office, so that a forgotten PIN never costs data.

Made once, at enrolment, with nothing but the office's public recovery key. Only the private half,
kept at the office, opens it; the laptop itself cannot. HPKE base mode (RFC 9180): X25519,
HKDF-SHA-256, AES-256-GCM. `info` binds the sealed key to its purpose, this vault and its recipient,
so that it cannot be passed off as the key of another laptop.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from models.problems import Problem

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


RECOVERY_BYTES_MAX = 4096


class RecoveryFile(msgspec.Struct):
    """What `jemput-pusat init` wrote to be locked up, as far as it is needed here. Hexadecimal."""

    private_key: str


def read_recovery(path: Path) -> bytes:
    """The office's private recovery key (32 bytes) in its file. Problems file.unreadable,
    escrow.wrong_key."""
    try:
        with path.open("rb") as file:
            data = file.read(RECOVERY_BYTES_MAX)
    except OSError as error:
        raise Problem("file.unreadable", file=path.name) from error
    try:
        return bytes.fromhex(msgspec.json.decode(data, type=RecoveryFile).private_key)
    except (msgspec.DecodeError, ValueError):
        raise Problem("escrow.wrong_key") from None


def recipient(office_public_key: bytes) -> bytes:
    """Name of a recovery key: 16 bytes of the hash of the raw X25519 public key (32 bytes)."""
    return hashlib.sha256(b"jb1-recovery" + office_public_key).digest()[:16]


def seal(database_key: bytes, vault: bytes, office_public_key: bytes) -> bytes:
    """Seal the 32-byte database key of `vault` (16 bytes) to the office; 80 bytes come back."""
    try:
        public_key = X25519PublicKey.from_public_bytes(office_public_key)
    except ValueError as error:
        raise Problem("escrow.bad_key") from error
    return _SUITE.encrypt(database_key, public_key, info=_info(vault, office_public_key))


def open_sealed(sealed: bytes, vault: bytes, office_private_key: bytes) -> bytes:
    """The database key again, at the office. Raises Problem `escrow.wrong-key` otherwise."""
    try:
        private_key = X25519PrivateKey.from_private_bytes(office_private_key)
        public_key = private_key.public_key().public_bytes_raw()
        return _SUITE.decrypt(sealed, private_key, info=_info(vault, public_key))
    except (InvalidTag, ValueError) as error:
        raise Problem("escrow.wrong_key") from error


def _info(vault: bytes, office_public_key: bytes) -> bytes:
    return b"jb1-escrow" + vault + recipient(office_public_key)
