"""Central's own keys: one to sign, one to open what is sealed to it; and the office recovery key.

The two private keys of central stay in one file (mode 0600) in the data folder. The recovery key
opens the escrow copy of every laptop's vault key. Central keeps its public half only: the private
half is written once, by `init`, to a file that the admin carries away and locks up. Whoever steals
the server therefore cannot open a laptop.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from models.problems import Problem
from server.files import disk_problems, write_new
from sync.atrest import house_key
from sync.identity import KEY_BYTES, Identity
from sync.logs import Open, log_id
from sync.messages import encode

Entropy = Callable[[int], bytes]
"""Draws so many random bytes; `secrets.token_bytes` outside of tests."""


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """Private keys of central as 32 raw bytes each, and the public recovery key."""

    sign: bytes
    seal: bytes
    recovery_key: bytes

    @cached_property
    def identity(self) -> Identity:
        return Identity(self.sign, self.seal)

    @cached_property
    def log(self) -> bytes:
        """Id of central's own log, in which its staff's decisions stand."""
        return log_id(self.identity.sign_key)

    @property
    def files_key(self) -> bytes:
        """Seals citizens' files on the disk."""
        return house_key(self.seal, b"central")

    def opening(self) -> bytes:
        """The encoded first entry of central's own log."""
        me = self.identity
        return encode(Open(me.sign_key, me.seal_key, bytes(16), b"", 0, b"", "central"))


class Recovery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is taken away: the private recovery key, with words saying what it is for."""

    note: str
    private_key: str
    public_key: str


RECOVERY_NOTE = (
    "Kunci pemulihan kantor Jemput Bola. Simpan di luar jaringan, di dua tempat terkunci, lalu "
    "hapus dari komputer ini. Dengan kunci ini kantor dapat membuka laptop yang PIN-nya terlupa."
)


def draw(entropy: Entropy) -> tuple[Keys, Recovery]:
    """New keys for a new central."""
    private = X25519PrivateKey.from_private_bytes(entropy(KEY_BYTES))
    public = private.public_key().public_bytes_raw()
    recovery = Recovery(RECOVERY_NOTE, private.private_bytes_raw().hex(), public.hex())
    return Keys(entropy(KEY_BYTES), entropy(KEY_BYTES), public), recovery


def save(keys: Keys, path: Path) -> None:
    """Write the key file; an existing one is never replaced."""
    write_new(path, msgspec.json.format(msgspec.json.encode(_hexed(keys))) + b"\n")


def save_recovery(recovery: Recovery, path: Path) -> None:
    """Write the file to be taken away; an existing one is never replaced."""
    write_new(path, msgspec.json.format(msgspec.json.encode(recovery)) + b"\n")


def load(path: Path) -> Keys:
    """The keys in `path`; Problem("office.empty") when there are none."""
    with disk_problems(path):
        if not path.exists():
            raise Problem("office.empty")
        data = path.read_bytes()
    try:
        texts = msgspec.json.decode(data, type=dict[str, str])
        keys = Keys(**{name: bytes.fromhex(text) for name, text in texts.items()})
    except (msgspec.DecodeError, TypeError, ValueError):
        raise Problem("keys.corrupt", path=str(path)) from None
    if any(len(key) != KEY_BYTES for key in (keys.sign, keys.seal, keys.recovery_key)):
        raise Problem("keys.corrupt", path=str(path))
    return keys


def _hexed(keys: Keys) -> dict[str, str]:
    return {name: value.hex() for name, value in msgspec.structs.asdict(keys).items()}
