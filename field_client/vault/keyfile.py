"""The shape of `keys.json` and how it is read: strictly, with a second copy for a bad sector.

A lost key file would cost everything in the vault, escrow included, so two equal files are kept;
each carries a checksum, because a flipped bit in a wrap would otherwise look like a wrong PIN.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import msgspec

from field_client.vault.files import write_atomically
from models.problems import Problem

_FILE_BYTES_MAX = 256 * 1024


class Cost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Argon2id parameters. The default is the second choice of RFC 9106 §4: 64 MiB, t=3, p=4.

    The bounds keep a tampered file from making a laptop run out of memory or of patience.
    """

    memory_kib: Annotated[int, msgspec.Meta(ge=32, le=1024 * 1024)] = 64 * 1024
    passes: Annotated[int, msgspec.Meta(ge=1, le=20)] = 3
    lanes: Annotated[int, msgspec.Meta(ge=1, le=16)] = 4


Bytes16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Wrapped32 = Annotated[bytes, msgspec.Meta(min_length=40, max_length=40)]
"""RFC 3394: 32 bytes wrapped are 40."""


class Wrap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One operator: the database key and their Ed25519 private key under their own PIN.

    machine: a secret from the system's key store is part of the key derivation.
    """

    operator: Bytes16
    name: str
    cost: Cost
    salt: Bytes16
    machine: bool
    database_key: Wrapped32
    signing_key: Wrapped32
    public_key: Bytes32


class Escrow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The database key sealed to the office; recipient names the recovery key."""

    recipient: Bytes16
    sealed: Annotated[bytes, msgspec.Meta(max_length=4096)]


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything in `keys.json`; byte strings are base64 there. check: see `keys._check_value`."""

    vault: Bytes16
    check: Bytes16
    operators: Annotated[list[Wrap], msgspec.Meta(max_length=100)]
    escrow: Escrow | None
    edition: Annotated[int, msgspec.Meta(ge=1, le=1)] = 1


class _Checked(msgspec.Struct, frozen=True):
    sha256: str
    keys: msgspec.Raw


def write_keys(keys: KeyFile, path: Path, copy: Path) -> None:
    """Write both files, `path` first."""
    body = msgspec.json.encode(keys)
    whole = _Checked(hashlib.sha256(body).hexdigest(), msgspec.Raw(body))
    data = msgspec.json.encode(whole) + b"\n"
    write_atomically(path, data)
    write_atomically(copy, data)


def read_keys(path: Path, copy: Path) -> KeyFile:
    """Read `path`, or `copy` where `path` is missing or damaged.

    Problems: vault.absent (neither is there), vault.keys_corrupt (neither can be read).
    """
    present = [one for one in (path, copy) if one.exists()]
    if not present:
        raise Problem("vault.absent", path=str(path.parent))
    for one in present:
        keys = _read(one)
        if keys is not None:
            return keys
    raise Problem("vault.keys_corrupt", path=str(path))


def _read(path: Path) -> KeyFile | None:
    try:
        with path.open("rb") as file:
            checked = msgspec.json.decode(file.read(_FILE_BYTES_MAX), type=_Checked)
        body = bytes(checked.keys)
        if hashlib.sha256(body).hexdigest() != checked.sha256:
            return None
        return msgspec.json.decode(body, type=KeyFile)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
