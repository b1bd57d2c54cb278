"""The second factor: six digits of an authenticator app, by the clock (RFC 6238).

The register keeps the secret sealed (AES-256-GCM, the login as associated data), so that a copy of
the database alone gives nobody the digits. Each time step is good once.
"""

from __future__ import annotations

import base64
import hmac
import urllib.parse

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_BYTES = 20
DIGITS = 6
STEP_SECONDS = 30
STEPS_AROUND = 1
"""A telephone's clock may be one step early or late."""
_NONCE_BYTES = 12


def as_text(secret: bytes) -> str:
    """The secret as it is typed into an app: base32 in groups of four."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def from_text(text: str) -> bytes:
    """What `as_text` wrote; empty for anything else."""
    try:
        found = base64.b32decode("".join(text.split()).upper())
    except ValueError:
        return b""
    return found if len(found) == SECRET_BYTES else b""


def address(secret: bytes, login: str, office: str) -> str:
    """The `otpauth` address that a QR code brings to an app."""
    label = urllib.parse.quote(f"{office}:{login}")
    asked = {"secret": base64.b32encode(secret).decode(), "issuer": office}
    return f"otpauth://totp/{label}?" + urllib.parse.urlencode(asked)


def step_of(secret: bytes, code: str, at: int, used: int) -> int:
    """The time step for which these digits are right, 0 if they are not; never one that is not
    newer than `used`. at: Unix seconds."""
    digits = "".join(code.split())
    made = TOTP(secret, DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - what every app reckons with
    now = at // STEP_SECONDS
    for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1):
        right = made.generate(step * STEP_SECONDS)
        if hmac.compare_digest(right, digits.encode()) and step > used:
            return step
    return 0


def sealed(secret: bytes, login: str, key: bytes, nonce: bytes) -> bytes:
    """As the register keeps it."""
    return nonce + AESGCM(key).encrypt(nonce, secret, login.encode())


def opened(data: bytes, login: str, key: bytes) -> bytes:
    """The secret; empty where it cannot be read, which lets no digits pass."""
    try:
        return AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], login.encode())
    except (InvalidTag, ValueError):
        return b""
