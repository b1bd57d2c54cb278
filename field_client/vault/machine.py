"""The machine secret: 32 random bytes in the system's own key store, one per vault.

With it, a copied disk alone says nothing about a six-digit PIN: the guess needs this machine's key
store too (Windows Credential Manager, macOS Keychain, Secret Service or KWallet on Linux). Where
there is none, `system_key_store` says so by None and the operators need passphrases instead.
"""

from __future__ import annotations

import base64
from typing import Protocol

from models.problems import Problem

_SERVICE = "jemput-bola"
_REAL = ("Windows", "macOS", "SecretService", "kwallet", "libsecret")
"""Modules of `keyring.backends` that keep a secret away from a mere copy of the disk. Others (a
text file, "fail", "null") do not, whatever priority they give themselves."""


class KeyStore(Protocol):
    """Where a machine secret lives, as raw bytes.

    get: None means that nothing is stored under this name, and that a new one may be made; a store
    that cannot be asked now raises Problem `vault.machine_secret`, so that none is overwritten.
    """

    def get(self, name: str) -> bytes | None: ...

    def put(self, name: str, secret: bytes) -> None: ...


class SystemKeyStore:
    """The key store of the person logged in, through `keyring`."""

    def get(self, name: str) -> bytes | None:
        import keyring  # 60 ms on an old laptop: only when asked for
        from keyring.errors import KeyringError

        try:
            text = keyring.get_password(_SERVICE, name)
        except KeyringError as error:  # locked, or its daemon is gone
            raise Problem("vault.machine_secret") from error
        return None if text is None else base64.b64decode(text)

    def put(self, name: str, secret: bytes) -> None:
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.set_password(_SERVICE, name, base64.b64encode(secret).decode())
        except KeyringError as error:
            raise Problem("vault.machine_secret") from error


def system_key_store() -> KeyStore | None:
    """The key store of this machine, or None where there is none that can be trusted."""
    try:
        import keyring
        from keyring.backends import chainer

        backend = keyring.get_keyring()
        found = backend.backends if isinstance(backend, chainer.ChainerBackend) else [backend]
    except Exception:  # a broken desktop must not keep an operator out: passphrases still work
        return None
    if any(type(one).__module__.rpartition(".")[2] in _REAL for one in found):
        return SystemKeyStore()
    return None
