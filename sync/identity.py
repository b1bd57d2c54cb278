"""Keys of logs, operators and central: Ed25519 to sign, X25519 to receive what is sealed.

Private keys are 32 raw bytes that the caller drew and keeps; this module draws nothing.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

KEY_BYTES = 32


class Identity:
    """A signing key and a sealing key that belong together (one log, or central)."""

    def __init__(self, sign_seed: bytes, seal_seed: bytes) -> None:
        self.signer = Ed25519PrivateKey.from_private_bytes(sign_seed)
        self.opener = X25519PrivateKey.from_private_bytes(seal_seed)
        self.sign_key = self.signer.public_key().public_bytes_raw()
        self.seal_key = self.opener.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """64-byte Ed25519 signature (RFC 8032)."""
        return self.signer.sign(message)


def public_key(seed: bytes) -> bytes:
    """Raw Ed25519 public key of a 32-byte private one."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, message: bytes) -> bytes:
    """Sign with a raw private key; see `Identity.sign`."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def verifies(key: bytes, message: bytes, signature: bytes) -> bool:
    """Is `signature` one of `message` by the raw public `key`? False for any malformed input."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True
